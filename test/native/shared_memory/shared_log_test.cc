#if defined(__linux__)

#include "core/shared_memory/shared_log.h"

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "support/faults.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log;
using namespace atomic_log::test;

namespace {

// A process that has pinned the window, and keeps it until it is killed.
pid_t pinning_child(const std::string& path) {
  int pipes[2];
  REQUIRE(pipe(pipes) == 0);
  const pid_t child = in_child([&] {
    const auto other = open_log(path);
    List<PinnedBlock> pinned;
    if (other->pin_window(0, &pinned) != SharedOutcome::kOk) return 1;
    if (write(pipes[1], "x", 1) != 1) return 2;
    for (;;) pause();
  });
  char ready = 0;
  REQUIRE(read(pipes[0], &ready, 1) == 1);
  close(pipes[0]);
  close(pipes[1]);
  return child;
}

}  // namespace

TEST_CASE("shared log: entries go from process to process") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path);
  CHECK(status_of(in_child([&] {
          const auto log = open_log(path);
          if (!claim(*log)) return 1;
          for (int i = 0; i < 50; ++i) {
            if (append(*log) != Status::kOk) return 2;
          }
          log->release_claim();
          return 0;
        })) == 0);
  uint64_t first = 0;
  uint64_t end = 0;
  CHECK(reads_right(*log, &first, &end));
  CHECK(end == 50);
  CHECK(end - first >= 8);
  memory::WindowBounds bounds = {};
  CHECK(log->bounds(&bounds) == SharedOutcome::kOk);
  CHECK(bounds.first_index == first);
  CHECK(bounds.end_index == end);
  CHECK(log->stats().rolls == 12);
  CHECK(log->stats().pinned == 0);

  // The claim is one for all processes, and goes on where the last one stopped.
  REQUIRE(claim(*log));
  CHECK_FALSE(claim(*log));
  CHECK(status_of(in_child([&] {
          const auto other = open_log(path);
          return other->is_claimed() && !claim(*other) ? 0 : 1;
        })) == 0);
  CHECK(append(*log) == Status::kOk);
  log->end();
  log->release_claim();
  CHECK_FALSE(claim(*log));
  CHECK(status_of(in_child([&] {
          const auto other = open_log(path);
          uint64_t first = 0;
          uint64_t end = 0;
          return other->has_ended() && reads_right(*other, &first, &end) &&
                         end == 51
                     ? 0
                     : 1;
        })) == 0);
}

TEST_CASE(
    "shared log: what a process pins stops the writer, until it is dead") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  // Nothing to spare: whoever holds what has left the window stops the writer.
  const auto log = open_log(path, small_options(0));
  REQUIRE(claim(*log));
  for (int i = 0; i < 30; ++i) REQUIRE(append(*log) == Status::kOk);
  const pid_t child = pinning_child(path);
  Status status = Status::kOk;
  for (int i = 0; i < 30 && status == Status::kOk; ++i) status = append(*log);
  CHECK(status == Status::kPinned);
  CHECK(append(*log) == Status::kPinned);
  kill_child(child);
  for (int i = 0; i < 60; ++i) REQUIRE(append(*log) == Status::kOk);
  CHECK(log->stats().pinned == 0);
  uint64_t first = 0;
  uint64_t end = 0;
  CHECK(reads_right(*log, &first, &end));
  log->release_claim();
}

// With blocks to spare, the writer never comes to those that the dead have left.
TEST_CASE("shared log: what only the dead have pinned is not counted") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path, small_options(20));
  REQUIRE(claim(*log));
  for (int i = 0; i < 30; ++i) REQUIRE(append(*log) == Status::kOk);
  const pid_t child = pinning_child(path);
  for (int i = 0; i < 60; ++i) REQUIRE(append(*log) == Status::kOk);
  CHECK(log->stats().pinned > 0);
  kill_child(child);
  CHECK(log->stats().pinned == 0);
  log->release_claim();
}

