// Any bytes as a segment file, and as the redo file next to it:
// opened for writing, opened for reading, decompressed.
//
//   0             1             2      3          4         4+p
//   +-------------+-------------+------+----------+---------+------+
//   | startOffset | header size | bits | p        | redo    | file |
//   +-------------+-------------+------+----------+---------+------+
//
// The bits are those of Bits. kSeals makes the checksums right first, so that
// the fuzzer gets past them.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "core/durable/compression.h"
#include "core/durable/record_format.h"
#include "core/durable/redo_file.h"
#include "support/segment_fixture.h"

namespace atomic_log::durable {
namespace {

using test::append_record;
using test::Bytes;
using test::kPath;
using test::open_segment;
using test::Opened;
using test::parse_independently;
using test::SimulatedFileSystem;
using test::Stored;

enum Bits : uint8_t {
  kIsoHdlc = 1,
  kSeals = 2,
  kDiscards = 4,
  kIsSealed = 8,
  kHasRedo = 16,
  kKnowsDurable = 32,
  kOneByteSteps = 64,
};

// More than any input decompresses to in a moment.
constexpr uint32_t kDataBytesMax = 1 << 20;

void expect(bool is_so, const char* what) {
  if (is_so) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

struct Input {
  SegmentFormat format;
  uint8_t bits = 0;
  Bytes redo;
  Bytes file;
};

void seal_records(Input& input) {
  const RecordCodec codec(input.format);
  uint64_t at = input.format.start_offset;
  while (at < input.file.size()) {
    uint8_t* const record = &input.file[static_cast<size_t>(at)];
    const uint64_t available = input.file.size() - at;
    if (codec.classify_head(record, available) != Verdict::kRecord) break;
    codec.seal(record);
    at += record_bytes_of(load_u32(record));
  }
  if (input.redo.size() > 4) {
    const size_t checked = input.redo.size() - 4;
    store_u32(&input.redo[checked],
              crc32(Crc32Kind::kCastagnoli, 0, input.redo.data(), checked));
  }
}

bool take_apart(const uint8_t* data, size_t bytes, Input* input) {
  if (bytes < 4) return false;
  input->format.start_offset = data[0] % 80;
  input->format.header_bytes = data[1] % 24;
  input->bits = data[2];
  const bool is_iso = (data[2] & kIsoHdlc) != 0;
  input->format.checksum =
      is_iso ? Crc32Kind::kIsoHdlc : Crc32Kind::kCastagnoli;
  const size_t redo =
      (data[2] & kHasRedo) != 0 ? std::min<size_t>(data[3], bytes - 4) : 0;
  input->redo.assign(data + 4, data + 4 + redo);
  input->file.assign(data + 4 + redo, data + bytes);
  if ((input->bits & kSeals) != 0) seal_records(*input);
  return true;
}

void put(SimulatedFileSystem& system, const Input& input) {
  system.put(kPath, input.file);
  if ((input.bits & kHasRedo) != 0) {
    system.put(redo_path(kPath), input.redo);
  }
  if ((input.bits & kOneByteSteps) != 0) system.set_step_bytes(1);
}

// A reader shows what an independent reading finds, and nothing else.
void check_reader(const Input& input) {
  SimulatedFileSystem system;
  put(system, input);
  std::shared_ptr<SegmentSource> source;
  Failure failure;
  const Outcome opened = SegmentSource::open(system, kPath, input.format, false,
                                             &source, &failure);
  if (input.file.size() <= input.format.start_offset) {
    expect(opened == Outcome::kFormat, "a file without records is refused");
    return;
  }
  expect(opened == Outcome::kOk, "a file of any bytes can be read");
  SegmentReader reader(source);
  const auto expected = parse_independently(input.file, input.format);
  uint32_t words[8];
  SegmentReader::Run run;
  uint64_t at = input.format.start_offset;
  size_t seen = 0;
  while (reader.read(at, ReadHint::kSequential, words, 8, &run) ==
         Outcome::kOk) {
    const uint8_t* record = run.bytes;
    for (size_t i = 0; i < run.count; ++i) {
      expect(seen < expected.size(), "no record that is none");
      const Stored& stored = expected[seen++];
      const size_t body = stored.header.size() + stored.data.size();
      expect(body_bytes_of(words[i]) == body, "the length is right");
      expect(std::equal(stored.data.begin(), stored.data.end(),
                        record + kHeadBytes + stored.header.size()),
             "the data is right");
      record += kHeadBytes + body;
    }
    at += run.total_bytes;
  }
  expect(seen == expected.size(), "every record");
  // Offsets, of a record or not: every one of a short file.
  const uint64_t step = 1 + input.file.size() / 64;
  for (uint64_t offset = 0; offset <= input.file.size(); offset += step) {
    const Outcome outcome =
        reader.read(offset, ReadHint::kRandom, words, 1, &run);
    expect(outcome == Outcome::kOk || outcome == Outcome::kOutOfRange ||
               outcome == Outcome::kNoRecord || outcome == Outcome::kChecksum,
           "an outcome that there is");
  }
}

void check_decompression(const Input& input) {
  uint64_t at = input.format.start_offset;
  for (const Stored& record : parse_independently(input.file, input.format)) {
    const uint32_t word = load_u32(&input.file[static_cast<size_t>(at)]);
    at += record_bytes_of(word);
    if ((word & kCompressedBit) == 0) continue;
    const uint32_t bytes = load_u32(record.data.data());
    if (bytes > kDataBytesMax) continue;
    Bytes data(bytes);
    decompress(record.data.data(), record.data.size(), data.data(), bytes);
  }
}

void check_opened(SimulatedFileSystem& system, const Input& input,
                  Opened opened) {
  const Bytes before = system.contents(kPath);
  const uint64_t end = opened.recovery.end_offset;
  const auto found = parse_independently(before, input.format);
  expect(found.size() == opened.recovery.records, "the count of records");
  expect(is_zero(before.data() + end, before.size() - end),
         "zeros after the end");
  if (input.redo.empty()) {
    expect(found == parse_independently(input.file, input.format),
           "the records that were there");
    if (opened.recovery.quarantined_bytes > 0) {
      const Bytes quarantined =
          system.contents(opened.recovery.quarantine_path);
      expect(std::equal(quarantined.begin(), quarantined.end(),
                        input.file.begin() + static_cast<ptrdiff_t>(end)),
             "what was quarantined is what was there");
    }
  }
  // A record more, and again.
  const Stored record{Bytes(input.format.header_bytes, 7), Bytes(3, 9)};
  const Outcome appended = append_record(*opened.writer, record);
  expect(appended == Outcome::kOk || appended == Outcome::kFull, "append");
  uint64_t flushed = 0;
  expect(opened.writer->sync(&flushed) == Outcome::kOk, "sync");
  opened.writer.reset();
  OpenOptions sealed;
  sealed.is_sealed = true;
  const Opened again = open_segment(system, input.format, sealed);
  expect(again.outcome == Outcome::kOk, "what was opened opens again");
  expect(again.recovery.records ==
             found.size() + (appended == Outcome::kOk ? 1 : 0),
         "with the record that was appended");
}

void check_writer(const Input& input) {
  SimulatedFileSystem system;
  put(system, input);
  OpenOptions options;
  options.discard_unreadable = (input.bits & kDiscards) != 0;
  options.is_sealed = (input.bits & kIsSealed) != 0;
  if ((input.bits & kKnowsDurable) != 0) {
    options.durable_offset = input.file.size() / 2;
  }
  Opened opened = open_segment(system, input.format, options);
  if (opened.outcome == Outcome::kOk) {
    check_opened(system, input, std::move(opened));
    return;
  }
  expect(
      opened.outcome == Outcome::kFormat || opened.outcome == Outcome::kCorrupt,
      "refused for what it is");
  if (input.redo.empty()) {
    expect(system.contents(kPath) == input.file, "refused and left alone");
  }
}

}  // namespace
}  // namespace atomic_log::durable

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  using namespace atomic_log::durable;
  Input input;
  if (!take_apart(data, bytes, &input)) return 0;
  check_reader(input);
  check_decompression(input);
  check_writer(input);
  return 0;
}
