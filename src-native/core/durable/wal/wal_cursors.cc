#include "core/durable/wal/wal_cursors.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "core/base/crc32.h"
#include "core/base/little_endian.h"
#include "core/durable/open_files.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

constexpr char kMagic[8] = {'A', 'T', 'O', 'M', 'L', 'C', 'U', 'R'};
constexpr uint32_t kVersion = 1;
constexpr size_t kChecksumOffset = 48;
static_assert(kChecksumOffset + 4 == kWalCursorBytes);

constexpr std::string_view kPrefix = "cursor-";

constexpr uint64_t kLockPauseMsMax = 16;

// A file that was deleted while its lock was waited for is made again.
constexpr int kTakeAttempts = 16;

bool is_small_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

std::string in_cursors(const std::string& directory, const std::string& name) {
  return platform::path_in(wal_cursors_path(directory), name);
}

uint32_t checksum_of(const uint8_t* bytes, std::string_view name) {
  const uint32_t crc = crc32(Crc32Kind::kCastagnoli, 0, bytes, kChecksumOffset);
  return crc32(Crc32Kind::kCastagnoli, crc, name.data(), name.size());
}

IoStatus open_or_make(FileSystem& system, const std::string& path, bool makes,
                      std::unique_ptr<File>* file) {
  IoStatus status = system.open(path, OpenMode::kReadWrite, file);
  if (!makes || status.code != IoCode::kNotFound) return status;
  status = system.open(path, OpenMode::kCreateNew, file);
  // Two may try at once; the second one finds the file of the first.
  if (status.code != IoCode::kExists) return status;
  return system.open(path, OpenMode::kReadWrite, file);
}

}  // namespace

bool is_wal_cursor_name(std::string_view name) {
  if (name.empty() || name.size() > kWalCursorNameMax) return false;
  const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
    return is_small_or_digit(c) || c == '.' || c == '_' || c == '-';
  });
  return is_plain && is_small_or_digit(name.front()) &&
         is_small_or_digit(name.back());
}

std::string wal_cursors_path(const std::string& directory) {
  return platform::path_in(directory, "cursors");
}

std::string wal_cursor_path(const std::string& directory,
                            const std::string& name) {
  return in_cursors(directory, std::string(kPrefix) + name);
}

std::string wal_cursor_lock_path(const std::string& directory,
                                 const std::string& name) {
  return in_cursors(directory, "lock-" + name);
}

void encode_wal_cursor(const WalCursorState& state, std::string_view name,
                       uint8_t* bytes) {
  std::memset(bytes, 0, kWalCursorBytes);
  std::memcpy(bytes, kMagic, sizeof(kMagic));
  store_u32(bytes + 8, kVersion);
  std::memcpy(bytes + 16, state.log_id.data(), state.log_id.size());
  store_u64(bytes + 32, state.lsn);
  store_u32(bytes + 40, state.epoch);
  store_u32(bytes + 44, state.branch);
  store_u32(bytes + kChecksumOffset, checksum_of(bytes, name));
}

WalCursorVerdict decode_wal_cursor(const uint8_t* bytes, size_t count,
                                   std::string_view name,
                                   WalCursorState* state) {
  if (count < 16 || std::memcmp(bytes, kMagic, sizeof(kMagic)) != 0) {
    return WalCursorVerdict::kBad;
  }
  if (load_u32(bytes + 8) != kVersion || load_u32(bytes + 12) != 0) {
    return WalCursorVerdict::kNewer;
  }
  if (count != kWalCursorBytes ||
      load_u32(bytes + kChecksumOffset) != checksum_of(bytes, name)) {
    return WalCursorVerdict::kBad;
  }
  std::memcpy(state->log_id.data(), bytes + 16, state->log_id.size());
  state->lsn = load_u64(bytes + 32);
  state->epoch = load_u32(bytes + 40);
  state->branch = load_u32(bytes + 44);
  return WalCursorVerdict::kGood;
}

IoStatus read_wal_cursor(FileSystem& system, const std::string& directory,
                         const std::string& name, WalCursorVerdict* verdict,
                         WalCursorState* state) {
  std::unique_ptr<File> file;
  IoStatus status =
      system.open(wal_cursor_path(directory, name), OpenMode::kRead, &file);
  if (!status.ok()) return status;
  // One more, so that a longer file is noticed.
  uint8_t bytes[kWalCursorBytes + 1] = {};
  size_t read = 0;
  status = file->read_at(0, bytes, sizeof(bytes), &read);
  if (status.ok()) *verdict = decode_wal_cursor(bytes, read, name, state);
  return status;
}

