// Checking and sealing several records at a time gives what one at a time does,
// for records of any length and for any damage.
#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/durable/record_scanner.h"
#include "support/segment_fixture.h"

namespace atomic_log::durable {
namespace {

using test::Bytes;
using test::kPath;
using test::SimulatedFileSystem;

// Around the steps of the instruction, and where folding begins.
constexpr uint32_t kLengths[] = {0,   1,   3,   4,    7,    8,   9,   12,
                                 15,  16,  63,  64,   65,   100, 504, 511,
                                 512, 513, 520, 1023, 1024, 5000};

struct Found {
  uint64_t offset;
  uint32_t length_word;
  bool operator==(const Found&) const = default;
};

struct Walk {
  std::vector<Found> records;
  Verdict verdict = Verdict::kRecord;
  uint64_t end = 0;
  bool operator==(const Walk&) const = default;
};

class Choices {
 public:
  explicit Choices(uint32_t seed) : engine_(seed) {}
  uint32_t below(size_t count) {
    return static_cast<uint32_t>(engine_() % count);
  }
  bool one_in(uint32_t count) { return below(count) == 0; }

 private:
  std::mt19937 engine_;
};

SegmentFormat any_format(Choices& choose) {
  SegmentFormat format;
  format.start_offset = choose.one_in(2) ? 0 : choose.below(600);
  format.header_bytes = choose.one_in(2) ? 0 : choose.below(20);
  if (choose.one_in(4)) format.checksum = Crc32Kind::kIsoHdlc;
  return format;
}

// Records that are not sealed yet, from `format.start_offset` on.
Bytes any_records(const SegmentFormat& format, Choices& choose) {
  Bytes file(static_cast<size_t>(format.start_offset));
  const bool is_regular = choose.one_in(2);
  const uint32_t regular = kLengths[choose.below(std::size(kLengths))];
  for (uint32_t left = choose.below(40); left > 0; --left) {
    const bool is_usual = is_regular && !choose.one_in(8);
    uint32_t length =
        is_usual ? regular : kLengths[choose.below(std::size(kLengths))];
    length += format.header_bytes;
    const bool is_compressed =
        length >= format.header_bytes + kOriginalSizeBytes && choose.one_in(9);
    const size_t at = file.size();
    file.resize(at + kHeadBytes + length);
    store_u32(&file[at], is_compressed ? length | kCompressedBit : length);
    for (size_t i = at + kHeadBytes; i < file.size(); ++i) {
      file[i] = static_cast<uint8_t>(choose.below(256));
    }
  }
  return file;
}

void seal_one_by_one(const RecordCodec& codec, Bytes& file, uint64_t from) {
  for (auto at = static_cast<size_t>(from); at < file.size();) {
    codec.seal(&file[at]);
    at += static_cast<size_t>(record_bytes_of(load_u32(&file[at])));
  }
}

void damage(Bytes& file, Choices& choose) {
  file.resize(file.size() + choose.below(40));
  if (file.empty()) return;
  for (uint32_t left = choose.below(3); left > 0; --left) {
    file[choose.below(file.size())] ^= uint8_t{1} << choose.below(8);
  }
  if (choose.one_in(8)) file.resize(choose.below(file.size()) + 1);
}

// All of it is in memory: the definition, to compare everything else with.
Walk walk_one_by_one(const RecordCodec& codec, const Bytes& file,
                     uint64_t from) {
  Walk walk;
  walk.end = from;
  for (;;) {
    const uint8_t* const record = file.data() + walk.end;
    walk.verdict = codec.classify(record, file.size() - walk.end);
    if (walk.verdict != Verdict::kRecord) return walk;
    walk.records.push_back({walk.end, load_u32(record)});
    walk.end += record_bytes_of(load_u32(record));
  }
}

Walk walk_by_scanner(SimulatedFileSystem& system, const SegmentFormat& format,
                     const Bytes& file) {
  std::unique_ptr<platform::File> opened;
  REQUIRE(system.open(kPath, platform::OpenMode::kRead, &opened).ok());
  RecordScanner scanner(*opened, format, format.start_offset, file.size());
  Walk walk;
  while ((walk.verdict = scanner.next()) == Verdict::kRecord) {
    walk.records.push_back({scanner.offset(), scanner.length_word()});
    CHECK(scanner.end_offset() ==
          scanner.offset() + record_bytes_of(scanner.length_word()));
  }
  walk.end = scanner.offset();
  return walk;
}

uint64_t count_by_scanner(SimulatedFileSystem& system,
                          const SegmentFormat& format, const Bytes& file) {
  std::unique_ptr<platform::File> opened;
  REQUIRE(system.open(kPath, platform::OpenMode::kRead, &opened).ok());
  RecordScanner scanner(*opened, format, format.start_offset, file.size());
  uint64_t records = 0;
  while (scanner.next() == Verdict::kRecord) {
    records += 1 + scanner.pass_checked();
  }
  return records;
}

TEST_SUITE_BEGIN("record lanes");

TEST_CASE("several at a time: sealed and found as one by one, damaged or not") {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    Choices choose(seed);
    const SegmentFormat format = any_format(choose);
    const RecordCodec codec(format);
    Bytes file = any_records(format, choose);
    Bytes sealed = file;
    seal_one_by_one(codec, file, format.start_offset);
    // What was in the place of the checksums does not matter.
    for (size_t at = format.start_offset; choose.one_in(2) && at < file.size();
         at += record_bytes_of(load_u32(&file[at]))) {
      store_u32(&sealed[at + kChecksumOffset], choose.below(UINT32_MAX));
    }
    codec.seal_all(sealed.data() + format.start_offset,
                   sealed.size() - format.start_offset);
    REQUIRE(sealed == file);

    damage(file, choose);
    if (file.size() <= format.start_offset) continue;
    const Walk expected = walk_one_by_one(codec, file, format.start_offset);
    // Never more than what is intact, and of that all but the last two.
    const RecordRun run = codec.pass_intact(file.data() + format.start_offset,
                                            file.size() - format.start_offset);
    REQUIRE(run.records <= expected.records.size());
    if (run.records < expected.records.size()) {
      CHECK(format.start_offset + run.bytes ==
            expected.records[static_cast<size_t>(run.records)].offset);
    } else {
      CHECK(format.start_offset + run.bytes == expected.end);
    }
#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)
    if (format.checksum == Crc32Kind::kCastagnoli && has_crc32c_instruction()) {
      CHECK(run.records + 3 > expected.records.size());
    }
#endif

    SimulatedFileSystem system;
    system.put(kPath, file);
    REQUIRE(walk_by_scanner(system, format, file) == expected);
    CHECK(count_by_scanner(system, format, file) == expected.records.size());
  }
}

TEST_CASE(
    "several at a time: a file longer than the buffer, damaged anywhere") {
  constexpr SegmentFormat kFormat{0, 0, Crc32Kind::kCastagnoli};
  const RecordCodec codec(kFormat);
  for (const uint32_t length : {64, 700, 90'001}) {
    CAPTURE(length);
    Bytes whole;
    while (whole.size() < 700'000) {
      const size_t at = whole.size();
      whole.resize(at + kHeadBytes + length, static_cast<uint8_t>(at));
      store_u32(&whole[at], length);
    }
    seal_one_by_one(codec, whole, 0);
    Choices choose(length);
    for (int i = 0; i < 40; ++i) {
      Bytes file = whole;
      if (i > 0) file[choose.below(file.size())] ^= 4;
      SimulatedFileSystem system;
      system.put(kPath, file);
      const Walk expected = walk_one_by_one(codec, file, 0);
      REQUIRE(walk_by_scanner(system, kFormat, file) == expected);
      CHECK(count_by_scanner(system, kFormat, file) == expected.records.size());
    }
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::durable
