// Processes that share a log in circumstances of their own: many, stopped, in other
// namespaces, with children, on a file system that is full.
#if defined(__linux__)

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "core/shared_memory/shared_log.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log;
using namespace atomic_log::test;

namespace {

// What the system does not let this test do.
constexpr int kNotAllowed = 77;

bool is_mapped(const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(path) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("shared log: 64 processes read, and one more is refused") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options(40);
  options.readers_max = 64;
  const auto log = open_log(path, options);
  REQUIRE(claim(*log));
  for (int i = 0; i < 30; ++i) REQUIRE(append(*log) == Status::kOk);
  const Pipe ready;
  const Pipe go;
  std::vector<pid_t> readers;
  for (int i = 1; i < 64; ++i) {
    readers.push_back(in_child([&] {
      const auto other = open_log(path, options);
      List<PinnedBlock> pinned;
      if (other == nullptr ||
          other->pin_window(0, &pinned) != SharedOutcome::kOk) {
        return 1;
      }
      if (!ready.tell() || !go.hear()) return 2;
      uint64_t first = 0;
      uint64_t end = 0;
      if (!is_right(*other, pinned, &first, &end) || end != 30) return 3;
      return reads_right(*other, &first, &end) && end == 130 ? 0 : 4;
    }));
  }
  for (size_t i = 0; i < readers.size(); ++i) REQUIRE(ready.hear());
  const auto join = [&] {
    std::shared_ptr<SharedLog> other;
    const OpenResult result =
        SharedLog::open(path, SharedOpenMode::kJoin, nullptr, 0, {}, &other);
    return static_cast<int>(result.outcome);
  };
  CHECK(status_of(in_child(join)) == static_cast<int>(SharedOutcome::kNoSlot));
  for (int i = 0; i < 100; ++i) REQUIRE(append(*log) == Status::kOk);
  for (size_t i = 0; i < readers.size(); ++i) REQUIRE(go.tell());
  for (const pid_t reader : readers) CHECK(status_of(reader) == 0);
  CHECK(status_of(in_child(join)) == static_cast<int>(SharedOutcome::kOk));
  CHECK(log->stats().pinned == 0);
  log->release_claim();
}

// As a writer does that clears the slot of a dead process.
TEST_CASE("shared log: a slot that is locked for a moment is waited for") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options();
  options.readers_max = 2;
  const auto log = open_log(path, options);
  std::unique_ptr<platform::SharedFile> file;
  REQUIRE(platform::SharedFile::open(path, platform::SharedAccess::kReadWrite,
                                     &file)
              .ok());
  std::atomic<bool> is_done{false};
  std::thread writer([&] {
    while (!is_done.load()) {
      (void)file->try_lock(shared_memory::slot_lock(1));
      usleep(500);
      file->unlock(shared_memory::slot_lock(1));
      usleep(500);
    }
  });
  for (int i = 0; i < 20; ++i) {
    CHECK(status_of(in_child([&] { return open_log(path) ? 0 : 1; })) == 0);
  }
  is_done.store(true);
  writer.join();
}

TEST_CASE(
    "shared log: a reader that is stopped stops the writer, and goes on") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  // One segment fewer than the window has, all of which the reader pins.
  const SharedLogOptions options = small_options(2);
  const auto log = open_log(path, options);
  REQUIRE(claim(*log));
  for (int i = 0; i < 30; ++i) REQUIRE(append(*log) == Status::kOk);
  const Pipe dropped;
  const Pipe go;
  const pid_t reader = in_child([&] {
    const auto other = open_log(path);
    List<PinnedBlock> pinned;
    if (other->pin_window(0, &pinned) != SharedOutcome::kOk) return 1;
    raise(SIGSTOP);
    uint64_t first = 0;
    uint64_t end = 0;
    if (!is_right(*other, pinned, &first, &end) || end != 30) return 2;
    for (const PinnedBlock& segment : pinned) {
      other->unpin(segment.block, segment.sequence);
    }
    if (!dropped.tell() || !go.hear()) return 3;
    return reads_right(*other, &first, &end) && end == 230 ? 0 : 4;
  });
  int status = 0;
  REQUIRE(waitpid(reader, &status, WUNTRACED) == reader);
  REQUIRE(WIFSTOPPED(status));
  // The rest of the head, and then a segment in each block that is to spare: the
  // one that a roll needs, and the extra ones.
  uint64_t appended = 30;
  while (appended < 1000 && append(*log) == Status::kOk) ++appended;
  const uint64_t spare = options.extra_segments + 1;
  CHECK(appended == (30 / 4 + 1 + spare) * 4);
  CHECK(log->stats().pinned == spare);
  CHECK(append(*log) == Status::kPinned);

  kill(reader, SIGCONT);
  REQUIRE(dropped.hear());
  for (; appended < 230; ++appended) REQUIRE(append(*log) == Status::kOk);
  REQUIRE(go.tell());
  CHECK(status_of(reader) == 0);
  log->release_claim();
}

namespace {

bool leave_namespace() {
  return unshare(CLONE_NEWPID) == 0 ||
         unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0;
}

// Runs in a PID namespace of its own, as process 1 of it, where no one else is
// seen. It dies with the process that is returned, a moment later.
template <typename Run>
pid_t in_namespace(Run run) {
  return in_child([&] {
    if (!leave_namespace()) return kNotAllowed;
    return status_of(in_child([&] {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      return getpid() == 1 ? run() : 1;
    }));
  });
}

}  // namespace

