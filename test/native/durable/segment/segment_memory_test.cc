// Memory that the system refuses, at every place where a user or a file decides
// how much is taken: a typed error, nothing is lost, and the same call works
// afterwards (core/base/list.h).
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/durable/compression.h"
#include "core/durable/segment/segment_reader.h"
#include "core/durable/segment/segment_recovery.h"
#include "core/durable/segment/segment_writer.h"
#include "support/faults.h"
#include "support/segment_fixture.h"

namespace atomic_log::durable {
namespace {

using platform::IoCode;
using test::append_record;
using test::Bytes;
using test::create_segment;
using test::kPath;
using test::open_segment;
using test::Opened;
using test::parse_independently;
using test::payload;
using test::SimulatedFileSystem;
using test::Stored;

// Headers that cross a sector, as most do here, are replaced by way of a file.
constexpr SegmentFormat kFormat{40, 300, Crc32Kind::kCastagnoli};
constexpr uint64_t kSize = uint64_t{1} << 22;
// More than the writer's buffer, and more than a reader trusts.
constexpr size_t kLargeBytes = 2 * SegmentWriter::kBufferBytes;
constexpr size_t kHugeBytes = (size_t{1} << 20) + 1;

void check_refused(Outcome outcome, const Failure& failure) {
  CHECK(outcome == Outcome::kIo);
  CHECK(failure.outcome == Outcome::kIo);
  CHECK(failure.io.code == IoCode::kNoMemory);
  CHECK(failure.path == kPath);
}

// One log on its disk, and what it must hold.
class Scene {
 public:
  Scene() {
    Opened created = create_segment(system, kFormat, kSize);
    REQUIRE(created.outcome == Outcome::kOk);
    writer = std::move(created.writer);
    buffer = std::move(created.buffer);
    for (const size_t bytes : {10, 500, 3}) append(bytes);
    sync();
  }

  Stored next(size_t bytes) {
    return {payload(++serial_, kFormat.header_bytes), payload(serial_, bytes)};
  }
  void append(size_t bytes) {
    const Stored record = next(bytes);
    uint64_t offset = 0;
    REQUIRE(append_record(*writer, record, &offset) == Outcome::kOk);
    records.push_back(record);
    offsets.push_back(offset);
  }
  void sync() {
    uint64_t flushed = 0;
    REQUIRE(writer->sync(&flushed) == Outcome::kOk);
  }

  // What was handed to the system, and what a new writer finds.
  void check() {
    sync();
    CHECK((parse_independently(system.contents(kPath), kFormat) == records));
    CHECK(!system.exists(redo_path(kPath)));
    writer.reset();
    Opened opened = open_segment(system, kFormat);
    REQUIRE(opened.outcome == Outcome::kOk);
    CHECK(opened.recovery.records == records.size());
    CHECK(opened.recovery.quarantined_bytes == 0);
  }

  SimulatedFileSystem system;
  std::unique_ptr<uint8_t[]> buffer;
  std::unique_ptr<SegmentWriter> writer;
  std::vector<Stored> records;
  std::vector<uint64_t> offsets;

