// A condition variable whose time limits no change of the system's clock
// touches. std::condition_variable waits by that clock on systems older than
// glibc 2.30, which the prebuilt binaries are made for: set back by an hour, it
// would add the hour to every wait.
//
// As of std::condition_variable, any thread may call anything; a thread that waits
// holds the mutex.
#ifndef ATOMIC_LOG_CORE_PLATFORM_CONDITION_H_
#define ATOMIC_LOG_CORE_PLATFORM_CONDITION_H_

#if defined(_WIN32)
#include <condition_variable>
#else
#include <pthread.h>
#endif

#include <algorithm>
#include <chrono>
#include <mutex>

namespace atomic_log::platform {

class Condition {
 public:
  Condition();
  ~Condition();
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void notify_one();
  void notify_all();

  template <typename Predicate>
  void wait(std::unique_lock<std::mutex>& lock, Predicate is_met) {
    while (!is_met()) wait_once(lock);
  }

  // False: the time is over, and it is not met.
  template <typename Predicate>
  bool wait_for(std::unique_lock<std::mutex>& lock,
                std::chrono::nanoseconds time, Predicate is_met) {
    const auto end =
        std::chrono::steady_clock::now() + std::min(time, kLongest);
    while (!is_met()) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left.count() <= 0) return false;
      wait_once_for(lock, left);
    }
    return true;
  }

 private:
  // What can be added to any time without overflow.
  static constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24);

  // These may return for no reason.
  void wait_once(std::unique_lock<std::mutex>& lock);
  void wait_once_for(std::unique_lock<std::mutex>& lock,
                     std::chrono::nanoseconds time);

#if defined(_WIN32)
  std::condition_variable condition_;
#else
  pthread_cond_t condition_;
#endif
};

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_CONDITION_H_
