#include "core/durable/segment/segment_reader.h"

#if defined(__linux__)
#include <sys/resource.h>
#endif

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/segment_fixture.h"

namespace atomic_log::durable {
namespace {

using test::append_record;
using test::Bytes;
using test::create_segment;
using test::kPath;
using test::Opened;
using test::payload;
using test::SimulatedFileSystem;

constexpr SegmentFormat kFormat{16, 8, Crc32Kind::kCastagnoli};

// How often this thread has slept; -1 where the system does not say.
int64_t sleeps_of_thread() {
#if defined(__linux__)
  rusage usage = {};
  if (getrusage(RUSAGE_THREAD, &usage) == 0) return usage.ru_nvcsw;
#endif
  return -1;
}

struct Reading {
  explicit Reading(platform::FileSystem& system) {
    REQUIRE(SegmentSource::open(system, kPath, kFormat, true, &source,
                                &failure) == Outcome::kOk);
    reader = std::make_unique<SegmentReader>(source);
  }
  Outcome read(uint64_t offset, ReadHint hint = ReadHint::kRandom) {
    return reader->read(offset, hint, words, 64, &run);
  }
  std::shared_ptr<SegmentSource> source;
  Failure failure;
  std::unique_ptr<SegmentReader> reader;
  SegmentReader::Run run;
  uint32_t words[64];
};

void append(SegmentWriter& writer, uint32_t seed, size_t bytes) {
  REQUIRE(append_record(writer, {payload(seed, 8), payload(seed, bytes)}) ==
          Outcome::kOk);
}

void sync(SegmentWriter& writer) {
  uint64_t flushed = 0;
  REQUIRE(writer.sync(&flushed) == Outcome::kOk);
}

TEST_SUITE_BEGIN("segment reader");

// G12.
TEST_CASE("nothing that was not synced is shown") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kFormat, 8192);
  FlushedCells cells;
  segment.writer->attach(&cells);
  Reading reading(system);
  reading.reader->attach(&cells);
  for (const ReadHint hint : {ReadHint::kRandom, ReadHint::kSequential}) {
    const uint64_t offset = segment.writer->write_offset();
    append(*segment.writer, 1, 100);
    append(*segment.writer, 2, 100);
    REQUIRE(segment.writer->flush() == Outcome::kOk);
    CHECK(reading.read(offset, hint) == Outcome::kOutOfRange);
    sync(*segment.writer);
    append(*segment.writer, 3, 100);
    REQUIRE(segment.writer->flush() == Outcome::kOk);
    REQUIRE(reading.read(offset, hint) == Outcome::kOk);
    CHECK(reading.run.count == (hint == ReadHint::kSequential ? 2 : 1));
  }
}

TEST_CASE("a run ends where the read-ahead does, and the next one goes on") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kFormat, 1 << 20);
  std::vector<uint64_t> offsets;
  for (uint32_t i = 0; i < 300; ++i) {
    offsets.push_back(segment.writer->write_offset());
    append(*segment.writer, i, i * 13 % 2000);
  }
  sync(*segment.writer);
  Reading reading(system);
  size_t next = 0;
  while (next < offsets.size()) {
    REQUIRE(reading.read(offsets[next], ReadHint::kSequential) == Outcome::kOk);
    REQUIRE(reading.run.count > 0);
    const uint8_t* at = reading.run.bytes;
    for (size_t i = 0; i < reading.run.count; ++i, ++next) {
      const auto seed = static_cast<uint32_t>(next);
      const Bytes expected = payload(seed, seed * 13 % 2000);
      REQUIRE(body_bytes_of(reading.words[i]) == 8 + expected.size());
      REQUIRE(std::equal(expected.begin(), expected.end(), at + 16));
      at += record_bytes_of(reading.words[i]);
    }
  }
  CHECK(reading.read(segment.writer->write_offset()) == Outcome::kNoRecord);
}

TEST_CASE("what was read ahead is forgotten when the writer truncates") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kFormat, 8192);
  FlushedCells cells;
  segment.writer->attach(&cells);
  for (uint32_t i = 0; i < 20; ++i) append(*segment.writer, i, 50);
  sync(*segment.writer);
  Reading reading(system);
  reading.reader->attach(&cells);
  REQUIRE(reading.read(16, ReadHint::kSequential) == Outcome::kOk);
  REQUIRE(segment.writer->set_length(16 + 66) == Outcome::kOk);
  for (uint32_t i = 1; i < 20; ++i) append(*segment.writer, i + 100, 50);
  sync(*segment.writer);
  REQUIRE(reading.read(16 + 66, ReadHint::kSequential) == Outcome::kOk);
  CHECK(reading.run.bytes[16] == payload(101, 1)[0]);
}

