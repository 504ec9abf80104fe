#include "core/durable/wal/wal_cursor.h"

#include <algorithm>

namespace atomic_log::durable {

using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;

Outcome WalCursor::fail(const IoStatus& io, const std::string& path,
                        Failure* failure) const {
  *failure = {Outcome::kIo, io, path, 0, 0, ""};
  return Outcome::kIo;
}

Outcome WalCursor::damaged(const char* detail, Failure* failure) const {
  *failure = {Outcome::kCursorDamaged,
              {},
              wal_cursor_path(options_.directory, options_.name),
              0,
              0,
              detail};
  return Outcome::kCursorDamaged;
}

Outcome WalCursor::open(FileSystem& system, const WalCursorOptions& options,
                        std::unique_ptr<WalCursor>* cursor, Failure* failure) {
  std::unique_ptr<WalCursor> opened(new WalCursor(system, options));
  Outcome outcome = opened->find_log(failure);
  if (outcome == Outcome::kOk) outcome = opened->find_place(failure);
  if (outcome == Outcome::kOk) outcome = opened->own(true, failure);
  if (outcome == Outcome::kOk) outcome = opened->find_position(failure);
  if (outcome == Outcome::kOk) *cursor = std::move(opened);
  return outcome;
}

Outcome WalCursor::remove(FileSystem& system, const WalCursorOptions& options,
                          bool* was_there, Failure* failure) {
  WalCursor cursor(system, options);
  *was_there = false;
  if (!is_wal_cursor_name(options.name)) {
    return cursor.damaged("this is not the name of a cursor", failure);
  }
  const Outcome outcome = cursor.own(true, failure);
  // No directory: no cursors.
  if (outcome == Outcome::kIo && failure->io.code == IoCode::kNotFound) {
    return Outcome::kOk;
  }
  return outcome == Outcome::kOk ? cursor.remove(was_there, failure) : outcome;
}

// There is a log, and it is known.
Outcome WalCursor::find_log(Failure* failure) {
  if (!is_wal_cursor_name(options_.name)) {
    return damaged("this is not the name of a cursor", failure);
  }
  const Outcome outcome = reader_.refresh(failure);
  if (outcome != Outcome::kOk) return outcome;
  if (reader_.log_id() != nullptr) return Outcome::kOk;
  return fail({IoCode::kNotFound, 0, "open"}, options_.directory, failure);
}

// There is a place for cursors. Only who holds the log's own LOCK makes it: a
// writer that finds none need not look whether one is being made.
Outcome WalCursor::find_place(Failure* failure) {
  const std::string path = wal_cursors_path(options_.directory);
  platform::FileIdentity ignored;
  const IoStatus found =
      system_.identity(platform::path_in(path, "LOCK"), &ignored);
  if (found.ok()) return Outcome::kOk;
  if (found.code != IoCode::kNotFound) return fail(found, path, failure);
  std::unique_ptr<WalFileLock> writer;
  IoStatus status = WalFileLock::take(
      system_, platform::path_in(options_.directory, "LOCK"), false, &writer);
  if (status.code == IoCode::kLocked) {
    *failure = {Outcome::kCursorsLocked,
                status,
                path,
                0,
                0,
                "the log's writer has not made a place for cursors; make the "
                "first one with its own wal.cursor(), or open the log again"};
    return Outcome::kCursorsLocked;
  }
  if (status.ok()) status = make_wal_cursors(system_, options_.directory);
  return status.ok() ? Outcome::kOk : fail(status, path, failure);
}

Outcome WalCursor::own(bool makes, Failure* failure) {
  const std::string path =
      wal_cursor_lock_path(options_.directory, options_.name);
  IoStatus status = WalFileLock::take(system_, path, makes, &owner_);
  if (status.code == IoCode::kLocked) {
    const uint64_t holder = WalFileLock::holder_of(system_, path);
    *failure = {Outcome::kLocked, status, path, 0, holder, ""};
    return Outcome::kLocked;
  }
  if (!status.ok()) return fail(status, path, failure);
  owner_->name_holder(options_.process_id);
  status =
      system_.open_directory(wal_cursors_path(options_.directory), &names_);
  if (status.ok()) return Outcome::kOk;
  release();
  return fail(status, wal_cursors_path(options_.directory), failure);
}

Outcome WalCursor::find_position(Failure* failure) {
  WalCursorVerdict verdict = WalCursorVerdict::kBad;
  const IoStatus status = read_wal_cursor(system_, options_.directory,
                                          options_.name, &verdict, &state_);
  if (status.code == IoCode::kNotFound) return make(failure);
  if (!status.ok()) {
    return fail(status, wal_cursor_path(options_.directory, options_.name),
                failure);
  }
  Outcome outcome = Outcome::kOk;
  if (verdict == WalCursorVerdict::kNewer) {
    // Whose position means something, to a release that knows what.
    *failure = {Outcome::kFormat,
                {},
                wal_cursor_path(options_.directory, options_.name),
                8,
                0,
                "the cursor is of a later release"};
    return Outcome::kFormat;
  }
  if (verdict == WalCursorVerdict::kBad) {
    outcome = damaged("the cursor is damaged", failure);
  } else if (state_.log_id != *reader_.log_id()) {
    outcome = damaged("the cursor is one of another log", failure);
  } else {
    // Someone may have committed since the log was looked at.
    outcome = reader_.refresh(failure);
    if (outcome == Outcome::kOk) outcome = check(state_, failure);
  }
  const bool is_lost = outcome == Outcome::kCursorDamaged ||
                       outcome == Outcome::kCheckpointed ||
                       outcome == Outcome::kTruncated;
  return is_lost && options_.resets ? make(failure) : outcome;
}

// Whether the log goes on after that position.
Outcome WalCursor::check(const WalCursorState& state, Failure* failure) {
  Outcome outcome = Outcome::kOk;
  if (state.epoch > 0) {
    // Fills the index, so that the next commit scans on from here. What is
    // wrong, check_past() tells.
    uint64_t ignored = 0;
    Failure unused;
    (void)reader_.seek_point(state.lsn, &ignored, &unused);
    outcome =
        reader_.check_past({state.lsn, state.epoch, state.branch}, failure);
  } else if (state.lsn + 1 < reader_.first_lsn()) {
    outcome = Outcome::kCheckpointed;
  } else if (state.lsn > reader_.last_lsn()) {
    outcome = Outcome::kTruncated;
  }
  // What it has lost begins after its own entry.
  if (outcome == Outcome::kCheckpointed) {
    *failure = {
        outcome, {}, options_.directory, state.lsn + 1, reader_.first_lsn(),
        ""};
  } else if (outcome == Outcome::kTruncated) {
    *failure = {outcome, {}, options_.directory, state.lsn, reader_.last_lsn(),
                ""};
  }
  return outcome;
}

Outcome WalCursor::lock_all(std::unique_ptr<WalFileLock>* lock,
                            Failure* failure) {
  const IoStatus status = lock_wal_cursors(system_, options_.directory,
                                           options_.lock_wait_ms, lock);
  if (status.ok()) return Outcome::kOk;
  const std::string path = wal_cursors_path(options_.directory);
  if (status.code != IoCode::kLocked) return fail(status, path, failure);
  *failure = {Outcome::kCursorsLocked,
              status,
              path,
              0,
              0,
              "another process has held the lock of the cursors for long; try "
              "again, or see what it does"};
  return Outcome::kCursorsLocked;
}

// Before the oldest entry, whatever was there.
Outcome WalCursor::make(Failure* failure) {
  std::unique_ptr<WalFileLock> lock;
  Outcome outcome = lock_all(&lock, failure);
  // Not before: a checkpoint may have been at work.
  if (outcome == Outcome::kOk) outcome = reader_.refresh(failure);
  if (outcome != Outcome::kOk) return outcome;
  const WalCursorState state = {*reader_.log_id(), reader_.first_lsn() - 1, 0,
                                0};
  outcome = write(state, failure);
  if (outcome != Outcome::kOk) return outcome;
  // The name of the directory may be new too.
  const IoStatus status = system_.sync_directory(options_.directory);
  return status.ok() ? Outcome::kOk : fail(status, options_.directory, failure);
}

Outcome WalCursor::write(const WalCursorState& state, Failure* failure) {
  const IoStatus status = write_wal_cursor(system_, options_.directory, *names_,
                                           options_.name, state);
  is_uncertain_ = !status.ok();
  if (!status.ok()) {
    return fail(status, wal_cursor_path(options_.directory, options_.name),
                failure);
  }
  state_ = state;
  return Outcome::kOk;
}

Outcome WalCursor::commit(const WalPast& past, uint64_t durable_lsn,
                          uint64_t order, Failure* failure) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (owner_ == nullptr) {
    *failure = {};
    failure->outcome = Outcome::kClosed;
    return Outcome::kClosed;
  }
  Outcome outcome = reader_.refresh(failure);
  if (outcome != Outcome::kOk) return outcome;
  const uint64_t durable = std::max(durable_lsn, reader_.proved_lsn());
  const WalCursorState state = {state_.log_id, past.lsn, past.epoch,
                                past.branch};
  if (reader_.log_id() == nullptr || *reader_.log_id() != state.log_id) {
    return damaged("the cursor is one of another log", failure);
  }
  outcome = check(state, failure);
  // Overtaken by a commit that let what follows go: no error of this one.
  if (outcome == Outcome::kCheckpointed && order < order_) return Outcome::kOk;
  if (outcome != Outcome::kOk) return outcome;
  if (past.lsn > durable) {
    *failure = {
        Outcome::kNotDurable, {}, options_.directory, past.lsn, durable, ""};
    return Outcome::kNotDurable;
  }
  if (order < order_) return Outcome::kOk;
  if (state == state_ && !is_uncertain_) {
    order_ = order;
    return Outcome::kOk;
  }
  std::unique_ptr<WalFileLock> lock;
  if (past.lsn < state_.lsn || is_uncertain_) {
    outcome = lock_all(&lock, failure);
    if (outcome == Outcome::kOk) outcome = reader_.refresh(failure);
    if (outcome == Outcome::kOk) outcome = check(state, failure);
    // The entry itself: without it nothing may prove the position later.
    if (outcome == Outcome::kOk && past.lsn < reader_.first_lsn()) {
      outcome = Outcome::kCheckpointed;
      *failure = {
          outcome, {}, options_.directory, past.lsn, reader_.first_lsn(), ""};
    }
    if (outcome != Outcome::kOk) return outcome;
  }
  outcome = write(state, failure);
  if (outcome == Outcome::kOk) order_ = order;
  return outcome;
}

