// Waiting for entries. A sleeper that is not woken keeps the run from ending.
#include "shared_scenarios.h"

namespace atomic_log::shared_memory {
namespace {

// Processes that wait for different entries.
template <uint32_t kSegmentCapacity>
class Waits final : public SharedScenario {
 public:
  Waits()
      : SharedScenario({.processes = 3,
                        .segment_capacity = kSegmentCapacity,
                        .initial = 1}),
        flags_{Flag(&log(1).waits()), Flag(&log(2).waits())} {
    for (uint32_t i = 0; i < 2; ++i) {
      log(i + 1).waits().add(&flags_[i], setup().initial + i);
    }
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, 2);
    log(index).waits().run();
  }

 private:
  Flag flags_[2];
};

// A thread begins to wait while the process's sleeper is at work.
class WaitFor final : public SharedScenario {
 public:
  WaitFor()
      : SharedScenario({.processes = 2, .segment_capacity = 4, .initial = 1}) {
    log(1).waits().start();
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, 1);
    if (index == 2) return log(1).waits().run();
    model::check(log(1).wait_for(setup().initial, std::chrono::hours(1)) ==
                     memory::Arrival::kReady,
                 "woken for nothing");
    check_bounds(log(1), setup().initial + 1);
    log(1).waits().stop();
  }
};

// The writer is killed, also after it published and before it woke anyone; the
// next one appends only what is not there yet.
class KilledWake final : public SharedScenario {
 public:
  KilledWake()
      : SharedScenario({.processes = 3, .segment_capacity = 4, .initial = 1}),
        flag_(&log(2).waits()) {
    doom(0, 0, 12);
    log(2).waits().add(&flag_, setup().initial);
  }

  void run(uint32_t index) override {
    if (index == 2) return log(2).waits().run();
    if (index == 0) {
      append(0, 1);
      return release_claim(0);
    }
    claim(1);
    // Keeps the claim, whose release would wake, too.
    if (end_of(log(1)) == setup().initial) append(1, 1);
  }

 private:
  Flag flag_;
};

}  // namespace

std::vector<ScenarioKind> wakeup_scenarios() {
  return {
      {"waits-head", "two processes wait, no roll", 100,
       make_scenario<Waits<4>>},
      {"waits", "two processes wait, 2 rolls", 100, make_scenario<Waits<1>>},
      {"wait-for", "one begins to wait while the sleeper works", 100,
       make_scenario<WaitFor>},
      {"killed-wake", "a writer is killed before it wakes", 100,
       make_scenario<KilledWake>},
  };
}

}  // namespace atomic_log::shared_memory
