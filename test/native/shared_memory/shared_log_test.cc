#if defined(__linux__)

#include "core/shared_memory/shared_log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "core/base/crc32.h"
#include "core/base/little_endian.h"
#include "support/faults.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log;
using namespace atomic_log::test;
using shared_memory::Mismatch;

namespace {

OpenResult try_open(const std::string& path, SharedOpenMode mode) {
  const SharedLogOptions options = small_options();
  std::shared_ptr<SharedLog> log;
  return SharedLog::open(path, mode, &options, 0600, false, &log);
}

// Changes a header, and its checksum with it.
void change_header(const std::string& path, size_t at, uint8_t mask) {
  const int file = open(path.c_str(), O_RDWR);
  std::vector<uint8_t> header(128);
  REQUIRE(pread(file, header.data(), 128, 0) == 128);
  header.resize(load_u32(header.data() + 16));
  REQUIRE(pread(file, header.data(), header.size(), 0) ==
          static_cast<ssize_t>(header.size()));
  header[at] ^= mask;
  store_u32(header.data() + 20, 0);
  store_u32(header.data() + 20,
            crc32(Crc32Kind::kCastagnoli, 0, header.data(), header.size()));
  REQUIRE(pwrite(file, header.data(), header.size(), 0) ==
          static_cast<ssize_t>(header.size()));
  close(file);
}

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

TEST_CASE("shared log: made, joined, joined again by the same process") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  CHECK(try_open(path, SharedOpenMode::kJoin).io.code ==
        platform::IoCode::kNotFound);
  const auto log = open_log(path);
  REQUIRE(log != nullptr);
  CHECK(directory.names() == 1);
  CHECK(open_log(path, small_options(), SharedOpenMode::kJoin) == log);
  CHECK(SharedLog::find(log->id(), log->token()) == log);
  CHECK(SharedLog::find(log->id(), "other") == nullptr);
  CHECK(try_open(path, SharedOpenMode::kCreate).io.code ==
        platform::IoCode::kExists);
  struct stat info;
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(static_cast<uint64_t>(info.st_blocks) * 512 >=
        log->format().file_bytes);
}

TEST_CASE("shared log: what is not one is refused, and it is said why") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  CHECK(try_open(directory.path(), SharedOpenMode::kCreateOrJoin).outcome ==
        SharedOutcome::kIo);
  CHECK(try_open(directory.file("no/log"), SharedOpenMode::kCreateOrJoin)
            .io.code == platform::IoCode::kNotFound);
  close(open(path.c_str(), O_CREAT | O_RDWR, 0600));
  CHECK(try_open(path, SharedOpenMode::kCreateOrJoin).mismatch ==
        Mismatch::kMagic);
  CHECK(SharedLog::unlink(path).mismatch == Mismatch::kMagic);
  unlink(path.c_str());

  open_log(path).reset();
  change_header(path, 12, 3);
  const OpenResult other = try_open(path, SharedOpenMode::kJoin);
  CHECK(other.mismatch == Mismatch::kVersion);
  CHECK(other.found == 1);
  change_header(path, 12, 3);
  REQUIRE(truncate(path.c_str(), 4096) == 0);
  CHECK(try_open(path, SharedOpenMode::kJoin).mismatch == Mismatch::kFileBytes);
  CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
  CHECK(directory.names() == 0);
}

TEST_CASE("shared log: a file of another run of the system gives way") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  auto log = open_log(path);
  const std::string token = log->token();
  log.reset();
  change_header(path, 96, 0xff);
  CHECK(try_open(path, SharedOpenMode::kJoin).mismatch == Mismatch::kBoot);
  log = open_log(path);
  REQUIRE(log != nullptr);
  CHECK(log->token() != token);
  CHECK(directory.names() == 1);

  // Who asks for a new one gets it, and no one after that.
  log.reset();
  change_header(path, 96, 0xff);
  log = open_log(path, small_options(), SharedOpenMode::kCreate);
  CHECK(log != nullptr);
  CHECK(try_open(path, SharedOpenMode::kCreate).io.code ==
        platform::IoCode::kExists);
}

