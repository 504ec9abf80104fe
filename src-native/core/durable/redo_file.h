// A change in place that a crash must not leave half done: it is written into a
// redo file next to the segment first (path + ".pending"), and open() finishes
// what it finds there.
//
//   0       8        16         24      28      28+n    28+2n
//   +-------+--------+----------+-------+-------+-------+----------+
//   | magic | offset | zero end |   n   |  old  |  new  | checksum |
//   +-------+--------+----------+-------+-------+-------+----------+
//
//   n bytes at `offset` become `new`; those from there to `zero end` become
//   zero, if that is farther
//   checksum  CRC-32C of all before it
//
//  1. The change begins only when the redo file is durable (open() makes sure of
//     it again), and that file is durably gone before the change is reported as
//     done.
//  2. The bytes are written again even where they seem to be right: after a
//     failed sync the system shows what never reached the disk.
//  3. A torn redo file belongs to a change that had not begun.
//  4. The old bytes tell whether it belongs to this segment: each sector must
//     show the old or the new ones.
#ifndef ATOMIC_LOG_CORE_DURABLE_REDO_FILE_H_
#define ATOMIC_LOG_CORE_DURABLE_REDO_FILE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/durable/outcome.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// Does not own the bytes, of which there are as many old as new ones.
struct RedoChange {
  uint64_t offset = 0;
  std::span<const uint8_t> old_bytes;
  std::span<const uint8_t> new_bytes;
  uint64_t zero_end = 0;
};

std::string redo_path(const std::string& path);

// What a write, a sync or a removal has said. It is never a shortage: one that
// failed may have done a part of its work, whatever the system calls the reason
// (ERROR_NO_SYSTEM_RESOURCES of WriteFile, anything on FUSE).
inline platform::IoStatus of_change(const platform::IoStatus& status) {
  if (!status.is_shortage()) return status;
  return {platform::IoCode::kFailed, status.system_error, status.operation};
}

// Writes the redo file and makes it durable. After a shortage nothing was
// changed. *names is its directory, held open for remove_redo(): once the
// change has begun, nothing may fail for want of a descriptor or of memory.
platform::IoStatus store_redo(platform::FileSystem& system,
                              const std::string& path, const RedoChange& change,
                              std::unique_ptr<platform::Directory>* names);
platform::IoStatus store_redo(platform::FileSystem& system,
                              const std::string& path,
                              const RedoChange& change);

// Does the change, durably.
platform::IoStatus apply_change(platform::File& file, const RedoChange& change);

// All of it: the bytes from `offset` to `end` become zero. After a shortage
// nothing was changed.
platform::IoStatus zero_durably(platform::FileSystem& system,
                                platform::File& file, const std::string& path,
                                uint64_t offset, uint64_t end);

// Removes the redo file, durably; it need not be there.
platform::IoStatus remove_redo(platform::FileSystem& system,
                               const std::string& path);
platform::IoStatus remove_redo(platform::FileSystem& system,
                               const std::string& path,
                               platform::Directory& names);

// Finishes what a crash has interrupted. Touches nothing where there is none.
Outcome finish_redo(platform::FileSystem& system, platform::File& file,
                    const std::string& path, uint64_t size, Failure* failure);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_REDO_FILE_H_
