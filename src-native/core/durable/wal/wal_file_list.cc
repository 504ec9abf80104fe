#include "core/durable/wal/wal_file_list.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace atomic_log::durable {

WalListedFile* WalFileList::find(uint64_t lsn) {
  const auto after =
      std::upper_bound(owners_.begin(), owners_.end(), lsn,
                       [](uint64_t wanted, const WalListedFile* file) {
                         return wanted < file->info.base_lsn;
                       });
  return after == owners_.begin() ? nullptr : *std::prev(after);
}

WalListedFile* WalFileList::find_number(uint64_t number) {
  if (files_.empty() || number < files_.front().info.number) return nullptr;
  const uint64_t at = number - files_.front().info.number;
  return at < files_.size() ? &files_[static_cast<size_t>(at)] : nullptr;
}

uint64_t WalFileList::end_lsn(const WalListedFile& file) const {
  const auto after =
      std::upper_bound(owners_.begin(), owners_.end(), file.info.base_lsn,
                       [](uint64_t wanted, const WalListedFile* owner) {
                         return wanted < owner->info.base_lsn;
                       });
  return after == owners_.end() ? UINT64_MAX : (*after)->info.base_lsn;
}

uint64_t WalFileList::lowest_base_after(uint64_t number) const {
  // Bases of owners rise, and files that own nothing begin no lower than those
  // after them.
  const auto after =
      std::upper_bound(owners_.begin(), owners_.end(), number,
                       [](uint64_t wanted, const WalListedFile* file) {
                         return wanted < file->info.number;
                       });
  return after == owners_.end() ? UINT64_MAX : (*after)->info.base_lsn;
}

void WalFileList::add(const WalFileInfo& info, const WalLogId& log_id,
                      std::shared_ptr<platform::File> file) {
  CORE_CHECK(files_.empty() || info.number == newest().info.number + 1);
  WalListedFile& added = files_.emplace_back();
  added.info = info;
  added.log_id = log_id;
  added.scanned = {kWalHeaderBytes, info.base_lsn, info.epoch, info.branch};
  added.index.push_back(added.scanned);
  while (!owners_.empty() && owners_.back()->info.base_lsn >= info.base_lsn) {
    owners_.pop_back();
  }
  CORE_CHECK(owners_.empty() ||
             owners_.back()->info.number < added.info.number);
  owners_.push_back(&added);
  if (file == nullptr) return;
  added.file = std::move(file);
  use(added);
}

void WalFileList::drop_below(uint64_t number) {
  while (!files_.empty() && files_.front().info.number < number) {
    const WalListedFile* const file = &files_.front();
    CORE_CHECK(!owners_.empty());
    if (owners_.front() == file) owners_.pop_front();
    forget(file);
    files_.pop_front();
  }
}

void WalFileList::clear() {
  open_.clear();
  owners_.clear();
  files_.clear();
}

void WalFileList::forget_indexes() {
  for (WalListedFile& file : files_) {
    CORE_CHECK(!file.index.empty());
    file.index.resize(1);
    file.scanned = file.index.front();
  }
}

platform::IoStatus WalFileList::open(platform::FileSystem& system,
                                     const std::string& directory,
                                     WalListedFile& file) {
  if (file.file == nullptr) {
    std::unique_ptr<platform::File> opened;
    const platform::IoStatus status =
        system.open(wal_file_path(directory, file.info.number),
                    platform::OpenMode::kRead, &opened);
    if (!status.ok()) return status;
    file.file = std::move(opened);
  }
  use(file);
  return {};
}

void WalFileList::use(WalListedFile& file) {
  forget(&file);
  open_.push_back(&file);
  if (open_.size() <= kWalOpenFilesMax) return;
  // Never the newest, which is looked at all the time.
  const auto idle = std::find_if(
      open_.begin(), open_.end(),
      [this](const WalListedFile* each) { return each != &files_.back(); });
  CORE_CHECK(idle != open_.end() && *idle != &file);
  (*idle)->file.reset();
  open_.erase(idle);
  CORE_CHECK(open_.size() == kWalOpenFilesMax);
}

void WalFileList::forget(const WalListedFile* file) { std::erase(open_, file); }

}  // namespace atomic_log::durable
