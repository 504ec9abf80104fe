#include "core/durable/wal/wal_scanner.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/little_endian.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::IoStatus;

constexpr size_t kReadGrowth = 4;

}  // namespace

WalScanner::WalScanner(File& file, const WalCodec& codec,
                       const WalPosition& from, uint64_t end,
                       size_t first_read_bytes)
    : file_(file),
      codec_(codec),
      end_(end),
      position_(from),
      read_bytes_(std::clamp(first_read_bytes, kReadBytesMin, kReadBytesMax)) {}

void WalScanner::set_end(uint64_t end) {
  end_ = end;
  // What was read after the old end may be out of date.
  buffer_bytes_ = 0;
  checked_end_ = 0;
}

// The checksums of records to come that are at hand, several at a time; nothing
// before the first record, which may be all that is asked for. Where it stops,
// next() looks for itself.
void WalScanner::check_ahead() {
  const uint64_t offset = position_.offset;
  const uint64_t buffer_end = buffer_begin_ + buffer_bytes_;
  if (offset < checked_end_ || offset < buffer_begin_ || offset >= buffer_end) {
    return;
  }
  checked_end_ = offset + codec_.pass_intact(
                              offset, buffer_.data() + (offset - buffer_begin_),
                              static_cast<size_t>(buffer_end - offset));
  CORE_CHECK(checked_end_ <= buffer_end);
}

const uint8_t* WalScanner::at(uint64_t offset, size_t bytes) {
  if (offset >= buffer_begin_ &&
      offset + bytes <= buffer_begin_ + buffer_bytes_) {
    return buffer_.data() + (offset - buffer_begin_);
  }
  CORE_CHECK(offset <= end_ && bytes <= end_ - offset);
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(
      std::max(bytes, read_bytes_), std::max<uint64_t>(end_, offset) - offset));
  read_bytes_ = std::min(read_bytes_ * kReadGrowth, kReadBytesMax);
  buffer_begin_ = offset;
  buffer_bytes_ = 0;
  // What was in it need not be kept when it grows.
  buffer_.clear();
  io_ = buffer_.try_resize_for_overwrite(wanted)
            ? file_.read_at(offset, buffer_.data(), wanted, &buffer_bytes_)
            : platform::kNoMemory;
  if (!io_.ok()) {
    buffer_bytes_ = 0;
    return nullptr;
  }
  CORE_CHECK(buffer_bytes_ <= wanted);
  is_short_ = buffer_bytes_ < bytes;
  return is_short_ ? nullptr : buffer_.data();
}

WalVerdict WalScanner::next() {
  if (!io_.ok()) return WalVerdict::kReadFailed;
  const uint64_t offset = position_.offset;
  if (offset > end_ || end_ - offset < kWalHeadBytes) return WalVerdict::kNone;
  check_ahead();
  const auto missing = [this] {
    return io_.ok() ? WalVerdict::kNone : WalVerdict::kReadFailed;
  };
  const uint8_t* const head = at(offset, kWalHeadBytes);
  if (head == nullptr) return missing();
  // Not copied when it is good: its parts were just written one by one, and a
  // copy of several in one step waits for them.
  WalHead& found = heads_[1 - current_];
  if (!codec_.decode_head(offset, head, &found, offset < checked_end_) ||
      found.epoch != position_.epoch ||
      wal_record_bytes(found.body_bytes) > end_ - offset) {
    return WalVerdict::kNone;
  }
  const uint8_t* const record = at(offset, kWalHeadBytes + found.body_bytes);
  if (record == nullptr) return missing();
  const uint8_t* const body = record + kWalHeadBytes;
  if (offset >= checked_end_ &&
      codec_.body_checksum(offset, body, found.body_bytes) !=
          found.body_checksum) {
    return WalVerdict::kNone;
  }
  if (found.lsn != position_.lsn) return WalVerdict::kWrongLsn;
  current_ = 1 - current_;
  body_ = body;
  offset_ = offset;
  branch_ = position_.branch;
  position_.offset = offset + wal_record_bytes(found.body_bytes);
  position_.lsn = found.next_lsn();
  CORE_CHECK(position_.offset > offset && position_.offset <= end_);
  if (found.type == WalType::kOpen) {
    position_.epoch = static_cast<uint32_t>(control_value(0));
    position_.branch = static_cast<uint32_t>(control_value(1));
  }
  return WalVerdict::kRecord;
}

uint64_t WalScanner::control_value(size_t index) const {
  // A body may be shorter, in a file that none of us wrote.
  return 8 * (index + 1) <= head().body_bytes ? load_u64(body_ + 8 * index) : 0;
}

IoStatus read_wal_seal(File& file, const WalCodec& codec, uint64_t offset,
                       uint32_t* checksum) {
  *checksum = 0;
  uint8_t record[kWalControlBytes];
  size_t read = 0;
  const IoStatus status = file.read_at(offset, record, sizeof(record), &read);
  if (!status.ok() || read < sizeof(record)) return status;
  WalHead head;
  const uint8_t* const body = record + kWalHeadBytes;
  if (codec.decode_head(offset, record, &head) && head.type == WalType::kSeal &&
      head.body_checksum ==
          codec.body_checksum(offset, body, kWalControlBodyBytes)) {
    *checksum = head.checksum;
  }
  return {};
}

IoStatus find_wal_head(File& file, const WalCodec& codec, uint64_t from,
                       uint64_t to, uint64_t above, uint64_t* found) {
  *found = 0;
  uint64_t begin = from + kWalAlignment;
  if (begin >= to) return {};
  Buffer buffer;
  if (!buffer.try_resize_for_overwrite(static_cast<size_t>(
          std::min<uint64_t>(to - begin, WalScanner::kReadBytesMax)))) {
    return platform::kNoMemory;
  }
  while (begin < to && to - begin >= kWalHeadBytes) {
    const auto wanted =
        static_cast<size_t>(std::min<uint64_t>(to - begin, buffer.size()));
    size_t read = 0;
    const IoStatus status = file.read_at(begin, buffer.data(), wanted, &read);
    if (!status.ok()) return status;
    if (read < kWalHeadBytes) break;
    size_t at = 0;
    for (; at + kWalHeadBytes <= read; at += kWalAlignment) {
      WalHead head;
      if (codec.decode_head(begin + at, buffer.data() + at, &head) &&
          (above == 0 || head.durable_offset > above)) {
        *found = begin + at;
        return {};
      }
    }
    begin += at;
    if (read < wanted) break;
  }
  return {};
}

}  // namespace atomic_log::durable
