#include "core/memory/segment_pool.h"

#include <new>

#include "core/base/check.h"
#include "core/base/faults.h"

namespace atomic_log::memory {

SegmentPool::~SegmentPool() {
  for (const auto& segment : segments_) {
    storage_->give_back(segment->block());
  }
}

SegmentControl* SegmentPool::take() {
  // Readers' returns are looked at when they are needed, and when more of them
  // wait than may stay warm: a writer that lives on its own evictions would
  // otherwise never find a peak that was returned.
  CORE_CHECK(decommitted_.get() == cold_.length());
  CORE_CHECK(idle_.get() >= uint64_t{warm_.length()} + cold_.length());
  const uint64_t idle_with_memory = idle_.get() - decommitted_.get();
  if (warm_.length() == 0 || idle_with_memory > warm_max_) sort_returned();
  SegmentControl* segment = warm_.pop();
  if (segment == nullptr) {
    segment = cold_.pop();
    if (segment != nullptr) decommitted_.add(-1);
  }
  if (segment == nullptr) return make();
  CORE_CHECK(segment->id() < segments_.size());
  idle_.add_shared(-1);
  recycled_.add(1);
  return segment;
}

// One exchange takes all that readers returned. What the window can use stays
// warm, the rest goes back to the system.
void SegmentPool::sort_returned() {
  SegmentControl* chain = returned_.take_all();
  while (chain != nullptr) {
    CORE_CHECK(chain->id() < segments_.size());
    SegmentControl* const next = OwnedList::next_of(chain);
    if (warm_.length() < warm_max_) {
      warm_.push(chain);
    } else {
      storage_->decommit(chain->block());
      cold_.push(chain);
      decommitted_.add(1);
    }
    chain = next;
  }
}

// The thread that takes the chain is alone with it. After retire() its segments are
// used no more, and need no list.
uint64_t SegmentPool::decommit_returned(bool may_touch) {
  uint64_t count = 0;
  SegmentControl* chain = returned_.take_all();
  for (; chain != nullptr; chain = OwnedList::next_of(chain), ++count) {
    if (may_touch) storage_->decommit(chain->block());
  }
  return count;
}

void SegmentPool::retire(bool may_touch) {
  is_retired_.fetch_add(1, std::memory_order_acq_rel);
  uint64_t idle = decommit_returned(may_touch) + cold_.length();
  while (SegmentControl* const segment = warm_.pop()) {
    ++idle;
    if (may_touch) storage_->decommit(segment->block());
  }
  CORE_CHECK(idle <= segments_.size());
  // Blocks that are shorter than a page go together or not at all.
  SharedStorage* const shared = storage_->as_shared();
  if (shared != nullptr && may_touch && idle == segments_.size()) {
    shared->decommit_all();
  }
}

void SegmentPool::give_back_owned(SegmentControl* segment) {
  idle_.add_shared(1);
  warm_.push(segment);
}

SegmentControl* SegmentPool::make() {
  const uint64_t id = segments_.size();
  refusal_ = Status::kPinned;
  if (id >= segments_max_) return nullptr;
  // JavaScript numbers segments with int32.
  refusal_ = Status::kOutOfMemory;
  if (id >= PublishedWord::kCountMax || !segments_.try_reserve(id + 1)) {
    return nullptr;
  }
  void* const block = storage_->take(static_cast<uint32_t>(id));
  if (block == nullptr) {
    refusal_ = storage_->refusal();
    return nullptr;
  }
  SegmentControl* const segment =
      memory_is_refused()
          ? nullptr
          : new (std::nothrow) SegmentControl(static_cast<uint32_t>(id), block);
  if (segment == nullptr) {
    storage_->give_back(block);
    return nullptr;
  }
  segments_.push_back(std::unique_ptr<SegmentControl>(segment));
  segment_count_.add(1);
  CORE_CHECK(segments_.size() <= segments_max_ &&
             segments_.size() == segment_count_.get());
  fresh_.add(1);
  return segment;
}

SegmentPool::Stats SegmentPool::stats() const {
  return {segment_count_.get(), idle_.get(), decommitted_.get(), fresh_.get(),
          recycled_.get()};
}

}  // namespace atomic_log::memory
