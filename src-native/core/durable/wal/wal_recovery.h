// What opening a write-ahead log does with what wal_classify.h has found there:
// repair_wal() does what the row says.
//
//  1. Rows that refuse touch nothing.
//  2. What is reported is durable: the newest header and the records that no
//     durable offset proves are written again before the sync, because the
//     pages of an earlier failed sync look clean although they never reached
//     the disk.
//  3. Bytes that are quarantined are durable, in a file of their own, before the
//     first of them becomes zero. On a full disk there is no copy, and the
//     report says so: a log that cannot be opened cannot be freed.
//  4. A crash at any step leads back into the table.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_RECOVERY_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_RECOVERY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/durable/outcome.h"
#include "core/durable/wal/wal_classify.h"
#include "core/durable/wal/wal_cursors.h"
#include "core/durable/wal/wal_reserve.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

struct WalRecovery {
  WalRow row = WalRow::kNoFiles;
  // Records found in the newest file.
  uint64_t records = 0;
  uint64_t quarantined_bytes = 0;
  // Torn bytes that were zeroed without a copy, because the disk is full.
  uint64_t discarded_bytes = 0;
  // Where the newest file ended, which is where quarantined bytes were, and the
  // LSN that comes next.
  uint64_t end_offset = 0;
  uint64_t end_lsn = 0;
  std::string quarantine_path;
};

constexpr uint64_t kWalSegmentBytes = uint64_t{64} << 20;

struct WalOptions {
  std::string directory;
  // 0: those of the newest file, or kWalSegmentBytes.
  uint64_t segment_bytes = kWalSegmentBytes;
  uint64_t first_lsn = 1;
  std::vector<uint8_t> metadata;
  // 128 random bits, for a log that is created.
  WalLogId new_log_id = {};
  // 64 random bits, from which the branches of this life are drawn.
  uint64_t branch_seed = 0;
  // Refuses a torn tail instead of quarantining it.
  bool is_tail_strict = false;
  // Reads the records of all files.
  bool verifies = false;
  // So many files at a time.
  size_t verify_threads = 1;
  // Zeros written ahead of the end, so that a sync need not convert extents.
  uint64_t zero_ahead_bytes = uint64_t{1} << 20;
  // Of the space with which a log on a full disk is freed.
  uint64_t spare_bytes = kWalSpareBytes;
  // So often a sync makes sure that the directory and LOCK are still the ones
  // that were opened.
  uint64_t place_check_ms = 1000;
  // Written into LOCK.
  uint64_t process_id = 0;
  // Makes the place for cursors, where that is possible: other processes can
  // make the first one then.
  bool makes_cursors = false;
  // A checkpoint waits so long for who makes or deletes a cursor.
  uint64_t lock_wait_ms = kWalCursorsWaitMs;
};

// Does what the row says, but for creating a file.
Outcome repair_wal(platform::FileSystem& system, const WalOptions& options,
                   const WalClassification& found, WalRecovery* recovery,
                   Failure* failure);

// Deletes, of the files with these numbers, those below the oldest kept. Only
// those that could not be deleted are left in `numbers`: the next checkpoint or
// opening tries them again.
void remove_wal_garbage(platform::FileSystem& system,
                        const std::string& directory, uint64_t oldest_file,
                        List<uint64_t>* numbers);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_RECOVERY_H_
