// How much of an address range is in memory, asked of the system. Only where
// there is a way to ask; tests elsewhere check the bookkeeping alone.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_RESIDENT_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_RESIDENT_H_

#include <cstddef>
#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>

#include <vector>

#include "core/platform/memory.h"
#endif

namespace atomic_log::test {

#if defined(__linux__)
inline constexpr bool kCanAskResidency = true;

// `address` is page aligned.
inline size_t resident_pages(void* address, size_t bytes) {
  const size_t page = platform::page_bytes();
  std::vector<unsigned char> in_memory((bytes + page - 1) / page);
  if (mincore(address, bytes, in_memory.data()) != 0) return SIZE_MAX;
  size_t count = 0;
  for (const unsigned char flags : in_memory) count += flags & 1u;
  return count;
}
#else
inline constexpr bool kCanAskResidency = false;

inline size_t resident_pages(void*, size_t) { return 0; }
#endif

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_RESIDENT_H_
