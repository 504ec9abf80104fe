// Writers that are killed, and those that take over.
#include "shared_scenarios.h"

namespace atomic_log::shared_memory {
namespace {

// One is killed at any operation of its appends; the next takes over, with what
// is staged there staged anew.
template <uint32_t kSegmentCapacity, uint32_t kBatch>
class KilledWriter final : public SharedScenario {
 public:
  KilledWriter()
      : SharedScenario({.processes = 3,
                        .segment_capacity = kSegmentCapacity,
                        .initial = 2,
                        .batch = kBatch}) {
    doom(0, 0, 50);
  }

  void run(uint32_t index) override {
    if (index == 0) {
      append(0, 2);
      return release_claim(0);
    }
    if (index == 1) {
      claim(1);
      append(1, 2);
      return release_claim(1);
    }
    Snapshot snapshot;
    take(log(2), &snapshot, told());
    refresh(log(2), &snapshot, told());
    release(log(2), &snapshot);
  }
};

class KilledPins final : public SharedScenario {
 public:
  KilledPins() : SharedScenario({.processes = 3, .initial = 2}) {
    doom(0, 0, 50);
  }

  void run(uint32_t index) override {
    if (index == 2) return pin_downwards(log(2));
    if (index == 1) claim(1);
    append(index, 2);
    release_claim(index);
  }
};

// And the next is killed while it takes over or appends.
template <uint32_t kSegmentCapacity, uint32_t kBatch>
class KilledTwice final : public SharedScenario {
 public:
  KilledTwice()
      : SharedScenario({.processes = 3,
                        .segment_capacity = kSegmentCapacity,
                        .initial = 2,
                        .batch = kBatch,
                        .may_refuse = false}) {
    doom(0, 0, 40);
    doom(1, 1, 60);
  }

  void run(uint32_t index) override {
    if (index > 0) claim(index);
    append(index, 1);
    release_claim(index);
  }
};

// Nothing is spared for readers. One that keeps the window cannot stop the
// segment that follows it, whoever begins it.
class Linked final : public SharedScenario {
 public:
  Linked() : SharedScenario({.processes = 3, .initial = 2}) {
    take(log(2), &held_, setup().initial);
    doom(0, 0, 40);
  }

  void run(uint32_t index) override {
    if (index == 2) return;
    if (index == 0) {
      append(0, 1);
      return release_claim(0);
    }
    claim(1);
    SharedLog& log = this->log(1);
    if (log.cursor().sequence == held_.back().sequence) {
      model::check(log.roll(log.segment_capacity()) == Status::kOk,
                   "refused, though no one holds more than the window");
    }
    release_claim(1);
  }

  void finish() override {
    check(log(2), held_, setup().initial);
    release(log(2), &held_);
    SharedScenario::finish();
  }

 private:
  Snapshot held_;
};

}  // namespace

std::vector<ScenarioKind> takeover_scenarios() {
  return {
      {"killed-writer", "a writer is killed, the next goes on", 100,
       make_scenario<KilledWriter<1, 1>>},
      {"killed-batches", "the same in batches of two, segments of three", 100,
       make_scenario<KilledWriter<3, 2>>},
      {"killed-pins", "the same, and single segments", 100,
       make_scenario<KilledPins>},
      {"killed-twice", "two writers are killed, one goes on", 100,
       make_scenario<KilledTwice<1, 1>>},
      {"killed-twice-batches", "the same in batches", 100,
       make_scenario<KilledTwice<3, 2>>},
      {"linked", "a writer is killed, a reader keeps the window", 100,
       make_scenario<Linked>},
  };
}

}  // namespace atomic_log::shared_memory
