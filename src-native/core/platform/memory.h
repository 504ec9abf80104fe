// The door to the system's virtual memory. Any thread may call anything here.
//
//  1. What map_pages returns is page aligned, readable, writable and zero.
//  2. Address space once handed to JavaScript is never unmapped; it is
//     decommitted instead: the pages go back to the system, the address stays
//     valid, and what a later touch reads there is unspecified.
#ifndef ATOMIC_LOG_CORE_PLATFORM_MEMORY_H_
#define ATOMIC_LOG_CORE_PLATFORM_MEMORY_H_

#include <cstddef>
#include <cstdint>

namespace atomic_log::platform {

// Bytes in a page of this system.
size_t page_bytes();

// The bytes of the pages that `bytes` take.
inline uint64_t whole_pages(uint64_t bytes) {
  const uint64_t page = page_bytes();
  return (bytes + page - 1) / page * page;
}

// Maps `bytes` (a multiple of page_bytes()) of zeroed memory; null when the
// system refuses.
void* map_pages(size_t bytes);

// Returns the mapping, address included. Only for memory that JavaScript
// never saw.
void unmap_pages(void* address, size_t bytes);

// Returns the pages and keeps the address. `address` and `bytes` are page
// aligned.
void decommit_pages(void* address, size_t bytes);

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_MEMORY_H_
