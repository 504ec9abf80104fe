#include "core/platform/condition.h"

#include <doctest/doctest.h>

#include <chrono>
#include <ctime>
#include <mutex>

#include "core/platform/thread.h"

namespace atomic_log::test {
namespace {

using platform::Condition;
using platform::Thread;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST_SUITE_BEGIN("threads");

TEST_CASE("a condition that no one meets is waited for as long as asked") {
  Condition condition;
  std::mutex mutex;
  std::unique_lock<std::mutex> lock(mutex);
  const auto began = steady_clock::now();
  const std::clock_t used = std::clock();
  int looks = 0;
  CHECK(!condition.wait_for(lock, milliseconds(200), [&looks] {
    ++looks;
    return false;
  }));
  CHECK(steady_clock::now() - began >= milliseconds(200));
  CHECK(lock.owns_lock());
  // It sleeps: a wait by another clock would return at once, over and over.
  CHECK(looks < 1000);
  CHECK(std::clock() - used < CLOCKS_PER_SEC / 10);
  CHECK(!condition.wait_for(lock, milliseconds(0), [] { return false; }));
  CHECK(condition.wait_for(lock, milliseconds(0), [] { return true; }));
}

TEST_CASE("a condition that is met wakes who waits, however long that may be") {
  for (const bool notifies_all : {false, true}) {
    Condition condition;
    std::mutex mutex;
    // Guarded by mutex.
    int step = 0;
    const auto go_on = [&](int to) {
      const std::lock_guard<std::mutex> lock(mutex);
      step = to;
      if (notifies_all) {
        condition.notify_all();
      } else {
        condition.notify_one();
      }
    };
    Thread thread;
    REQUIRE(thread
                .start([&] {
                  std::unique_lock<std::mutex> lock(mutex);
                  const bool is_met =
                      condition.wait_for(lock, std::chrono::nanoseconds::max(),
                                         [&step] { return step == 1; });
                  step = is_met ? 2 : -1;
                  condition.notify_all();
                })
                .ok());
    go_on(1);
    std::unique_lock<std::mutex> lock(mutex);
    condition.wait(lock, [&step] { return step != 1; });
    CHECK(step == 2);
    lock.unlock();
    thread.join();
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
