// Being told that another process has ended. Linux (pidfd), macOS (kqueue) and
// Windows; elsewhere start() refuses, and the caller looks from time to time.
//
//  1. A process is named by its number and the number's namespace, in one word
//     that processes can leave each other. A name is a hint: it may be stale,
//     or any number. That a process has ended proves nothing else.
//  2. When ended() is called, the locks of a process that was named rightly are
//     free: the system closes its files before it says that it is dead.
#ifndef ATOMIC_LOG_CORE_PLATFORM_PROCESS_WATCH_H_
#define ATOMIC_LOG_CORE_PLATFORM_PROCESS_WATCH_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "core/platform/thread.h"

namespace atomic_log::platform {

using ProcessName = uint64_t;
inline constexpr ProcessName kNoProcess = 0;

// The process that calls; kNoProcess where its namespace cannot be told.
ProcessName own_process_name();
// As this process calls it. 0 when it is of another namespace, or unknown.
uint32_t process_number(ProcessName name);

namespace internal {

// The system's part of a watch, one for each system. One thread calls all of it, but
// wait().
class ProcessEnd {
 public:
  // False: there is no such process, or the system has no such thing or nothing
  // left for it; then close() is needed all the same.
  bool open(uint32_t number);
  // Until the process has ended (true), or cancel() was called (either).
  bool wait();
  void cancel();
  // Idempotent; wait() has returned.
  void close();

 private:
  // Descriptors or handles; -1 where there is none.
  intptr_t process_ = -1;
  intptr_t cancel_ = -1;
};

}  // namespace internal

// Only one thread at a time may call anything of an object, but is_watching().
class ProcessWatch {
 public:
  ProcessWatch() = default;
  ~ProcessWatch() { stop(); }
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;

  // Ends the last watch, and begins one: `ended` is called once, by a thread of
  // this object, when the process has ended. False: the process is unknown
  // here, or this one; or the system has no such watch, or no descriptor or
  // thread to spare.
  bool start(ProcessName name, std::function<void()> ended);
  // `ended` is neither running nor to come. Idempotent.
  void stop();
  // Whether `ended` is still to come.
  bool is_watching() const {
    return is_watching_.load(std::memory_order_relaxed);
  }

 private:
  void run(const std::function<void()>& ended);

  Thread thread_;
  internal::ProcessEnd end_;
  // Relaxed: a hint. A caller that `ended` has told looks again.
  std::atomic<bool> is_watching_{false};
};

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_PROCESS_WATCH_H_
