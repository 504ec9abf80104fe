#include "core/platform/memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

#include "support/resident.h"

namespace atomic_log::platform {
namespace {

using test::kCanAskResidency;
using test::resident_pages;

constexpr size_t kPages = 16;

TEST_SUITE_BEGIN("platform memory");

TEST_CASE("a page is a power of two of at least 4096 bytes") {
  CHECK(page_bytes() >= 4096);
  CHECK((page_bytes() & (page_bytes() - 1)) == 0);
}

TEST_CASE("mapped pages are aligned, zero and writable") {
  const size_t bytes = kPages * page_bytes();
  auto* const memory = static_cast<unsigned char*>(map_pages(bytes));
  REQUIRE(memory != nullptr);
  CHECK(reinterpret_cast<uintptr_t>(memory) % page_bytes() == 0);
  CHECK(std::all_of(memory, memory + bytes,
                    [](unsigned char byte) { return byte == 0; }));
  std::fill(memory, memory + bytes, static_cast<unsigned char>(0xA5));
  CHECK(memory[0] == 0xA5);
  CHECK(memory[bytes - 1] == 0xA5);
  unmap_pages(memory, bytes);
}

TEST_CASE("decommitted pages are returned, and can be touched again") {
  const size_t bytes = kPages * page_bytes();
  auto* const memory = static_cast<unsigned char*>(map_pages(bytes));
  REQUIRE(memory != nullptr);
  std::fill(memory, memory + bytes, static_cast<unsigned char>(0xA5));
  if (kCanAskResidency) CHECK(resident_pages(memory, bytes) == kPages);

  decommit_pages(memory, bytes);
  if (kCanAskResidency) CHECK(resident_pages(memory, bytes) == 0);

  std::fill(memory, memory + bytes, static_cast<unsigned char>(0x5A));
  CHECK(memory[0] == 0x5A);
  CHECK(memory[bytes - 1] == 0x5A);
  unmap_pages(memory, bytes);
}

TEST_CASE("decommitting some pages leaves the others alone") {
  const size_t page = page_bytes();
  auto* const memory = static_cast<unsigned char*>(map_pages(3 * page));
  REQUIRE(memory != nullptr);
  std::fill(memory, memory + 3 * page, static_cast<unsigned char>(0xA5));
  decommit_pages(memory + page, page);
  CHECK(memory[page - 1] == 0xA5);
  CHECK(memory[2 * page] == 0xA5);
  if (kCanAskResidency) CHECK(resident_pages(memory + page, page) == 0);
  unmap_pages(memory, 3 * page);
}

// --- Error paths.

TEST_CASE("more than the address space holds is refused, not fatal") {
  CHECK(map_pages(size_t{1} << (sizeof(size_t) * 8 - 8)) == nullptr);
  void* const memory = map_pages(page_bytes());
  CHECK(memory != nullptr);
  unmap_pages(memory, page_bytes());
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::platform
