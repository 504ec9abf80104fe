// Changing what was appended: the end of the log, and the header of a record.
#include <algorithm>

#include "core/base/check.h"
#include "core/durable/record_scanner.h"
#include "core/durable/segment/segment_writer.h"

namespace atomic_log::durable {
namespace {

using platform::IoStatus;

// Data is read again in pieces of this.
constexpr size_t kPieceBytes = size_t{1} << 16;

}  // namespace

Outcome SegmentWriter::find_record(uint64_t offset, uint32_t* length_word) {
  if (offset < format_.start_offset || offset >= write_offset()) {
    return refuse(Outcome::kOutOfRange, offset, write_offset());
  }
  RecordScanner scanner(*file_, format_, offset, write_offset());
  const Verdict verdict = scanner.next();
  if (verdict == Verdict::kReadFailed) return io_failure(scanner.io(), offset);
  if (verdict == Verdict::kEnd) return refuse(Outcome::kNoRecord, offset, 0);
  if (verdict == Verdict::kBad) return refuse(Outcome::kChecksum, offset, 0);
  *length_word = scanner.length_word();
  return Outcome::kOk;
}

Outcome SegmentWriter::set_length(uint64_t offset) {
  Outcome outcome = flush();
  if (outcome != Outcome::kOk) return outcome;
  const uint64_t end = write_offset();
  if (offset == end) return Outcome::kOk;
  uint32_t length_word = 0;
  outcome = find_record(offset, &length_word);
  if (outcome != Outcome::kOk) return outcome;

  CORE_CHECK(offset >= format_.start_offset && offset < end && buffered_ == 0);
  const uint64_t durable_before = durable_offset_;
  durable_offset_ = std::min(durable_offset_, offset);
  flushed_.begin_change(offset);
  const IoStatus status = cut_off(offset, end);
  flushed_.end_change();
  if (status.is_shortage()) {
    // Nothing was changed.
    durable_offset_ = durable_before;
    flushed_.publish(durable_before);
    return io_failure(status, offset);
  }
  ++truncations_;
  if (!status.ok()) return poison(status, offset);
  buffer_offset_ = offset;
  advance(offset);
  return Outcome::kOk;
}

IoStatus SegmentWriter::cut_off(uint64_t offset, uint64_t end) {
  const std::lock_guard<std::mutex> lock(sync_mutex_);
  if (is_poisoned_.load(std::memory_order_relaxed)) return poison_;
  return zero_durably(system_, *file_, path_, offset, end);
}

Outcome SegmentWriter::replace_header(uint64_t offset, const uint8_t* header) {
  Outcome outcome = flush();
  if (outcome != Outcome::kOk) return outcome;
  uint32_t length_word = 0;
  outcome = find_record(offset, &length_word);
  if (outcome != Outcome::kOk) return outcome;

  const uint32_t header_bytes = format_.header_bytes;
  const size_t count = kHeadBytes - kChecksumOffset + header_bytes;
  const uint64_t begin = offset + kHeadBytes + header_bytes;
  const uint64_t end = offset + record_bytes_of(length_word);
  Buffer old_bytes, new_bytes, piece;
  if (!old_bytes.try_resize(count) || !new_bytes.try_resize(count) ||
      !piece.try_resize_for_overwrite(
          static_cast<size_t>(std::min<uint64_t>(end - begin, kPieceBytes)))) {
    return io_failure(platform::kNoMemory, offset);
  }
  size_t read = 0;
  const uint64_t from = offset + kChecksumOffset;
  IoStatus status = file_->read_at(from, old_bytes.data(), count, &read);

  // The data is read again piece by piece: it may be long.
  uint8_t word[kChecksumOffset];
  store_u32(word, length_word);
  uint32_t checksum = codec_.body(codec_.begin(word), header, header_bytes);
  for (uint64_t at = begin; status.ok() && at < end;) {
    const auto bytes =
        static_cast<size_t>(std::min<uint64_t>(end - at, piece.size()));
    status = file_->read_at(at, piece.data(), bytes, &read);
    checksum = codec_.body(checksum, piece.data(), bytes);
    at += bytes;
  }
  if (!status.ok()) return io_failure(status, offset);
  store_u32(new_bytes.data(), checksum);
  std::copy(header, header + header_bytes, new_bytes.begin() + kChecksumOffset);
  return change_in_place(
      {from, {old_bytes.data(), count}, {new_bytes.data(), count}});
}

Outcome SegmentWriter::change_in_place(const RedoChange& change) {
  const size_t count = change.new_bytes.size();
  const uint64_t end = buffer_offset_;
  CORE_CHECK(count > 0 && change.old_bytes.size() == count);
  CORE_CHECK(buffered_ == 0 && change.offset + count <= end);
  // A sector is written whole or not at all.
  const bool is_atomic = change.offset / kSectorBytes ==
                         (change.offset + count - 1) / kSectorBytes;
  IoStatus status;
  std::unique_ptr<platform::Directory> names;
  {
    const std::lock_guard<std::mutex> lock(sync_mutex_);
    if (is_poisoned_.load(std::memory_order_relaxed)) status = poison_;
    if (status.ok() && !is_atomic) {
      // The old bytes must be on disk, or the redo file would not be known
      // again.
      status = of_change(file_->sync_data());
      if (status.ok()) status = store_redo(system_, path_, change, &names);
    }
    if (status.ok()) {
      flushed_.begin_change(UINT64_MAX);
      status = of_change(
          file_->write_at(change.offset, change.new_bytes.data(), count));
      flushed_.end_change();
    }
    if (status.ok()) status = of_change(file_->sync_data());
    if (status.ok() && !is_atomic) {
      status = remove_redo(system_, path_, *names);
    }
  }
  if (status.is_shortage()) return io_failure(status, change.offset);
  if (!status.ok()) return poison(status, change.offset);
  advance(end);
  return Outcome::kOk;
}

}  // namespace atomic_log::durable
