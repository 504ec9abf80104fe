#include "core/memory/blocking_wait.h"

#include <doctest/doctest.h>

#include <thread>

#include "support/log_fixture.h"

namespace atomic_log::memory {
namespace {

using test::Appender;
using test::make_log;
using test::release_claim;
using test::try_claim;

constexpr std::chrono::milliseconds kSoon(5);
constexpr std::chrono::minutes kNever(10);

TEST_SUITE_BEGIN("threads");

TEST_CASE("what is there needs no waiting, and what never comes neither") {
  const auto log = make_log(8, 4);
  REQUIRE(try_claim(*log));
  CHECK(look_for(*log, 0) == Arrival::kPending);
  CHECK(wait_for(*log, 0, {}) == Arrival::kPending);
  CHECK(wait_for(*log, 0, kSoon) == Arrival::kPending);
  REQUIRE(Appender(*log).append(100) == Status::kOk);
  // Also what has left the window again.
  for (const uint64_t index : {0, 99}) {
    CHECK(wait_for(*log, index, kNever) == Arrival::kReady);
  }
  CHECK(look_for(*log, 100) == Arrival::kPending);
  log->end();
  CHECK(wait_for(*log, 99, kNever) == Arrival::kReady);
  CHECK(wait_for(*log, 100, kNever) == Arrival::kEnded);
}

TEST_CASE("a thread that sleeps is woken by the entry, and by the end") {
  for (const bool ends : {false, true}) {
    const auto log = make_log(8, 4);
    std::thread writer([&log, ends] {
      std::this_thread::sleep_for(kSoon);
      if (!try_claim(*log)) return;
      if (ends) {
        log->end();
      } else {
        (void)Appender(*log).append(3);
      }
      release_claim(*log);
    });
    CHECK(wait_for(*log, 2, kNever) ==
          (ends ? Arrival::kEnded : Arrival::kReady));
    writer.join();
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
