// The rolling log: one writer appends entries to the head segment, readers on
// any thread pin segments and read them in place.
//
//  1. Segments are numbered from 0 (their sequence). The ring holds the last
//     retained_segments() of them; slot = sequence % retained_segments().
//  2. Every entry has an absolute index from 0 that never repeats.
//  3. roll() follows a fixed order, and each step is there because leaving it
//     out was seen to fail (docs/concurrency.md):
//       publish what is staged -> successor prepared -> ring -> head sequence
//       -> seal the old word; the first publish in the new head comes after.
//  4. A pinned segment is never recycled. An unpinned one may be recycled at
//     any roll; try_pin() then says "gone".
//  5. Nothing here allocates, locks or waits, but roll() when no segment is
//     idle.
//  6. The writer's cursor: the head is sealed with at least what was published
//     of it; the next segment has the next sequence, and begins with the index
//     after the last one.
#ifndef ATOMIC_LOG_CORE_MEMORY_ROLLING_LOG_H_
#define ATOMIC_LOG_CORE_MEMORY_ROLLING_LOG_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/recycled.h"
#include "core/base/status.h"
#include "core/memory/block_layout.h"
#include "core/memory/claim.h"
#include "core/memory/reader_list.h"
#include "core/memory/segment.h"
#include "core/memory/segment_pool.h"
#include "core/memory/wait_list.h"

