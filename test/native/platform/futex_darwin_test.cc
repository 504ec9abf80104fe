// What is asked of macOS, with doubles for its functions.
#if defined(ATOMIC_LOG_PORTABLE)

#include <doctest/doctest.h>
#include <errno.h>

#include "core/platform/futex.h"

using namespace atomic_log::platform;
using namespace std::chrono_literals;

namespace {

struct Call {
  void* address = nullptr;
  uint64_t value = 0;
  size_t size = 0;
  uint32_t flags = 0;
  uint32_t clock = 0;
  uint64_t nanoseconds = 0;
  int count = 0;
};
Call waited;
Call woken;
int refused_with = 0;

int wait(void* address, uint64_t value, size_t size, uint32_t flags,
         uint32_t clock, uint64_t nanoseconds) {
  waited = {address, value, size, flags, clock, nanoseconds, waited.count + 1};
  errno = refused_with;
  return refused_with == 0 ? 0 : -1;
}

int wake_all(void* address, size_t size, uint32_t flags) {
  woken = {address, 0, size, flags, 0, 0, woken.count + 1};
  errno = ENOENT;
  return -1;
}

constexpr internal::AddressWaits kWaits = {wait, wake_all};

}  // namespace

TEST_CASE("futex of macOS: what is asked of the system") {
  const std::atomic<uint32_t> word{7};
  waited = woken = {};
  refused_with = 0;
  kWaits.wait_for(word, 7, 3s);
  CHECK(waited.address == &word);
  CHECK(waited.value == 7);
  CHECK(waited.size == 4);
  CHECK(waited.flags == 1);
  CHECK(waited.clock == 32);
  CHECK(waited.nanoseconds == 3'000'000'000);
  kWaits.wait_for(word, 7, 0ns);
  kWaits.wait_for(word, 7, -1ns);
  CHECK(waited.count == 1);
  kWaits.wake(word);
  CHECK(woken.address == &word);
  CHECK(woken.size == 4);
  CHECK(woken.flags == 1);
  CHECK(woken.count == 1);
}

TEST_CASE("futex of macOS: a wait that is refused ends all the same") {
  const std::atomic<uint32_t> word{7};
  waited = {};
  for (const int error : {ETIMEDOUT, EINTR, EFAULT, EINVAL, ENOMEM}) {
    refused_with = error;
    kWaits.wait_for(word, 7, 1h);
  }
  CHECK(waited.count == 5);
}

#endif  // defined(ATOMIC_LOG_PORTABLE)
