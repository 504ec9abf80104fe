// Where each number stands in the arrays that cross to TypeScript, and what small
// results mean.
//
// Every number that both languages must know exists once: here, or in the enum or
// constant of the core that scripts/build-codes.mjs lists. That script reads them
// from the headers and writes lib/base/codes.ts, whose names TypeScript uses; a
// test and `npm run check` fail when the two differ.
//
//  1. Each enumerator has its value written out, so that one more in the middle
//     changes no other. The script refuses one without, and one value twice.
//  2. Positions are those of one array, 0 to kEnd - 1. kEnd is how many there are.
//  3. Both sides are of one release: an addon of another version is not loaded.
//     So numbers may change here, but for those that are in files
//     (docs/format.md) or in include/atomic_log/abi.h.
#ifndef ATOMIC_LOG_BINDING_CODES_H_
#define ATOMIC_LOG_BINDING_CODES_H_

#include <cstddef>
#include <cstdint>

#include "binding/functions.h"

namespace atomic_log::binding {

// --- Logs in memory.

// The cells that publish() reads.
enum class StagedCell : uint8_t { kWriter = 0, kCount = 1, kEnd = 2 };

// Of a segment, for pinWindow() and head().
enum class SegmentField : uint8_t {
  kId = 0,
  kSequence = 1,
  kFirstIndex = 2,
  // Readable entries.
  kCount = 3,
  kEnd = 4
};

// Of a window.
enum class BoundsField : uint8_t { kFirstIndex = 0, kEndIndex = 1, kEnd = 2 };

// --- Segment files.

// Of what a reader's read() has found.
enum class FoundField : uint8_t {
  // Of all records.
  kBytes = 0,
  // 1 when they lie in the mapping.
  kIsMapped = 1,
  kEnd = 2
};

// --- Write-ahead logs.

// Of each submission that is done.
enum class CompletionField : uint8_t {
  // LSN of its first entry, or for a sync the last durable one.
  kFirst = 0,
  // Entries that are done.
  kCount = 1,
  // An Outcome, and why the other entries failed.
  kOutcome = 2,
  kFailure = 3,
  kEnd = 4
};

enum class WalCounter : uint8_t {
  kFirstLsn = 0,
  kLastLsn = 1,
  kAckedLsn = 2,
  kDurableLsn = 3,
  kSyncs = 4,
  kRotations = 5,
  kWrittenBytes = 6,
  kCommits = 7,
  kQueuedBytes = 8,
  kFiles = 9,
  kBytes = 10,
  kEnd = 11
};

// Of the room that is secured for what is written.
enum class SecuredField : uint8_t {
  // Of records.
  kBytes = 0,
  // Of the next one.
  kNextLsn = 1,
  kEnd = 2
};

// Of what a reader's refresh() has found.
enum class WalShownField : uint8_t {
  kFirstLsn = 0,
  kLastLsn = 1,
  // Its number.
  kNewestFile = 2,
  // The last LSN that is proved to be on disk.
  kProvedLsn = 3,
  // How often entries were taken back that were not, and the first LSN of the
  // last time.
  kTakebacks = 4,
  kTakenBackFrom = 5,
  kEnd = 6
};

// Of each entry that was read.
enum class EntryField : uint8_t {
  kLsn = 0,
  // Where it is in the data.
  kBegin = 1,
  kBytes = 2,
  // First LSN and entries of its batch; 0 and 0 for none.
  kBatchFirst = 3,
  kBatchCount = 4,
  kEnd = 5
};

// Of each place where the past of entries changes.
enum class PastField : uint8_t { kLsn = 0, kEpoch = 1, kBranch = 2, kEnd = 3 };

// Of each file of a log.
enum class FileField : uint8_t {
  kNumber = 0,
  // LSN of its first entry; of a damaged log, 0 where the header is damaged.
  kBaseLsn = 1,
  kBytes = 2,
  // Where its records end.
  kEndOffset = 3,
  kEnd = 4
};

// Of the files after one.
enum class FilesAfterField : uint8_t {
  // The lowest of them; 2^64: there are none.
  kBaseLsn = 0,
  // Numbers, of the log's newest and oldest file.
  kNewest = 1,
  kOldest = 2,
  kEnd = 3
};

// What a step of a backup returns, unless it is an outcome below zero.
enum class BackupStep : uint8_t { kDone = 0, kMore = 1 };

// --- How they are stored.

template <typename Field>
inline constexpr size_t kFieldCount = static_cast<size_t>(Field::kEnd);

// Elements of an array by name. One that has no place there is dropped.
template <typename Field>
class Fields {
 public:
  Fields(double* data, size_t count) : data_(data), count_(count) {}
  explicit Fields(Elements<double> elements)
      : Fields(elements.data, elements.count) {}

  bool fits() const { return count_ >= kFieldCount<Field>; }

  Fields& set(Field field, uint64_t value) {
    const auto at = static_cast<size_t>(field);
    if (at < count_) data_[at] = static_cast<double>(value);
    return *this;
  }

 private:
  double* const data_;
  const size_t count_;
};

// The fields of row `row` of an array that has as many rows as it must.
template <typename Field>
Fields<Field> row_of(double* data, size_t row) {
  return {data + row * kFieldCount<Field>, kFieldCount<Field>};
}

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_CODES_H_
