// The C interface, and logs and writers of its C++ wrapper.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <span>
#include <thread>
#include <vector>

#include "abi/clients.h"
#include "abi/native_log.h"

namespace atomic_log::test {
namespace {

using native::Batch;
using native::Log;
using native::Reader;
using native::Snapshot;
using native::Writer;
using NativeStatus = native::Status;

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
  // Claiming again releases the old claim first.
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
  REQUIRE(writer.reserve(1, &room) == kOk);
  CHECK(room.first_index == 3);
  room.column()[0] = 3;
  REQUIRE(writer.commit(1) == kOk);
  REQUIRE(writer.reserve(1, &room) == kOk);
  CHECK(room.first_index == 4);
}

TEST_CASE("what was not reserved is not published") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  Writer<double>::Room room;
  for (const uint32_t count : {0u, 1u, 3u}) {
    CHECK(writer.commit(count) == NativeStatus::kOutOfRange);
  }
  REQUIRE(writer.reserve(2, &room) == kOk);
  CHECK(writer.commit(3) == NativeStatus::kOutOfRange);
  REQUIRE(writer.commit(0) == kOk);
  CHECK(writer.commit(1) == NativeStatus::kOutOfRange);
  // Something else was stored in between, also in another segment.
  REQUIRE(writer.reserve(2, &room) == kOk);
  REQUIRE(writer.append(0) == kOk);
  CHECK(writer.commit(1) == NativeStatus::kOutOfRange);
  REQUIRE(writer.reserve(3, &room) == kOk);
  for (int i = 1; i < 6; ++i) REQUIRE(writer.append(i) == kOk);
  CHECK(writer.commit(1) == NativeStatus::kOutOfRange);
  CHECK(window_of(log) == indexes(0, 6));
}

TEST_CASE("a wait ends when its flag is set, and an entry comes first") {
  const HandledLog handled = make_number_log(8, 4);
  const Log log = attach(handled);
  Writer<double> writer = claim(log);
  std::atomic<bool> is_cancelled{true};
  CHECK(log.wait(0, is_cancelled) == NativeStatus::kCancelled);
  atomic_log::native::Reader reader(log);
  atomic_log::native::Batch batch;
  CHECK(reader.next(&batch, is_cancelled) == NativeStatus::kCancelled);
  REQUIRE(writer.append(0) == kOk);
  CHECK(log.wait(0, is_cancelled) == kOk);
  CHECK(reader.next(&batch, is_cancelled) == kOk);
  CHECK(batch.length == 1);
  is_cancelled = false;
  CHECK(log.wait(1, is_cancelled, std::chrono::milliseconds(1)) ==
        NativeStatus::kTimedOut);
  std::thread setting([&] {
    while (!log.is_claimed()) std::this_thread::yield();
    is_cancelled = true;
  });
  CHECK(log.wait(1, is_cancelled) == NativeStatus::kCancelled);
  setting.join();
  REQUIRE(writer.end() == kOk);
  CHECK(log.wait(1, is_cancelled) == NativeStatus::kEnded);
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
  CHECK(snapshot.refresh() == NativeStatus::kClosed);
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

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
