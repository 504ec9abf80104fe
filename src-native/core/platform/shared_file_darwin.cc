// macOS; what other systems than Linux lack, too.
#if !defined(__linux__) && !defined(_WIN32)

#include "core/platform/shared_file.h"
#include "core/platform/shared_file_system.h"

#if defined(__APPLE__)
#include <mach/vm_inherit.h>
#include <sys/mman.h>
#include <sys/sysctl.h>
#endif

namespace atomic_log::platform {

IoStatus boot_id(BootId* id) {
  *id = {};
#if defined(__APPLE__)
  char text[64] = {};
  size_t bytes = sizeof(text) - 1;
  if (sysctlbyname("kern.bootsessionuuid", text, &bytes, nullptr, 0) == 0) {
    *id = internal::boot_id_of(text);
  }
#endif
  return {};
}

namespace internal {

void keep_from_children([[maybe_unused]] void* address,
                        [[maybe_unused]] size_t bytes) {
#if defined(__APPLE__)
  (void)minherit(address, bytes, VM_INHERIT_NONE);
#endif
}

}  // namespace internal

}  // namespace atomic_log::platform

#endif  // !defined(__linux__) && !defined(_WIN32)
