// The C interface and its C++ wrapper.
#include <doctest/doctest.h>

#include <chrono>
#include <cstring>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

#include "abi/clients.h"
#include "atomic_log/atomic_log.h"
#include "support/handle_fixture.h"

namespace atomic_log::test {
namespace {

using native::Batch;
using native::Change;
using native::Log;
using native::Reader;
using native::Snapshot;
using native::Writer;
using NativeStatus = native::Status;

constexpr auto kOk = NativeStatus::kOk;
constexpr std::chrono::milliseconds kSoon(5);

Log attach(const HandledLog& handled) {
  Log log;
  REQUIRE(Log::attach(&handled.handle, &log) == kOk);
  return log;
}

Writer<double> claim(const Log& log) {
  Writer<double> writer;
  REQUIRE(writer.claim(log) == kOk);
  return writer;
}

void append_indexes(Writer<double>& writer, int count) {
  for (int i = 0; i < count; ++i) {
    REQUIRE(writer.append(static_cast<double>(writer.next_index())) == kOk);
  }
}

std::vector<double> values_of(const Snapshot& snapshot) {
  std::vector<double> values;
  for (const auto& chunk : snapshot) {
    for (const double value : chunk.column<double>()) values.push_back(value);
  }
  return values;
}

std::vector<double> window_of(const Log& log) {
  Snapshot snapshot;
  REQUIRE(snapshot.open(log) == kOk);
  return values_of(snapshot);
}

std::vector<double> indexes(uint64_t begin, uint64_t end) {
  std::vector<double> values(end - begin);
  std::iota(values.begin(), values.end(), static_cast<double>(begin));
  return values;
}

double sum_of_indexes(uint64_t begin, uint64_t end) {
  const auto values = indexes(begin, end);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST_SUITE_BEGIN("abi");

TEST_CASE("clients in C11 and C++17, each reading what the other wrote") {
  for (const bool c_writes : {true, false}) {
    const HandledLog handled = make_number_log(10, 4);
    const auto produce = c_writes ? c11_produce : cxx17_produce;
    CHECK(produce(&handled.handle, 103) == ATOMIC_LOG_OK);
    double sum = 0;
    for (const auto read : {c11_sum, cxx17_sum}) {
      CHECK(read(&handled.handle, &sum) == ATOMIC_LOG_OK);
      // Four segments of four are retained; the newest has entries 100 to 102.
      CHECK(sum == sum_of_indexes(88, 103));
    }
  }
}

TEST_CASE("what a log is") {
  const HandledLog handled = make_record_log(10, 4);
  const Log log = attach(handled);
  const atomic_log_info& info = log.info();
  CHECK(info.retained_capacity == 10);
  CHECK(info.segment_capacity == 4);
  CHECK(info.retained_segments == 4);
  CHECK(info.block_bytes == handled.log->layout().block_bytes());
  REQUIRE(info.column_count == 2);
  CHECK(info.columns[1].type == ATOMIC_LOG_U16);
  CHECK(info.columns[1].element_bytes == 2);
  CHECK(std::string(info.columns[1].name) == "narrow");
  CHECK(info.columns[1].offset == handled.log->layout().column_offsets()[1]);
  CHECK(log.find_column("wide") == 0);
  CHECK(log.find_column("narrow") == 1);
  CHECK(log.find_column("narro") == -1);
  CHECK(log.find_column("") == -1);
  CHECK(!log.has_ended());
  CHECK(!log.is_claimed());
}

TEST_CASE("handles that must be refused") {
  HandledLog handled = make_number_log(8, 4);
  Log log;
  CHECK(Log::attach(nullptr, &log) == NativeStatus::kInvalid);

  atomic_log_handle forged = handled.handle;
  forged.token[31] = forged.token[31] == '0' ? '1' : '0';
  CHECK(Log::attach(&forged, &log) == NativeStatus::kForeign);
  forged = handled.handle;
  forged.id += 1'000'000;
  CHECK(Log::attach(&forged, &log) == NativeStatus::kForeign);
  forged = handled.handle;
  forged.abi_version += 1;
  CHECK(Log::attach(&forged, &log) == NativeStatus::kVersion);
  atomic_log_log* raw = nullptr;
  CHECK(forged.api->attach(&forged, &raw) == ATOMIC_LOG_VERSION);
  CHECK(raw == nullptr);
  forged = handled.handle;
  forged.struct_size = 8;
  CHECK(Log::attach(&forged, &log) == NativeStatus::kVersion);
  // A library that is older than the header has a shorter table.
  atomic_log_api older = *handled.handle.api;
  older.struct_size -= sizeof(void*);
  forged = handled.handle;
  forged.api = &older;
  CHECK(Log::attach(&forged, &log) == NativeStatus::kVersion);
  CHECK(!log);

  handled.log.reset();
  CHECK(Log::attach(&handled.handle, &log) == NativeStatus::kGone);
}

TEST_CASE("logs that native code cannot use are refused") {
  auto options = log_options(8, 4);
  options.data_bytes = {100};
  options.labels = {{ATOMIC_LOG_U64, "wide"},
                    {ATOMIC_LOG_U16, "narrow"},
                    {ATOMIC_LOG_U64 + 1, "text"}};
  const HandledLog variable = make_handled_log(options);
  REQUIRE(variable.log != nullptr);
  Log log;
  CHECK(Log::attach(&variable.handle, &log) == NativeStatus::kForeign);

  alignas(64) static unsigned char range[4096];
  auto storage =
      std::make_unique<memory::SharedStorage>(range, 1024, sizeof(range));
  storage->commit(sizeof(range));
  std::shared_ptr<memory::RollingLog> shared;
  REQUIRE(memory::RollingLog::create(log_options(8, 4), std::move(storage),
                                     &shared) == Status::kOk);
  const atomic_log_handle handle =
      abi::make_handle(memory::Registry::instance().add(shared));
  CHECK(Log::attach(&handle, &log) == NativeStatus::kForeign);
}

TEST_CASE("an attachment keeps the log, as long as anything of it is there") {
  HandledLog handled = make_number_log(8, 4);
  Writer<double> writer = claim(attach(handled));
  handled.log.reset();
  append_indexes(writer, 100);
  Snapshot snapshot;
  REQUIRE(snapshot.open(writer.log()) == kOk);
  append_indexes(writer, 100);
  writer.close();
  CHECK(values_of(snapshot) == indexes(88, 100));
  Log log = attach(handled);
  CHECK(log.end_index() == 200);
  Log copy = log;
  log = Log();
  snapshot.close();
  CHECK(copy.end_index() == 200);
  copy = Log();
  CHECK(Log::attach(&handled.handle, &log) == NativeStatus::kGone);
}

TEST_CASE("one writer at a time, whatever language it is written in") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> first = claim(log);
  CHECK(log.is_claimed());
  Writer<double> second;
  CHECK(second.claim(log) == NativeStatus::kClaimed);
  CHECK(!second);
  CHECK(!handled.log->try_claim());
  first.close();
  first.close();
  REQUIRE(handled.log->try_claim());
  CHECK(second.claim(log) == NativeStatus::kClaimed);
  handled.log->release_claim();
  CHECK(second.claim(log) == kOk);
  // Claiming anew gives the old claim back first.
  CHECK(second.claim(log) == kOk);
  first = std::move(second);
  CHECK(first);
  CHECK(!second);
}

TEST_CASE("a claim goes on where the last one published") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  append_indexes(writer, 6);
  REQUIRE(writer.write(-1) == kOk);
  CHECK(writer.next_index() == 7);
  writer.close();
  CHECK(writer.next_index() == 0);

