#include "core/shared_memory/shared_log.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/platform/futex.h"

namespace atomic_log::shared_memory {

SharedLog::SharedLog(SharedFormat format,
                     std::unique_ptr<platform::SharedFile> file,
                     std::shared_ptr<platform::SharedMapping> mapping,
                     uint32_t slot, CopyFile copies)
    : format_(std::move(format)),
      file_(std::move(file)),
      mapping_(std::move(mapping)),
      base_(mapping_->data()),
      slot_(slot),
      waits_(*this, waits_place()),
      copies_(slot == kNoSlot
                  ? std::make_unique<SegmentCopies>(*this, std::move(copies))
                  : nullptr) {
  if (is_read_only()) return;
  // What a dead owner of the slot has left. Release: its reads were before, and
  // a writer that finds the entries empty writes after them.
  clear_slot(slot_, std::memory_order_release);
}

bool SharedLog::wakes_at_once() const {
  return !is_read_only() && platform::wakes_across_processes();
}

SharedWaits::Place SharedLog::waits_place() {
  if (slot_ == kNoSlot) {
    // No writer knows of it.
    return {own_slot_, sizeof(own_slot_), 1, 0, &own_hint_, false};
  }
  return {base_ + format_.slots_offset,
          format_.slot_bytes,
          format_.options.readers_max,
          slot_,
          &at<Word64>(format_.control_offset + kWakeOffset),
          platform::wakes_across_processes()};
}

SharedLog::~SharedLog() {
  waits_.stop();
  if (is_read_only()) {
    (void)mapping_->release_file();
    return;
  }
  clear_slot(slot_, std::memory_order_release);
  // By itself, because a child process that was forked meanwhile may have the
  // handle too.
  file_->unlock(slot_lock(slot_));
  (void)mapping_->release_file();
}

void SharedLog::clear_slot(uint32_t slot, std::memory_order order) {
  for (uint32_t block = 0; block < format_.blocks; ++block) {
    entry(slot, block).store(0, order);
  }
  at<Word64>(format_.slots_offset + slot * format_.slot_bytes + kWaitedOffset)
      .store(kNoIndex, order);
}

uint32_t SharedLog::try_pin(uint64_t sequence) {
  // Step 1. Acquire: pairs with step 8 of roll().
  const uint32_t block = ring(sequence).load(std::memory_order_acquire);
  if (block >= format_.blocks || sequence > kSequenceMax) return kNoBlock;
  // Step 2. Acquire: pairs with step 3 of another thread of this process.
  Word64& held = entry(slot_, block);
  uint64_t found = held.load(std::memory_order_acquire);
  for (int tries = 0;; ++tries) {
    const uint64_t holders = Entry::holders_of(found);
    const uint64_t other = Entry::sequence_of(found);
    uint64_t next = Entry::make(sequence, 1);
    if (holders != 0 && other == sequence) {
      if (holders == Entry::kHoldersMax) return kFullEntry;
      next = found + 1;
    } else if (holders != 0 && other > sequence) {
      return kNoBlock;
    }
    // Over an older one, too: a thread that pins that on this block is bound to
    // fail.
    // Step 3. Acquire-release: pairs with itself and with drop().
    if (held.compare_exchange_weak(found, next, std::memory_order_acq_rel,
                                   std::memory_order_acquire)) {
      break;
    }
    if (tries == kBoundedTries) return kNoBlock;
  }
  // Step 4: pairs with step 3 of roll(). Either the writer sees the entry, or
  // this sees that the block is retired.
  platform::full_barrier();
  // Step 5. Acquire: pairs with step 6 of roll(), and with its step 2: a thread
  // that finds it gone finds the newer head too. The stamp differs only in a
  // copy of the file that was made while it was written.
  if (sequence_of(block).load(std::memory_order_acquire) == sequence &&
      stamp_of(block).load(std::memory_order_acquire) == sequence) {
    return block;
  }
  drop(block, sequence);
  return kNoBlock;
}

// Does nothing when the entry has gone over to another sequence. Release: pairs
// with step 4 of roll(); the reads are done before the block is written to.
void SharedLog::drop(uint32_t block, uint64_t sequence) {
  Word64& held = entry(slot_, block);
  uint64_t found = held.load(std::memory_order_relaxed);
  for (int tries = 0; tries < kBoundedTries; ++tries) {
    const uint64_t holders = Entry::holders_of(found);
    if (holders == 0 || Entry::sequence_of(found) != sequence) return;
    if (held.compare_exchange_weak(found, holders == 1 ? 0 : found - 1,
                                   std::memory_order_release,
                                   std::memory_order_relaxed)) {
      return;
    }
  }
}

void SharedLog::unpin(uint32_t block, uint64_t sequence) {
  if (copies_ != nullptr) return copies_->unpin(block);
  CORE_CHECK(block < format_.blocks && sequence <= kSequenceMax);
  drop(block, sequence);
}

void SharedLog::unpin_from(size_t begin, List<PinnedBlock>* pinned) {
  for (size_t i = begin; i < pinned->size(); ++i) {
    drop((*pinned)[i].block, (*pinned)[i].sequence);
  }
  pinned->truncate(begin);
}

SharedOutcome SharedLog::pin_window(uint64_t floor, List<PinnedBlock>* pinned) {
  if (copies_ != nullptr) return copies_->pin_window(floor, pinned);
  const size_t begin = pinned->size();
  for (int tries = 0;; ++tries) {
    // Acquire: pairs with step 9 of roll().
    const uint64_t newest = head().load(std::memory_order_acquire);
    if (newest < floor) return SharedOutcome::kOk;
    if (newest > kSequenceMax) return SharedOutcome::kDamaged;
    const uint64_t lowest = std::max(floor, format_.lowest_in_window(newest));
    // Here, where nothing is pinned yet.
    if (!pinned->try_reserve(begin + (newest + 1 - lowest))) {
      return SharedOutcome::kNoMemory;
    }
    uint64_t next = newest + 1;
    while (next > lowest) {
      const uint32_t block = try_pin(next - 1);
      if (block == kNoBlock) break;
      if (block == kFullEntry) {
        unpin_from(begin, pinned);
        return SharedOutcome::kTooManyPins;
      }
      const uint64_t first = first_of(block).load(std::memory_order_relaxed);
      const uint64_t above =
          next > newest ? first + 1 : pinned->back().first_index;
      if (!can_be_followed(first, above)) {
        drop(block, next - 1);
        if (next > newest) return SharedOutcome::kDamaged;
        break;
      }
      pinned->push_back(
          {block, next - 1, first, static_cast<uint32_t>(above - first)});
      --next;
    }
    const uint64_t acceptable = std::max(floor, format_.lowest_needed(newest));
    const bool head_is_gone = next > newest;
    const bool is_lapped = next > acceptable && tries < kWalkTriesMax;
    if (!head_is_gone && !is_lapped) break;
    unpin_from(begin, pinned);
    if (tries == kBoundedTries) return SharedOutcome::kDamaged;
  }
  PinnedBlock& newest = (*pinned)[begin];
  // Last, so that no append is missed that was over before the call.
  newest.count = readable(word(newest.block).acquire());
  std::reverse(pinned->begin() + begin, pinned->end());
  return SharedOutcome::kOk;
}

// Acquire, all: pairs with steps 2, 5, 6 and 8 of roll(). What was stored after
// the block was retired is not seen without that; and a thread that finds it
// gone finds, in the head that it looks at afterwards, what was published
// before.
bool SharedLog::look_at(uint64_t sequence, uint64_t* first_index,
                        uint32_t* count) const {
  const uint32_t block = ring(sequence).load(std::memory_order_acquire);
  if (block >= format_.blocks) return false;
  const Word64& stands = sequence_of(block);
  if (stands.load(std::memory_order_acquire) != sequence) return false;
  *first_index = first_of(block).load(std::memory_order_acquire);
  *count = readable(word(block).acquire());
  return stands.load(std::memory_order_acquire) == sequence &&
         stamp_of(block).load(std::memory_order_acquire) == sequence;
}

SharedOutcome SharedLog::bounds(memory::WindowBounds* bounds) {
  for (int tries = 0; tries < kBoundedTries; ++tries) {
    // Acquire: pairs with step 9 of roll().
    const uint64_t newest = head().load(std::memory_order_acquire);
    if (newest > kSequenceMax) return SharedOutcome::kDamaged;
    // The lowest may be evicted meanwhile; the next one up is the lowest then.
    uint64_t lowest = format_.lowest_in_window(newest);
    uint64_t oldest = kNoIndex;
    uint32_t count = 0;
    while (lowest < newest && !look_at(lowest, &oldest, &count)) ++lowest;
    const uint64_t acceptable = format_.lowest_needed(newest);
    if (lowest > acceptable && tries < kWalkTriesMax) continue;
    // The head last: when one below was evicted meanwhile, the head was rolled
    // over, and an earlier look could have found it empty.
    uint64_t first = 0;
    if (!look_at(newest, &first, &count)) continue;
    if (first > memory::RollingLog::kIndexMax) return SharedOutcome::kDamaged;
    bounds->end_index = first + count;
    bounds->first_index = lowest < newest && oldest < first ? oldest : first;
    return SharedOutcome::kOk;
  }
  return SharedOutcome::kDamaged;
}

// A dead process holds nothing, though its entries stand until a writer needs
// the block; whether one is dead is asked once, and only where something
// stands.
bool SharedLog::is_held(uint32_t block, uint64_t sequence,
                        std::vector<Holder>* holders) const {
  for (uint32_t slot = 0; slot < format_.options.readers_max; ++slot) {
    const uint64_t held = entry(slot, block).load(std::memory_order_relaxed);
    if (Entry::holders_of(held) == 0 || Entry::sequence_of(held) != sequence) {
      continue;
    }
    Holder& holder = (*holders)[slot];
    if (holder == Holder::kUnknown) {
      const bool is_alive =
          slot == slot_ || file_->is_locked_elsewhere(slot_lock(slot));
      holder = is_alive ? Holder::kAlive : Holder::kDead;
    }
    if (holder == Holder::kAlive) return true;
  }
  return false;
}

SharedLog::Stats SharedLog::stats() const {
  Stats stats = {};
  const uint64_t newest = head().load(std::memory_order_relaxed);
  stats.retained =
      std::min<uint64_t>(newest, format_.retained_segments - 1) + 1;
  // The first segment has sequence 0.
  stats.rolls = newest;
  stats.early_seals = early_seals().load(std::memory_order_relaxed);
  std::vector<Holder> holders(format_.options.readers_max, Holder::kUnknown);
  for (uint32_t block = 0; block < format_.blocks; ++block) {
    const uint64_t sequence = named_sequence(block);
    if (sequence == kNoSequence) continue;
    ++stats.used_blocks;
    if (!has_left_window(sequence, newest)) continue;
    stats.pinned += is_held(block, sequence, &holders);
  }
  return stats;
}

memory::Arrival SharedLog::look_for(uint64_t index) {
  const bool ended = has_ended();
  memory::WindowBounds now = {};
  // A reader is told that the log is damaged when it reads.
  if (bounds(&now) != SharedOutcome::kOk || now.end_index > index) {
    return memory::Arrival::kReady;
  }
  return ended ? memory::Arrival::kEnded : memory::Arrival::kPending;
}

memory::Arrival SharedLog::wait_for(uint64_t index,
                                    std::chrono::nanoseconds time,
                                    memory::WaitUntil until) {
  memory::Arrival arrival = look_for(index);
  if (arrival != memory::Arrival::kPending || time.count() <= 0) return arrival;
  memory::ThreadWaiter waiter;
  const bool needs_claim = until == memory::WaitUntil::kEntryOrClaim;
  if (!waits_.add(&waiter, index)) {
    // No thread to be had: this one looks from time to time.
    std::this_thread::sleep_for(
        std::min<std::chrono::nanoseconds>(time, std::chrono::milliseconds(1)));
    return look_for(index);
  }
  if (needs_claim) waits_.add_for_claim(&waiter);
  arrival = look_for(index);
  const bool is_unclaimed = needs_claim && !is_claimed();
  if (arrival == memory::Arrival::kPending && !is_unclaimed) {
    waiter.wait_for(time);
  }
  waits_.remove(&waiter);
  if (needs_claim) waits_.remove_for_claim(&waiter);
  return arrival == memory::Arrival::kPending ? look_for(index) : arrival;
}

}  // namespace atomic_log::shared_memory
