#include "core/memory/window.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "support/faults.h"
#include "support/log_fixture.h"

namespace atomic_log::memory {
namespace {

using test::Appender;
using test::holds_values;
using test::is_conserved;
using test::make_log;
using test::unpin_all;

std::vector<uint64_t> sequences(const List<PinnedSegment>& pinned) {
  std::vector<uint64_t> result;
  for (const PinnedSegment& entry : pinned) {
    result.push_back(entry.segment->sequence());
  }
  return result;
}

uint64_t entries(const List<PinnedSegment>& pinned) {
  uint64_t result = 0;
  for (const PinnedSegment& entry : pinned) result += entry.count;
  return result;
}

uint64_t end_index(const List<PinnedSegment>& pinned) {
  return pinned.back().segment->first_index() + pinned.back().count;
}

// Consecutive segments, no hole between their entries, right values.
bool is_whole(const RollingLog& log, const List<PinnedSegment>& pinned) {
  for (size_t i = 0; i < pinned.size(); ++i) {
    const PinnedSegment& entry = pinned[i];
    if (!holds_values(log, *entry.segment, 0, entry.count)) return false;
    if (i == 0) continue;
    const PinnedSegment& before = pinned[i - 1];
    if (entry.segment->sequence() != before.segment->sequence() + 1 ||
        entry.segment->first_index() !=
            before.segment->first_index() + before.count) {
      return false;
    }
  }
  return true;
}

// A stray store from JavaScript through the mapped header.
void damage_word(SegmentControl& segment, uint32_t word) {
  std::memcpy(segment.block(), &word, sizeof word);
}

TEST_SUITE_BEGIN("window");

TEST_CASE("the window of an empty log is its empty head") {
  const auto log = make_log(4, 2);
  List<PinnedSegment> pinned;
  REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
  REQUIRE(pinned.size() == 1);
  CHECK(pinned[0].segment == &log->head_segment());
  CHECK(pinned[0].count == 0);
  unpin_all(*log, &pinned);
  CHECK(is_conserved(*log));
}

TEST_CASE("the window is ascending, whole, and never below the capacity") {
  for (const uint32_t segment_capacity : {1u, 3u, 8u}) {
    for (const uint64_t retained_capacity : {1u, 5u, 24u}) {
      const auto log = make_log(retained_capacity, segment_capacity);
      Appender appender(*log);
      List<PinnedSegment> pinned;
      for (uint64_t length = 1; length < 80; ++length) {
        REQUIRE(appender.append(1) == Status::kOk);
        REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
        CHECK(is_whole(*log, pinned));
        CHECK(end_index(pinned) == length);
        CHECK(entries(pinned) >= std::min(length, retained_capacity));
        CHECK(pinned.size() <= log->retained_segments());
        unpin_all(*log, &pinned);
      }
      CHECK(is_conserved(*log));
    }
  }
}

TEST_CASE("a head that was just begun does not shorten the window") {
  const auto log = make_log(6, 3);
  Appender appender(*log);
  REQUIRE(appender.append(30) == Status::kOk);
  REQUIRE(appender.roll() == Status::kOk);
  List<PinnedSegment> pinned;
  REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
  CHECK(pinned.back().count == 0);
  CHECK(entries(pinned) == 6);
  unpin_all(*log, &pinned);
}

TEST_CASE("a floor leaves out what is below it") {
  const auto log = make_log(8, 2);
  Appender appender(*log);
  REQUIRE(appender.append(21) == Status::kOk);  // segments 6 to 10
  REQUIRE(log->head_sequence() == 10);
  struct Row {
    uint64_t floor;
    std::vector<uint64_t> expected;
  };
  for (const Row& row : {Row{0, {6, 7, 8, 9, 10}}, Row{3, {6, 7, 8, 9, 10}},
                         Row{6, {6, 7, 8, 9, 10}}, Row{7, {7, 8, 9, 10}},
                         Row{10, {10}}, Row{11, {}}, Row{UINT64_MAX, {}}}) {
    List<PinnedSegment> pinned;
    REQUIRE(pin_window(*log, row.floor, &pinned) == Status::kOk);
    CHECK(sequences(pinned) == row.expected);
    unpin_all(*log, &pinned);
  }
  CHECK(is_conserved(*log));
}

TEST_CASE("what is pinned is appended to what the caller has") {
  const auto log = make_log(6, 2);
  Appender appender(*log);
  REQUIRE(appender.append(3) == Status::kOk);
  List<PinnedSegment> pinned;
  REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
  REQUIRE(appender.append(4) == Status::kOk);
  pinned.back().count = 2;  // sealed meanwhile
  REQUIRE(pin_window(*log, 2, &pinned) == Status::kOk);
  CHECK(sequences(pinned) == std::vector<uint64_t>{0, 1, 2, 3});
  CHECK(is_whole(*log, pinned));
  REQUIRE(pin_window(*log, 4, &pinned) == Status::kOk);
  CHECK(pinned.size() == 4);
  unpin_all(*log, &pinned);
  CHECK(is_conserved(*log));
}

TEST_CASE("a window survives being lapped") {
  const auto log = make_log(4, 2);
  Appender appender(*log);
  REQUIRE(appender.append(5) == Status::kOk);
  List<PinnedSegment> pinned;
  REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
  REQUIRE(appender.append(200) == Status::kOk);
  CHECK(is_whole(*log, pinned));
  CHECK(end_index(pinned) == 5);
  unpin_all(*log, &pinned);
  CHECK(is_conserved(*log));
}

TEST_CASE("staged entries are in no window before they are published") {
  const auto log = make_log(4, 4);
  Appender appender(*log);
  REQUIRE(appender.append(2) == Status::kOk);
  REQUIRE(appender.write() == Status::kOk);
  List<PinnedSegment> pinned;
  REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
  CHECK(entries(pinned) == 2);
  unpin_all(*log, &pinned);
  appender.publish();
  REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
  CHECK(entries(pinned) == 3);
  unpin_all(*log, &pinned);
}

TEST_CASE("the bounds are those of a window") {
  const auto log = make_log(4, 2);
  Appender appender(*log);
  WindowBounds bounds = window_bounds(*log);
  CHECK(bounds.first_index == 0);
  CHECK(bounds.end_index == 0);
  for (uint64_t length = 1; length < 30; ++length) {
    REQUIRE(appender.append(1) == Status::kOk);
    List<PinnedSegment> pinned;
    REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
    bounds = window_bounds(*log);
    CHECK(bounds.first_index == pinned.front().segment->first_index());
    CHECK(bounds.end_index == length);
    unpin_all(*log, &pinned);
  }
  CHECK(is_conserved(*log));
}

// One reader's view while the writer laps it all the time. What is asked of it
// holds for every walk, whether it was shortened or not.
bool read_windows(RollingLog& log, const std::atomic<bool>& done) {
  uint64_t last_end = 0;
  while (!done.load(std::memory_order_relaxed)) {
    List<PinnedSegment> pinned;
    if (pin_window(log, 0, &pinned) != Status::kOk) return false;
    const bool whole = is_whole(log, pinned);
    const uint64_t end = end_index(pinned);
    unpin_all(log, &pinned);
    const WindowBounds bounds = window_bounds(log);
    if (!whole || end < last_end || bounds.end_index < end ||
        bounds.first_index > bounds.end_index) {
      return false;
    }
    last_end = bounds.end_index;
  }
  return true;
}

TEST_CASE("windows stay whole and ends never go back next to a writer" *
          doctest::test_suite("threads")) {
  const auto log = make_log(6, 2);
  std::atomic<bool> done{false};
  std::vector<char> passed(2, 0);
  std::vector<std::thread> readers;
  for (size_t i = 0; i < passed.size(); ++i) {
    readers.emplace_back([&, i] { passed[i] = read_windows(*log, done); });
  }
  CHECK(Appender(*log).append(20000) == Status::kOk);
  done.store(true, std::memory_order_relaxed);
  for (std::thread& reader : readers) reader.join();
  for (const char result : passed) CHECK(result == 1);
  CHECK(is_conserved(*log));
}

// --- Error paths.

TEST_CASE("where the list is refused room, nothing is pinned") {
  // Longer than what a list of one has room for.
  const auto log = make_log(64, 2);
  Appender appender(*log);
  REQUIRE(appender.append(1) == Status::kOk);
  List<PinnedSegment> pinned;
  REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
  REQUIRE(appender.append(63) == Status::kOk);
  pinned.back().count = 2;
  test::refuse_memory_after(0);
  CHECK(pin_window(*log, 1, &pinned) == Status::kOutOfMemory);
  CHECK(test::refuse_memory_after(-1) < 0);
  CHECK(sequences(pinned) == std::vector<uint64_t>{0});
  REQUIRE(pin_window(*log, 1, &pinned) == Status::kOk);
  CHECK(is_whole(*log, pinned));
  CHECK(end_index(pinned) == 64);
  // What there is room for takes no memory.
  unpin_all(*log, &pinned);
  test::refuse_memory_after(0);
  CHECK(pin_window(*log, 0, &pinned) == Status::kOk);
  CHECK(test::refuse_memory_after(-1) == 0);
  unpin_all(*log, &pinned);
  CHECK(is_conserved(*log));
}

// What can be wrong is a published word that JavaScript damaged, too.

TEST_CASE("counts are clamped to the capacity, whatever the words say") {
  const auto log = make_log(4, 2);
  Appender appender(*log);
  REQUIRE(appender.append(5) == Status::kOk);
  for (const uint32_t word : {0x7FFFFFFFu, 0xFFFFFFFFu, 3u}) {
    List<PinnedSegment> pinned;
    REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
    for (PinnedSegment& entry : pinned) damage_word(*entry.segment, word);
    unpin_all(*log, &pinned);
    REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
    REQUIRE(pinned.size() == 3);
    for (const PinnedSegment& entry : pinned) CHECK(entry.count == 2);
    unpin_all(*log, &pinned);
    CHECK(window_bounds(*log).end_index == 6);
  }
}

TEST_CASE("the writer does not trust the word: damage ends with the segment") {
  const auto log = make_log(4, 2);
  Appender appender(*log);
  REQUIRE(appender.append(3) == Status::kOk);
  damage_word(log->head_segment(), 0xFFFFFFFFu);
  REQUIRE(appender.append(10) == Status::kOk);
  CHECK(appender.next_index() == 13);
  List<PinnedSegment> pinned;
  REQUIRE(pin_window(*log, 0, &pinned) == Status::kOk);
  CHECK(is_whole(*log, pinned));
  CHECK(end_index(pinned) == 13);
  unpin_all(*log, &pinned);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
