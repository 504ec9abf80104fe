// The cursors of a write-ahead log: how far each of its consumers is, by name,
// next to the log, so that a checkpoint drops nothing that one still needs.
//
//     cursors/LOCK             held by who lists for a checkpoint, or makes,
//                              deletes or moves back a cursor
//     cursors/cursor-billing   a position
//     cursors/lock-billing     held by the cursor's owner
//     cursors/new-billing      a position that is being written; means nothing
//
// A position is 52 bytes, little-endian:
//
//     0  magic "ATOMLCUR"    8  version, u32    12  features, u32
//    16  log id, 16 bytes   32  LSN, u64        40  epoch, u32   44  branch, u32
//    48  checksum, u32: CRC-32C of the 48 bytes before and of the name
//
//  1. A position is replaced, never changed: written under another name,
//     synced, renamed, and the name synced. So it is whole whenever it is there.
//  2. A checkpoint lists the cursors with LOCK held, and syncs their directory
//     before CHECKPOINT: it must not trust a commit, or a deletion, that a power
//     failure takes back. It keeps LOCK until CHECKPOINT is synced.
//  3. LOCK is made only by the holder of the log's own LOCK: while it is missing,
//     a writer knows that no one is making a cursor.
//  4. The owner's lock is on a file that is not replaced: a lock on the
//     position's own file would stay with the one that it had replaced.
//  5. Epoch 0: no entry was consumed; the cursor stands before entry LSN + 1.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_CURSORS_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_CURSORS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/list.h"
#include "core/durable/wal/wal_format.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

constexpr size_t kWalCursorNameMax = 64;
constexpr size_t kWalCursorBytes = 52;

// Small letters and digits, with '.', '_' and '-' within: the same file on every
// system, whether it tells "A" from "a" or not.
bool is_wal_cursor_name(std::string_view name);

struct WalCursorState {
  WalLogId log_id = {};
  uint64_t lsn = 0;
  uint32_t epoch = 0;
  uint32_t branch = 0;
  bool operator==(const WalCursorState&) const = default;
};

enum class WalCursorVerdict : uint8_t {
  kGood = 0,
  // Damaged, or of another name.
  kBad = 1,
  // Of a later release.
  kNewer = 2,
};

struct WalCursorInfo {
  std::string name;
  WalCursorVerdict verdict = WalCursorVerdict::kBad;
  WalCursorState state;
  // Why it cannot be read: then no one knows what is in it.
  platform::IoStatus io;
};

std::string wal_cursors_path(const std::string& directory);
std::string wal_cursor_path(const std::string& directory,
                            const std::string& name);
std::string wal_cursor_lock_path(const std::string& directory,
                                 const std::string& name);

void encode_wal_cursor(const WalCursorState& state, std::string_view name,
                       uint8_t* bytes);
WalCursorVerdict decode_wal_cursor(const uint8_t* bytes, size_t count,
                                   std::string_view name,
                                   WalCursorState* state);

// kNotFound: there is none of that name.
platform::IoStatus read_wal_cursor(platform::FileSystem& system,
                                   const std::string& directory,
                                   const std::string& name,
                                   WalCursorVerdict* verdict,
                                   WalCursorState* state);
// Durably; `names` is the directory of the cursors. Only the owner may. When it
// fails, the old position or the new one is there.
platform::IoStatus write_wal_cursor(platform::FileSystem& system,
                                    const std::string& directory,
                                    platform::Directory& names,
                                    const std::string& name,
                                    const WalCursorState& state);
// In the order of their names, with those that cannot be read. None where there is
// no directory for them.
platform::IoStatus list_wal_cursors(platform::FileSystem& system,
                                    const std::string& directory,
                                    List<WalCursorInfo>* cursors);

// A file that is locked, here and for other processes, until this is destroyed.
// Any thread may destroy it.
class WalFileLock {
 public:
  // kLocked: someone has it. `makes`: the file may be missing.
  static platform::IoStatus take(platform::FileSystem& system,
                                 const std::string& path, bool makes,
                                 std::unique_ptr<WalFileLock>* lock);
  ~WalFileLock();
  WalFileLock(const WalFileLock&) = delete;

  // For messages only.
  void name_holder(uint64_t process_id);
  // 0: not known. Of one that no one has any more, the last one.
  static uint64_t holder_of(platform::FileSystem& system,
                            const std::string& path);
  // As holder_of(), and 0 where no one has it. Takes no lock.
  static uint64_t current_holder_of(platform::FileSystem& system,
                                    const std::string& path);

 private:
  WalFileLock() = default;
  std::unique_ptr<platform::File> file_;
  platform::FileIdentity identity_;
  bool is_registered_ = false;
};

// Makes the directory and LOCK where they are missing. Only for the holder of
// the log's own LOCK.
platform::IoStatus make_wal_cursors(platform::FileSystem& system,
                                    const std::string& directory);
// It is held for a few syncs at most.
constexpr uint64_t kWalCursorsWaitMs = 1000;
// Takes LOCK, and waits for it so long.
// kNotFound: there is none, and so no cursor.
platform::IoStatus lock_wal_cursors(platform::FileSystem& system,
                                    const std::string& directory,
                                    uint64_t wait_ms,
                                    std::unique_ptr<WalFileLock>* lock);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_CURSORS_H_
