#if defined(__linux__)

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mutex>
#include <random>
#include <unordered_map>
#include <vector>

#include "core/platform/shared_file.h"

namespace atomic_log::platform {
namespace {

IoStatus failure(int error, const char* operation) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return {IoCode::kNotFound, error, operation};
    case EEXIST:
      return {IoCode::kExists, error, operation};
    case EACCES:
    case EPERM:
    case EROFS:
      return {IoCode::kDenied, error, operation};
    case EISDIR:
    case ENXIO:
    case ELOOP:
      return {IoCode::kNotAFile, error, operation};
    case EMFILE:
    case ENFILE:
      return {IoCode::kNoDescriptor, error, operation};
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {IoCode::kNoSpace, error, operation};
    case ENOMEM:
      return {IoCode::kNoMemory, error, operation};
    default:
      return {IoCode::kFailed, error, operation};
  }
}

template <typename Call>
auto again_if_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// The numbers of locks begin where no file has bytes: some network file systems
// make locks mandatory.
struct flock lock_of(short type, uint32_t number) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = (off_t{1} << 62) + off_t{number};
  lock.l_len = 1;
  return lock;
}

// Address ranges whose mappings are gone. Never destroyed: threads may outlive
// static destructors.
class Ranges {
 public:
  static Ranges& instance() {
    static Ranges* const ranges = new Ranges();
    return *ranges;
  }
  // Null when there is none of that size.
  void* take(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = free_.find(bytes);
    if (found == free_.end() || found->second.empty()) return nullptr;
    void* const address = found->second.back();
    found->second.pop_back();
    return address;
  }
  void give_back(void* address, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_[bytes].push_back(address);
  }

 private:
  std::mutex mutex_;
  // Guarded by mutex_.
  std::unordered_map<size_t, std::vector<void*>> free_;
};

bool map_anonymous(void* address, size_t bytes) {
  return mmap(address, bytes, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
              0) != MAP_FAILED;
}

class LinuxMapping final : public SharedMapping {
 public:
  // `has_addresses`: no one else has them.
  LinuxMapping(void* data, size_t bytes, bool has_addresses)
      : data_(data), bytes_(bytes), has_addresses_(has_addresses) {}
  ~LinuxMapping() override {
    release_file();
    if (is_released_ && has_addresses_) {
      Ranges::instance().give_back(data_, bytes_);
    }
  }
  char* data() const override { return static_cast<char*>(data_); }
  size_t bytes() const override { return bytes_; }
  void release_file() override {
    if (!is_released_) is_released_ = map_anonymous(data_, bytes_);
  }

 private:
  void* const data_;
  const size_t bytes_;
  const bool has_addresses_;
  bool is_released_ = false;
};

class LinuxFile final : public SharedFile {
 public:
  // `temporary_name` is what the file is called meanwhile; empty for one that
  // has no name, or has its own.
  LinuxFile(int descriptor, SharedAccess access, std::string temporary_name)
      : descriptor_(descriptor),
        access_(access),
        temporary_name_(std::move(temporary_name)) {}
  ~LinuxFile() override {
    drop_temporary_name();
    // A child that was forked meanwhile has the descriptor too, until it
    // executes another program: the caller unlocks what it has locked.
    close(descriptor_);
  }

  IoStatus link(const std::string& path) override {
    const std::string from = name_to_link();
    if (linkat(AT_FDCWD, from.c_str(), AT_FDCWD, path.c_str(),
               AT_SYMLINK_FOLLOW) != 0) {
      return failure(errno, "linkat");
    }
    drop_temporary_name();
    return {};
  }

