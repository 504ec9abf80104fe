#include "core/durable/record_scanner.h"

#include <algorithm>

#include "core/base/check.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::IoCode;
using platform::IoStatus;

// Half of a usual second-level cache: what was read is still there when it is
// checked.
constexpr size_t kBufferBytes = size_t{1} << 18;

// The file was longer when it was opened.
constexpr IoStatus kTooShort = {IoCode::kFailed, 0, "read"};

IoStatus read_exactly(File& file, uint64_t offset, uint8_t* data,
                      size_t bytes) {
  size_t read = 0;
  const IoStatus status = file.read_at(offset, data, bytes, &read);
  if (status.ok() && read < bytes) return kTooShort;
  return status;
}

}  // namespace

RecordScanner::RecordScanner(File& file, const SegmentFormat& format,
                             uint64_t from, uint64_t end)
    : file_(file), codec_(format), end_(end), offset_(from), next_(from) {}

const uint8_t* RecordScanner::at(uint64_t offset, size_t bytes) {
  CORE_CHECK(bytes <= kBufferBytes);
  CORE_CHECK(offset <= end_ && bytes <= end_ - offset);
  if (offset < buffer_begin_ ||
      offset + bytes > buffer_begin_ + buffer_bytes_) {
    buffer_begin_ = offset;
    buffer_bytes_ =
        static_cast<size_t>(std::min<uint64_t>(kBufferBytes, end_ - offset));
    io_ = buffer_.try_resize_for_overwrite(kBufferBytes)
              ? read_exactly(file_, offset, buffer_.data(), buffer_bytes_)
              : platform::kNoMemory;
    if (!io_.ok()) {
      buffer_bytes_ = 0;
      return nullptr;
    }
  }
  return buffer_.data() + (offset - buffer_begin_);
}

Verdict RecordScanner::find_next() {
  check_ahead();
  if (checked_.records > 0) return next();
  offset_ = next_;
  const uint64_t available = end_ - offset_;
  const auto head_bytes =
      static_cast<size_t>(std::min<uint64_t>(kHeadBytes, available));
  const uint8_t* record = at(offset_, head_bytes);
  if (record == nullptr) return Verdict::kReadFailed;
  const Verdict verdict = codec_.classify_head(record, available);
  if (verdict != Verdict::kRecord) return verdict;
  length_word_ = load_u32(record);
  const uint64_t bytes = record_bytes_of(length_word_);
  if (bytes > kBufferBytes) {
    const Verdict whole = check_in_pieces(record);
    if (whole != Verdict::kRecord) return whole;
  } else {
    record = at(offset_, static_cast<size_t>(bytes));
    if (record == nullptr) return Verdict::kReadFailed;
    if (!codec_.is_intact(record)) return Verdict::kBad;
  }
  next_ = offset_ + bytes;
  CORE_CHECK(next_ > offset_ && next_ <= end_);
  return Verdict::kRecord;
}

// What is at hand of the records to come, several at a time: nothing before the
// first of them, which may be all that is asked for. What it leaves is for
// find_next(), one at a time: it alone says what is wrong.
void RecordScanner::check_ahead() {
  const uint64_t buffer_end = buffer_begin_ + buffer_bytes_;
  if (next_ < buffer_begin_ || next_ >= buffer_end) return;
  checked_ = codec_.pass_intact(buffer_.data() + (next_ - buffer_begin_),
                                buffer_end - next_);
  CORE_CHECK(checked_.bytes <= buffer_end - next_);
}

Verdict RecordScanner::check_in_pieces(const uint8_t* head) {
  const uint32_t expected = load_u32(head + kChecksumOffset);
  uint32_t checksum = codec_.begin(head);
  uint64_t from = offset_ + kHeadBytes;
  uint64_t left = body_bytes_of(length_word_);
  while (left > 0) {
    const auto piece =
        static_cast<size_t>(std::min<uint64_t>(left, kBufferBytes));
    const uint8_t* const bytes = at(from, piece);
    if (bytes == nullptr) return Verdict::kReadFailed;
    checksum = codec_.body(checksum, bytes, piece);
    from += piece;
    left -= piece;
  }
  return checksum == expected ? Verdict::kRecord : Verdict::kBad;
}

IoStatus find_nonzero_end(File& file, uint64_t from, uint64_t to,
                          uint64_t* end) {
  *end = from;
  Buffer buffer;
  if (!buffer.try_resize_for_overwrite(
          static_cast<size_t>(std::min<uint64_t>(to - from, kBufferBytes)))) {
    return platform::kNoMemory;
  }
  while (from < to) {
    const auto piece =
        static_cast<size_t>(std::min<uint64_t>(to - from, buffer.size()));
    const IoStatus status = read_exactly(file, from, buffer.data(), piece);
    if (!status.ok()) return status;
    CORE_CHECK(piece > 0);
    if (!is_zero(buffer.data(), piece)) {
      size_t last = piece;
      while (buffer[last - 1] == 0) --last;
      *end = from + last;
    }
    from += piece;
  }
  return {};
}

IoStatus count_valid_bytes(File& file, const SegmentFormat& format,
                           uint64_t from, uint64_t to, uint64_t* valid_bytes) {
  *valid_bytes = 0;
  const RecordCodec codec(format);
  Buffer window;
  if (!window.try_resize_for_overwrite(static_cast<size_t>(
          std::min<uint64_t>(to - from, 2 * kBufferBytes)))) {
    return platform::kNoMemory;
  }
  // Bytes that may still go into checksums which do not match.
  uint64_t budget = 8 * (to - from) + kBufferBytes;
  while (from < to) {
    const auto bytes =
        static_cast<size_t>(std::min<uint64_t>(to - from, window.size()));
    const IoStatus status = read_exactly(file, from, window.data(), bytes);
    if (!status.ok()) return status;
    const bool is_last = from + bytes == to;
    // A record that begins in the second half is looked at with the next
    // window, unless there is none.
    const size_t stop = is_last ? bytes : bytes - kBufferBytes;
    size_t at = 0;
    while (at < stop) {
      const uint8_t* const record = window.data() + at;
      if (codec.classify_head(record, bytes - at) != Verdict::kRecord) {
        ++at;
        continue;
      }
      const uint64_t length = record_bytes_of(load_u32(record));
      if (length > budget) return {};
      if (codec.is_intact(record)) {
        *valid_bytes += length;
        at += static_cast<size_t>(length);
      } else {
        budget -= length;
        ++at;
      }
    }
    CORE_CHECK(at > 0);
    from += at;
  }
  return {};
}

}  // namespace atomic_log::durable
