#include "core/memory/presence.h"

#include <doctest/doctest.h>

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "core/memory/block_pool.h"
#include "core/memory/window.h"
#include "core/platform/memory.h"
#include "support/log_fixture.h"
#include "support/resident.h"

namespace atomic_log::memory {
namespace {

using test::Appender;
using test::kCanAskResidency;
using test::make_log;
using test::resident_pages;

// Segments of whole pages.
constexpr uint32_t kCapacity = 4096;

TEST_SUITE_BEGIN("presence");

TEST_CASE("the last presence retires the log, no matter who else has it") {
  auto log = make_log(2 * kCapacity, kCapacity);
  auto presence = make_presence(log);
  REQUIRE(Appender(*log).append(5 * kCapacity) == Status::kOk);
  List<PinnedSegment> window;
  REQUIRE(pin_window(*log, 0, &window) == Status::kOk);
  REQUIRE(window.size() == 3);
  const auto* const kept = static_cast<char*>(window[0].segment->block());
  const auto* const idle = static_cast<char*>(window[1].segment->block());
  log->unpin(window[1].segment);
  log->unpin(window[2].segment);
  auto second = presence;
  presence.reset();
  const size_t header = BlockLayout::kHeaderBytes;
  CHECK(idle[header + 8] != 0);
  second.reset();

  // Memory of what no one pins is gone, the rest is as it was.
  CHECK(idle[header + 8] == 0);
  CHECK(kept[header + 8] != 0);
  if (kCanAskResidency) {
    CHECK(resident_pages(window[2].segment->block(),
                         log->layout().block_bytes()) == 0);
  }
  log->unpin_late(window[0].segment);
  CHECK(kept[header + 8] == 0);
}

TEST_CASE("without another owner the log dies with its presence") {
  auto log = make_log(8, 4);
  const std::weak_ptr<RollingLog> watched = log;
  auto presence = make_presence(std::move(log));
  CHECK_FALSE(watched.expired());
  presence.reset();
  CHECK(watched.expired());
}

TEST_CASE("pins that come back while the log retires are not missed" *
          doctest::test_suite("threads")) {
  for (int round = 0; round < 300; ++round) {
    auto log = make_log(2 * kCapacity, kCapacity);
    auto presence = make_presence(log);
    REQUIRE(Appender(*log).append(3 * kCapacity) == Status::kOk);
    List<PinnedSegment> window;
    REQUIRE(pin_window(*log, 0, &window) == Status::kOk);
    std::thread returning([&] {
      for (const PinnedSegment& pinned : window) {
        log->unpin_late(pinned.segment);
      }
    });
    presence.reset();
    returning.join();
    for (const PinnedSegment& pinned : window) {
      const auto* const block = static_cast<char*>(pinned.segment->block());
      REQUIRE(block[BlockLayout::kHeaderBytes + 8] == 0);
    }
  }
}

TEST_CASE("shared storage is touched only by a thread that may") {
  const uint64_t page = platform::page_bytes();
  const uint64_t bytes = 64 * page;
  auto* const base = static_cast<char*>(platform::map_pages(bytes));
  REQUIRE(base != nullptr);
  for (const bool may_touch : {false, true}) {
    CAPTURE(may_touch);
    RollingLog::Shape shape;
    const auto options = test::log_options(8, 4);
    REQUIRE(RollingLog::check(options, &shape) == Status::kOk);
    auto storage = std::make_unique<SharedStorage>(
        base, shape.layout.block_bytes(), bytes);
    storage->commit(bytes);
    std::shared_ptr<RollingLog> log;
    REQUIRE(RollingLog::create(options, std::move(storage), &log) ==
            Status::kOk);
    auto presence = make_presence(log);
    REQUIRE(Appender(*log).append(6) == Status::kOk);
    base[bytes - 1] = 7;
    {
      const TouchScope scope(may_touch ? base : nullptr);
      presence.reset();
    }
    // Blocks shorter than a page go with all others.
    CHECK((base[bytes - 1] == 0) == may_touch);
  }
  platform::unmap_pages(base, bytes);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
