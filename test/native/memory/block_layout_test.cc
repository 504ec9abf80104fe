#include "core/memory/block_layout.h"

#include <doctest/doctest.h>

namespace atomic_log::memory {
namespace {

TEST_SUITE_BEGIN("block_layout");

TEST_CASE("one column starts after the header line") {
  BlockLayout layout;
  REQUIRE(BlockLayout::create({8}, {}, 8, &layout) == Status::kOk);
  CHECK(layout.column_offsets() == std::vector<uint64_t>{64});
  CHECK(layout.block_bytes() == 128);
}

TEST_CASE("every column starts on a line of its own and overlaps no other") {
  const std::vector<uint32_t> element_bytes = {1, 8, 2, 4, 1, 8};
  for (const uint32_t capacity : {1u, 7u, 63u, 64u, 65u, 4096u}) {
    BlockLayout layout;
    REQUIRE(BlockLayout::create(element_bytes, {}, capacity, &layout) ==
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
  REQUIRE(BlockLayout::create({1}, {}, at_limit, &layout) == Status::kOk);
  CHECK(layout.block_bytes() == BlockLayout::kBlockBytesMax);
  CHECK(BlockLayout::create({1}, {}, at_limit + 1, &layout) ==
        Status::kOutOfRange);
}

TEST_CASE("as many fields as the limit says, not more") {
  BlockLayout layout;
  std::vector<uint32_t> element_bytes(BlockLayout::kFieldCountMax, 4);
  REQUIRE(BlockLayout::create(element_bytes, {}, 1, &layout) == Status::kOk);
  CHECK(layout.column_offsets().size() == BlockLayout::kFieldCountMax);
  element_bytes.push_back(4);
  CHECK(BlockLayout::create(element_bytes, {}, 1, &layout) ==
        Status::kOutOfRange);
}

TEST_CASE(
    "fields of variable size follow: offsets, then data, each on its own "
    "line") {
  const std::vector<uint64_t> data_bytes = {1, 64, 65, 1000};
  for (const uint32_t capacity : {1u, 15u, 16u, 4096u}) {
    BlockLayout layout;
    REQUIRE(BlockLayout::create({8, 2}, data_bytes, capacity, &layout) ==
            Status::kOk);
    const auto& offsets = layout.column_offsets();
    REQUIRE(offsets.size() == 2 + 2 * data_bytes.size());
    uint64_t end = offsets[1] + uint64_t{capacity} * 2;
    for (size_t i = 2; i < offsets.size(); ++i) {
      CHECK(offsets[i] % kCacheLineBytes == 0);
      CHECK(offsets[i] >= end);
      CHECK(offsets[i] < end + kCacheLineBytes);
      const bool is_data = i % 2 == 1;
      end = offsets[i] +
            (is_data ? data_bytes[i / 2 - 1] : (uint64_t{capacity} + 1) * 4);
    }
    CHECK(layout.block_bytes() >= end);
    CHECK(layout.block_bytes() < end + kCacheLineBytes);
  }
}

TEST_CASE("one field of variable size is enough, and offsets bound its data") {
  BlockLayout layout;
  CHECK(BlockLayout::create({}, {BlockLayout::kDataBytesMax}, 1, &layout) ==
        Status::kOk);
  CHECK(layout.column_offsets() == std::vector<uint64_t>{64, 128});
  const uint64_t too_many = BlockLayout::kDataBytesMax + 1;
  CHECK(BlockLayout::create({}, {too_many}, 1, &layout) == Status::kOutOfRange);
  CHECK(BlockLayout::create({8}, {0}, 1, &layout) == Status::kOutOfRange);
}

TEST_CASE("fields of both sorts count together, and so do their bytes") {
  BlockLayout layout;
  const std::vector<uint32_t> all_but_one(BlockLayout::kFieldCountMax - 1, 1);
  CHECK(BlockLayout::create(all_but_one, {1}, 1, &layout) == Status::kOk);
  CHECK(BlockLayout::create(all_but_one, {1, 1}, 1, &layout) ==
        Status::kOutOfRange);
  const uint64_t half = BlockLayout::kDataBytesMax;
  CHECK(BlockLayout::create({}, {half, half}, 1, &layout) ==
        Status::kOutOfRange);
}

// --- Error paths.

TEST_CASE("no field, no capacity and unknown element sizes are refused") {
  BlockLayout layout;
  CHECK(BlockLayout::create({}, {}, 8, &layout) == Status::kOutOfRange);
  CHECK(BlockLayout::create({8}, {}, 0, &layout) == Status::kOutOfRange);
  for (const uint32_t bytes : {0u, 3u, 5u, 6u, 7u, 9u, 16u, 0xFFFFFFFFu}) {
    CHECK(BlockLayout::create({bytes}, {}, 8, &layout) == Status::kOutOfRange);
    CHECK(BlockLayout::create({8, bytes}, {}, 8, &layout) ==
          Status::kOutOfRange);
  }
}

TEST_CASE("a sum of columns that would overflow is refused") {
  BlockLayout layout;
  const std::vector<uint32_t> widest(BlockLayout::kFieldCountMax, 8);
  CHECK(BlockLayout::create(widest, {}, 0xFFFFFFFFu, &layout) ==
        Status::kOutOfRange);
  CHECK(BlockLayout::create({8}, {}, 0x7FFFFFFFu, &layout) ==
        Status::kOutOfRange);
}

TEST_CASE("a refusal leaves the layout as it was") {
  BlockLayout layout;
  REQUIRE(BlockLayout::create({8, 2}, {}, 10, &layout) == Status::kOk);
  const auto offsets = layout.column_offsets();
  const uint64_t bytes = layout.block_bytes();
  REQUIRE(BlockLayout::create({8, 3}, {}, 10, &layout) == Status::kOutOfRange);
  CHECK(layout.column_offsets() == offsets);
  CHECK(layout.block_bytes() == bytes);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
