#if defined(__linux__) && !defined(ATOMIC_LOG_PORTABLE)

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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
  if (*descriptor >= 0) ::close(static_cast<int>(*descriptor));
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

bool internal::ProcessEnd::open(uint32_t number) {
  // Both are closed when a child process executes another program.
  process_ = syscall(kPidfdOpen, number, 0);
  if (process_ >= 0) cancel_ = eventfd(0, EFD_CLOEXEC);
  return cancel_ >= 0;
}

bool internal::ProcessEnd::wait() {
  pollfd events[] = {{static_cast<int>(process_), POLLIN, 0},
                     {static_cast<int>(cancel_), POLLIN, 0}};
  int ready;
  do {
    ready = poll(events, 2, -1);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && events[1].revents == 0;
}

void internal::ProcessEnd::cancel() {
  (void)eventfd_write(static_cast<int>(cancel_), 1);
}

void internal::ProcessEnd::close() {
  close_and_forget(&process_);
  close_and_forget(&cancel_);
}

}  // namespace atomic_log::platform

#endif  // defined(__linux__) && !defined(ATOMIC_LOG_PORTABLE)
