// Reads the entries of a write-ahead log by LSN.
//
//  1. An LSN belongs to the newest file whose base is not above it: what was
//     taken back by a truncation stays in older files and is not seen.
//  2. Every record is verified whenever it is read.
//  3. A sparse index, filled as records are read, leads near any LSN.
//  4. In the writer's process, update() says what there is. Elsewhere refresh() finds
//     it: all of the files that have a successor, and of the newest what a
//     durable offset proves. Nothing that power loss could take back is seen.
//  5. WalTailMode::kIntact adds what is intact after that, while no writer has
//     the log open: see wal_tail.h. proved_lsn() says where the proof ends.
//
//  6. Neither reading nor looking for what is new depends on the number of
//     files. The newest and a few are kept open.
//
// One thread at a time.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_READER_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_READER_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/list.h"
#include "core/durable/outcome.h"
#include "core/durable/wal/wal_classify.h"
#include "core/durable/wal/wal_file_list.h"
#include "core/durable/wal/wal_files.h"
#include "core/durable/wal/wal_format.h"
#include "core/durable/wal/wal_scanner.h"
#include "core/durable/wal/wal_tail.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

struct WalEntry {
  uint64_t lsn = 0;
  // In WalChunk::data.
  size_t begin = 0;
  size_t bytes = 0;
  // 0 when it is in no batch.
  uint64_t batch_first = 0;
  uint64_t batch_count = 0;
};

// Which past entries from `lsn` on have. An entry of the same LSN, epoch and
// branch is the same one, with the same entries before it.
struct WalPast {
  uint64_t lsn = 0;
  uint32_t epoch = 0;
  uint32_t branch = 0;
};

struct WalChunk {
  Buffer data;
  List<WalEntry> entries;
  // Where the past changes, and of the first entry.
  List<WalPast> pasts;
};

// Adds the entries from `from` to `to` of the record that the scanner is at.
// kBadParts: they do not fit together. kNoMemory: nothing was added.
enum class WalAdded : uint8_t { kAll, kBadParts, kNoMemory };
WalAdded add_wal_entries(const WalScanner& scanner, uint64_t from, uint64_t to,
                         WalChunk* chunk);

class WalReader {
 public:
  WalReader(platform::FileSystem& system, std::string directory,
            WalTailMode tail = WalTailMode::kDurable)
      : system_(system), directory_(std::move(directory)), tail_(tail) {}

  // `files` oldest first, without gaps in their numbers; the newest one's
  // records end at `newest_end`.
  // When memory is refused, nothing is different afterwards.
  platform::IoStatus update(const WalLogId& log_id,
                            const List<WalFileInfo>& files, uint64_t newest_end,
                            uint64_t first_lsn, uint64_t last_lsn);
  // In the writer's process: its LOCK. Files of another directory that has its place
  // are not read.
  void expect_lock(const platform::FileIdentity& lock) { lock_ = lock; }
  Outcome refresh(Failure* failure);

  // Nothing is there when last_lsn() is below first_lsn().
  uint64_t first_lsn() const { return first_lsn_; }
  uint64_t last_lsn() const { return last_lsn_; }
  // The last one that is proved to be on disk.
  uint64_t proved_lsn() const { return std::min(proved_lsn_, last_lsn_); }
  const ShownTail& shown() const { return shown_; }
  const std::vector<uint8_t>& metadata() const { return metadata_; }
  const WalFileList& files() const { return files_; }
  // 0 while there is none.
  uint64_t newest_file() const {
    return files_.is_empty() ? 0 : files_.newest().info.number;
  }
  // 0 while there is none.
  uint64_t oldest_file() const {
    return files_.is_empty() ? 0 : files_.oldest().info.number;
  }
  // Null while there is none.
  const WalLogId* log_id() const {
    return files_.is_empty() ? nullptr : &files_.newest().log_id;
  }
  // WalFileList::lowest_base_after().
  uint64_t lowest_base_after(uint64_t number) const {
    return files_.lowest_base_after(number);
  }
  // Releases all files; nothing is there then until the next refresh().
  void close();

  // Entries from `from` on, up to `to` and at most about bytes_max of data, but
  // at least one when there is one. kCheckpointed when `from` is gone.
  Outcome read(uint64_t from, uint64_t to, size_t bytes_max, WalChunk* chunk,
               Failure* failure);
  // Whether the log holds the entry, with its past, or can prove that it was the
  // last one before those it holds. kTruncated, kCheckpointed.
  Outcome check_past(const WalPast& past, Failure* failure);
  // An LSN at or below `lsn` and near it from where reading begins at once.
  Outcome seek_point(uint64_t lsn, uint64_t* point, Failure* failure);

 private:
  using LogFile = WalListedFile;
  Outcome open(LogFile& file, Failure* failure);
  Outcome check_place(Failure* failure);
  Outcome extend_index(LogFile& file, uint64_t lsn, Failure* failure);
  Outcome read_file(LogFile& file, uint64_t from, uint64_t to, size_t bytes_max,
                    WalChunk* chunk, Failure* failure);
  Outcome try_read(uint64_t from, uint64_t to, size_t bytes_max,
                   WalChunk* chunk, Failure* failure);
  Outcome try_check_past(const WalPast& past, Failure* failure);
  Outcome find_past(LogFile& file, const WalPast& past, Failure* failure);
  Outcome try_seek_point(uint64_t lsn, uint64_t* point, Failure* failure);
  static void note(LogFile& file, const WalPosition& position);
  Outcome scan_failure(const LogFile& file, const WalScanner& scanner,
                       WalVerdict verdict, Failure* failure);

  Outcome fail(const platform::IoStatus& io, uint64_t number, uint64_t offset,
               Failure* failure) const;
  // `facts` is 0 where no intact record is.
  Outcome damaged(const LogFile& file, uint64_t offset, WalFacts facts,
                  Failure* failure) const;

  Outcome classify(Failure* failure);
  bool is_newest_changed() const;
  Outcome look(bool* shows_tail, Failure* failure);
  Outcome find_writer(bool* has_writer, Failure* failure);
  Outcome explain(uint64_t from, Outcome outcome, Failure* failure);
  Outcome explain_missing(uint64_t lsn, Failure* failure);

  platform::FileSystem& system_;
  const std::string directory_;
  const WalTailMode tail_;
  uint64_t first_lsn_ = 1;
  uint64_t last_lsn_ = 0;
  std::vector<uint8_t> metadata_;
  WalFileList files_;

  std::optional<platform::FileIdentity> lock_;

  // What refresh() has found.
  WalClassification found_;
  ShownTail shown_;
  uint64_t proved_lsn_ = UINT64_MAX;
  // What an index of the newest file was made with.
  uint64_t rewinds_ = 0;

  // Where the last read ended.
  uint64_t hint_number_ = 0;
  WalPosition hint_;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_READER_H_
