// Waiting for the claim of a log that processes share.
#if defined(__linux__)

#include "core/shared_memory/shared_waits.h"

#include <filesystem>

#include "core/memory/blocking_wait.h"
#include "core/platform/process_watch.h"
#include "core/shared_memory/shared_format.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log;
using namespace atomic_log::test;

namespace {

// One for each watch, which ends it.
size_t watches() {
  size_t count = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const std::string target =
        std::filesystem::read_symlink(entry.path(), error).string();
    if (target.find("[eventfd]") != std::string::npos) ++count;
  }
  return count;
}

// Where no one would tell of the end of a process, none is watched.
bool can_watch() {
  const pid_t child = in_child([] {
    for (;;) pause();
    return 0;
  });
  const uint64_t own = platform::own_process_name();
  platform::ProcessWatch watch;
  const bool can =
      watch.start(own >> 32 << 32 | static_cast<uint32_t>(child), [] {});
  watch.stop();
  kill_child(child);
  return can;
}

bool watches_become(size_t count) {
  static const bool watches_any = can_watch();
  if (!watches_any) return watches() == 0;
  for (int i = 0; i < 60'000 && watches() != count; ++i) usleep(1000);
  return watches() == count;
}

// Waits until the claim can be had, and has it.
bool wait_and_claim(SharedLog& log) {
  while (!claim(log)) {
    memory::ThreadWaiter waiter;
    if (!log.waits().add_for_claim(&waiter)) return false;
    if (log.is_claimed()) waiter.wait_for(std::chrono::minutes(1));
    log.waits().remove_for_claim(&waiter);
  }
  return true;
}

// A child process that has the claim, until it is told or killed.
pid_t writing_child(const std::string& path, const Pipe& ready,
                    const Pipe& go) {
  return in_child([&] {
    const auto other = open_log(path);
    if (other == nullptr || !claim(*other) || !ready.tell()) return 1;
    if (!go.hear()) return 2;
    other->release_claim();
    // So that its end is not what is noticed.
    return go.hear() ? 0 : 3;
  });
}

// Where the name of the writer's process stands in the file.
std::atomic<uint64_t>& name_in(SharedLog& log) {
  return *reinterpret_cast<std::atomic<uint64_t>*>(
      log.mapping()->data() + log.format().control_offset +
      shared_memory::kWriterProcessOffset);
}

}  // namespace

TEST_CASE("shared waits: who is not told looks less often after a pause") {
  using std::chrono::milliseconds;
  const auto ms = [](int quiet) {
    return shared_memory::SharedWaits::look_after(milliseconds(quiet)).count();
  };
  CHECK(ms(0) == 1);
  CHECK(ms(63) == 1);
  CHECK(ms(64) == 2);
  CHECK(ms(319) == 9);
  CHECK(ms(320) == 10);
  CHECK(ms(3'600'000) == 10);
}

TEST_CASE("shared waits: who has the claim is named in the file") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  CHECK(log->writer_process() == platform::kNoProcess);
  REQUIRE(claim(*log));
  CHECK(log->writer_process() == platform::own_process_name());
  log->release_claim();
  CHECK(log->writer_process() == platform::kNoProcess);
}

TEST_CASE("shared waits: who waits for a claim of its own process is told") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  REQUIRE(claim(*log));
  std::thread standby([&] { CHECK(wait_and_claim(*log)); });
  for (int i = 0; i < 10'000 && !log->waits().is_told_of_claim(); ++i) {
    usleep(1000);
  }
  CHECK(log->waits().is_told_of_claim());
  CHECK(watches() == 0);
  log->release_claim();
  standby.join();
  log->release_claim();
}

TEST_CASE("shared waits: a claim that another process releases") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  const Pipe ready;
  const Pipe go;
  const pid_t child = writing_child(directory.file(), ready, go);
  REQUIRE(ready.hear());
  CHECK(platform::process_number(log->writer_process()) ==
        static_cast<uint32_t>(child));
  std::thread standby([&] { CHECK(wait_and_claim(*log)); });
  CHECK(watches_become(1));
  REQUIRE(go.tell());
  standby.join();
  REQUIRE(go.tell());
  CHECK(status_of(child) == 0);
  log->release_claim();
}

TEST_CASE(
    "shared waits: several wait for the claim of a process that is killed") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  auto log = open_log(path);
  const Pipe ready;
  const Pipe go;
  for (int i = 0; i < 5; ++i) {
    const pid_t writer = writing_child(path, ready, go);
    REQUIRE(ready.hear());
    // One that is stopped while it waits holds up no one.
    const pid_t stopped = in_child([&] {
      const auto other = open_log(path);
      if (!ready.tell()) return 1;
      return wait_and_claim(*other) ? 0 : 2;
    });
    REQUIRE(ready.hear());
    kill(stopped, SIGSTOP);
    std::thread standby([&] { CHECK(wait_and_claim(*log)); });
    CHECK(watches_become(1));
    kill_child(writer);
    standby.join();
    kill(stopped, SIGCONT);
    kill_child(stopped);
    log->release_claim();
  }
  // Not longer than the log.
  log.reset();
  CHECK(watches() == 0);
}

TEST_CASE("shared waits: a name that is wrong is only a hint") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  const uint64_t own = platform::own_process_name();
  const pid_t bystander = in_child([] {
    for (;;) pause();
    return 0;
  });
  const uint64_t alive = own >> 32 << 32 | static_cast<uint32_t>(bystander);
  for (const uint64_t wrong :
       {uint64_t{0}, own, own + (uint64_t{1} << 32), ~uint64_t{0}, alive}) {
    const Pipe ready;
    const Pipe go;
    const pid_t writer = writing_child(directory.file(), ready, go);
    REQUIRE(ready.hear());
    name_in(*log).store(wrong, std::memory_order_relaxed);
    std::thread standby([&] { CHECK(wait_and_claim(*log)); });
    CHECK(watches_become(wrong == alive ? 1 : 0));
    kill_child(writer);
    standby.join();
    log->release_claim();
  }
  kill_child(bystander);
}

#endif  // defined(__linux__)
