#include "core/memory/rolling_log.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>
#include <vector>

#include "core/memory/block_pool.h"
#include "support/log_fixture.h"
#include "support/resident.h"

namespace atomic_log::memory {
namespace {

using test::Appender;
using test::FailingAllocations;
using test::holds_values;
using test::is_conserved;
using test::log_options;
using test::make_log;
using test::release_claim;
using test::try_claim;

uint32_t count_in(SegmentControl& segment) {
  return PublishedWord::count_of(segment.word().acquire());
}

bool is_sealed(SegmentControl& segment) {
  return PublishedWord::is_sealed(segment.word().acquire());
}

// The sequences that can be pinned now, of all up to one beyond the head.
std::vector<uint64_t> reachable(RollingLog& log) {
  std::vector<uint64_t> sequences;
  for (uint64_t s = 0; s <= log.head_sequence() + 1; ++s) {
    SegmentControl* const segment = log.try_pin(s);
    if (segment == nullptr) continue;
    sequences.push_back(segment->sequence());
    log.unpin(segment);
  }
  return sequences;
}

TEST_SUITE_BEGIN("rolling_log");

TEST_CASE("whole segments are retained, and the head besides") {
  struct Row {
    uint64_t retained_capacity;
    uint32_t segment_capacity;
    uint32_t retained_segments;
  };
  for (const Row& row : {Row{1, 1, 2}, Row{2, 1, 3}, Row{1, 100, 2},
                         Row{99, 100, 2}, Row{100, 100, 2}, Row{101, 100, 3},
                         Row{1000, 100, 11}, Row{1001, 100, 12}}) {
    const auto log = make_log(row.retained_capacity, row.segment_capacity);
    REQUIRE(log != nullptr);
    CHECK(log->retained_segments() == row.retained_segments);
    CHECK(log->retained_capacity() == row.retained_capacity);
    CHECK(log->segment_capacity() == row.segment_capacity);
  }
}

TEST_CASE("a new log is one empty, open segment at index 0") {
  const auto log = make_log(10, 5);
  REQUIRE(log != nullptr);
  CHECK(log->head_sequence() == 0);
  CHECK(log->published_count() == 0);
  CHECK(log->head_segment().sequence() == 0);
  CHECK(log->head_segment().first_index() == 0);
  CHECK(count_in(log->head_segment()) == 0);
  CHECK_FALSE(is_sealed(log->head_segment()));
  CHECK(reachable(*log) == std::vector<uint64_t>{0});
  CHECK(log->stats().retained == 1);
  CHECK(log->stats().rolls == 0);
  CHECK(log->stats().pool.segments == 1);
}

TEST_CASE("the first index may be any that leaves room for a segment") {
  RollingLogOptions options = log_options(10, 5);
  std::shared_ptr<RollingLog> log;
  for (const uint64_t index : {RollingLog::kIndexMax - 4, UINT64_MAX}) {
    options.first_index = index;
    CHECK(RollingLog::create(options, &log) == Status::kOutOfRange);
  }
  options.first_index = RollingLog::kIndexMax - 5;
  CHECK(RollingLog::create(options, &log) == Status::kOk);
  options.first_index = 1000;
  REQUIRE(RollingLog::create(options, &log) == Status::kOk);
  CHECK(log->head_segment().first_index() == 1000);
  CHECK(log->roll(5) == Status::kOk);
  CHECK(log->head_segment().first_index() == 1005);
}

TEST_CASE("the layout and the descriptor are kept") {
  RollingLogOptions options = log_options(10, 5);
  options.descriptor = std::string("a\0b", 3);
  std::shared_ptr<RollingLog> log;
  REQUIRE(RollingLog::create(options, &log) == Status::kOk);
  CHECK(log->descriptor() == options.descriptor);
  CHECK(log->layout().column_offsets() == std::vector<uint64_t>{64, 128});
  CHECK(log->layout().block_bytes() == 192);
}

TEST_CASE("publish shows entries, never fewer, never beyond the capacity") {
  const auto log = make_log(8, 4);
  log->publish(2);
  CHECK(count_in(log->head_segment()) == 2);
  log->publish(1);
  log->publish(0);
  CHECK(count_in(log->head_segment()) == 2);
  CHECK(log->published_count() == 2);
  log->publish(0xFFFFFFFFu);
  CHECK(count_in(log->head_segment()) == 4);
  CHECK(log->published_count() == 4);
  CHECK_FALSE(is_sealed(log->head_segment()));
}

TEST_CASE("a head filled exactly does not roll until the next append") {
  const auto log = make_log(8, 4);
  Appender appender(*log);
  REQUIRE(appender.append(4) == Status::kOk);
  CHECK(log->head_sequence() == 0);
  CHECK_FALSE(is_sealed(log->head_segment()));
  CHECK(log->stats().rolls == 0);
  REQUIRE(appender.append(1) == Status::kOk);
  CHECK(log->head_sequence() == 1);
  CHECK(count_in(log->head_segment()) == 1);
  CHECK(log->stats().rolls == 1);
}

TEST_CASE("roll seals the old head and begins the next where it ends") {
  const auto log = make_log(8, 4);
  Appender appender(*log);
  REQUIRE(appender.append(4) == Status::kOk);
  SegmentControl* const old = log->try_pin(0);
  REQUIRE(log->roll(4) == Status::kOk);
  CHECK(is_sealed(*old));
  CHECK(count_in(*old) == 4);
  CHECK(log->published_count() == 0);
  CHECK(log->head_segment().sequence() == 1);
  CHECK(log->head_segment().first_index() == 4);
  CHECK(count_in(log->head_segment()) == 0);
  log->unpin(old);
}

TEST_CASE("a segment sealed early leaves no hole in the indexes") {
  const auto log = make_log(12, 4);
  Appender appender(*log);
  REQUIRE(appender.append(3) == Status::kOk);
  REQUIRE(log->roll(3) == Status::kOk);
  REQUIRE(log->roll(1) == Status::kOk);
  CHECK(log->head_segment().first_index() == 4);
  SegmentControl* const middle = log->try_pin(1);
  REQUIRE(middle != nullptr);
  CHECK(middle->first_index() == 3);
  CHECK(count_in(*middle) == 1);
  log->unpin(middle);

  CHECK(log->stats().early_seals == 2);
  REQUIRE(log->roll(4) == Status::kOk);
  CHECK(log->stats().early_seals == 2);
  CHECK(log->stats().rolls == 3);
}

// H1: with capacity 3 and {0, 1} published, 2 is staged when the head rolls.
TEST_CASE("roll publishes what is staged") {
  const auto log = make_log(3, 3);
  Appender appender(*log);
  REQUIRE(appender.append(2) == Status::kOk);
  REQUIRE(appender.write() == Status::kOk);
  SegmentControl* const old = log->try_pin(0);
  CHECK(count_in(*old) == 2);
  REQUIRE(appender.roll() == Status::kOk);
  CHECK(count_in(*old) == 3);
  CHECK(is_sealed(*old));
  CHECK(holds_values(*log, *old, 0, 3));
  CHECK(log->head_segment().first_index() == 3);
  log->unpin(old);
}

TEST_CASE("the window is the last retained_segments, nothing else") {
  const auto log = make_log(6, 2);
  Appender appender(*log);
  REQUIRE(appender.append(1) == Status::kOk);
  CHECK(reachable(*log) == std::vector<uint64_t>{0});
  REQUIRE(appender.append(6) == Status::kOk);
  CHECK(reachable(*log) == std::vector<uint64_t>{0, 1, 2, 3});
  CHECK(log->stats().retained == 4);
  REQUIRE(appender.append(20) == Status::kOk);
  CHECK(reachable(*log) == std::vector<uint64_t>{10, 11, 12, 13});
  CHECK(log->stats().retained == 4);
  CHECK(log->try_pin(1000000) == nullptr);
  CHECK(log->try_pin(UINT64_MAX) == nullptr);
  CHECK(is_conserved(*log));
}

TEST_CASE("a pin survives eviction; its segment is recycled only after it") {
  const auto log = make_log(4, 2);
  Appender appender(*log);
  REQUIRE(appender.append(2) == Status::kOk);
  SegmentControl* const held = log->try_pin(0);
  const uint32_t id = held->id();
  REQUIRE(appender.append(100) == Status::kOk);
  CHECK(log->try_pin(0) == nullptr);
  CHECK(held->sequence() == 0);
  CHECK(held->first_index() == 0);
  CHECK(count_in(*held) == 2);
  CHECK(holds_values(*log, *held, 0, 2));
  CHECK_FALSE(is_conserved(*log));

  log->unpin(held);
  CHECK(is_conserved(*log));
  const uint64_t segments = log->stats().pool.segments;
  // The one in circulation is kept away, so that the writer needs another.
  SegmentControl* const circulating = log->try_pin(log->head_sequence());
  std::set<uint32_t> ids;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(appender.append(2) == Status::kOk);
    ids.insert(log->head_segment().id());
  }
  CHECK(ids.count(id) == 1);
  CHECK(log->stats().pool.segments == segments);
  log->unpin(circulating);
  CHECK(is_conserved(*log));
}

TEST_CASE("every pin counts") {
  const auto log = make_log(2, 2);
  Appender appender(*log);
  REQUIRE(appender.append(1) == Status::kOk);
  SegmentControl* const first = log->try_pin(0);
  SegmentControl* const second = log->try_pin(0);
  CHECK(first == second);
  REQUIRE(appender.append(9) == Status::kOk);
  log->unpin(first);
  CHECK_FALSE(is_conserved(*log));
  CHECK(second->sequence() == 0);
  log->unpin(second);
  CHECK(is_conserved(*log));
}

TEST_CASE("segments are numbered densely, and recycled rather than made") {
  const auto log = make_log(6, 2);
  Appender appender(*log);
  std::set<uint32_t> ids;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(appender.append(1) == Status::kOk);
    ids.insert(log->head_segment().id());
  }
  // The window, and the successor that is prepared before one is evicted.
  const uint64_t most = log->retained_segments() + 1;
  CHECK(log->stats().pool.segments == most);
  CHECK(log->stats().pool.fresh == most);
  CHECK(log->stats().pool.recycled == 1 + log->stats().rolls - most);
  CHECK(log->stats().pool.decommitted == 0);
  CHECK(ids.size() == most);
  CHECK(*ids.rbegin() == most - 1);
  CHECK(is_conserved(*log));
}