TEST_CASE("shared log: a roll that is refused changes nothing") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file(), small_options(0));
  REQUIRE(claim(*log));
  List<PinnedBlock> pinned;
  REQUIRE(log->pin_window(0, &pinned) == SharedOutcome::kOk);
  uint32_t staged = 0;
  Status status = Status::kOk;
  for (int i = 0; i < 30 && status == Status::kOk; ++i) {
    status = stage(*log, log->segment_capacity(), &staged);
  }
  REQUIRE(status == Status::kPinned);
  // What is staged stays so, until it is published or the roll succeeds.
  const SharedLog::Cursor head = log->cursor();
  CHECK(head.published == 0);
  memory::WindowBounds bounds = {};
  CHECK(log->bounds(&bounds) == SharedOutcome::kOk);
  CHECK(bounds.end_index == head.first_index);
  log->publish(1);
  CHECK(stage(*log, log->segment_capacity(), &staged) == Status::kPinned);
  CHECK(log->bounds(&bounds) == SharedOutcome::kOk);
  CHECK(bounds.end_index == head.first_index + 1);
  for (const auto& segment : pinned) {
    log->unpin(segment.block, segment.sequence);
  }
  CHECK(stage(*log, log->segment_capacity(), &staged) == Status::kOk);
  uint64_t first = 0;
  uint64_t end = 0;
  CHECK(reads_right(*log, &first, &end));
  CHECK(end == head.first_index + log->segment_capacity());
  log->release_claim();
}

TEST_CASE("shared log: the writer's own pins count, and are not taken away") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file(), small_options(0));
  REQUIRE(claim(*log));
  List<PinnedBlock> pinned;
  REQUIRE(log->pin_window(0, &pinned) == SharedOutcome::kOk);
  Status status = Status::kOk;
  for (int i = 0; i < 30 && status == Status::kOk; ++i) status = append(*log);
  CHECK(status == Status::kPinned);
  for (const auto& segment : pinned)
    log->unpin(segment.block, segment.sequence);
  CHECK(append(*log) == Status::kOk);
  log->release_claim();
}

TEST_CASE("shared log: where the list is refused room, nothing is pinned") {
  const TemporaryDirectory directory;
  SharedLogOptions options = small_options();
  options.retained_capacity = 60;
  const auto log = open_log(directory.file(), options);
  REQUIRE(claim(*log));
  for (int i = 0; i < 100; ++i) REQUIRE(append(*log) == Status::kOk);
  List<PinnedBlock> pinned;
  refuse_memory_after(0);
  CHECK(log->pin_window(0, &pinned) == SharedOutcome::kNoMemory);
  CHECK(refuse_memory_after(-1) < 0);
  CHECK(pinned.empty());
  // No one keeps the writer from any block.
  for (int i = 0; i < 1000; ++i) REQUIRE(append(*log) == Status::kOk);
  CHECK(log->stats().pinned == 0);
  REQUIRE(log->pin_window(0, &pinned) == SharedOutcome::kOk);
  uint64_t first = 0;
  uint64_t end = 0;
  CHECK(is_right(*log, pinned, &first, &end));
  CHECK(end == 1100);
  log->release_claim();
}

TEST_CASE("shared log: more holders than an entry counts are refused") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  List<PinnedBlock> pinned;
  for (int i = 0; i < 0xFFFF; ++i) {
    REQUIRE(log->pin_window(0, &pinned) == SharedOutcome::kOk);
  }
  const size_t held = pinned.size();
  CHECK(log->pin_window(0, &pinned) == SharedOutcome::kTooManyPins);
  CHECK(pinned.size() == held);
  log->unpin(pinned.back().block, pinned.back().sequence);
  CHECK(log->pin_window(0, &pinned) == SharedOutcome::kOk);
}

// The smallest window there is: the head and one below. Each roll evicts that one
// while the head's successor is still empty.
TEST_CASE("shared log: bounds hold an entry while the window goes by") {
  const TemporaryDirectory directory;
  SharedLogOptions options = small_options();
  options.retained_capacity = 1;
  options.segment_capacity = 1;
  const auto log = open_log(directory.file(), options);
  REQUIRE(claim(*log));
  REQUIRE(append(*log) == Status::kOk);
  std::atomic<bool> is_done{false};
  std::thread writer([&] {
    for (int i = 0; i < 1'000'000; ++i) {
      if (append(*log) != Status::kOk) break;
    }
    is_done.store(true);
  });
  uint64_t last_end = 0;
  bool is_right = true;
  do {
    memory::WindowBounds bounds = {};
    if (log->bounds(&bounds) != SharedOutcome::kOk ||
        bounds.first_index >= bounds.end_index || bounds.end_index < last_end ||
        bounds.end_index - bounds.first_index > 2) {
      is_right = false;
    }
    last_end = bounds.end_index;
  } while (is_right && !is_done.load());
  writer.join();
  CHECK(is_right);
  CHECK(log->cursor().sequence == 1'000'000);
  log->release_claim();
}

