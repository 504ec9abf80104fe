#include "core/durable/segment/segment_writer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

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
using Fault = SimulatedFileSystem::Fault;

constexpr SegmentFormat kPlain{0, 0, Crc32Kind::kCastagnoli};
constexpr SegmentFormat kWithHeader{64, 8, Crc32Kind::kIsoHdlc};

uint64_t sync(SegmentWriter& writer) {
  uint64_t flushed = 0;
  REQUIRE(writer.sync(&flushed) == Outcome::kOk);
  return flushed;
}

TEST_SUITE_BEGIN("segment writer");

TEST_CASE("what is appended is in the file, as the format says") {
  for (const SegmentFormat& format : {kPlain, kWithHeader}) {
    SimulatedFileSystem system;
    Opened segment = create_segment(system, format, 1 << 20);
    REQUIRE(segment.outcome == Outcome::kOk);
    std::vector<Stored> expected;
    uint64_t next = format.start_offset;
    // From nothing to more than the buffer.
    for (const size_t bytes : {0, 1, 7, 64, 500, 4000, 70'000, 3, 0, 65'536}) {
      const auto seed = static_cast<uint32_t>(expected.size());
      expected.push_back(
          {payload(seed, format.header_bytes), payload(seed + 100, bytes)});
      uint64_t offset = 0;
      REQUIRE(append_record(*segment.writer, expected.back(), &offset) ==
              Outcome::kOk);
      CHECK(offset == next);
      next += 8 + format.header_bytes + bytes;
      CHECK(segment.writer->write_offset() == next);
      CHECK(segment.writer->remaining() == (1 << 20) - next);
    }
    CHECK(segment.writer->flushed_offset() == format.start_offset);
    CHECK(sync(*segment.writer) == next);
    CHECK(segment.writer->flushed_offset() == next);
    CHECK(parse_independently(system.contents(kPath), format) == expected);
    segment.writer.reset();
    const Opened again = open_segment(system, format);
    REQUIRE(again.outcome == Outcome::kOk);
    CHECK(again.recovery.records == expected.size());
    CHECK(again.recovery.end_offset == next);
    CHECK(again.recovery.quarantined_bytes == 0);
    CHECK(again.writer->write_offset() == next);
  }
}

TEST_CASE("records that the owner puts there and packed ones are the same") {
  SimulatedFileSystem one, two, three;
  Opened first = create_segment(one, kWithHeader, 1 << 20);
  Opened second = create_segment(two, kWithHeader, 1 << 20);
  Opened third = create_segment(three, kWithHeader, 1 << 20);
  Bytes packed;
  std::vector<uint32_t> lengths;
  for (uint32_t i = 0; i < 300; ++i) {
    const Stored record{payload(i, 8), payload(i + 7, i * 5 % 900)};
    REQUIRE(append_record(*first.writer, record) == Outcome::kOk);
    const auto length = static_cast<uint32_t>(8 + record.data.size());
    lengths.push_back(length);
    packed.insert(packed.end(), record.header.begin(), record.header.end());
    packed.insert(packed.end(), record.data.begin(), record.data.end());
    if (8 + length > SegmentWriter::kBufferBytes - third.writer->buffered()) {
      REQUIRE(third.writer->flush() == Outcome::kOk);
    }
    const size_t at = third.writer->buffered();
    store_u32(third.buffer.get() + at, length);
    std::copy(packed.end() - length, packed.end(), third.buffer.get() + at + 8);
    REQUIRE(third.writer->complete(at + 8 + length) == Outcome::kOk);
  }
  uint64_t offset = 0;
  REQUIRE(second.writer->append_packed(packed.data(), lengths.data(),
                                       lengths.size(),
                                       &offset) == Outcome::kOk);
  CHECK(offset == 64);
  for (SegmentWriter* writer :
       {first.writer.get(), second.writer.get(), third.writer.get()}) {
    sync(*writer);
  }
  CHECK(parse_independently(one.contents(kPath), kWithHeader).size() == 300);
  CHECK((one.contents(kPath) == two.contents(kPath)));
  CHECK((one.contents(kPath) == three.contents(kPath)));
}

TEST_CASE("a file is filled to its last byte, and no further") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kPlain, 1024);
  for (uint32_t i = 0; i < 8; ++i) {
    REQUIRE(append_record(*segment.writer, {{}, payload(i, 120)}) ==
            Outcome::kOk);
  }
  CHECK(segment.writer->remaining() == 0);
  CHECK(append_record(*segment.writer, {{}, {}}) == Outcome::kFull);
  CHECK(segment.writer->failure().value == 0);
  CHECK(sync(*segment.writer) == 1024);
  segment.writer.reset();
  const Opened again = open_segment(system, kPlain);
  CHECK(again.recovery.records == 8);
  CHECK(again.recovery.end_offset == 1024);
}