Outcome WalCursor::remove(bool* was_there, Failure* failure) {
  const std::lock_guard<std::mutex> guard(mutex_);
  *was_there = false;
  if (owner_ == nullptr) {
    *failure = {};
    failure->outcome = Outcome::kClosed;
    return Outcome::kClosed;
  }
  const Outcome outcome = delete_files(was_there, failure);
  if (outcome == Outcome::kOk) release();
  return outcome;
}

Outcome WalCursor::delete_files(bool* was_there, Failure* failure) {
  std::unique_ptr<WalFileLock> lock;
  const Outcome outcome = lock_all(&lock, failure);
  if (outcome != Outcome::kOk) return outcome;
  const std::string path = wal_cursor_path(options_.directory, options_.name);
  IoStatus status = system_.remove(path);
  *was_there = status.ok();
  // One that failed before may have deleted it, and not durably.
  if (status.ok() || status.code == IoCode::kNotFound) status = names_->sync();
  is_uncertain_ = true;
  if (!status.ok()) return fail(status, path, failure);
  // Mean nothing any more. Who waits for the lock looks whether its file is
  // still there.
  (void)system_.remove(platform::path_in(wal_cursors_path(options_.directory),
                                         "new-" + options_.name));
  (void)system_.remove(wal_cursor_lock_path(options_.directory, options_.name));
  return Outcome::kOk;
}

void WalCursor::release() {
  reader_.close();
  names_.reset();
  owner_.reset();
}

void WalCursor::close() {
  const std::lock_guard<std::mutex> guard(mutex_);
  release();
}

WalCursorState WalCursor::state() const {
  const std::lock_guard<std::mutex> guard(mutex_);
  return state_;
}

}  // namespace atomic_log::durable
