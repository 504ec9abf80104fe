#include "core/memory/rolling_log.h"

#include <cassert>
#include <new>
#include <utility>

#include "core/base/faults.h"

namespace atomic_log::memory {

RollingLog::RollingLog(const RollingLogOptions& options, BlockLayout layout,
                       uint32_t retained_segments, std::unique_ptr<Slot[]> ring)
    : retained_capacity_(options.retained_capacity),
      segment_capacity_(options.segment_capacity),
      retained_segments_(retained_segments),
      layout_(std::move(layout)),
      descriptor_(options.descriptor),
      ring_(std::move(ring)),
      pool_(layout_.block_bytes(), retained_segments) {}

Status RollingLog::create(const RollingLogOptions& options,
                          std::shared_ptr<RollingLog>* log) {
  if (options.retained_capacity == 0 || options.segment_capacity == 0 ||
      options.segment_capacity > PublishedWord::kCountMax ||
      options.retained_capacity > kIndexMax) {
    return Status::kOutOfRange;
  }
  // Whole segments are retained, and the head besides: a head that has just
  // been begun must not cost the window a full segment.
  const uint64_t full_segments =
      (options.retained_capacity + options.segment_capacity - 1) /
      options.segment_capacity;
  if (full_segments + 1 > kRetainedSegmentsMax) return Status::kOutOfRange;

  BlockLayout layout;
  const Status layout_status = BlockLayout::create(
      options.element_bytes, options.segment_capacity, &layout);
  if (layout_status != Status::kOk) return layout_status;

  const auto retained = static_cast<uint32_t>(full_segments + 1);
  if (memory_is_refused()) return Status::kOutOfMemory;
  std::unique_ptr<Slot[]> ring(new (std::nothrow) Slot[retained]());
  if (ring == nullptr) return Status::kOutOfMemory;

  if (memory_is_refused()) return Status::kOutOfMemory;
  std::shared_ptr<RollingLog> result(new (std::nothrow) RollingLog(
      options, std::move(layout), retained, std::move(ring)));
  if (result == nullptr) return Status::kOutOfMemory;
  SegmentControl* const first = result->pool_.take();
  if (first == nullptr) return Status::kOutOfMemory;
  first->expose(0, 0);
  result->install(first, 0);
  *log = std::move(result);
  return Status::kOk;
}

// Ring before head: whoever finds the new head sequence finds the segment, and
// a false "gone" cannot be reported for it. Release on the slot pairs with
// try_pin(), on the head sequence with head_sequence().
void RollingLog::install(SegmentControl* successor, uint64_t sequence) {
  slot(sequence).store(successor, std::memory_order_release);
  head_sequence_.store(sequence, std::memory_order_release);
  cursor_ = {successor, 0, sequence, successor->first_index()};
}

Status RollingLog::roll(uint32_t count) {
  assert(count > 0 && count <= segment_capacity_);
  SegmentControl* const sealed = cursor_.head;
  const uint64_t sequence = cursor_.sequence + 1;
  const uint64_t first_index = sealed->first_index() + count;
  if (first_index + segment_capacity_ > kIndexMax) return Status::kOutOfRange;

  SegmentControl* const successor = pool_.take();
  if (successor == nullptr) return Status::kOutOfMemory;

  // Staged entries must be readable before the successor can be reached, or a
  // snapshot could hold the successor and miss them: a hole.
  publish(count);

  // Relaxed: only the writer stores to the ring.
  SegmentControl* const evicted =
      slot(sequence).load(std::memory_order_relaxed);
  successor->expose(sequence, first_index);
  install(successor, sequence);
  sealed->word().seal(count);
  if (evicted != nullptr && evicted->release()) pool_.give_back_owned(evicted);
  rolls_.add(1);
  return Status::kOk;
}

bool RollingLog::try_claim() {
  if (has_ended() || !claim_.try_acquire()) return false;
  // The last holder may have ended the log between the two looks.
  if (!has_ended()) return true;
  claim_.release();
  return false;
}

// Whoever waits for the claim registers under the list's lock and looks again:
// either this takes the lock later and finds it, or it sees the claim free.
void RollingLog::release_claim() {
  claim_.release();
  claims_.wake_all();
}

void RollingLog::end() {
  has_ended_.store(true, std::memory_order_release);
  entries_.wake_all();
  claims_.wake_all();
}

SegmentControl* RollingLog::try_pin(uint64_t sequence) {
  // Acquire: pairs with install(). It also makes a lazily allocated control
  // block's construction visible.
  SegmentControl* const segment =
      slot(sequence).load(std::memory_order_acquire);
  if (segment == nullptr || !segment->try_retain()) return nullptr;
  // Between the load and the reference the segment may have become another
  // one; only under the reference is its sequence stable.
  if (segment->sequence() != sequence) {
    unpin(segment);
    return nullptr;
  }
  return segment;
}

RollingLog::Stats RollingLog::stats() const {
  const uint64_t rolls = rolls_.get();
  const uint64_t begun = rolls + 1;
  return {pool_.stats(),
          begun < retained_segments_ ? begun : retained_segments_, rolls};
}

}  // namespace atomic_log::memory
