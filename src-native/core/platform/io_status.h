// What an operation on a file returns.
#ifndef ATOMIC_LOG_CORE_PLATFORM_IO_STATUS_H_
#define ATOMIC_LOG_CORE_PLATFORM_IO_STATUS_H_

#include <cstdint>

namespace atomic_log::platform {

enum class IoCode : uint8_t {
  kOk = 0,
  kNotFound = 1,
  kExists = 2,
  kDenied = 3,
  // A directory, a pipe, a device.
  kNotAFile = 4,
  kNoSpace = 5,
  // Another handle holds the lock.
  kLocked = 6,
  kUnsupported = 7,
  // The system starts no more threads.
  kNoThread = 8,
  // The process, or the system, has as many files open as it may; it passes.
  kNoDescriptor = 9,
  // Anything else; system_error says what.
  kFailed = 10,
  // The system refused memory; it passes.
  kNoMemory = 11,
};

struct [[nodiscard]] IoStatus {
  IoCode code = IoCode::kOk;
  // errno or GetLastError(); 0 where the system said nothing.
  int32_t system_error = 0;
  // The system call, for messages.
  const char* operation = "";

  bool ok() const { return code == IoCode::kOk; }
  // It says nothing about the file, and nothing was done to it: the same can be
  // tried again.
  bool is_shortage() const {
    return code == IoCode::kNoDescriptor || code == IoCode::kNoMemory;
  }
};

// The status where core/base/list.h was refused memory. Never that of a system
// call: one that fails for want of memory may have done a part of its work.
inline constexpr IoStatus kNoMemory = {IoCode::kNoMemory, 0, "allocate"};

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_IO_STATUS_H_
