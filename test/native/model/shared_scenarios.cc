#include "scenario.h"
#include "shared_scenario.h"

namespace atomic_log::shared_memory {
namespace {

// --- Readers against one writer, each in a process of its own.

// Single segments, from the head downwards. What is reported gone must have
// been replaced, and whoever is told so must find the newer head.
void pin_downwards(SharedLog& log) {
  const uint64_t head = log.head().load(model::memory_order_acquire);
  for (uint64_t sequence = head;; --sequence) {
    const uint32_t block = log.try_pin(sequence);
    if (block == kNoBlock) {
      // The ring names its successor one step before the head is stored.
      model::check(sequence + log.format().retained_segments - 1 <=
                       log.head().load(model::memory_order_acquire),
                   "gone, but never replaced");
      return;
    }
    log.unpin(block, sequence);
    if (sequence == 0) return;
  }
}

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

// --- Readers that die.

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

// --- Writers that die.

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

// --- The claim and the end.

// Two threads of one process and one of another append in turn.
class Claims final : public SharedScenario {
 public:
  Claims()
      : SharedScenario({.processes = 2, .initial = 1, .may_refuse = false}) {
    release_claim(0);
  }

  void run(uint32_t index) override {
    const uint32_t process = index == 2 ? 1 : 0;
    claim(process);
    append(process, 2);
    release_claim(process);
  }
};

// Is woken once, and then has the sleeper of its process end.
class Flag final : public memory::Waiter {
 public:
  explicit Flag(SharedWaits* stops = nullptr) : stops_(stops) {}
  void wake() override {
    is_woken_ = true;
    if (stops_ != nullptr) {
      stops_->is_stopped_.store(true, model::memory_order_relaxed);
      stops_->wake(stops_->place_.own_slot);
    }
  }
  bool is_woken() const { return is_woken_; }

 private:
  SharedWaits* const stops_;
  model::Plain<bool> is_woken_;
};

// A thread waits for the claim that another of its process has; it gets it, or
// is woken.
class ClaimWaits final : public SharedScenario {
 public:
  ClaimWaits() : SharedScenario({.processes = 1, .initial = 1}) {}

  void run(uint32_t index) override {
    if (index == 2) return;
    if (index == 0) {
      append(0, 1);
      return release_claim(0);
    }
    if (!try_claim(0)) {
      log(0).waits().add_for_claim(&flag_);
      if (!try_claim(0)) return;
      log(0).waits().remove_for_claim(&flag_);
    }
    has_claimed_ = true;
    release_claim(0);
  }

  void finish() override {
    model::check(has_claimed_ || flag_.is_woken(), "a lost wake-up");
    SharedScenario::finish();
  }

 private:
  Flag flag_;
  bool has_claimed_ = false;
};

// The claim of a process that is killed: who waits for it in another one finds
// out by looking.
class KilledClaim final : public SharedScenario {
 public:
  KilledClaim()
      : SharedScenario({.processes = 2, .initial = 1}), flag_(&log(1).waits()) {
    doom(0, 0, 20);
    log(1).waits().add_for_claim(&flag_);
  }

  void run(uint32_t index) override {
    if (index == 2) return;
    if (index == 0) {
      append(0, 1);
      return release_claim(0);
    }
    log(1).waits().run();
    claim(1);
    release_claim(1);
  }

 private:
  Flag flag_;
};

// The writer appends, ends the log and gives up the claim. Who sees the end sees
// every entry; who waits is woken; no one claims it again.
class Ends final : public SharedScenario {
 public:
  Ends()
      : SharedScenario({.processes = 3, .initial = 1}), flag_(&log(1).waits()) {
    log(1).waits().add(&flag_, 100);
  }

  void run(uint32_t index) override {
    if (index == 0) {
      append(0, 1);
      log(0).end();
      release_claim(0);
    } else if (index == 1) {
      log(1).waits().run();
    } else {
      model::check(!try_claim(2), "a claim of a log that ended");
      if (log(2).has_ended()) check_bounds(log(2), setup().initial + 1);
    }
  }

