#if !defined(_WIN32)

#include <dlfcn.h>

#include "core/platform/module.h"

namespace atomic_log::platform {

bool pin_module() {
  static const bool pinned = [] {
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(&pin_module), &info) == 0) return false;
    // RTLD_NOLOAD finds the copy that is loaded already; RTLD_NODELETE makes
    // it permanent. The handle is kept, never closed.
    return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) !=
           nullptr;
  }();
  return pinned;
}

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
