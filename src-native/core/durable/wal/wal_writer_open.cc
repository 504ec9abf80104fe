// Opening a log for writing: the lock, what was found, and what the log goes on
// in.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/base/check.h"
#include "core/durable/open_files.h"
#include "core/durable/wal/wal_writer.h"

namespace atomic_log::durable {
namespace {

using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

constexpr const char* kLockText =
    "\nThe writer of the log holds a lock on this file: it must stay.\n";

}  // namespace

void WalWriter::unlock() {
  // First, so that the next holder of the lock finds no file in use.
  file_.reset();
  names_.reset();
  if (is_registered_) OpenFiles::instance().remove(lock_identity_);
  is_registered_ = false;
  CORE_CHECK(file_ == nullptr && names_ == nullptr);
  lock_file_.reset();
}

Outcome WalWriter::open(FileSystem& system, const WalOptions& options,
                        std::unique_ptr<WalWriter>* writer,
                        WalRecovery* recovery, Failure* failure) {
  std::unique_ptr<WalWriter> opened(new WalWriter(system, options));
  IoStatus status;
  if (!opened->extend_buffer(0)) status = platform::kNoMemory;
  if (status.ok()) status = make_wal_directory(system, options.directory);
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
    outcome = classify_wal(
        system,
        {options.directory, WalRole::kWriter, options.is_tail_strict,
         options.verifies, options.verify_threads},
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
  // Where there is no room for it, the log is none the worse.
  if (options.makes_cursors) (void)opened->make_cursors();
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
  // Two may try at once; the second one finds the file of the first.
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
    // The opening itself may be refused so: by a program that shares no file.
    if (lock_file_ != nullptr) {
      (void)lock_file_->read_at(0, text, sizeof(text) - 1, &read);
    }
    const uint64_t holder =
        std::strtoull(reinterpret_cast<const char*>(text), nullptr, 10);
    failure_ = {Outcome::kLocked, status, path, 0, holder, ""};
    return Outcome::kLocked;
  }
  if (!status.ok()) {
    failure_ = {Outcome::kIo, status, path, 0, 0, ""};
    return Outcome::kIo;
  }
  // For messages only: whether it is held, the system knows.
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

Outcome WalWriter::find_reserve(const WalClassification& found) {
  if (options_.segment_bytes == 0) {
    // A file that was made of the spare is as long as no other.
    for (const WalFileInfo& file : found.files) {
      const bool is_spare = file.bytes == options_.spare_bytes;
      if (!is_spare && file.bytes >= kWalFileBytesOfUse) {
        options_.segment_bytes = file.bytes;
      }
    }
    // The newest one knows better what was meant last.
    const uint64_t told = found.told_file_bytes;
    if (told > options_.spare_bytes && told >= kWalFileBytesOfUse &&
        told <= kWalFileBytesMax) {
      options_.segment_bytes = told;
    }
    if (options_.segment_bytes == 0) options_.segment_bytes = kWalSegmentBytes;
  }
  const IoStatus status = reserve_.find(found.listing, found.newest_number + 1,
                                        options_.segment_bytes);
  return status.ok() ? Outcome::kOk : io_failure(status);
}

Outcome WalWriter::start(WalClassification& found) {
  garbage_ = std::move(found.listing.numbers);
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
        finish_truncation(found.next_base);
        WalHeader header = next_header(found.next_base);
        header.previous_seal_checksum = found.seal_checksum;
        next_lsn_ = found.next_base;
        // It may be these that fill the disk. All is durable by now.
        remove_wal_garbage(system_, options_.directory, oldest_file_,
                           &garbage_);
        outcome = create_file(header, true);
      }
      break;
  }
  if (outcome != Outcome::kOk) return outcome;
  remove_wal_garbage(system_, options_.directory, oldest_file_, &garbage_);
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
void WalWriter::adopt(WalClassification& found) {
  log_id_ = found.header.log_id;
  metadata_ = found.header.metadata;
  next_lsn_ = found.end.lsn;
  epoch_ = found.end.epoch;
  branch_ = found.end.branch;
  oldest_lsn_ = found.kept.oldest_lsn;
  oldest_file_ = found.kept.oldest_file;
  files_ = std::move(found.files);
  for (const WalFileInfo& file : files_) count_file(file);
  file_ = found.newest;
  file_number_ = files_.back().number;
  file_bytes_ = found.header.file_bytes;
  CORE_CHECK(file_ != nullptr && file_number_ == found.top_number);
  codec_ = WalCodec(log_id_, file_number_);
  tail_ = buffer_offset_ = durable_offset_ = zeroed_end_ = found.end.offset;
  entries_end_ = tail_;
  is_unmarked_ = found.end.lsn > found.proven_end.lsn;
  CORE_CHECK(found.proven_end.offset <= tail_ && tail_ <= file_bytes_);
  CORE_CHECK(files_.back().number - files_.front().number + 1 == files_.size());
}

// Of a truncation that was killed: what comes is of another past, from the
// header on, which tells how far cursors are.
void WalWriter::finish_truncation(uint64_t next_base) {
  if (next_base < next_lsn_) begin_epoch(draw_branch());
}

Outcome WalWriter::recreate_file(WalClassification& found) {
  WalHeader header;
  if (found.files.empty()) {
    log_id_ = options_.new_log_id;
    metadata_ = options_.metadata;
    next_lsn_ = oldest_lsn_ = options_.first_lsn;
    header = next_header(next_lsn_);
    header.file_number = found.newest_number;
  } else {
    adopt(found);
    finish_truncation(found.next_base);
    next_lsn_ = found.next_base;
    header = next_header(next_lsn_);
    header.previous_seal_checksum = found.seal_checksum;
  }
  // Whatever length it has got already, it keeps: a shorter one might leave
  // what was mapped.
  CORE_CHECK(header.file_number == found.newest_number);
  header.file_bytes = std::max(options_.segment_bytes, found.newest_bytes);
  IoStatus status;
  if (found.newest_bytes < header.file_bytes) {
    status = found.newest->preallocate(header.file_bytes);
  }
  if (status.ok() && !files_.try_reserve(files_.size() + 1)) {
    status = platform::kNoMemory;
  }
  if (status.ok()) status = write_wal_header(*found.newest, header);
  if (status.ok()) status = found.newest->sync_all();
  if (status.ok()) status = names_->sync();
  if (!status.ok()) return io_failure(status);
  enter(found.newest, header);
  return Outcome::kOk;
}

Outcome WalWriter::create_file(WalHeader header, bool may_use_spare) {
  if (!files_.try_reserve(files_.size() + 1)) {
    return io_failure(platform::kNoMemory);
  }
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
  CORE_CHECK(buffer_.empty() || buffer_.size() == kWalControlBytes);
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

}  // namespace atomic_log::durable
