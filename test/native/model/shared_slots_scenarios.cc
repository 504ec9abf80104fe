// Slots of readers that are killed, leave and join.
#include "shared_scenarios.h"

namespace atomic_log::shared_memory {
namespace {

// One is killed anywhere; nothing that it held stops the writer, which has no
// block to spare.
class KilledReader final : public SharedScenario {
 public:
  KilledReader() : SharedScenario({.processes = 3, .initial = 2}) {
    take(log(1), &held_, setup().initial);
    doom(1, 1, 60);
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, 3);
    if (index == 1) {
      refresh(log(1), &held_, told());
      return release(log(1), &held_);
    }
    Snapshot snapshot;
    take(log(2), &snapshot, told());
    release(log(2), &snapshot);
  }

 private:
  Snapshot held_;
};

// The slot of a dead one is taken again while the writer clears it.
class Joins final : public SharedScenario {
 public:
  Joins() : SharedScenario({.processes = 2, .initial = 2}) {
    take(log(1), &held_, setup().initial);
    kill(1);
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, 3);
    if (index == 2) return;
    // Another slot where the writer is just clearing that one.
    SharedLog& log = *join();
    Snapshot snapshot;
    take(log, &snapshot, told());
    check(log, snapshot, 0);
    release(log, &snapshot);
  }

 private:
  Snapshot held_;
};

// The slot of one that is killed anywhere is taken by the next, and there is no
// other.
class KilledJoins final : public SharedScenario {
 public:
  KilledJoins()
      : SharedScenario({.processes = 2, .initial = 2, .readers_max = 2}) {
    take(log(1), &held_, setup().initial);
    doom(1, 1, 60);
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, 3);
    if (index == 1) {
      refresh(log(1), &held_, told());
      release(log(1), &held_);
      return leave(1);
    }
    SharedLog* log = join();
    for (; log == nullptr; log = join()) rl::yield(1, RL_INFO);
    Snapshot snapshot;
    take(*log, &snapshot, told());
    release(*log, &snapshot);
    leave(2);
  }

 private:
  Snapshot held_;
};

// A process leaves, another takes its slot.
class Leaves final : public SharedScenario {
 public:
  Leaves() : SharedScenario({.processes = 2, .initial = 2}) {
    take(log(1), &held_, setup().initial);
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, 3);
    if (index == 2) return;
    check(log(1), held_, setup().initial);
    leave(1);
    SharedLog& log = *join();
    Snapshot snapshot;
    take(log, &snapshot, told());
    release(log, &snapshot);
  }

 private:
  Snapshot held_;
};

}  // namespace

std::vector<ScenarioKind> slot_scenarios() {
  return {
      {"killed-reader", "a reader is killed, 3 rolls", 100,
       make_scenario<KilledReader>},
      {"joins", "a dead one's slot is taken and cleared, 3 rolls", 100,
       make_scenario<Joins>},
      {"killed-joins", "a reader is killed, and another takes its slot", 100,
       make_scenario<KilledJoins>},
      {"leaves", "a process leaves, and another takes its slot", 100,
       make_scenario<Leaves>},
  };
}

}  // namespace atomic_log::shared_memory
