#include "core/memory/wait_list.h"

#include <algorithm>

#include "core/base/check.h"

namespace atomic_log::memory {

void WaitList::add(Waiter* waiter, uint64_t index) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    CORE_CHECK(waiter != nullptr && index < kNoOne);
    CORE_CHECK(std::none_of(
        entries_.begin(), entries_.end(),
        [waiter](const Entry& entry) { return entry.waiter == waiter; }));
    entries_.push_back({waiter, index});
    update_wake_index();
  }
  platform::heavy_barrier();
}

bool WaitList::remove(Waiter* waiter) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(),
                   [waiter](const Entry& e) { return e.waiter == waiter; });
  if (entry == entries_.end()) return false;
  *entry = entries_.back();
  entries_.pop_back();
  update_wake_index();
  return true;
}

void WaitList::wake_below(uint64_t end_index) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto waiting = std::partition(
      entries_.begin(), entries_.end(),
      [end_index](const Entry& entry) { return entry.index >= end_index; });
  for (auto entry = waiting; entry != entries_.end(); ++entry) {
    entry->waiter->wake();
  }
  entries_.erase(waiting, entries_.end());
  update_wake_index();
}

void WaitList::update_wake_index() {
  uint64_t lowest = kNoOne;
  for (const Entry& entry : entries_) lowest = std::min(lowest, entry.index);
  // Relaxed: ordered for the writer by heavy_barrier after registering; a value
  // that is stale in the other direction only costs the writer a look.
  wake_index_.store(lowest, std::memory_order_relaxed);
}

}  // namespace atomic_log::memory
