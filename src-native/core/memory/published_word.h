// The published word of a segment: how many of its entries may be read, and
// whether more are to be found elsewhere. It is the only thing by which a
// writer tells readers anything about entries.
//
//   bit 31      the segment is sealed: its count is final, it has a successor
//   bits 0-30   entries that may be read
//
//  1. One writer stores; any number of threads load. JavaScript loads it too,
//     with Atomics.load through an Int32Array over the block.
//  2. An entry below the count is complete before the count can be seen, and
//     is not written again until the segment is recycled.
//  3. The count of a segment only rises until it is recycled. The writer keeps
//     its own count elsewhere and never trusts this word, because a stray
//     store in JavaScript can damage it; readers clamp what they load.
#ifndef ATOMIC_LOG_CORE_MEMORY_PUBLISHED_WORD_H_
#define ATOMIC_LOG_CORE_MEMORY_PUBLISHED_WORD_H_

#include <atomic>
#include <cstdint>

#include "core/base/check.h"

namespace atomic_log::memory {

class PublishedWord {
 public:
  static constexpr uint32_t kSealBit = uint32_t{1} << 31;
  static constexpr uint32_t kCountMax = kSealBit - 1;

  static constexpr uint32_t count_of(uint32_t word) { return word & kCountMax; }
  static constexpr bool is_sealed(uint32_t word) {
    return (word & kSealBit) != 0;
  }

  // Writer, on a segment that no one can reach. Relaxed: it becomes visible by
  // SegmentControl::expose (refs.store(1, release)).
  void reset() { word_.store(0, std::memory_order_relaxed); }

  // Writer. Release: pairs with acquire(), so that a thread that sees `count` sees
  // the entries below it.
  void publish(uint32_t count) {
    CORE_CHECK(count <= kCountMax);
    word_.store(count, std::memory_order_release);
  }

  // Writer, after the successor can be reached through ring and head. Release:
  // pairs with acquire(), so that a thread that sees the seal finds the successor;
  // and it keeps the entries visible that the last publish() made so, because
  // a relaxed store would end that publish's release sequence.
  void seal(uint32_t count) {
    CORE_CHECK(count > 0 && count <= kCountMax);
    word_.store(count | kSealBit, std::memory_order_release);
  }

  // Any thread. Acquire: pairs with publish() and seal().
  uint32_t acquire() const { return word_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint32_t> word_{0};
};

static_assert(sizeof(PublishedWord) == 4, "JavaScript reads it as one int32");
static_assert(std::atomic<uint32_t>::is_always_lock_free,
              "a lock could not be shared with Atomics.load");

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_PUBLISHED_WORD_H_
