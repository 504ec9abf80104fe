#if !defined(_WIN32)

#include "core/platform/handle_posix.h"

#include <stdio.h>
#include <sys/mman.h>

namespace atomic_log::platform {

IoStatus failure(int error, const char* operation) {
  IoCode code = IoCode::kFailed;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      code = IoCode::kNotFound;
      break;
    case EEXIST:
    case ENOTEMPTY:
      code = IoCode::kExists;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = IoCode::kDenied;
      break;
    case EISDIR:
    case ENXIO:
      code = IoCode::kNotAFile;
      break;
    case EMFILE:
    case ENFILE:
      code = IoCode::kNoDescriptor;
      break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      code = IoCode::kNoSpace;
      break;
    default:
      break;
  }
  return {code, error, operation};
}

IoStatus check(int result, const char* operation) {
  return result == 0 ? IoStatus{} : failure(errno, operation);
}

IoStep step_of(ssize_t moved, const char* operation) {
  if (moved >= 0) return {static_cast<size_t>(moved), false, {}};
  if (errno == EINTR) return {0, true, {}};
  return {0, false, failure(errno, operation)};
}

FileIdentity identity_of(const struct stat& info) {
  return {static_cast<uint64_t>(info.st_dev),
          static_cast<uint64_t>(info.st_ino)};
}

struct flock lock_of(short type, uint32_t number) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = (off_t{1} << 62) + off_t{number};
  lock.l_len = 1;
  return lock;
}

bool map_anonymous(void* address, size_t bytes) {
  return mmap(address, bytes, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
              0) != MAP_FAILED;
}

AddressRanges& AddressRanges::instance() {
  // Never destroyed: threads may outlive static destructors.
  static AddressRanges* const ranges = new AddressRanges();
  return *ranges;
}

void* AddressRanges::take(size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = free_.find(bytes);
  if (found == free_.end() || found->second.empty()) return nullptr;
  void* const address = found->second.back();
  found->second.pop_back();
  return address;
}

void AddressRanges::give_back(void* address, size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  free_[bytes].push_back(address);
}

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
