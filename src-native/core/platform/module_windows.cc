#if defined(_WIN32)

#include <windows.h>

#include "core/platform/module.h"

namespace atomic_log::platform {

bool pin_module() {
  static const bool pinned = [] {
    HMODULE module = nullptr;
    return GetModuleHandleExW(
               GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                   GET_MODULE_HANDLE_EX_FLAG_PIN,
               reinterpret_cast<LPCWSTR>(reinterpret_cast<void*>(&pin_module)),
               &module) != 0;
  }();
  return pinned;
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
