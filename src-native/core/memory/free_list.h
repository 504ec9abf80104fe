// Where a segment goes when its last reference is dropped.
//
//  1. Any thread pushes onto FreeList; only the claimed writer takes, and it
//     takes everything with one exchange. No one pops a single element, so
//     there is no ABA.
//  2. OwnedList is the writer's, kept in the log so that it survives a change
//     of writer; the claim orders one writer's use of it before the next's.
//  3. A segment in either has no reference, and is in one of them once.
#ifndef ATOMIC_LOG_CORE_MEMORY_FREE_LIST_H_
#define ATOMIC_LOG_CORE_MEMORY_FREE_LIST_H_

#include <atomic>

#include "core/base/check.h"
#include "core/memory/segment.h"

namespace atomic_log::memory {

class FreeList {
 public:
  // The thread whose release() returned true. Release on success: pairs with
  // take_all(), so that the writer sees this thread done with the segment.
  // Both other orders are relaxed: the old top is only linked, never read.
  void push(SegmentControl* segment) {
    CORE_CHECK(segment != nullptr && segment->is_free());
    SegmentControl* top = top_.load(std::memory_order_relaxed);
    do {
      segment->next_ = top;
    } while (!top_.compare_exchange_weak(
        top, segment, std::memory_order_release, std::memory_order_relaxed));
  }

  // Writer. Acquire: pairs with push().
  SegmentControl* take_all() {
    return top_.exchange(nullptr, std::memory_order_acquire);
  }

 private:
  alignas(kCacheLineBytes) std::atomic<SegmentControl*> top_{nullptr};
};

class OwnedList {
 public:
  void push(SegmentControl* segment) {
    CORE_CHECK(segment != nullptr && segment->is_free());
    CORE_CHECK(segment != top_);
    segment->next_ = top_;
    top_ = segment;
    ++length_;
  }

  SegmentControl* pop() {
    SegmentControl* const segment = top_;
    CORE_CHECK((segment == nullptr) == (length_ == 0));
    if (segment != nullptr) {
      CORE_CHECK(segment->is_free());
      top_ = segment->next_;
      --length_;
    }
    return segment;
  }

  // The next link of a chain that FreeList::take_all returned. Read it before
  // the segment is pushed anywhere.
  static SegmentControl* next_of(const SegmentControl* segment) {
    return segment->next_;
  }

  uint32_t length() const { return length_; }

 private:
  SegmentControl* top_ = nullptr;
  uint32_t length_ = 0;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_FREE_LIST_H_
