// The right to append. At most one holder at a time; the holder may pass
// between threads, and everything "writer only" in a log travels with it.
#ifndef ATOMIC_LOG_CORE_MEMORY_CLAIM_H_
#define ATOMIC_LOG_CORE_MEMORY_CLAIM_H_

#include <atomic>

#include "core/base/check.h"
#include "core/memory/block_layout.h"

namespace atomic_log::memory {

class Claim {
 public:
  // Any thread. Acquire: pairs with release(), so that the new holder sees the
  // writer state as the last holder left it.
  bool try_acquire() {
    bool expected = false;
    return held_.compare_exchange_strong(
        expected, true, std::memory_order_acquire, std::memory_order_relaxed);
  }

  // The holder. Release: pairs with try_acquire().
  void release() {
    CORE_CHECK(is_held());
    held_.store(false, std::memory_order_release);
  }

  // Any thread; a hint that may be stale when it arrives. Relaxed: nothing is
  // read on the strength of it.
  bool is_held() const { return held_.load(std::memory_order_relaxed); }

 private:
  alignas(kCacheLineBytes) std::atomic<bool> held_{false};
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_CLAIM_H_
