#include "core/platform/futex.h"

#include <doctest/doctest.h>

#include <thread>

#if !defined(_WIN32)
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#endif

using namespace atomic_log::platform;
using namespace std::chrono_literals;

TEST_CASE("futex: a word that has changed is not waited for") {
  const std::atomic<uint32_t> word{2};
  futex_wait(word, 1, 1h);
}

TEST_CASE("futex: a time that is over ends the wait, and so does none at all") {
  const std::atomic<uint32_t> word{1};
  futex_wait(word, 1, 3ms);
  futex_wait(word, 1, 0ns);
  futex_wait(word, 1, -1s);
}

TEST_CASE("futex: a thread of this process is woken" *
          doctest::test_suite("threads")) {
  std::atomic<uint32_t> word{0};
  std::thread waker([&] {
    for (uint32_t i = 1; i <= 200; ++i) {
      word.fetch_add(1, std::memory_order_release);
      futex_wake_all(word);
      std::this_thread::yield();
    }
  });
  // By nothing else: the time is never over.
  for (uint32_t seen = 0; seen < 200;) {
    futex_wait(word, seen, 1h);
    seen = word.load(std::memory_order_acquire);
  }
  waker.join();
}

#if !defined(_WIN32)
TEST_CASE("futex: a process is woken by another, or must look again") {
  void* const memory =
      mmap(nullptr, sizeof(std::atomic<uint32_t>), PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  auto& word = *new (memory) std::atomic<uint32_t>(0);
  const auto time =
      wakes_across_processes() ? std::chrono::milliseconds(1h) : 1ms;
  const pid_t child = fork();
  if (child == 0) {
    for (uint32_t seen = 0; seen < 20;) {
      futex_wait(word, seen, time);
      seen = word.load(std::memory_order_acquire);
    }
    _exit(0);
  }
  for (uint32_t i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(1ms);
    word.fetch_add(1, std::memory_order_release);
    futex_wake_all(word);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  munmap(memory, sizeof(std::atomic<uint32_t>));
}
#endif