IoStatus write_wal_cursor(FileSystem& system, const std::string& directory,
                          platform::Directory& names, const std::string& name,
                          const WalCursorState& state) {
  const std::string path = in_cursors(directory, "new-" + name);
  // What a process that was killed has left.
  IoStatus status = system.remove(path);
  if (!status.ok() && status.code != IoCode::kNotFound) return status;
  std::unique_ptr<File> file;
  status = system.open(path, OpenMode::kCreateNew, &file);
  if (!status.ok()) return status;
  uint8_t bytes[kWalCursorBytes];
  encode_wal_cursor(state, name, bytes);
  status = file->write_at(0, bytes, sizeof(bytes));
  if (status.ok()) status = file->sync_all();
  file.reset();
  if (status.ok()) {
    status = system.rename(path, wal_cursor_path(directory, name));
  }
  if (status.ok()) status = names.sync();
  return status;
}

IoStatus list_wal_cursors(FileSystem& system, const std::string& directory,
                          List<WalCursorInfo>* cursors) {
  cursors->clear();
  List<std::string> names;
  IoStatus status = system.list(wal_cursors_path(directory), &names);
  if (status.code == IoCode::kNotFound) return {};
  if (!status.ok()) return status;
  std::sort(names.begin(), names.end());
  for (const std::string& file : names) {
    if (file.compare(0, kPrefix.size(), kPrefix) != 0) continue;
    WalCursorInfo info;
    info.name = file.substr(kPrefix.size());
    if (!is_wal_cursor_name(info.name)) continue;
    status = read_wal_cursor(system, directory, info.name, &info.verdict,
                             &info.state);
    // Deleted since: only without LOCK.
    if (status.code == IoCode::kNotFound) continue;
    // A want of descriptors or memory says nothing about this one.
    if (status.is_shortage()) return status;
    info.io = status;
    if (!cursors->try_push_back(std::move(info))) return platform::kNoMemory;
  }
  return {};
}

IoStatus WalFileLock::take(FileSystem& system, const std::string& path,
                           bool makes, std::unique_ptr<WalFileLock>* lock) {
  for (int attempt = 0; attempt < kTakeAttempts; ++attempt) {
    std::unique_ptr<WalFileLock> taken(new WalFileLock());
    IoStatus status = open_or_make(system, path, makes, &taken->file_);
    if (status.ok()) status = taken->file_->identity(&taken->identity_);
    if (!status.ok()) return status;
    taken->is_registered_ = OpenFiles::instance().add(taken->identity_);
    if (!taken->is_registered_) return {IoCode::kLocked, 0, "lock"};
    status = taken->file_->lock();
    if (!status.ok()) return status;
    // Its last holder may have deleted it meanwhile.
    platform::FileIdentity now;
    status = system.identity(path, &now);
    if (status.ok() && now == taken->identity_) {
      *lock = std::move(taken);
      return {};
    }
    if (!status.ok() && status.code != IoCode::kNotFound) return status;
  }
  return {IoCode::kLocked, 0, "lock"};
}

WalFileLock::~WalFileLock() {
  // First, so that the next holder of the lock finds no file in use.
  if (is_registered_) OpenFiles::instance().remove(identity_);
}

void WalFileLock::name_holder(uint64_t process_id) {
  std::string text = std::to_string(process_id);
  text.resize(24, '\n');
  (void)file_->write_at(0, text.data(), text.size());
}

uint64_t WalFileLock::holder_of(FileSystem& system, const std::string& path) {
  std::unique_ptr<File> file;
  char text[25] = {};
  size_t read = 0;
  if (!system.open(path, OpenMode::kRead, &file).ok() ||
      !file->read_at(0, text, sizeof(text) - 1, &read).ok()) {
    return 0;
  }
  return std::strtoull(text, nullptr, 10);
}

uint64_t WalFileLock::current_holder_of(FileSystem& system,
                                        const std::string& path) {
  std::unique_ptr<File> file;
  bool is_locked = false;
  if (!system.open(path, OpenMode::kRead, &file).ok() ||
      !file->is_locked(&is_locked).ok()) {
    return 0;
  }
  return is_locked ? holder_of(system, path) : 0;
}

IoStatus make_wal_cursors(FileSystem& system, const std::string& directory) {
  const std::string path = in_cursors(directory, "LOCK");
  platform::FileIdentity ignored;
  IoStatus status = system.identity(path, &ignored);
  if (status.code != IoCode::kNotFound) return status;
  status = system.make_directory(wal_cursors_path(directory));
  if (!status.ok() && status.code != IoCode::kExists) return status;
  std::unique_ptr<File> file;
  status = system.open(path, OpenMode::kCreateNew, &file);
  return status.code == IoCode::kExists ? IoStatus{} : status;
}

IoStatus lock_wal_cursors(FileSystem& system, const std::string& directory,
                          uint64_t wait_ms,
                          std::unique_ptr<WalFileLock>* lock) {
  const std::string path = in_cursors(directory, "LOCK");
  uint64_t pause_ms = 1;
  for (;;) {
    const IoStatus status = WalFileLock::take(system, path, false, lock);
    if (status.code != IoCode::kLocked || wait_ms == 0) return status;
    pause_ms = std::min({2 * pause_ms, kLockPauseMsMax, wait_ms});
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    wait_ms -= pause_ms;
  }
}

}  // namespace atomic_log::durable