TEST_CASE("shared log: a waiter of another process is woken, and by the end") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path);
  REQUIRE(claim(*log));
  for (int round = 0; round < 20; ++round) {
    const uint64_t index = static_cast<uint64_t>(round);
    const pid_t child = in_child([&] {
      const auto other = open_log(path);
      const auto arrival = other->wait_for(index, std::chrono::seconds(60));
      return arrival == memory::Arrival::kReady ? 0 : 1;
    });
    if (round % 2 == 0) usleep(5000);
    CHECK(append(*log) == Status::kOk);
    CHECK(status_of(child) == 0);
  }
  const pid_t child = in_child([&] {
    const auto other = open_log(path);
    const auto arrival = other->wait_for(1000, std::chrono::seconds(60));
    return arrival == memory::Arrival::kEnded ? 0 : 1;
  });
  usleep(5000);
  log->end();
  log->release_claim();
  CHECK(status_of(child) == 0);
}

TEST_CASE("shared log: a waiter of the same process, and a time that is over") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  REQUIRE(claim(*log));
  CHECK(log->wait_for(0, std::chrono::milliseconds(1)) ==
        memory::Arrival::kPending);
  std::thread waiter([&] {
    CHECK(log->wait_for(5, std::chrono::seconds(60)) ==
          memory::Arrival::kReady);
  });
  for (int i = 0; i < 6; ++i) {
    usleep(1000);
    CHECK(append(*log) == Status::kOk);
  }
  waiter.join();
  log->release_claim();
}

// Anything can stand in the memory: what is read may be wrong, but every call
// comes back, and touches nothing else.
TEST_CASE("shared log: stray stores into all that processes share") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const int rounds = number_of("STRAY_STORES", 60);
  for (int round = 0; round < rounds; ++round) {
    CHECK(
        status_of(in_child([&] {
          const auto log = open_log(path, small_options(1));
          if (log == nullptr || !claim(*log)) return 1;
          for (int i = 0; i < 30; ++i) {
            if (append(*log) != Status::kOk) return 2;
          }
          std::mt19937_64 random(static_cast<uint64_t>(round));
          const shared_memory::SharedFormat& format = log->format();
          char* const base = log->mapping()->data();
          const uint64_t from = format.control_offset;
          const int stores = 1 + round % 40;
          List<PinnedBlock> pinned;
          for (int i = 0; i < 3; ++i) {
            for (int k = 0; k < stores; ++k) {
              const uint64_t at =
                  from + random() % (format.data_offset - from) / 8 * 8;
              const uint64_t values[] = {
                  0,          1,          random(),      ~0ull,
                  1ull << 63, 1ull << 53, random() % 16, random() % 100 << 16};
              const uint64_t value = values[random() % 8];
              std::memcpy(base + at, &value, 8);
              if (k % 4 == 0) {
                // A published word.
                std::memcpy(log->block_data(static_cast<uint32_t>(
                                random() % format.blocks)),
                            &value, 4);
              }
            }
            (void)log->pin_window(0, &pinned);
            for (const auto& segment : pinned) {
              if (segment.count > log->segment_capacity() ||
                  segment.block >= format.blocks) {
                return 3;
              }
            }
            memory::WindowBounds bounds = {};
            (void)log->bounds(&bounds);
            (void)log->stats();
            for (int k = 0; k < 20; ++k) (void)append(*log);
            log->release_claim();
            bool is_claimed = false;
            (void)log->try_claim(&is_claimed);
            if (!is_claimed && !claim(*log)) return 0;
          }
          return 0;
        })) == 0);
    // Others can still look at it, and take it away.
    (void)open_log(path, small_options(1), SharedOpenMode::kJoin);
    REQUIRE(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
  }
}

#endif  // defined(__linux__)
