// What the directory of a write-ahead log holds: one classification for the
// writer that opens it, for readers, for verification and for salvage.
//
//  1. Facts are gathered step by step: of the directory, of a file's header and
//     length, of its place in the chain, of where its records end. After each
//     step the first row of the table whose conditions the facts meet decides;
//     the table is data, in the .cc.
//  2. The same damage is the same row for everyone. Where a writer repairs, a
//     reader waits for it; where one refuses, so does the other.
//  3. Classifying changes nothing.
//  4. Of the files before the newest only headers and SEALs are read, unless
//     `verifies`.
//  5. A reader classifies again to see what is new: what it has linked is not
//     read again, and the scan goes on where it ended. While the newest file
//     has its name, only that file and its successors are looked at, however
//     many files there are; otherwise the directory is listed.
//  6. A directory in whose place another one is, or that is gone, is never taken
//     for the log that was found: kReplaced.
//
// One thread at a time.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_CLASSIFY_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_CLASSIFY_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/durable/outcome.h"
#include "core/durable/wal/wal_files.h"
#include "core/durable/wal/wal_scanner.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// The numbers of those that open are part of types/native.d.ts.
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

// What opening for writing does.
enum class WalAction : uint8_t {
  kCreate,
  kAdopt,
  kAdoptAndRoll,
  kSetAside,
  kRecreate,
  kCorrupt,
  kRefuse,
};

// What a reader does. kWait: it shows what is whole, and looks again.
enum class WalReading : uint8_t { kRead, kWait, kCorrupt, kRefuse };

using WalFacts = uint32_t;

// Of the directory.
inline constexpr WalFacts kFactNoFile = 1u << 0;
inline constexpr WalFacts kFactNumberTwice = 1u << 1;
// Of a file's header and length.
inline constexpr WalFacts kFactMissing = 1u << 2;
inline constexpr WalFacts kFactNoMagic = 1u << 3;
inline constexpr WalFacts kFactNewerVersion = 1u << 4;
inline constexpr WalFacts kFactBadHeader = 1u << 5;
inline constexpr WalFacts kFactOtherNumber = 1u << 6;
inline constexpr WalFacts kFactTooShort = 1u << 7;
inline constexpr WalFacts kFactTooLong = 1u << 8;
inline constexpr WalFacts kFactNewest = 1u << 9;
// Nothing but zeros after the header block.
inline constexpr WalFacts kFactBlank = 1u << 10;
// Of its place in the chain. kFactNoSeal: its records do not lead to a SEAL.
inline constexpr WalFacts kFactOtherLog = 1u << 11;
inline constexpr WalFacts kFactOtherBase = 1u << 12;
inline constexpr WalFacts kFactSealOutside = 1u << 13;
inline constexpr WalFacts kFactNoSeal = 1u << 14;
inline constexpr WalFacts kFactOtherSeal = 1u << 15;
inline constexpr WalFacts kFactOldestOutside = 1u << 16;
// Of where the records of the newest file end.
inline constexpr WalFacts kFactScanned = 1u << 17;
inline constexpr WalFacts kFactSealed = 1u << 18;
inline constexpr WalFacts kFactBytesAfterEnd = 1u << 19;
inline constexpr WalFacts kFactProofAfterEnd = 1u << 20;
inline constexpr WalFacts kFactOtherLsn = 1u << 21;
inline constexpr int kWalFactCount = 22;

// A row of the table. It is met when all of `all`, one of `any` (where there
// are such) and none of `none` are facts.
struct WalRule {
  WalRow row;
  WalAction action;
  WalReading reading;
  WalFacts all;
  WalFacts any;
  WalFacts none;
  const char* condition;
};

const WalRule& wal_rule(WalRow row);
// Null: nothing is to be said about these facts yet.
const WalRule* find_wal_rule(WalFacts facts);

// From where a log is kept: the one reading of CHECKPOINT.
struct WalKept {
  uint64_t oldest_lsn = 1;
  uint64_t oldest_file = 1;

  void begin(const WalHeader& header) {
    oldest_lsn = header.oldest_lsn;
    oldest_file = header.oldest_file;
  }
  // Of the record that the scanner has found. Proved or not: the files may be
  // gone already.
  void apply(const WalScanner& scanner) {
    if (scanner.head().type != WalType::kCheckpoint) return;
    oldest_lsn = scanner.control_value(0);
    oldest_file = scanner.control_value(1);
  }
};

enum class WalRole : uint8_t { kWriter, kReader };

struct WalClassifyRequest {
  std::string directory;
  WalRole role = WalRole::kWriter;
  // Refuses a torn tail.
  bool is_tail_strict = false;
  // Reads the records of all files.
  bool verifies = false;
};

// The newest file with a header that a reader has seen: what tells a log from
// another one, or from an older copy, in its place.
struct WalSeen {
  // 0: none yet.
  uint64_t number = 0;
  std::shared_ptr<platform::File> file;
  platform::FileIdentity identity;
  WalHeader header;
};

// What classifying has found.
struct WalClassification {
  WalRow row = WalRow::kNoFiles;
  WalListing listing;
  // From the oldest kept to the newest with a header.
  std::vector<WalFileInfo> files;
  uint64_t newest_number = 0;
  std::shared_ptr<platform::File> newest;
  uint64_t newest_bytes = 0;

  // Of the newest file with a header; 0: there is none.
  uint64_t top_number = 0;
  std::shared_ptr<platform::File> top;
  WalHeader header;
  WalKept kept;
  // What a SYNC in it says of the files to come; 0: nothing.
  uint64_t told_file_bytes = 0;
  // Behind its last intact record.
  WalPosition end;
  uint64_t records = 0;
  // The highest durable offset in it, and the end of what that proves.
  uint64_t proven_offset = kWalHeaderBytes;
  WalPosition proven_end;
  // The ends of the records after that.
  std::deque<WalPosition> unproven;
  // Where each epoch of the file begins: after its header, and after each OPEN.
  std::vector<WalPosition> epochs;
  // The last record. While its head is still there, so is what was scanned: a
  // tail that is cut becomes zero, or records of a later epoch.
  uint64_t last_offset = 0;
  uint32_t last_checksum = 0;
  // How often what was scanned was not there any more.
  uint64_t rewinds = 0;
  bool is_sealed = false;
  uint64_t next_base = 0;
  uint32_t seal_checksum = 0;
  // Its end was classified, not only its records.
  bool is_end_known = false;
  uint64_t nonzero_end = 0;

  WalSeen seen;
};

// Finds the row. kOk for rows with which the log can be opened or, for a
// reader, read. A reader gives what it found last time, to go on from there;
// after a failure it must begin with nothing but `seen`.
Outcome classify_wal(platform::FileSystem& system,
                     const WalClassifyRequest& request,
                     WalClassification* found, Failure* failure);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_CLASSIFY_H_
