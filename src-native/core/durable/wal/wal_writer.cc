#include "core/durable/wal/wal_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "core/base/little_endian.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;

// The buffer is handed to the system when it has grown to this.
constexpr size_t kBufferBytes = size_t{1} << 20;
// What is written in larger pieces needs no zeros ahead: the disk's own work
// costs more than that of the file system.
constexpr size_t kSmallWriteBytes = size_t{1} << 16;

// Those that come before the buffer is handed over: SYNC of a file that was made
// of the spare, then OPEN or CHECKPOINT; or SEAL.
constexpr size_t kControlsMax = 3;

constexpr const char* kFailedNow = "this write or its sync failed";
constexpr const char* kFailedBefore = "an earlier write or sync failed";
constexpr const char* kOtherPlace =
    "the directory, or the file LOCK in it, was moved, replaced or deleted";

}  // namespace

WalWriter::WalWriter(FileSystem& system, const WalOptions& options)
    : system_(system),
      options_(options),
      branch_state_(options.branch_seed),
      reserve_(system, options.directory, options.spare_bytes) {}

bool WalWriter::is_place_check_due() {
  const auto now = std::chrono::steady_clock::now();
  const auto interval = std::chrono::milliseconds(options_.place_check_ms);
  if (now - place_checked_at_ < interval) return false;
  place_checked_at_ = now;
  return true;
}

// That the directory is still the one that was locked. It may have been moved
// or deleted, and another log made in its place, whose files must not be
// replaced.
Outcome WalWriter::check_directory() {
  std::string path = platform::path_in(options_.directory, "LOCK");
  IoStatus status =
      check_wal_place(system_, options_.directory, lock_identity_);
  // The newest file alone may be gone, too: what is synced to it then is lost.
  if (status.ok() && file_ != nullptr) {
    path = wal_file_path(options_.directory, file_number_);
    platform::FileIdentity named;
    platform::FileIdentity written;
    status = system_.identity(path, &named);
    if (status.ok()) status = file_->identity(&written);
    if (status.ok() && named != written) {
      status = {IoCode::kNotFound, 0, "open"};
    }
  }
  if (status.ok()) return Outcome::kOk;
  failure_ = {Outcome::kIo, status, path, 0, 0, ""};
  return Outcome::kIo;
}

void WalWriter::begin_epoch(uint32_t branch) {
  CORE_CHECK(branch != 0);
  ++epoch_;
  branch_ = branch;
}

WalHeader WalWriter::next_header(uint64_t next_base) const {
  WalHeader header;
  header.log_id = log_id_;
  header.file_number = file_number_ + 1;
  header.file_bytes = options_.segment_bytes;
  header.base_lsn = next_base;
  header.epoch = epoch_;
  header.branch = branch_;
  header.oldest_lsn = oldest_lsn_;
  header.oldest_file = oldest_file_;
  header.metadata = metadata_;
  if (file_number_ > 0) {
    header.previous_end = tail_;
    header.previous_next_base = next_base;
  }
  return header;
}

void WalWriter::count_file(const WalFileInfo& file) {
  add(file_count_, 1);
  add(files_bytes_, file.bytes);
}

void WalWriter::enter(std::shared_ptr<File> file, const WalHeader& header) {
  CORE_CHECK(files_.empty() || (header.file_number == file_number_ + 1 &&
                                header.previous_end == tail_ &&
                                header.epoch >= files_.back().epoch));
  CORE_CHECK(header.base_lsn == next_lsn_ && header.epoch == epoch_);
  CORE_CHECK(file != nullptr && buffer_.empty());
  if (!files_.empty()) files_.back().end_offset = tail_;
  file_ = std::move(file);
  file_number_ = header.file_number;
  file_bytes_ = header.file_bytes;
  codec_ = WalCodec(log_id_, file_number_);
  tail_ = buffer_offset_ = durable_offset_ = zeroed_end_ = kWalHeaderBytes;
  entries_end_ = tail_;
  is_unmarked_ = is_without_open_ = false;
  files_.push_back({file_number_, header.base_lsn, header.epoch, header.branch,
                    file_bytes_, kWalHeaderBytes});
  count_file(files_.back());
  // Before anything in it releases the files that are as long as they should.
  if (file_bytes_ == options_.spare_bytes) {
    put_control(WalType::kSync, 0, options_.segment_bytes);
  }
}

