// The control block of a segment: who holds it and which part of the log it is.
//
//  1. Type-stable: a control block is allocated once per log and freed with the
//     log, so that a reader may look at a stale one. Its block stays with it.
//  2. refs counts the log's own reference (while the segment is in the ring)
//     and one per pin. At zero the segment belongs to the writer, by way of
//     the free list.
//  3. sequence and first_index are plain: they are written only at refs == 0,
//     by the writer, and read only under a reference.
//  4. Never mapped into JavaScript; only the block is.
//  5. A control block only ever becomes a later segment of its log.
#ifndef ATOMIC_LOG_CORE_MEMORY_SEGMENT_H_
#define ATOMIC_LOG_CORE_MEMORY_SEGMENT_H_

#include <atomic>
#include <cstdint>

#include "core/base/check.h"
#include "core/base/recycled.h"
#include "core/memory/block_layout.h"
#include "core/memory/published_word.h"

namespace atomic_log::memory {

class alignas(kCacheLineBytes) SegmentControl
    : public Recycled<SegmentControl> {
 public:
  // Writer. `block` is the storage, its first bytes become the word.
  SegmentControl(uint32_t id, void* block)
      : id_(id), block_(block), word_(new(block) PublishedWord()) {
    CORE_CHECK(reinterpret_cast<uintptr_t>(block) % alignof(PublishedWord) ==
               0);
  }

  SegmentControl(const SegmentControl&) = delete;
  SegmentControl& operator=(const SegmentControl&) = delete;

  // Immutable: a number from 0 in its log, the storage, and the word in it.
  uint32_t id() const { return id_; }
  void* block() const { return block_; }
  PublishedWord& word() { return *word_; }

  // Under a reference: which segment of the log this is at present, and the
  // index of its first entry.
  uint64_t sequence() const { return sequence_; }
  uint64_t first_index() const { return first_index_; }

  // Writer, at refs == 0: makes this control block the segment `sequence`.
  // The fields come first, then refs = 1 with release, which pairs with the
  // acquire in try_retain(); so a holder of a reference reads these fields.
  void expose(uint64_t sequence, uint64_t first_index) {
    CORE_CHECK(is_free());
    CORE_CHECK(sequence >= sequence_ && first_index >= first_index_);
    word_->reset();
    sequence_ = sequence;
    first_index_ = first_index;
    refs_.store(1, std::memory_order_release);
  }

  // Any thread. Takes a reference if there is one already; a blind increment
  // could revive a segment that the writer is rewriting. The first load and
  // the failed exchange acquire, so that a reader that met a zero also sees
  // what made it zero (a newer head). Success acquires: pairs with expose().
  bool try_retain() {
    uint32_t refs = refs_.load(std::memory_order_acquire);
    while (refs != 0) {
      if (refs_.compare_exchange_weak(refs, refs + 1, std::memory_order_acquire,
                                      std::memory_order_acquire)) {
        return true;
      }
    }
    return false;
  }

  // A holder. One more reference to what is held already; relaxed, because the
  // holder's own reference keeps everything in place.
  void retain() {
    [[maybe_unused]] const uint32_t refs =
        refs_.fetch_add(1, std::memory_order_relaxed);
    CORE_CHECK(refs > 0 && refs < UINT32_MAX);
  }

  // A holder. True for the last one, who then owns the segment. Release: this
  // holder's reads are done before the segment is written again. Acquire: the
  // last one takes over what every other holder did.
  bool release() {
    const uint32_t refs = refs_.fetch_sub(1, std::memory_order_acq_rel);
    CORE_CHECK(refs > 0);
    return refs == 1;
  }

  // Writer or test: no one holds it. Relaxed, because how the segment came
  // here (FreeList, or release() == true) ordered it already.
  bool is_free() const { return refs_.load(std::memory_order_relaxed) == 0; }
  // Test: no one but the caller's or the log's own reference. Only one thread
  // runs, hence relaxed.
  bool is_held_once() const {
    return refs_.load(std::memory_order_relaxed) == 1;
  }

 private:
  friend class FreeList;
  friend class OwnedList;

  // Shared, written by readers.
  std::atomic<uint32_t> refs_{0};
  // Immutable after construction.
  const uint32_t id_;
  void* const block_;
  PublishedWord* const word_;
  // Written at refs == 0.
  uint64_t sequence_ = 0;
  uint64_t first_index_ = 0;
  SegmentControl* next_ = nullptr;
};

static_assert(sizeof(SegmentControl) == kCacheLineBytes,
              "two control blocks must not share a line");

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_SEGMENT_H_
