// One test per row of the table in segment_recovery.h.
#include "core/durable/segment/segment_recovery.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "core/durable/redo_file.h"
#include "support/segment_fixture.h"

namespace atomic_log::durable {
namespace {

using test::append_record;
using test::Bytes;
using test::create_segment;
using test::kPath;
using test::open_segment;
using test::Opened;
using test::payload;
using test::SimulatedFileSystem;
using Fault = SimulatedFileSystem::Fault;

constexpr SegmentFormat kFormat{16, 0, Crc32Kind::kCastagnoli};
constexpr uint64_t kSize = 4096;
// Of records of 100 bytes.
constexpr uint64_t kRecordBytes = 108;

Bytes segment_of(uint32_t records) {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kFormat, kSize);
  for (uint32_t i = 0; i < records; ++i) {
    REQUIRE(append_record(*segment.writer, {{}, payload(i, 100)}) ==
            Outcome::kOk);
  }
  REQUIRE(segment.writer->flush() == Outcome::kOk);
  return system.contents(kPath);
}

struct Result {
  Outcome outcome;
  Recovery recovery;
  Failure failure;
  bool is_untouched;
  Bytes contents;
};

Result open_bytes(const Bytes& bytes, const OpenOptions& options = {}) {
  SimulatedFileSystem system;
  system.put(kPath, bytes);
  const Opened opened = open_segment(system, kFormat, options);
  return {opened.outcome, opened.recovery, opened.failure,
          system.contents(kPath) == bytes && system.paths().size() == 1,
          system.contents(kPath)};
}

TEST_SUITE_BEGIN("segment recovery");

TEST_CASE("R1: another length is refused, an unfinished creation is finished") {
  OpenOptions options;
  for (const uint64_t size : {kSize - 1, kSize + 1}) {
    options.size = size;
    const Result result = open_bytes(segment_of(2), options);
    CHECK(result.outcome == Outcome::kFormat);
    CHECK(result.is_untouched);
  }
  options.size = kSize;
  CHECK(open_bytes(segment_of(2), options).outcome == Outcome::kOk);
  for (const size_t bytes : {0, 100, 4095}) {
    const Result result = open_bytes(Bytes(bytes), options);
    CHECK(result.outcome == Outcome::kOk);
    CHECK(result.contents == Bytes(kSize));
  }
  CHECK(open_bytes(Bytes(16)).outcome == Outcome::kFormat);
}

TEST_CASE("R2: a read that fails is a failure, not an end") {
  const Bytes bytes = segment_of(20);
  for (uint64_t failing = 0; failing < 3; ++failing) {
    SimulatedFileSystem system;
    system.put(kPath, bytes);
    system.count_only("read");
    system.fail_at(failing, Fault::kOnce);
    CHECK(open_segment(system, kFormat).outcome == Outcome::kIo);
    CHECK((system.contents(kPath) == bytes));
    CHECK(system.paths().size() == 1);
  }
}

TEST_CASE("R3: damage below what is known to be durable is loud") {
  Bytes bytes = segment_of(5);
  bytes[16 + 2 * kRecordBytes + 50] ^= 1;
  for (const uint64_t durable :
       {16 + 2 * kRecordBytes + 1, 16 + 5 * kRecordBytes}) {
    OpenOptions options;
    options.durable_offset = durable;
    const Result result = open_bytes(bytes, options);
    CHECK(result.outcome == Outcome::kCorrupt);
    CHECK(result.failure.offset == 16 + 2 * kRecordBytes);
    CHECK(result.is_untouched);
  }
  OpenOptions sealed;
  sealed.is_sealed = true;
  CHECK(open_bytes(bytes, sealed).outcome == Outcome::kCorrupt);
  CHECK(open_bytes(segment_of(5), sealed).outcome == Outcome::kOk);
  OpenOptions below;
  below.durable_offset = 16 + 2 * kRecordBytes;
  CHECK(open_bytes(bytes, below).outcome == Outcome::kOk);
}

TEST_CASE("R4: without a first record nothing is touched, unless asked to") {
  Bytes damaged = segment_of(3);
  damaged[20] ^= 1;
  Bytes zeroed = segment_of(3);
  std::fill(zeroed.begin() + 16, zeroed.begin() + 16 + 200, uint8_t{0});
  for (const Bytes& bytes : {damaged, zeroed}) {
    const Result refused = open_bytes(bytes);
    CHECK(refused.outcome == Outcome::kFormat);
    CHECK(refused.is_untouched);
    OpenOptions options;
    options.discard_unreadable = true;
    const Result discarded = open_bytes(bytes, options);
    CHECK(discarded.outcome == Outcome::kOk);
    CHECK(discarded.recovery.quarantined_bytes == 3 * kRecordBytes);
    CHECK(discarded.contents == Bytes(kSize));
  }
}

TEST_CASE("R5: zeros to the end are a clean end") {
  for (const uint32_t records : {0u, 1u, 7u}) {
    const Result result = open_bytes(segment_of(records));
    CHECK(result.outcome == Outcome::kOk);
    CHECK(result.recovery.records == records);
    CHECK(result.recovery.end_offset == 16 + records * kRecordBytes);
    CHECK(result.recovery.quarantined_bytes == 0);
    CHECK(result.is_untouched);
  }
}

TEST_CASE("R6: what is after the end is quarantined, then zeroed") {
  Bytes damaged = segment_of(6);
  damaged[16 + 2 * kRecordBytes + 50] ^= 1;
  Bytes zeroed = segment_of(6);
  std::fill_n(zeroed.begin() + 16 + 2 * kRecordBytes, 8, uint8_t{0});
  for (const Bytes& bytes : {damaged, zeroed}) {
    SimulatedFileSystem system;
    system.put(kPath, bytes);
    const Opened opened = open_segment(system, kFormat);
    REQUIRE(opened.outcome == Outcome::kOk);
    CHECK(opened.recovery.records == 2);
    CHECK(opened.recovery.end_offset == 16 + 2 * kRecordBytes);
    CHECK(opened.recovery.quarantined_bytes == 4 * kRecordBytes);
    CHECK(opened.recovery.valid_bytes_after == 3 * kRecordBytes);
    const Bytes quarantined = system.contents(opened.recovery.quarantine_path);
    CHECK(quarantined.size() == 4 * kRecordBytes);
    CHECK(std::equal(quarantined.begin(), quarantined.end(),
                     bytes.begin() + 16 + 2 * kRecordBytes));
    const Bytes after = system.contents(kPath);
    CHECK(std::all_of(after.begin() + 16 + 2 * kRecordBytes, after.end(),
                      [](uint8_t byte) { return byte == 0; }));
  }
}

TEST_CASE("the quarantined bytes are on disk before the first becomes zero") {
  Bytes bytes = segment_of(30);
  bytes[16 + 2 * kRecordBytes + 50] ^= 1;
  const auto torn = bytes.begin() + 16 + 2 * kRecordBytes;
  std::mt19937 random(3);
  for (uint64_t cut = 0; cut < 100; ++cut) {
    SimulatedFileSystem system;
    system.put(kPath, bytes);
    system.fail_at(cut, Fault::kPowerOff);
    open_segment(system, kFormat).writer.reset();
    if (system.has_power()) break;
    for (int image = 0; image < 50; ++image) {
      std::vector<uint32_t> choices;
      for (const uint32_t states : system.dirty_states()) {
        choices.push_back(random() % states);
      }
      const auto disk = system.crash(choices);
      const Bytes now = disk->contents(kPath);
      const Bytes quarantined = disk->contents(kPath + ".torn-1");
      const bool is_there =
          std::equal(torn, bytes.end(), now.begin() + (torn - bytes.begin()));
      const bool is_quarantined =
          quarantined.size() == 28 * kRecordBytes &&
          std::equal(quarantined.begin(), quarantined.end(), torn);
      CHECK((is_there || is_quarantined));
    }
  }
}

TEST_CASE("a redo file that is not of this file is loud") {
  const Bytes before = {1, 2, 3};
  const Bytes after = {4, 5, 6};
  RedoChange change = {30, before, after};
  for (const uint64_t offset : {uint64_t{30}, kSize - 2, UINT64_MAX}) {
    SimulatedFileSystem system;
    const Bytes bytes = segment_of(3);
    system.put(kPath, bytes);
    change.offset = offset;
    REQUIRE(store_redo(system, kPath, change).ok());
    const Opened opened = open_segment(system, kFormat);
    CHECK(opened.outcome == Outcome::kFormat);
    CHECK((system.contents(kPath) == bytes));
  }
  // The right bytes, but zeros to far after the file's end.
  SimulatedFileSystem system;
  const Bytes bytes = segment_of(3);
  system.put(kPath, bytes);
  change.offset = 30;
  change.old_bytes = std::span(bytes).subspan(30, 3);
  for (const uint64_t zero_end : {kSize + 1, uint64_t{1} << 50, UINT64_MAX}) {
    change.zero_end = zero_end;
    REQUIRE(system.remove(redo_path(kPath)).code != platform::IoCode::kFailed);
    REQUIRE(store_redo(system, kPath, change).ok());
    CHECK(open_segment(system, kFormat).outcome == Outcome::kFormat);
    CHECK((system.contents(kPath) == bytes));
  }
}

TEST_CASE("a redo file is replayed, whichever sectors it has reached") {
  SimulatedFileSystem system;
  Bytes bytes = segment_of(6);
  const Bytes before(bytes.begin() + 500, bytes.begin() + 530);
  const Bytes after(30, 9);
  const RedoChange change = {500, before, after};
  std::fill(bytes.begin() + 512, bytes.begin() + 530, uint8_t{9});
  system.put(kPath, bytes);
  REQUIRE(store_redo(system, kPath, change).ok());
  // It breaks a record's checksum, which is what shows here that it was done.
  CHECK(open_segment(system, kFormat).recovery.records == 4);
  CHECK(!system.exists(redo_path(kPath)));
  // Every byte of the redo file matters.
  SimulatedFileSystem source;
  REQUIRE(store_redo(source, kPath, change).ok());
  Bytes redo = source.contents(redo_path(kPath));
  for (size_t i = 0; i < redo.size(); ++i) {
    SimulatedFileSystem torn;
    torn.put(kPath, segment_of(6));
    redo[i] ^= 0x10;
    torn.put(redo_path(kPath), redo);
    redo[i] ^= 0x10;
    CHECK(open_segment(torn, kFormat).recovery.records == 6);
    CHECK(!torn.exists(redo_path(kPath)));
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::durable
