// Snapshots and readers of the C++ wrapper.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "abi/native_log.h"

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
    const Change change = snapshot.refresh();
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
  snapshot.refresh();
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
    snapshot.refresh();
    CHECK(snapshot.end_index() >= 2);
    CHECK(snapshot.end_index() <= 4);
    CHECK(values_of(snapshot).size() == snapshot.length());
  }
  append_indexes(writer, 20);
  snapshot.refresh();
  CHECK(values_of(snapshot) == indexes(12, 22));
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