  // The log's own count agrees with what was published without a call.
  REQUIRE(handled.log->try_claim());
  CHECK(handled.log->published_count() == 2);
  handled.log->release_claim();

  writer = claim(log);
  CHECK(writer.next_index() == 6);
  append_indexes(writer, 1);
  CHECK(window_of(log) == indexes(0, 7));
}

TEST_CASE("entries are staged until they are published") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  for (int i = 0; i < 6; ++i) REQUIRE(writer.write(i) == kOk);
  // The roll has published the first segment.
  CHECK(window_of(log) == indexes(0, 4));
  writer.publish();
  CHECK(window_of(log) == indexes(0, 6));
  REQUIRE(writer.write(6) == kOk);
  REQUIRE(writer.append(7) == kOk);
  CHECK(window_of(log) == indexes(0, 8));
}

TEST_CASE("batches, across segments") {
  const HandledLog handled = make_record_log(100, 8);
  const Log log = attach(handled);
  Writer<uint64_t, uint16_t> writer;
  REQUIRE(writer.claim(log) == kOk);
  REQUIRE(writer.append(0, 1000) == kOk);
  std::vector<uint64_t> wide(50);
  std::vector<uint16_t> narrow(50);
  for (int i = 0; i < 50; ++i) {
    wide[i] = i + 1;
    narrow[i] = static_cast<uint16_t>(1001 + i);
  }
  REQUIRE(writer.append_batch(50, wide.data(), narrow.data()) == kOk);
  REQUIRE(writer.append_batch(0, wide.data(), narrow.data()) == kOk);
  CHECK(writer.next_index() == 51);
  Snapshot snapshot;
  REQUIRE(snapshot.open(log) == kOk);
  uint64_t next = 0;
  for (const auto& chunk : snapshot) {
    CHECK(chunk.first_index() == next);
    const std::span<const uint64_t> values = chunk.column<uint64_t>(0);
    const auto others = chunk.column<uint16_t>(1);
    CHECK(others.size() == chunk.length());
    for (size_t i = 0; i < chunk.length(); ++i, ++next) {
      CHECK(values[i] == next);
      CHECK(others[i] == 1000 + next);
    }
    // Another type, and no such column.
    CHECK(chunk.column<int64_t>(0).empty());
    CHECK(chunk.column<uint64_t>(1).empty());
    CHECK(chunk.column<uint64_t>(2).empty());
    CHECK(chunk.column<uint64_t>(-1).empty());
  }
  CHECK(next == 51);
}

