#if !defined(__linux__) && !defined(_WIN32)

#include <algorithm>
#include <thread>

#include "core/platform/futex.h"

namespace atomic_log::platform {

void futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                std::chrono::nanoseconds time) {
  if (word.load(std::memory_order_acquire) != expected) return;
  std::this_thread::sleep_for(
      std::min<std::chrono::nanoseconds>(time, std::chrono::milliseconds(1)));
}

void futex_wake_all(const std::atomic<uint32_t>&) {}

}  // namespace atomic_log::platform

#endif  // !defined(__linux__) && !defined(_WIN32)
