// What an operation on a durable log returns: an Outcome, and for those that
// need words, a Failure with what is known about it.
#ifndef ATOMIC_LOG_CORE_DURABLE_OUTCOME_H_
#define ATOMIC_LOG_CORE_DURABLE_OUTCOME_H_

#include <cstdint>
#include <string>

#include "core/platform/io_status.h"

namespace atomic_log::durable {

// TypeScript knows them: lib/base/codes.ts.
enum class [[nodiscard]] Outcome : uint8_t{
    kOk = 0,
    // The system refused something; Failure::io.
    kIo = 1,
    // Another writer has the file.
    kLocked = 2,
    // The file is not what the options say it is.
    kFormat = 3,
    // Records that are known to have been durable are damaged.
    kCorrupt = 4,
    // An earlier write or sync failed.
    kPoisoned = 5,
    // No room; Failure::value is what there is.
    kFull = 6,
    // An offset outside of what may be asked for; Failure::value is the limit.
    kOutOfRange = 7,
    // Eight zero bytes: the log ends there.
    kNoRecord = 8,
    // No intact record is at the offset.
    kChecksum = 9,
    // The LSN that the caller expects is not the next; Failure::value is.
    kLsnMismatch = 20,
    // An entry or a batch that no file can take; Failure::value is the limit.
    kTooLarge = 21,
    // The log was closed.
    kClosed = 22,
    // The newest file ends in a torn record, and strict_tail refuses that.
    kTornTail = 23,
    // A checkpoint dropped the entry; Failure::value is the first one kept.
    kCheckpointed = 24,
    // The directory, or the segment file, is another one than was opened, or is
    // gone.
    kReplaced = 25,
    // What was read before it was proved to be on disk is gone, from the LSN
    // Failure::offset on.
    kTakenBack = 26,
    // The entry of a position is not in the log any more, or is another one;
    // Failure::value is the last there is.
    kTruncated = 27,
    // The last LSN that there is was given out; Failure::value is it.
    kNoLsn = 28,
    // A cursor is damaged, or of another log; Failure::detail.
    kCursorDamaged = 29,
    // The lock of the cursors is not to be had; Failure::detail.
    kCursorsLocked = 30,
    // The entry is not known to be on disk; Failure::value is the last that is.
    kNotDurable = 31,
};

struct Failure {
  Outcome outcome = Outcome::kOk;
  platform::IoStatus io;
  std::string path;
  uint64_t offset = 0;
  uint64_t value = 0;
  // What is wrong, for kFormat and kCorrupt.
  const char* detail = "";
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_OUTCOME_H_
