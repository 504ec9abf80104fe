#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <string>

namespace {

// The process of each queue, which is an eventfd: the event of a user is what it
// counts. A queue's number may be another's later.
struct Queues {
  std::mutex mutex;
  std::map<int, uintptr_t> processes;
};

Queues& queues() {
  static Queues* const all = new Queues();
  return *all;
}

// Also one that no one has reaped has ended.
bool has_ended(uintptr_t process) {
  const std::string path = "/proc/" + std::to_string(process) + "/stat";
  FILE* const file = fopen(path.c_str(), "r");
  if (file == nullptr) return true;
  char state = 'Z';
  const int fields = fscanf(file, "%*d (%*[^)]) %c", &state);
  fclose(file);
  return fields != 1 || state == 'Z' || state == 'X';
}

int refused(int error) {
  errno = error;
  return -1;
}

int change(int queue, const struct kevent& what) {
  if (what.filter == EVFILT_USER) {
    if ((what.flags & EV_ADD) == 0 && what.fflags == NOTE_TRIGGER) {
      return eventfd_write(queue, 1);
    }
    return what.flags == EV_ADD ? 0 : refused(EINVAL);
  }
  if (what.filter != EVFILT_PROC || what.flags != EV_ADD ||
      what.fflags != NOTE_EXIT) {
    return refused(EINVAL);
  }
  if (has_ended(what.ident)) return refused(ESRCH);
  const std::lock_guard<std::mutex> lock(queues().mutex);
  queues().processes[queue] = what.ident;
  return 0;
}

uintptr_t process_of(int queue) {
  const std::lock_guard<std::mutex> lock(queues().mutex);
  return queues().processes.at(queue);
}

}  // namespace

int kqueue() { return eventfd(0, EFD_CLOEXEC); }

// Without a timeout, and for one event.
int kevent(int queue, const struct kevent* changes, int change_count,
           struct kevent* events, int event_count, const timespec*) {
  for (int i = 0; i < change_count; ++i) {
    if (change(queue, changes[i]) != 0) return -1;
  }
  if (event_count == 0) return 0;
  const uintptr_t process = process_of(queue);
  for (;;) {
    pollfd user = {queue, POLLIN, 0};
    const int ready = poll(&user, 1, 1);
    if (ready < 0) return -1;
    if (ready > 0) {
      EV_SET(events, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, nullptr);
      return 1;
    }
    if (has_ended(process)) {
      EV_SET(events, process, EVFILT_PROC, 0, NOTE_EXIT, 0, nullptr);
      return 1;
    }
  }
}
