// Who has the log of a process that forks.
#if !defined(_WIN32)

#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/durable/wal/wal_writer.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Outcome;
using platform::IoCode;
using platform::OpenMode;

struct Directory {
  Directory() {
    std::string name =
        (std::filesystem::temp_directory_path() / "atomic-log-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

OpenedWal open_in(const Directory& directory) {
  durable::WalOptions options = small_wal();
  options.directory = directory.path + "/log";
  options.process_id = static_cast<uint64_t>(getpid());
  OpenedWal result;
  result.outcome = durable::WalWriter::open(platform::native_file_system(),
                                            options, &result.writer,
                                            &result.recovery, &result.failure);
  return result;
}

// The lock of the system alone, without the list of this process.
IoCode try_lock(const Directory& directory) {
  std::unique_ptr<platform::File> file;
  REQUIRE(platform::native_file_system()
              .open(directory.path + "/log/LOCK", OpenMode::kReadWrite, &file)
              .ok());
  return file->lock().code;
}

// Runs in a child process, which reports with its exit status.
template <typename Run>
int in_child(Run run) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(run());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_SUITE_BEGIN("wal lock");

TEST_CASE("a forked child cannot open its parent's log") {
  const Directory directory;
  OpenedWal opened = open_in(directory);
  REQUIRE(opened.outcome == Outcome::kOk);
  const auto parent = static_cast<uint64_t>(getpid());
  CHECK(in_child([&] {
          const OpenedWal again = open_in(directory);
          if (again.outcome != Outcome::kLocked) return 1;
          return again.failure.value == parent ? 0 : 2;
        }) == 0);
  CHECK(in_child([&] {
          return try_lock(directory) == IoCode::kLocked ? 0 : 1;
        }) == 0);
  opened.writer.reset();
  CHECK(in_child([&] {
          return open_in(directory).outcome == Outcome::kOk ? 0 : 1;
        }) == 0);
}

TEST_CASE("a forked child that ends or releases it leaves the lock alone") {
  const Directory directory;
  OpenedWal opened = open_in(directory);
  REQUIRE(opened.outcome == Outcome::kOk);
  // Closing any handle of the file would end a lock of fcntl.
  CHECK(in_child([&] {
          std::unique_ptr<platform::File> file;
          const bool is_open =
              platform::native_file_system()
                  .open(directory.path + "/log/LOCK", OpenMode::kRead, &file)
                  .ok();
          file.reset();
          opened.writer.reset();
          return is_open ? 0 : 1;
        }) == 0);
  CHECK(try_lock(directory) == IoCode::kLocked);
  CHECK(open_in(directory).outcome == Outcome::kLocked);
  uint64_t lsn = 0;
  REQUIRE(opened.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  REQUIRE(opened.writer->close() == Outcome::kOk);
  opened.writer.reset();
  opened = open_in(directory);
  REQUIRE(opened.outcome == Outcome::kOk);
  CHECK(opened.writer->last_lsn() == 1);
}

TEST_CASE(
    "a forked child that lives on does not keep a lock that was released") {
  const Directory directory;
  OpenedWal opened = open_in(directory);
  REQUIRE(opened.outcome == Outcome::kOk);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    pause();
    _exit(0);
  }
  opened.writer.reset();
  const Outcome outcome = open_in(directory).outcome;
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK(outcome == Outcome::kOk);
}

TEST_CASE("a query sees the lock, in any process, and keeps no one out") {
  const Directory directory;
  const auto query = [&directory] {
    std::unique_ptr<platform::File> file;
    REQUIRE(platform::native_file_system()
                .open(directory.path + "/log/LOCK", OpenMode::kRead, &file)
                .ok());
    bool is_locked = false;
    REQUIRE(file->is_locked(&is_locked).ok());
    return is_locked;
  };
  OpenedWal opened = open_in(directory);
  REQUIRE(opened.outcome == Outcome::kOk);
  CHECK(query());
  CHECK(in_child([&] { return query() ? 0 : 1; }) == 0);
  opened.writer.reset();
  CHECK(!query());
  CHECK(in_child([&] { return query() ? 1 : 0; }) == 0);
  std::unique_ptr<platform::File> file;
  REQUIRE(platform::native_file_system()
              .open(directory.path + "/log/LOCK", OpenMode::kRead, &file)
              .ok());
  bool is_locked = true;
  REQUIRE(file->is_locked(&is_locked).ok());
  // With the handle that asked still open.
  opened = open_in(directory);
  CHECK(opened.outcome == Outcome::kOk);
  REQUIRE(file->is_locked(&is_locked).ok());
  CHECK(is_locked);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test

#endif  // !defined(_WIN32)
