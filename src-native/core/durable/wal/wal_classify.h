// What the directory of a write-ahead log holds: one classification for the
// writer that opens it, for readers, for verification and for salvage.
//
//  1. Facts are gathered step by step: of the directory, of a file's header and
//     length, of its place in the chain, of where its records end. After each
//     step the table in wal_rules.h decides.
//  2. Classifying changes nothing.
//  3. Of the files before the newest only headers and SEALs are read, unless
//     `verifies`.
//  4. A reader classifies again to see what is new: what it has linked is not
//     read again, and the scan goes on where it ended. While the newest file
//     has its name, only that file and its successors are looked at, however
//     many files there are; otherwise the directory is listed.
//  5. A directory in whose place another one is, or that is gone, is never taken
//     for the log that was found: kReplaced.
//
// One thread at a time; with `verify_threads` it has others read, which end
// before it returns.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_CLASSIFY_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_CLASSIFY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/list.h"
#include "core/durable/outcome.h"
#include "core/durable/wal/wal_files.h"
#include "core/durable/wal/wal_rules.h"
#include "core/durable/wal/wal_scanner.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

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
  // So many files at a time (wal_verify.h).
  size_t verify_threads = 1;
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
  List<WalFileInfo> files;
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
  // After its last intact record.
  WalPosition end;
  uint64_t records = 0;
  // The highest durable offset in it, and the end of what that proves.
  uint64_t proven_offset = kWalHeaderBytes;
  WalPosition proven_end;
  // The ends of the records after that.
  List<WalPosition> unproven;
  // Where each epoch of the file begins: after its header, and after each OPEN.
  List<WalPosition> epochs;
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
