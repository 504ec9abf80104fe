#include "support/faults.h"

#include <atomic>

#include "core/base/faults.h"

namespace atomic_log {
namespace {

// Relaxed: the count stands alone.
std::atomic<int64_t> granted{-1};

}  // namespace

bool memory_is_refused() {
  int64_t left = granted.load(std::memory_order_relaxed);
  while (left >= 0) {
    if (granted.compare_exchange_weak(left, left - 1,
                                      std::memory_order_relaxed)) {
      return left == 0;
    }
  }
  return false;
}

int64_t test::refuse_memory_after(int64_t count) {
  return granted.exchange(count, std::memory_order_relaxed);
}

}  // namespace atomic_log
