#include "core/shared_memory/shared_waits.h"

#include <algorithm>

#include "core/platform/futex.h"
#include "core/shared_memory/shared_format.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::shared_memory {
namespace {

// The longest sleep, while no one waits for anything. A stray store of another
// process into the epoch can swallow a wake-up, also that of stop().
constexpr std::chrono::seconds kLong{1};

}  // namespace

SharedWaits::~SharedWaits() { stop(); }

void SharedWaits::stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Relaxed: the epoch that is raised after it orders it.
  is_stopped_.store(true, std::memory_order_relaxed);
  if (!thread_.is_started()) return;
  wake(place_.own_slot);
  thread_.join();
}

std::atomic<uint64_t>& SharedWaits::waited(uint32_t slot) const {
  return *reinterpret_cast<std::atomic<uint64_t>*>(
      place_.slots + slot * place_.slot_bytes + kWaitedOffset);
}

std::atomic<uint32_t>& SharedWaits::epoch(uint32_t slot) const {
  return *reinterpret_cast<std::atomic<uint32_t>*>(
      place_.slots + slot * place_.slot_bytes + kEpochOffset);
}

// Release: pairs with the acquire in run(). The epoch changes before the
// sleepers are woken: one that is about to sleep finds it changed.
void SharedWaits::wake(uint32_t slot) {
  std::atomic<uint32_t>& word = epoch(slot);
  word.fetch_add(1, std::memory_order_release);
  platform::futex_wake_all(word);
}

void SharedWaits::wake_all() {
  for (uint32_t slot = 0; slot < place_.slot_count; ++slot) wake(slot);
}

// Acquire-release: pairs with lower_hint(), so that an index which went into
// the hint before it was emptied is found in its slot.
void SharedWaits::wake_below(uint64_t end_index) {
  place_.hint->exchange(kNoIndex, std::memory_order_acq_rel);
  uint64_t rest = kNoIndex;
  for (uint32_t slot = 0; slot < place_.slot_count; ++slot) {
    const uint64_t index = waited(slot).load(std::memory_order_relaxed);
    if (index < end_index) {
      wake(slot);
    } else {
      rest = std::min(rest, index);
    }
  }
  lower_hint(rest);
}

// Never a store: it could raise what another has lowered. Always an exchange,
// also where the hint is low enough: either it comes before the one of
// wake_below(), which then finds the slot's index, or it finds the hint
// emptied. A load alone could pass the store of that index, and both would
// miss.
void SharedWaits::lower_hint(uint64_t index) {
  uint64_t known = place_.hint->load(std::memory_order_relaxed);
  while (!place_.hint->compare_exchange_weak(known, std::min(known, index),
                                             std::memory_order_acq_rel,
                                             std::memory_order_relaxed)) {
  }
}

bool SharedWaits::start() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (thread_.is_started()) return true;
  return !is_stopped_.load(std::memory_order_relaxed) &&
         thread_.start([this] { run(); }).ok();
}

bool SharedWaits::add(memory::Waiter* waiter, uint64_t index) {
  if (!start()) return false;
  waiters_.add(waiter, index);
  wake(place_.own_slot);
  return true;
}

bool SharedWaits::add_for_claim(memory::Waiter* waiter) {
  if (!start()) return false;
  claimants_.add(waiter, 0);
  wake(place_.own_slot);
  return true;
}

void SharedWaits::claim_released() {
  claimants_.wake_all();
  wake_all();
}

// Whether it would be told that the claim is free. Another thread of this
// process tells it, also when it ends: claim_released(). Of another process, the
// end is watched, each name once: that of a dead process stands there until the
// next one has claimed.
bool SharedWaits::watch_writer() {
  if (log_.is_claimed_here()) {
    watch_.stop();
    watched_ = platform::kNoProcess;
    return true;
  }
  const platform::ProcessName writer = log_.writer_process();
  if (writer != watched_) {
    watched_ = writer;
    watch_.start(writer, [this] { wake(place_.own_slot); });
  }
  return watch_.is_watching();
}

// Wakes the waiters for the claim when it is free. True when the next look need
// not be soon.
bool SharedWaits::look_for_claim(bool has_ended) {
  const bool is_claimed = !has_ended && log_.is_claimed();
  const bool is_told = !is_claimed || watch_writer();
  is_told_of_claim_.store(is_told, std::memory_order_relaxed);
  if (!is_claimed) claimants_.wake_all();
  return is_told;
}

// Wakes the waiters when the entry is there. Those of a damaged log find that
// out when they read.
bool SharedWaits::look_for(uint64_t index) {
  if (index == kNoIndex) return false;
  memory::WindowBounds bounds = {};
  if (log_.bounds(&bounds) != SharedOutcome::kOk) bounds.end_index = kNoIndex;
  if (bounds.end_index <= index) return false;
  waiters_.published(bounds.end_index);
  return true;
}

void SharedWaits::run() {
  std::chrono::milliseconds quiet{0};
  for (;;) {
    // Before any look, also whether it is stopped: what changes after this ends
    // the sleep. Acquire: pairs with wake().
    const uint32_t seen =
        epoch(place_.own_slot).load(std::memory_order_acquire);
    if (is_stopped_.load(std::memory_order_relaxed)) break;
    const uint64_t index =
        waiters_.wake_index().load(std::memory_order_relaxed);
    const bool waits_for_claim =
        claimants_.wake_index().load(std::memory_order_relaxed) != kNoIndex;
    // What it was woken for: registered once more, it would cost the writer a
    // wake-up that finds no one.
    if (look_for(index)) {
      quiet = std::chrono::milliseconds(0);
      continue;
    }
    // The slot before the hint, whose exchange orders it: a writer that empties
    // the hint looks at the slots after that.
    waited(place_.own_slot).store(index, std::memory_order_relaxed);
    lower_hint(index);
    platform::full_barrier();

    const bool has_ended = log_.has_ended();
    if (look_for(index)) continue;
    if (has_ended) waiters_.wake_all();
    std::chrono::milliseconds time = kLong;
    if (waits_for_claim && !look_for_claim(has_ended)) {
      time = kLookForClaim;
    } else if ((waits_for_claim || index != kNoIndex) && !has_ended) {
      time = place_.is_told ? kLookAgain : look_after(quiet);
      quiet += time;
    }
    platform::futex_wait(epoch(place_.own_slot), seen, time);
  }
  watch_.stop();
  waited(place_.own_slot).store(kNoIndex, std::memory_order_relaxed);
}

}  // namespace atomic_log::shared_memory
