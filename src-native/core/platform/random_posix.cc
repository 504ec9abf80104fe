#if !defined(_WIN32)

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "core/platform/random.h"

namespace atomic_log::platform {
namespace {

#if !defined(__APPLE__)

bool from_call([[maybe_unused]] uint32_t* word) {
#if defined(SYS_getrandom)
  // So few are never cut short by a signal.
  return syscall(SYS_getrandom, word, sizeof(*word), 0) == sizeof(*word);
#else
  return false;
#endif
}

bool from_file(uint32_t* word) {
  const int descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool is_read = read(descriptor, word, sizeof(*word)) == sizeof(*word);
  close(descriptor);
  return is_read;
}

// The finalizer of splitmix64, over what differs.
uint32_t from_clock() {
  static std::atomic<uint64_t> calls{0};
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  // Relaxed: a number that no other call gets.
  uint64_t bits = calls.fetch_add(1, std::memory_order_relaxed);
  bits = bits * 0x9E3779B97F4A7C15 + static_cast<uint64_t>(now) +
         reinterpret_cast<uintptr_t>(&bits) +
         (static_cast<uint64_t>(getpid()) << 32);
  bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ bits >> 27) * 0x94D049BB133111EB;
  return static_cast<uint32_t>(bits ^ bits >> 31);
}

#endif  // !defined(__APPLE__)

}  // namespace

uint32_t random_word() {
#if defined(__APPLE__)
  return arc4random();
#else
  uint32_t word = 0;
  return from_call(&word) || from_file(&word) ? word : from_clock();
#endif
}

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
