// The locks of one handle of a file, by numbers. Windows has no query for a
// lock, and a handle's own lock conflicts with itself. So
//
//  1. Each lock is two bytes. The handle that has the first owns the lock, and
//     then takes the second for others to look at: they take that one, shared,
//     for a moment.
//  2. A thread that looks keeps no one from a lock, even if it is stopped just
//     then. At worst a lock that was taken meanwhile looks free.
//  3. A lock that this handle has can be taken again, and is not elsewhere.
//
// Any thread.
#ifndef ATOMIC_LOG_CORE_PLATFORM_SHARED_LOCKS_WINDOWS_H_
#define ATOMIC_LOG_CORE_PLATFORM_SHARED_LOCKS_WINDOWS_H_

#if defined(_WIN32)

#include <mutex>
#include <set>

#include "core/platform/handle_windows.h"

namespace atomic_log::platform {

class SharedLocks {
 public:
  explicit SharedLocks(HANDLE handle) : handle_(handle) {}

  bool try_lock(uint32_t number);
  void unlock(uint32_t number);
  bool is_locked_elsewhere(uint32_t number);

 private:
  bool take(uint64_t byte, DWORD flags);
  void drop(uint64_t byte);

  const HANDLE handle_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::set<uint32_t> held_;
};

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)

#endif  // ATOMIC_LOG_CORE_PLATFORM_SHARED_LOCKS_WINDOWS_H_