TEST_CASE("a slow reader's peak is returned to the system") {
  const auto log = make_log(2 * 4096, 4096);
  Appender appender(*log);
  std::vector<SegmentControl*> held;
  for (uint64_t s = 0; s < 20; ++s) {
    REQUIRE(appender.append(4096) == Status::kOk);
    held.push_back(log->try_pin(s));
    REQUIRE(held.back() != nullptr);
  }
  std::vector<void*> blocks;
  for (SegmentControl* segment : held) blocks.push_back(segment->block());
  for (SegmentControl* segment : held) log->unpin(segment);
  REQUIRE(appender.append(4096) == Status::kOk);

  const RollingLog::Stats stats = log->stats();
  CHECK(stats.pool.segments == 20);
  CHECK(stats.pool.idle == 17);
  CHECK(stats.pool.decommitted == 17 - log->retained_segments());
  CHECK(is_conserved(*log));
  if (!test::kCanAskResidency) return;
  size_t resident = 0;
  for (void* const block : blocks) {
    resident += test::resident_pages(block, log->layout().block_bytes()) > 0;
  }
  CHECK(resident == 20 - stats.pool.decommitted);
}

TEST_CASE("the next log takes the blocks of a dead one") {
  const auto use_log = [] {
    const auto log = make_log(3 * 1000, 1000);
    REQUIRE(log != nullptr);
    Appender appender(*log);
    REQUIRE(appender.append(10000) == Status::kOk);
  };
  use_log();
  const BlockPool::Usage before = BlockPool::instance().usage();
  use_log();
  const BlockPool::Usage after = BlockPool::instance().usage();
  CHECK(after.mapped_bytes == before.mapped_bytes);
  CHECK(after.idle_bytes == before.idle_bytes);
}