TEST_CASE("a batch that does not fit leaves everything as it was") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kPlain, 100);
  const Bytes bytes = payload(1, 90);
  const std::vector<uint32_t> lengths = {40, 50};
  uint64_t offset = 0;
  CHECK(segment.writer->append_packed(bytes.data(), lengths.data(), 2,
                                      &offset) == Outcome::kFull);
  CHECK(segment.writer->failure().offset == 106);
  CHECK(segment.writer->failure().value == 100);
  CHECK(segment.writer->write_offset() == 0);
  CHECK(append_record(*segment.writer, {{}, payload(1, 92)}) == Outcome::kOk);
}

TEST_CASE("truncation zeroes, and the next append lands at the new end") {
  for (const uint32_t kept : {0u, 1u, 4u, 9u, 10u}) {
    CAPTURE(kept);
    SimulatedFileSystem system;
    Opened segment = create_segment(system, kPlain, 4096);
    std::vector<Stored> expected;
    for (uint32_t i = 0; i < 10; ++i) {
      expected.push_back({{}, payload(i, 32)});
      REQUIRE(append_record(*segment.writer, expected.back()) == Outcome::kOk);
    }
    REQUIRE(segment.writer->set_length(kept * 40) == Outcome::kOk);
    expected.resize(kept);
    CHECK(segment.writer->write_offset() == kept * 40);
    expected.push_back({{}, payload(77, 32)});
    REQUIRE(append_record(*segment.writer, expected.back()) == Outcome::kOk);
    sync(*segment.writer);
    CHECK(parse_independently(system.contents(kPath), kPlain) == expected);
    segment.writer.reset();
    const Opened again = open_segment(system, kPlain);
    CHECK(again.recovery.records == kept + 1);
    CHECK(again.recovery.quarantined_bytes == 0);
    CHECK(system.paths() == std::vector<std::string>{kPath});
  }
}

TEST_CASE("a replaced header is there after opening again") {
  // The second record's header crosses a sector, the others' do not.
  for (const uint32_t which : {0u, 1u, 2u}) {
    SimulatedFileSystem system;
    Opened segment = create_segment(system, kWithHeader, 4096);
    std::vector<Stored> expected;
    for (const size_t bytes : {424, 700, 10}) {
      const auto i = static_cast<uint32_t>(expected.size());
      expected.push_back({payload(i, 8), payload(i, bytes)});
      REQUIRE(append_record(*segment.writer, expected.back()) == Outcome::kOk);
    }
    const std::vector<uint64_t> offsets = {64, 64 + 440, 64 + 440 + 716};
    expected[which].header = payload(99, 8);
    REQUIRE(segment.writer->replace_header(
                offsets[which], expected[which].header.data()) == Outcome::kOk);
    CHECK(parse_independently(system.contents(kPath), kWithHeader) == expected);
    CHECK(system.paths() == std::vector<std::string>{kPath});
    segment.writer.reset();
    CHECK(open_segment(system, kWithHeader).recovery.records == 3);
  }
}

TEST_CASE("the flushed cells follow syncs only") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kPlain, 4096);
  FlushedCells cells;
  segment.writer->attach(&cells);
  FlushedOffset flushed(&cells);
  REQUIRE(append_record(*segment.writer, {{}, payload(1, 12)}) == Outcome::kOk);
  REQUIRE(segment.writer->flush() == Outcome::kOk);
  CHECK(flushed.acquire() == 0);
  sync(*segment.writer);
  CHECK(flushed.acquire() == 20);
  const uint64_t generation = flushed.generation();
  CHECK(flushed.is_unchanged(generation));
  REQUIRE(segment.writer->set_length(0) == Outcome::kOk);
  CHECK(flushed.acquire() == 0);
  CHECK(!flushed.is_unchanged(generation));
  CHECK(flushed.is_unchanged(flushed.generation()));
}

TEST_CASE("a sync that began before a truncation proves nothing after it") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kPlain, 4096);
  SegmentWriter& writer = *segment.writer;
  REQUIRE(append_record(writer, {{}, payload(1, 100)}) == Outcome::kOk);
  SegmentWriter::SyncTicket ticket;
  REQUIRE(writer.begin_sync(&ticket) == Outcome::kOk);
  const Outcome synced = writer.sync_file();
  REQUIRE(writer.set_length(0) == Outcome::kOk);
  REQUIRE(append_record(writer, {{}, payload(2, 100)}) == Outcome::kOk);
  uint64_t flushed = 1;
  REQUIRE(writer.finish_sync(ticket, synced, &flushed) == Outcome::kOk);
  CHECK(flushed == 0);
  CHECK(writer.flushed_offset() == 0);
}

