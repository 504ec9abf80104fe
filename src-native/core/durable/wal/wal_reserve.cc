#include "core/durable/wal/wal_reserve.h"

#include "core/base/check.h"
#include "core/durable/record_scanner.h"

namespace atomic_log::durable {

using platform::File;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

std::string WalReserve::spare_path() const {
  // No file has this number; and the newest stays the last of a sorted list.
  return wal_new_path(directory_, 0);
}

// Whether the file has its length and nothing but zeros after the header; then
// its space is secured and synced. It is deleted when it has not.
IoStatus WalReserve::keep_whole(const std::string& path, uint64_t bytes,
                                bool* is_whole) {
  *is_whole = false;
  std::unique_ptr<File> file;
  uint64_t found_bytes = 0;
  uint64_t nonzero_end = 0;
  IoStatus status = system_.open(path, OpenMode::kReadWrite, &file);
  if (status.code == IoCode::kNotFound) return {};
  if (status.ok()) status = file->size(&found_bytes);
  if (status.ok() && found_bytes == bytes) {
    status = find_nonzero_end(*file, kWalHeaderBytes, bytes, &nonzero_end);
    *is_whole = status.ok() && nonzero_end <= kWalHeaderBytes;
  }
  if (*is_whole) {
    // A crash may have kept the length and lost the space.
    status = file->preallocate(bytes);
    if (status.ok()) status = file->sync_all();
    *is_whole = status.ok();
    if (status.code == IoCode::kNoSpace) status = {};
  }
  file.reset();
  // After a failure it stays: it may be needed.
  if (*is_whole || !status.ok()) return status;
  // What cannot be deleted is tried again at the next opening.
  (void)system_.remove(path);
  return {};
}

IoStatus WalReserve::find(const WalListing& listing, uint64_t next_number,
                          uint64_t next_bytes) {
  const std::string next_path = wal_new_path(directory_, next_number);
  for (const std::string& path : listing.unfinished_paths) {
    if (path != next_path) {
      (void)system_.remove(path);
      continue;
    }
    bool is_whole = false;
    const IoStatus status = keep_whole(path, next_bytes, &is_whole);
    if (!status.ok()) return status;
    if (!is_whole) continue;
    next_number_ = next_number;
    next_bytes_ = next_bytes;
  }
  return keep_whole(spare_path(), spare_bytes_, &has_spare_);
}

IoStatus WalReserve::make_spare() {
  if (has_spare_) return {};
  std::unique_ptr<File> file;
  IoStatus status =
      reserve_wal_file(system_, spare_path(), spare_bytes_, &file);
  if (!status.ok()) return status;
  status = file->sync_all();
  if (status.ok()) {
    has_spare_ = true;
  } else {
    file.reset();
    // The first failure is the one to report.
    (void)system_.remove(spare_path());
  }
  return status;
}

IoStatus WalReserve::make_spare(platform::Directory& names) {
  if (has_spare_) return {};
  IoStatus status = make_spare();
  if (status.ok()) status = names.sync();
  has_spare_ = status.ok();
  return status;
}

IoStatus WalReserve::take(uint64_t number, uint64_t bytes, bool may_be_spare,
                          platform::Directory& names, WalReserved* reserved) {
  CORE_CHECK(number > 0 && bytes > kWalHeaderBytes);
  reserved->path = wal_new_path(directory_, number);
  reserved->bytes = bytes;
  if (next_number_ == number && next_bytes_ == bytes &&
      system_.open(reserved->path, OpenMode::kReadWrite, &reserved->file)
          .ok()) {
    next_number_ = 0;
    return {};
  }
  IoStatus status =
      reserve_wal_file(system_, reserved->path, bytes, &reserved->file);
  if (status.ok()) {
    // The spare takes its place when a crash takes it away.
    if (has_spare_) return {};
    status = reserved->file->sync_all();
    if (status.ok()) status = names.sync();
    if (!status.ok()) {
      reserved->file.reset();
      (void)system_.remove(reserved->path);
    }
    return status;
  }
  if (status.code != IoCode::kNoSpace || !may_be_spare || !has_spare_) {
    return status;
  }
  CORE_CHECK(reserved->file == nullptr);
  reserved->path = spare_path();
  reserved->bytes = spare_bytes_;
  status = system_.open(reserved->path, OpenMode::kReadWrite, &reserved->file);
  if (status.ok()) has_spare_ = false;
  return status;
}

}  // namespace atomic_log::durable