TEST_CASE("a new writer goes on where the last one published") {
  const auto log = make_log(6, 3);
  REQUIRE(try_claim(*log));
  {
    Appender first(*log);
    REQUIRE(first.append(4) == Status::kOk);
    // Staged, and dropped with its writer.
    REQUIRE(first.write() == Status::kOk);
  }
  release_claim(*log);
  REQUIRE(try_claim(*log));
  Appender second(*log);
  CHECK(second.next_index() == 4);
  REQUIRE(second.append(5) == Status::kOk);
  SegmentControl* const segment = log->try_pin(1);
  REQUIRE(segment != nullptr);
  CHECK(segment->first_index() == 3);
  CHECK(holds_values(*log, *segment, 0, 3));
  log->unpin(segment);
}

TEST_CASE("a log that ends with its writer has no other one") {
  RollingLogOptions options = log_options(6, 3);
  options.ends_with_writer = true;
  std::shared_ptr<RollingLog> log;
  REQUIRE(RollingLog::create(options, &log) == Status::kOk);
  REQUIRE(try_claim(*log));
  CHECK_FALSE(try_claim(*log));
  Appender writer(*log);
  REQUIRE(writer.append(4) == Status::kOk);
  CHECK_FALSE(log->has_ended());
  release_claim(*log);
  CHECK(log->has_ended());
  CHECK_FALSE(log->is_claimed());
  CHECK_FALSE(try_claim(*log));
}

