#if !defined(_WIN32)

#include <time.h>

#include "core/platform/condition.h"

namespace atomic_log::platform {

namespace {

constexpr int64_t kSecond = 1'000'000'000;

timespec to_timespec(int64_t nanoseconds) {
  timespec result = {};
  result.tv_sec = static_cast<time_t>(nanoseconds / kSecond);
  result.tv_nsec = static_cast<long>(nanoseconds % kSecond);
  return result;
}

}  // namespace

Condition::Condition() {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
#if !defined(__APPLE__)
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
  pthread_cond_init(&condition_, &attributes);
  pthread_condattr_destroy(&attributes);
}

Condition::~Condition() { pthread_cond_destroy(&condition_); }

void Condition::notify_one() { pthread_cond_signal(&condition_); }

void Condition::notify_all() { pthread_cond_broadcast(&condition_); }

void Condition::wait_once(std::unique_lock<std::mutex>& lock) {
  pthread_cond_wait(&condition_, lock.mutex()->native_handle());
}

void Condition::wait_once_for(std::unique_lock<std::mutex>& lock,
                              std::chrono::nanoseconds time) {
#if defined(__APPLE__)
  // Its conditions know no other clock than the system's, but this.
  const timespec relative = to_timespec(time.count());
  pthread_cond_timedwait_relative_np(&condition_, lock.mutex()->native_handle(),
                                     &relative);
#else
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const timespec end =
      to_timespec(int64_t{now.tv_sec} * kSecond + now.tv_nsec + time.count());
  pthread_cond_timedwait(&condition_, lock.mutex()->native_handle(), &end);
#endif
}

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
