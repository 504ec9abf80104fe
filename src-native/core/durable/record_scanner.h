// Reads the records of a file one after the other and checks them.
//
//  1. Memory is bounded by the buffer, whatever the lengths in the file say: a
//     longer record is checked piece by piece.
//  2. Time is linear in the bytes between the start and the end.
//  3. A read error is never taken for a bad record, nor is a refused buffer.
// One thread at a time.
#ifndef ATOMIC_LOG_CORE_DURABLE_RECORD_SCANNER_H_
#define ATOMIC_LOG_CORE_DURABLE_RECORD_SCANNER_H_

#include <cstdint>
#include <utility>

#include "core/base/list.h"
#include "core/durable/record_format.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

class RecordScanner {
 public:
  // Records begin at `from` and end at or before `end`, which the file reaches.
  RecordScanner(platform::File& file, const SegmentFormat& format,
                uint64_t from, uint64_t end);

  // kRecord: length_word() and offset() tell about it, and the next call goes
  // on after it. Otherwise offset() is where it stopped, for good.
  Verdict next() {
    if (checked_.records == 0) return find_next();
    offset_ = next_;
    length_word_ = load_u32(buffer_.data() + (offset_ - buffer_begin_));
    const uint64_t bytes = record_bytes_of(length_word_);
    --checked_.records;
    checked_.bytes -= bytes;
    next_ += bytes;
    return Verdict::kRecord;
  }
  // Goes on after the records that are checked already, and counts them. They
  // may be none; the next call of next() finds the record after them.
  uint64_t pass_checked() {
    next_ += checked_.bytes;
    return std::exchange(checked_, {}).records;
  }

  // Of the record that next() has found, or where it stopped.
  uint64_t offset() const { return offset_; }
  uint32_t length_word() const { return length_word_; }
  // After the last record found.
  uint64_t end_offset() const { return next_; }
  const platform::IoStatus& io() const { return io_; }

 private:
  // The `bytes` (at most kBufferBytes) bytes from `offset`; null: io_ says why.
  const uint8_t* at(uint64_t offset, size_t bytes);
  Verdict find_next();
  void check_ahead();
  Verdict check_in_pieces(const uint8_t* head);

  platform::File& file_;
  const RecordCodec codec_;
  const uint64_t end_;
  uint64_t offset_;
  uint64_t next_;
  uint32_t length_word_ = 0;
  platform::IoStatus io_;

  Buffer buffer_;
  uint64_t buffer_begin_ = 0;
  size_t buffer_bytes_ = 0;
  // Intact records from next_ on, which the buffer holds.
  RecordRun checked_;
};

// The offset after the last byte in [from, to) that is not zero; `from` when
// all are.
platform::IoStatus find_nonzero_end(platform::File& file, uint64_t from,
                                    uint64_t to, uint64_t* end);

// How many bytes of intact records are to be found somewhere in [from, to).
// What it looks at is bounded, so that it is a lower bound for bytes that were
// made to look like records everywhere.
platform::IoStatus count_valid_bytes(platform::File& file,
                                     const SegmentFormat& format, uint64_t from,
                                     uint64_t to, uint64_t* valid_bytes);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_RECORD_SCANNER_H_