TEST_CASE("a truncation in the middle of a read is noticed") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kFormat, 8192);
  SegmentWriter& writer = *segment.writer;
  FlushedCells cells;
  writer.attach(&cells);
  append(writer, 1, 50);
  sync(writer);
  Reading reading(system);
  reading.reader->attach(&cells);
  bool has_happened = false;
  system.on_operation = [&](const char* name) {
    if (has_happened || std::string(name) != "read") return;
    has_happened = true;
    REQUIRE(writer.set_length(16) == Outcome::kOk);
    append(writer, 2, 50);
    REQUIRE(writer.flush() == Outcome::kOk);
  };
  // The other record lies there whole, but was not synced.
  CHECK(reading.read(16) == Outcome::kOutOfRange);
  CHECK(has_happened);
}

// A replaced header is shown whole, the old or the new, to readers in other
// threads; truncation never shows half a record.
TEST_CASE("readers race changes in place" * doctest::test_suite("threads")) {
  const std::string path = "segment_reader_test.seg";
  platform::FileSystem& system = platform::native_file_system();
  (void)system.remove(path);
  const auto buffer = std::make_unique<uint8_t[]>(SegmentWriter::kBufferBytes);
  std::unique_ptr<SegmentWriter> writer;
  Failure failure;
  REQUIRE(SegmentWriter::create(system, path, kFormat, 1 << 16, &writer,
                                &failure) == Outcome::kOk);
  FlushedCells cells;
  writer->attach(&cells);
  writer->collect_in(buffer.get());
  for (uint32_t i = 0; i < 100; ++i) append(*writer, i, 200);
  sync(*writer);
  std::atomic<bool> is_over{false};
  std::atomic<uint64_t> wrong{0};
  std::atomic<uint64_t> reads{0};
  std::vector<std::thread> readers;
  for (const bool is_mapped : {false, true}) {
    readers.emplace_back([&, is_mapped] {
      std::shared_ptr<SegmentSource> source;
      Failure ignored;
      if (SegmentSource::open(system, path, kFormat, is_mapped, &source,
                              &ignored) != Outcome::kOk) {
        ++wrong;
        return;
      }
      SegmentReader reader(source);
      reader.attach(&cells);
      uint32_t words[64];
      SegmentReader::Run run;
      for (uint32_t i = 0; !is_over.load(std::memory_order_relaxed); ++i) {
        const uint64_t offset = 16 + 216 * (i * 7 % 100);
        const Outcome outcome = reader.read(
            offset, i % 3 == 0 ? ReadHint::kSequential : ReadHint::kRandom,
            words, 64, &run);
        wrong += outcome != Outcome::kOk && outcome != Outcome::kOutOfRange;
        ++reads;
      }
    });
  }
  for (uint32_t round = 0; round < 60; ++round) {
    const Bytes header = payload(round, 8);
    REQUIRE(writer->replace_header(16 + 216 * (round % 20), header.data()) ==
            Outcome::kOk);
    if (round % 6 != 0) continue;
    REQUIRE(writer->set_length(16 + 216 * 50) == Outcome::kOk);
    for (uint32_t i = 50; i < 100; ++i) append(*writer, i + round, 200);
    sync(*writer);
  }
  is_over.store(true, std::memory_order_relaxed);
  for (std::thread& thread : readers) thread.join();
  CHECK(wrong == 0);
  CHECK(reads > 0);
  writer.reset();
  CHECK(system.remove(path).ok());
}

// --- Error paths.

TEST_CASE("a read that fails is not a bad record") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kFormat, 8192);
  append(*segment.writer, 1, 100);
  sync(*segment.writer);
  Reading reading(system);
  system.count_only("read");
  system.fail_at(0, SimulatedFileSystem::Fault::kOnce);
  CHECK(reading.read(16) == Outcome::kIo);
  CHECK(reading.reader->failure().offset == 16);
  CHECK(reading.read(16) == Outcome::kOk);
}

TEST_CASE("a change that never ends does not hold a reader up forever") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kFormat, 8192);
  append(*segment.writer, 1, 100);
  FlushedCells cells;
  segment.writer->attach(&cells);
  sync(*segment.writer);
  cells.generation.store(1);
  Reading reading(system);
  reading.reader->attach(&cells);
  const int64_t sleeps = sleeps_of_thread();
  CHECK(reading.read(16) == Outcome::kOk);
  // A writer of lower priority may need the same processor.
  if (sleeps >= 0) CHECK(sleeps_of_thread() - sleeps > 10);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::durable
