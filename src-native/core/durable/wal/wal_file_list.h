// The files of a log as its readers know them, oldest first: which one an LSN
// belongs to, where its entries are in it, and the handles that are open.
//
//  1. Files follow one another without gaps in their numbers.
//  2. An LSN belongs to the newest file whose base is not above it: what was
//     taken back by a truncation stays in older files and is not found.
//  3. Finding a file takes logarithmic time, adding or dropping one constant
//     time, however many there are.
//  4. Of the files that own LSNs, numbers and bases rise.
//  5. At most kWalOpenFilesMax files are open: the newest and those that were
//     read last.
// One thread at a time.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_FILE_LIST_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_FILE_LIST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/list.h"
#include "core/durable/wal/wal_files.h"
#include "core/durable/wal/wal_format.h"
#include "core/durable/wal/wal_scanner.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// Two readers that go through the log in opposite directions, and the newest
// file, find theirs open.
inline constexpr size_t kWalOpenFilesMax = 4;

struct WalListedFile {
  WalFileInfo info;
  WalLogId log_id = {};
  // Null: it is not open.
  std::shared_ptr<platform::File> file;
  // Where its records begin.
  WalPosition begin;
  // Where others are, filled as they are read: no more than one in 64 KiB. It
  // has fewer where memory was refused, and reading begins further back then.
  List<WalPosition> index;
  // How far it was scanned for the index.
  WalPosition scanned;

  // The last one known at or before `lsn`.
  WalPosition nearest(uint64_t lsn) const;
};

class WalFileList {
 public:
  bool is_empty() const { return files_.empty(); }
  size_t size() const { return files_.size(); }
  const WalListedFile& operator[](size_t at) const { return files_[at]; }
  // The list must not be empty.
  WalListedFile& newest() { return files_.back(); }
  const WalListedFile& newest() const { return files_.back(); }
  const WalListedFile& oldest() const { return files_.front(); }

  // Null: the LSN is below all files.
  WalListedFile* find(uint64_t lsn);
  // Null when it is not listed.
  WalListedFile* find_number(uint64_t number);
  // After the last LSN that belongs to a file that find() gave, as far as the
  // files say; UINT64_MAX for the newest.
  uint64_t end_lsn(const WalListedFile& file) const;
  // The lowest base of the files after this one: what was delivered from it
  // and before, from there on, was taken back. UINT64_MAX: there is none.
  uint64_t lowest_base_after(uint64_t number) const;

  // Room for `count` files more.
  [[nodiscard]] bool try_reserve(size_t count);
  // The file after the newest, or the first one; there is room.
  void add(const WalFileInfo& info, const WalLogId& log_id,
           std::shared_ptr<platform::File> file = nullptr);
  // Drops those below `number`.
  void drop_below(uint64_t number);
  void clear();
  void forget_indexes();

  // Opens the file unless it is open, and closes the one that was not used for
  // the longest time when there are too many.
  platform::IoStatus open(platform::FileSystem& system,
                          const std::string& directory, WalListedFile& file);

 private:
  void use(WalListedFile& file);
  void forget(uint64_t number);
  // Of a number that is listed.
  WalListedFile& at(uint64_t number) {
    return files_[static_cast<size_t>(number - files_.front().info.number)];
  }
  const WalListedFile& at(uint64_t number) const {
    return files_[static_cast<size_t>(number - files_.front().info.number)];
  }
  // The first owner whose base is above `lsn`.
  const uint64_t* owner_above(uint64_t lsn) const;

  List<WalListedFile> files_;
  // The numbers of those that LSNs belong to; they and the bases rise.
  List<uint64_t> owners_;
  // The numbers of those that are open, the one used last at the end: no more
  // than kWalOpenFilesMax and one.
  std::vector<uint64_t> open_;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_FILE_LIST_H_
