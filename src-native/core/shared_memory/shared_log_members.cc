// Which processes have the log open, for people: nothing else goes by it.
#include "core/platform/process_watch.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::shared_memory {

std::vector<SharedLog::LivingSlot> SharedLog::living_slots() const {
  std::vector<LivingSlot> living;
  const uint64_t newest = head().load(std::memory_order_relaxed);
  const bool is_claimed_elsewhere = file_->is_locked_elsewhere(kWriterLock);
  for (uint32_t slot = 0; slot < format_.options.readers_max; ++slot) {
    const bool is_own = slot == slot_;
    if (!is_own && !file_->is_locked_elsewhere(slot_lock(slot))) continue;
    const platform::ProcessName name =
        process_name(slot).load(std::memory_order_relaxed);
    LivingSlot found = {slot, platform::process_number(name)};
    found.is_own = is_own;
    found.is_writer = is_own ? claim_.is_held()
                             : is_claimed_elsewhere && name == writer_process();
    for (uint32_t block = 0; block < format_.blocks; ++block) {
      const uint64_t held = entry(slot, block).load(std::memory_order_relaxed);
      const uint64_t sequence = Entry::sequence_of(held);
      // A pin that came too late names another sequence for a moment.
      found.pinned += Entry::holders_of(held) != 0 &&
                      has_left_window(sequence, newest) &&
                      sequence == named_sequence(block);
    }
    living.push_back(found);
  }
  return living;
}

// Relaxed: a hint.
void SharedLog::store_process_name() {
  process_name(slot_).store(platform::own_process_name(),
                            std::memory_order_relaxed);
}

}  // namespace atomic_log::shared_memory
