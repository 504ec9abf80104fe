#if defined(__linux__) && !defined(ATOMIC_LOG_PORTABLE)

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/platform/futex.h"

namespace atomic_log::platform {
namespace {

// Without FUTEX_PRIVATE_FLAG: the word is shared between processes.
long futex(const std::atomic<uint32_t>& word, int operation, uint32_t value,
           const timespec* time) {
  return syscall(SYS_futex, reinterpret_cast<const uint32_t*>(&word), operation,
                 value, time, nullptr, 0);
}

}  // namespace

void futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                std::chrono::nanoseconds time) {
  if (time.count() <= 0) return;
  const timespec limit = {static_cast<time_t>(time.count() / 1'000'000'000),
                          static_cast<long>(time.count() % 1'000'000'000)};
  futex(word, FUTEX_WAIT, expected, &limit);
}

void futex_wake_all(const std::atomic<uint32_t>& word) {
  futex(word, FUTEX_WAKE, INT_MAX, nullptr);
}

bool wakes_across_processes() { return true; }

}  // namespace atomic_log::platform

#endif  // defined(__linux__) && !defined(ATOMIC_LOG_PORTABLE)
