#include "core/memory/wait_list.h"

#include <doctest/doctest.h>

#include <memory>

#include "core/memory/rolling_log.h"
#include "core/memory/window.h"

namespace atomic_log::memory {
namespace {

class CountingWaiter final : public Waiter {
 public:
  void wake() override { ++wakes; }
  int wakes = 0;
};

TEST_CASE("a waiter is woken when its index becomes readable, and once") {
  WaitList list;
  CountingWaiter waiter;
  list.add(&waiter, 5);
  list.published(5);  // entries 0 to 4
  CHECK(waiter.wakes == 0);
  list.published(6);
  CHECK(waiter.wakes == 1);
  list.published(7);
  CHECK(waiter.wakes == 1);
  CHECK_FALSE(list.remove(&waiter));
}

TEST_CASE("only those are woken whose index is readable") {
  WaitList list;
  CountingWaiter near;
  CountingWaiter far;
  list.add(&far, 100);
  list.add(&near, 3);
  list.published(50);
  CHECK(near.wakes == 1);
  CHECK(far.wakes == 0);
  list.published(101);
  CHECK(far.wakes == 1);
}

TEST_CASE("a removed waiter is not woken, and the others still are") {
  WaitList list;
  CountingWaiter removed;
  CountingWaiter kept;
  list.add(&removed, 1);
  list.add(&kept, 2);
  CHECK(list.remove(&removed));
  CHECK_FALSE(list.remove(&removed));
  list.published(10);
  CHECK(removed.wakes == 0);
  CHECK(kept.wakes == 1);
}

TEST_CASE("wake_all wakes all that wait, whatever for") {
  WaitList list;
  CountingWaiter now;
  CountingWaiter never;
  list.add(&now, 0);
  list.add(&never, RollingLog::kIndexMax);
  list.wake_all();
  CHECK(now.wakes == 1);
  CHECK(never.wakes == 1);
}

std::shared_ptr<RollingLog> make_log() {
  std::shared_ptr<RollingLog> log;
  REQUIRE(RollingLog::create({8, 4, {8}, {}, ""}, &log) == Status::kOk);
  REQUIRE(log->try_claim());
  return log;
}

TEST_CASE("publishing, and rolling with staged entries, wakes") {
  const auto log = make_log();
  CountingWaiter published;
  log->entries().add(&published, 2);
  log->publish(2);
  CHECK(published.wakes == 0);
  log->publish(3);
  CHECK(published.wakes == 1);

  CountingWaiter rolled;
  log->entries().add(&rolled, 3);
  REQUIRE(log->roll(4) == Status::kOk);
  CHECK(rolled.wakes == 1);
  CHECK(end_index(*log) == 4);

  CountingWaiter successor;
  log->entries().add(&successor, 4);
  log->publish(1);
  CHECK(successor.wakes == 1);
}

TEST_CASE("the end wakes those who wait for entries and for the claim") {
  const auto log = make_log();
  CountingWaiter entry;
  CountingWaiter claim;
  log->entries().add(&entry, 7);
  log->claims().add(&claim, 0);
  log->end();
  CHECK(entry.wakes == 1);
  CHECK(claim.wakes == 1);
  CHECK(log->has_ended());
  log->release_claim();
  CHECK_FALSE(log->try_claim());
  CHECK_FALSE(log->is_claimed());
}

TEST_CASE("a released claim wakes those who wait for it, not the readers") {
  const auto log = make_log();
  CountingWaiter entry;
  CountingWaiter claim;
  log->entries().add(&entry, 0);
  log->claims().add(&claim, 0);
  log->release_claim();
  CHECK(claim.wakes == 1);
  CHECK(entry.wakes == 0);
  CHECK(log->entries().remove(&entry));
}

}  // namespace
}  // namespace atomic_log::memory
