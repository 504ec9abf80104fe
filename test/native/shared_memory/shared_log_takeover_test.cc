#if defined(__linux__)

#include <signal.h>

#include <random>

#include "core/shared_memory/shared_log.h"
#include "support/faults.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log;
using namespace atomic_log::test;

namespace {

int steps_left = 0;

void die_at_step(const char*) {
  if (--steps_left == 0) raise(SIGKILL);
}

// Every step of append, roll and take-over: with whatever the dead writer has
// left, readers read what was published, and the next writer goes on.
void kill_writer_at_any_step(uint32_t most) {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  bool was_killed = true;
  for (int steps = 1; was_killed; ++steps) {
    const auto log = open_log(path, small_options(0));
    uint64_t first = 0;
    uint64_t before = 0;
    REQUIRE(reads_right(*log, &first, &before));
    const int status = status_of(in_child([&] {
      const auto other = open_log(path);
      steps_left = steps;
      at_writer_step(die_at_step);
      if (!claim_soon(*other)) return 1;
      uint32_t staged = other->cursor().published;
      for (int i = 0; i < 13; ++i) {
        const Status status =
            most == 0 ? append(*other) : stage(*other, most, &staged);
        if (status != Status::kOk) return 2;
      }
      return 0;
    }));
    was_killed = status == -SIGKILL;
    if (!was_killed) CHECK(status == 0);
    uint64_t end = 0;
    REQUIRE(reads_right(*log, &first, &end));
    REQUIRE(end >= before);
    // All of the window but the head and the one that a roll has just evicted:
    // a segment is published before its successor can take anyone's place.
    if (before > 0) REQUIRE(end - first >= 2 * (most == 0 ? 4 : most));
    REQUIRE(claim_soon(*log));
    CHECK(log->stats().rolls == log->cursor().sequence);
    const uint64_t next = log->cursor().first_index + log->cursor().published;
    REQUIRE(next >= end);
    // Once round every block.
    for (int i = 0; i < 20; ++i) REQUIRE(append(*log) == Status::kOk);
    REQUIRE(reads_right(*log, &first, &end));
    REQUIRE(end == next + 20);
    log->release_claim();
  }
}

}  // namespace

TEST_CASE("shared log: a writer that is killed at any step") {
  kill_writer_at_any_step(0);
}

TEST_CASE("shared log: a writer that is killed with entries staged") {
  kill_writer_at_any_step(small_options().segment_capacity);
  // Segments that are sealed before they are full.
  kill_writer_at_any_step(3);
}

TEST_CASE("shared log: killed again while taking over") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  std::mt19937 random(1);
  const auto log = open_log(path, small_options(0));
  for (int round = 0; round < 150; ++round) {
    for (int deaths = 0; deaths < 3; ++deaths) {
      const int steps = 1 + static_cast<int>(random() % 40);
      const int status = status_of(in_child([&] {
        const auto other = open_log(path);
        steps_left = steps;
        at_writer_step(die_at_step);
        if (!claim_soon(*other)) return 1;
        for (int i = 0; i < 13; ++i) {
          if (append(*other) != Status::kOk) return 2;
        }
        return 0;
      }));
      REQUIRE((status == -SIGKILL || status == 0));
    }
    uint64_t first = 0;
    uint64_t end = 0;
    REQUIRE(reads_right(*log, &first, &end));
    REQUIRE(claim_soon(*log));
    REQUIRE(append(*log) == Status::kOk);
    log->release_claim();
  }
}

#endif  // defined(__linux__)
