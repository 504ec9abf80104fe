// Snapshots and readers of the C++ wrapper.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "abi/native_log.h"
#include "support/faults.h"

namespace atomic_log::test {
namespace {

using native::Batch;
using native::Change;
using native::Log;
using native::Reader;
using native::Snapshot;
using native::Writer;
using NativeStatus = native::Status;

TEST_SUITE_BEGIN("abi");

TEST_CASE("refreshing") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  Snapshot snapshot;
  REQUIRE(snapshot.open(log) == kOk);
  CHECK(snapshot.length() == 0);
  CHECK(values_of(snapshot).empty());

  uint64_t end = 0;
  // Three segments of four are the window; the last step overtakes the
  // snapshot.
  for (const int count : {0, 3, 1, 1, 7, 1, 9, 30}) {
    append_indexes(writer, count);
    Change change;
    REQUIRE(snapshot.refresh(&change) == kOk);
    const uint64_t first = log.first_index();
    CHECK(snapshot.first_index() == first);
    CHECK(change.lost == (first > end ? first - end : 0));
    end += static_cast<uint64_t>(count);
    CHECK(change.appended + change.lost == static_cast<uint64_t>(count));
    CHECK(snapshot.end_index() == end);
    CHECK(values_of(snapshot) == indexes(first, end));
  }
  CHECK(log.first_index() > 22);
}

TEST_CASE("a snapshot stays as it is, and returns everything") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  append_indexes(writer, 10);
  Snapshot snapshot;
  REQUIRE(snapshot.open(log) == kOk);
  append_indexes(writer, 1000);
  CHECK(values_of(snapshot) == indexes(0, 10));
  const auto readers = handled.log->readers().all();
  REQUIRE(readers.size() == 1);
  CHECK(readers[0]->pinned_segments() == 3);
  REQUIRE(snapshot.refresh() == kOk);
  CHECK(readers[0]->pinned_segments() == 3);
  Snapshot moved = std::move(snapshot);
  CHECK(!snapshot);
  moved.close();
  CHECK(readers[0]->pinned_segments() == 0);
  CHECK(is_conserved(*handled.log));
}

TEST_CASE("a damaged word can neither crash a reader nor take entries back") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  append_indexes(writer, 2);
  Snapshot snapshot;
  REQUIRE(snapshot.open(log) == kOk);
  auto* const word =
      static_cast<uint32_t*>(handled.log->head_segment().block());
  for (const uint32_t damage :
       {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu, 0x80000002u}) {
    *word = damage;
    REQUIRE(snapshot.refresh() == kOk);
    CHECK(snapshot.end_index() >= 2);
    CHECK(snapshot.end_index() <= 4);
    CHECK(values_of(snapshot).size() == snapshot.length());
  }
  append_indexes(writer, 20);
  REQUIRE(snapshot.refresh() == kOk);
  CHECK(values_of(snapshot) == indexes(12, 22));
}

