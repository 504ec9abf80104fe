#include "core/memory/segment.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace atomic_log::memory {
namespace {

struct alignas(kCacheLineBytes) Storage {
  unsigned char bytes[2 * kCacheLineBytes];
};

TEST_SUITE_BEGIN("segment");

TEST_CASE("a new segment is free, and its word stands at the block's start") {
  Storage storage;
  SegmentControl segment(5, &storage);
  CHECK(segment.id() == 5);
  CHECK(segment.block() == &storage);
  CHECK(static_cast<void*>(&segment.word()) == segment.block());
  CHECK(segment.word().acquire() == 0);
  CHECK(segment.is_free());
}

TEST_CASE("control blocks do not share a cache line") {
  CHECK(sizeof(SegmentControl) == kCacheLineBytes);
  CHECK(alignof(SegmentControl) == kCacheLineBytes);
}

TEST_CASE("exposing gives the log's one reference and empties the word") {
  Storage storage;
  SegmentControl segment(0, &storage);
  segment.word().seal(9);
  segment.expose(17, 1000);
  CHECK(segment.sequence() == 17);
  CHECK(segment.first_index() == 1000);
  CHECK(segment.word().acquire() == 0);
  CHECK_FALSE(segment.is_free());
  CHECK(segment.release());
  CHECK(segment.is_free());
}

TEST_CASE("only the last release is told so") {
  Storage storage;
  SegmentControl segment(0, &storage);
  segment.expose(1, 0);
  REQUIRE(segment.try_retain());
  segment.retain();
  CHECK_FALSE(segment.release());
  CHECK_FALSE(segment.release());
  CHECK_FALSE(segment.is_free());
  CHECK(segment.release());
}

TEST_CASE("a segment can be exposed again as another one") {
  Storage storage;
  SegmentControl segment(3, &storage);
  segment.expose(1, 0);
  REQUIRE(segment.release());
  segment.expose(8, 70);
  CHECK(segment.id() == 3);
  CHECK(segment.sequence() == 8);
  CHECK(segment.first_index() == 70);
  CHECK(segment.try_retain());
}

// Retains while it can, and counts how often its release was the last one. The
// bound is for a segment that wrongly never goes.
uint32_t retain_until_gone(SegmentControl& segment) {
  uint32_t last_releases = 0;
  for (int i = 0; i < 1000000 && segment.try_retain(); ++i) {
    segment.retain();
    last_releases += segment.release();
    last_releases += segment.release();
  }
  return last_releases;
}

TEST_CASE("exactly one of many threads drops the last reference" *
          doctest::test_suite("threads")) {
  for (int round = 0; round < 50; ++round) {
    Storage storage;
    SegmentControl segment(0, &storage);
    segment.expose(1, 0);
    std::atomic<uint32_t> last_releases{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back(
          [&] { last_releases += retain_until_gone(segment); });
    }
    last_releases += segment.release();
    for (std::thread& thread : threads) thread.join();
    CHECK(last_releases == 1);
    CHECK(segment.is_free());
  }
}

TEST_CASE("fields are stable under a reference" *
          doctest::test_suite("threads")) {
  Storage storage;
  SegmentControl segment(0, &storage);
  std::atomic<bool> done{false};
  uint64_t wrong = 0;
  std::thread reader([&] {
    while (!done.load(std::memory_order_relaxed)) {
      if (!segment.try_retain()) continue;
      const uint64_t sequence = segment.sequence();
      wrong += segment.first_index() != sequence * 10;
      wrong += segment.sequence() != sequence;
      segment.release();
    }
  });
  for (uint64_t sequence = 1; sequence < 3000; ++sequence) {
    segment.expose(sequence, sequence * 10);
    segment.release();
    while (!segment.is_free()) std::this_thread::yield();
    // is_free() is relaxed and orders nothing; a failed try_retain() acquires.
    CHECK_FALSE(segment.try_retain());
  }
  done.store(true, std::memory_order_relaxed);
  reader.join();
  CHECK(wrong == 0);
}

// --- Error paths.

TEST_CASE("a free segment cannot be retained") {
  Storage storage;
  SegmentControl segment(0, &storage);
  CHECK_FALSE(segment.try_retain());
  segment.expose(1, 0);
  REQUIRE(segment.release());
  CHECK_FALSE(segment.try_retain());
  CHECK(segment.is_free());
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
