// Sleeping until another process changes a word of memory that both have
// mapped. Linux and Windows; elsewhere a wait only sleeps, and nothing is ever
// shared between processes there.
#ifndef ATOMIC_LOG_CORE_PLATFORM_FUTEX_H_
#define ATOMIC_LOG_CORE_PLATFORM_FUTEX_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace atomic_log::platform {

// Sleeps while *word is `expected`, until it is woken or `time` is over. It may
// return for no reason.
void futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                std::chrono::nanoseconds time);

// Wakes every sleeper of the word, in whatever process. Of a word in a file
// (shared_file.h) one thread may sleep at a time: Windows wakes only one.
void futex_wake_all(const std::atomic<uint32_t>& word);

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_FUTEX_H_
