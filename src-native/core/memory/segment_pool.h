// All segments of one log: made here, recycled here, destroyed with the log.
//
//  1. take() and give_back_owned() are the claimed writer's; give_back_shared()
//     is any thread's.
//  2. A recycled block is preferred to a fresh one (first touches of fresh
//     pages cost more than a copy), a warm one to a decommitted one.
//  3. Idle blocks beyond `warm_max` are decommitted, or one slow reader's peak
//     would stay resident forever.
//  4. retire() returns the memory of idle blocks when no one can roll or pin
//     any more, while the log itself still waits for finalizers. From then on
//     drain() does so for those that come back.
//  5. At most `segments_max` are ever made. Once there are so many, take() has
//     one exactly while readers hold few enough of them.
//  6. A segment is idle or held. Idle ones are warm, cold (decommitted), or
//     returned by readers and not sorted yet.
#ifndef ATOMIC_LOG_CORE_MEMORY_SEGMENT_POOL_H_
#define ATOMIC_LOG_CORE_MEMORY_SEGMENT_POOL_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/base/list.h"
#include "core/memory/free_list.h"
#include "core/memory/segment.h"
#include "core/memory/storage.h"

namespace atomic_log::memory {

// A monotonic count or a level with one writing thread at a time, read by
// stats on any thread. Relaxed throughout: each figure stands alone, nothing
// is concluded from two of them.
class Counter {
 public:
  void add(int64_t n) {
    value_.store(
        value_.load(std::memory_order_relaxed) + static_cast<uint64_t>(n),
        std::memory_order_relaxed);
  }
  void add_shared(int64_t n) {
    value_.fetch_add(static_cast<uint64_t>(n), std::memory_order_relaxed);
  }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class SegmentPool {
 public:
  struct Stats {
    uint64_t segments;     // made so far; they live as long as the log
    uint64_t idle;         // held by no one
    uint64_t decommitted;  // idle and without memory
    uint64_t fresh;        // takes that made a segment
    uint64_t recycled;     // takes that reused one
  };

  SegmentPool(std::unique_ptr<Storage> storage, uint64_t warm_max,
              uint64_t segments_max = UINT64_MAX)
      : storage_(std::move(storage)),
        warm_max_(warm_max),
        segments_max_(segments_max) {}
  // No one may hold a segment any more.
  ~SegmentPool();

  SegmentPool(const SegmentPool&) = delete;
  SegmentPool& operator=(const SegmentPool&) = delete;

  // Writer. A free segment, or null when there is no memory for one or all of
  // segments_max are in use; refusal() says why.
  SegmentControl* take();
  Status refusal() const { return refusal_; }

  // Writer, for a segment whose last reference it dropped, or a take() undone.
  void give_back_owned(SegmentControl* segment);

  // Any thread, for a segment whose last reference it dropped.
  void give_back_shared(SegmentControl* segment) {
    idle_.add_shared(1);
    returned_.push(segment);
  }

  // No writer and no new pin, from now on: the one thread that found out.
  // `may_touch`: whether blocks may be touched by this thread now.
  void retire(bool may_touch);

  // Any thread, after give_back_shared().
  void drain() {
    // Pairs with retire(), whichever comes first: it has seen the return, or
    // this sees it retired.
    if (is_retired_.fetch_add(0, std::memory_order_acq_rel) != 0) {
      decommit_returned(storage_->is_always_there());
    }
  }

  Stats stats() const;
  Storage& storage() { return *storage_; }

 private:
  SegmentControl* make();
  void sort_returned();
  // Returns how many there were.
  uint64_t decommit_returned(bool may_touch);

  // Immutable after construction.
  const std::unique_ptr<Storage> storage_;
  const uint64_t warm_max_;
  const uint64_t segments_max_;

  // Writer only.
  OwnedList warm_;
  OwnedList cold_;
  List<std::unique_ptr<SegmentControl>> segments_;
  Status refusal_ = Status::kOk;
  Counter segment_count_;
  Counter decommitted_;
  Counter fresh_;
  Counter recycled_;

  // Shared.
  alignas(kCacheLineBytes) Counter idle_;
  FreeList returned_;
  std::atomic<uint32_t> is_retired_{0};
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_SEGMENT_POOL_H_
