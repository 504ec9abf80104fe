#if !defined(_WIN32)

#include <poll.h>

#include "core/platform/pipe.h"

namespace atomic_log::platform {

bool is_reader_gone(int descriptor) {
  // Without asking for events, poll tells of these alone.
  pollfd entry = {descriptor, 0, 0};
  return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
