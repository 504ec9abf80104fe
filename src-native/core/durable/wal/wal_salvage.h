// What can still be read of a damaged write-ahead log. It only reads, and
// refuses nothing that wal_classify.h would: every record that is intact by
// itself is found, whatever is around it. One thread at a time.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_SALVAGE_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_SALVAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/durable/outcome.h"
#include "core/durable/wal/wal_format.h"
#include "core/durable/wal/wal_reader.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

struct WalRemains {
  // Of the newest intact header; records are seeded with it.
  WalLogId log_id = {};
  // Of the same header.
  std::vector<uint8_t> metadata;
  // Of the longest file, by the intact headers.
  uint64_t file_bytes = 0;
  // The first LSN that the log keeps, as far as it is known.
  uint64_t oldest_lsn = 1;
  // Rising; of a file with a damaged header the base LSN is 0.
  List<WalFileInfo> files;
};

// Where no header is intact it is what classifying says: nothing is known then.
Outcome find_wal_remains(platform::FileSystem& system,
                         const std::string& directory, WalRemains* remains,
                         Failure* failure);

struct WalSalvaged {
  WalChunk chunk;
  // Where to go on; 0 at the end of the file.
  uint64_t next_offset = 0;
  // Of the last CHECKPOINT seen; 0: none.
  uint64_t oldest_lsn = 0;
  // What the last SYNC that tells says of the files to come; 0: nothing.
  uint64_t told_file_bytes = 0;
};

// The intact entries after `from`, at most about bytes_max of data. Their LSNs
// may repeat, and leave gaps.
Outcome salvage_wal_file(platform::FileSystem& system,
                         const std::string& directory, const WalLogId& log_id,
                         uint64_t number, uint64_t from, size_t bytes_max,
                         WalSalvaged* salvaged, Failure* failure);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_SALVAGE_H_
