// Reads all records of the older files of a write-ahead log, several files at a
// time.
//
//  1. What is found is what reading them one after the other finds: the first
//     file, in their order, that is not as it must be. Files after one that is
//     known to be damaged are not begun.
//  2. Each thread holds the buffer of one WalScanner. Where the system has no
//     thread, those that there are read all.
// One thread at a time; the threads of a call end with it.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_VERIFY_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_VERIFY_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/list.h"
#include "core/durable/wal/wal_files.h"
#include "core/durable/wal/wal_format.h"
#include "core/durable/wal/wal_rules.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// So many files are read at a time, however many cores there are.
inline constexpr size_t kWalVerifyThreadsMax = 16;

// The cores of this machine, as far as they are used.
size_t wal_verify_threads();

// What is wrong with a file, and where.
struct WalFileFault {
  // Not ok: it could not be read, and nothing else is known.
  platform::IoStatus io;
  WalFacts facts = 0;
  uint64_t offset = 0;

  bool is_there() const { return !io.ok() || facts != 0; }
};

struct WalVerifyRequest {
  const std::string& directory;
  const WalLogId& log_id;
  const List<WalFileInfo>& files;
  size_t threads = 1;
};

// The first of the files in [begin, end) whose records do not lead from its
// header to its SEAL; `end` when all do.
size_t find_wal_fault(platform::FileSystem& system,
                      const WalVerifyRequest& request, size_t begin, size_t end,
                      WalFileFault* fault);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_VERIFY_H_
