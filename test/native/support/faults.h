// Memory and threads that are refused on demand, in builds with
// ATOMIC_LOG_FAULTS.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_FAULTS_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_FAULTS_H_

#include <cstdint>

namespace atomic_log::test {

// The allocation after the next `count` ones fails, once; with a negative count
// none does. Returns how many were still to be granted before: negative once
// the failure was met.
int64_t refuse_memory_after(int64_t count);

// Whether no thread of the core can be started.
void refuse_threads(bool refuses);

// What is called after each step of a writer; null for nothing. Any thread.
void at_writer_step(void (*call)(const char* name));

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_FAULTS_H_
