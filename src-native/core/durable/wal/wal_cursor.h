// One cursor of a write-ahead log, by its owner: any process that may write to
// the log's directory, one at a time. wal_cursors.h has the files and the rules.
//
//  1. What is committed is durable in the log: after a crash no cursor is ahead
//     of it.
//  2. It is an entry of the log with its past: a cursor never moves to one that
//     was taken back, or is another one.
//  3. A checkpoint that runs meanwhile is bounded by the old position or by the
//     new one. So a move back, and a cursor that is made, read with LOCK held
//     where the log begins.
//  4. A position that is not in the log any more is an error when the cursor is
//     opened, never a jump.
//
// Any thread.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_CURSOR_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_CURSOR_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/durable/outcome.h"
#include "core/durable/wal/wal_cursors.h"
#include "core/durable/wal/wal_reader.h"

namespace atomic_log::durable {

struct WalCursorOptions {
  std::string directory;
  std::string name;
  // Begins again at the oldest entry where the position is not in the log any
  // more, or is damaged.
  bool resets = false;
  // For the lock of the cursors.
  uint64_t lock_wait_ms = kWalCursorsWaitMs;
  // Written into the lock's file.
  uint64_t process_id = 0;
};

class WalCursor {
 public:
  // Opens the cursor, or makes it, before the oldest entry. kLocked:
  // Failure::value is the owner's process id, where it is known. kCheckpointed:
  // entries Failure::offset to Failure::value - 1 are lost. kTruncated,
  // kCursorDamaged, kCursorsLocked.
  static Outcome open(platform::FileSystem& system,
                      const WalCursorOptions& options,
                      std::unique_ptr<WalCursor>* cursor, Failure* failure);
  // Deletes a cursor that no one has open, in whatever state.
  static Outcome remove(platform::FileSystem& system,
                        const WalCursorOptions& options, bool* was_there,
                        Failure* failure);

  // Durably. The entry is on disk when it is not above `durable_lsn`, which the
  // log's own process knows, or when the log proves it; else kNotDurable.
  // On failure the old position or the new one is on disk. `order`: of the
  // calls; one that comes after a later one that succeeded has nothing to write
  // any more, but is refused all the same where it is wrong.
  Outcome commit(const WalPast& past, uint64_t durable_lsn, uint64_t order,
                 Failure* failure);
  // Deletes it, and releases it when that was done.
  Outcome remove(bool* was_there, Failure* failure);
  // Releases it.
  void close();

  WalCursorState state() const;
  const std::string& name() const { return options_.name; }

 private:
  WalCursor(platform::FileSystem& system, WalCursorOptions options)
      : system_(system),
        options_(std::move(options)),
        reader_(system, options_.directory) {}

  // With mutex_ held, or before anyone else has it:
  Outcome find_log(Failure* failure);
  Outcome find_place(Failure* failure);
  Outcome own(bool makes, Failure* failure);
  Outcome find_position(Failure* failure);
  Outcome check(const WalCursorState& state, Failure* failure);
  Outcome make(Failure* failure);
  Outcome lock_all(std::unique_ptr<WalFileLock>* lock, Failure* failure);
  Outcome write(const WalCursorState& state, Failure* failure);
  Outcome delete_files(bool* was_there, Failure* failure);
  void release();
  Outcome fail(const platform::IoStatus& io, const std::string& path,
               Failure* failure) const;
  Outcome damaged(const char* detail, Failure* failure) const;

  platform::FileSystem& system_;
  const WalCursorOptions options_;

  mutable std::mutex mutex_;
  // Guarded by mutex_. Null when it is closed.
  std::unique_ptr<WalFileLock> owner_;
  std::unique_ptr<platform::Directory> names_;
  WalReader reader_;
  WalCursorState state_;
  // Of the last commit that succeeded.
  uint64_t order_ = 0;
  // A commit failed: what is on disk may be its position.
  bool is_uncertain_ = false;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_CURSOR_H_
