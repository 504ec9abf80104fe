// Blocking a thread until entries come. Any thread but the writer's own, which
// would wait for itself.
#ifndef ATOMIC_LOG_CORE_MEMORY_BLOCKING_WAIT_H_
#define ATOMIC_LOG_CORE_MEMORY_BLOCKING_WAIT_H_

#include <chrono>
#include <cstdint>
#include <mutex>

#include "core/memory/rolling_log.h"
#include "core/platform/condition.h"

namespace atomic_log::memory {

enum class Arrival : uint8_t {
  kPending = 0,  // not there yet
  kReady = 1,    // entry can be read (or could, if it has left the window)
  kEnded = 2,    // the log has ended, and the entry will never come
};

// A thread that blocks until it is woken.
class ThreadWaiter final : public Waiter {
 public:
  void wake() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_woken_ = true;
    condition_.notify_one();
  }
  void wait_for(std::chrono::nanoseconds time) {
    std::unique_lock<std::mutex> lock(mutex_);
    condition_.wait_for(lock, time, [this] { return is_woken_; });
  }

 private:
  std::mutex mutex_;
  platform::Condition condition_;
  bool is_woken_ = false;
};

// Whether entry `index` is there. The end is looked at first: entries that
// precede it are then all there.
Arrival look_for(RollingLog& log, uint64_t index);

// What else than the entry ends a wait.
enum class WaitUntil : uint8_t {
  kEntry,
  kEntryOrClaim,  // also when no one has the claim
};

// The same, once it is not kPending any more or `time` is over, or `until` has
// it.
Arrival wait_for(RollingLog& log, uint64_t index, std::chrono::nanoseconds time,
                 WaitUntil until = WaitUntil::kEntry);

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_BLOCKING_WAIT_H_