uint64_t WalWriter::entry_bytes_max() const {
  // A file of its own always takes it.
  const uint64_t room = options_.segment_bytes - kWalHeaderBytes -
                        kWalRoomAfterEntry - kWalHeadBytes;
  return std::min<uint64_t>(room & ~uint64_t{kWalAlignment - 1},
                            kWalBodyBytesMax);
}

bool WalWriter::fits(uint64_t record_bytes, uint64_t room) const {
  return tail_ + record_bytes + room <= file_bytes_;
}

bool WalWriter::entry_fits(uint64_t record_bytes) const {
  return !is_without_open_ && fits(record_bytes, kWalRoomAfterEntry);
}

Outcome WalWriter::make_room(uint64_t record_bytes) {
  return entry_fits(record_bytes) ? Outcome::kOk : rotate(next_lsn_, false);
}

Outcome WalWriter::rotate(uint64_t next_base, bool may_use_spare) {
  CORE_CHECK(next_base <= next_lsn_ && next_base >= oldest_lsn_);
  const Outcome place = check_directory();
  if (place != Outcome::kOk) return place;
  if (!files_.try_reserve(files_.size() + 1)) {
    return io_failure(platform::kNoMemory);
  }
  if (!fits(kWalControlBytes, 0)) {
    // Every writer of ours keeps this room; the file is another's.
    failure_ = {Outcome::kCorrupt,
                {},
                wal_file_path(options_.directory, file_number_),
                tail_,
                file_bytes_,
                "the newest file has no room for the record that seals it"};
    return Outcome::kCorrupt;
  }
  WalReserved next;
  IoStatus status = reserve_.take(file_number_ + 1, options_.segment_bytes,
                                  may_use_spare, *names_, &next);
  lacks_space_ = status.code == IoCode::kNoSpace;
  // Before it gets its name.
  if (status.ok()) status = next.file->lock();
  // Nothing was written: this can be tried again.
  if (!status.ok()) return io_failure(status);
  CORE_CHECK(next.bytes >= kWalHeaderBytes + kWalRoomAfterEntry);
  const uint32_t checksum = put_control(WalType::kSeal, next_base, 0);
  const Outcome outcome = sync();
  if (outcome != Outcome::kOk) return outcome;
  // The SEAL is of the old epoch. Entries that come after a truncation have
  // LSNs that were there before: the epoch tells them apart.
  if (next_base < next_lsn_ || is_without_open_) begin_epoch(draw_branch());
  WalHeader header = next_header(next_base);
  header.file_bytes = next.bytes;
  header.previous_seal_checksum = checksum;
  status = publish_wal_file(system_, options_.directory, *names_, *next.file,
                            next.path, header);
  if (!status.ok()) return poison(status, kFailedNow);
  next_lsn_ = next_base;
  enter(std::move(next.file), header);
  add(rotations_, 1);
  store(last_lsn_, next_lsn_ - 1);
  publish_durable();
  return Outcome::kOk;
}

bool WalWriter::extend_buffer(uint64_t record_bytes) {
  const size_t bytes = buffer_.size() + static_cast<size_t>(record_bytes);
  return buffer_.try_reserve(bytes + kControlsMax * kWalControlBytes) &&
         buffer_.try_resize(bytes);
}

// The body of the record that put() will finish.
uint8_t* WalWriter::body_of_next() {
  return buffer_.data() + (tail_ - buffer_offset_) + kWalHeadBytes;
}

// Finishes a record whose body is at the end of the buffer.
uint32_t WalWriter::put(WalType type, uint32_t count, uint64_t body_bytes) {
  CORE_CHECK(is_registered_ && file_ != nullptr && !is_poisoned_);
  CORE_CHECK(buffer_offset_ + buffer_.size() ==
             tail_ + wal_record_bytes(body_bytes));
  CORE_CHECK(durable_offset_ <= buffer_offset_ && buffer_offset_ <= tail_);
  WalHead head;
  head.body_bytes = static_cast<uint32_t>(body_bytes);
  head.lsn = next_lsn_;
  head.durable_offset = durable_offset_;
  head.epoch = epoch_;
  head.count = count;
  head.type = type;
  // What decode_head() would refuse must not be written.
  CORE_CHECK(body_bytes <= kWalBodyBytesMax && tail_ >= kWalHeaderBytes);
  CORE_CHECK(head.takes_lsns() == (count > 0));
  uint8_t* const body = body_of_next();
  head.body_checksum = codec_.body_checksum(tail_, body, head.body_bytes);
  codec_.encode_head(tail_, head, body - kWalHeadBytes);
  tail_ += wal_record_bytes(body_bytes);
  next_lsn_ = head.next_lsn();
  if (head.takes_lsns()) entries_end_ = tail_;
  is_unmarked_ = entries_end_ > head.durable_offset;
  CORE_CHECK(tail_ <= file_bytes_ && tail_ % kWalAlignment == 0);
  CORE_CHECK(next_lsn_ == head.lsn + count && next_lsn_ <= kWalLsnMax + 1);
  CORE_CHECK(!head.takes_lsns() ||
             (!is_without_open_ && fits(0, kWalRoomAfterEntry)));
  return head.checksum;
}

