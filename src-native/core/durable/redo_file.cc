#include "core/durable/redo_file.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/base/check.h"
#include "core/base/crc32.h"
#include "core/base/list.h"
#include "core/base/little_endian.h"
#include "core/durable/record_format.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

constexpr char kMagic[8] = {'A', 'L', 'O', 'G', 'C', 'H', 'G', '1'};
constexpr size_t kFixedBytes = 28;
constexpr size_t kChecksumBytes = 4;
// More than any header has.
constexpr uint32_t kChangedBytesMax = 1 << 24;

// False: the system refuses memory.
bool encode(const RedoChange& change, Buffer* encoded) {
  const size_t count = change.old_bytes.size();
  CORE_CHECK(count > 0 && count <= kChangedBytesMax);
  CORE_CHECK(change.new_bytes.size() == count);
  Buffer& bytes = *encoded;
  if (!bytes.try_resize(kFixedBytes + 2 * count + kChecksumBytes)) return false;
  std::memcpy(bytes.data(), kMagic, sizeof(kMagic));
  store_u64(&bytes[8], change.offset);
  store_u64(&bytes[16], change.zero_end);
  store_u32(&bytes[24], static_cast<uint32_t>(count));
  std::copy(change.old_bytes.begin(), change.old_bytes.end(),
            bytes.begin() + kFixedBytes);
  std::copy(change.new_bytes.begin(), change.new_bytes.end(),
            bytes.begin() + kFixedBytes + count);
  const size_t checked = bytes.size() - kChecksumBytes;
  store_u32(&bytes[checked],
            crc32(Crc32Kind::kCastagnoli, 0, bytes.data(), checked));
  return true;
}

// False for what was not written to its end. *change refers to the bytes.
bool decode(const Buffer& bytes, RedoChange* change) {
  if (bytes.size() < kFixedBytes + kChecksumBytes) return false;
  if (std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) return false;
  const uint32_t count = load_u32(&bytes[24]);
  if (count == 0 || count > kChangedBytesMax) return false;
  if (bytes.size() != kFixedBytes + 2 * size_t{count} + kChecksumBytes) {
    return false;
  }
  const size_t checked = bytes.size() - kChecksumBytes;
  if (load_u32(&bytes[checked]) !=
      crc32(Crc32Kind::kCastagnoli, 0, bytes.data(), checked)) {
    return false;
  }
  change->offset = load_u64(&bytes[8]);
  change->zero_end = load_u64(&bytes[16]);
  change->old_bytes = {&bytes[kFixedBytes], count};
  change->new_bytes = {&bytes[kFixedBytes] + count, count};
  return true;
}

// Whether every sector of the range shows the old bytes or the new ones.
bool belongs(const RedoChange& change, const Buffer& now) {
  size_t from = 0;
  while (from < now.size()) {
    const uint64_t sector = (change.offset + from) / kSectorBytes;
    const size_t to = static_cast<size_t>(std::min<uint64_t>(
        now.size(), (sector + 1) * kSectorBytes - change.offset));
    const size_t count = to - from;
    if (std::memcmp(&now[from], &change.old_bytes[from], count) != 0 &&
        std::memcmp(&now[from], &change.new_bytes[from], count) != 0) {
      return false;
    }
    from = to;
  }
  return true;
}

Outcome io_failure(const IoStatus& io, const std::string& path,
                   Failure* failure) {
  *failure = {Outcome::kIo, io, path, 0, 0, ""};
  return Outcome::kIo;
}

}  // namespace

std::string redo_path(const std::string& path) { return path + ".pending"; }

IoStatus store_redo(FileSystem& system, const std::string& path,
                    const RedoChange& change,
                    std::unique_ptr<platform::Directory>* names) {
  // First, so that nothing is left when memory is refused.
  Buffer bytes;
  if (!encode(change, &bytes)) return platform::kNoMemory;
  std::unique_ptr<File> file;
  IoStatus status = system.open_directory(platform::parent_of(path), names);
  if (status.ok()) {
    status = system.open(redo_path(path), OpenMode::kCreateNew, &file);
  }
  if (!status.ok()) return status;
  status = file->write_at(0, bytes.data(), bytes.size());
  if (status.ok()) status = file->sync_all();
  if (status.ok()) status = (*names)->sync();
  return of_change(status);
}

IoStatus store_redo(FileSystem& system, const std::string& path,
                    const RedoChange& change) {
  std::unique_ptr<platform::Directory> names;
  return store_redo(system, path, change, &names);
}