  IoStatus size(uint64_t* bytes) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return failure(errno, "fstat");
    *bytes = static_cast<uint64_t>(info.st_size);
    return {};
  }

  IoStatus secure_space(uint64_t bytes) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return failure(errno, "fstat");
    if (static_cast<uint64_t>(info.st_blocks) * 512 >= bytes) return {};
    // Not posix_fallocate(): where the file system knows no such call it writes
    // zeros, next to processes that write too.
    const int result = again_if_interrupted([&] {
      return fallocate(descriptor_, 0, 0, static_cast<off_t>(bytes));
    });
    if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return {};
    return failure(errno, "fallocate");
  }

  IoStatus identity(FileIdentity* identity) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return failure(errno, "fstat");
    *identity = {static_cast<uint64_t>(info.st_dev),
                 static_cast<uint64_t>(info.st_ino)};
    return {};
  }

  IoStatus is_own(bool* is_own) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return failure(errno, "fstat");
    *is_own = info.st_uid == geteuid();
    return {};
  }

  IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                   size_t* read) override {
    for (*read = 0; *read < bytes;) {
      const ssize_t moved = again_if_interrupted([&] {
        return pread(descriptor_, static_cast<char*>(data) + *read,
                     bytes - *read, static_cast<off_t>(offset + *read));
      });
      if (moved < 0) return failure(errno, "pread");
      if (moved == 0) return {};
      *read += static_cast<size_t>(moved);
    }
    return {};
  }

  IoStatus map(size_t bytes, std::shared_ptr<SharedMapping>* mapping) override {
    void* const range = Ranges::instance().take(bytes);
    const int protection =
        access_ == SharedAccess::kReadOnly ? PROT_READ : PROT_READ | PROT_WRITE;
    void* const data = mmap(
        range, bytes, protection,
        range == nullptr ? MAP_SHARED : MAP_SHARED | MAP_FIXED, descriptor_, 0);
    if (data == MAP_FAILED) {
      const IoStatus status = failure(errno, "mmap");
      if (range != nullptr) Ranges::instance().give_back(range, bytes);
      return status;
    }
    (void)madvise(data, bytes, MADV_DONTFORK);
    *mapping = std::make_shared<LinuxMapping>(data, bytes, true);
    return {};
  }

  IoStatus map_over(uint64_t offset, void* address, size_t bytes,
                    std::unique_ptr<SharedMapping>* mapping) override {
    if (mmap(address, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
             descriptor_, static_cast<off_t>(offset)) == MAP_FAILED) {
      const IoStatus status = failure(errno, "mmap");
      // What was there may be gone already.
      (void)map_anonymous(address, bytes);
      return status;
    }
    (void)madvise(address, bytes, MADV_DONTFORK);
    *mapping = std::make_unique<LinuxMapping>(address, bytes, false);
    return {};
  }

  bool try_lock(uint32_t number) override {
    struct flock lock = lock_of(F_WRLCK, number);
    return again_if_interrupted(
               [&] { return fcntl(descriptor_, F_OFD_SETLK, &lock); }) == 0;
  }
  void unlock(uint32_t number) override {
    struct flock lock = lock_of(F_UNLCK, number);
    (void)fcntl(descriptor_, F_OFD_SETLK, &lock);
  }
  bool is_locked_elsewhere(uint32_t number) override {
    struct flock lock = lock_of(F_WRLCK, number);
    return fcntl(descriptor_, F_OFD_GETLK, &lock) == 0 &&
           lock.l_type != F_UNLCK;
  }

  // Not made of the log's own name, which may be as long as names can be.
  static std::string random_name_in(const std::string& directory) {
    std::random_device device;
    char text[40];
    snprintf(text, sizeof(text), ".atomic-log-%08x%08x", device(), device());
    return path_in(directory, text);
  }

 private:
  std::string name_to_link() const {
    return temporary_name_.empty()
               ? "/proc/self/fd/" + std::to_string(descriptor_)
               : temporary_name_;
  }
  void drop_temporary_name() {
    if (temporary_name_.empty()) return;
    (void)::unlink(temporary_name_.c_str());
    temporary_name_.clear();
  }

  const int descriptor_;
  const SharedAccess access_;
  std::string temporary_name_;
};