TEST_CASE(
    "a truncation that a lack of descriptors refused takes nothing from a "
    "sync") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kPlain, 4096);
  SegmentWriter& writer = *segment.writer;
  REQUIRE(append_record(writer, {{}, payload(1, 100)}) == Outcome::kOk);
  SegmentWriter::SyncTicket ticket;
  REQUIRE(writer.begin_sync(&ticket) == Outcome::kOk);
  const Outcome synced = writer.sync_file();
  system.count_only("open");
  system.fail_at(0, Fault::kOnce, platform::IoCode::kNoDescriptor);
  REQUIRE(writer.set_length(0) == Outcome::kIo);
  REQUIRE(writer.failure().io.is_shortage());
  uint64_t flushed = 0;
  REQUIRE(writer.finish_sync(ticket, synced, &flushed) == Outcome::kOk);
  CHECK(flushed == 108);
  CHECK(writer.flushed_offset() == 108);
}

TEST_CASE("the application's header is the application's") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kWithHeader, 4096);
  const Bytes bytes = payload(5, 10);
  REQUIRE(segment.writer->write_application_header(54, bytes.data(), 10) ==
          Outcome::kOk);
  Bytes header(64);
  REQUIRE(segment.writer->read_application_header(header.data()) ==
          Outcome::kOk);
  CHECK(std::equal(bytes.begin(), bytes.end(), header.begin() + 54));
  for (const auto& [at, count] :
       {std::pair<uint64_t, size_t>{55, 10}, {65, 0}, {UINT64_MAX, 1}}) {
    CHECK(segment.writer->write_application_header(at, bytes.data(), count) ==
          Outcome::kOutOfRange);
  }
}

TEST_CASE("short writes and interrupts change nothing") {
  SimulatedFileSystem system;
  system.set_step_bytes(1);
  system.set_interrupts(true);
  Opened segment = create_segment(system, kWithHeader, 2048);
  REQUIRE(segment.outcome == Outcome::kOk);
  const std::vector<Stored> expected = {{payload(1, 8), payload(2, 300)},
                                        {payload(3, 8), payload(4, 200)}};
  for (const Stored& record : expected) {
    REQUIRE(append_record(*segment.writer, record) == Outcome::kOk);
  }
  sync(*segment.writer);
  CHECK(parse_independently(system.contents(kPath), kWithHeader) == expected);
  segment.writer.reset();
  CHECK(open_segment(system, kWithHeader).recovery.records == 2);
}

// --- Error paths.

TEST_CASE("a file has one writer") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kPlain, 4096);
  CHECK(open_segment(system, kPlain).outcome == Outcome::kLocked);
  CHECK(create_segment(system, kPlain, 4096).failure.io.code ==
        IoCode::kExists);
  CHECK(system.exists(kPath));
  segment.writer.reset();
  CHECK(open_segment(system, kPlain).outcome == Outcome::kOk);
}

TEST_CASE("two files may be written at once, on any disks") {
  SimulatedFileSystem one, two;
  const Opened first = create_segment(one, kPlain, 4096);
  const Opened second = create_segment(two, kPlain, 4096);
  CHECK(first.outcome == Outcome::kOk);
  CHECK(second.outcome == Outcome::kOk);
}

TEST_CASE("a creation that fails leaves no name") {
  for (const char* const operation : {"preallocate", "sync_all", "lock"}) {
    SimulatedFileSystem system;
    system.count_only(operation);
    system.fail_at(0, Fault::kOnce, IoCode::kNoSpace);
    const Opened segment = create_segment(system, kPlain, 4096);
    CHECK(segment.outcome == Outcome::kIo);
    CHECK(segment.failure.io.code == IoCode::kNoSpace);
    CHECK(!system.exists(kPath));
    CHECK(create_segment(system, kPlain, 4096).outcome == Outcome::kOk);
  }
}

