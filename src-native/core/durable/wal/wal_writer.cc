#include "core/durable/wal/wal_writer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/base/little_endian.h"
#include "core/durable/open_files.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

// The buffer is handed to the system when it has grown to this.
constexpr size_t kBufferBytes = size_t{1} << 20;
// What is written in larger pieces needs no zeros ahead: the disk's own work
// costs more than that of the file system.
constexpr size_t kSmallWriteBytes = size_t{1} << 16;

constexpr const char* kFailedNow = "this write or its sync failed";
constexpr const char* kFailedBefore = "an earlier write or sync failed";
constexpr const char* kOtherPlace =
    "the directory, or the file LOCK in it, was moved, replaced or deleted";
constexpr const char* kLockText =
    "\nThe writer of the log holds a lock on this file: it must stay.\n";

void store(std::atomic<uint64_t>& number, uint64_t value) {
  number.store(value, std::memory_order_relaxed);
}

void add(std::atomic<uint64_t>& number, uint64_t value) {
  number.fetch_add(value, std::memory_order_relaxed);
}

}  // namespace

WalWriter::WalWriter(FileSystem& system, const WalOptions& options)
    : system_(system),
      options_(options),
      branch_state_(options.branch_seed),
      reserve_(system, options.directory, options.spare_bytes) {}

void WalWriter::unlock() {
  // First, so that whoever gets the lock finds no file in use.
  file_.reset();
  names_.reset();
  if (is_registered_) OpenFiles::instance().remove(lock_identity_);
  is_registered_ = false;
  lock_file_.reset();
}

Outcome WalWriter::open(FileSystem& system, const WalOptions& options,
                        std::unique_ptr<WalWriter>* writer,
                        WalRecovery* recovery, Failure* failure) {
  std::unique_ptr<WalWriter> opened(new WalWriter(system, options));
  IoStatus status = make_wal_directory(system, options.directory);
  // Before LOCK is made or anything else changes: such a log would open, and
  // fail when its file is full.
  if (status.ok()) status = system.check_writable(options.directory);
  if (status.ok()) {
    status = system.open_directory(options.directory, &opened->names_);
  }
  Outcome outcome = Outcome::kOk;
  if (!status.ok()) {
    outcome = Outcome::kIo;
    opened->failure_ = {outcome, status, options.directory, 0, 0, ""};
  }
  if (outcome == Outcome::kOk) outcome = opened->take_lock();
  WalClassification found;
  if (outcome == Outcome::kOk) {
    outcome = classify_wal(system,
                           {options.directory, WalRole::kWriter,
                            options.is_tail_strict, options.verifies},
                           &found, &opened->failure_);
  }
  if (outcome == Outcome::kOk) {
    outcome = opened->lock_newest(found);
  }
  if (outcome == Outcome::kOk) {
    // Before the directory is synced, and before space is needed.
    outcome = opened->find_reserve(found);
  }
  if (outcome == Outcome::kOk) {
    outcome = repair_wal(system, options, found, recovery, &opened->failure_);
  }
  if (outcome == Outcome::kOk) outcome = opened->start(found);
  if (outcome != Outcome::kOk) {
    *failure = opened->failure_;
    return outcome;
  }
  const WalAction action = wal_rule(found.row).action;
  if (action == WalAction::kCreate || action == WalAction::kRecreate) {
    recovery->end_offset = kWalHeaderBytes;
    recovery->end_lsn = opened->next_lsn_;
  }
  *writer = std::move(opened);
  return Outcome::kOk;
}

