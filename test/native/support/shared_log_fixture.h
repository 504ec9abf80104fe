// A log in a file of its own, with entries whose second column follows from the
// index, and child processes that use it.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_SHARED_LOG_FIXTURE_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_SHARED_LOG_FIXTURE_H_

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/shared_memory/shared_log.h"

namespace atomic_log::test {

using shared_memory::OpenResult;
using shared_memory::PinnedBlock;
using shared_memory::SharedLog;
using shared_memory::SharedLogOptions;
using shared_memory::SharedOpenMode;
using shared_memory::SharedOutcome;

// What the entry with that index holds.
inline uint64_t entry_of(uint64_t index) {
  uint64_t x = index + 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  return x ^ (x >> 27);
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/atomic-log-shared-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TemporaryDirectory() {
    // NOLINTNEXTLINE: its own directory.
    if (system(("rm -rf " + path_).c_str()) != 0) abort();
  }
  const std::string& path() const { return path_; }
  std::string file(const char* name = "log") const {
    return path_ + "/" + name;
  }
  size_t names() const {
    List<std::string> names;
    CHECK(platform::native_file_system().list(path_, &names).ok());
    return names.size();
  }

 private:
  std::string path_;
};

// Whether a file that is being made has no name, so that its maker's death leaves
// none.
inline bool makes_unnamed_files(const TemporaryDirectory& directory) {
  const size_t before = directory.names();
  std::unique_ptr<platform::SharedFile> file;
  CHECK(platform::SharedFile::create(directory.file("probe"), 0600, 4096, &file)
            .ok());
  return directory.names() == before;
}

inline SharedLogOptions small_options(uint32_t extra_segments = 1) {
  SharedLogOptions options;
  options.retained_capacity = 8;
  options.segment_capacity = 4;
  options.element_bytes = {8, 8};
  options.readers_max = 4;
  options.extra_segments = extra_segments;
  return options;
}

inline std::shared_ptr<SharedLog> open_log(
    const std::string& path, const SharedLogOptions& options = small_options(),
    SharedOpenMode mode = SharedOpenMode::kCreateOrJoin) {
  std::shared_ptr<SharedLog> log;
  const OpenResult result =
      SharedLog::open(path, mode, &options, 0600, {}, &log);
  if (result.outcome != SharedOutcome::kOk) return nullptr;
  return log;
}

inline uint64_t* column_of(SharedLog& log, uint32_t block, size_t column) {
  return reinterpret_cast<uint64_t*>(
      log.block_data(block) + log.format().layout.column_offsets()[column]);
}

inline bool claim(SharedLog& log) {
  bool is_claimed = false;
  return log.try_claim(&is_claimed) == SharedOutcome::kOk && is_claimed;
}

// A killed process's lock is free a moment after its death.
inline bool claim_soon(SharedLog& log) {
  for (int i = 0; i < 5000; ++i) {
    if (claim(log)) return true;
    usleep(1000);
  }
  return false;
}

// Publishes one more entry; begins another segment where that is needed.
inline Status append(SharedLog& log) {
  if (log.cursor().published == log.segment_capacity()) {
    const Status status = log.roll(log.segment_capacity());
    if (status != Status::kOk) return status;
  }
  const SharedLog::Cursor& head = log.cursor();
  const uint64_t index = head.first_index + head.published;
  column_of(log, head.block, 0)[head.published] = index;
  column_of(log, head.block, 1)[head.published] = entry_of(index);
  log.publish(head.published + 1);
  return Status::kOk;
}

// The same, but a segment is published by the roll only, when it has `most`
// entries; *staged is how many the head has so far.
inline Status stage(SharedLog& log, uint32_t most, uint32_t* staged) {
  if (*staged >= most) {
    const Status status = log.roll(*staged);
    if (status != Status::kOk) return status;
    *staged = 0;
  }
  const SharedLog::Cursor& head = log.cursor();
  const uint64_t index = head.first_index + *staged;
  column_of(log, head.block, 0)[*staged] = index;
  column_of(log, head.block, 1)[*staged] = entry_of(index);
  ++*staged;
  return Status::kOk;
}

// Whether all entries that are pinned are what was appended, without a gap;
// *end is the index after the last one.
inline bool is_right(SharedLog& log, const List<PinnedBlock>& pinned,
                     uint64_t* first, uint64_t* end) {
  if (pinned.empty()) return false;
  *first = pinned.front().first_index;
  *end = *first;
  for (const PinnedBlock& segment : pinned) {
    if (segment.first_index != *end) return false;
    for (uint32_t i = 0; i < segment.count; ++i) {
      if (column_of(log, segment.block, 0)[i] != *end + i ||
          column_of(log, segment.block, 1)[i] != entry_of(*end + i)) {
        return false;
      }
    }
    *end += segment.count;
  }
  return true;
}

// Takes a snapshot and checks it.
inline bool reads_right(SharedLog& log, uint64_t* first, uint64_t* end) {
  List<PinnedBlock> pinned;
  if (log.pin_window(0, &pinned) != SharedOutcome::kOk) return false;
  const bool right = is_right(log, pinned, first, end);
  for (const PinnedBlock& segment : pinned) {
    log.unpin(segment.block, segment.sequence);
  }
  return right;
}

// Runs in a child process, which ends with what it returns.
template <typename Run>
pid_t in_child(Run run) {
  const pid_t child = fork();
  if (child == 0) _exit(run());
  return child;
}

inline int status_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// How often a test repeats something; the environment has the last word.
inline int number_of(const char* name, int otherwise) {
  const char* const text = getenv(name);
  return text == nullptr ? otherwise : atoi(text);
}

// A pipe between a test and its child processes.
class Pipe {
 public:
  Pipe() { REQUIRE(pipe(ends_) == 0); }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  bool tell() const { return write(ends_[1], "x", 1) == 1; }
  // Waits until the other side has told; not for one that is dead.
  bool hear() const {
    pollfd waited = {ends_[0], POLLIN, 0};
    char byte = 0;
    return poll(&waited, 1, 60'000) == 1 && read(ends_[0], &byte, 1) == 1;
  }

 private:
  int ends_[2];
};

inline void kill_child(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_SHARED_LOG_FIXTURE_H_