TEST_CASE("shared log: it gives way whatever its name, and no other file") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const std::string longest = directory.file(std::string(255, 'x').c_str());
  const std::string theirs = path + ".new-atomic-log";
  close(open(theirs.c_str(), O_CREAT | O_RDWR, 0600));
  for (const std::string& old : {path, longest}) {
    auto log = open_log(old);
    REQUIRE(log != nullptr);
    const std::string token = log->token();
    log.reset();
    change_header(old, 96, 0xff);
    log = open_log(old);
    REQUIRE(log != nullptr);
    CHECK(log->token() != token);
  }
  struct stat info;
  CHECK(stat(theirs.c_str(), &info) == 0);
  CHECK(directory.names() == 3);
}

namespace {

// An ended log with other sizes than those that small_options() has.
std::string end_log(const std::string& path) {
  SharedLogOptions options = small_options();
  options.retained_capacity = 80;
  const auto log = open_log(path, options, SharedOpenMode::kReplaceEnded);
  REQUIRE(log != nullptr);
  REQUIRE(claim(*log));
  log->end();
  log->release_claim();
  return log->token();
}

}  // namespace

// Where /proc is not there, or a sandbox hides it: the log that others use must not
// be taken for one of an earlier run.
TEST_CASE("shared log: a run of the system that is not said is this one") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  auto log = open_log(path);
  const std::string token = log->token();
  log.reset();
  for (size_t i = 0; i < 16; ++i) {
    change_header(path, 96 + i, platform::boot_id().bytes[i]);
  }
  log = open_log(path);
  REQUIRE(log != nullptr);
  CHECK(log->token() == token);
  CHECK_FALSE(log->is_of_earlier_run());
}

TEST_CASE("shared log: one that has ended gives way where that is asked for") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const std::string token = end_log(path);
  CHECK(open_log(path, {}, SharedOpenMode::kJoin)->token() == token);
  CHECK(open_log(path)->token() == token);
  CHECK(try_open(path, SharedOpenMode::kCreate).io.code ==
        platform::IoCode::kExists);
  // Who has it open keeps it.
  const auto old = open_log(path);
  const auto log =
      open_log(path, small_options(), SharedOpenMode::kReplaceEnded);
  REQUIRE(log != nullptr);
  CHECK(log->token() != token);
  CHECK(log->format().options.retained_capacity == 8);
  CHECK(old->has_ended());
  REQUIRE(claim(*log));
  REQUIRE(append(*log) == Status::kOk);
  CHECK(directory.names() == 1);
  // One that goes on is joined.
  CHECK(open_log(path, small_options(), SharedOpenMode::kReplaceEnded) == log);
  log->release_claim();
}

TEST_CASE("shared log: processes that replace it at once get one") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  for (int round = 0; round < 10; ++round) {
    const std::string old = end_log(path);
    pid_t children[4];
    int pipes[2];
    REQUIRE(pipe(pipes) == 0);
    for (pid_t& child : children) {
      child = in_child([&] {
        const auto log =
            open_log(path, small_options(), SharedOpenMode::kReplaceEnded);
        if (log == nullptr) return 1;
        return write(pipes[1], log->token().data(), 32) == 32 ? 0 : 2;
      });
    }
    std::string tokens[4];
    for (std::string& token : tokens) {
      token.resize(32);
      CHECK(read(pipes[0], token.data(), 32) == 32);
      CHECK(token == tokens[0]);
      CHECK(token != old);
    }
    for (const pid_t child : children) CHECK(status_of(child) == 0);
    close(pipes[0]);
    close(pipes[1]);
    CHECK(directory.names() == 1);
    CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
  }
}

TEST_CASE("shared log: who is killed while it replaces one leaves nothing") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const std::string old = end_log(path);
  CHECK(status_of(in_child([&] {
          at_writer_step([](const char* name) {
            if (std::strcmp(name, "unnamed") == 0) kill(getpid(), SIGKILL);
          });
          open_log(path, small_options(), SharedOpenMode::kReplaceEnded);
          return 0;
        })) == -SIGKILL);
  // Where every file has a name, the next one takes it away.
  if (makes_unnamed_files(directory)) CHECK(directory.names() == 0);
  const auto log =
      open_log(path, small_options(), SharedOpenMode::kReplaceEnded);
  REQUIRE(log != nullptr);
  CHECK(log->token() != old);
  CHECK(directory.names() == 1);
}

