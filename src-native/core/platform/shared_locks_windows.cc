#if defined(_WIN32)

#include "core/platform/shared_locks_windows.h"

namespace atomic_log::platform {
namespace {

// A thread that looks at a lock is done by then; attempts of the second half
// take a millisecond or more each.
constexpr int kAttempts = 20;

// The one before them is that of a durable log.
uint64_t owned_byte(uint32_t number) {
  return kLockOffset + 2 + uint64_t{number} * 2;
}
uint64_t shown_byte(uint32_t number) { return owned_byte(number) + 1; }

}  // namespace

bool SharedLocks::try_lock(uint32_t number) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (held_.contains(number)) return true;
  if (!take(owned_byte(number), LOCKFILE_EXCLUSIVE_LOCK)) return false;
  for (int attempt = 1; !take(shown_byte(number), LOCKFILE_EXCLUSIVE_LOCK) &&
                        attempt < kAttempts;
       ++attempt) {
    Sleep(attempt < kAttempts / 2 ? 0 : 1);
  }
  held_.insert(number);
  return true;
}

void SharedLocks::unlock(uint32_t number) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (held_.erase(number) == 0) return;
  // This one first: the next owner of the other byte finds it free.
  drop(shown_byte(number));
  drop(owned_byte(number));
}

bool SharedLocks::is_locked_elsewhere(uint32_t number) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (held_.contains(number)) return false;
  if (!take(shown_byte(number), 0)) return true;
  drop(shown_byte(number));
  return false;
}

bool SharedLocks::take(uint64_t byte, DWORD flags) {
  OVERLAPPED position = at_offset(byte);
  return LockFileEx(handle_, flags | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
                    &position);
}

void SharedLocks::drop(uint64_t byte) {
  OVERLAPPED position = at_offset(byte);
  (void)UnlockFileEx(handle_, 0, 1, 0, &position);
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
