// The places where the system may refuse memory or a thread and the core goes
// on. A test build (ATOMIC_LOG_FAULTS) has any of them refused on demand; in an
// ordinary build there is nothing here.
#ifndef ATOMIC_LOG_CORE_BASE_FAULTS_H_
#define ATOMIC_LOG_CORE_BASE_FAULTS_H_

namespace atomic_log {

#if defined(ATOMIC_LOG_FAULTS)
// Whether the allocation that follows is to fail. Any thread; the test build
// defines it (test/native/support/faults.cc).
bool memory_is_refused();
// The same of the start of a thread.
bool thread_is_refused();
// The writer of a log that processes share has done one more step, which has a
// name: a place to be killed at.
void writer_step(const char* name);
#else
constexpr bool memory_is_refused() { return false; }
constexpr bool thread_is_refused() { return false; }
constexpr void writer_step(const char*) {}
#endif

}  // namespace atomic_log

#endif  // ATOMIC_LOG_CORE_BASE_FAULTS_H_