TEST_CASE("shared log: unlink takes the name, and who has it keeps the log") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path);
  REQUIRE(claim(*log));
  CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
  CHECK(SharedLog::unlink(path).io.code == platform::IoCode::kNotFound);
  for (int i = 0; i < 100; ++i) REQUIRE(append(*log) == Status::kOk);
  const auto next = open_log(path);
  CHECK(next != log);
  uint64_t first = 0;
  uint64_t end = 0;
  CHECK(reads_right(*log, &first, &end));
  CHECK(end == 100);
  CHECK(reads_right(*next, &first, &end));
  CHECK(end == 0);
  log->release_claim();
}

// A process that is stopped within unlink() has the lock for as long.
TEST_CASE("shared log: unlink waits for another, but not for ever") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  open_log(path).reset();
  std::unique_ptr<platform::SharedFile> other;
  REQUIRE(platform::SharedFile::open(path, platform::SharedAccess::kReadWrite,
                                     &other)
              .ok());
  REQUIRE(other->try_lock(shared_memory::kNameLock));
  CHECK(SharedLog::unlink(path).io.code == platform::IoCode::kLocked);
  other->unlock(shared_memory::kNameLock);
  CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
}

TEST_CASE("shared log: processes that make it at once get one") {
  const TemporaryDirectory directory;
  for (int round = 0; round < 10; ++round) {
    const std::string path = directory.file();
    std::vector<pid_t> children;
    int pipes[2];
    REQUIRE(pipe(pipes) == 0);
    for (int i = 0; i < 4; ++i) {
      children.push_back(in_child([&] {
        const auto log = open_log(path);
        if (log == nullptr) return 1;
        return write(pipes[1], log->token().data(), 32) == 32 ? 0 : 2;
      }));
    }
    std::string tokens[4];
    for (std::string& token : tokens) {
      token.resize(32);
      CHECK(read(pipes[0], token.data(), 32) == 32);
      CHECK(token == tokens[0]);
    }
    for (const pid_t child : children) CHECK(status_of(child) == 0);
    close(pipes[0]);
    close(pipes[1]);
    CHECK(directory.names() == 1);
    CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
  }
}

TEST_CASE("shared log: as many processes as it has slots") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options();
  options.readers_max = 1;
  auto log = open_log(path, options);
  CHECK(status_of(in_child([&] {
          std::shared_ptr<SharedLog> other;
          const OpenResult result = SharedLog::open(path, SharedOpenMode::kJoin,
                                                    nullptr, 0, false, &other);
          return result.outcome == SharedOutcome::kNoSlot ? 0 : 1;
        })) == 0);
  log.reset();
  CHECK(status_of(in_child([&] {
          return open_log(path, options, SharedOpenMode::kJoin) == nullptr;
        })) == 0);
}

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
  SharedLog::Bounds bounds = {};
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
  SharedLog::Bounds bounds = {};
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

TEST_CASE("shared log: opening where memory for the header is refused") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options();
  options.descriptor.resize(1000);
  const auto log = open_log(path, options);
  REQUIRE(log != nullptr);
  // Its fixed part, and all of it; a joiner reads it twice.
  for (int64_t granted = 0; granted < 4; ++granted) {
    std::shared_ptr<SharedLog> joined;
    refuse_memory_after(granted);
    const OpenResult result = SharedLog::open(path, SharedOpenMode::kJoin,
                                              nullptr, 0600, false, &joined);
    CHECK(refuse_memory_after(-1) < 0);
    CHECK(result.outcome == SharedOutcome::kNoMemory);
    CHECK(joined == nullptr);
  }
  for (int64_t granted = 0; granted < 2; ++granted) {
    refuse_memory_after(granted);
    CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kNoMemory);
    CHECK(refuse_memory_after(-1) < 0);
  }
  CHECK(open_log(path, options) == log);
  CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
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
    SharedLog::Bounds bounds = {};
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
            SharedLog::Bounds bounds = {};
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
