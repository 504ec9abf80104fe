// Where the files that processes share are in this process's memory.
//
//  1. A range belongs to this process for good. While no file is mapped there
//     it is only reserved, which costs nothing; a thread that touches it finds
//     zeroed pages, which are made then.
//  2. Windows cannot put one thing in place of another at once. A thread that
//     touches a range in between waits until that is done.
//  3. Where the system has no placeholders (before Windows 10 1803, Wine 8) a
//     file stays mapped until the process ends, and is found there when it is
//     mapped again.
//
// Any thread may call anything.
#ifndef ATOMIC_LOG_CORE_PLATFORM_SHARED_MAPPING_WINDOWS_H_
#define ATOMIC_LOG_CORE_PLATFORM_SHARED_MAPPING_WINDOWS_H_

#if defined(_WIN32)

#include <memory>

#include "core/platform/handle_windows.h"
#include "core/platform/shared_file.h"

namespace atomic_log::platform {

IoStatus map_shared(HANDLE file, const FileIdentity& identity, bool is_writable,
                    size_t bytes, std::shared_ptr<SharedMapping>* mapping);

// Whether the word is in the memory of a file, and the event that has the name
// of its place in it, the same in every process. Null where there is none, or
// the system refuses it. It is valid for as long as the mapping is.
struct SharedWord {
  bool is_in_file = false;
  HANDLE event = nullptr;
};
enum class EventUse : uint8_t {
  kMake,
  // Only one that some process has made: else no one sleeps there.
  kFind,
};
SharedWord find_shared_word(const void* word, EventUse use);

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)

#endif  // ATOMIC_LOG_CORE_PLATFORM_SHARED_MAPPING_WINDOWS_H_
