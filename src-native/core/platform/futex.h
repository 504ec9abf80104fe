// Sleeping until another process changes a word of memory that both have
// mapped. Linux has futexes, macOS 14.4 os_sync_wait_on_address(), Windows
// named events. Elsewhere only threads of the same process are woken, and a
// thread that waits for another process must look again after a while.
//
// Any thread may call anything.
#ifndef ATOMIC_LOG_CORE_PLATFORM_FUTEX_H_
#define ATOMIC_LOG_CORE_PLATFORM_FUTEX_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace atomic_log::platform {

// Sleeps while `word` is `expected`, until it is woken or `time` is over. It
// may return for no reason.
void futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                std::chrono::nanoseconds time);

// Wakes every sleeper of the word, which was changed before, in whatever
// process. Of a word in a file (shared_file.h) one thread may sleep at a time:
// Windows wakes only one.
void futex_wake_all(const std::atomic<uint32_t>& word);

// False: no sleeper of another process is woken.
bool wakes_across_processes();

namespace internal {

// What there is on any system.
void local_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                std::chrono::nanoseconds time);
void local_wake_all();

// os_sync_wait_on_address_with_timeout() and os_sync_wake_by_address_all() of
// macOS, looked up at run time; null where it has none.
struct AddressWaits {
  using Wait = int (*)(void* address, uint64_t value, size_t size,
                       uint32_t flags, uint32_t clock, uint64_t nanoseconds);
  using WakeAll = int (*)(void* address, size_t size, uint32_t flags);
  Wait wait;
  WakeAll wake_all;

  // As futex_wait() and futex_wake_all().
  void wait_for(const std::atomic<uint32_t>& word, uint32_t expected,
                std::chrono::nanoseconds time) const;
  void wake(const std::atomic<uint32_t>& word) const;
};

}  // namespace internal

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_FUTEX_H_