uint32_t WalWriter::put_control(WalType type, uint64_t first, uint64_t second) {
  const bool has_room = buffer_.try_resize(buffer_.size() + kWalControlBytes);
  CORE_CHECK(has_room);
  static_cast<void>(has_room);
  store_u64(body_of_next(), first);
  store_u64(body_of_next() + 8, second);
  return put(type, 0, kWalControlBodyBytes);
}

Outcome WalWriter::append(const uint8_t* data, size_t bytes, uint64_t* lsn) {
  if (is_poisoned_) return poisoned();
  if (bytes > entry_bytes_max()) {
    return refuse(Outcome::kTooLarge, bytes, entry_bytes_max());
  }
  const uint64_t record_bytes = wal_record_bytes(bytes);
  if (next_lsn_ > kWalLsnMax) {
    return refuse(Outcome::kNoLsn, next_lsn_, kWalLsnMax);
  }
  const Outcome outcome = make_room(record_bytes);
  if (outcome != Outcome::kOk) return outcome;
  if (!extend_buffer(record_bytes)) return io_failure(platform::kNoMemory);
  if (bytes > 0) std::memcpy(body_of_next(), data, bytes);
  return put_and_flush(bytes, WalType::kData, 1, lsn);
}

Outcome WalWriter::append_batch(const uint8_t* data, const uint32_t* lengths,
                                size_t count, uint64_t* first_lsn) {
  if (is_poisoned_) return poisoned();
  uint64_t data_bytes = 0;
  for (size_t i = 0; i < count; ++i) data_bytes += lengths[i];
  const uint64_t body_bytes = data_bytes + kWalBatchItemBytes * uint64_t{count};
  if (body_bytes > entry_bytes_max()) {
    return refuse(Outcome::kTooLarge, body_bytes, entry_bytes_max());
  }
  const uint64_t record_bytes = wal_record_bytes(body_bytes);
  if (count > kWalLsnMax + 1 - std::min(next_lsn_, kWalLsnMax + 1)) {
    return refuse(Outcome::kNoLsn, next_lsn_, kWalLsnMax);
  }
  const Outcome outcome = make_room(record_bytes);
  if (outcome != Outcome::kOk) return outcome;
  if (!extend_buffer(record_bytes)) return io_failure(platform::kNoMemory);
  uint8_t* item = body_of_next();
  const uint8_t* entry = data;
  for (size_t i = 0; i < count; ++i) {
    store_u32(item, lengths[i]);
    store_u32(item + 4, crc32(Crc32Kind::kCastagnoli, 0, entry, lengths[i]));
    item += kWalBatchItemBytes;
    entry += lengths[i];
  }
  CORE_CHECK(item + data_bytes == body_of_next() + body_bytes);
  if (data_bytes > 0) std::memcpy(item, data, static_cast<size_t>(data_bytes));
  return put_and_flush(static_cast<size_t>(body_bytes), WalType::kBatch,
                       static_cast<uint32_t>(count), first_lsn);
}

uint64_t WalWriter::secure_room() {
  // mark() is called once, when there is nothing to do: after the next append
  // the disk is behind.
  constexpr uint64_t kKept = kWalRoomAfterEntry + kWalControlBytes;
  if (is_poisoned_ || is_without_open_ || !fits(0, kKept)) return 0;
  if (!buffer_.try_reserve(kBufferBytes +
                           wal_record_bytes(kWalSecuredEntryBytesMax) +
                           (kControlsMax + 1) * kWalControlBytes)) {
    return 0;
  }
  const uint64_t room = file_bytes_ - kKept - tail_;
  // A record takes one LSN, and more than a byte.
  return next_lsn_ + room <= kWalLsnMax ? room : 0;
}

