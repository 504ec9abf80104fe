#if !defined(_WIN32) && (!defined(__linux__) || defined(ATOMIC_LOG_PORTABLE))

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "core/platform/shared_file_system.h"

namespace atomic_log::platform::internal {

int open_unnamed(const std::string&, std::string*) {
  errno = EOPNOTSUPP;
  return -1;
}

int open_memory() {
  // Short enough for macOS, which takes 31 bytes.
  const std::string name = std::string("/").append(random_name());
  // Closed when another program is executed.
  const int descriptor =
      shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
  if (descriptor >= 0) (void)shm_unlink(name.c_str());
  return descriptor;
}

// By writing: what was only asked for need not be there when it is used (macOS
// allocates from the end of a file on, and leaves holes as they are).
int allocate(int descriptor, uint64_t bytes) {
  static constexpr char kZeros[size_t{64} << 10] = {};
  for (uint64_t offset = 0; offset < bytes;) {
    const ssize_t moved = again_if_interrupted([&] {
      return pwrite(descriptor, kZeros,
                    std::min<uint64_t>(sizeof(kZeros), bytes - offset),
                    static_cast<off_t>(offset));
    });
    if (moved < 0) return errno;
    offset += static_cast<uint64_t>(moved);
  }
  return 0;
}

bool may_hide_hole(int, uint64_t) { return false; }

int fill_holes(int, uint64_t) { return 0; }

}  // namespace atomic_log::platform::internal

#endif  // !defined(_WIN32) && (!defined(__linux__) || ATOMIC_LOG_PORTABLE)
