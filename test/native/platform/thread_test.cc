#include "core/platform/thread.h"

#include <doctest/doctest.h>

#include "support/faults.h"

namespace atomic_log::test {
namespace {

using platform::IoCode;
using platform::Thread;

TEST_SUITE_BEGIN("threads");

TEST_CASE("a thread runs once each time it is started") {
  Thread thread;
  CHECK(!thread.is_started());
  // Not atomic: start() and join() order it.
  int runs = 0;
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(thread.start([&runs] { ++runs; }).ok());
    CHECK(thread.is_started());
    thread.join();
    CHECK(!thread.is_started());
    CHECK(runs == i);
  }
  thread.join();
}

TEST_CASE("a thread that the system refuses is a status, and can be retried") {
  Thread thread;
  int runs = 0;
  refuse_threads(true);
  const platform::IoStatus status = thread.start([&runs] { ++runs; });
  refuse_threads(false);
  CHECK(status.code == IoCode::kNoThread);
  CHECK(status.system_error != 0);
  CHECK(!thread.is_started());
  thread.join();
  REQUIRE(thread.start([&runs] { ++runs; }).ok());
  thread.join();
  CHECK(runs == 1);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
