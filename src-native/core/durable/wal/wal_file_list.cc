#include "core/durable/wal/wal_file_list.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace atomic_log::durable {

WalPosition WalListedFile::nearest(uint64_t lsn) const {
  const auto after = std::upper_bound(
      index.begin(), index.end(), lsn,
      [](uint64_t wanted, const WalPosition& at) { return wanted < at.lsn; });
  return after == index.begin() ? begin : *std::prev(after);
}

const uint64_t* WalFileList::owner_above(uint64_t lsn) const {
  return std::upper_bound(owners_.begin(), owners_.end(), lsn,
                          [this](uint64_t wanted, uint64_t number) {
                            return wanted < at(number).info.base_lsn;
                          });
}

WalListedFile* WalFileList::find(uint64_t lsn) {
  const uint64_t* const above = owner_above(lsn);
  return above == owners_.begin() ? nullptr : &at(*std::prev(above));
}

WalListedFile* WalFileList::find_number(uint64_t number) {
  if (files_.empty() || number < files_.front().info.number) return nullptr;
  return number <= files_.back().info.number ? &at(number) : nullptr;
}

uint64_t WalFileList::end_lsn(const WalListedFile& file) const {
  const uint64_t* const above = owner_above(file.info.base_lsn);
  return above == owners_.end() ? UINT64_MAX : at(*above).info.base_lsn;
}

uint64_t WalFileList::lowest_base_after(uint64_t number) const {
  // Bases of owners rise, and files that own nothing begin no lower than those
  // after them.
  const uint64_t* const behind =
      std::upper_bound(owners_.begin(), owners_.end(), number);
  return behind == owners_.end() ? UINT64_MAX : at(*behind).info.base_lsn;
}

bool WalFileList::try_reserve(size_t count) {
  return files_.try_reserve(files_.size() + count) &&
         owners_.try_reserve(owners_.size() + count);
}

void WalFileList::add(const WalFileInfo& info, const WalLogId& log_id,
                      std::shared_ptr<platform::File> file) {
  CORE_CHECK(files_.empty() || info.number == files_.back().info.number + 1);
  files_.push_back({});
  WalListedFile& added = files_.back();
  added.info = info;
  added.log_id = log_id;
  added.begin = {kWalHeaderBytes, info.base_lsn, info.epoch, info.branch};
  added.scanned = added.begin;
  while (!owners_.empty() &&
         at(owners_.back()).info.base_lsn >= info.base_lsn) {
    owners_.pop_back();
  }
  CORE_CHECK(owners_.empty() || owners_.back() < info.number);
  owners_.push_back(info.number);
  if (file == nullptr) return;
  added.file = std::move(file);
  use(added);
}

void WalFileList::drop_below(uint64_t number) {
  while (!files_.empty() && files_.front().info.number < number) {
    const uint64_t dropped = files_.front().info.number;
    if (!owners_.empty() && owners_.front() == dropped) owners_.drop_front(1);
    forget(dropped);
    files_.drop_front(1);
  }
}

void WalFileList::clear() {
  open_.clear();
  owners_.clear();
  files_.clear();
}

void WalFileList::forget_indexes() {
  for (WalListedFile& file : files_) {
    file.index.clear();
    file.scanned = file.begin;
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
  forget(file.info.number);
  open_.push_back(file.info.number);
  CORE_CHECK(file.file != nullptr && open_.size() <= kWalOpenFilesMax + 1);
  if (open_.size() <= kWalOpenFilesMax) return;
  // Never the newest, which is looked at all the time.
  const auto idle = std::find_if(
      open_.begin(), open_.end(),
      [this](uint64_t each) { return each != files_.back().info.number; });
  CORE_CHECK(idle != open_.end() && *idle != file.info.number);
  at(*idle).file.reset();
  open_.erase(idle);
  CORE_CHECK(open_.size() == kWalOpenFilesMax);
}

void WalFileList::forget(uint64_t number) { std::erase(open_, number); }

}  // namespace atomic_log::durable