// A file without a name where the file system and /proc know how to link one,
// else one with a random name: should its maker die, that is what is left.
int create_near(const std::string& path, std::string* temporary_name) {
  const std::string directory = parent_of(path);
  const int unnamed = again_if_interrupted([&] {
    return ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  });
  if (unnamed >= 0) {
    if (access(("/proc/self/fd/" + std::to_string(unnamed)).c_str(), F_OK) ==
        0) {
      return unnamed;
    }
    close(unnamed);
  } else if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    return -1;
  }
  *temporary_name = LinuxFile::random_name_in(directory);
  return again_if_interrupted([&] {
    return ::open(temporary_name->c_str(),
                  O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
  });
}

}  // namespace

IoStatus SharedFile::create(const std::string& path, uint32_t mode,
                            uint64_t bytes, std::unique_ptr<SharedFile>* file) {
  std::string temporary_name;
  const int descriptor = create_near(path, &temporary_name);
  if (descriptor < 0) return failure(errno, "open");
  auto made = std::make_unique<LinuxFile>(descriptor, SharedAccess::kReadWrite,
                                          std::move(temporary_name));
  if (fchmod(descriptor, mode) != 0) return failure(errno, "fchmod");
  int error = 0;
  do {
    error = posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
  } while (error == EINTR);
  if (error != 0) return failure(error, "fallocate");
  *file = std::move(made);
  return {};
}

IoStatus SharedFile::open(const std::string& path, SharedAccess access,
                          std::unique_ptr<SharedFile>* file) {
  const int mode = access == SharedAccess::kReadOnly ? O_RDONLY : O_RDWR;
  // Opening a pipe would wait for its other end without O_NONBLOCK.
  const int descriptor = again_if_interrupted([&] {
    return ::open(path.c_str(), mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  });
  if (descriptor < 0) {
    const int error = errno;
    struct stat named;
    // A link that leads nowhere: it is not followed to make the file, and its
    // name is taken.
    const bool is_link = error == ENOENT && lstat(path.c_str(), &named) == 0 &&
                         S_ISLNK(named.st_mode);
    return failure(is_link ? ELOOP : error, "open");
  }
  auto opened = std::make_unique<LinuxFile>(descriptor, access, std::string());
  struct stat info;
  if (fstat(descriptor, &info) != 0) return failure(errno, "fstat");
  if (!S_ISREG(info.st_mode)) return {IoCode::kNotAFile, 0, "open"};
  *file = std::move(opened);
  return {};
}

IoStatus SharedFile::create_unnamed(uint64_t bytes,
                                    std::unique_ptr<SharedFile>* file) {
  // Not memfd_create(), which old C libraries lack.
  const int descriptor = static_cast<int>(
      syscall(SYS_memfd_create, "atomic-log", /* MFD_CLOEXEC */ 1u));
  if (descriptor < 0) return failure(errno, "memfd_create");
  auto made = std::make_unique<LinuxFile>(descriptor, SharedAccess::kReadWrite,
                                          std::string());
  const int result = again_if_interrupted(
      [&] { return ftruncate(descriptor, static_cast<off_t>(bytes)); });
  if (result != 0) return failure(errno, "ftruncate");
  *file = std::move(made);
  return {};
}

IoStatus SharedFile::unlink(const std::string& path) {
  return ::unlink(path.c_str()) == 0 ? IoStatus{} : failure(errno, "unlink");
}

BootId boot_id() {
  BootId id;
  char text[64] = {};
  const int descriptor =
      ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return id;
  const ssize_t length = read(descriptor, text, sizeof(text) - 1);
  close(descriptor);
  size_t digits = 0;
  for (ssize_t i = 0; i < length && digits < 32; ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) continue;
    uint8_t& byte = id.bytes[digits / 2];
    byte = static_cast<uint8_t>(byte << 4 | digit);
    ++digits;
  }
  return id;
}

uint64_t process_id() { return static_cast<uint64_t>(getpid()); }

}  // namespace atomic_log::platform

#endif  // defined(__linux__)
