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
constexpr int kQuery = 0;
constexpr int kGlobal = 1 << 0;
constexpr int kPrivateExpedited = 1 << 3;
constexpr int kRegisterPrivateExpedited = 1 << 4;
constexpr int kNeeded = kPrivateExpedited | kRegisterPrivateExpedited;

long membarrier(int command) { return syscall(SYS_membarrier, command, 0); }

// A process with threads waits in the kernel for milliseconds until it is
// registered (an RCU grace period). So the first thread that needs the barrier
// registers, and a program in which no one waits never does. The writers'
// compiler fence is enough before that: the barrier reaches every thread that
// runs once the registration has returned.
bool run_in_every_thread() {
  static const bool is_registered = membarrier(kRegisterPrivateExpedited) == 0;
  // Without memory for the registration: slow, but it needs none.
  return membarrier(is_registered ? kPrivateExpedited : kGlobal) == 0;
}

}  // namespace

bool has_process_barrier() {
  // Old kernels and some sandboxes know nothing of it.
  static const long commands = membarrier(kQuery);
  return commands > 0 && (commands & kNeeded) == kNeeded;
}

void heavy_barrier() {
  if (!has_process_barrier()) {
    internal::full_fence();
  } else if (!run_in_every_thread()) {
    // Cannot happen once the system has said that it knows the command. A fence
    // on this side alone would lose wake-ups without a trace.
    __builtin_trap();
  }
}

#else

bool has_process_barrier() { return false; }

void heavy_barrier() { internal::full_fence(); }

#endif

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
