// Reading a whole window at once: what a snapshot is made of. Any thread.
//
//  1. Pinned segments follow one another: sequences by one, indexes without a
//     gap.
//  2. Of the segments but the head, none is empty.
#ifndef ATOMIC_LOG_CORE_MEMORY_WINDOW_H_
#define ATOMIC_LOG_CORE_MEMORY_WINDOW_H_

#include <cstdint>

#include "core/base/list.h"
#include "core/base/status.h"
#include "core/memory/rolling_log.h"

namespace atomic_log::memory {

struct PinnedSegment {
  SegmentControl* segment;
  uint32_t count;  // entries that may be read, clamped to the capacity
};

// Pins every segment of the window whose sequence is at least `floor`, head
// included, and appends them to `pinned` in ascending order without a gap.
// Return each with RollingLog::unpin.
//
// The head is pinned first and the walk goes down from it until a segment is
// gone; the head's count is read last, so that no entry that was readable when
// the call began is missed. A writer that laps the walk can shorten it; then it
// is tried again, a bounded number of times: after that the result may hold
// fewer entries than the retained capacity.
//
// kOutOfMemory with nothing pinned, when the system refuses room in `pinned`.
Status pin_window(RollingLog& log, uint64_t floor, List<PinnedSegment>* pinned);

// The index after the newest readable entry.
uint64_t end_index(RollingLog& log);

// The indexes of the window now: [first_index, end_index).
struct WindowBounds {
  uint64_t first_index;
  uint64_t end_index;
};
WindowBounds window_bounds(RollingLog& log);

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_WINDOW_H_
