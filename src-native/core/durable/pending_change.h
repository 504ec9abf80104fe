// A change in place that a crash must not leave half done: it is written into a
// file beside the segment first (path + ".pending"), and open() finishes what
// it finds there.
//
//   0       8       12      16       24      28      28+n    28+2n
//   +-------+-------+-------+--------+-------+-------+-------+----------+
//   | magic | kind  |   0   | offset |   n   |  old  |  new  | checksum |
//   +-------+-------+-------+--------+-------+-------+-------+----------+
//
//   kind      1: n bytes at `offset` become `new`; 2: so they do, and all
//             behind them become zero
//   checksum  CRC-32C of all before it
//
//  1. The change begins only when the file beside is durable, and that file is
//     durably gone before the change is reported as done.
//  2. A torn file beside belongs to a change that had not begun.
//  3. The old bytes tell whether it belongs to this segment: each sector must
//     show the old or the new ones.
#ifndef ATOMIC_LOG_CORE_DURABLE_PENDING_CHANGE_H_
#define ATOMIC_LOG_CORE_DURABLE_PENDING_CHANGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/durable/outcome.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

struct PendingChange {
  uint64_t offset = 0;
  std::vector<uint8_t> old_bytes;
  std::vector<uint8_t> new_bytes;
  bool zeroes_rest = false;
};

std::string pending_path(const std::string& path);

// Writes the file beside and makes it durable.
platform::IoStatus store_pending(platform::FileSystem& system,
                                 const std::string& path,
                                 const PendingChange& change);

// Does the change, durably. `size` is that of the segment.
platform::IoStatus apply_change(platform::File& file, uint64_t size,
                                const PendingChange& change);

// Removes the file beside, durably; it need not be there.
platform::IoStatus forget_pending(platform::FileSystem& system,
                                  const std::string& path);

// Finishes what a crash has interrupted. Touches nothing where there is none.
Outcome finish_pending(platform::FileSystem& system, platform::File& file,
                       const std::string& path, uint64_t size,
                       Failure* failure);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_PENDING_CHANGE_H_