IoStatus apply_change(File& file, const RedoChange& change) {
  const size_t count = change.new_bytes.size();
  CORE_CHECK(count > 0 && change.old_bytes.size() == count);
  const uint64_t rest = change.offset + count;
  IoStatus status =
      file.write_at(change.offset, change.new_bytes.data(), count);
  if (status.ok() && change.zero_end > rest) {
    status = file.zero_range(rest, change.zero_end - rest);
  }
  if (status.ok()) status = file.sync_data();
  return of_change(status);
}

IoStatus zero_durably(FileSystem& system, File& file, const std::string& path,
                      uint64_t offset, uint64_t end) {
  CORE_CHECK(offset < end);
  const auto count =
      static_cast<size_t>(std::min<uint64_t>(end - offset, kHeadBytes));
  uint8_t old_bytes[kHeadBytes] = {};
  const uint8_t new_bytes[kHeadBytes] = {};
  const RedoChange change = {
      offset, {old_bytes, count}, {new_bytes, count}, end};
  size_t read = 0;
  IoStatus status = file.read_at(offset, old_bytes, count, &read);
  // The old bytes must be on disk, or the redo file would not be known again.
  if (status.ok()) status = of_change(file.sync_data());
  std::unique_ptr<platform::Directory> names;
  if (status.ok()) status = store_redo(system, path, change, &names);
  if (status.ok()) status = apply_change(file, change);
  if (status.ok()) status = remove_redo(system, path, *names);
  return status;
}

IoStatus remove_redo(FileSystem& system, const std::string& path) {
  const IoStatus status = system.remove(redo_path(path));
  if (status.code == IoCode::kNotFound) return {};
  if (!status.ok()) return status;
  return system.sync_parent(path);
}

IoStatus remove_redo(FileSystem& system, const std::string& path,
                     platform::Directory& names) {
  const IoStatus status = system.remove(redo_path(path));
  if (status.code == IoCode::kNotFound) return {};
  return of_change(status.ok() ? names.sync() : status);
}

Outcome finish_redo(FileSystem& system, File& file, const std::string& path,
                    uint64_t size, Failure* failure) {
  const std::string redo_path_of = redo_path(path);
  std::unique_ptr<File> redo;
  IoStatus status = system.open(redo_path_of, OpenMode::kReadWrite, &redo);
  if (status.code == IoCode::kNotFound) return Outcome::kOk;
  uint64_t bytes = 0;
  if (status.ok()) status = redo->size(&bytes);
  if (!status.ok()) return io_failure(status, redo_path_of, failure);
  // One byte too many is noticed, and a huge file is not read.
  bytes = std::min<uint64_t>(
      bytes, kFixedBytes + 2 * uint64_t{kChangedBytesMax} + kChecksumBytes + 1);
  Buffer contents;
  if (!contents.try_resize(static_cast<size_t>(bytes))) {
    return io_failure(platform::kNoMemory, redo_path_of, failure);
  }
  size_t read = 0;
  status = redo->read_at(0, contents.data(), contents.size(), &read);
  if (!status.ok()) return io_failure(status, redo_path_of, failure);

  RedoChange change;
  if (decode(contents, &change)) {
    const size_t count = change.old_bytes.size();
    Buffer now;
    if (!now.try_resize(count)) {
      return io_failure(platform::kNoMemory, path, failure);
    }
    const bool is_inside = change.offset <= size &&
                           count <= size - change.offset &&
                           change.zero_end <= size;
    if (is_inside) {
      status = file.read_at(change.offset, now.data(), count, &read);
      if (!status.ok()) return io_failure(status, path, failure);
    }
    if (!is_inside || !belongs(change, now)) {
      *failure = {Outcome::kFormat,
                  {},
                  path,
                  change.offset,
                  0,
                  "the redo file next to it, .pending, is of another file; "
                  "move that redo file away"};
      return Outcome::kFormat;
    }
    // The process may have been killed before the sync of the redo file, or
    // that sync may have failed: it is written again.
    status = redo->write_at(0, contents.data(), contents.size());
    if (status.ok()) status = redo->sync_all();
    if (status.ok()) status = system.sync_parent(path);
    if (!status.ok()) return io_failure(status, redo_path_of, failure);
    status = apply_change(file, change);
    if (!status.ok()) return io_failure(status, path, failure);
  }
  // Windows removes no file that is open.
  redo.reset();
  status = remove_redo(system, path);
  if (!status.ok()) return io_failure(status, redo_path_of, failure);
  return Outcome::kOk;
}

}  // namespace atomic_log::durable