 private:
  Flag flag_;
};

// --- Waiting. A sleeper that is not woken keeps the run from ending.

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
    if (end_of(log(1)) == setup().initial) append(1, 1);
    release_claim(1);
  }

 private:
  Flag flag_;
};

template <typename T>
std::unique_ptr<memory::Scenario> make() {
  return std::make_unique<T>();
}

}  // namespace
}  // namespace atomic_log::shared_memory

namespace atomic_log::memory {

const std::vector<ScenarioKind>& scenarios() {
  using namespace shared_memory;
  static const std::vector<ScenarioKind> all = {
      {"pins-2", "single segments, a ring of two, 3 rolls", 100,
       make<Pins<1, 3>>},
      {"pins-3", "single segments, a ring of three, 4 rolls", 100,
       make<Pins<2, 4>>},
      {"snapshots-2", "two snapshots, a ring of two, 2 rolls", 100,
       make<shared_memory::Snapshots<1, 2>>},
      {"snapshots-3", "two snapshots, a ring of three, 4 rolls", 100,
       make<shared_memory::Snapshots<2, 4>>},
      {"refreshes", "held snapshots refreshed once and twice, 3 rolls", 100,
       make<Refreshes<1, 1, 3>>},
      {"batches", "the same in batches of two and segments of three", 100,
       make<Refreshes<3, 2, 2>>},
      {"relay", "a refresh after another reader's snapshot, 1 roll", 100,
       make<Relay<1, 1>>},
      {"relay-batches", "the same, and the roll finds an entry staged", 100,
       make<Relay<3, 2>>},
      {"threads", "two threads of a process, 3 rolls", 100,
       make<TwoThreads<3, 0>>},
      {"threads-extra", "the same, a block to spare, 5 rolls", 100,
       make<TwoThreads<5, 1>>},
      {"own-reader", "a reader in the writer's process, 3 rolls", 100,
       make<OwnReader>},
      {"looks-2", "bounds of the window, a ring of two, 4 rolls", 100,
       make<Looks<1>>},
      {"looks-3", "bounds of the window, a ring of three, 4 rolls", 100,
       make<Looks<2>>},
      {"killed-reader", "a reader is killed, 3 rolls", 100, make<KilledReader>},
      {"joins", "a dead one's slot is taken and cleared, 3 rolls", 100,
       make<Joins>},
      {"killed-joins", "a reader is killed, and another takes its slot", 100,
       make<KilledJoins>},
      {"stopped", "a reader stopped before its second look", 100,
       make<Stopped>},
      {"leaves", "a process leaves, and another takes its slot", 100,
       make<Leaves>},
      {"killed-writer", "a writer is killed, the next goes on", 100,
       make<KilledWriter<1, 1>>},
      {"killed-batches", "the same in batches of two, segments of three", 100,
       make<KilledWriter<3, 2>>},
      {"killed-pins", "the same, and single segments", 100, make<KilledPins>},
      {"killed-twice", "two writers are killed, one goes on", 100,
       make<KilledTwice<1, 1>>},
      {"killed-twice-batches", "the same in batches", 100,
       make<KilledTwice<3, 2>>},
      {"linked", "a writer is killed, a reader keeps the window", 100,
       make<Linked>},
      {"claims", "three threads of two processes append in turn", 100,
       make<Claims>},
      {"claim-waits", "one waits for the claim of its process", 100,
       make<ClaimWaits>},
      {"killed-claim", "one waits for the claim of one that is killed", 100,
       make<KilledClaim>},
      {"ends", "the end of a log", 100, make<Ends>},
      {"waits-head", "two processes wait, no roll", 100, make<Waits<4>>},
      {"waits", "two processes wait, 2 rolls", 100, make<Waits<1>>},
      {"wait-for", "one begins to wait while the sleeper works", 100,
       make<WaitFor>},
      {"killed-wake", "a writer is killed before it wakes", 100,
       make<KilledWake>},
  };
  return all;
}

}  // namespace atomic_log::memory
