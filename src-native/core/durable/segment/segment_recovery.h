// What opening a segment file for writing does with what it finds.
//
//   row  condition                                    decision
//   ---  -------------------------------------------  -------------------------
//   R1   the file is not as long as the options say   format error; unless all
//                                                     zeros and shorter: its
//                                                     creation is finished
//   R2   a read fails                                 fail
//   R3   the log ends below `durable_offset`, or it   corrupt
//        is `sealed` and anything is after its end
//   R4   no record at the start offset, and a byte    format error; with
//        there or after it is not zero                discard_unreadable as R6
//   R5   zeros to the end                             clean
//   R6   no intact record, or eight zero bytes, and   the bytes after it go into
//        more after it                                a file of their own, then
//                                                     become zero
//
//  1. Rows that refuse touch nothing.
//  2. What is reported is durable: the records are written again before the
//     sync, because the pages of an earlier failed sync look clean although
//     they never reached the disk. Nothing below `durable_offset` is.
//  3. The quarantined bytes are durable before the first of them becomes zero.
//  4. A crash at any step leads back into this table.
#ifndef ATOMIC_LOG_CORE_DURABLE_SEGMENT_RECOVERY_H_
#define ATOMIC_LOG_CORE_DURABLE_SEGMENT_RECOVERY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "core/durable/outcome.h"
#include "core/durable/record_format.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

struct OpenOptions {
  // The length that the file must have.
  std::optional<uint64_t> size;
  // Everything below is known to have been durable.
  uint64_t durable_offset = 0;
  // Everything is.
  bool is_sealed = false;
  bool discard_unreadable = false;
};

struct Recovery {
  uint64_t records = 0;
  // Where the log ends, and the next record goes.
  uint64_t end_offset = 0;
  // Bytes that were quarantined, from end_offset; 0 when the log was clean.
  uint64_t quarantined_bytes = 0;
  // Of these, bytes of intact records: more than a torn tail.
  uint64_t valid_bytes_after = 0;
  std::string quarantine_path;
};

// `file` is open for writing and locked. On success *size is its length.
Outcome recover(platform::FileSystem& system, platform::File& file,
                const std::string& path, const SegmentFormat& format,
                const OpenOptions& options, uint64_t* size, Recovery* recovery,
                Failure* failure);

// What a reader finds, with the words of recover().
struct SegmentScan {
  uint64_t size = 0;
  uint64_t records = 0;
  // Where the log ends.
  uint64_t end_offset = 0;
  // After the last byte that is not zero; end_offset for a clean end. What is
  // between is what recover() would quarantine.
  uint64_t nonzero_end = 0;
  // Of these, bytes of intact records.
  uint64_t valid_bytes_after = 0;
};

// Looks, and changes nothing: without a lock, so that next to a writer a record
// that is being written looks torn.
Outcome scan_segment(platform::FileSystem& system, const std::string& path,
                     const SegmentFormat& format, SegmentScan* scan,
                     Failure* failure);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_SEGMENT_RECOVERY_H_
