#if !defined(_WIN32)

#include <sys/mman.h>
#include <unistd.h>

#include "core/platform/memory.h"

namespace atomic_log::platform {

size_t page_bytes() {
  static const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

void* map_pages(size_t bytes) {
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

void unmap_pages(void* address, size_t bytes) { munmap(address, bytes); }

void decommit_pages(void* address, size_t bytes) {
#if defined(__APPLE__)
  // MADV_DONTNEED only marks pages on macOS; a fresh mapping in place of the
  // old one is what returns them.
  mmap(address, bytes, PROT_READ | PROT_WRITE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
#else
  madvise(address, bytes, MADV_DONTNEED);
#endif
}

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