TEST_CASE("shared log: processes of different PID namespaces") {
  if (status_of(in_namespace([] { return 0; })) == kNotAllowed) {
    MESSAGE("skipped: the system allows no PID namespace");
    return;
  }
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path, small_options(0));
  const Pipe ready;
  const pid_t writer = in_namespace([&] {
    const auto other = open_log(path);
    if (other == nullptr || !claim(*other)) return 2;
    for (int i = 0; i < 30; ++i) {
      if (append(*other) != Status::kOk) return 3;
    }
    while (ready.tell()) pause();
    return 4;
  });
  REQUIRE(ready.hear());
  CHECK(log->is_claimed());
  CHECK_FALSE(claim(*log));
  kill_child(writer);
  REQUIRE(claim_soon(*log));

  const pid_t reader = in_namespace([&] {
    const auto other = open_log(path);
    List<PinnedBlock> pinned;
    if (other->pin_window(0, &pinned) != SharedOutcome::kOk) return 2;
    while (ready.tell()) pause();
    return 3;
  });
  REQUIRE(ready.hear());
  Status status = Status::kOk;
  for (int i = 0; i < 1000 && status == Status::kOk; ++i) status = append(*log);
  CHECK(status == Status::kPinned);
  kill_child(reader);
  for (int i = 0; i < 5000 && status == Status::kPinned; ++i) {
    usleep(1000);
    status = append(*log);
  }
  CHECK(status == Status::kOk);
  log->release_claim();
}

TEST_CASE("shared log: a program that a process has started keeps no lock") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path, small_options(0));
  const Pipe ready;
  pid_t* const started =
      static_cast<pid_t*>(mmap(nullptr, sizeof(pid_t), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t member = in_child([&] {
    const auto other = open_log(path);
    List<PinnedBlock> pinned;
    if (!claim(*other) || append(*other) != Status::kOk ||
        other->pin_window(0, &pinned) != SharedOutcome::kOk) {
      return 1;
    }
    // The memory is not even there before another program runs.
    const pid_t forked = in_child([&] { return is_mapped(path) ? 1 : 0; });
    if (!is_mapped(path) || status_of(forked) != 0) return 2;
    const pid_t program = fork();
    if (program == 0) {
      execlp("sleep", "sleep", "1000", nullptr);
      _exit(1);
    }
    *started = program;
    while (ready.tell()) pause();
    return 3;
  });
  REQUIRE(ready.hear());
  CHECK_FALSE(claim(*log));
  kill_child(member);
  CHECK(claim_soon(*log));
  REQUIRE(*started > 0);
  CHECK(kill(*started, 0) == 0);
  for (int i = 0; i < 60; ++i) CHECK(append(*log) == Status::kOk);
  CHECK(log->stats().pinned == 0);
  kill(*started, SIGKILL);
  munmap(started, sizeof(pid_t));
  log->release_claim();
}

TEST_CASE("shared log: a file system that is full") {
  const TemporaryDirectory directory;
  // In a process of its own, because its mounts are seen by no one else.
  const int status = status_of(in_child([&] {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", directory.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
      return kNotAllowed;
    }
    const std::string path = directory.file();
    const auto open = [&](const char* name, const SharedLogOptions& options) {
      std::shared_ptr<SharedLog> log;
      return SharedLog::open(directory.file(name),
                             SharedOpenMode::kCreateOrJoin, &options, 0600, {},
                             &log);
    };
    SharedLogOptions large = small_options();
    large.retained_capacity = 100'000;
    large.segment_capacity = 1000;
    const OpenResult refused = open("log", large);
    if (refused.outcome != SharedOutcome::kIo ||
        refused.io.code != platform::IoCode::kNoSpace) {
      return 1;
    }
    if (directory.names() != 0) return 2;

    // What is there already has its space.
    const auto log = open_log(path);
    if (log == nullptr || !claim(*log)) return 3;
    // A copy with holes, and something that takes the rest.
    const uint64_t bytes = log->format().file_bytes;
    const int copy =
        ::open(directory.file("copy").c_str(), O_CREAT | O_RDWR, 0600);
    if (write(copy, log->mapping()->data(), 4096) != 4096 ||
        ftruncate(copy, static_cast<off_t>(bytes)) != 0) {
      return 4;
    }
    const int rest =
        ::open(directory.file("rest").c_str(), O_CREAT | O_RDWR, 0600);
    const std::vector<char> page(4096);
    while (write(rest, page.data(), page.size()) > 0) continue;
    for (int i = 0; i < 100; ++i) {
      if (append(*log) != Status::kOk) return 5;
    }
#if !defined(ATOMIC_LOG_PORTABLE)
    if (open("copy", small_options()).io.code != platform::IoCode::kNoSpace) {
      return 6;
    }
#endif
    if (open("other", small_options()).io.code != platform::IoCode::kNoSpace) {
      return 7;
    }
    return directory.names() == 3 ? 0 : 8;
  }));
  if (status == kNotAllowed) {
    MESSAGE("skipped: the system allows no mount");
    return;
  }
  CHECK(status == 0);
}

#endif  // defined(__linux__)
