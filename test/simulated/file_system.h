// A simulated file system in place of the system's, for the whole addon.
#ifndef ATOMIC_LOG_TEST_SIMULATED_FILE_SYSTEM_H_
#define ATOMIC_LOG_TEST_SIMULATED_FILE_SYSTEM_H_

#include <cstdint>

#include "support/simulated_file_system.h"

namespace atomic_log::test {

// Any thread. A new disk, with nothing on it.
void begin_disk();
// As SimulatedFileSystem::fail_at().
void fail_disk_at(uint64_t number, SimulatedFileSystem::Fault fault);
// Operations since the last fail_disk_at().
uint64_t disk_operations();
bool disk_has_power();
void set_disk_full(bool is_full);
// Goes on with the disk as it is after the process was killed, or, `loses`, as
// a loss of power leaves it. Nothing of the time before works any more.
void restart_disk(uint64_t seed, bool loses);

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_SIMULATED_FILE_SYSTEM_H_
