#include "core/memory/segment_pool.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "core/memory/block_pool.h"
#include "core/platform/memory.h"
#include "support/log_fixture.h"
#include "support/resident.h"

namespace atomic_log::memory {
namespace {

using test::FailingAllocations;
using test::kCanAskResidency;
using test::resident_pages;

constexpr uint64_t kSmallBlockBytes = 256;

uint64_t large_block_bytes() { return 8 * platform::page_bytes(); }

std::unique_ptr<Storage> pooled(uint64_t block_bytes) {
  return std::make_unique<PooledStorage>(block_bytes);
}

std::vector<SegmentControl*> take_many(SegmentPool& pool, uint32_t count) {
  std::vector<SegmentControl*> segments;
  for (uint32_t i = 0; i < count; ++i) segments.push_back(pool.take());
  return segments;
}

void touch(const std::vector<SegmentControl*>& segments, uint64_t bytes) {
  for (SegmentControl* segment : segments) {
    std::memset(segment->block(), 0, bytes);
  }
}

size_t resident(const std::vector<SegmentControl*>& segments, uint64_t bytes) {
  size_t count = 0;
  for (SegmentControl* segment : segments) {
    count += resident_pages(segment->block(), bytes) > 0;
  }
  return count;
}

TEST_SUITE_BEGIN("segment_pool");

TEST_CASE("segments are numbered densely as they are made") {
  SegmentPool pool(pooled(kSmallBlockBytes), 2);
  const auto segments = take_many(pool, 5);
  for (uint32_t id = 0; id < 5; ++id) {
    REQUIRE(segments[id] != nullptr);
    CHECK(segments[id]->id() == id);
    CHECK(segments[id]->is_free());
  }
  CHECK(pool.stats().segments == 5);
  CHECK(pool.stats().fresh == 5);
  CHECK(pool.stats().recycled == 0);
  CHECK(pool.stats().idle == 0);
}

TEST_CASE("a returned segment is taken again before one is made") {
  SegmentPool pool(pooled(kSmallBlockBytes), 2);
  SegmentControl* const first = pool.take();
  SegmentControl* const second = pool.take();
  pool.give_back_owned(first);
  CHECK(pool.stats().idle == 1);
  CHECK(pool.take() == first);
  pool.give_back_shared(second);
  CHECK(pool.stats().idle == 1);
  CHECK(pool.take() == second);
  CHECK(pool.stats().segments == 2);
  CHECK(pool.stats().fresh == 2);
  CHECK(pool.stats().recycled == 2);
  CHECK(pool.stats().idle == 0);
}

TEST_CASE("what is returned beyond the window's need is decommitted") {
  const uint64_t bytes = large_block_bytes();
  SegmentPool pool(pooled(bytes), 3);
  const auto segments = take_many(pool, 10);
  touch(segments, bytes);
  for (SegmentControl* segment : segments) pool.give_back_shared(segment);

  SegmentControl* const taken = pool.take();
  CHECK(pool.stats().idle == 9);
  CHECK(pool.stats().decommitted == 7);
  if (kCanAskResidency) CHECK(resident(segments, bytes) == 3);

  pool.give_back_owned(taken);
  CHECK(pool.stats().idle == 10);
  CHECK(pool.stats().decommitted == 7);
}

TEST_CASE("a warm segment is preferred to a decommitted one, both to a new") {
  const uint64_t bytes = large_block_bytes();
  SegmentPool pool(pooled(bytes), 2);
  const auto segments = take_many(pool, 5);
  touch(segments, bytes);
  for (SegmentControl* segment : segments) pool.give_back_shared(segment);

  for (uint32_t taken = 1; taken <= 5; ++taken) {
    SegmentControl* const segment = pool.take();
    REQUIRE(segment != nullptr);
    if (kCanAskResidency) {
      CHECK((resident_pages(segment->block(), bytes) > 0) == (taken <= 2));
    }
    CHECK(pool.stats().decommitted == (taken <= 2 ? 3 : 5 - taken));
  }
  CHECK(pool.stats().segments == 5);
  CHECK(pool.stats().decommitted == 0);
  CHECK(pool.take()->id() == 5);
}

// The writer keeps one segment in circulation and so never runs out of warm
// ones. What readers return meanwhile must be noticed all the same.
TEST_CASE("a peak returned while the writer rolls on is decommitted too") {
  const uint64_t bytes = large_block_bytes();
  constexpr uint64_t kWarmMax = 3;
  SegmentPool pool(pooled(bytes), kWarmMax);
  const auto segments = take_many(pool, 40);
  touch(segments, bytes);

  pool.give_back_shared(segments[0]);
  pool.give_back_owned(pool.take());
  for (uint32_t i = 1; i < 40; ++i) pool.give_back_shared(segments[i]);
  for (int roll = 0; roll < 1000; ++roll) pool.give_back_owned(pool.take());

  // The one in circulation may stay warm besides what the window needs.
  CHECK(pool.stats().idle == 40);
  CHECK(pool.stats().decommitted >= 40 - kWarmMax - 1);
  if (kCanAskResidency) CHECK(resident(segments, bytes) <= kWarmMax + 1);
}

TEST_CASE("a pool that dies gives its blocks to the process's pool") {
  const uint64_t bytes = large_block_bytes();
  const BlockPool::Usage before = BlockPool::instance().usage();
  std::vector<void*> blocks;
  {
    SegmentPool pool(pooled(bytes), 2);
    for (SegmentControl* segment : take_many(pool, 4)) {
      blocks.push_back(segment->block());
      std::memset(segment->block(), 1, bytes);
    }
  }
  const BlockPool::Usage after = BlockPool::instance().usage();
  const uint64_t mapped = after.mapped_bytes - before.mapped_bytes;
  CHECK(after.idle_bytes == before.idle_bytes + mapped);
  for (void* const block : blocks) {
    if (kCanAskResidency) CHECK(resident_pages(block, bytes) == 0);
  }
  SegmentPool next(pooled(bytes), 2);
  take_many(next, 4);
  CHECK(BlockPool::instance().usage().mapped_bytes == after.mapped_bytes);
}

TEST_CASE("readers return while the writer takes" *
          doctest::test_suite("threads")) {
  constexpr uint32_t kReaders = 3;
  constexpr int kRounds = 300;
  SegmentPool pool(pooled(kSmallBlockBytes), 2);
  for (int round = 0; round < kRounds; ++round) {
    const auto segments = take_many(pool, 2 * kReaders);
    for (SegmentControl* segment : segments) {
      std::memset(static_cast<char*>(segment->block()) + kCacheLineBytes, 1,
                  kSmallBlockBytes - kCacheLineBytes);
    }
    std::vector<std::thread> readers;
    if (round % 30 != 0) {
      for (SegmentControl* segment : segments) pool.give_back_owned(segment);
      continue;
    }
    for (uint32_t reader = 0; reader < kReaders; ++reader) {
      readers.emplace_back([&, reader] {
        pool.give_back_shared(segments[2 * reader]);
        pool.give_back_shared(segments[2 * reader + 1]);
      });
    }
    for (int i = 0; i < 20; ++i) pool.give_back_owned(pool.take());
    for (std::thread& reader : readers) reader.join();
  }
  const SegmentPool::Stats stats = pool.stats();
  CHECK(stats.idle == stats.segments);
  for (uint64_t i = 0; i < stats.segments; ++i) pool.take();
  CHECK(pool.stats().segments == stats.segments);
  CHECK(pool.stats().idle == 0);
}

// --- Error paths.

TEST_CASE("a refused segment is null, changes nothing, and is made later") {
  SegmentPool pool(pooled(kSmallBlockBytes), 2);
  REQUIRE(pool.take() != nullptr);
  const SegmentPool::Stats before = pool.stats();
  {
    const FailingAllocations failing(0);
    CHECK(pool.take() == nullptr);
    CHECK(pool.stats().segments == before.segments);
    CHECK(pool.stats().fresh == before.fresh);
    CHECK(pool.stats().recycled == before.recycled);
    CHECK(pool.stats().idle == before.idle);
  }
  SegmentControl* const segment = pool.take();
  REQUIRE(segment != nullptr);
  CHECK(segment->id() == 1);
}

TEST_CASE("recycling needs no memory from the system") {
  SegmentPool pool(pooled(kSmallBlockBytes), 2);
  SegmentControl* const segment = pool.take();
  pool.give_back_shared(segment);
  const FailingAllocations failing(0);
  CHECK(pool.take() == segment);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
