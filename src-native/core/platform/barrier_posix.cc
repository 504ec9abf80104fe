#if !defined(_WIN32)

#include "core/platform/barrier.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace atomic_log::platform {

#if defined(__linux__) && defined(SYS_membarrier)

namespace {

// From linux/membarrier.h (Linux 4.14), which older systems lack at build time.
constexpr int kPrivateExpedited = 1 << 3;
constexpr int kRegisterPrivateExpedited = 1 << 4;

long membarrier(int command) { return syscall(SYS_membarrier, command, 0); }

}  // namespace

bool has_process_barrier() {
  // Refused by old kernels and by some sandboxes.
  static const bool registered = membarrier(kRegisterPrivateExpedited) == 0;
  return registered;
}

void heavy_barrier() {
  // Once registered, the command cannot fail; were it to, a fence on this side
  // alone would lose wake-ups without a trace.
  if (has_process_barrier()) {
    if (membarrier(kPrivateExpedited) != 0) __builtin_trap();
  } else {
    internal::full_fence();
  }
}

#else

bool has_process_barrier() { return false; }

void heavy_barrier() { internal::full_fence(); }

#endif

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