TEST_CASE("offsets that are not a record's are refused") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kWithHeader, 4096);
  for (uint32_t i = 0; i < 3; ++i) {
    REQUIRE(append_record(*segment.writer, {payload(i, 8), payload(i, 100)}) ==
            Outcome::kOk);
  }
  const Bytes header = payload(9, 8);
  for (const uint64_t offset :
       {uint64_t{0}, uint64_t{63}, uint64_t{413}, uint64_t{4096}, UINT64_MAX}) {
    CAPTURE(offset);
    CHECK(segment.writer->set_length(offset) == Outcome::kOutOfRange);
    CHECK(segment.writer->replace_header(offset, header.data()) ==
          Outcome::kOutOfRange);
  }
  CHECK(segment.writer->replace_header(412, header.data()) ==
        Outcome::kOutOfRange);
  for (const uint64_t offset : {uint64_t{65}, uint64_t{72}, uint64_t{200}}) {
    CHECK(segment.writer->set_length(offset) == Outcome::kChecksum);
    CHECK(segment.writer->replace_header(offset, header.data()) ==
          Outcome::kChecksum);
  }
  sync(*segment.writer);
  CHECK(parse_independently(system.contents(kPath), kWithHeader).size() == 3);
}

TEST_CASE("records of the owner that are none are refused, whatever he says") {
  SimulatedFileSystem system;
  Opened segment = create_segment(system, kWithHeader, 4096);
  SegmentWriter& writer = *segment.writer;
  uint8_t* const buffer = segment.buffer.get();
  // Longer than what is there, shorter than its header, nothing, cut off.
  for (const auto& [length, end] : {std::pair<uint32_t, size_t>{93, 100},
                                    {7, 100},
                                    {0, 8},
                                    {0, 5},
                                    {8, 24},
                                    {UINT32_MAX, 100}}) {
    store_u32(buffer, length);
    store_u32(buffer + 16, 1000);
    CHECK(writer.complete(end) == Outcome::kOutOfRange);
    CHECK(writer.buffered() == 0);
  }
  CHECK(writer.complete(SegmentWriter::kBufferBytes + 1) ==
        Outcome::kOutOfRange);
  CHECK(writer.complete(4096) == Outcome::kFull);
  CHECK(writer.write_offset() == 64);
  REQUIRE(append_record(writer, {payload(1, 8), payload(1, 10)}) ==
          Outcome::kOk);
  CHECK(writer.complete(25) == Outcome::kOutOfRange);
  CHECK(writer.complete(26) == Outcome::kOk);
  CHECK(sync(writer) == 64 + 26);
}

// G9.
TEST_CASE("a failed write or sync poisons the writer for good") {
  for (const char* const operation : {"write", "sync_data"}) {
    for (const Fault fault : {Fault::kOnce, Fault::kForEver}) {
      CAPTURE(operation);
      SimulatedFileSystem system;
      Opened segment = create_segment(system, kPlain, 8192);
      SegmentWriter& writer = *segment.writer;
      FlushedCells cells;
      writer.attach(&cells);
      REQUIRE(append_record(writer, {{}, payload(1, 100)}) == Outcome::kOk);
      sync(writer);
      REQUIRE(append_record(writer, {{}, payload(2, 100)}) == Outcome::kOk);
      system.count_only(operation);
      system.fail_at(0, fault, IoCode::kNoSpace);
      uint64_t flushed = 0;
      CHECK(writer.sync(&flushed) == Outcome::kIo);
      CHECK(writer.failure().io.code == IoCode::kNoSpace);
      const uint64_t syncs = system.syncs();
      CHECK(writer.sync(&flushed) == Outcome::kPoisoned);
      CHECK(writer.failure().io.code == IoCode::kNoSpace);
      CHECK(writer.flush() == Outcome::kPoisoned);
      CHECK(append_record(writer, {{}, payload(3, 1)}) == Outcome::kPoisoned);
      CHECK(writer.complete(9) == Outcome::kPoisoned);
      CHECK(writer.set_length(0) == Outcome::kPoisoned);
      CHECK(writer.replace_header(0, nullptr) == Outcome::kPoisoned);
      CHECK(writer.write_application_header(0, nullptr, 0) ==
            Outcome::kPoisoned);
      CHECK(system.syncs() == syncs);
      CHECK(FlushedOffset(&cells).acquire() == 108);
      CHECK(writer.flushed_offset() == 108);
    }
  }
}

TEST_CASE("a failed truncation or change of a header poisons too") {
  for (const bool truncates : {false, true}) {
    for (const char* const operation : {"write", "sync_data"}) {
      SimulatedFileSystem system;
      Opened segment = create_segment(system, kWithHeader, 8192);
      REQUIRE(append_record(*segment.writer,
                            {payload(1, 8), payload(1, 100)}) == Outcome::kOk);
      sync(*segment.writer);
      system.count_only(operation);
      system.fail_at(0, Fault::kOnce);
      const Bytes header = payload(3, 8);
      CHECK((truncates ? segment.writer->set_length(64)
                       : segment.writer->replace_header(64, header.data())) ==
            Outcome::kIo);
      uint64_t flushed = 0;
      CHECK(segment.writer->sync(&flushed) == Outcome::kPoisoned);
    }
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::durable
