// The door to the system's files. The durable logs use no other, so that tests
// can put a simulated file system in its place that loses power at any moment.
//
//  1. A File is a regular file. Reads and writes name their offset; there is no
//     cursor, and nothing appends.
//  2. Nothing is on disk before sync_data() or sync_all() returned kOk: no
//     byte, and not the file's name before sync_parent().
//  3. After a failed sync no one knows what is on disk, and trying again proves
//     nothing: the system may have dropped the dirty pages. The caller must
//     give up the file.
//  4. Only one thread at a time writes through a File; sync_data() and the
//     reads may run on other threads meanwhile.
//  5. Paths are UTF-8.
#ifndef ATOMIC_LOG_CORE_PLATFORM_FILE_H_
#define ATOMIC_LOG_CORE_PLATFORM_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/list.h"
#include "core/platform/io_status.h"

namespace atomic_log::platform {

// No system takes a longer path. What is longer is cut to this before it gets
// here, and the system still refuses it.
inline constexpr size_t kPathBytesMax = size_t{1} << 17;

// Tells whether two handles are of the same file, whatever it is called.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t file = 0;
  auto operator<=>(const FileIdentity&) const = default;
};

// The beginning of a file as memory, private and writable: what is written to
// the file shows here, a store into it never reaches the file, and gives the
// page a copy of its own. Bytes that another process cuts off the file's end
// can no longer be touched: no one must shorten a mapped file.
//
// Its address space is never returned to the system, only used again for
// other mappings: JavaScript can carry a view of it past every owner we know.
class FileMapping {
 public:
  virtual ~FileMapping() = default;
  virtual uint8_t* data() const = 0;
  virtual size_t bytes() const = 0;
  // Puts anonymous zeroed pages in place of the file, at the same address, and
  // releases the file. The memory stays readable and writable for as long as
  // this object lives. When the system refuses, the file stays mapped.
  virtual IoStatus release_file() = 0;
};

class File {
 public:
  virtual ~File() = default;

  // *read is less than `bytes` only where the file ends.
  virtual IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                           size_t* read) = 0;
  // On failure some of the data may be written.
  virtual IoStatus write_at(uint64_t offset, const void* data,
                            size_t bytes) = 0;
  virtual IoStatus size(uint64_t* bytes) = 0;
  // Gives an empty file its size, all zeros, with the space secured.
  virtual IoStatus preallocate(uint64_t bytes) = 0;
  // The contents, and what is needed to read them back.
  virtual IoStatus sync_data() = 0;
  // The contents, and everything the system keeps about the file.
  virtual IoStatus sync_all() = 0;
  // An exclusive lock of this handle, until it is destroyed; kLocked at once
  // when another handle has it, in this process or in another.
  virtual IoStatus lock() = 0;
  // Whether another handle has it. Takes no lock, so that it keeps none out.
  // kUnsupported: this system does not tell.
  virtual IoStatus is_locked(bool* is_locked) = 0;
  virtual IoStatus identity(FileIdentity* identity) = 0;
  // `bytes` must not exceed the file's size.
  virtual IoStatus map(size_t bytes, std::unique_ptr<FileMapping>* mapping) = 0;
  // Shows the file again in pages that stores have given a copy of their own.
  virtual IoStatus renew(FileMapping& mapping) = 0;

  // The range will be read soon; a hint.
  virtual void will_read(uint64_t offset, uint64_t bytes) = 0;

  // Writes zeros.
  IoStatus zero_range(uint64_t offset, uint64_t bytes);
};

// A directory that is held open: making its names durable needs no descriptor
// then, so it cannot fail for lack of one.
class Directory {
 public:
  virtual ~Directory() = default;
  // Makes the names in it durable.
  virtual IoStatus sync() = 0;
};

// The path of something in a directory, as this system writes it.
std::string path_in(const std::string& directory, const std::string& name);
// The path of the directory that something is in: "." where it names none, and
// of the root the root itself.
std::string parent_of(const std::string& path);

enum class OpenMode : uint8_t { kRead, kReadWrite, kCreateNew };

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual IoStatus open(const std::string& path, OpenMode mode,
                        std::unique_ptr<File>* file) = 0;
  virtual IoStatus remove(const std::string& path) = 0;
  // Also of a directory, onto a name that nothing has.
  virtual IoStatus rename(const std::string& from, const std::string& to) = 0;
  // Another name of the same file, in the same file system; where there is no
  // such thing it fails.
  virtual IoStatus link(const std::string& from, const std::string& to) = 0;
  // Names in a directory, in no order, without "." and "..".
  virtual IoStatus list(const std::string& directory,
                        List<std::string>* names) = 0;
  // kExists when something of that name is there, directory or not.
  virtual IoStatus make_directory(const std::string& path) = 0;
  // Only an empty one.
  virtual IoStatus remove_directory(const std::string& path) = 0;
  // Whether files can be made in a directory; changes nothing.
  virtual IoStatus check_writable(const std::string& directory) = 0;
  virtual IoStatus open_directory(const std::string& path,
                                  std::unique_ptr<Directory>* directory) = 0;
  // Which file or directory has the name; needs no descriptor.
  virtual IoStatus identity(const std::string& path,
                            FileIdentity* identity) = 0;

  // Makes the names in a directory durable.
  IoStatus sync_directory(const std::string& directory);
  // Makes the name `path` durable, or its absence.
  IoStatus sync_parent(const std::string& path);
  // Whether something has the name, or may have: only the system can deny it.
  bool may_exist(const std::string& path);
};

// The system's own.
FileSystem& native_file_system();

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_FILE_H_
