// What opening a write-ahead log does with what it finds: judge_wal() looks,
// and repair_wal() does what the row says. The rows are data in the .cc.
//
//  1. Rows that refuse touch nothing, and judging never does.
//  2. What is reported is durable: the newest header and the records that no
//     durable offset proves are written again before the sync, because the
//     pages of an earlier failed sync look clean although they never reached
//     the disk.
//  3. Bytes that are set aside are durable, in a file of their own, before the
//     first of them becomes zero.
//  4. A crash at any step leads back into the table.
//  5. Of the files before the newest only the headers and SEALs are read.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_RECOVERY_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_RECOVERY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/durable/outcome.h"
#include "core/durable/wal_files.h"
#include "core/durable/wal_scanner.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

enum class WalRow : uint8_t {
  kNoFiles,
  kCleanEnd,
  kSealedEnd,
  kTornTail,
  kUnfinishedFile,
  kProvenDamage,
  kDamagedOlderFile,
  kBrokenChain,
  kDamagedHeader,
  kForeignFile,
  kNewerVersion,
  kWrongLength,
  kWrongLsn,
};

enum class WalAction : uint8_t {
  kCreate,
  kAdopt,
  kAdoptAndRoll,
  kSetAside,
  kRecreate,
  kCorrupt,
  kRefuse,
};

// A row of the table.
struct WalRule {
  WalRow row;
  WalAction action;
  const char* condition;
};

const WalRule& wal_rule(WalRow row);

// What judging has found.
struct WalJudgement {
  WalRow row = WalRow::kNoFiles;
  WalListing listing;
  // From the oldest kept to the newest with a header.
  std::vector<WalFileInfo> files;
  uint64_t newest_number = 0;
  std::shared_ptr<platform::File> newest;
  uint64_t newest_bytes = 0;
  // Of the newest file with a header.
  WalHeader header;
  WalPosition end;
  uint64_t records = 0;
  // The highest durable offset in it.
  uint64_t proven_offset = kWalHeaderBytes;
  uint64_t nonzero_end = 0;
  uint64_t oldest_lsn = 1;
  uint64_t oldest_file = 1;
  uint64_t next_base = 0;
  uint32_t seal_checksum = 0;
};

struct WalRecovery {
  WalRow row = WalRow::kNoFiles;
  // Records found in the newest file.
  uint64_t records = 0;
  uint64_t set_aside_bytes = 0;
  // Where the newest file ended, which is where bytes were set aside, and the
  // LSN that comes next.
  uint64_t end_offset = 0;
  uint64_t end_lsn = 0;
  std::string set_aside_path;
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
  // Refuses a torn tail instead of setting it aside.
  bool is_tail_strict = false;
  // Reads the records of all files.
  bool verifies = false;
  // Zeros written ahead of the end, so that a sync need not convert extents.
  uint64_t zero_ahead_bytes = uint64_t{1} << 20;
  // Written into LOCK.
  uint64_t process_id = 0;
};

// Finds the row. kOk for rows with which a log can be opened.
Outcome judge_wal(platform::FileSystem& system, const WalOptions& options,
                  platform::OpenMode mode, WalJudgement* judgement,
                  Failure* failure);

// Does what the row says, but for creating a file.
Outcome repair_wal(platform::FileSystem& system, const WalOptions& options,
                   const WalJudgement& judgement, WalRecovery* recovery,
                   Failure* failure);

// Deletes the files below the oldest kept, and unfinished ones. One that cannot
// be deleted now is tried again at the next opening or checkpoint.
void remove_wal_garbage(platform::FileSystem& system,
                        const std::string& directory, uint64_t oldest_file,
                        const WalListing& listing);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_RECOVERY_H_
