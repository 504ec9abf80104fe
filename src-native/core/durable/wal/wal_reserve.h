// Space that a write-ahead log has secured for files to come: of the next one,
// and a small spare, with which a log on a full disk can still be freed.
//
//     wal-000002.log.new   the next file
//     wal-000000.log.new   the spare
//
//  1. Neither means anything before it gets the name of a file of the log.
//  2. What is counted on is durable, space and name, before a file is sealed
//     that needs it as its successor: a sealed newest file on a full disk could
//     not be opened otherwise.
//  3. What an opening finds is kept when it is whole, and deleted when not.
//  4. The spare is used only by what frees files. It is made with the log, and
//     again whenever it is missing and there is room.
// One thread at a time.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_RESERVE_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_RESERVE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/durable/wal/wal_files.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// Smaller than any file that a user can ask for, so that one that was made of
// the spare is known by its length. Room for 72 control records.
constexpr uint64_t kWalSpareBytes = kWalFileBytesMin - kWalAlignment;

struct WalReserved {
  std::unique_ptr<platform::File> file;
  std::string path;
  uint64_t bytes = 0;
};

class WalReserve {
 public:
  WalReserve(platform::FileSystem& system, std::string directory,
             uint64_t spare_bytes)
      : system_(system),
        directory_(std::move(directory)),
        spare_bytes_(spare_bytes) {}

  // Looks at what is there, for a next file of that number and length. The
  // names must be synced before anything of it is taken.
  platform::IoStatus find(const WalListing& listing, uint64_t next_number,
                          uint64_t next_bytes);
  // Nothing when it is there. When this fails, nothing is left. The name is not
  // durable yet.
  platform::IoStatus make_spare();
  // make_spare() with its name.
  platform::IoStatus make_spare(platform::Directory& names);
  bool has_spare() const { return has_spare_; }
  uint64_t spare_bytes() const { return spare_bytes_; }

  // Secures the space of the next file, or gives the spare for it, durably.
  // When this fails, nothing was changed.
  platform::IoStatus take(uint64_t number, uint64_t bytes, bool may_be_spare,
                          platform::Directory& names, WalReserved* reserved);

 private:
  std::string spare_path() const;
  platform::IoStatus keep_whole(const std::string& path, uint64_t bytes,
                                bool* is_whole);

  platform::FileSystem& system_;
  const std::string directory_;
  const uint64_t spare_bytes_;
  bool has_spare_ = false;
  // Of that number and length; 0: none.
  uint64_t next_number_ = 0;
  uint64_t next_bytes_ = 0;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_RESERVE_H_
