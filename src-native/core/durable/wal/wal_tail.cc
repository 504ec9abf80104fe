#include "core/durable/wal/wal_tail.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/check.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

bool is_held(File& file) {
  bool is_locked = true;
  const IoStatus status = file.is_locked(&is_locked);
  return !status.ok() || is_locked;
}

// The epoch and branch of the entry with this LSN.
const WalPosition& epoch_at(const List<WalPosition>& epochs, uint64_t lsn) {
  CORE_CHECK(!epochs.empty());
  size_t at = epochs.size() - 1;
  while (at > 0 && epochs[at].lsn > lsn) --at;
  return epochs[at];
}

// The epochs of a file that has a successor; none when the file is gone. Fails
// for want of a descriptor or of memory only.
IoStatus read_epochs(FileSystem& system, const std::string& directory,
                     const WalFileInfo& info, const WalLogId& log_id,
                     List<WalPosition>* epochs) {
  std::unique_ptr<File> file;
  const IoStatus status = system.open(wal_file_path(directory, info.number),
                                      OpenMode::kRead, &file);
  if (status.code == IoCode::kNoDescriptor) return status;
  if (!status.ok()) return {};
  WalScanner scanner(*file, WalCodec(log_id, info.number),
                     {kWalHeaderBytes, info.base_lsn, info.epoch, info.branch},
                     info.end_offset);
  if (!epochs->try_push_back(scanner.position())) return platform::kNoMemory;
  while (scanner.next() == WalVerdict::kRecord) {
    if (scanner.head().type == WalType::kOpen &&
        !epochs->try_push_back(scanner.position())) {
      return platform::kNoMemory;
    }
  }
  return scanner.io().is_shortage() ? scanner.io() : IoStatus{};
}

}  // namespace

IoStatus find_wal_writer(FileSystem& system, const std::string& directory,
                         const WalClassification& found, bool* has_writer) {
  *has_writer = true;
  std::unique_ptr<File> file;
  const IoStatus status =
      system.open(platform::path_in(directory, "LOCK"), OpenMode::kRead, &file);
  // A copy of a log has none.
  const bool is_missing = status.code == IoCode::kNotFound;
  if (status.code == IoCode::kNoDescriptor) return status;
  if (!status.ok() && !is_missing) return {};
  if (file != nullptr && is_held(*file)) return {};
  // LOCK may have been deleted under a writer.
  *has_writer = found.newest != nullptr && is_held(*found.newest);
  return {};
}

uint64_t intact_next_lsn(const WalClassification& found) {
  return found.is_sealed ? std::min(found.end.lsn, found.next_base)
                         : found.end.lsn;
}

uint64_t proven_next_lsn(const WalClassification& found) {
  return std::min(found.proven_end.lsn, intact_next_lsn(found));
}

// The first LSN of those shown, below next_lsn, that is another entry now; 0
// when there is none.
uint64_t ShownTail::first_difference(const List<WalPosition>& epochs,
                                     uint64_t next_lsn) const {
  // Only where an epoch begins it can become another one.
  uint64_t first = 0;
  const auto compare_at = [&](uint64_t lsn) {
    const bool is_shown =
        lsn >= proven_next_ && lsn < std::min(shown_next_, next_lsn);
    if (!is_shown || (first != 0 && lsn >= first)) return;
    const WalPosition& then = epoch_at(epochs_, lsn);
    const WalPosition& now = epoch_at(epochs, lsn);
    if (then.epoch != now.epoch || then.branch != now.branch) first = lsn;
  };
  compare_at(proven_next_);
  for (const WalPosition& epoch : epochs_) compare_at(epoch.lsn);
  for (const WalPosition& epoch : epochs) compare_at(epoch.lsn);
  return first;
}

IoStatus ShownTail::settle(FileSystem& system, const std::string& directory,
                           const WalClassification& found) {
  if (file_number_ == 0) return {};
  uint64_t from = 0;
  uint64_t proven_next = proven_next_lsn(found);
  if (found.top_number == file_number_) {
    from = first_difference(found.epochs, found.end.lsn);
  } else {
    // All of it is settled: the file has a successor.
    proven_next = shown_next_;
    const auto file = std::find_if(found.files.begin(), found.files.end(),
                                   [this](const WalFileInfo& info) {
                                     return info.number == file_number_;
                                   });
    List<WalPosition> epochs;
    if (file != found.files.end()) {
      const IoStatus status =
          read_epochs(system, directory, *file, found.header.log_id, &epochs);
      if (!status.ok()) return status;
    }
    if (epochs.empty()) {
      // A checkpoint dropped it, or it is another log: that cannot be told.
      from = proven_next_;
    } else {
      from = first_difference(epochs, shown_next_);
      for (auto later = file + 1; later != found.files.end(); ++later) {
        if (later->base_lsn >= shown_next_) continue;
        from = from == 0 ? later->base_lsn : std::min(from, later->base_lsn);
      }
    }
  }
  if (from != 0) {
    ++takebacks_;
    taken_back_from_ = from;
  }
  if (from != 0 || proven_next >= shown_next_) file_number_ = 0;
  return {};
}

IoStatus ShownTail::show(const WalClassification& found) {
  const uint64_t next_lsn = intact_next_lsn(found);
  const uint64_t proven_next = proven_next_lsn(found);
  // What was shown further on and is not settled stays remembered.
  if (next_lsn <= proven_next) return {};
  if (file_number_ != 0 && next_lsn < shown_next_) return {};
  List<WalPosition> epochs;
  if (!epochs.try_assign(found.epochs)) return platform::kNoMemory;
  proven_next_ =
      file_number_ == 0 ? proven_next : std::min(proven_next, proven_next_);
  file_number_ = found.top_number;
  epochs_ = std::move(epochs);
  shown_next_ = next_lsn;
  return {};
  CORE_CHECK(file_number_ != 0 && proven_next_ < shown_next_);
}

}  // namespace atomic_log::durable
