// What readers see of the window while the writer rolls.
#include "shared_scenarios.h"

namespace atomic_log::shared_memory {
namespace {

// Snapshots of the whole window.
template <uint32_t kFullSegments, uint32_t kAppends>
class Snapshots final : public SharedScenario {
 public:
  Snapshots()
      : SharedScenario({.processes = 3,
                        .full_segments = kFullSegments,
                        .initial = kFullSegments + 1}) {}

  void run(uint32_t index) override {
    if (index == 0) return append(0, kAppends);
    Snapshot snapshot;
    take(log(index), &snapshot, told());
    release(log(index), &snapshot);
  }
};

// Snapshots that were taken before are refreshed, once and twice. With batches a
// roll finds an entry staged.
template <uint32_t kSegmentCapacity, uint32_t kBatch, uint32_t kAppends>
class Refreshes final : public SharedScenario {
 public:
  Refreshes()
      : SharedScenario({.processes = 3,
                        .segment_capacity = kSegmentCapacity,
                        .initial = 2,
                        .batch = kBatch}) {
    for (uint32_t i = 1; i < 3; ++i) {
      take(log(i), &held_[i], setup().initial);
    }
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, kAppends);
    for (uint32_t i = 0; i < 3 - index; ++i) {
      refresh(log(index), &held_[index], told());
    }
    release(log(index), &held_[index]);
  }

 private:
  Snapshot held_[3];
};

// A reader tells another what it saw; a refresh must find that too.
template <uint32_t kSegmentCapacity, uint32_t kBatch>
class Relay final : public SharedScenario {
 public:
  Relay()
      : SharedScenario({.processes = 3,
                        .segment_capacity = kSegmentCapacity,
                        .initial = 2,
                        .batch = kBatch}) {
    take(log(2), &held_, setup().initial);
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, 1);
    if (index == 1) {
      Snapshot snapshot;
      take(log(1), &snapshot, setup().initial);
      seen_.store(end_of(snapshot), model::memory_order_release);
      release(log(1), &snapshot);
    } else {
      refresh(log(2), &held_, seen_.load(model::memory_order_acquire));
      release(log(2), &held_);
    }
  }

 private:
  Snapshot held_;
  model::atomic<uint64_t> seen_;
};

// The indexes of the window, without a pin.
template <uint32_t kFullSegments>
class Looks final : public SharedScenario {
 public:
  Looks()
      : SharedScenario({.processes = 3,
                        .full_segments = kFullSegments,
                        .initial = kFullSegments + 1,
                        .may_refuse = false}) {}

  void run(uint32_t index) override {
    if (index == 0) return append(0, 4);
    for (uint32_t i = 0; i < 2; ++i) check_bounds(log(index), told());
  }
};

}  // namespace

std::vector<ScenarioKind> roll_scenarios() {
  return {
      {"snapshots-2", "two snapshots, a ring of two, 2 rolls", 100,
       make_scenario<Snapshots<1, 2>>},
      {"snapshots-3", "two snapshots, a ring of three, 4 rolls", 100,
       make_scenario<Snapshots<2, 4>>},
      {"refreshes", "held snapshots refreshed once and twice, 3 rolls", 100,
       make_scenario<Refreshes<1, 1, 3>>},
      {"batches", "the same in batches of two and segments of three", 100,
       make_scenario<Refreshes<3, 2, 2>>},
      {"relay", "a refresh after another reader's snapshot, 1 roll", 100,
       make_scenario<Relay<1, 1>>},
      {"relay-batches", "the same, and the roll finds an entry staged", 100,
       make_scenario<Relay<3, 2>>},
      {"looks-2", "bounds of the window, a ring of two, 4 rolls", 100,
       make_scenario<Looks<1>>},
      {"looks-3", "bounds of the window, a ring of three, 4 rolls", 100,
       make_scenario<Looks<2>>},
  };
}

}  // namespace atomic_log::shared_memory
