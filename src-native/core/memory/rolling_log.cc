#include "core/memory/rolling_log.h"

#include <new>
#include <utility>

#include "core/base/check.h"
#include "core/base/faults.h"

namespace atomic_log::memory {
namespace {

// As many as the window holds, one for the roll (a successor is taken before
// its predecessor in the ring is dropped), and what readers may keep besides.
// Then a roll finds none exactly when readers keep more than that.
uint64_t segments_max(const RollingLogOptions& options, uint64_t block_bytes,
                      uint32_t retained_segments) {
  const uint64_t pinned_max = options.pinned_bytes_max / block_bytes;
  const uint64_t window = uint64_t{retained_segments} + 1;
  return pinned_max > UINT64_MAX - window ? UINT64_MAX : window + pinned_max;
}

}  // namespace

RollingLog::RollingLog(const RollingLogOptions& options, BlockLayout layout,
                       uint32_t retained_segments, std::unique_ptr<Slot[]> ring,
                       std::unique_ptr<Storage> storage)
    : retained_capacity_(options.retained_capacity),
      segment_capacity_(options.segment_capacity),
      retained_segments_(retained_segments),
      layout_(std::move(layout)),
      descriptor_(options.descriptor),
      labels_(options.labels),
      ends_with_writer_(options.ends_with_writer),
      ring_(std::move(ring)),
      pool_(std::move(storage), retained_segments,
            segments_max(options, layout_.block_bytes(), retained_segments)) {}

Status RollingLog::check(const RollingLogOptions& options, Shape* shape) {
  if (options.retained_capacity == 0 || options.segment_capacity == 0 ||
      options.segment_capacity > PublishedWord::kCountMax ||
      options.retained_capacity > kIndexMax ||
      options.first_index > kIndexMax - options.segment_capacity ||
      options.descriptor.size() > BlockLayout::kDescriptorBytesMax ||
      (!options.labels.empty() &&
       options.labels.size() !=
           options.element_bytes.size() + options.data_bytes.size())) {
    return Status::kOutOfRange;
  }
  // Whole segments are retained, and the head besides: a head that has just
  // been begun must not cost the window a full segment.
  const uint64_t full_segments =
      (options.retained_capacity + options.segment_capacity - 1) /
      options.segment_capacity;
  if (full_segments + 1 > kRetainedSegmentsMax) return Status::kOutOfRange;
  shape->retained_segments = static_cast<uint32_t>(full_segments + 1);
  return BlockLayout::create(options.element_bytes, options.data_bytes,
                             options.segment_capacity, &shape->layout);
}

Status RollingLog::create(const RollingLogOptions& options,
                          std::shared_ptr<RollingLog>* log) {
  Shape shape;
  const Status status = check(options, &shape);
  if (status != Status::kOk) return status;
  return create(options,
                std::unique_ptr<Storage>(new (std::nothrow) PooledStorage(
                    shape.layout.block_bytes())),
                log);
}

Status RollingLog::create(const RollingLogOptions& options,
                          std::unique_ptr<Storage> storage,
                          std::shared_ptr<RollingLog>* log) {
  Shape shape;
  const Status status = check(options, &shape);
  if (status != Status::kOk) return status;
  const uint32_t retained = shape.retained_segments;
  if (memory_is_refused()) return Status::kOutOfMemory;
  std::unique_ptr<Slot[]> ring(new (std::nothrow) Slot[retained]());
  if (ring == nullptr || storage == nullptr) return Status::kOutOfMemory;

  if (memory_is_refused()) return Status::kOutOfMemory;
  std::shared_ptr<RollingLog> result(
      new (std::nothrow) RollingLog(options, std::move(shape.layout), retained,
                                    std::move(ring), std::move(storage)));
  if (result == nullptr) return Status::kOutOfMemory;
  SegmentControl* const first = result->pool_.take();
  if (first == nullptr) return result->pool_.refusal();
  CORE_CHECK(retained > 0 && first->id() == 0);
  first->expose(0, options.first_index);
  result->install(first, 0);
  *log = std::move(result);
  return Status::kOk;
}

// Ring before head: a thread that finds the new head sequence finds the segment, and
// a false "gone" cannot be reported for it. Release on the slot pairs with
// try_pin(), on the head sequence with head_sequence().
void RollingLog::install(SegmentControl* successor, uint64_t sequence) {
  slot(sequence).store(successor, std::memory_order_release);
  head_sequence_.store(sequence, std::memory_order_release);
  cursor_ = {successor, &successor->word(), 0, sequence,
             successor->first_index()};
}

Status RollingLog::roll(uint32_t count) {
  CORE_CHECK(count > 0 && count <= segment_capacity_);
  CORE_CHECK(count >= cursor_.published);
  SegmentControl* const sealed = cursor_.head;
  const uint64_t sequence = cursor_.sequence + 1;
  CORE_CHECK(sealed->sequence() == cursor_.sequence &&
             sealed->first_index() == cursor_.first_index);
  const uint64_t first_index = sealed->first_index() + count;
  if (first_index + segment_capacity_ > kIndexMax) return Status::kOutOfRange;

  SegmentControl* const successor = pool_.take();
  if (successor == nullptr) return pool_.refusal();

  // Staged entries must be readable before the successor can be reached, or a
  // snapshot could hold the successor and miss them: a hole.
  publish(count);

  // Relaxed: only the writer stores to the ring.
  SegmentControl* const evicted =
      slot(sequence).load(std::memory_order_relaxed);
  CORE_CHECK((evicted == nullptr) == (sequence < retained_segments_));
  CORE_CHECK(evicted == nullptr ||
             evicted->sequence() + retained_segments_ == sequence);
  successor->expose(sequence, first_index);
  install(successor, sequence);
  sealed->word().seal(count);
  if (evicted != nullptr && evicted->release()) pool_.give_back_owned(evicted);
  if (count < segment_capacity_) early_seals_.add(1);
  rolls_.add(1);
  return Status::kOk;
}

void RollingLog::retire(bool may_touch) {
  for (uint32_t i = 0; i < retained_segments_; ++i) {
    // Relaxed: no one stores to the ring or looks there any more.
    SegmentControl* const segment = ring_[i].load(std::memory_order_relaxed);
    if (segment != nullptr && segment->release()) {
      pool_.give_back_owned(segment);
    }
  }
  pool_.retire(may_touch);
}

bool RollingLog::try_claim() {
  if (has_ended() || !claim_.try_acquire()) return false;
  // The last holder may have ended the log between the two looks.
  if (!has_ended()) return true;
  claim_.release();
  return false;
}

// One that waits for the claim registers under the list's lock and looks again:
// either this takes the lock later and finds it, or it sees the claim free.
void RollingLog::release_claim() {
  // Before the claim is free, so that no one gets it.
  if (ends_with_writer_ && !has_ended()) end();
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
          begun < retained_segments_ ? begun : retained_segments_, rolls,
          early_seals_.get()};
}

}  // namespace atomic_log::memory
