#include "core/memory/blocking_wait.h"

#include <mutex>

#include "core/memory/window.h"
#include "core/platform/condition.h"

namespace atomic_log::memory {
namespace {

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

}  // namespace

Arrival look_for(RollingLog& log, uint64_t index) {
  const bool has_ended = log.has_ended();
  if (end_index(log) > index) return Arrival::kReady;
  return has_ended ? Arrival::kEnded : Arrival::kPending;
}

Arrival wait_for(RollingLog& log, uint64_t index,
                 std::chrono::nanoseconds time) {
  Arrival arrival = look_for(log, index);
  if (arrival != Arrival::kPending || time.count() <= 0) return arrival;
  ThreadWaiter waiter;
  log.entries().add(&waiter, index);
  arrival = look_for(log, index);
  if (arrival == Arrival::kPending) waiter.wait_for(time);
  log.entries().remove(&waiter);
  return arrival == Arrival::kPending ? look_for(log, index) : arrival;
}

}  // namespace atomic_log::memory
