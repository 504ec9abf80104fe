// Copying parts of files, for recovery.
#ifndef ATOMIC_LOG_CORE_DURABLE_COPY_RANGE_H_
#define ATOMIC_LOG_CORE_DURABLE_COPY_RANGE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// Reads [from, to) piece by piece and hands each to write(offset, data, bytes).
template <typename Write>
platform::IoStatus copy_range(platform::File& file, uint64_t from, uint64_t to,
                              Write write) {
  constexpr uint64_t kPieceBytesMax = uint64_t{1} << 18;
  if (from >= to) return {};
  Buffer buffer;
  if (!buffer.try_resize_for_overwrite(
          static_cast<size_t>(std::min(to - from, kPieceBytesMax)))) {
    return platform::kNoMemory;
  }
  while (from < to) {
    CORE_CHECK(!buffer.empty());
    const auto piece =
        static_cast<size_t>(std::min<uint64_t>(to - from, buffer.size()));
    size_t read = 0;
    platform::IoStatus status = file.read_at(from, buffer.data(), piece, &read);
    if (status.ok() && read < piece) {
      status = {platform::IoCode::kFailed, 0, "read"};
    }
    if (status.ok()) status = write(from, buffer.data(), piece);
    if (!status.ok()) return status;
    from += piece;
  }
  return {};
}

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_COPY_RANGE_H_
