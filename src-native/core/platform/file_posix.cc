#if !defined(_WIN32)

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#endif

#include "core/platform/file.h"
#include "core/platform/handle_posix.h"

namespace atomic_log::platform {
namespace {

#if defined(F_OFD_SETLK)
constexpr int kQueryLock = F_OFD_GETLK;
#else
// Where flock() and fcntl() share one list of locks (macOS, the BSDs), this
// reports those of flock() too.
constexpr int kQueryLock = F_GETLK;
#endif

// What F_OFD_GETLK can see; flock() alone decides who has the lock.
void show_lock([[maybe_unused]] int descriptor, [[maybe_unused]] short type) {
#if defined(F_OFD_SETLK)
  struct flock lock = lock_of(type);
  // Not every system knows these locks. A query finds none there.
  (void)fcntl(descriptor, F_OFD_SETLK, &lock);
#endif
}

// Null when the system refuses.
void* map_file(void* address, size_t bytes, int descriptor) {
  const int flags = MAP_PRIVATE | MAP_NORESERVE;
  void* const data =
      mmap(address, bytes, PROT_READ | PROT_WRITE,
           address == nullptr ? flags : flags | MAP_FIXED, descriptor, 0);
  return data == MAP_FAILED ? nullptr : data;
}

class PosixFileMapping final : public FileMapping {
 public:
  PosixFileMapping(void* data, size_t bytes) : data_(data), bytes_(bytes) {}
  ~PosixFileMapping() override {
    if (map_anonymous(data_, bytes_)) {
      AddressRanges::instance().give_back(data_, bytes_);
    }
  }
  uint8_t* data() const override { return static_cast<uint8_t*>(data_); }
  size_t bytes() const override { return bytes_; }
  IoStatus release_file() override {
    return map_anonymous(data_, bytes_) ? IoStatus{} : failure(errno, "mmap");
  }

 private:
  void* const data_;
  const size_t bytes_;
};

class PosixDirectory final : public Directory {
 public:
  explicit PosixDirectory(int descriptor) : descriptor_(descriptor) {}
  ~PosixDirectory() override { close(descriptor_); }

  IoStatus sync() override {
    // Some file systems have nothing to sync there and say so by EINVAL.
    if (fsync(descriptor_) == 0 || errno == EINVAL) return {};
    return failure(errno, "fsync");
  }

 private:
  const int descriptor_;
};

class PosixFile final : public File {
 public:
  explicit PosixFile(int descriptor) : descriptor_(descriptor) {}
  ~PosixFile() override {
    // A child process that was forked meanwhile has the descriptor too, until
    // it executes another program: closing alone would leave the lock with it.
    // The child itself must not give away what is its parent's.
    if (locked_by_ == getpid()) {
      show_lock(descriptor_, F_UNLCK);
      flock(descriptor_, LOCK_UN);
    }
    close(descriptor_);
  }

  IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                   size_t* read) override {
    return read_fully(
        offset, data, bytes, read,
        [this](uint64_t from, uint8_t* to, size_t count) {
          return step_of(
              pread(descriptor_, to, count, static_cast<off_t>(from)), "pread");
        });
  }

  IoStatus write_at(uint64_t offset, const void* data, size_t bytes) override {
    return write_fully(offset, data, bytes,
                       [this](uint64_t to, const uint8_t* from, size_t count) {
                         return step_of(pwrite(descriptor_, from, count,
                                               static_cast<off_t>(to)),
                                        "pwrite");
                       });
  }

  IoStatus size(uint64_t* bytes) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return failure(errno, "fstat");
    *bytes = static_cast<uint64_t>(info.st_size);
    return {};
  }

  IoStatus preallocate(uint64_t bytes) override {
    const auto length = static_cast<off_t>(bytes);
#if defined(__linux__)
    write_in_place();
    // Not posix_fallocate: where the file system cannot, that one writes into
    // every block and reports no progress.
    if (again_if_interrupted(
            [&] { return fallocate(descriptor_, 0, 0, length); }) == 0) {
      return {};
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS) {
      return failure(errno, "fallocate");
    }
#endif
    // The length first, so that a failure further on is one of space.
    if (ftruncate(descriptor_, length) != 0) {
      return failure(errno, "ftruncate");
    }
    return zero_range(0, bytes);
  }

#if defined(__linux__)
  // Where every write takes new space (btrfs), the space that is secured would
  // serve the first write only. The attribute is taken while a file is empty;
  // where there is no such thing, or it has data, nothing happens.
  void write_in_place() const {
    struct statfs volume;
    int flags = 0;
    if (fstatfs(descriptor_, &volume) != 0 ||
        volume.f_type != BTRFS_SUPER_MAGIC ||
        ioctl(descriptor_, FS_IOC_GETFLAGS, &flags) != 0) {
      return;
    }
    flags |= FS_NOCOW_FL;
    (void)ioctl(descriptor_, FS_IOC_SETFLAGS, &flags);
  }
#endif

  IoStatus sync_data() override {
#if defined(__APPLE__)
    return sync_all();
#else
    return check(fdatasync(descriptor_), "fdatasync");
#endif
  }

  IoStatus sync_all() override {
#if defined(__APPLE__)
    // fsync leaves the data in the disk's own cache there. Some network file
    // systems know nothing better.
    if (fcntl(descriptor_, F_FULLFSYNC) == 0) return {};
    if (errno != ENOTSUP && errno != EINVAL && errno != ENOTTY) {
      return failure(errno, "F_FULLFSYNC");
    }
#endif
    return check(fsync(descriptor_), "fsync");
  }

