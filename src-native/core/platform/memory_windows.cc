#if defined(_WIN32)

#include <windows.h>

#include "core/platform/memory.h"

namespace atomic_log::platform {

size_t page_bytes() {
  static const size_t bytes = [] {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return static_cast<size_t>(info.dwPageSize);
  }();
  return bytes;
}

void* map_pages(size_t bytes) {
  return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void unmap_pages(void* address, size_t bytes) {
  (void)bytes;
  VirtualFree(address, 0, MEM_RELEASE);
}

void decommit_pages(void* address, size_t bytes) {
  // MEM_RESET keeps the range committed, so that a late touch is harmless, and
  // lets the system drop the contents; DiscardVirtualMemory does it at once.
  // It is looked up at run time because Windows 7 lacks it.
  using Discard = DWORD(WINAPI*)(PVOID, SIZE_T);
  static const Discard discard =
      reinterpret_cast<Discard>(reinterpret_cast<void*>(GetProcAddress(
          GetModuleHandleW(L"kernel32.dll"), "DiscardVirtualMemory")));
  if (discard == nullptr || discard(address, bytes) != ERROR_SUCCESS) {
    VirtualAlloc(address, bytes, MEM_RESET, PAGE_READWRITE);
  }
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
