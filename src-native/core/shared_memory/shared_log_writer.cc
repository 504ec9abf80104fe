// What the writer does: the claim, the table of the take-over, the roll.
#include <algorithm>

#include "core/base/faults.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::shared_memory {
namespace {

// The lock of a process that was killed is free a moment after its death. Not
// more, and no pause: the caller can try again.
constexpr int kRounds = 2;

}  // namespace

bool SharedLog::is_claimed() {
  return claim_.is_held() || file_->is_locked_elsewhere(kWriterLock);
}

SharedOutcome SharedLog::try_claim(bool* is_claimed) {
  *is_claimed = false;
  // The process's own first: the kernel's lock does not conflict with itself.
  if (is_read_only() || has_ended() || !claim_.try_acquire())
    return SharedOutcome::kOk;
  if (!file_->try_lock(kWriterLock)) {
    claim_.release();
    return SharedOutcome::kOk;
  }
  // Relaxed, as all stores of it: a hint. Before take_over() wakes the threads
  // that go by it.
  writer_name().store(platform::own_process_name(), std::memory_order_relaxed);
  // The last holder may have ended the log between the two looks.
  const bool ended = has_ended();
  const SharedOutcome outcome = ended ? SharedOutcome::kOk : take_over();
  if (ended || outcome != SharedOutcome::kOk) {
    release_claim();
    return outcome;
  }
  *is_claimed = true;
  return SharedOutcome::kOk;
}

// The kernel's lock first, or another thread of this process could have the
// claim and, with it, a lock that is being released.
void SharedLog::release_claim() {
  writer_name().store(platform::kNoProcess, std::memory_order_relaxed);
  file_->unlock(kWriterLock);
  claim_.release();
  waits_.claim_released();
}

// Release: pairs with has_ended().
void SharedLog::end() {
  ended().store(1, std::memory_order_release);
  waits_.wake_all();
}

// What is found, row by row, and what is done; each row is one store, true
// again when it is repeated:
//
//   LINKED    the ring names a block of head + 1    killed between steps 8 and 9
//             -> head = head + 1
//   UNSEALED  the segment before the head has no    killed between steps 9 and 10
//             seal -> word = its count, with seal
//   WAKE      always                                killed between a publish and
//             -> every slot's epoch + 1, all woken  its last wake
//   CURSOR    always -> what is beyond the head's   killed anywhere
//             count is dropped and overwritten
//
// A block that no place of the ring names, retired or half written (steps 2 to
// 7), needs nothing: it is free, and its sequence says for what to look.
// Relaxed, all loads: the kernel's lock orders them after what any holder
// stored. Release, the head: pairs with every load of it, as in roll().
SharedOutcome SharedLog::take_over() {
  // First, so that nothing has changed when the system refuses.
  if (!own_ring_.try_resize(format_.retained_segments) ||
      !own_sequences_.try_resize(format_.blocks) ||
      !is_in_ring_.try_resize(format_.blocks)) {
    return SharedOutcome::kNoMemory;
  }
  uint64_t newest = head().load(std::memory_order_relaxed);
  if (newest >= kSequenceMax) return SharedOutcome::kDamaged;
  const uint32_t linked = ring(newest + 1).load(std::memory_order_relaxed);
  if (linked < format_.blocks &&
      sequence_of(linked).load(std::memory_order_relaxed) == newest + 1) {
    head().store(++newest, std::memory_order_release);
    writer_step("linked");
  }
  const uint32_t block = ring(newest).load(std::memory_order_relaxed);
  if (block >= format_.blocks ||
      sequence_of(block).load(std::memory_order_relaxed) != newest ||
      stamp_of(block).load(std::memory_order_relaxed) != newest) {
    return SharedOutcome::kDamaged;
  }
  const uint64_t first_index = first_of(block).load(std::memory_order_relaxed);
  if (newest > 0) {
    const uint32_t before = ring(newest - 1).load(std::memory_order_relaxed);
    if (before < format_.blocks &&
        sequence_of(before).load(std::memory_order_relaxed) == newest - 1 &&
        !memory::PublishedWord::is_sealed(word(before).acquire())) {
      const uint64_t count =
          first_index - first_of(before).load(std::memory_order_relaxed);
      if (count == 0 || count > segment_capacity()) {
        return SharedOutcome::kDamaged;
      }
      word(before).seal(static_cast<uint32_t>(count));
      writer_step("unsealed");
    }
  }
  waits_.wake_all();
  writer_step("woken");

  const uint32_t found = word(block).acquire();
  const uint32_t count = memory::PublishedWord::count_of(found);
  if (memory::PublishedWord::is_sealed(found) || count > segment_capacity() ||
      first_index > memory::RollingLog::kIndexMax - segment_capacity()) {
    return SharedOutcome::kDamaged;
  }
  cursor_ = {block, count, newest, first_index};
  std::fill(own_ring_.begin(), own_ring_.end(), kNoBlock);
  std::fill(is_in_ring_.begin(), is_in_ring_.end(), false);
  for (uint32_t i = 0; i < format_.retained_segments; ++i) {
    const uint32_t named = ring(i).load(std::memory_order_relaxed);
    if (named >= format_.blocks) continue;
    own_ring_[i] = named;
    is_in_ring_[named] = true;
  }
  for (uint32_t i = 0; i < format_.blocks; ++i) {
    own_sequences_[i] =
        sequence_of(i).load(std::memory_order_relaxed) & ~kRetired;
  }
  return SharedOutcome::kOk;
}

