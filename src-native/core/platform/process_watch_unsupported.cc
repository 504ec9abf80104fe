#if (!defined(__linux__) && !defined(_WIN32)) || defined(ATOMIC_LOG_PORTABLE)

#include "core/platform/process_watch.h"
#include "core/platform/shared_file.h"

namespace atomic_log::platform {

ProcessName own_process_name() { return process_id(); }

uint32_t process_number(ProcessName name) {
  return static_cast<uint32_t>(name);
}

bool ProcessWatch::start(ProcessName, std::function<void()>) { return false; }
void ProcessWatch::stop() {}

}  // namespace atomic_log::platform

#endif  // neither Linux nor Windows, or ATOMIC_LOG_PORTABLE
