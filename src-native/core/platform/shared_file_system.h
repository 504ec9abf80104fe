// What shared_file_posix.cc needs of a system, and not every POSIX system has
// alike. shared_file_linux.cc has what Linux can do, shared_file_darwin.cc what
// macOS can, and shared_file_portable.cc does with what all of them have; on
// Linux, ATOMIC_LOG_PORTABLE chooses it, so that it can be tested there.
//
// Any thread may call anything. Errors are numbers of errno; 0 is none.
#ifndef ATOMIC_LOG_CORE_PLATFORM_SHARED_FILE_SYSTEM_H_
#define ATOMIC_LOG_CORE_PLATFORM_SHARED_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/platform/handle_posix.h"
#include "core/platform/shared_file.h"

namespace atomic_log::platform::internal {

// As failure(), for the files of shared logs. 0 is kFailed.
IoStatus shared_failure(int error, const char* operation);

// A new file in `directory` that has no name, and what linkat() finds it by. -1
// with EOPNOTSUPP in errno: there is no such thing here.
int open_unnamed(const std::string& directory, std::string* link_from);

// An empty file that no path leads to: memory. -1: as errno says.
int open_memory();

// Gives an empty file its size, all zeros, with the space secured.
int allocate(int descriptor, uint64_t bytes);

// Whether there may be a hole in the first `bytes` of a file that has blocks
// for them: they may be beyond its end, or a file system that compresses counts
// its own.
bool may_hide_hole(int descriptor, uint64_t bytes);

// Secures the space of a file that others store into meanwhile, where that can
// be done without writing.
int fill_holes(int descriptor, uint64_t bytes);

// No child process has the mapping. As far as the system does it.
void keep_from_children(void* address, size_t bytes);

// "atomic-log-" and digits, 27 bytes.
std::string random_name();

// Of 32 hexadecimal digits, with anything in between.
BootId boot_id_of(const char* text);

}  // namespace atomic_log::platform::internal

#endif  // ATOMIC_LOG_CORE_PLATFORM_SHARED_FILE_SYSTEM_H_
