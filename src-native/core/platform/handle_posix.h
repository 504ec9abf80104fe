// What the files of POSIX systems have in common: what their calls return, who
// locks which bytes, and the address ranges of mappings. Any thread.
#ifndef ATOMIC_LOG_CORE_PLATFORM_HANDLE_POSIX_H_
#define ATOMIC_LOG_CORE_PLATFORM_HANDLE_POSIX_H_

#if !defined(_WIN32)

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/platform/file.h"
#include "core/platform/io_loop.h"
#include "core/platform/io_status.h"

namespace atomic_log::platform {

IoStatus failure(int error, const char* operation);
// Of a call that returns 0 or -1.
IoStatus check(int result, const char* operation);
// Of a call that returns how many bytes it has moved.
IoStep step_of(ssize_t moved, const char* operation);

// Of a call that returns -1 and sets errno.
template <typename Call>
auto again_if_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

FileIdentity identity_of(const struct stat& info);

// For fcntl(): the lock of one byte, beyond what any file has. Some network
// file systems make locks mandatory, and readers must not be stopped.
struct flock lock_of(short type, uint32_t number = 0);

// Puts zeroed pages at `address`, in place of whatever is there: another thread
// that reads meanwhile sees the one or the other.
bool map_anonymous(void* address, size_t bytes);

// Address ranges whose mappings are gone, to be used again for others of the
// same size. They are never returned to the system.
class AddressRanges {
 public:
  static AddressRanges& instance();

  // The one of that size that was given back last; null when there is none.
  void* take(size_t bytes);
  void give_back(void* address, size_t bytes);

 private:
  std::mutex mutex_;
  // Guarded by mutex_.
  std::unordered_map<size_t, std::vector<void*>> free_;
};

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)

#endif  // ATOMIC_LOG_CORE_PLATFORM_HANDLE_POSIX_H_
