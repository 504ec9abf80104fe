// Blocking a thread until entries come. Any thread but the writer's own, which
// would wait for itself.
#ifndef ATOMIC_LOG_CORE_MEMORY_BLOCKING_WAIT_H_
#define ATOMIC_LOG_CORE_MEMORY_BLOCKING_WAIT_H_

#include <chrono>
#include <cstdint>

#include "core/memory/rolling_log.h"

namespace atomic_log::memory {

enum class Arrival : uint8_t {
  kPending = 0,  // not there yet
  kReady = 1,    // entry can be read (or could, if it has left the window)
  kEnded = 2,    // the log has ended, and the entry will never come
};

// Whether entry `index` is there. The end is looked at first: entries that
// precede it are then all there.
Arrival look_for(RollingLog& log, uint64_t index);

// The same, once it is not kPending any more or `time` is over.
Arrival wait_for(RollingLog& log, uint64_t index,
                 std::chrono::nanoseconds time);

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_BLOCKING_WAIT_H_
