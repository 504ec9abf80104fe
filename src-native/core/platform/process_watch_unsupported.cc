#if !defined(__linux__) && !defined(__APPLE__) && !defined(_WIN32) && \
    !defined(ATOMIC_LOG_PORTABLE)

#include "core/platform/process_watch.h"
#include "core/platform/shared_file.h"

namespace atomic_log::platform {

ProcessName own_process_name() { return process_id(); }

uint32_t process_number(ProcessName name) {
  return static_cast<uint32_t>(name);
}

bool internal::ProcessEnd::open(uint32_t) { return false; }
bool internal::ProcessEnd::wait() { return false; }
void internal::ProcessEnd::cancel() {}
void internal::ProcessEnd::close() {}

}  // namespace atomic_log::platform

#endif  // none of Linux, macOS and Windows
