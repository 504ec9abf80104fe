// A double for what process_watch_kqueue.cc asks of <sys/event.h>, as kqueue(2) of
// macOS describes it: a queue with one event of a user and the end of one process.
// Numbers and fields are those of macOS.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_KQUEUE_SYS_EVENT_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_KQUEUE_SYS_EVENT_H_

#include <stdint.h>
#include <time.h>

struct kevent {
  uintptr_t ident;
  int16_t filter;
  uint16_t flags;
  uint32_t fflags;
  intptr_t data;
  void* udata;
};

#define EV_SET(event, a, b, c, d, e, f) (*(event) = {a, b, c, d, e, f})
#define EVFILT_PROC (-5)
#define EVFILT_USER (-10)
#define EV_ADD 0x0001
#define NOTE_EXIT 0x80000000u
#define NOTE_TRIGGER 0x01000000u

int kqueue();
int kevent(int queue, const struct kevent* changes, int change_count,
           struct kevent* events, int event_count, const timespec* timeout);

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_KQUEUE_SYS_EVENT_H_