Outcome WalWriter::take_lock() {
  const std::string path = platform::path_in(options_.directory, "LOCK");
  IoStatus status = system_.open(path, OpenMode::kCreateNew, &lock_file_);
  // Two may try at once; whoever is second finds the file of the first.
  if (status.code == IoCode::kExists) {
    status = system_.open(path, OpenMode::kReadWrite, &lock_file_);
  }
  if (status.ok()) status = lock_file_->identity(&lock_identity_);
  if (status.ok()) {
    is_registered_ = OpenFiles::instance().add(lock_identity_);
    status = is_registered_ ? lock_file_->lock()
                            : IoStatus{IoCode::kLocked, 0, "lock"};
  }
  uint8_t text[24] = {};
  if (status.code == IoCode::kLocked) {
    size_t read = 0;
    (void)lock_file_->read_at(0, text, sizeof(text) - 1, &read);
    const uint64_t holder =
        std::strtoull(reinterpret_cast<const char*>(text), nullptr, 10);
    failure_ = {Outcome::kLocked, status, path, 0, holder, ""};
    return Outcome::kLocked;
  }
  if (!status.ok()) {
    failure_ = {Outcome::kIo, status, path, 0, 0, ""};
    return Outcome::kIo;
  }
  // For messages only: whether anybody holds it, the system knows.
  std::string holder = std::to_string(options_.process_id);
  holder.resize(sizeof(text) - 1, '\n');
  holder += kLockText;
  (void)lock_file_->write_at(0, holder.data(), holder.size());
  return Outcome::kOk;
}

// LOCK may have been taken away from a writer that is still at work, and made
// again: the newest file shows it.
Outcome WalWriter::lock_newest(const WalClassification& found) {
  if (found.newest == nullptr) return Outcome::kOk;
  IoStatus status = found.newest->lock();
  const std::string path =
      wal_file_path(options_.directory, found.newest_number);
  WalListing now;
  if (status.ok()) status = list_wal_files(system_, options_.directory, &now);
  // That writer has gone on to another file meanwhile.
  if (status.ok() && now.numbers != found.listing.numbers) {
    status = {IoCode::kLocked, 0, "lock"};
  }
  if (status.ok()) return Outcome::kOk;
  const bool is_locked = status.code == IoCode::kLocked;
  failure_ = {
      is_locked ? Outcome::kLocked : Outcome::kIo, status, path, 0, 0, ""};
  return failure_.outcome;
}

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

Outcome WalWriter::find_reserve(const WalClassification& found) {
  if (options_.segment_bytes == 0) {
    // A file that was made of the spare is as long as no other.
    for (const WalFileInfo& file : found.files) {
      const bool is_spare = file.bytes == options_.spare_bytes;
      if (!is_spare) options_.segment_bytes = file.bytes;
    }
    // The newest one knows better what was meant last.
    const uint64_t told = found.told_file_bytes;
    if (told > options_.spare_bytes && told <= kWalFileBytesMax) {
      options_.segment_bytes = told;
    }
    if (options_.segment_bytes == 0) options_.segment_bytes = kWalSegmentBytes;
  }
  const IoStatus status = reserve_.find(found.listing, found.newest_number + 1,
                                        options_.segment_bytes);
  return status.ok() ? Outcome::kOk : io_failure(status);
}

Outcome WalWriter::start(const WalClassification& found) {
  garbage_ = found.listing;
  Outcome outcome = Outcome::kOk;
  switch (wal_rule(found.row).action) {
    case WalAction::kCreate:
      log_id_ = options_.new_log_id;
      metadata_ = options_.metadata;
      next_lsn_ = oldest_lsn_ = options_.first_lsn;
      outcome = create_log();
      break;
    case WalAction::kRecreate:
      outcome = recreate_file(found);
      break;
    default:
      adopt(found);
      if (found.row == WalRow::kSealedEnd) {
        WalHeader header = next_header(found.next_base);
        header.previous_seal_checksum = found.seal_checksum;
        next_lsn_ = found.next_base;
        // It may be these that fill the disk. All is durable by now.
        remove_wal_garbage(system_, options_.directory, oldest_file_, garbage_);
        outcome = create_file(header, true);
      }
      break;
  }
  if (outcome != Outcome::kOk) return outcome;
  remove_wal_garbage(system_, options_.directory, oldest_file_, garbage_);
  store(first_lsn_, oldest_lsn_);
  store(last_lsn_, next_lsn_ - 1);
  outcome = write_open();
  publish_durable();
  // Without it, the log works until the disk is full.
  if (outcome == Outcome::kOk) (void)reserve_.make_spare(*names_);
  return outcome;
}

