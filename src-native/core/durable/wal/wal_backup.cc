#include "core/durable/wal/wal_backup.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/base/crc32.h"
#include "core/durable/copy_range.h"
#include "core/durable/wal/wal_classify.h"

namespace atomic_log::durable {

using platform::File;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

namespace {

// Of one step.
constexpr uint64_t kStepBytes = uint64_t{1} << 25;
constexpr size_t kStepFiles = 256;
constexpr uint64_t kPartialsMax = 10'000;

constexpr std::string_view kPartial = ".partial-";
// Next to the directory, and not in it: it outlasts the directory's name, so that
// a kill at any moment leaves nothing that cannot be found again.
constexpr std::string_view kMarker = ".incomplete";
constexpr std::string_view kMarkerText =
    "A copy of a write-ahead log is being made in the directory of this name, "
    "or "
    "that was interrupted: then both may be deleted.\n";

std::string marker_path(const std::string& directory) {
  return directory + std::string(kMarker);
}

// Whether the file of that name is the one that is open.
bool is_named(platform::FileSystem& system, const std::string& path,
              File& file) {
  platform::FileIdentity opened;
  platform::FileIdentity named;
  return file.identity(&opened).ok() && system.identity(path, &named).ok() &&
         opened == named;
}

// Deletes the files that a copy may have, and nothing else. The caller has
// the marker locked: no one else takes the directory.
void remove_copy(platform::FileSystem& system, const std::string& directory,
                 std::unique_ptr<File> marker) {
  WalListing listing;
  if (list_wal_files(system, directory, &listing).ok()) {
    for (const uint64_t number : listing.numbers) {
      (void)system.remove(wal_file_path(directory, number));
    }
  }
  (void)system.remove_directory(directory);
  // Last, so that what is left can be found again.
  (void)system.remove(marker_path(directory));
  marker.reset();
}

uint32_t extend(uint32_t checksum, const uint8_t* data, size_t bytes) {
  return crc32(Crc32Kind::kCastagnoli, checksum, data, bytes);
}

}  // namespace

Outcome WalBackup::step(Failure* failure) {
  IoStatus status;
  failed_path_.clear();
  switch (phase_) {
    case Phase::kBegin:
      status = begin();
      break;
    case Phase::kNextFile:
      for (size_t i = 0; i < kStepFiles && status.ok(); ++i) {
        if (phase_ == Phase::kNextFile) status = next_file();
      }
      break;
    case Phase::kCopy:
      status = copy_piece();
      break;
    case Phase::kReadBack:
      status = read_back_piece();
      break;
    case Phase::kFinish: {
      const Outcome outcome = classify(failure);
      if (outcome != Outcome::kOk) {
        abandon();
        return outcome;
      }
      status = publish();
      break;
    }
    case Phase::kDone:
    case Phase::kFailed:
      return Outcome::kOk;
  }
  if (status.ok()) return Outcome::kOk;
  *failure = {Outcome::kIo,
              status,
              failed_path_.empty() ? target_ : failed_path_,
              0,
              0,
              ""};
  abandon();
  return Outcome::kIo;
}

IoStatus WalBackup::begin() {
  CORE_CHECK(!source_.files.empty() && partial_.empty());
  newest_.reset();
  index_ = source_.files.size() - 1;
  IoStatus status = open_source();
  if (!status.ok()) return status;
  newest_ = std::move(from_);
  index_ = 0;

  const std::string parent = platform::parent_of(target_);
  if (parent != ".") status = make_wal_directory(system_, parent);
  if (!status.ok()) return status;
  remove_stale();
  if (system_.may_exist(target_)) return {IoCode::kExists, 0, "open"};
  for (uint64_t number = 1; number <= kPartialsMax; ++number) {
    std::string directory = target_;
    directory.append(kPartial).append(std::to_string(number));
    status = claim(directory);
    // Another process has it, or has found it before it was locked, and deletes it.
    if (status.code == IoCode::kExists || status.code == IoCode::kLocked) {
      continue;
    }
    if (status.ok()) phase_ = Phase::kNextFile;
    return status;
  }
  return status;
}

// Directories of copies to the same place that no one is making any more.
void WalBackup::remove_stale() {
  const std::string parent = platform::parent_of(target_);
  List<std::string> names;
  if (!system_.list(parent, &names).ok()) return;
  const std::string begin = target_ + std::string(kPartial);
  for (const std::string& name : names) {
    const std::string path =
        parent == "." ? name : platform::path_in(parent, name);
    if (path.compare(0, begin.size(), begin) != 0 || !path.ends_with(kMarker)) {
      continue;
    }
    std::unique_ptr<File> marker;
    if (system_.open(path, OpenMode::kReadWrite, &marker).ok() &&
        marker->lock().ok() && is_named(system_, path, *marker)) {
      remove_copy(system_, path.substr(0, path.size() - kMarker.size()),
                  std::move(marker));
    }
  }
}

IoStatus WalBackup::claim(const std::string& directory) {
  const std::string path = marker_path(directory);
  IoStatus status = system_.open(path, OpenMode::kCreateNew, &marker_);
  if (!status.ok()) return status;
  status = marker_->lock();
  if (status.ok() && !is_named(system_, path, *marker_)) {
    status = {IoCode::kLocked, 0, "lock"};
  }
  if (status.code == IoCode::kLocked) {
    marker_.reset();
    return status;
  }
  if (status.ok()) status = system_.make_directory(directory);
  if (!status.ok()) {
    // The directory is another's, or there is none.
    (void)system_.remove(path);
    marker_.reset();
    return status;
  }
  partial_ = directory;
  return marker_->write_at(0, kMarkerText.data(), kMarkerText.size());
}

// Of a file of the log.
IoStatus WalBackup::open_source() {
  failed_path_ = wal_file_path(source_.directory, file().number);
  const IoStatus status = system_.open(failed_path_, OpenMode::kRead, &from_);
  if (status.code == IoCode::kNotFound) missing_file_ = file().number;
  if (status.ok()) failed_path_.clear();
  return status;
}

IoStatus WalBackup::next_file() {
  if (index_ == source_.files.size()) {
    phase_ = Phase::kFinish;
    return {};
  }
  CORE_CHECK(index_ < source_.files.size() && to_ == nullptr);
  IoStatus status;
  if (is_newest()) {
    from_ = std::move(newest_);
    end_ = file().end_offset;
  } else {
    const std::string path = wal_file_path(source_.directory, file().number);
    if (system_.link(path, path_of_copy()).ok()) {
      ++index_;
      return {};
    }
    // Another file system, or one without links; or the file is gone.
    status = open_source();
    if (!status.ok()) return status;
    end_ = file().bytes;
  }
  status = system_.open(path_of_copy(), OpenMode::kCreateNew, &to_);
  if (status.ok()) status = to_->preallocate(file().bytes);
  CORE_CHECK(end_ <= file().bytes);
  at_ = 0;
  checksum_ = checksum_read_ = 0;
  phase_ = Phase::kCopy;
  return status;
}

IoStatus WalBackup::copy_piece() {
  CORE_CHECK(from_ != nullptr && to_ != nullptr && at_ <= end_);
  const uint64_t end = std::min(end_, at_ + kStepBytes);
  const std::string path = wal_file_path(source_.directory, file().number);
  // A failure is that of reading, unless it is one of writing.
  failed_path_ = path;
  const IoStatus status = copy_range(
      *from_, at_, end, [this](uint64_t at, const uint8_t* data, size_t bytes) {
        checksum_ = extend(checksum_, data, bytes);
        const IoStatus written = to_->write_at(at, data, bytes);
        if (!written.ok()) failed_path_.clear();
        return written;
      });
  if (!status.ok()) return status;
  failed_path_.clear();
  at_ = end;
  if (at_ < end_) return {};
  at_ = 0;
  phase_ = Phase::kReadBack;
  from_.reset();
  return to_->sync_all();
}

IoStatus WalBackup::read_back_piece() {
  CORE_CHECK(from_ == nullptr && to_ != nullptr && at_ <= end_);
  const uint64_t end = std::min(end_, at_ + kStepBytes);
  const IoStatus status = copy_range(
      *to_, at_, end, [this](uint64_t, const uint8_t* data, size_t bytes) {
        checksum_read_ = extend(checksum_read_, data, bytes);
        return IoStatus{};
      });
  if (!status.ok()) return status;
  at_ = end;
  if (at_ < end_) return {};
  if (checksum_read_ != checksum_) return {IoCode::kFailed, 0, "read back"};
  to_.reset();
  ++index_;
  phase_ = Phase::kNextFile;
  return {};
}

Outcome WalBackup::classify(Failure* failure) {
  WalClassifyRequest request;
  request.directory = partial_;
  WalClassification found;
  const Outcome outcome = classify_wal(system_, request, &found, failure);
  if (outcome != Outcome::kOk) return outcome;
  if (found.row == WalRow::kCleanEnd &&
      found.files.size() == source_.files.size() &&
      found.end.offset == source_.files.back().end_offset &&
      found.end.lsn == source_.last_lsn + 1) {
    return Outcome::kOk;
  }
  *failure = {
      Outcome::kCorrupt, {}, target_,
      found.end.offset,  0,  "the copy does not end where the log does"};
  return Outcome::kCorrupt;
}

IoStatus WalBackup::publish() {
  CORE_CHECK(marker_ != nullptr && index_ == source_.files.size());
  IoStatus status = system_.sync_directory(partial_);
  if (!status.ok()) return status;
  // Onto an empty directory some systems would move it.
  if (system_.may_exist(target_)) return {IoCode::kExists, 0, "rename"};
  status = system_.rename(partial_, target_);
  if (!status.ok()) {
    return system_.may_exist(target_) ? IoStatus{IoCode::kExists, 0, "rename"}
                                      : status;
  }
  status = system_.sync_parent(target_);
  if (!status.ok()) {
    // It may be gone after a power failure: then it must not seem to be there.
    (void)system_.rename(target_, partial_);
    return status;
  }
  // What cannot be deleted, the next copy to this place deletes.
  (void)system_.remove(marker_path(partial_));
  marker_.reset();
  partial_.clear();
  phase_ = Phase::kDone;
  return {};
}

void WalBackup::abandon() {
  if (phase_ == Phase::kDone) return;
  phase_ = Phase::kFailed;
  newest_.reset();
  from_.reset();
  to_.reset();
  if (partial_.empty()) return;
  remove_copy(system_, partial_, std::move(marker_));
  partial_.clear();
}

}  // namespace atomic_log::durable
