// A thread whose start may fail. std::thread throws then, which ends a process
// that is built without exceptions: this is the only place that starts one.
//
// Only one thread at a time may call anything of an object.
#ifndef ATOMIC_LOG_CORE_PLATFORM_THREAD_H_
#define ATOMIC_LOG_CORE_PLATFORM_THREAD_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "core/platform/io_status.h"

namespace atomic_log::platform {

class Thread {
 public:
  Thread();
  // It must have been joined, or never been started.
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // kNoThread: the system has none, now; it can be tried again. Everything
  // before start() happens before run(), as of std::thread.
  IoStatus start(std::function<void()> run);
  bool is_started() const { return native_ != nullptr; }
  // Waits until run() has returned. Nothing when it was not started.
  void join();

 private:
  struct Native;
  std::unique_ptr<Native> native_;
};

// How many can run at once on this machine; 1 where the system does not tell.
size_t concurrent_threads();

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_THREAD_H_
