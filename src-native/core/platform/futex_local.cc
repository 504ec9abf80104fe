#if (!defined(__linux__) && !defined(_WIN32)) || defined(ATOMIC_LOG_PORTABLE)

#include <mutex>

#include "core/platform/condition.h"
#include "core/platform/futex.h"

namespace atomic_log::platform {
namespace {

// All sleepers of this process. Never destroyed: threads may outlive static
// destructors.
struct Sleepers {
  std::mutex mutex;
  Condition woken;

  static Sleepers& instance() {
    static Sleepers* const sleepers = new Sleepers();
    return *sleepers;
  }
};

}  // namespace

void internal::local_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                          std::chrono::nanoseconds time) {
  Sleepers& sleepers = Sleepers::instance();
  std::unique_lock<std::mutex> lock(sleepers.mutex);
  // Acquire: pairs with the change of the word. Under the mutex, which the waker
  // takes after it has changed the word.
  (void)sleepers.woken.wait_for(lock, time, [&] {
    return word.load(std::memory_order_acquire) != expected;
  });
}

void internal::local_wake_all() {
  Sleepers& sleepers = Sleepers::instance();
  { const std::lock_guard<std::mutex> lock(sleepers.mutex); }
  sleepers.woken.notify_all();
}

#if !defined(__APPLE__)

void futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                std::chrono::nanoseconds time) {
  internal::local_wait(word, expected, time);
}

void futex_wake_all(const std::atomic<uint32_t>&) {
  internal::local_wake_all();
}

bool wakes_across_processes() { return false; }

#endif  // !defined(__APPLE__)

}  // namespace atomic_log::platform

#endif  // neither Linux nor Windows, or ATOMIC_LOG_PORTABLE
