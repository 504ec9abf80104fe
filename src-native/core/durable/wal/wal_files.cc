#include "core/durable/wal/wal_files.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "core/base/check.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

constexpr std::string_view kPrefix = "wal-";
constexpr std::string_view kSuffix = ".log";
constexpr std::string_view kUnfinished = ".log.new";
constexpr size_t kDigitsMax = 15;

// The number in prefix, digits, suffix; false for any other name.
bool parse_name(std::string_view name, std::string_view suffix,
                uint64_t* number) {
  if (name.size() <= kPrefix.size() + suffix.size() ||
      name.substr(0, kPrefix.size()) != kPrefix ||
      name.substr(name.size() - suffix.size()) != suffix) {
    return false;
  }
  const std::string_view digits =
      name.substr(kPrefix.size(), name.size() - kPrefix.size() - suffix.size());
  if (digits.size() > kDigitsMax) return false;
  *number = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return false;
    *number = *number * 10 + static_cast<uint64_t>(digit - '0');
  }
  return *number > 0;
}

bool is_separator(char character) {
#if defined(_WIN32)
  return character == '/' || character == '\\';
#else
  return character == '/';
#endif
}

}  // namespace

std::string wal_file_path(const std::string& directory, uint64_t number) {
  char name[40];
  std::snprintf(name, sizeof(name), "wal-%06llu.log",
                static_cast<unsigned long long>(number));
  return platform::path_in(directory, name);
}

std::string wal_new_path(const std::string& directory, uint64_t number) {
  return wal_file_path(directory, number) + ".new";
}

IoStatus list_wal_files(FileSystem& system, const std::string& directory,
                        WalListing* listing) {
  *listing = {};
  List<std::string> names;
  const IoStatus status = system.list(directory, &names);
  if (!status.ok()) return status;
  for (const std::string& name : names) {
    uint64_t number = 0;
    if (parse_name(name, kSuffix, &number)) {
      if (!listing->numbers.try_push_back(number)) return platform::kNoMemory;
      // Only this one can be found again by its number.
      if (platform::path_in(directory, name) !=
          wal_file_path(directory, number)) {
        listing->has_duplicate = true;
      }
    } else if (parse_name(name, kUnfinished, &number) &&
               !listing->unfinished_paths.try_push_back(
                   platform::path_in(directory, name))) {
      return platform::kNoMemory;
    }
  }
  std::sort(listing->numbers.begin(), listing->numbers.end());
  return {};
}

bool remove_wal_file(FileSystem& system, const std::string& directory,
                     uint64_t number) {
  const IoStatus status = system.remove(wal_file_path(directory, number));
  return status.ok() || status.code == IoCode::kNotFound;
}

IoStatus check_wal_place(FileSystem& system, const std::string& directory,
                         const platform::FileIdentity& lock) {
  platform::FileIdentity identity;
  const IoStatus status =
      system.identity(platform::path_in(directory, "LOCK"), &identity);
  const bool is_other = status.ok() && identity != lock;
  return is_other ? IoStatus{IoCode::kNotFound, 0, "open"} : status;
}

IoStatus make_wal_directory(FileSystem& system, const std::string& directory) {
  for (size_t at = 1; at <= directory.size(); ++at) {
    if (at < directory.size() && !is_separator(directory[at])) continue;
    if (is_separator(directory[at - 1])) continue;
    const std::string path = directory.substr(0, at);
    IoStatus status = system.make_directory(path);
    if (status.ok()) status = system.sync_parent(path);
    // Directories above may be there and not be ours to make; the last one
    // tells.
    if (!status.ok() && status.code != IoCode::kExists &&
        at == directory.size()) {
      return status;
    }
  }
  return {};
}

IoStatus reserve_wal_file(FileSystem& system, const std::string& path,
                          uint64_t bytes, std::unique_ptr<File>* file) {
  // What an interrupted rotation left may hold its header.
  IoStatus status = system.remove(path);
  if (!status.ok() && status.code != IoCode::kNotFound) return status;
  status = system.open(path, OpenMode::kCreateNew, file);
  if (!status.ok()) return status;
  status = (*file)->preallocate(bytes);
  if (!status.ok()) {
    file->reset();
    // The first failure is the one to report.
    (void)system.remove(path);
  }
  return status;
}

IoStatus publish_wal_file(FileSystem& system, const std::string& directory,
                          platform::Directory& names, File& file,
                          const std::string& from, const WalHeader& header) {
  CORE_CHECK(header.file_number > 0 && header.base_lsn > 0);
  CORE_CHECK(header.oldest_file <= header.file_number);
  const std::string path = wal_file_path(directory, header.file_number);
  IoStatus status = write_wal_header(file, header);
  if (status.ok()) status = file.sync_all();
  if (status.ok()) status = system.rename(from, path);
  if (status.ok()) status = names.sync();
  return status;
}

IoStatus write_wal_header(File& file, const WalHeader& header) {
  CORE_CHECK(header.file_bytes > kWalHeaderBytes &&
             header.file_bytes <= kWalFileBytesMax);
  uint8_t block[kWalHeaderBytes];
  encode_wal_header(header, block);
  return file.write_at(0, block, sizeof(block));
}

IoStatus read_wal_header(File& file, WalHeader* header,
                         WalHeaderVerdict* verdict) {
  uint8_t block[kWalHeaderBytes] = {};
  size_t read = 0;
  const IoStatus status = file.read_at(0, block, sizeof(block), &read);
  if (!status.ok()) return status;
  // Missing bytes are zeros, so that the checksum does not match.
  *verdict = decode_wal_header(block, header);
  return {};
}

}  // namespace atomic_log::durable
