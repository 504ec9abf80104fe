// Waiting for entries across processes: each process's slot has the lowest
// index that it waits for and a futex word, and a hint has the lowest index of
// all.
//
//  1. wait(i): epoch read; `waited` of the slot = the lowest index that this
//     process waits for; hint lowered to it by an exchange that never raises;
//     fence; a look at the log; sleep while the epoch is what it was.
//  2. publish: word stored; fence; the hint loaded. When the end has passed it:
//     the hint is emptied, every slot is looked at; where the end has passed
//     `waited` the epoch is raised and its sleepers woken, and the lowest of
//     the rest goes back into the hint.
//  3. No one counts waiters: the dead would be woken forever. What a dead one
//     leaves costs one futile look.
//  4. The fences are on both sides, because the barrier of barrier.h that
//     spares the writer's reaches one process only.
//  5. One thread per process sleeps for all waiters of that process, which are
//     in a WaitList as those of the other logs are. It is started by the first
//     of them. It looks again every kLookAgain, because a writer can be killed
//     after publishing and before waking.
//  6. A waiter for the claim is told when it is released, by this process or by
//     another, and when the process that has it ends, by its name in the file.
//     Where that name is unknown here, or wrong, the thread looks every
//     kLookForClaim. The lock alone decides.
#ifndef ATOMIC_LOG_CORE_SHARED_MEMORY_SHARED_WAITS_H_
#define ATOMIC_LOG_CORE_SHARED_MEMORY_SHARED_WAITS_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "core/memory/wait_list.h"
#include "core/platform/barrier.h"
#include "core/platform/process_watch.h"
#include "core/platform/thread.h"

namespace atomic_log::shared_memory {

class SharedLog;

class SharedWaits {
 public:
  static constexpr std::chrono::milliseconds kLookAgain{20};
  // While a thread waits for the claim, and no one would tell when it is free.
  static constexpr std::chrono::milliseconds kLookForClaim{4};
  // How long a thread sleeps that no writer wakes, when nothing has come for
  // `quiet`: what comes after a pause is seen late by a thirty-second part of
  // it.
  static constexpr std::chrono::milliseconds look_after(
      std::chrono::milliseconds quiet) {
    return std::clamp(quiet / 32, std::chrono::milliseconds(1),
                      std::chrono::milliseconds(10));
  }

  struct Place {
    char* slots;
    uint64_t slot_bytes;
    uint32_t slot_count;
    uint32_t own_slot;
    std::atomic<uint64_t>* hint;
    bool is_told;  // whether writers of other processes wake its waiters
  };
  SharedWaits(SharedLog& log, Place place) : log_(log), place_(place) {}
  ~SharedWaits();
  // No one waits any more. Idempotent.
  void stop();

  // Any thread: as WaitList. False when the system has no thread for it; then
  // nothing is registered.
  bool add(memory::Waiter* waiter, uint64_t index);
  bool remove(memory::Waiter* waiter) { return waiters_.remove(waiter); }
  // The same for waiters for the claim.
  bool add_for_claim(memory::Waiter* waiter);
  bool remove_for_claim(memory::Waiter* waiter) {
    return claimants_.remove(waiter);
  }
  // A writer of this process has released the claim.
  void claim_released();
  // Whether waiters for the claim are told that it is free, as of the last look
  // at it; if not, the looks go on.
  bool is_told_of_claim() const {
    return is_told_of_claim_.load(std::memory_order_relaxed);
  }

  // Writer, after the end of the log became `end_index`. Relaxed: the fence
  // orders it after the published word.
  void published(uint64_t end_index) {
    platform::full_barrier();
    if (end_index > place_.hint->load(std::memory_order_relaxed)) {
      wake_below(end_index);
    }
  }
  // Writer: wakes all, in every process, whatever they wait for.
  void wake_all();

 private:
  std::atomic<uint64_t>& waited(uint32_t slot) const;
  std::atomic<uint32_t>& epoch(uint32_t slot) const;
  void wake(uint32_t slot);
  void wake_below(uint64_t end_index);
  void lower_hint(uint64_t index);
  bool start();
  void run();
  bool look_for(uint64_t index);
  bool watch_writer();
  bool look_for_claim(bool has_ended);

  SharedLog& log_;
  const Place place_;
  memory::WaitList waiters_;
  memory::WaitList claimants_;
  // Only the thread uses these.
  platform::ProcessName watched_ = platform::kNoProcess;
  platform::ProcessWatch watch_;
  // Relaxed: a hint.
  std::atomic<bool> is_told_of_claim_{false};

  std::mutex mutex_;
  // Guarded by mutex_.
  platform::Thread thread_;
  // Stored with mutex_ held; the thread loads it without.
  std::atomic<bool> is_stopped_{false};
};

}  // namespace atomic_log::shared_memory

#endif  // ATOMIC_LOG_CORE_SHARED_MEMORY_SHARED_WAITS_H_
