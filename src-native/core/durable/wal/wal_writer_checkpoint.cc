// Taking entries away at either end: checkpoint() and truncate_after().
#include <algorithm>
#include <memory>

#include "core/base/check.h"
#include "core/durable/wal/wal_writer.h"

namespace atomic_log::durable {

WalWriter::CheckpointPlan WalWriter::plan_checkpoint(
    uint64_t lsn, uint64_t kept_file_max) const {
  CheckpointPlan plan;
  plan.kept_file = oldest_file_;
  for (size_t at = files_.size(); at > 0; --at) {
    const WalFileInfo& file = files_[at - 1];
    if (file.base_lsn > lsn + 1) continue;
    plan.kept_file = file.number;
    break;
  }
  CORE_CHECK(plan.kept_file >= oldest_file_ && plan.kept_file <= file_number_);
  // Less may go than could: another checkpoint, or a new file, may have come
  // after the caller asked what is kept.
  plan.kept_file =
      std::max(oldest_file_, std::min(plan.kept_file, kept_file_max));
  const bool frees = plan.kept_file > oldest_file_;
  // The room that is kept is for what frees files; else it would be used up
  // when it is needed.
  const bool may_use_room =
      frees && fits(kWalControlBytes, kWalRoomAfterCheckpoint);
  plan.must_rotate = !entry_fits(kWalControlBytes) && !may_use_room;
  // All of the newest file goes too, when it has no room, or its room is wanted
  // for the next one.
  plan.frees_newest = lsn + 1 == next_lsn_ && kept_file_max > file_number_ &&
                      (plan.must_rotate || lacks_space_);
  if (plan.frees_newest) plan.kept_file = file_number_ + 1;
  return plan;
}

// Where nothing is kept any more, whose room is wanted all the same: the disk
// was not known to be full when the last entry was dropped.
bool WalWriter::is_worth_freeing(uint64_t lsn) const {
  return lsn + 1 == next_lsn_ && lacks_space_ &&
         file_bytes_ > options_.spare_bytes;
}

// How far the cursor's consumer has come in the log as it is now: a truncation
// may have taken back what it has. Then a later epoch begins there.
uint64_t WalWriter::place_of(const WalCursorState& cursor) const {
  uint64_t place = cursor.lsn;
  if (cursor.epoch == 0) return place;
  for (const WalFileInfo& file : files_) {
    if (file.epoch > cursor.epoch) place = std::min(place, file.base_lsn - 1);
  }
  return place;
}

// Lowers `lsn`, so that the entry stays that the slowest cursor stands on: only
// with it a position is proved to be one of this log. What is gone already, no
// cursor holds.
Outcome WalWriter::stop_at_cursors(uint64_t* lsn) {
  List<WalCursorInfo> cursors;
  const platform::IoStatus status =
      list_wal_cursors(system_, options_.directory, &cursors);
  if (!status.ok()) return io_failure(status);
  for (const WalCursorInfo& cursor : cursors) {
    if (!cursor.io.ok()) {
      (void)io_failure(cursor.io);
      failure_.path = wal_cursor_path(options_.directory, cursor.name);
      failure_.offset = 0;
      return Outcome::kIo;
    }
    const char* detail = nullptr;
    if (cursor.verdict == WalCursorVerdict::kBad) {
      detail = "the cursor is damaged";
    } else if (cursor.verdict == WalCursorVerdict::kNewer) {
      detail = "the cursor is of a later release";
    } else if (cursor.state.log_id != log_id_) {
      detail = "the cursor is one of another log";
    } else if (place_of(cursor.state) >= next_lsn_) {
      detail = "the cursor stands after the last entry of the log";
    }
    if (detail != nullptr) {
      failure_ = {Outcome::kCursorDamaged,
                  {},
                  wal_cursor_path(options_.directory, cursor.name),
                  0,
                  0,
                  detail};
      return Outcome::kCursorDamaged;
    }
    const uint64_t kept = std::max(place_of(cursor.state), oldest_lsn_);
    *lsn = std::min(*lsn, kept - 1);
  }
  return Outcome::kOk;
}

// kOk without a lock: LOCK is missing, so that no one can be making, deleting or
// moving back a cursor. There may be some all the same, whose LOCK someone took
// for one that a dead process had left.
Outcome WalWriter::lock_cursors(std::unique_ptr<WalFileLock>* lock) {
  platform::IoStatus status = lock_wal_cursors(system_, options_.directory,
                                               options_.lock_wait_ms, lock);
  if (status.ok()) return Outcome::kOk;
  if (status.code == platform::IoCode::kNotFound) return Outcome::kOk;
  if (status.code != platform::IoCode::kLocked) return io_failure(status);
  failure_ = {Outcome::kCursorsLocked,
              status,
              wal_cursors_path(options_.directory),
              0,
              0,
              "another process has held the lock of the cursors for long; try "
              "again, or see what it does"};
  return Outcome::kCursorsLocked;
}

Outcome WalWriter::make_cursors() {
  const platform::IoStatus status =
      make_wal_cursors(system_, options_.directory);
  if (status.ok()) return Outcome::kOk;
  (void)io_failure(status);
  failure_.path = wal_cursors_path(options_.directory);
  return Outcome::kIo;
}

uint64_t WalWriter::file_kept(uint64_t lsn, bool passes_cursors) {
  // Where this fails, the checkpoint will, and say so.
  if (!passes_cursors && stop_at_cursors(&lsn) != Outcome::kOk) {
    return oldest_file_;
  }
  const bool has_work = lsn >= oldest_lsn_ || is_worth_freeing(lsn);
  return has_work && lsn < next_lsn_
             ? plan_checkpoint(lsn, UINT64_MAX).kept_file
             : oldest_file_;
}

Outcome WalWriter::checkpoint(uint64_t lsn, uint64_t kept_file,
                              bool passes_cursors) {
  if (is_poisoned_) return poisoned();
  if (lsn >= next_lsn_) return refuse(Outcome::kOutOfRange, lsn, next_lsn_ - 1);
  if (lsn < oldest_lsn_ && !is_worth_freeing(lsn)) return Outcome::kOk;
  Outcome outcome = check_directory();
  // Until CHECKPOINT is on disk.
  std::unique_ptr<WalFileLock> cursors;
  if (outcome == Outcome::kOk && !passes_cursors) {
    outcome = lock_cursors(&cursors);
  }
  if (outcome == Outcome::kOk && !passes_cursors) {
    outcome = stop_at_cursors(&lsn);
    if (outcome == Outcome::kOk && lsn < oldest_lsn_ &&
        !is_worth_freeing(lsn)) {
      return Outcome::kOk;
    }
    // What was committed or deleted may be in no directory on disk yet.
    if (outcome == Outcome::kOk) {
      const platform::IoStatus synced =
          system_.sync_directory(wal_cursors_path(options_.directory));
      const bool has_none = synced.code == platform::IoCode::kNotFound;
      if (!synced.ok() && !has_none) outcome = io_failure(synced);
    }
  }
  if (outcome == Outcome::kOk) outcome = sync();
  if (outcome != Outcome::kOk) return outcome;
  const CheckpointPlan plan = plan_checkpoint(lsn, kept_file);
  uint64_t oldest_file = plan.kept_file;
  if (plan.must_rotate || plan.frees_newest) {
    outcome = rotate(next_lsn_, oldest_file > oldest_file_);
    if (is_no_space(outcome) && !plan.must_rotate) {
      oldest_file = std::min(oldest_file, file_number_);
      outcome = Outcome::kOk;
    }
  }
  if (outcome != Outcome::kOk) return outcome;
  CORE_CHECK(lsn + 1 <= next_lsn_);
  CORE_CHECK(oldest_file >= oldest_file_ && oldest_file <= file_number_);
  put_control(WalType::kCheckpoint, lsn + 1, oldest_file);
  outcome = sync();
  if (outcome != Outcome::kOk) return outcome;
  cursors.reset();
  oldest_lsn_ = lsn + 1;
  store(first_lsn_, oldest_lsn_);
  drop_files(oldest_file);
  // When there is still no room, the next one tries again.
  (void)reserve_.make_spare(*names_);
  return Outcome::kOk;
}

// Deletes the files below `oldest_file`, oldest first. The directory is not
// listed: that would take longer, the more files there are.
void WalWriter::drop_files(uint64_t oldest_file) {
  const uint64_t first = oldest_file_;
  oldest_file_ = oldest_file;
  remove_wal_garbage(system_, options_.directory, oldest_file_, &garbage_);
  for (uint64_t number = first; number < oldest_file; ++number) {
    store(files_bytes_, files_bytes() - files_.front().bytes);
    store(file_count_, file_count() - 1);
    files_.drop_front(1);
    // What cannot be deleted is garbage all the same, which the next checkpoint
    // tries again, or without the memory for that the next opening.
    if (!remove_wal_file(system_, options_.directory, number)) {
      (void)garbage_.try_push_back(number);
    }
  }
  CORE_CHECK(!files_.empty() && files_.front().number == oldest_file_);
  CORE_CHECK(files_.front().base_lsn <= oldest_lsn_ ||
             files_.front().number == file_number_);
}

Outcome WalWriter::truncate_after(uint64_t lsn) {
  if (is_poisoned_) return poisoned();
  if (lsn >= next_lsn_ || lsn + 1 < oldest_lsn_) {
    return refuse(Outcome::kOutOfRange, lsn, next_lsn_ - 1);
  }
  if (lsn + 1 == next_lsn_) return sync();
  return rotate(lsn + 1, false);
}

}  // namespace atomic_log::durable