namespace atomic_log::memory {

// What a column is called and holds. The core only hands it on: to native
// producers and consumers, who have no JavaScript to ask.
struct ColumnLabel {
  uint32_t type;  // a ColumnKind
  std::string name;
};

struct RollingLogOptions {
  uint64_t retained_capacity = 0;         // entries
  uint32_t segment_capacity = 0;          // entries, at most 2^31 - 1
  std::vector<uint32_t> element_bytes;    // per field of fixed size: 1, 2, 4, 8
  std::vector<uint64_t> data_bytes = {};  // per field of variable size
  std::string descriptor = {};  // what the columns mean; opaque to the core
  std::vector<ColumnLabel> labels = {};  // one per field, or none
  // Bytes that readers may keep from being recycled beyond the window.
  uint64_t pinned_bytes_max = UINT64_MAX;
  uint64_t first_index = 0;  // of the first entry that will be appended
  // The first writer is the only one: the log ends when its claim is released,
  // also by the end of its thread.
  bool ends_with_writer = false;
};

class RollingLog : public std::enable_shared_from_this<RollingLog>,
                   public Recycled<RollingLog> {
 public:
  // An index or a sequence must stay exact as a JavaScript number.
  static constexpr uint64_t kIndexMax = uint64_t{1} << 53;
  static constexpr uint64_t kRetainedSegmentsMax = uint64_t{1} << 20;

  struct Stats {
    SegmentPool::Stats pool;
    uint64_t retained;     // segments in the window now
    uint64_t rolls;        // segments sealed so far
    uint64_t early_seals;  // those that had room for more entries
  };

  // What follows from the options.
  struct Shape {
    BlockLayout layout;
    uint32_t retained_segments = 0;
  };
  static Status check(const RollingLogOptions& options, Shape* shape);

  // Makes a log with one empty head segment. kOutOfRange for options outside
  // the limits above, kOutOfMemory when the system refuses.
  static Status create(const RollingLogOptions& options,
                       std::shared_ptr<RollingLog>* log);
  // The same with storage of its own; kUncommitted when that has no room for
  // the first block. Null storage: out of memory.
  static Status create(const RollingLogOptions& options,
                       std::unique_ptr<Storage> storage,
                       std::shared_ptr<RollingLog>* log);
  ~RollingLog() = default;

  RollingLog(const RollingLog&) = delete;
  RollingLog& operator=(const RollingLog&) = delete;

  // --- Immutable after construction: any thread.
  uint64_t retained_capacity() const { return retained_capacity_; }
  uint32_t segment_capacity() const { return segment_capacity_; }
  uint32_t retained_segments() const { return retained_segments_; }
  const BlockLayout& layout() const { return layout_; }
  // Its own rules say who may do what with it.
  Storage& storage() { return pool_.storage(); }
  const std::string& descriptor() const { return descriptor_; }
  const std::vector<ColumnLabel>& labels() const { return labels_; }

  Stats stats() const;

  // --- The claim and the end, any thread.
  bool is_claimed() const { return claim_.is_held(); }
  // False when another holds the claim, or the log has ended.
  bool try_claim();
  // The holder.
  void release_claim();
  // The holder, after its last publish: no more entries will come. Release:
  // pairs with has_ended(), so that a thread that sees the end finds every entry.
  void end();
  bool has_ended() const { return has_ended_.load(std::memory_order_acquire); }

  // No one is attached any more, and no one will be: returns the memory of
  // all that no pin keeps. Pins that were left to ArrayBuffers may outlive
  // this; unpin_late() returns them. `may_touch`: whether this thread may
  // touch the blocks now, which is always so unless the storage is shared.
  void retire(bool may_touch);

  // --- Waiting, any thread. Woken by publications, by the end, and (claims())
  // by a claim that became free.
  WaitList& entries() { return entries_; }
  WaitList& claims() { return claims_; }
  // Who provides what readers cannot get by themselves waits here, and is woken
  // by the reader that asks for it: requests().wake_all().
  WaitList& requests() { return requests_; }

  // --- Who reads, any thread; for statistics.
  ReaderList& readers() { return readers_; }

  // --- The claimed writer.
  // The head segment, and how many of its entries are published.
  SegmentControl& head_segment() { return *cursor_.head; }
  uint32_t published_count() const { return cursor_.published; }

  // Makes the head's entries below `count` readable. A count below what is
  // published already changes nothing; one beyond the capacity is clamped.
  void publish(uint32_t count) {
    if (count > segment_capacity_) count = segment_capacity_;
    CORE_CHECK(cursor_.word == &cursor_.head->word());
    CORE_CHECK(cursor_.published <= segment_capacity_);
    if (count <= cursor_.published) return;
    cursor_.published = count;
    cursor_.word->publish(count);
    entries_.published(cursor_.first_index + count);
  }

  // Publishes the head's entries below `count`, seals it and begins the next
  // segment. `count` must not be 0: an empty segment is never sealed. Nothing
  // changes when it fails: kOutOfMemory, kPinned when readers hold more than
  // pinned_bytes_max, kUncommitted when the storage must be committed further
  // first, or kOutOfRange when the indexes of the next segment would pass
  // kIndexMax.
  Status roll(uint32_t count);

  // --- Readers, any thread.
  // The sequence of the head. Acquire: pairs with the store in roll(), so that
  // the ring holds the head and what stands before it.
  uint64_t head_sequence() const {
    return head_sequence_.load(std::memory_order_acquire);
  }

  // Pins segment `sequence`, or null when it is gone from the window (or not
  // there yet).
  SegmentControl* try_pin(uint64_t sequence);

  // Returns one pin, from any thread.
  void unpin(SegmentControl* segment) {
    if (segment->release()) pool_.give_back_shared(segment);
  }
  // The same for a pin that may outlive every attachment.
  void unpin_late(SegmentControl* segment) {
    unpin(segment);
    pool_.drain();
  }

 private:
  using Slot = std::atomic<SegmentControl*>;

  // The writer's own view; it travels with the claim.
  struct Cursor {
    SegmentControl* head = nullptr;
    // The head's word. Readers write to the line of the control block that it is
    // found through.
    PublishedWord* word = nullptr;
    uint32_t published = 0;
    uint64_t sequence = 0;
    uint64_t first_index = 0;
  };

  RollingLog(const RollingLogOptions& options, BlockLayout layout,
             uint32_t retained_segments, std::unique_ptr<Slot[]> ring,
             std::unique_ptr<Storage> storage);

  Slot& slot(uint64_t sequence) { return ring_[sequence % retained_segments_]; }
  void install(SegmentControl* successor, uint64_t sequence);

  // Immutable after construction.
  const uint64_t retained_capacity_;
  const uint32_t segment_capacity_;
  const uint32_t retained_segments_;
  const BlockLayout layout_;
  const std::string descriptor_;
  const std::vector<ColumnLabel> labels_;
  const bool ends_with_writer_;
  const std::unique_ptr<Slot[]> ring_;

  // Writer only.
  alignas(kCacheLineBytes) Cursor cursor_;
  Counter rolls_;
  Counter early_seals_;

  // Shared.
  alignas(kCacheLineBytes) std::atomic<uint64_t> head_sequence_{0};
  Claim claim_;
  std::atomic<bool> has_ended_{false};
  WaitList entries_;
  WaitList claims_;
  WaitList requests_;
  ReaderList readers_;
  SegmentPool pool_;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_ROLLING_LOG_H_
