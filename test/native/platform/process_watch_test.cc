#if defined(__linux__)

#include "core/platform/process_watch.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "support/faults.h"

namespace atomic_log::test {
namespace {

using platform::own_process_name;
using platform::process_number;
using platform::ProcessName;
using platform::ProcessWatch;

TEST_SUITE_BEGIN("process watch");

pid_t sleeping_child() {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  return child;
}

ProcessName name_of(pid_t child) {
  return own_process_name() >> 32 << 32 | static_cast<uint32_t>(child);
}

bool comes(const std::atomic<int>& calls, int count) {
  for (int i = 0; i < 60'000 && calls.load() != count; ++i) usleep(1000);
  return calls.load() == count;
}

TEST_CASE("the end of a process is told once, before it is reaped") {
  ProcessWatch watch;
  std::atomic<int> calls{0};
  for (int i = 1; i <= 3; ++i) {
    const pid_t child = sleeping_child();
    REQUIRE(watch.start(name_of(child), [&calls] { ++calls; }));
    CHECK(watch.is_watching());
    // One that is stopped has not ended.
    kill(child, SIGSTOP);
    waitpid(child, nullptr, WUNTRACED);
    CHECK(watch.is_watching());
    kill(child, SIGKILL);
    CHECK(comes(calls, i));
    CHECK(!watch.is_watching());
    // Of one that has ended, too, or it is refused.
    ProcessWatch late;
    std::atomic<int> late_calls{0};
    const bool is_told =
        late.start(name_of(child), [&late_calls] { ++late_calls; });
    CHECK(comes(late_calls, is_told ? 1 : 0));
    CHECK(!late.is_watching());
    waitpid(child, nullptr, 0);
    // And when it was reaped: no one has that number.
    CHECK(!late.start(name_of(child), [&late_calls] { ++late_calls; }));
    CHECK(late_calls.load() == (is_told ? 1 : 0));
  }
}

TEST_CASE("a watch that is stopped tells nothing") {
  std::atomic<int> calls{0};
  const pid_t child = sleeping_child();
  {
    ProcessWatch watch;
    watch.stop();
    REQUIRE(watch.start(name_of(child), [&calls] { ++calls; }));
    watch.stop();
    CHECK(!watch.is_watching());
    watch.stop();
    REQUIRE(watch.start(name_of(child), [&calls] { ++calls; }));
    // Another one in its place; and the destructor stops that.
    REQUIRE(watch.start(name_of(child), [&calls] { ++calls; }));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK(calls.load() == 0);
}

TEST_CASE("names that say nothing here are refused") {
  ProcessWatch watch;
  const ProcessName own = own_process_name();
  REQUIRE(own != platform::kNoProcess);
  CHECK(process_number(own) == static_cast<uint32_t>(getpid()));
  CHECK(process_number(own ^ uint64_t{1} << 32) == 0);
  const ProcessName here = own >> 32 << 32;
  for (const ProcessName name :
       {platform::kNoProcess, own, own ^ uint64_t{1} << 32, here,
        here | 0x80000000u, here | 0xFFFFFFFFu, here | 0x7FFFFFFFu,
        ~ProcessName{0}}) {
    CHECK(!watch.start(name, [] {}));
    CHECK(!watch.is_watching());
  }
  const pid_t child = sleeping_child();
  refuse_threads(true);
  const bool has_started = watch.start(name_of(child), [] {});
  refuse_threads(false);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK(!has_started);
  CHECK(!watch.is_watching());
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test

#elif defined(_WIN32)

#define NOMINMAX
#include <doctest/doctest.h>
#include <windows.h>

#include <atomic>
#include <string>

#include "core/platform/process_watch.h"

namespace atomic_log::test {
namespace {

using platform::own_process_name;
using platform::ProcessWatch;

TEST_SUITE_BEGIN("process watch");

// The child's side of the next.
TEST_CASE("a process that sleeps" * doctest::skip()) { Sleep(INFINITE); }

class SleepingChild {
 public:
  SleepingChild() {
    wchar_t program[MAX_PATH] = {};
    GetModuleFileNameW(nullptr, program, MAX_PATH);
    std::wstring command =
        L"\"" + std::wstring(program) +
        L"\" --no-skip --test-case=\"a process that sleeps\"";
    STARTUPINFOW startup = {};
    startup.cb = sizeof(startup);
    REQUIRE(CreateProcessW(nullptr, command.data(), nullptr, nullptr, FALSE, 0,
                           nullptr, nullptr, &startup, &child_));
  }
  ~SleepingChild() {
    kill();
    CloseHandle(child_.hThread);
    CloseHandle(child_.hProcess);
  }
  SleepingChild(const SleepingChild&) = delete;
  SleepingChild& operator=(const SleepingChild&) = delete;
  DWORD number() const { return child_.dwProcessId; }
  void kill() const {
    TerminateProcess(child_.hProcess, 1);
    WaitForSingleObject(child_.hProcess, INFINITE);
  }

 private:
  PROCESS_INFORMATION child_ = {};
};

bool comes(const std::atomic<int>& calls, int count) {
  for (int i = 0; i < 60'000 && calls.load() != count; ++i) Sleep(1);
  return calls.load() == count;
}

TEST_CASE("the end of a process is told once") {
  ProcessWatch watch;
  std::atomic<int> calls{0};
  for (int i = 1; i <= 3; ++i) {
    const SleepingChild child;
    REQUIRE(watch.start(child.number(), [&calls] { ++calls; }));
    CHECK(watch.is_watching());
    CHECK(calls.load() == i - 1);
    child.kill();
    CHECK(comes(calls, i));
    CHECK_FALSE(watch.is_watching());
  }
}

TEST_CASE("a watch that is stopped tells nothing; nor is every name watched") {
  ProcessWatch watch;
  std::atomic<int> calls{0};
  const SleepingChild child;
  REQUIRE(watch.start(child.number(), [&calls] { ++calls; }));
  watch.stop();
  watch.stop();
  CHECK_FALSE(watch.is_watching());
  REQUIRE(watch.start(child.number(), [&calls] { ++calls; }));
  CHECK_FALSE(watch.start(own_process_name(), [&calls] { ++calls; }));
  CHECK_FALSE(watch.start(platform::kNoProcess, [&calls] { ++calls; }));
  CHECK_FALSE(watch.start(~uint64_t{0}, [&calls] { ++calls; }));
  child.kill();
  CHECK(calls.load() == 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test

#endif  // defined(_WIN32)
