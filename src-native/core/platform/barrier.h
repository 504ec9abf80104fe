// An asymmetric fence: almost free on the side that runs often, expensive on
// the side that runs rarely. Together they order a store followed by a load on
// both sides, which release and acquire cannot do.
//
//   often:   store X; light_barrier(); load Y
//   rarely:  store Y; heavy_barrier(); load X
//
// At least one of the two loads sees the other side's store. Where the system
// has a process-wide barrier (Linux membarrier, Windows
// FlushProcessWriteBuffers) light_barrier only keeps the compiler from
// reordering; elsewhere both are sequentially consistent fences. Any thread may
// call anything here.
#ifndef ATOMIC_LOG_CORE_PLATFORM_BARRIER_H_
#define ATOMIC_LOG_CORE_PLATFORM_BARRIER_H_

#include <atomic>

namespace atomic_log::platform {

// Whether heavy_barrier reaches every thread of the process. Decided once, by
// the first call, which is quick; the same for the life of the process.
bool has_process_barrier();

namespace internal {

// Initialised when the library is loaded, so that the hot path is one load.
inline const bool is_process_wide = has_process_barrier();

inline void full_fence() {
#if defined(__SANITIZE_THREAD__)
  // g++'s ThreadSanitizer knows no stand-alone fences; an exchange orders at
  // least as much.
  static std::atomic<int> everything{0};
  everything.exchange(0, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace internal

inline void light_barrier() {
  if (internal::is_process_wide) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    internal::full_fence();
  }
}

// The first call of a process takes milliseconds on Linux.
void heavy_barrier();

// For both sides, where they are in different processes: no process-wide
// barrier reaches the other one.
inline void full_barrier() { internal::full_fence(); }

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_BARRIER_H_
