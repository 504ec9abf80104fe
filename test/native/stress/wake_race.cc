// No wake-up is lost: a writer publishes one entry while a waiter registers for
// it, a million times and more. Outcomes that are allowed in a trial: the
// waiter finds the entry when it looks again, or it is woken. A waiter that is
// neither is a lost wake-up, and the test fails.
//
//   wake_race [trials] [seed]
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>

#include "core/memory/rolling_log.h"
#include "core/memory/window.h"

namespace atomic_log::memory {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

class SpinWaiter final : public Waiter {
 public:
  void wake() override { is_woken_.store(true, std::memory_order_release); }
  // False when nobody came.
  bool spin() const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (uint64_t i = 0; !is_woken_.load(std::memory_order_acquire); ++i) {
      if (i % 4096 == 4095) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
      }
    }
    return true;
  }

 private:
  std::atomic<bool> is_woken_{false};
};

// A delay from nothing to some microseconds, short ones as often as long ones,
// so that the publication falls before, into and after the registration on
// machines of any speed.
void jitter(std::minstd_rand& random) {
  const uint32_t most = uint32_t{1} << (random() % 13);
  for (uint32_t left = random() % most; left > 0; --left) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
}

void write(RollingLog& log, std::atomic<uint64_t>& trial, uint64_t trials,
           uint32_t seed) {
  std::minstd_rand random(seed);
  uint32_t count = 0;
  for (uint64_t i = 0; i < trials; ++i) {
    for (uint64_t spins = 1; trial.load(std::memory_order_acquire) != i;
         ++spins) {
      if (spins % 4096 == 0) std::this_thread::yield();
    }
    jitter(random);
    if (count == log.segment_capacity()) {
      if (log.roll(count) != Status::kOk) std::abort();
      count = 0;
    }
    log.publish(++count);
  }
}

// The number of trials in which the waiter slept, or -1 for a lost wake-up.
int64_t wait(RollingLog& log, std::atomic<uint64_t>& trial, uint64_t trials,
             uint32_t seed) {
  std::minstd_rand random(seed);
  int64_t slept = 0;
  for (uint64_t i = 0; i < trials; ++i) {
    SpinWaiter waiter;
    trial.store(i, std::memory_order_release);
    jitter(random);
    log.entries().add(&waiter, i);
    if (end_index(log) <= i) {
      ++slept;
      if (!waiter.spin()) return -1;
    }
    log.entries().remove(&waiter);
    if (end_index(log) <= i) return -1;
  }
  return slept;
}

}  // namespace
}  // namespace atomic_log::memory

int main(int argc, char** argv) {
  using atomic_log::memory::RollingLog;
  const uint64_t trials =
      argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2'000'000;
  const uint32_t seed = argc > 2 ? static_cast<uint32_t>(std::atoi(argv[2]))
                                 : std::random_device{}();
  std::printf("wake_race: %llu trials, seed %u\n",
              static_cast<unsigned long long>(trials), seed);

  std::shared_ptr<RollingLog> log;
  const auto status = RollingLog::create({64, 16, {8}, {}, ""}, &log);
  if (status != atomic_log::Status::kOk || !log->try_claim()) return 2;

  std::atomic<uint64_t> trial{UINT64_MAX};
  std::thread writer(
      [&] { atomic_log::memory::write(*log, trial, trials, seed); });
  const int64_t slept = atomic_log::memory::wait(*log, trial, trials, seed + 1);
  if (slept < 0) {
    std::printf("LOST a wake-up in trial %llu, seed %u\n",
                static_cast<unsigned long long>(trial.load()), seed);
    std::fflush(stdout);
    std::_Exit(1);
  }
  writer.join();
  std::printf("none lost; the waiter slept in %lld trials\n",
              static_cast<long long>(slept));
  return 0;
}