Outcome WalWriter::put_and_flush(size_t body_bytes, WalType type,
                                 uint32_t count, uint64_t* lsn) {
  const uint64_t first = next_lsn_;
  put(type, count, body_bytes);
  if (buffer_.size() >= kBufferBytes) {
    const Outcome outcome = flush();
    if (outcome != Outcome::kOk) return outcome;
  }
  store(last_lsn_, next_lsn_ - 1);
  *lsn = first;
  return Outcome::kOk;
}

Outcome WalWriter::flush() {
  if (is_poisoned_) return poisoned();
  if (buffer_.empty()) return Outcome::kOk;
  const size_t bytes = buffer_.size();
  CORE_CHECK(buffer_offset_ + bytes == tail_ && tail_ <= file_bytes_);
  if (tail_ > zeroed_end_) {
    zeroed_end_ = tail_;
    if (bytes < kSmallWriteBytes && options_.zero_ahead_bytes > 0) {
      const uint64_t end =
          std::min(tail_ + options_.zero_ahead_bytes, file_bytes_);
      // Without the memory a sync takes longer, and nothing else.
      const auto with_zeros = static_cast<size_t>(end - buffer_offset_);
      if (buffer_.try_resize(with_zeros)) zeroed_end_ = end;
    }
  }
  CORE_CHECK(tail_ <= zeroed_end_ && zeroed_end_ <= file_bytes_);
  const IoStatus status =
      file_->write_at(buffer_offset_, buffer_.data(), buffer_.size());
  if (!status.ok()) return poison(status, kFailedNow);
  add(written_bytes_, bytes);
  buffer_.clear();
  buffer_offset_ = files_.back().end_offset = tail_;
  return Outcome::kOk;
}

Outcome WalWriter::sync() {
  const Outcome outcome = flush();
  if (outcome != Outcome::kOk || durable_offset_ == tail_) return outcome;
  const IoStatus status = file_->sync_data();
  if (!status.ok()) return poison(status, kFailedNow);
  // What is on the disk of another directory is not in the log.
  if (is_place_check_due() && check_directory() != Outcome::kOk) {
    return poison(failure_.io, kOtherPlace);
  }
  CORE_CHECK(buffer_.empty() && durable_offset_ < tail_);
  durable_offset_ = tail_;
  add(syncs_, 1);
  publish_durable();
  return Outcome::kOk;
}

void WalWriter::publish_durable() { store(durable_lsn_, next_lsn_ - 1); }

Outcome WalWriter::mark() {
  if (!is_unmarked_ || durable_offset_ != tail_ ||
      !fits(kWalControlBytes, kWalRoomAfterSync)) {
    return Outcome::kOk;
  }
  put_control(WalType::kSync, 0, 0);
  return flush();
}

Outcome WalWriter::close() {
  Outcome outcome = sync();
  if (outcome == Outcome::kOk) outcome = mark();
  if (outcome == Outcome::kOk) outcome = sync();
  return outcome;
}

Outcome WalWriter::copy_files(List<WalFileInfo>* files) {
  return files->try_assign(files_) ? Outcome::kOk
                                   : io_failure(platform::kNoMemory);
}

bool WalWriter::is_no_space(Outcome outcome) const {
  return outcome == Outcome::kIo && failure_.io.code == IoCode::kNoSpace;
}

Outcome WalWriter::refuse(Outcome outcome, uint64_t offset, uint64_t value) {
  CORE_CHECK(outcome != Outcome::kOk);
  failure_ = {outcome, {}, options_.directory, offset, value, ""};
  return outcome;
}

Outcome WalWriter::io_failure(const IoStatus& io) {
  failure_ = {Outcome::kIo, io, options_.directory, tail_, 0, ""};
  return Outcome::kIo;
}

Outcome WalWriter::poisoned() {
  CORE_CHECK(is_poisoned_ && !poison_.ok());
  failure_ = {Outcome::kPoisoned,
              poison_,
              wal_file_path(options_.directory, file_number_),
              durable_offset_,
              durable_lsn(),
              kFailedBefore};
  return Outcome::kPoisoned;
}

Outcome WalWriter::poison(const IoStatus& io, const char* detail) {
  is_poisoned_ = true;
  poison_ = io;
  const Outcome outcome = poisoned();
  failure_.detail = detail;
  poison_failure_ = failure_;
  return outcome;
}

}  // namespace atomic_log::durable
