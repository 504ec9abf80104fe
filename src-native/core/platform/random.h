// Random bytes of the system. Any thread.
//
// Not std::random_device, which throws where it cannot open a file of the system:
// a process with no descriptor left would end for the sake of a name.
#ifndef ATOMIC_LOG_CORE_PLATFORM_RANDOM_H_
#define ATOMIC_LOG_CORE_PLATFORM_RANDOM_H_

#include <cstdint>

namespace atomic_log::platform {

// Where a system has none to give (a Linux from before 3.17, or one that forbids
// the call, and no descriptor to read them from): of the clock and of where
// things lie in memory, different for each call, though one could guess them.
uint32_t random_word();

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_RANDOM_H_
