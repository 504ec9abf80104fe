// Processes that share a log, killed at random: PROCESS_KILLS=10000 for a long run.
#if defined(__linux__)

#include <random>

#include "core/shared_memory/shared_log.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log;
using namespace atomic_log::test;

namespace {

// The slot of one that was killed may be locked by a writer for a moment.
std::shared_ptr<SharedLog> join(const std::string& path) {
  std::shared_ptr<SharedLog> log;
  for (int i = 0; i < 100 && log == nullptr; ++i) {
    log = open_log(path, {}, SharedOpenMode::kJoin);
  }
  return log;
}

// Until it is killed: a number when something was wrong.
int read_until_killed(const std::string& path, unsigned seed) {
  const auto log = join(path);
  if (log == nullptr) return 1;
  std::mt19937 random(seed);
  uint64_t last_end = 0;
  List<PinnedBlock> kept;
  for (;;) {
    List<PinnedBlock> pinned;
    if (log->pin_window(0, &pinned) != SharedOutcome::kOk) return 2;
    uint64_t first = 0;
    uint64_t end = 0;
    if (!is_right(*log, pinned, &first, &end)) return 3;
    if (end < last_end) return 4;
    last_end = end;
    // One is kept for a while, and read again before it is dropped.
    if (random() % 8 == 0) {
      if (!kept.empty() && !is_right(*log, kept, &first, &end)) return 5;
      std::swap(kept, pinned);
    }
    for (const auto& segment : pinned) {
      log->unpin(segment.block, segment.sequence);
    }
    // So that each of several gets its turn where there are fewer processors.
    if (random() % 64 == 0) usleep(100);
  }
}

// Two of them: one stands by while the other has the claim.
int write_until_killed(const std::string& path) {
  const auto log = join(path);
  if (log == nullptr) return 1;
  while (!claim(*log)) usleep(200);
  for (;;) {
    const Status status = append(*log);
    if (status == Status::kPinned) continue;
    if (status != Status::kOk) return 2;
  }
}

// This process and seven others.
class Members {
 public:
  static constexpr size_t kWriters = 2;
  static constexpr size_t kCount = 7;

  explicit Members(const std::string& path) : path_(path) {
    for (size_t i = 0; i < kCount; ++i) start(i);
  }
  ~Members() {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      CHECK(status_of(child) == -SIGKILL);
    }
  }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  void replace(size_t i) {
    kill(children_[i], SIGKILL);
    REQUIRE(status_of(children_[i]) == -SIGKILL);
    start(i);
  }

 private:
  void start(size_t i) {
    const unsigned seed = ++seed_;
    children_[i] = in_child([&] {
      return i < kWriters ? write_until_killed(path_)
                          : read_until_killed(path_, seed);
    });
  }

  const std::string path_;
  pid_t children_[kCount] = {};
  unsigned seed_ = 0;
};

}  // namespace

TEST_CASE("shared log: writers and readers that are killed at random") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options(2);
  options.readers_max = 8;
  const auto log = open_log(path, options);
  std::mt19937 random(7);
  uint64_t last_end = 0;
  {
    Members members(path);
    const int kills = number_of("PROCESS_KILLS", 300);
    for (int i = 0; i < kills; ++i) {
      usleep(static_cast<useconds_t>(random() % 3000));
      members.replace(random() % 2 == 0 ? random() % Members::kWriters
                                        : random() % Members::kCount);
      uint64_t first = 0;
      uint64_t end = 0;
      REQUIRE(reads_right(*log, &first, &end));
      REQUIRE(end >= last_end);
      last_end = end;
    }
  }
  CHECK(last_end > 0);
  // No pin of the dead is left once every block was used again.
  REQUIRE(claim_soon(*log));
  for (int i = 0; i < 60; ++i) {
    Status status = append(*log);
    for (int tries = 0; tries < 1000 && status == Status::kPinned; ++tries) {
      usleep(1000);
      status = append(*log);
    }
    REQUIRE(status == Status::kOk);
  }
  CHECK(log->stats().pinned == 0);
  log->release_claim();
}

TEST_CASE("shared log: a reader that is stopped at any moment reads right") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path, small_options(4));
  const pid_t reader = in_child([&] { return read_until_killed(path, 3); });
  REQUIRE(claim(*log));
  for (int i = 0; i < 20; ++i) {
    usleep(500);
    kill(reader, SIGSTOP);
    for (int k = 0; k < 200; ++k) {
      const Status status = append(*log);
      REQUIRE((status == Status::kOk || status == Status::kPinned));
    }
    kill(reader, SIGCONT);
  }
  kill(reader, SIGKILL);
  CHECK(status_of(reader) == -SIGKILL);
  log->release_claim();
}

#endif  // defined(__linux__)