TEST_CASE("entries in place") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  Writer<double>::Room room;
  CHECK(writer.reserve(0, &room) == NativeStatus::kOutOfRange);
  REQUIRE(writer.append(0) == kOk);
  REQUIRE(writer.reserve(10, &room) == kOk);
  CHECK(room.first_index == 1);
  CHECK(room.length == 3);
  for (uint32_t i = 0; i < room.length; ++i) {
    room.column()[i] = static_cast<double>(room.first_index + i);
  }
  CHECK(writer.commit(4) == NativeStatus::kOutOfRange);
  REQUIRE(writer.commit(2) == kOk);
  CHECK(window_of(log) == indexes(0, 3));
  REQUIRE(writer.commit(1) == kOk);
  REQUIRE(writer.reserve(1, &room) == kOk);
  CHECK(room.first_index == 4);
}

TEST_CASE("columns are chosen by name and checked by type") {
  const HandledLog handled = make_record_log(8, 4);
  const Log log = attach(handled);
  Writer<uint16_t, uint64_t> turned;
  CHECK(turned.claim(log) == NativeStatus::kColumns);
  CHECK(turned.claim(log, {"wide", "narrow"}) == NativeStatus::kColumns);
  CHECK(turned.claim(log, {"narrow", "narrow"}) == NativeStatus::kColumns);
  CHECK(turned.claim(log, {"narrow"}) == NativeStatus::kColumns);
  CHECK(turned.claim(log, {"narrow", "broad"}) == NativeStatus::kColumns);
  Writer<uint64_t> few;
  CHECK(few.claim(log) == NativeStatus::kColumns);
  Writer<int64_t, uint16_t> otherwise_signed;
  CHECK(otherwise_signed.claim(log) == NativeStatus::kColumns);
  CHECK(!log.is_claimed());

  REQUIRE(turned.claim(log, {"narrow", "wide"}) == kOk);
  REQUIRE(turned.append(7, 1'000'000'000'000) == kOk);
  Snapshot snapshot;
  REQUIRE(snapshot.open(log) == kOk);
  for (const auto& chunk : snapshot) {
    CHECK(chunk.column<uint64_t>(log.find_column("wide"))[0] ==
          1'000'000'000'000);
    CHECK(chunk.column<uint16_t>(log.find_column("narrow"))[0] == 7);
  }
}

TEST_CASE("the type of every column") {
  CHECK(native::type_code<double>() == ATOMIC_LOG_F64);
  CHECK(native::type_code<float>() == ATOMIC_LOG_F32);
  CHECK(native::type_code<int8_t>() == ATOMIC_LOG_I8);
  CHECK(native::type_code<uint8_t>() == ATOMIC_LOG_U8);
  CHECK(native::type_code<int16_t>() == ATOMIC_LOG_I16);
  CHECK(native::type_code<uint16_t>() == ATOMIC_LOG_U16);
  CHECK(native::type_code<int32_t>() == ATOMIC_LOG_I32);
  CHECK(native::type_code<uint32_t>() == ATOMIC_LOG_U32);
  CHECK(native::type_code<long long>() == ATOMIC_LOG_I64);
  CHECK(native::type_code<unsigned long long>() == ATOMIC_LOG_U64);
}