 private:
  uint32_t serial_ = 0;
};

// Runs `call`, which returns an outcome, with the first, the second, ... of its
// allocations refused, until it needs no more; each time on a log of its own.
// Then it must have worked. Returns how many were refused.
template <typename Call>
int refuse_each(Call call) {
  for (int count = 0;; ++count) {
    INFO("allocation ", count);
    Scene scene;
    const uint64_t end = scene.writer->write_offset();
    test::refuse_memory_after(count);
    Outcome outcome = call(scene);
    const bool was_met = test::refuse_memory_after(-1) < 0;
    if (was_met) {
      check_refused(outcome, scene.writer->failure());
      CHECK(scene.writer->write_offset() == end);
      outcome = call(scene);
    }
    REQUIRE(outcome == Outcome::kOk);
    scene.append(20);
    scene.check();
    if (!was_met) return count;
  }
}

TEST_SUITE_BEGIN("segment memory");

TEST_CASE("append: short records need no memory, long ones a copy") {
  const auto append = [](size_t bytes) {
    return [bytes](Scene& scene) {
      const Stored record = scene.next(bytes);
      const Outcome outcome = append_record(*scene.writer, record);
      if (outcome == Outcome::kOk) scene.records.push_back(record);
      return outcome;
    };
  };
  CHECK(refuse_each(append(100)) == 0);
  CHECK(refuse_each(append(kLargeBytes)) == 1);
}

TEST_CASE("append of many records: those that were not appended are none") {
  const auto append_packed = [](Scene& scene) {
    std::vector<Stored> records = {scene.next(50), scene.next(kLargeBytes)};
    Bytes bytes;
    std::vector<uint32_t> lengths;
    for (const Stored& record : records) {
      bytes.insert(bytes.end(), record.header.begin(), record.header.end());
      bytes.insert(bytes.end(), record.data.begin(), record.data.end());
      lengths.push_back(
          static_cast<uint32_t>(record.header.size() + record.data.size()));
    }
    uint64_t offset = 0;
    const Outcome outcome = scene.writer->append_packed(
        bytes.data(), lengths.data(), lengths.size(), &offset);
    if (outcome == Outcome::kOk) {
      scene.records.insert(scene.records.end(), records.begin(), records.end());
    }
    return outcome;
  };
  CHECK(refuse_each(append_packed) == 1);
}

TEST_CASE("a truncation and a replaced header: before anything has changed") {
  const auto truncate = [](Scene& scene) {
    const Outcome outcome = scene.writer->set_length(scene.offsets[1]);
    if (outcome == Outcome::kOk) scene.records.resize(1);
    return outcome;
  };
  // The end of the log is another afterwards, which refuse_each() does not mind
  // where it was refused.
  CHECK(refuse_each(truncate) == 2);
  const auto replace = [](Scene& scene) {
    const Bytes header = payload(99, kFormat.header_bytes);
    const Outcome outcome =
        scene.writer->replace_header(scene.offsets[1], header.data());
    if (outcome == Outcome::kOk) scene.records[1].header = header;
    return outcome;
  };
  CHECK(refuse_each(replace) == 5);
}

TEST_CASE("creating takes no memory whose size a user decides") {
  SimulatedFileSystem system;
  test::refuse_memory_after(0);
  const Opened created = create_segment(system, kFormat, kSize);
  CHECK(test::refuse_memory_after(-1) == 0);
  CHECK(created.outcome == Outcome::kOk);
}

// A disk whose log ends in a torn record, or has a change in place to finish.
std::unique_ptr<SimulatedFileSystem> disk_to_recover(bool has_change,
                                                     size_t* records) {
  Scene scene;
  scene.append(kHugeBytes);
  scene.append(700);
  scene.sync();
  *records = scene.records.size();
  if (has_change) {
    const Bytes header = payload(99, kFormat.header_bytes);
    scene.system.count_only("remove");
    scene.system.fail_at(0, SimulatedFileSystem::Fault::kPowerOff);
    (void)scene.writer->replace_header(scene.offsets[1], header.data());
    REQUIRE(scene.system.exists(redo_path(kPath)));
  } else {
    scene.system.damage(kPath, scene.offsets.back() + 600);
    --*records;
  }
  scene.writer.reset();
  return scene.system.kill();
}

TEST_CASE("recovery: what is refused is tried again by the next opening") {
  for (const bool has_change : {false, true}) {
    int refused = 0;
    for (int count = 0;; ++count) {
      INFO("change ", has_change, ", allocation ", count);
      size_t records = 0;
      const auto system = disk_to_recover(has_change, &records);
      test::refuse_memory_after(count);
      Opened opened = open_segment(*system, kFormat);
      const bool was_met = test::refuse_memory_after(-1) < 0;
      if (was_met) {
        ++refused;
        CHECK(opened.outcome == Outcome::kIo);
        CHECK(opened.failure.io.code == IoCode::kNoMemory);
        opened = open_segment(*system, kFormat);
      }
      REQUIRE(opened.outcome == Outcome::kOk);
      CHECK(opened.recovery.records == records);
      CHECK(!system->exists(redo_path(kPath)));
      if (!was_met) break;
    }
    CHECK(refused >= 5);
  }
}

TEST_CASE("reading: a record that is too large now can be read later") {
  Scene scene;
  for (const size_t bytes : {kLargeBytes, kHugeBytes}) scene.append(bytes);
  scene.sync();
  for (const ReadHint hint : {ReadHint::kRandom, ReadHint::kSequential}) {
    for (size_t i = 0; i < scene.records.size(); ++i) {
      for (int count = 0;; ++count) {
        std::shared_ptr<SegmentSource> source;
        Failure failure;
        REQUIRE(SegmentSource::open(scene.system, kPath, kFormat, false,
                                    &source, &failure) == Outcome::kOk);
        SegmentReader reader(source);
        SegmentReader::Run run;
        uint32_t word = 0;
        test::refuse_memory_after(count);
        Outcome outcome = reader.read(scene.offsets[i], hint, &word, 1, &run);
        const bool was_met = test::refuse_memory_after(-1) < 0;
        if (was_met) {
          check_refused(outcome, reader.failure());
          outcome = reader.read(scene.offsets[i], hint, &word, 1, &run);
        }
        REQUIRE(outcome == Outcome::kOk);
        const Stored& record = scene.records[i];
        REQUIRE(run.total_bytes ==
                kHeadBytes + record.header.size() + record.data.size());
        CHECK(std::equal(
            record.data.rbegin(), record.data.rend(),
            std::make_reverse_iterator(run.bytes + run.total_bytes)));
        if (!was_met) break;
      }
    }
  }
}

TEST_CASE("scanning: nothing is said of a file that could not be read") {
  size_t records = 0;
  const auto system = disk_to_recover(false, &records);
  for (int count = 0;; ++count) {
    SegmentScan found;
    Failure failure;
    test::refuse_memory_after(count);
    const Outcome outcome =
        scan_segment(*system, kPath, kFormat, &found, &failure);
    if (test::refuse_memory_after(-1) >= 0) {
      CHECK(outcome == Outcome::kOk);
      CHECK(found.records == records);
      CHECK(count == 3);
      break;
    }
    check_refused(outcome, failure);
  }
}

TEST_CASE(
    "compression: refused memory is not bad data, and not stored as it is") {
  if (!has_compression()) return;
  const Bytes data(10'000, 7);
  Bytes restored(data.size());
  Buffer stored;
  for (int count = 0; count < 2; ++count) {
    test::refuse_memory_after(count);
    CHECK(compress(data.data(), data.size(), &stored) ==
          Compression::kNoMemory);
    CHECK(test::refuse_memory_after(-1) < 0);
    stored = {};
  }
  REQUIRE(compress(data.data(), data.size(), &stored) == Compression::kDone);
  test::refuse_memory_after(0);
  CHECK(decompress(stored.data(), stored.size(), restored.data(),
                   restored.size()) == Compression::kNoMemory);
  test::refuse_memory_after(-1);
  CHECK(decompress(stored.data(), stored.size(), restored.data(),
                   restored.size()) == Compression::kDone);
  CHECK(restored == data);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::durable
