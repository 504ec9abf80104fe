#include "core/memory/blocking_wait.h"

#include "core/memory/window.h"

namespace atomic_log::memory {

Arrival look_for(RollingLog& log, uint64_t index) {
  const bool has_ended = log.has_ended();
  if (end_index(log) > index) return Arrival::kReady;
  return has_ended ? Arrival::kEnded : Arrival::kPending;
}

Arrival wait_for(RollingLog& log, uint64_t index, std::chrono::nanoseconds time,
                 WaitUntil until) {
  Arrival arrival = look_for(log, index);
  if (arrival != Arrival::kPending || time.count() <= 0) return arrival;
  ThreadWaiter waiter;
  const bool needs_claim = until == WaitUntil::kEntryOrClaim;
  log.entries().add(&waiter, index);
  if (needs_claim) log.claims().add(&waiter, 0);
  arrival = look_for(log, index);
  const bool is_free = needs_claim && !log.is_claimed();
  if (arrival == Arrival::kPending && !is_free) waiter.wait_for(time);
  log.entries().remove(&waiter);
  if (needs_claim) log.claims().remove(&waiter);
  return arrival == Arrival::kPending ? look_for(log, index) : arrival;
}

}  // namespace atomic_log::memory