TEST_CASE("the end of a log") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  REQUIRE(writer.write(0) == kOk);
  REQUIRE(writer.end() == kOk);
  CHECK(!writer);
  CHECK(log.has_ended());
  CHECK(!log.is_claimed());
  CHECK(window_of(log) == indexes(0, 1));
  CHECK(writer.claim(log) == NativeStatus::kEnded);
  CHECK(log.wait(0) == kOk);
  CHECK(log.wait(1) == NativeStatus::kEnded);
}

TEST_CASE("what is closed or empty says so") {
  Log none;
  Writer<double> writer;
  Writer<double>::Room room;
  Snapshot snapshot;
  Reader reader(none);
  Batch batch;
  CHECK(!none);
  CHECK(writer.claim(none) == NativeStatus::kClosed);
  CHECK(writer.append(1) == NativeStatus::kClosed);
  CHECK(writer.write(1) == NativeStatus::kClosed);
  const double value = 1;
  CHECK(writer.append_batch(1, &value) == NativeStatus::kClosed);
  CHECK(writer.reserve(1, &room) == NativeStatus::kClosed);
  CHECK(writer.commit(0) == NativeStatus::kClosed);
  CHECK(writer.end() == NativeStatus::kClosed);
  writer.publish();
  CHECK(snapshot.open(none) == NativeStatus::kClosed);
  CHECK(snapshot.refresh().appended == 0);
  CHECK(values_of(snapshot).empty());
  CHECK(none.wait(0) == NativeStatus::kClosed);
  CHECK(none.end_index() == 0);
  CHECK(!none.has_ended());
  CHECK(reader.next(&batch) == NativeStatus::kClosed);

  const HandledLog handled = make_number_log(8, 4);
  writer = claim(attach(handled));
  append_indexes(writer, 3);
  writer.close();
  CHECK(writer.append(1) == NativeStatus::kClosed);
  CHECK(handled.log->stats().rolls == 0);
}

TEST_CASE("a roll that fails changes nothing") {
  const HandledLog handled = make_number_log(4, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  append_indexes(writer, 4);
  {
    const FailingAllocations failing(0);
    CHECK(writer.append(4) == NativeStatus::kOutOfMemory);
  }
  CHECK(writer.next_index() == 4);
  CHECK(window_of(log) == indexes(0, 4));
  append_indexes(writer, 4);
  {
    const std::vector<double> more = indexes(8, 20);
    const FailingAllocations failing(0);
    CHECK(writer.append_batch(more.size(), more.data()) ==
          NativeStatus::kOutOfMemory);
  }
  CHECK(writer.next_index() == log.end_index());
}

TEST_CASE("a C client's mistakes are refused") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  const atomic_log_api& api = *log.api();
  atomic_log_writer* writer = nullptr;
  REQUIRE(api.claim(log.get(), &writer) == ATOMIC_LOG_OK);
  CHECK(api.roll(writer, 0) == ATOMIC_LOG_OUT_OF_RANGE);
  CHECK(api.roll(writer, 5) == ATOMIC_LOG_OUT_OF_RANGE);
  api.publish(writer, 100);
  CHECK(writer->published == 4);
  CHECK(api.roll(writer, 3) == ATOMIC_LOG_OUT_OF_RANGE);
  api.publish(writer, 1);
  CHECK(writer->published == 4);
  CHECK(log.end_index() == 4);
  CHECK(api.roll(writer, 4) == ATOMIC_LOG_OK);
  CHECK(writer->first_index == 4);
  CHECK(writer->published == 0);
  // What was published without a call is not taken back by a call.
  writer->published = 3;
  reinterpret_cast<std::atomic<uint32_t>*>(writer->block)->store(3);
  api.publish(writer, 2);
  CHECK(writer->published == 3);
  CHECK(log.end_index() == 7);
  api.unclaim(writer);
}

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

TEST_CASE("a snapshot stays as it is, and gives everything back") {
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

TEST_CASE("readers that pin too much stop the writer until they let go") {
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