Outcome WalWriter::create_log() {
  // First, so that no log is made that could not be freed.
  const IoStatus status = reserve_.make_spare();
  if (!status.ok()) return io_failure(status);
  return create_file(next_header(next_lsn_), false);
}

// Everything that recovery has found is on disk by now.
void WalWriter::adopt(const WalClassification& found) {
  log_id_ = found.header.log_id;
  metadata_ = found.header.metadata;
  next_lsn_ = found.end.lsn;
  epoch_ = found.end.epoch;
  branch_ = found.end.branch;
  oldest_lsn_ = found.kept.oldest_lsn;
  oldest_file_ = found.kept.oldest_file;
  files_ = found.files;
  file_ = found.newest;
  file_number_ = found.files.back().number;
  file_bytes_ = found.header.file_bytes;
  codec_ = WalCodec(log_id_, file_number_);
  tail_ = buffer_offset_ = durable_offset_ = zeroed_end_ = found.end.offset;
  entries_end_ = tail_;
  is_unmarked_ = found.end.lsn > found.proven_end.lsn;
}

Outcome WalWriter::recreate_file(const WalClassification& found) {
  WalHeader header;
  if (found.files.empty()) {
    log_id_ = options_.new_log_id;
    metadata_ = options_.metadata;
    next_lsn_ = oldest_lsn_ = options_.first_lsn;
    header = next_header(next_lsn_);
    header.file_number = found.newest_number;
  } else {
    adopt(found);
    next_lsn_ = found.next_base;
    header = next_header(next_lsn_);
    header.previous_seal_checksum = found.seal_checksum;
  }
  // Whatever length it has got already, it keeps: a shorter one might leave
  // what was mapped.
  header.file_bytes = std::max(options_.segment_bytes, found.newest_bytes);
  IoStatus status;
  if (found.newest_bytes < header.file_bytes) {
    status = found.newest->preallocate(header.file_bytes);
  }
  if (status.ok()) status = write_wal_header(*found.newest, header);
  if (status.ok()) status = found.newest->sync_all();
  if (status.ok()) status = names_->sync();
  if (!status.ok()) return io_failure(status);
  enter(found.newest, header);
  return Outcome::kOk;
}

Outcome WalWriter::create_file(WalHeader header, bool may_use_spare) {
  WalReserved next;
  IoStatus status = reserve_.take(header.file_number, header.file_bytes,
                                  may_use_spare, *names_, &next);
  if (status.ok()) status = next.file->lock();
  if (status.ok()) {
    header.file_bytes = next.bytes;
    status = publish_wal_file(system_, options_.directory, *names_, *next.file,
                              next.path, header);
  }
  if (!status.ok()) return io_failure(status);
  enter(std::move(next.file), header);
  return Outcome::kOk;
}

// When there is no room, the file is full: OPEN begins the next. Where none can
// be had, the log is open all the same, to be read and freed.
Outcome WalWriter::write_open() {
  const Outcome outcome = make_room(kWalControlBytes);
  if (is_no_space(outcome)) {
    is_without_open_ = true;
    return mark();
  }
  if (outcome != Outcome::kOk) return outcome;
  const uint32_t branch = draw_branch();
  put_control(WalType::kOpen, uint64_t{epoch_} + 1, branch);
  // The record itself still belongs to the epoch before.
  begin_epoch(branch);
  return sync();
}

// splitmix64: as random as its seed, and the same again with the same seed.
uint32_t WalWriter::draw_branch() {
  uint32_t branch = 0;
  // 0 says that there is none.
  while (branch == 0) {
    uint64_t bits = branch_state_ += 0x9E3779B97F4A7C15;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
    branch = static_cast<uint32_t>(bits >> 32);
  }
  return branch;
}

