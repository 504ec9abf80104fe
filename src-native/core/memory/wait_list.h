// Those who wait for entries, and how the writer finds out that it must wake
// them without paying for it when no one waits.
//
//  1. A waiter waits for an index to be readable: for the log's end index to
//     pass it. wake_index_ is the lowest index that anyone waits for.
//  2. The writer publishes, passes light_barrier, and loads wake_index_. A
//     waiter registers, passes heavy_barrier, and looks at the log again. So
//     either the writer sees the waiter, or the waiter sees the entries: no
//     wake-up is lost.
//  3. A waiter is woken once and is then no longer registered, so that a writer
//     who is faster than its followers wakes each of them once per round.
//  4. A waiter is in the list once at most.
//  5. wake() runs on the writer's thread under the list's lock. It must be
//     short and must not touch the list.
#ifndef ATOMIC_LOG_CORE_MEMORY_WAIT_LIST_H_
#define ATOMIC_LOG_CORE_MEMORY_WAIT_LIST_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "core/memory/block_layout.h"
#include "core/platform/barrier.h"

namespace atomic_log::memory {

class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void wake() = 0;
};

class WaitList {
 public:
  // Any thread. Registers `waiter` for the time when `index` can be read. The
  // caller must look at the log again afterwards, and call remove() when there
  // is nothing left to wait for. The waiter must outlive its registration.
  void add(Waiter* waiter, uint64_t index);

  // Any thread. False when the waiter is not registered (any more). After
  // remove() returned, wake() is neither running nor to come.
  bool remove(Waiter* waiter);

  // Writer, after entries below `end_index` became readable. Relaxed load: the
  // barriers order it, and wake_below() takes the lock.
  void published(uint64_t end_index) {
    platform::light_barrier();
    if (end_index > wake_index_.load(std::memory_order_relaxed)) {
      wake_below(end_index);
    }
  }

  // What published() loads, for a writer that inlines it and calls it only when
  // someone waits (include/atomic_log/writer.h).
  const std::atomic<uint64_t>& wake_index() const { return wake_index_; }

  // Any thread. Wakes all, whatever they wait for.
  void wake_all() { wake_below(kNoOne); }

 private:
  static constexpr uint64_t kNoOne = UINT64_MAX;

  struct Entry {
    Waiter* waiter;
    uint64_t index;
  };

  void wake_below(uint64_t end_index);
  void update_wake_index();

  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Entry> entries_;
  // Written under mutex_, read by the writer without it.
  alignas(kCacheLineBytes) std::atomic<uint64_t> wake_index_{kNoOne};
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_WAIT_LIST_H_
