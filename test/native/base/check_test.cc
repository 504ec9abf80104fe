// CORE_CHECK can fail: each of these breaks a rule of the core in a child
// process, which must end there and say where.
#include "core/base/check.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>

#include "core/durable/open_files.h"
#include "core/memory/claim.h"
#include "core/memory/free_list.h"
#include "core/memory/rolling_log.h"

namespace atomic_log {
namespace {

// What a child that does this says to stderr before it aborts; empty when it
// ends in another way.
std::string last_words(const std::function<void()>& act) {
  int ends[2] = {};
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The test runner would report the signal as its own.
    std::signal(SIGABRT, SIG_DFL);
    const rlimit no_core = {};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(ends[1], STDERR_FILENO);
    act();
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  char piece[256];
  for (ssize_t bytes; (bytes = read(ends[0], piece, sizeof(piece))) > 0;) {
    said.append(piece, static_cast<size_t>(bytes));
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? said : "";
}

bool says(const std::string& said, const char* file, const char* condition) {
  return said.find(file) != std::string::npos &&
         said.find(condition) != std::string::npos;
}

std::shared_ptr<memory::RollingLog> small_log() {
  std::shared_ptr<memory::RollingLog> log;
  memory::RollingLogOptions options;
  options.retained_capacity = 8;
  options.segment_capacity = 4;
  options.element_bytes = {8};
  REQUIRE(memory::RollingLog::create(options, &log) == Status::kOk);
  return log;
}

TEST_SUITE_BEGIN("check");

TEST_CASE("the tests run with checks") { CHECK(kHasChecks); }

TEST_CASE("a condition that is false says itself, its file and its line") {
  const std::string said = last_words([] { CORE_CHECK(1 + 1 == 3); });
  CHECK(says(said, "check_test.cc:", "not so: 1 + 1 == 3"));
  CHECK(last_words([] { CORE_CHECK(1 + 1 == 2); }).empty());
}

TEST_CASE("a claim that no one holds is not released") {
  CHECK(says(last_words([] { memory::Claim().release(); }),
             "claim.h:", "is_held()"));
}

TEST_CASE("a segment that is referred to is on no list") {
  alignas(memory::kCacheLineBytes) uint8_t block[memory::kCacheLineBytes] = {};
  memory::SegmentControl segment(0, block);
  memory::FreeList returned;
  memory::OwnedList owned;
  segment.expose(0, 0);
  CHECK(says(last_words([&] { returned.push(&segment); }),
             "free_list.h:", "is_free()"));
  CHECK(says(last_words([&] { owned.push(&segment); }),
             "free_list.h:", "is_free()"));
}

TEST_CASE("a reference too many is not dropped, and none is taken of nothing") {
  alignas(memory::kCacheLineBytes) uint8_t block[memory::kCacheLineBytes] = {};
  memory::SegmentControl segment(0, block);
  CHECK(says(last_words([&] { segment.release(); }), "segment.h:", "refs > 0"));
  CHECK(says(last_words([&] { segment.retain(); }), "segment.h:", "refs > 0"));
}

TEST_CASE("a segment is not sealed below what was published of it") {
  const auto log = small_log();
  log->publish(3);
  CHECK(says(last_words([&] { (void)log->roll(2); }),
             "rolling_log.cc:", "count >= cursor_.published"));
}

TEST_CASE("a file that no writer has open is not given up") {
  CHECK(says(last_words([] {
               durable::OpenFiles::instance().remove({123, 456});
             }),
             "open_files.h:", "erased == 1"));
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log