TEST_CASE("writers on different threads take turns by the claim alone" *
          doctest::test_suite("threads")) {
  constexpr uint64_t kPerWriter = 600;
  const auto log = make_log(6, 3);
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&] {
      for (uint64_t done = 0; done < kPerWriter;) {
        if (!try_claim(*log)) {
          std::this_thread::yield();
          continue;
        }
        done += Appender(*log).append(4) == Status::kOk ? 4 : kPerWriter;
        release_claim(*log);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  REQUIRE(try_claim(*log));
  CHECK(Appender(*log).next_index() == 3 * kPerWriter);
  CHECK(is_conserved(*log));
  CHECK(log->stats().pool.segments == log->retained_segments() + 1);
}

// What a reader pins while the writer laps it: right, or gone for good.
TEST_CASE("gone is only reported of what was evicted" *
          doctest::test_suite("threads")) {
  const auto log = make_log(2, 1);
  std::atomic<bool> done{false};
  uint64_t wrong = 0;
  std::thread reader([&] {
    while (!done.load(std::memory_order_relaxed)) {
      const uint64_t sequence = log->head_sequence();
      SegmentControl* const segment = log->try_pin(sequence);
      if (segment == nullptr) {
        wrong += log->head_sequence() + 1 < sequence + log->retained_segments();
        continue;
      }
      wrong += segment->sequence() != sequence;
      wrong += segment->first_index() != sequence;
      wrong += !holds_values(*log, *segment, 0, count_in(*segment));
      log->unpin(segment);
    }
  });
  CHECK(Appender(*log).append(20000) == Status::kOk);
  done.store(true, std::memory_order_relaxed);
  reader.join();
  CHECK(wrong == 0);
  CHECK(is_conserved(*log));
}

// --- Error paths.

TEST_CASE("options outside the limits are refused, and give no log") {
  std::vector<RollingLogOptions> refused = {
      log_options(0, 1),
      log_options(1, 0),
      log_options(1, PublishedWord::kCountMax + 1),
      log_options(1, 0xFFFFFFFFu),
      log_options(RollingLog::kIndexMax + 1, PublishedWord::kCountMax),
      log_options(UINT64_MAX, 1),
      log_options(RollingLog::kRetainedSegmentsMax, 1),
      log_options(1, PublishedWord::kCountMax),  // a block of over 4 GiB
      log_options(10, 10),
      log_options(10, 10),
  };
  refused[8].element_bytes = {};
  refused[9].element_bytes = {8, 3};
  for (const RollingLogOptions& options : refused) {
    std::shared_ptr<RollingLog> log;
    CHECK(RollingLog::create(options, &log) == Status::kOutOfRange);
    CHECK(log == nullptr);
  }
}

TEST_CASE("options at the limits are accepted") {
  const auto longest = make_log(RollingLog::kRetainedSegmentsMax - 1, 1);
  REQUIRE(longest != nullptr);
  CHECK(longest->retained_segments() == RollingLog::kRetainedSegmentsMax);

  RollingLogOptions options = log_options(1, PublishedWord::kCountMax);
  options.element_bytes = {1};
  std::shared_ptr<RollingLog> largest;
  REQUIRE(RollingLog::create(options, &largest) == Status::kOk);
  largest->publish(PublishedWord::kCountMax);
  CHECK(count_in(largest->head_segment()) == PublishedWord::kCountMax);
}

TEST_CASE("a log that finds no memory is not made; the next one is") {
  const FailingAllocations failing(0);
  const auto kept = make_log(4, 2);
  CHECK(kept == nullptr);
  std::shared_ptr<RollingLog> log = make_log(6, 2);
  REQUIRE(log != nullptr);

  RollingLog* const before = log.get();
  const FailingAllocations failing_again(0);
  CHECK(RollingLog::create(log_options(4, 2), &log) == Status::kOutOfMemory);
  CHECK(log.get() == before);
}

TEST_CASE("a roll that finds no memory changes nothing, and works later") {
  const auto log = make_log(4, 3);
  Appender appender(*log);
  REQUIRE(appender.append(2) == Status::kOk);
  REQUIRE(appender.write() == Status::kOk);
  SegmentControl* const head = &log->head_segment();
  const FailingAllocations failing(0);
  CHECK(appender.roll() == Status::kOutOfMemory);
  CHECK(&log->head_segment() == head);
  CHECK(log->head_sequence() == 0);
  CHECK(log->published_count() == 2);
  CHECK(count_in(*head) == 2);
  CHECK_FALSE(is_sealed(*head));
  CHECK(log->stats().rolls == 0);
  CHECK(log->stats().retained == 1);
  CHECK(log->stats().pool.segments == 1);
  CHECK(reachable(*log) == std::vector<uint64_t>{0});

  REQUIRE(appender.append(10) == Status::kOk);
  CHECK(appender.next_index() == 13);
  CHECK(is_conserved(*log));
}

TEST_CASE("a failed roll with a full window evicts nothing") {
  const auto log = make_log(4, 2);
  Appender appender(*log);
  REQUIRE(appender.append(6) == Status::kOk);
  std::vector<SegmentControl*> held;
  for (uint64_t s = 0; s <= 2; ++s) held.push_back(log->try_pin(s));
  {
    const FailingAllocations failing(0);
    CHECK(appender.append(1) == Status::kOutOfMemory);
    CHECK(reachable(*log) == std::vector<uint64_t>{0, 1, 2});
  }
  REQUIRE(appender.append(1) == Status::kOk);
  CHECK(reachable(*log) == std::vector<uint64_t>{1, 2, 3});
  for (SegmentControl* segment : held) log->unpin(segment);
  CHECK(is_conserved(*log));
}

// Sealing does not look at entries, so four million rolls reach the limit
// without touching the memory they stand for.
TEST_CASE("indexes end at 2^53; the last roll is refused and changes nothing") {
  if (sizeof(void*) < 8) return;
  constexpr uint32_t kCapacity = PublishedWord::kCountMax;
  RollingLogOptions options = log_options(1, kCapacity);
  options.element_bytes = {1};
  std::shared_ptr<RollingLog> log;
  REQUIRE(RollingLog::create(options, &log) == Status::kOk);
  Status status = Status::kOk;
  while (status == Status::kOk) status = log->roll(kCapacity);
  REQUIRE(status == Status::kOutOfRange);

  const uint64_t first_index = log->head_segment().first_index();
  CHECK(first_index + kCapacity <= RollingLog::kIndexMax);
  CHECK(first_index + 2 * uint64_t{kCapacity} > RollingLog::kIndexMax);
  CHECK(log->published_count() == 0);
  CHECK_FALSE(is_sealed(log->head_segment()));

  // What is left of the head can still be published, but not a full segment
  // of it sealed.
  log->publish(1);
  CHECK(log->roll(kCapacity) == Status::kOutOfRange);
  CHECK(log->published_count() == 1);
  CHECK(count_in(log->head_segment()) == 1);
  CHECK(is_conserved(*log));
}

TEST_CASE(
    "readers that keep more than the limit stop the roll, and nothing else") {
  for (const uint64_t allowed : {0, 1, 3}) {
    auto options = log_options(8, 4);
    const uint64_t block_bytes = make_log(8, 4)->layout().block_bytes();
    // Whatever is less than a whole segment does not count.
    options.pinned_bytes_max = allowed * block_bytes + block_bytes - 1;
    std::shared_ptr<RollingLog> log;
    REQUIRE(RollingLog::create(options, &log) == Status::kOk);
    REQUIRE(try_claim(*log));
    Appender appender(*log);
    // So that every append of four rolls once.
    REQUIRE(appender.append(1) == Status::kOk);
    std::vector<SegmentControl*> held;
    Status status = Status::kOk;
    while (status == Status::kOk) {
      held.push_back(log->try_pin(log->head_sequence()));
      status = appender.append(4);
    }
    CHECK(status == Status::kPinned);
    const auto stats = log->stats();
    CHECK(stats.pool.segments == log->retained_segments() + 1 + allowed);
    CHECK(stats.pool.idle == 0);
    CHECK(log->roll(4) == Status::kPinned);
    CHECK(log->stats().rolls == stats.rolls);
    // One that comes back is enough for one roll.
    log->unpin(held.front());
    held.erase(held.begin());
    CHECK(appender.append(1) == Status::kOk);
    for (SegmentControl* const segment : held) log->unpin(segment);
    CHECK(appender.append(100) == Status::kOk);
    CHECK(log->stats().pool.segments == stats.pool.segments);
    CHECK(is_conserved(*log));
  }
}

TEST_CASE("labels come one per column, or not at all") {
  auto options = log_options(8, 4);
  std::shared_ptr<RollingLog> log;
  options.labels = {{1, "one"}};
  CHECK(RollingLog::create(options, &log) == Status::kOutOfRange);
  options.labels.push_back({2, "two"});
  REQUIRE(RollingLog::create(options, &log) == Status::kOk);
  CHECK(log->labels()[1].name == "two");
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
