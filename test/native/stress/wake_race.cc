// No wake-up is lost: a writer publishes one entry while a waiter registers for
// it, a million times and more. Outcomes that are allowed in a trial: the
// waiter finds the entry when it looks again, or it is woken. A waiter that is
// neither is a lost wake-up, and the test fails.
//
// The writer is the core's own (core), or publishes without a call through the
// installed C++ wrapper (native).
//
//   wake_race core|native [trials] [seed]
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <thread>

#include "atomic_log/atomic_log.h"
#include "core/memory/window.h"
#include "support/handle_fixture.h"

namespace atomic_log::memory {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

class SpinWaiter final : public Waiter {
 public:
  void wake() override { is_woken_.store(true, std::memory_order_release); }
  // False when no one came.
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

// `append` publishes one entry.
template <typename Append>
void write(Append&& append, std::atomic<uint64_t>& trial, uint64_t trials,
           uint32_t seed) {
  std::minstd_rand random(seed);
  for (uint64_t i = 0; i < trials; ++i) {
    for (uint64_t spins = 1; trial.load(std::memory_order_acquire) != i;
         ++spins) {
      if (spins % 4096 == 0) std::this_thread::yield();
    }
    jitter(random);
    append();
  }
}

class CoreAppender {
 public:
  explicit CoreAppender(const test::HandledLog& handled) : log_(*handled.log) {
    if (!log_.try_claim()) std::abort();
  }
  void operator()() {
    if (count_ == log_.segment_capacity()) {
      if (log_.roll(count_) != Status::kOk) std::abort();
      count_ = 0;
    }
    log_.publish(++count_);
  }

 private:
  RollingLog& log_;
  uint32_t count_ = 0;
};

class NativeAppender {
 public:
  explicit NativeAppender(const test::HandledLog& handled) {
    native::Log log;
    if (native::Log::attach(&handled.handle, &log) != native::Status::kOk ||
        writer_.claim(log) != native::Status::kOk) {
      std::abort();
    }
  }
  void operator()() {
    if (writer_.append(1.0) != native::Status::kOk) std::abort();
  }

 private:
  native::Writer<double> writer_;
};

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
  using namespace atomic_log::memory;
  const bool is_native = argc > 1 && std::strcmp(argv[1], "native") == 0;
  if (!is_native && (argc < 2 || std::strcmp(argv[1], "core") != 0)) {
    std::fprintf(stderr, "usage: %s core|native [trials] [seed]\n", argv[0]);
    return 2;
  }
  const uint64_t trials =
      argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2'000'000;
  const uint32_t seed = argc > 3 ? static_cast<uint32_t>(std::atoi(argv[3]))
                                 : std::random_device{}();
  std::printf("wake_race: %s, %llu trials, seed %u\n", argv[1],
              static_cast<unsigned long long>(trials), seed);

  const auto handled = atomic_log::test::make_number_log(64, 16);
  if (handled.log == nullptr) return 2;
  std::atomic<uint64_t> trial{UINT64_MAX};
  std::thread writer([&] {
    if (is_native) {
      write(NativeAppender(handled), trial, trials, seed);
    } else {
      write(CoreAppender(handled), trial, trials, seed);
    }
  });
  const int64_t slept = wait(*handled.log, trial, trials, seed + 1);
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
