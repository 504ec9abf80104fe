// What all POSIX systems do alike; the rest is in shared_file_system.h.
#if !defined(_WIN32)

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "core/platform/handle_posix.h"
#include "core/platform/random.h"
#include "core/platform/shared_file.h"
#include "core/platform/shared_file_system.h"

namespace atomic_log::platform {
namespace {

using internal::shared_failure;

// Locks of an open file description: none else is its handle's alone, whatever
// other files this process closes. macOS has had them for longer than it names
// them (fcntl(2) of macOS 14).
#if defined(F_OFD_SETLK)
constexpr int kSetLock = F_OFD_SETLK;
constexpr int kQueryLock = F_OFD_GETLK;
#elif defined(__APPLE__)
constexpr int kSetLock = 90;
constexpr int kQueryLock = 92;
#else
constexpr int kSetLock = -1;
constexpr int kQueryLock = -1;
#endif

// Neither a network's file system, in general, nor every system has them.
IoStatus no_locks() { return {IoCode::kUnsupported, errno, "fcntl"}; }

// The maker of a file has this one for as long as the file has a temporary
// name.
constexpr uint32_t kMakerLock = UINT32_MAX;

class PosixMapping final : public SharedMapping {
 public:
  // `has_addresses`: no one else has them.
  PosixMapping(void* data, size_t bytes, bool has_addresses)
      : data_(data), bytes_(bytes), has_addresses_(has_addresses) {}
  ~PosixMapping() override {
    if (PosixMapping::release_file().ok() && has_addresses_) {
      AddressRanges::instance().give_back(data_, bytes_);
    }
  }
  char* data() const override { return static_cast<char*>(data_); }
  size_t bytes() const override { return bytes_; }
  IoStatus release_file() override {
    if (!is_released_) is_released_ = map_anonymous(data_, bytes_);
    return is_released_ ? IoStatus{} : shared_failure(errno, "mmap");
  }

 private:
  void* const data_;
  const size_t bytes_;
  const bool has_addresses_;
  bool is_released_ = false;
};

class PosixFile final : public SharedFile {
 public:
  PosixFile(int descriptor, SharedAccess access)
      : descriptor_(descriptor), access_(access) {}
  // A new one: `name` is what link() finds it by. A temporary one goes with the
  // link, or with this object.
  PosixFile(int descriptor, std::string name, bool is_temporary)
      : descriptor_(descriptor),
        access_(SharedAccess::kReadWrite),
        name_(std::move(name)),
        is_temporary_(is_temporary) {}
  ~PosixFile() override {
    drop_temporary_name();
    // A child that was forked meanwhile has the descriptor too, until it
    // executes another program: the caller unlocks what it has locked.
    close(descriptor_);
  }

  IoStatus link(const std::string& path) override {
    if (linkat(AT_FDCWD, name_.c_str(), AT_FDCWD, path.c_str(),
               AT_SYMLINK_FOLLOW) != 0) {
      return shared_failure(errno, "linkat");
    }
    drop_temporary_name();
    return {};
  }

  IoStatus size(uint64_t* bytes) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return shared_failure(errno, "fstat");
    *bytes = static_cast<uint64_t>(info.st_size);
    return {};
  }

  IoStatus secure_space(uint64_t bytes) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return shared_failure(errno, "fstat");
    const bool has_blocks =
        static_cast<uint64_t>(info.st_blocks) * 512 >= bytes;
    if (has_blocks && !internal::may_hide_hole(descriptor_, bytes)) return {};
    const int error = internal::fill_holes(descriptor_, bytes);
    return error == 0 ? IoStatus{} : shared_failure(error, "fallocate");
  }