  IoStatus lock() override {
    // Not fcntl: its locks are lost when any handle of the file in this process
    // is closed.
    if (again_if_interrupted(
            [&] { return flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0) {
      locked_by_ = getpid();
      show_lock(descriptor_, F_WRLCK);
      return {};
    }
    if (errno == EWOULDBLOCK) return {IoCode::kLocked, errno, "flock"};
    return failure(errno, "flock");
  }

  IoStatus is_locked(bool* is_locked) override {
    struct flock lock = lock_of(F_WRLCK);
    if (fcntl(descriptor_, kQueryLock, &lock) != 0) {
      return errno == EINVAL ? IoStatus{IoCode::kUnsupported, errno, "fcntl"}
                             : failure(errno, "fcntl");
    }
    *is_locked = lock.l_type != F_UNLCK;
    return {};
  }

  IoStatus identity(FileIdentity* identity) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return failure(errno, "fstat");
    *identity = identity_of(info);
    return {};
  }

  IoStatus map(size_t bytes, std::unique_ptr<FileMapping>* mapping) override {
    void* const range = AddressRanges::instance().take(bytes);
    void* const data = map_file(range, bytes, descriptor_);
    if (data == nullptr) {
      const IoStatus status = failure(errno, "mmap");
      if (range != nullptr) AddressRanges::instance().give_back(range, bytes);
      return status;
    }
    *mapping = std::make_unique<PosixFileMapping>(data, bytes);
    return {};
  }

  IoStatus renew(FileMapping& mapping) override {
    return map_file(mapping.data(), mapping.bytes(), descriptor_) != nullptr
               ? IoStatus{}
               : failure(errno, "mmap");
  }

  void will_read(uint64_t offset, uint64_t bytes) override {
#if defined(__APPLE__)
    radvisory advice = {};
    advice.ra_offset = static_cast<off_t>(offset);
    advice.ra_count = static_cast<int>(bytes);
    fcntl(descriptor_, F_RDADVISE, &advice);
#else
    (void)posix_fadvise(descriptor_, static_cast<off_t>(offset),
                        static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
#endif
  }

 private:
  const int descriptor_;
  // The process that has the lock by this handle; 0: none.
  pid_t locked_by_ = 0;
};

class PosixFileSystem final : public FileSystem {
 public:
  IoStatus open(const std::string& path, OpenMode mode,
                std::unique_ptr<File>* file) override {
    // Opening a pipe would wait for its other end without O_NONBLOCK, which
    // means nothing to a file.
    int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    flags |= mode == OpenMode::kRead ? O_RDONLY : O_RDWR;
    if (mode == OpenMode::kCreateNew) flags |= O_CREAT | O_EXCL;
    const int descriptor =
        again_if_interrupted([&] { return ::open(path.c_str(), flags, 0666); });
    if (descriptor < 0) return failure(errno, "open");
    auto opened = std::make_unique<PosixFile>(descriptor);
    struct stat info;
    if (fstat(descriptor, &info) != 0) return failure(errno, "fstat");
    if (!S_ISREG(info.st_mode)) return {IoCode::kNotAFile, 0, "open"};
    *file = std::move(opened);
    return {};
  }

  IoStatus remove(const std::string& path) override {
    return check(unlink(path.c_str()), "unlink");
  }

  IoStatus rename(const std::string& from, const std::string& to) override {
    return check(::rename(from.c_str(), to.c_str()), "rename");
  }

  IoStatus link(const std::string& from, const std::string& to) override {
    return check(::link(from.c_str(), to.c_str()), "link");
  }

  IoStatus remove_directory(const std::string& path) override {
    return check(rmdir(path.c_str()), "rmdir");
  }

  IoStatus list(const std::string& directory,
                List<std::string>* names) override {
    DIR* const stream = opendir(directory.c_str());
    if (stream == nullptr) return failure(errno, "opendir");
    names->clear();
    IoStatus status;
    while (status.ok()) {
      errno = 0;
      const dirent* const entry = readdir(stream);
      if (entry == nullptr) break;
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
        continue;
      }
      if (!names->try_push_back(entry->d_name)) status = kNoMemory;
    }
    const int error = errno;
    closedir(stream);
    if (!status.ok()) return status;
    return error == 0 ? IoStatus{} : failure(error, "readdir");
  }

  IoStatus make_directory(const std::string& path) override {
    return check(mkdir(path.c_str(), 0777), "mkdir");
  }

  IoStatus check_writable(const std::string& directory) override {
    // Knows of file systems that are mounted read-only, too.
    return check(
        faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS),
        "access");
  }

  IoStatus open_directory(const std::string& path,
                          std::unique_ptr<Directory>* directory) override {
    const int descriptor = again_if_interrupted([&] {
      return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    });
    if (descriptor < 0) return failure(errno, "open");
    *directory = std::make_unique<PosixDirectory>(descriptor);
    return {};
  }

  IoStatus identity(const std::string& path, FileIdentity* identity) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return failure(errno, "stat");
    *identity = identity_of(info);
    return {};
  }
};

}  // namespace

FileSystem& native_file_system() {
  // Never destroyed: threads may outlive static destructors.
  static FileSystem* const system = new PosixFileSystem();
  return *system;
}

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
