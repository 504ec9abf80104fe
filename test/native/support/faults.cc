#include "support/faults.h"

#include <atomic>

#include "core/base/faults.h"

namespace atomic_log {
namespace {

// Relaxed: each stands alone.
std::atomic<int64_t> granted{-1};
std::atomic<bool> refuses_threads{false};
std::atomic<void (*)(const char*)> step_call{nullptr};

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

bool thread_is_refused() {
  return refuses_threads.load(std::memory_order_relaxed);
}

void writer_step(const char* name) {
  void (*const call)(const char*) = step_call.load(std::memory_order_relaxed);
  if (call != nullptr) call(name);
}

void test::at_writer_step(void (*call)(const char* name)) {
  step_call.store(call, std::memory_order_relaxed);
}

void test::refuse_threads(bool refuses) {
  refuses_threads.store(refuses, std::memory_order_relaxed);
}

int64_t test::refuse_memory_after(int64_t count) {
  return granted.exchange(count, std::memory_order_relaxed);
}

}  // namespace atomic_log