  IoStatus identity(FileIdentity* identity) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return shared_failure(errno, "fstat");
    *identity = identity_of(info);
    return {};
  }

  IoStatus is_own(bool* is_own) override {
    struct stat info;
    if (fstat(descriptor_, &info) != 0) return shared_failure(errno, "fstat");
    *is_own = info.st_uid == geteuid();
    return {};
  }

  IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                   size_t* read) override {
    const IoStatus io = read_fully(
        offset, data, bytes, read,
        [this](uint64_t from, uint8_t* to, size_t count) {
          return step_of(
              pread(descriptor_, to, count, static_cast<off_t>(from)), "pread");
        });
    return io.ok() ? io : shared_failure(io.system_error, io.operation);
  }

  IoStatus map(size_t bytes, std::shared_ptr<SharedMapping>* mapping) override {
    void* const range = AddressRanges::instance().take(bytes);
    const int protection =
        access_ == SharedAccess::kReadOnly ? PROT_READ : PROT_READ | PROT_WRITE;
    void* const data = mmap(
        range, bytes, protection,
        range == nullptr ? MAP_SHARED : MAP_SHARED | MAP_FIXED, descriptor_, 0);
    if (data == MAP_FAILED) {
      const IoStatus status = shared_failure(errno, "mmap");
      if (range != nullptr) AddressRanges::instance().give_back(range, bytes);
      return status;
    }
    internal::keep_from_children(data, bytes);
    *mapping = std::make_shared<PosixMapping>(data, bytes, true);
    return {};
  }

  IoStatus map_over(uint64_t offset, void* address, size_t bytes,
                    std::unique_ptr<SharedMapping>* mapping) override {
    IoStatus status;
    if (mmap(address, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
             descriptor_, static_cast<off_t>(offset)) == MAP_FAILED) {
      status = shared_failure(errno, "mmap");
    }
    auto over = std::make_unique<PosixMapping>(address, bytes, false);
    if (status.ok()) {
      internal::keep_from_children(address, bytes);
    } else if (over->release_file().ok()) {
      // What was there may have been gone already.
      return status;
    }
    *mapping = std::move(over);
    return status;
  }

  bool try_lock(uint32_t number) override {
    struct flock lock = lock_of(F_WRLCK, number);
    return again_if_interrupted(
               [&] { return fcntl(descriptor_, kSetLock, &lock); }) == 0;
  }
  void unlock(uint32_t number) override {
    struct flock lock = lock_of(F_UNLCK, number);
    (void)fcntl(descriptor_, kSetLock, &lock);
  }
  bool is_locked_elsewhere(uint32_t number) override {
    struct flock lock = lock_of(F_WRLCK, number);
    return fcntl(descriptor_, kQueryLock, &lock) == 0 && lock.l_type != F_UNLCK;
  }
  int descriptor() const { return descriptor_; }
  bool knows_locks() const {
    struct flock lock = lock_of(F_WRLCK, 0);
    return fcntl(descriptor_, kQueryLock, &lock) == 0;
  }

 private:
  void drop_temporary_name() {
    if (!is_temporary_) return;
    (void)::unlink(name_.c_str());
    unlock(kMakerLock);
    is_temporary_ = false;
  }

  const int descriptor_;
  const SharedAccess access_;
  const std::string name_;
  bool is_temporary_ = false;
};

// Not made of the log's own name, which may be as long as names can be.
std::string temporary_name_in(const std::string& directory) {
  return path_in(directory, std::string(".").append(internal::random_name()));
}

bool is_temporary_name(const std::string& name) {
  static const size_t bytes = internal::random_name().size() + 1;
  return name.size() == bytes && name.starts_with(".atomic-log-") &&
         name.find_first_not_of("0123456789abcdef", bytes - 16) ==
             std::string::npos;
}

// Takes away the temporary names that dead makers have left in a directory. A
// maker that lives has the lock.
void remove_left_names(const std::string& directory) {
  List<std::string> names;
  if (!native_file_system().list(directory, &names).ok()) return;
  for (const std::string& name : names) {
    if (!is_temporary_name(name)) continue;
    const std::string path = path_in(directory, name);
    std::unique_ptr<SharedFile> left;
    if (SharedFile::open(path, SharedAccess::kReadWrite, &left).ok() &&
        left->try_lock(kMakerLock)) {
      (void)::unlink(path.c_str());
    }
  }
}

