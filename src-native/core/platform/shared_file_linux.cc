#if defined(__linux__)

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/platform/shared_file.h"
#include "core/platform/shared_file_system.h"

namespace atomic_log::platform {

IoStatus boot_id(BootId* id) {
  *id = {};
  char text[64] = {};
  const int descriptor = again_if_interrupted([] {
    return ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  });
  if (descriptor < 0) {
    const IoStatus io = internal::shared_failure(errno, "open");
    return io.is_shortage() ? io : IoStatus{};
  }
  const ssize_t length = read(descriptor, text, sizeof(text) - 1);
  close(descriptor);
  if (length > 0) *id = internal::boot_id_of(text);
  return {};
}

namespace internal {

void keep_from_children(void* address, size_t bytes) {
  (void)madvise(address, bytes, MADV_DONTFORK);
}

#if !defined(ATOMIC_LOG_PORTABLE)

int open_unnamed(const std::string& directory, std::string* link_from) {
  const int descriptor = again_if_interrupted([&] {
    return ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  });
  if (descriptor < 0) {
    // What file systems and kernels say that do not know the flag.
    if (errno == EISDIR || errno == EINVAL) errno = EOPNOTSUPP;
    return -1;
  }
  *link_from = "/proc/self/fd/" + std::to_string(descriptor);
  if (access(link_from->c_str(), F_OK) == 0) return descriptor;
  close(descriptor);
  errno = EOPNOTSUPP;
  return -1;
}

int open_memory() {
  // Not memfd_create(), which old C libraries lack.
  return static_cast<int>(
      syscall(SYS_memfd_create, "atomic-log", /* MFD_CLOEXEC */ 1u));
}

int allocate(int descriptor, uint64_t bytes) {
  int error;
  do {
    error = posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
  } while (error == EINTR);
  return error;
}

// Of a file in memory each block is a page of it, and to look for a hole, or to
// fill none, takes as long as it has pages.
bool may_hide_hole(int descriptor, uint64_t bytes) {
  constexpr long kTmpfs = 0x01021994;
  struct statfs system;
  if (fstatfs(descriptor, &system) == 0 &&
      static_cast<long>(system.f_type) == kTmpfs) {
    return false;
  }
  // Space that is secured and was not written yet may be called a hole, too.
  const off_t hole = lseek(descriptor, 0, SEEK_HOLE);
  return hole < 0 || static_cast<uint64_t>(hole) < bytes;
}

int fill_holes(int descriptor, uint64_t bytes) {
  // Not posix_fallocate(): where the file system knows no such call it writes
  // zeros, next to processes that write too.
  const int result = again_if_interrupted(
      [&] { return fallocate(descriptor, 0, 0, static_cast<off_t>(bytes)); });
  if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return 0;
  return errno;
}

#endif  // !defined(ATOMIC_LOG_PORTABLE)

}  // namespace internal

}  // namespace atomic_log::platform

#endif  // defined(__linux__)
