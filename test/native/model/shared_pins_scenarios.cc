// Pins of single segments against a writer that rolls: one word of the process
// for each block, which its threads share.
#include "shared_scenarios.h"

namespace atomic_log::shared_memory {
namespace {

template <uint32_t kFullSegments, uint32_t kAppends>
class Pins final : public SharedScenario {
 public:
  Pins()
      : SharedScenario({.processes = 3,
                        .full_segments = kFullSegments,
                        .initial = kFullSegments}) {}

  void run(uint32_t index) override {
    if (index == 0) return append(0, kAppends);
    pin_downwards(log(index));
  }
};

// Two threads of one process share its entries: one that drops and one that
// pins, for the same block and for another life of it.
template <uint32_t kAppends, uint32_t kExtraSegments>
class TwoThreads final : public SharedScenario {
 public:
  TwoThreads()
      : SharedScenario(
            {.processes = 2, .initial = 2, .extra_segments = kExtraSegments}) {
    take(log(1), &held_, setup().initial);
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, kAppends);
    Snapshot snapshot;
    if (index == 1) {
      release(log(1), &held_);
    } else {
      take(log(1), &snapshot, told());
    }
    release(log(1), &snapshot);
    take(log(1), &snapshot, told());
    release(log(1), &snapshot);
  }

 private:
  Snapshot held_;
};

// The writer's process reads too, and is stopped by its own pins only.
class OwnReader final : public SharedScenario {
 public:
  OwnReader() : SharedScenario({.processes = 1, .initial = 2}) {
    take(log(0), &held_, setup().initial);
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, 3);
    if (index == 1) {
      check(log(0), held_, setup().initial);
      return release(log(0), &held_);
    }
    Snapshot snapshot;
    take(log(0), &snapshot, told());
    release(log(0), &snapshot);
  }

 private:
  Snapshot held_;
};

// One has stopped for ever between its exchange and its second look: it blocks
// the life of the block that it wanted, and no other.
class Stopped final : public SharedScenario {
 public:
  Stopped()
      : SharedScenario({.processes = 2, .initial = 3, .may_refuse = false}) {
    for (uint32_t block = 0; block < log(1).format().blocks; ++block) {
      log(1).entry(1, block).store(shared_memory::Entry::make(100, 1),
                                   model::memory_order_relaxed);
    }
  }

  void run(uint32_t index) override {
    if (index == 0) append(0, 3);
  }

  void finish() override {
    kill(1);
    SharedScenario::finish();
  }
};

}  // namespace

std::vector<ScenarioKind> pin_scenarios() {
  return {
      {"pins-2", "single segments, a ring of two, 3 rolls", 100,
       make_scenario<Pins<1, 3>>},
      {"pins-3", "single segments, a ring of three, 4 rolls", 100,
       make_scenario<Pins<2, 4>>},
      {"threads", "two threads of a process, 3 rolls", 100,
       make_scenario<TwoThreads<3, 0>>},
      {"threads-extra", "the same, a block to spare, 5 rolls", 100,
       make_scenario<TwoThreads<5, 1>>},
      {"own-reader", "a reader in the writer's process, 3 rolls", 100,
       make_scenario<OwnReader>},
      {"stopped", "a reader stopped before its second look", 100,
       make_scenario<Stopped>},
  };
}

}  // namespace atomic_log::shared_memory
