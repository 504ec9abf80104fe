// A record of a segment file. All numbers are little-endian; nothing is
// aligned or padded. Records follow each other from the file's start offset.
//
//   0        4          8                8+H                  8+length
//   +--------+----------+----------------+--------------------+
//   | length | checksum | header (H)     | data               |
//   +--------+----------+----------------+--------------------+
//
//   length    bits 0-30: bytes of header and stored data
//             bit 31: the data is compressed; it is then the original size
//             (u32) and one zstd frame. The header is never compressed.
//   checksum  of the four bytes of length as stored, then of header and data
//   H         the same for all records of a file; not written anywhere
//
// Eight zero bytes, or fewer than eight where the file ends, are the end of the
// log. A record without header and data is legal: its length is 0, and its
// checksum is not.
//
// The layout is that of the Rust crate seglog. docs/format.md has an example.
#ifndef ATOMIC_LOG_CORE_DURABLE_RECORD_FORMAT_H_
#define ATOMIC_LOG_CORE_DURABLE_RECORD_FORMAT_H_

#include <algorithm>
#include <cstdint>

#include "core/base/check.h"
#include "core/base/crc32.h"
#include "core/base/crc32_instruction.h"
#include "core/base/little_endian.h"

namespace atomic_log::durable {

inline constexpr uint32_t kHeadBytes = 8;
inline constexpr uint32_t kChecksumOffset = 4;
inline constexpr uint32_t kCompressedBit = uint32_t{1} << 31;
inline constexpr uint32_t kBodyBytesMax = kCompressedBit - 1;
// Before the frame of a compressed record.
inline constexpr uint32_t kOriginalSizeBytes = 4;
// What a disk writes whole or not at all.
inline constexpr uint64_t kSectorBytes = 512;

static_assert(kChecksumOffset + sizeof(uint32_t) == kHeadBytes);

// What one must know to read a file; it is not written into it.
struct SegmentFormat {
  uint64_t start_offset = 0;
  uint32_t header_bytes = 0;
  Crc32Kind checksum = Crc32Kind::kCastagnoli;
};

enum class Verdict : uint8_t {
  kRecord,
  // The end of the log.
  kEnd,
  // Neither a record nor the end.
  kBad,
  kReadFailed,
};

inline uint32_t body_bytes_of(uint32_t length_word) {
  return length_word & ~kCompressedBit;
}

inline uint64_t record_bytes_of(uint32_t length_word) {
  return uint64_t{kHeadBytes} + body_bytes_of(length_word);
}

inline bool is_zero(const uint8_t* bytes, size_t count) {
  uint8_t any = 0;
  for (size_t i = 0; i < count; ++i) any |= bytes[i];
  return any == 0;
}

// Records that follow one another.
struct RecordRun {
  uint64_t bytes = 0;
  uint64_t records = 0;
};

// The one place that computes and checks. Immutable: any thread.
class RecordCodec {
 public:
  explicit RecordCodec(const SegmentFormat& format)
      : header_bytes_(format.header_bytes),
        crc_(crc32_function(format.checksum)),
        has_lanes_(format.checksum == Crc32Kind::kCastagnoli &&
                   has_crc32c_instruction()) {}

  uint32_t header_bytes() const { return header_bytes_; }

  // The checksum of a length word; body() continues it.
  uint32_t begin(const uint8_t* length_word) const {
    return crc_(0, length_word, kChecksumOffset);
  }
  uint32_t body(uint32_t checksum, const uint8_t* bytes, size_t count) const {
    return crc_(checksum, bytes, count);
  }

  // Whether a record can begin here, by its head alone. `available` counts the
  // bytes up to the end of what may hold records; `head` has kHeadBytes of
  // them, or all. kRecord: the length is possible, the checksum is not checked.
  Verdict classify_head(const uint8_t* head, uint64_t available) const {
    if (available < kHeadBytes) {
      return is_zero(head, static_cast<size_t>(available)) ? Verdict::kEnd
                                                           : Verdict::kBad;
    }
    const uint32_t word = load_u32(head);
    if (word == 0 && load_u32(head + kChecksumOffset) == 0) {
      return Verdict::kEnd;
    }
    const uint32_t least =
        header_bytes_ + ((word & kCompressedBit) != 0 ? kOriginalSizeBytes : 0);
    const uint32_t bytes = body_bytes_of(word);
    return bytes <= available - kHeadBytes && bytes >= least ? Verdict::kRecord
                                                             : Verdict::kBad;
  }

  // Of a record that is whole in memory and whose head was classified.
  bool is_intact(const uint8_t* record) const {
    const uint32_t expected = load_u32(record + kChecksumOffset);
    return body(begin(record), record + kHeadBytes,
                body_bytes_of(load_u32(record))) == expected;
  }

  // The same in one: `bytes` has `available` bytes.
  Verdict classify(const uint8_t* bytes, uint64_t available) const {
    const Verdict verdict = classify_head(bytes, available);
    if (verdict != Verdict::kRecord || is_intact(bytes)) return verdict;
    return Verdict::kBad;
  }

  // Passes records that are intact and whole in the `available` bytes, checking
  // several at a time. It may stop before others that are, and says nothing
  // about what it stops at: classify() does.
  RecordRun pass_intact(const uint8_t* bytes, uint64_t available) const;

  // Fills in the checksum of a record whose other bytes are there.
  void seal(uint8_t* record) const {
    CORE_CHECK(body_bytes_of(load_u32(record)) >= header_bytes_);
    store_u32(record + kChecksumOffset, body(begin(record), record + kHeadBytes,
                                             body_bytes_of(load_u32(record))));
  }
  // The same of all records in these bytes, which they fill.
  void seal_all(uint8_t* records, size_t bytes) const;

 private:
  const uint32_t header_bytes_;
  const Crc32Function crc_;
  // The processor has an instruction for this checksum (record_lanes.cc).
  const bool has_lanes_;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_RECORD_FORMAT_H_