TEST_CASE("where memory is refused, nothing is pinned, and nothing changes") {
  const HandledLog handled = make_number_log(64, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  append_indexes(writer, 9);
  const auto readers = handled.log->readers().all();
  REQUIRE(readers.size() == 1);
  // The snapshot, what it pins, and what describes that.
  for (const int64_t granted : {0, 1, 2}) {
    Snapshot snapshot;
    refuse_memory_after(granted);
    CHECK(snapshot.open(log) == NativeStatus::kOutOfMemory);
    CHECK(refuse_memory_after(-1) < 0);
    CHECK(!snapshot);
    CHECK(readers[0]->pinned_segments() == 0);
  }
  append_indexes(writer, 1);
  // What is newer, and room for it in both lists.
  for (const int64_t granted : {0, 1, 2, 3}) {
    Snapshot snapshot;
    REQUIRE(snapshot.open(log) == kOk);
    const uint64_t end = snapshot.end_index();
    append_indexes(writer, 40);
    refuse_memory_after(granted);
    Change change{1, 1};
    const NativeStatus status = snapshot.refresh(&change);
    CHECK(refuse_memory_after(-1) == (granted < 3 ? -1 : 0));
    if (granted < 3) {
      CHECK(status == NativeStatus::kOutOfMemory);
      CHECK(change.appended == 0);
      CHECK(change.lost == 0);
      CHECK(snapshot.end_index() == end);
      CHECK(values_of(snapshot) == indexes(snapshot.first_index(), end));
      REQUIRE(snapshot.refresh(&change) == kOk);
    } else {
      CHECK(status == kOk);
    }
    CHECK(change.appended == 40);
    CHECK(values_of(snapshot) == indexes(log.first_index(), log.end_index()));
    snapshot.close();
    CHECK(readers[0]->pinned_segments() == 0);
  }
  CHECK(is_conserved(*handled.log));
}

TEST_CASE("a reader that is refused memory has missed nothing afterwards") {
  const HandledLog handled = make_number_log(64, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  append_indexes(writer, 4);
  Reader reader(log);
  Batch batch;
  REQUIRE(reader.next(&batch, kSoon) == kOk);
  append_indexes(writer, 40);
  // Of what it does once more instead, too.
  refuse_memory_after(0);
  REQUIRE(reader.next(&batch, kSoon) == kOk);
  CHECK(refuse_memory_after(-1) < 0);
  CHECK(batch.first_index == 4);
  CHECK(batch.length == 40);
  reader.release();
  append_indexes(writer, 1);
  refuse_memory_after(0);
  CHECK(reader.next(&batch, kSoon) == NativeStatus::kOutOfMemory);
  CHECK(refuse_memory_after(-1) < 0);
  REQUIRE(reader.next(&batch, kSoon) == kOk);
  CHECK(batch.first_index == 44);
  CHECK(batch.lost == 0);
}

TEST_CASE("attaching and claiming are refused, and leave nothing behind") {
  const HandledLog handled = make_number_log(8, 4);
  // The attachment, and its columns.
  for (const int64_t granted : {0, 1}) {
    Log log;
    refuse_memory_after(granted);
    CHECK(Log::attach(&handled.handle, &log) == NativeStatus::kOutOfMemory);
    CHECK(refuse_memory_after(-1) < 0);
    CHECK(!log);
    CHECK(handled.log->readers().all().empty());
  }
  const Log log = attach(handled);
  Writer<double> writer;
  refuse_memory_after(0);
  CHECK(writer.claim(log) == NativeStatus::kOutOfMemory);
  CHECK(refuse_memory_after(-1) < 0);
  CHECK(!log.is_claimed());
  CHECK(writer.claim(log) == kOk);
}

TEST_CASE("a reader is given every entry once") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  Reader reader(log);
  Batch batch;
  CHECK(reader.next(&batch, kSoon) == NativeStatus::kTimedOut);
  CHECK(batch.length == 0);
  std::vector<double> seen;
  const auto deliver = [&] {
    REQUIRE(reader.next(&batch, kSoon) == kOk);
    CHECK(batch.length > 0);
    for (const auto& chunk : batch.chunks) {
      for (const double value : chunk.column<double>()) seen.push_back(value);
    }
  };
  append_indexes(writer, 3);
  deliver();
  append_indexes(writer, 4);
  deliver();
  CHECK(batch.first_index == 3);
  CHECK(batch.length == 4);
  CHECK(batch.lost == 0);
  CHECK(seen == indexes(0, 7));
  CHECK(reader.next(&batch, kSoon) == NativeStatus::kTimedOut);
  append_indexes(writer, 30);
  deliver();
  CHECK(batch.lost == batch.first_index - 7);
  CHECK(batch.first_index == log.first_index());
  CHECK(reader.next_index() == 37);
  append_indexes(writer, 1);
  REQUIRE(writer.end() == kOk);
  deliver();
  CHECK(batch.length == 1);
  CHECK(reader.next(&batch) == NativeStatus::kEnded);
  CHECK(is_conserved(*handled.log));
}

TEST_CASE("readers that pin too much stop the writer until they release") {
  auto options = log_options(8, 4);
  options.element_bytes = {8};
  options.labels = {{ATOMIC_LOG_F64, ""}};
  options.pinned_bytes_max = 2 * 128;
  const HandledLog handled = make_handled_log(options);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  append_indexes(writer, 12);
  Snapshot snapshot;
  REQUIRE(snapshot.open(log) == kOk);
  // Two of its segments may leave the window, the third one may not.
  append_indexes(writer, 12);
  CHECK(writer.append(24) == NativeStatus::kPinned);
  CHECK(writer.append(24) == NativeStatus::kPinned);
  CHECK(handled.log->stats().pool.segments == 6);
  CHECK(values_of(snapshot) == indexes(0, 12));
  snapshot.close();
  append_indexes(writer, 1000);
  CHECK(handled.log->stats().pool.segments == 6);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("threads");

TEST_CASE("a native writer wakes a native reader") {
  const HandledLog handled = make_number_log(64, 16);
  std::thread producer([&handled] {
    Log log;
    Writer<double> writer;
    if (Log::attach(&handled.handle, &log) != kOk) return;
    if (writer.claim(log) != kOk) return;
    for (int i = 0; i < 2000; ++i) {
      if (writer.append(i) != kOk) return;
      if (i % 50 == 0) std::this_thread::yield();
    }
    (void)writer.end();
  });
  Reader reader(attach(handled));
  Batch batch;
  uint64_t delivered = 0;
  uint64_t next = 0;
  native::Status status;
  while ((status = reader.next(&batch)) == kOk) {
    CHECK(batch.first_index == next + batch.lost);
    for (const auto& chunk : batch.chunks) {
      uint64_t index = chunk.first_index();
      for (const double value : chunk.column<double>()) {
        if (value != static_cast<double>(index++)) FAIL("a wrong value");
      }
    }
    delivered += batch.length + batch.lost;
    next = batch.first_index + batch.length;
  }
  producer.join();
  CHECK(status == NativeStatus::kEnded);
  CHECK(delivered == 2000);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