// A new file with such a name. Null, and errno, where none can be made.
std::unique_ptr<PosixFile> make_named(const std::string& directory) {
  remove_left_names(directory);
  for (;;) {
    std::string name = temporary_name_in(directory);
    const int descriptor = again_if_interrupted([&] {
      return ::open(name.c_str(),
                    O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    });
    if (descriptor < 0) return nullptr;
    auto made = std::make_unique<PosixFile>(descriptor, std::move(name), true);
    // Another process may have taken this name for one that was left.
    struct stat info;
    if (!made->knows_locks() ||
        (made->try_lock(kMakerLock) && fstat(descriptor, &info) == 0 &&
         info.st_nlink > 0)) {
      return made;
    }
  }
}

}  // namespace

IoStatus SharedFile::create(const std::string& path, uint32_t mode,
                            uint64_t bytes, std::unique_ptr<SharedFile>* file) {
  const std::string directory = parent_of(path);
  std::string name;
  const int unnamed = internal::open_unnamed(directory, &name);
  if (unnamed < 0 && errno != EOPNOTSUPP) return shared_failure(errno, "open");
  auto made = unnamed >= 0
                  ? std::make_unique<PosixFile>(unnamed, std::move(name), false)
                  : make_named(directory);
  if (made == nullptr) return shared_failure(errno, "open");
  if (!made->knows_locks()) return no_locks();
  if (fchmod(made->descriptor(), mode) != 0)
    return shared_failure(errno, "fchmod");
  const int error = internal::allocate(made->descriptor(), bytes);
  if (error != 0) return shared_failure(error, "fallocate");
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
    return shared_failure(is_link ? ELOOP : error, "open");
  }
  auto opened = std::make_unique<PosixFile>(descriptor, access);
  struct stat info;
  if (fstat(descriptor, &info) != 0) return shared_failure(errno, "fstat");
  if (!S_ISREG(info.st_mode)) return {IoCode::kNotAFile, 0, "open"};
  // A reader needs no locks.
  if (access == SharedAccess::kReadWrite && !opened->knows_locks()) {
    return no_locks();
  }
  *file = std::move(opened);
  return {};
}

IoStatus SharedFile::create_unnamed(uint64_t bytes,
                                    std::unique_ptr<SharedFile>* file) {
  const int descriptor = internal::open_memory();
  if (descriptor < 0) return shared_failure(errno, "memfd_create");
  auto made = std::make_unique<PosixFile>(descriptor, SharedAccess::kReadWrite);
  const int result = again_if_interrupted(
      [&] { return ftruncate(descriptor, static_cast<off_t>(bytes)); });
  if (result != 0) return shared_failure(errno, "ftruncate");
  *file = std::move(made);
  return {};
}

std::string internal::random_name() {
  char text[40];
  snprintf(text, sizeof(text), "atomic-log-%08x%08x", random_word(),
           random_word());
  return text;
}

IoStatus SharedFile::follow_links(const std::string& path, std::string* file) {
  struct stat named;
  if (lstat(path.c_str(), &named) != 0) return shared_failure(errno, "lstat");
  *file = path;
  if (!S_ISLNK(named.st_mode)) return {};
  char* const found = realpath(path.c_str(), nullptr);
  if (found == nullptr) return shared_failure(errno, "realpath");
  *file = found;
  free(found);
  return {};
}

IoStatus SharedFile::unlink(const std::string& path) {
  return ::unlink(path.c_str()) == 0 ? IoStatus{}
                                     : shared_failure(errno, "unlink");
}

// A path that leads in a circle names no file. Where memory is refused nothing
// was done yet: none of these calls does a part of its work.
IoStatus internal::shared_failure(int error, const char* operation) {
  if (error == ELOOP) return {IoCode::kNotAFile, error, operation};
  if (error == ENOMEM) return {IoCode::kNoMemory, error, operation};
  return failure(error, operation);
}

BootId internal::boot_id_of(const char* text) {
  BootId id;
  size_t digits = 0;
  for (; *text != 0 && digits < 32; ++text) {
    const char c = *text;
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
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

#endif  // !defined(_WIN32)
