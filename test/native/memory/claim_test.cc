#include "core/memory/claim.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

namespace atomic_log::memory {
namespace {

TEST_SUITE_BEGIN("claim");

TEST_CASE("a claim is held from acquire to release") {
  Claim claim;
  CHECK_FALSE(claim.is_held());
  REQUIRE(claim.try_acquire());
  CHECK(claim.is_held());
  claim.release();
  CHECK_FALSE(claim.is_held());
  CHECK(claim.try_acquire());
}

TEST_CASE("the claim passes between threads" * doctest::test_suite("threads")) {
  Claim claim;
  REQUIRE(claim.try_acquire());
  std::thread([&] { claim.release(); }).join();
  CHECK(claim.try_acquire());
}

TEST_CASE("one holder at a time, who sees what the last one left" *
          doctest::test_suite("threads")) {
  constexpr int kRounds = 2000;
  Claim claim;
  int64_t guarded = 0;  // plain: only the claim orders its uses
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds;) {
        if (!claim.try_acquire()) {
          std::this_thread::yield();
          continue;
        }
        ++guarded;
        claim.release();
        ++round;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(guarded == 3 * kRounds);
}

// --- Error paths.

TEST_CASE("a held claim is refused, to its holder as well") {
  Claim claim;
  REQUIRE(claim.try_acquire());
  CHECK_FALSE(claim.try_acquire());
  CHECK(claim.is_held());
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
