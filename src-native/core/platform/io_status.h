// What an operation on a file answers.
#ifndef ATOMIC_LOG_CORE_PLATFORM_IO_STATUS_H_
#define ATOMIC_LOG_CORE_PLATFORM_IO_STATUS_H_

#include <cstdint>

namespace atomic_log::platform {

enum class IoCode : uint8_t {
  kOk,
  kNotFound,
  kExists,
  kDenied,
  // A directory, a pipe, a device.
  kNotAFile,
  kNoSpace,
  // Another handle holds the lock.
  kLocked,
  kUnsupported,
  // The system starts no more threads.
  kNoThread,
  // The process, or the system, has as many files open as it may; it passes.
  kNoDescriptor,
  // Anything else; system_error says what.
  kFailed,
};

struct [[nodiscard]] IoStatus {
  IoCode code = IoCode::kOk;
  // errno or GetLastError(); 0 where the system said nothing.
  int32_t system_error = 0;
  // The system call, for messages.
  const char* operation = "";

  bool ok() const { return code == IoCode::kOk; }
};

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_IO_STATUS_H_
