#if defined(__linux__) && !defined(ATOMIC_LOG_PORTABLE)

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "core/platform/process_watch.h"
#include "core/platform/shared_file.h"

namespace atomic_log::platform {
namespace {

// The same everywhere; headers of older systems lack the name.
constexpr long kPidfdOpen = 434;

// 0 where /proc does not say.
uint32_t own_namespace() {
  struct stat info;
  if (stat("/proc/self/ns/pid", &info) != 0) return 0;
  return static_cast<uint32_t>(info.st_ino);
}

void close_and_forget(intptr_t* descriptor) {
  if (*descriptor >= 0) close(static_cast<int>(*descriptor));
  *descriptor = -1;
}

}  // namespace

ProcessName own_process_name() {
  const uint64_t space = own_namespace();
  return space == 0 ? kNoProcess
                    : space << 32 | static_cast<uint32_t>(process_id());
}

uint32_t process_number(ProcessName name) {
  const auto number = static_cast<uint32_t>(name);
  if (number > INT_MAX || name == kNoProcess) return 0;
  return name >> 32 == own_namespace() ? number : 0;
}

bool ProcessWatch::start(ProcessName name, std::function<void()> ended) {
  stop();
  const uint32_t number = process_number(name);
  if (number == 0 || number == process_id()) return false;
  // Both are closed when a child process executes another program.
  process_ = syscall(kPidfdOpen, number, 0);
  if (process_ >= 0) cancel_ = eventfd(0, EFD_CLOEXEC);
  is_watching_.store(true, std::memory_order_relaxed);
  if (cancel_ < 0 ||
      !thread_.start([this, ended = std::move(ended)] { run(ended); }).ok()) {
    stop();
    return false;
  }
  return true;
}

void ProcessWatch::stop() {
  if (thread_.is_started()) {
    (void)eventfd_write(static_cast<int>(cancel_), 1);
    thread_.join();
  }
  close_and_forget(&process_);
  close_and_forget(&cancel_);
  is_watching_.store(false, std::memory_order_relaxed);
}

void ProcessWatch::run(const std::function<void()>& ended) {
  pollfd events[] = {{static_cast<int>(process_), POLLIN, 0},
                     {static_cast<int>(cancel_), POLLIN, 0}};
  int ready = 0;
  do {
    ready = poll(events, 2, -1);
  } while (ready < 0 && errno == EINTR);
  is_watching_.store(false, std::memory_order_relaxed);
  if (ready > 0 && events[1].revents == 0) ended();
}

}  // namespace atomic_log::platform

#endif  // defined(__linux__) && !defined(ATOMIC_LOG_PORTABLE)
