// macOS. Compiled elsewhere for its tests, with a double for kqueue.
#if defined(__APPLE__) || defined(ATOMIC_LOG_PORTABLE)

#include <errno.h>
#include <limits.h>
#include <sys/event.h>
#include <unistd.h>

#include "core/platform/process_watch.h"
#include "core/platform/shared_file.h"

namespace atomic_log::platform {
namespace {

constexpr uintptr_t kCancel = 1;

}  // namespace

ProcessName own_process_name() { return process_id(); }

uint32_t process_number(ProcessName name) {
  return name <= INT_MAX ? static_cast<uint32_t>(name) : 0;
}

// One queue for both events. A child process has no queue of its parent's.
bool internal::ProcessEnd::open(uint32_t number) {
  process_ = kqueue();
  if (process_ < 0) return false;
  struct kevent changes[2];
  EV_SET(&changes[0], kCancel, EVFILT_USER, EV_ADD, 0, 0, nullptr);
  EV_SET(&changes[1], number, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, nullptr);
  // Of one that has ended already, ESRCH.
  return kevent(static_cast<int>(process_), changes, 2, nullptr, 0, nullptr) ==
         0;
}

bool internal::ProcessEnd::wait() {
  struct kevent event;
  int ready;
  do {
    ready = kevent(static_cast<int>(process_), nullptr, 0, &event, 1, nullptr);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && event.filter == EVFILT_PROC;
}

void internal::ProcessEnd::cancel() {
  struct kevent change;
  EV_SET(&change, kCancel, EVFILT_USER, 0, NOTE_TRIGGER, 0, nullptr);
  (void)kevent(static_cast<int>(process_), &change, 1, nullptr, 0, nullptr);
}

void internal::ProcessEnd::close() {
  if (process_ >= 0) ::close(static_cast<int>(process_));
  process_ = -1;
}

}  // namespace atomic_log::platform

#endif  // defined(__APPLE__) || defined(ATOMIC_LOG_PORTABLE)
