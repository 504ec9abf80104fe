// Copies a write-ahead log to a new directory while it goes on being written.
//
//  1. The copy is made in TARGET.partial-N. It gets its name when it is whole
//     and on disk, and when it was read back: what was copied byte for byte, and
//     the newest file up to the last entry as recovery would read it.
//  2. Every byte of it was written by the log's writer: each file is one of the
//     log's, or a beginning of one that ends after a record.
//  3. Files that have a successor never change, so that they get a second name
//     where the file system has such, and are copied elsewhere.
//  4. While it is being made, and until it has its name, a locked file
//     TARGET.partial-N.incomplete is next to it. One that is not locked was left
//     by a process that was killed, and the next copy to the same place deletes
//     it and that directory; no other is ever touched.
//  5. When anything fails nothing of it is left, as far as the system allows,
//     and the log is not changed.
//
// One thread at a time; each step is bounded, so that a thread which does one is
// free again soon.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_BACKUP_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_BACKUP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/base/list.h"
#include "core/durable/outcome.h"
#include "core/durable/wal/wal_files.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// A log at one moment.
struct WalBackupSource {
  std::string directory;
  // Oldest first. The newest is copied up to its end_offset.
  List<WalFileInfo> files;
  uint64_t last_lsn = 0;
};

class WalBackup {
 public:
  WalBackup(platform::FileSystem& system, WalBackupSource source,
            std::string target)
      : system_(system),
        source_(std::move(source)),
        target_(std::move(target)) {}
  // A copy that is not done is deleted.
  ~WalBackup() { abandon(); }
  WalBackup(const WalBackup&) = delete;

  // Does a part of the work. After a failure there is nothing more to do.
  // kIo with kExists: something has the name of the target.
  Outcome step(Failure* failure);
  bool is_done() const { return phase_ == Phase::kDone; }
  // The file of the log that was not there when the step failed; 0: none.
  uint64_t missing_file() const { return missing_file_; }

 private:
  enum class Phase : uint8_t {
    kBegin,
    // Between two files.
    kNextFile,
    kCopy,
    kReadBack,
    kFinish,
    kDone,
    kFailed,
  };

  platform::IoStatus begin();
  void remove_stale();
  platform::IoStatus claim(const std::string& directory);
  platform::IoStatus next_file();
  platform::IoStatus copy_piece();
  platform::IoStatus read_back_piece();
  // Of the whole copy, as a log.
  Outcome classify(Failure* failure);
  platform::IoStatus publish();
  void abandon();

  const WalFileInfo& file() const { return source_.files[index_]; }
  bool is_newest() const { return index_ + 1 == source_.files.size(); }
  std::string path_of_copy() const {
    return wal_file_path(partial_, file().number);
  }
  platform::IoStatus open_source();

  platform::FileSystem& system_;
  const WalBackupSource source_;
  const std::string target_;
  Phase phase_ = Phase::kBegin;
  // Where the copy is made; empty: there is none.
  std::string partial_;
  std::unique_ptr<platform::File> marker_;
  // Opened at once, so that no checkpoint takes it away.
  std::unique_ptr<platform::File> newest_;

  // Of the file that is being copied.
  size_t index_ = 0;
  std::unique_ptr<platform::File> from_;
  std::unique_ptr<platform::File> to_;
  uint64_t end_ = 0;
  uint64_t at_ = 0;
  uint32_t checksum_ = 0;
  uint32_t checksum_read_ = 0;

  uint64_t missing_file_ = 0;
  // What the system refused: empty for something in the target.
  std::string failed_path_;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_BACKUP_H_
