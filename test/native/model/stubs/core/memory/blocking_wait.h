// Stands in for the thread that blocks: one that sleeps in the model, until it
// is woken and not any shorter.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_MEMORY_BLOCKING_WAIT_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_MEMORY_BLOCKING_WAIT_H_

#include <chrono>
#include <cstdint>

#include "core/memory/rolling_log.h"

namespace atomic_log::memory {

enum class Arrival : uint8_t { kPending = 0, kReady = 1, kEnded = 2 };
enum class WaitUntil : uint8_t { kEntry, kEntryOrClaim };

class ThreadWaiter final : public Waiter {
 public:
  void wake() override {
    is_woken_.store(1, model::memory_order_release);
    is_woken_.wake_all();
  }
  void wait_for(std::chrono::nanoseconds) {
    while (is_woken_.load(model::memory_order_acquire) == 0) {
      is_woken_.sleep_while(0, false);
    }
  }

 private:
  model::atomic<uint32_t> is_woken_;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_MEMORY_BLOCKING_WAIT_H_
