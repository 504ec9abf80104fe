// The files of a write-ahead log's directory: their names, how one comes into
// being, and its header.
//
//     wal-000001.log           a file of the log; numbers only rise
//     wal-000002.log.new       space for the next one; means nothing
//     wal-000000.log.new       space to free a full disk with; means nothing
//     wal-000001.log.torn-1    bytes that recovery has quarantined
//     LOCK                     held by the writer, never deleted
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_FILES_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_FILES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/list.h"
#include "core/durable/wal/wal_format.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// What is known about a file without reading its records.
struct WalFileInfo {
  uint64_t number = 0;
  uint64_t base_lsn = 0;
  // Of its header, where its records begin.
  uint32_t epoch = 0;
  uint32_t branch = 0;
  uint64_t bytes = 0;
  // After its last record; of the newest file, as far as it may be read.
  uint64_t end_offset = 0;
};

std::string wal_file_path(const std::string& directory, uint64_t number);
// Of the space for that file.
std::string wal_new_path(const std::string& directory, uint64_t number);

struct WalListing {
  // Rising.
  List<uint64_t> numbers;
  // Two names of one number: wal-1.log and wal-000001.log.
  bool has_duplicate = false;
  // Left over from an interrupted rotation.
  List<std::string> unfinished_paths;
};

platform::IoStatus list_wal_files(platform::FileSystem& system,
                                  const std::string& directory,
                                  WalListing* listing);

// Whether the file is gone.
bool remove_wal_file(platform::FileSystem& system, const std::string& directory,
                     uint64_t number);

// Whether the directory is still the one whose LOCK this is: kNotFound when it
// was moved, deleted or replaced.
platform::IoStatus check_wal_place(platform::FileSystem& system,
                                   const std::string& directory,
                                   const platform::FileIdentity& lock);

// Makes the directory and those above it, and makes their names durable.
platform::IoStatus make_wal_directory(platform::FileSystem& system,
                                      const std::string& directory);

// Secures the space of a file under a name that means nothing. When this fails,
// nothing is left.
platform::IoStatus reserve_wal_file(platform::FileSystem& system,
                                    const std::string& path, uint64_t bytes,
                                    std::unique_ptr<platform::File>* file);

// Makes it a file of the log, durably: header first, name last. `names` is the
// directory, held open: for lack of a descriptor nothing may fail here.
platform::IoStatus publish_wal_file(platform::FileSystem& system,
                                    const std::string& directory,
                                    platform::Directory& names,
                                    platform::File& file,
                                    const std::string& from,
                                    const WalHeader& header);

platform::IoStatus write_wal_header(platform::File& file,
                                    const WalHeader& header);

// kBad for a file that is too short for a header.
platform::IoStatus read_wal_header(platform::File& file, WalHeader* header,
                                   WalHeaderVerdict* verdict);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_FILES_H_
