#include "core/memory/block_layout.h"

#include <doctest/doctest.h>

namespace atomic_log::memory {
namespace {

TEST_SUITE_BEGIN("block_layout");

TEST_CASE("one column starts after the header line") {
  BlockLayout layout;
  REQUIRE(BlockLayout::create({8}, 8, &layout) == Status::kOk);
  CHECK(layout.column_offsets() == std::vector<uint64_t>{64});
  CHECK(layout.block_bytes() == 128);
}

TEST_CASE("every column starts on a line of its own and overlaps no other") {
  const std::vector<uint32_t> element_bytes = {1, 8, 2, 4, 1, 8};
  for (const uint32_t capacity : {1u, 7u, 63u, 64u, 65u, 4096u}) {
    BlockLayout layout;
    REQUIRE(BlockLayout::create(element_bytes, capacity, &layout) ==
            Status::kOk);
    REQUIRE(layout.column_offsets().size() == element_bytes.size());
    uint64_t end = BlockLayout::kHeaderBytes;
    for (size_t i = 0; i < element_bytes.size(); ++i) {
      const uint64_t offset = layout.column_offsets()[i];
      CHECK(offset % kCacheLineBytes == 0);
      CHECK(offset >= end);
      CHECK(offset < end + kCacheLineBytes);
      end = offset + uint64_t{capacity} * element_bytes[i];
    }
    CHECK(layout.block_bytes() >= end);
    CHECK(layout.block_bytes() < end + kCacheLineBytes);
    CHECK(layout.block_bytes() % kCacheLineBytes == 0);
  }
}

TEST_CASE("a block may be as large as the limit says, not larger") {
  BlockLayout layout;
  const auto at_limit = static_cast<uint32_t>(BlockLayout::kBlockBytesMax -
                                              BlockLayout::kHeaderBytes);
  REQUIRE(BlockLayout::create({1}, at_limit, &layout) == Status::kOk);
  CHECK(layout.block_bytes() == BlockLayout::kBlockBytesMax);
  CHECK(BlockLayout::create({1}, at_limit + 1, &layout) == Status::kOutOfRange);
}

TEST_CASE("as many columns as the limit says, not more") {
  BlockLayout layout;
  std::vector<uint32_t> element_bytes(BlockLayout::kColumnCountMax, 4);
  REQUIRE(BlockLayout::create(element_bytes, 1, &layout) == Status::kOk);
  CHECK(layout.column_offsets().size() == BlockLayout::kColumnCountMax);
  element_bytes.push_back(4);
  CHECK(BlockLayout::create(element_bytes, 1, &layout) == Status::kOutOfRange);
}

// --- Error paths.

TEST_CASE("no column, no capacity and unknown element sizes are refused") {
  BlockLayout layout;
  CHECK(BlockLayout::create({}, 8, &layout) == Status::kOutOfRange);
  CHECK(BlockLayout::create({8}, 0, &layout) == Status::kOutOfRange);
  for (const uint32_t bytes : {0u, 3u, 5u, 6u, 7u, 9u, 16u, 0xFFFFFFFFu}) {
    CHECK(BlockLayout::create({bytes}, 8, &layout) == Status::kOutOfRange);
    CHECK(BlockLayout::create({8, bytes}, 8, &layout) == Status::kOutOfRange);
  }
}

TEST_CASE("a sum of columns that would overflow is refused") {
  BlockLayout layout;
  const std::vector<uint32_t> widest(BlockLayout::kColumnCountMax, 8);
  CHECK(BlockLayout::create(widest, 0xFFFFFFFFu, &layout) ==
        Status::kOutOfRange);
  CHECK(BlockLayout::create({8}, 0x7FFFFFFFu, &layout) == Status::kOutOfRange);
}

TEST_CASE("a refusal leaves the layout as it was") {
  BlockLayout layout;
  REQUIRE(BlockLayout::create({8, 2}, 10, &layout) == Status::kOk);
  const auto offsets = layout.column_offsets();
  const uint64_t bytes = layout.block_bytes();
  REQUIRE(BlockLayout::create({8, 3}, 10, &layout) == Status::kOutOfRange);
  CHECK(layout.column_offsets() == offsets);
  CHECK(layout.block_bytes() == bytes);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
