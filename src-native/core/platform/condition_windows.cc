#if defined(_WIN32)

#include "core/platform/condition.h"

namespace atomic_log::platform {

// The system's own waits take a duration, so that no clock is asked meanwhile.
Condition::Condition() = default;
Condition::~Condition() = default;

void Condition::notify_one() { condition_.notify_one(); }

void Condition::notify_all() { condition_.notify_all(); }

void Condition::wait_once(std::unique_lock<std::mutex>& lock) {
  condition_.wait(lock);
}

void Condition::wait_once_for(std::unique_lock<std::mutex>& lock,
                              std::chrono::nanoseconds time) {
  condition_.wait_for(lock, time);
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
