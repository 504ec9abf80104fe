// Reading and writing whole ranges with system calls that may move less than
// they were asked for, or be interrupted. The system call is the parameter, so
// that the real files and the simulated ones of the tests run the same loop.
#ifndef ATOMIC_LOG_CORE_PLATFORM_IO_LOOP_H_
#define ATOMIC_LOG_CORE_PLATFORM_IO_LOOP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/platform/io_status.h"

namespace atomic_log::platform {

// What one call did.
struct IoStep {
  size_t moved = 0;
  // Nothing was moved and nothing is wrong: call again.
  bool is_interrupted = false;
  IoStatus status;
};

// Systems refuse or truncate transfers around 2 GiB.
inline constexpr size_t kIoStepBytesMax = size_t{1} << 30;

// Calls step(offset, data, bytes) -> IoStep until all is written. On failure
// some of it may be.
template <typename Step>
IoStatus write_fully(uint64_t offset, const void* data, size_t bytes,
                     Step step) {
  const auto* at = static_cast<const uint8_t*>(data);
  while (bytes > 0) {
    const IoStep done = step(offset, at, std::min(bytes, kIoStepBytesMax));
    if (done.is_interrupted) continue;
    if (!done.status.ok()) return done.status;
    // A call that writes nothing and names no error would be tried forever.
    if (done.moved == 0) return {IoCode::kFailed, 0, "write"};
    offset += done.moved;
    at += done.moved;
    bytes -= done.moved;
  }
  return {};
}

// Calls step(offset, data, bytes) -> IoStep until all is read or the file ends.
// *read says how much it was: less than `bytes` only at the end of the file.
template <typename Step>
IoStatus read_fully(uint64_t offset, void* data, size_t bytes, size_t* read,
                    Step step) {
  auto* at = static_cast<uint8_t*>(data);
  *read = 0;
  while (bytes > 0) {
    const IoStep done = step(offset, at, std::min(bytes, kIoStepBytesMax));
    if (done.is_interrupted) continue;
    if (!done.status.ok()) return done.status;
    if (done.moved == 0) break;
    offset += done.moved;
    at += done.moved;
    bytes -= done.moved;
    *read += done.moved;
  }
  return {};
}

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_IO_LOOP_H_