void WalWriter::begin_epoch(uint32_t branch) {
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

void WalWriter::enter(std::shared_ptr<File> file, const WalHeader& header) {
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
  // Before anything in it lets go of the files that are as long as they should.
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
  const Outcome place = check_directory();
  if (place != Outcome::kOk) return place;
  WalReserved next;
  IoStatus status = reserve_.take(file_number_ + 1, options_.segment_bytes,
                                  may_use_spare, *names_, &next);
  lacks_space_ = status.code == IoCode::kNoSpace;
  // Before it gets its name.
  if (status.ok()) status = next.file->lock();
  // Nothing was written: this can be tried again.
  if (!status.ok()) return io_failure(status);
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

// The body of the record that put() will finish.
uint8_t* WalWriter::body_of_next() {
  return buffer_.data() + (tail_ - buffer_offset_) + kWalHeadBytes;
}

// Finishes a record whose body is at the end of the buffer.
uint32_t WalWriter::put(WalType type, uint32_t count, uint64_t body_bytes) {
  WalHead head;
  head.body_bytes = static_cast<uint32_t>(body_bytes);
  head.lsn = next_lsn_;
  head.durable_offset = durable_offset_;
  head.epoch = epoch_;
  head.count = count;
  head.type = type;
  uint8_t* const body = body_of_next();
  head.body_checksum = codec_.body_checksum(tail_, body, head.body_bytes);
  codec_.encode_head(tail_, head, body - kWalHeadBytes);
  tail_ += wal_record_bytes(body_bytes);
  next_lsn_ = head.next_lsn();
  if (head.takes_lsns()) entries_end_ = tail_;
  is_unmarked_ = entries_end_ > head.durable_offset;
  return head.checksum;
}

uint32_t WalWriter::put_control(WalType type, uint64_t first, uint64_t second) {
  buffer_.resize(buffer_.size() + kWalControlBytes);
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
  buffer_.resize(buffer_.size() + static_cast<size_t>(record_bytes));
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
  buffer_.resize(buffer_.size() + static_cast<size_t>(record_bytes));
  uint8_t* item = body_of_next();
  const uint8_t* entry = data;
  for (size_t i = 0; i < count; ++i) {
    store_u32(item, lengths[i]);
    store_u32(item + 4, crc32(Crc32Kind::kCastagnoli, 0, entry, lengths[i]));
    item += kWalBatchItemBytes;
    entry += lengths[i];
  }
  if (data_bytes > 0) std::memcpy(item, data, static_cast<size_t>(data_bytes));
  return put_and_flush(static_cast<size_t>(body_bytes), WalType::kBatch,
                       static_cast<uint32_t>(count), first_lsn);
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
  if (tail_ > zeroed_end_) {
    zeroed_end_ = tail_;
    if (bytes < kSmallWriteBytes && options_.zero_ahead_bytes > 0) {
      zeroed_end_ = std::min(tail_ + options_.zero_ahead_bytes, file_bytes_);
      buffer_.resize(static_cast<size_t>(zeroed_end_ - buffer_offset_));
    }
  }
  const IoStatus status =
      file_->write_at(buffer_offset_, buffer_.data(), buffer_.size());
  if (!status.ok()) return poison(status, kFailedNow);
  add(written_bytes_, bytes);
  buffer_.clear();
  buffer_offset_ = tail_;
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
  durable_offset_ = tail_;
  add(syncs_, 1);
  publish_durable();
  return Outcome::kOk;
}

void WalWriter::publish_durable() { store(durable_lsn_, next_lsn_ - 1); }

WalWriter::CheckpointPlan WalWriter::plan_checkpoint(uint64_t lsn) const {
  CheckpointPlan plan;
  const auto keep = std::find_if(
      files_.rbegin(), files_.rend(),
      [lsn](const WalFileInfo& file) { return file.base_lsn <= lsn + 1; });
  plan.kept_file = keep == files_.rend() ? oldest_file_ : keep->number;
  const bool frees = plan.kept_file > oldest_file_;
  // The room that is kept is for what frees files; else it would be used up
  // when it is needed.
  const bool may_use_room =
      frees && fits(kWalControlBytes, kWalRoomAfterCheckpoint);
  plan.must_rotate = !entry_fits(kWalControlBytes) && !may_use_room;
  // All of the newest file goes too, when it has no room, or its room is wanted
  // for the next one.
  plan.frees_newest =
      lsn + 1 == next_lsn_ && (plan.must_rotate || lacks_space_);
  if (plan.frees_newest) plan.kept_file = file_number_ + 1;
  return plan;
}

// Where nothing is kept any more, whose room is wanted all the same: the disk
// was not known to be full when the last entry was let go of.
bool WalWriter::is_worth_freeing(uint64_t lsn) const {
  return lsn + 1 == next_lsn_ && lacks_space_ &&
         file_bytes_ > options_.spare_bytes;
}

uint64_t WalWriter::file_kept(uint64_t lsn) const {
  const bool has_work = lsn >= oldest_lsn_ || is_worth_freeing(lsn);
  return has_work && lsn < next_lsn_ ? plan_checkpoint(lsn).kept_file
                                     : oldest_file_;
}

Outcome WalWriter::checkpoint(uint64_t lsn, uint64_t kept_file) {
  if (is_poisoned_) return poisoned();
  if (lsn >= next_lsn_) return refuse(Outcome::kOutOfRange, lsn, next_lsn_ - 1);
  if (lsn < oldest_lsn_ && !is_worth_freeing(lsn)) return Outcome::kOk;
  Outcome outcome = check_directory();
  if (outcome == Outcome::kOk) outcome = sync();
  if (outcome != Outcome::kOk) return outcome;
  const CheckpointPlan plan = plan_checkpoint(lsn);
  // Another checkpoint may have come after the caller asked what is kept.
  uint64_t oldest_file =
      std::max(oldest_file_, std::min(plan.kept_file, kept_file));
  if (plan.must_rotate || plan.frees_newest) {
    outcome = rotate(next_lsn_, oldest_file > oldest_file_);
    if (is_no_space(outcome) && !plan.must_rotate) {
      oldest_file = std::min(oldest_file, file_number_);
      outcome = Outcome::kOk;
    }
  }
  if (outcome != Outcome::kOk) return outcome;
  put_control(WalType::kCheckpoint, lsn + 1, oldest_file);
  outcome = sync();
  if (outcome != Outcome::kOk) return outcome;
  oldest_lsn_ = lsn + 1;
  oldest_file_ = oldest_file;
  store(first_lsn_, oldest_lsn_);
  std::erase_if(files_, [oldest_file](const WalFileInfo& file) {
    return file.number < oldest_file;
  });
  // What cannot be deleted is garbage all the same.
  if (list_wal_files(system_, options_.directory, &garbage_).ok()) {
    remove_wal_garbage(system_, options_.directory, oldest_file_, garbage_);
  }
  // When there is still no room, the next one tries again.
  (void)reserve_.make_spare(*names_);
  return Outcome::kOk;
}

Outcome WalWriter::truncate_after(uint64_t lsn) {
  if (is_poisoned_) return poisoned();
  if (lsn >= next_lsn_ || lsn + 1 < oldest_lsn_) {
    return refuse(Outcome::kOutOfRange, lsn, next_lsn_ - 1);
  }
  if (lsn + 1 == next_lsn_) return sync();
  return rotate(lsn + 1, false);
}

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

std::vector<WalFileInfo> WalWriter::files() const {
  std::vector<WalFileInfo> files = files_;
  files.back().end_offset = buffer_offset_;
  return files;
}

bool WalWriter::is_no_space(Outcome outcome) const {
  return outcome == Outcome::kIo && failure_.io.code == IoCode::kNoSpace;
}

Outcome WalWriter::refuse(Outcome outcome, uint64_t offset, uint64_t value) {
  failure_ = {outcome, {}, options_.directory, offset, value, ""};
  return outcome;
}

Outcome WalWriter::io_failure(const IoStatus& io) {
  failure_ = {Outcome::kIo, io, options_.directory, tail_, 0, ""};
  return Outcome::kIo;
}

Outcome WalWriter::poisoned() {
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