// Step 4 of the roll, for one block.
bool SharedLog::is_free(uint32_t block, uint64_t sequence) {
  for (uint32_t slot = 0; slot < format_.options.readers_max; ++slot) {
    // Acquire: pairs with drop() and with the clearing by the next owner.
    const uint64_t held = entry(slot, block).load(std::memory_order_acquire);
    if (Entry::holders_of(held) == 0 || Entry::sequence_of(held) != sequence) {
      continue;
    }
    // Its own is alive, and its lock could be had.
    if (slot == slot_ || !file_->try_lock(slot_lock(slot))) return false;
    // The owner is dead. Under the lock, or the next owner's pins would go.
    clear_slot(slot, std::memory_order_relaxed);
    writer_step("cleared");
    file_->unlock(slot_lock(slot));
  }
  return true;
}

uint32_t SharedLog::choose_block() {
  for (int round = 0; round < kRounds; ++round) {
    // The lowest first, so that blocks which readers have kept for a while are
    // not all in use from then on.
    for (uint32_t block = 0; block < format_.blocks; ++block) {
      if (is_in_ring_[block]) continue;
      const uint64_t sequence = own_sequences_[block];
      // Step 2. Release: pairs with the second look of a pin.
      stamp_of(block).store(sequence | kRetired, std::memory_order_release);
      sequence_of(block).store(sequence | kRetired, std::memory_order_release);
      writer_step("retired");
      // Step 3: pairs with step 4 of try_pin().
      platform::full_barrier();
      if (is_free(block, sequence)) return block;
    }
  }
  return kNoBlock;
}

Status SharedLog::roll(uint32_t count) {
  CORE_CHECK(claim_.is_held());
  CORE_CHECK(count > 0 && count <= segment_capacity());
  CORE_CHECK(count >= cursor_.published);
  const Cursor sealed = cursor_;
  const uint64_t sequence = sealed.sequence + 1;
  const uint64_t first_index = sealed.first_index + count;
  if (first_index + segment_capacity() > memory::RollingLog::kIndexMax ||
      sequence >= kSequenceMax) {
    return Status::kOutOfRange;
  }
  const uint32_t block = choose_block();
  if (block == kNoBlock) return Status::kPinned;

  // Step 1, as late as this, so that nothing has changed when there is no
  // block; before step 8, which evicts a segment: a window of the head and what
  // is left below would lack what is staged.
  publish(count);
  writer_step("published");
  // Step 5. Release: pairs with look_at().
  word(block).publish(0);
  first_of(block).store(first_index, std::memory_order_release);
  writer_step("prepared");
  // Step 6. Release: pairs with the second look of a pin.
  stamp_of(block).store(sequence, std::memory_order_release);
  sequence_of(block).store(sequence, std::memory_order_release);
  writer_step("named");
  // Step 8 (7: the block that this evicts is not touched). Release: pairs with
  // step 1 of try_pin().
  ring(sequence).store(block, std::memory_order_release);
  writer_step("linked");
  // Step 9. Release: pairs with every load of the head.
  head().store(sequence, std::memory_order_release);
  writer_step("headed");
  // Step 10: a reader that sees the seal finds the successor.
  word(sealed.block).seal(count);
  writer_step("sealed");

  uint32_t& place = own_ring_[sequence % format_.retained_segments];
  if (place != kNoBlock) is_in_ring_[place] = false;
  place = block;
  is_in_ring_[block] = true;
  own_sequences_[block] = sequence;
  cursor_ = {block, 0, sequence, first_index};
  // Relaxed: a figure, which the writer alone stores.
  if (count < segment_capacity()) {
    early_seals().store(early_seals().load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
  }
  return Status::kOk;
}

}  // namespace atomic_log::shared_memory
