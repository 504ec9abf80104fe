#include "core/memory/block_pool.h"
#include "log_scenario.h"
#include "scenario.h"

namespace atomic_log::memory {
namespace {

// --- Readers against one writer.

// Snapshots of the whole window.
template <uint32_t kFullSegments, uint32_t kAppends>
class Snapshots final : public LogScenario {
 public:
  Snapshots()
      : LogScenario(
            {.full_segments = kFullSegments, .initial = kFullSegments + 1}) {}

  void thread(uint32_t index) override {
    if (index == 0) return append(kAppends);
    Snapshot snapshot;
    take(&snapshot, told());
    release(&snapshot);
  }
};

// Single segments, from the head downwards. What is reported gone must have
// been replaced.
template <uint32_t kFullSegments, uint32_t kAppends>
class Pins final : public LogScenario {
 public:
  Pins()
      : LogScenario(
            {.full_segments = kFullSegments, .initial = kFullSegments}) {}

  void thread(uint32_t index) override {
    if (index == 0) return append(kAppends);
    const uint64_t head = log().head_sequence();
    for (uint64_t left = head + 1; left > 0; --left) {
      SegmentControl* const segment = log().try_pin(left - 1);
      if (segment == nullptr) {
        gone_end_[index] = left;
        break;
      }
      model::check(segment->sequence() == left - 1,
                   "not the segment asked for");
      log().unpin(segment);
    }
  }

  void finish() override {
    for (const uint64_t end : gone_end_) {
      model::check(end == 0 || end + kFullSegments <= log().head_sequence(),
                   "gone, but never replaced");
    }
    LogScenario::finish();
  }

 private:
  uint64_t gone_end_[kThreads] = {};
};

// Refreshes of snapshots that were taken before.
class Refreshes final : public LogScenario {
 public:
  Refreshes() : LogScenario({.full_segments = 1, .initial = 2}) {
    for (Snapshot& snapshot : held_) take(&snapshot, bounds().initial);
  }

  void thread(uint32_t index) override {
    if (index == 0) return append(3);
    Snapshot* const snapshot = &held_[index - 1];
    for (uint32_t i = 0; i < 3 - index; ++i) refresh(snapshot, told());
    release(snapshot);
  }

 private:
  Snapshot held_[2];
};

// Publications of two entries in segments of three: a roll finds one staged.
class Batches final : public LogScenario {
 public:
  Batches()
      : LogScenario({.full_segments = 1,
                     .segment_capacity = 3,
                     .initial = 2,
                     .batch = 2}) {
    take(&held_, bounds().initial);
  }

  void thread(uint32_t index) override {
    if (index == 0) return append(2);
    if (index == 1) {
      Snapshot snapshot;
      take(&snapshot, told());
      refresh(&snapshot, told());
      release(&snapshot);
    } else {
      refresh(&held_, told());
      release(&held_);
    }
  }

 private:
  Snapshot held_;
};

// A reader tells another what it saw; a refresh must find that too.
template <uint32_t kSegmentCapacity, uint32_t kBatch>
class Relay final : public LogScenario {
 public:
  Relay()
      : LogScenario({.full_segments = 1,
                     .segment_capacity = kSegmentCapacity,
                     .initial = 2,
                     .batch = kBatch}) {
    take(&held_, bounds().initial);
  }

  void thread(uint32_t index) override {
    if (index == 0) return append(1);
    if (index == 1) {
      Snapshot snapshot;
      take(&snapshot, bounds().initial);
      seen_.store(end_of(snapshot), model::memory_order_release);
      release(&snapshot);
    } else {
      refresh(&held_, seen_.load(model::memory_order_acquire));
      release(&held_);
    }
  }

 private:
  Snapshot held_;
  model::atomic<uint64_t> seen_;
};

// The last references are dropped while the writer recycles. The readers
// share a segment, and hold more than stay warm when they are idle.
class Releases final : public LogScenario {
 public:
  Releases() : LogScenario({.full_segments = 1, .initial = 2}) {
    take(&held_[0], bounds().initial);
    append(1);
    take(&held_[1], bounds().initial);
  }

  void thread(uint32_t index) override {
    if (index == 0) return append(3);
    Snapshot* const snapshot = &held_[index - 1];
    check(*snapshot, bounds().initial);
    release(snapshot);
  }

 private:
  Snapshot held_[2];
};

// A reference is passed on to another thread.
class Retains final : public LogScenario {
 public:
  Retains() : LogScenario({.full_segments = 1, .initial = 2}) {
    take(&held_, bounds().initial);
  }

  void thread(uint32_t index) override {
    if (index == 0) return append(3);
    if (index == 1) {
      for (const PinnedSegment& pinned : held_) pinned.segment->retain();
      is_passed_.store(true, model::memory_order_release);
    } else if (!is_passed_.load(model::memory_order_acquire)) {
      return;
    } else {
      has_taken_ = true;
    }
    check(held_, bounds().initial);
    for (const PinnedSegment& pinned : held_) log().unpin(pinned.segment);
  }

  void finish() override {
    if (!has_taken_) release(&held_);
    LogScenario::finish();
  }

 private:
  Snapshot held_;
  model::atomic<bool> is_passed_;
  bool has_taken_ = false;
};

// The two bounds of the window, and the end twice.
class WindowEnds final : public LogScenario {
 public:
  WindowEnds()
      : LogScenario({.full_segments = 2, .segment_capacity = 1, .initial = 3}) {
  }

  void thread(uint32_t index) override {
    if (index == 0) return append(3);
    const uint64_t at_least = told();
    if (index == 1) {
      const uint64_t end = end_index(log());
      model::check(end >= at_least, "misses an append that was over before");
      model::check(end_index(log()) >= end, "an end that goes back");
    } else {
      const WindowBounds window = window_bounds(log());
      model::check(window.end_index >= at_least,
                   "misses an append that was over before");
      model::check(window.first_index < window.end_index,
                   "empty, although the log never was");
    }
  }
};

// --- A change of writer.

template <bool kDropsHeld>
class Writers final : public LogScenario {
 public:
  Writers() : LogScenario({.full_segments = 1, .initial = 2}) {
    if (kDropsHeld) take(&held_, bounds().initial);
  }

  void thread(uint32_t index) override {
    if (index == 2) {
      if (kDropsHeld) {
        check(held_, bounds().initial);
      } else {
        take(&held_, told());
      }
      return release(&held_);
    }
    if (index == 1) {
      while (!log().try_claim()) rl::yield(1, RL_INFO);
    }
    append(2);
    log().release_claim();
  }

 private:
  Snapshot held_;
};

// --- The end of a log.

// No one is attached any more, and the log retires, while two threads still give
// back pins: what a pin keeps is as it was, and in the end no segment has memory.
class Retires final : public LogScenario, private BlockPool::Watcher {
 public:
  Retires() : LogScenario({.full_segments = 1, .initial = 2}) {
    for (Snapshot& snapshot : held_) take(&snapshot, bounds().initial);
    BlockPool::watcher = this;
  }
  ~Retires() override { BlockPool::watcher = nullptr; }

  void thread(uint32_t index) override {
    if (index == 0) return log().retire(true);
    Snapshot& held = held_[index - 1];
    check(held, bounds().initial);
    for (const PinnedSegment& pinned : held) log().unpin_late(pinned.segment);
  }

  void finish() override {
    BlockPool::watcher = nullptr;
    for (const PinnedSegment& pinned : held_[0]) {
      model::check(entry(*pinned.segment, 0) == 0, "memory that no one pins");
    }
  }

 private:
  void decommitted(void* block) override {
    for (const PinnedSegment& pinned : held_[0]) {
      if (pinned.segment->block() == block) entry(*pinned.segment, 0) = 0;
    }
  }

  Snapshot held_[2];
};

// --- Waiting.

class Flag final : public Waiter {
 public:
  void wake() override { is_woken_ = true; }
  bool is_woken() const { return is_woken_; }

 private:
  model::Plain<bool> is_woken_;
};

// Each waiter finds its entry when it looks after it registered, or is woken.
template <bool kHasProcessBarrier, uint32_t kSegmentCapacity>
class Waits final : public LogScenario {
 public:
  Waits()
      : LogScenario({.full_segments = 1,
                     .segment_capacity = kSegmentCapacity,
                     .initial = 1}) {
    model::has_process_barrier = kHasProcessBarrier;
  }

  void thread(uint32_t index) override {
    if (index == 0) return append(2);
    const uint64_t wanted = bounds().initial + index - 1;
    Flag& flag = flags_[index - 1];
    log().entries().add(&flag, wanted);
    if (end_index(log()) <= wanted) return;
    has_seen_[index - 1] = true;
    if (log().entries().remove(&flag)) {
      model::check(!flag.is_woken(), "woken, but registered still");
    }
  }

  void finish() override {
    for (uint32_t i = 0; i < 2; ++i) {
      model::check(has_seen_[i] || flags_[i].is_woken(), "a lost wake-up");
    }
    LogScenario::finish();
  }

 private:
  Flag flags_[2];
  bool has_seen_[2] = {};
};

// The writer appends, ends the log and gives up the claim. One that sees the
// end sees every entry; who waits is woken; no one claims it again.
class Ends final : public LogScenario {
 public:
  Ends() : LogScenario({.full_segments = 1, .initial = 1}) {}

  void thread(uint32_t index) override {
    if (index == 0) {
      append(1);
      log().end();
      log().release_claim();
    } else if (index == 1) {
      log().entries().add(&flag_, UINT64_MAX - 1);
      has_seen_ = log().has_ended();
      if (has_seen_) {
        model::check(end_index(log()) == bounds().initial + 1,
                     "the end before the last entry");
        log().entries().remove(&flag_);
      }
    } else {
      model::check(!log().try_claim(), "a claim of a log that ended");
      if (log().has_ended()) {
        model::check(end_index(log()) == bounds().initial + 1,
                     "the end before the last entry");
      }
    }
  }

  void finish() override {
    model::check(has_seen_ || flag_.is_woken(), "a lost wake-up");
    LogScenario::finish();
  }

 private:
  Flag flag_;
  bool has_seen_ = false;
};

// Two threads wait for the claim; each gets it or is woken.
class Claims final : public LogScenario {
 public:
  Claims() : LogScenario({.full_segments = 1, .initial = 1}) {}

  void thread(uint32_t index) override {
    if (index == 0) {
      append(1);
      return log().release_claim();
    }
    Flag& flag = flags_[index - 1];
    if (!log().try_claim()) {
      log().claims().add(&flag, 0);
      if (!log().try_claim()) return;
      log().claims().remove(&flag);
    }
    has_claimed_[index - 1] = true;
    append(1);
    log().release_claim();
  }

  void finish() override {
    for (uint32_t i = 0; i < 2; ++i) {
      model::check(has_claimed_[i] || flags_[i].is_woken(), "a lost wake-up");
    }
    LogScenario::finish();
  }

 private:
  Flag flags_[2];
  bool has_claimed_[2] = {};
};

}  // namespace

const std::vector<ScenarioKind>& scenarios() {
  static const std::vector<ScenarioKind> all = {
      {"pins-2", "single segments, a ring of two, 3 rolls", 100,
       make_scenario<Pins<1, 3>>},
      {"pins-3", "single segments, a ring of three, 4 rolls", 100,
       make_scenario<Pins<2, 4>>},
      {"snapshots-2", "two snapshots, a ring of two, 2 rolls", 100,
       make_scenario<Snapshots<1, 2>>},
      {"snapshots-3", "two snapshots, a ring of three, 4 rolls", 100,
       make_scenario<Snapshots<2, 4>>},
      {"refreshes", "held snapshots refreshed once and twice, 3 rolls", 100,
       make_scenario<Refreshes>},
      {"batches", "batches of two in segments of three", 100,
       make_scenario<Batches>},
      {"relay", "a refresh after another reader's snapshot, 1 roll", 100,
       make_scenario<Relay<1, 1>>},
      {"relay-batches", "the same, and the roll finds an entry staged", 100,
       make_scenario<Relay<3, 2>>},
      {"releases", "last references dropped during 3 rolls", 100,
       make_scenario<Releases>},
      {"retains", "references passed to another thread, 3 rolls", 100,
       make_scenario<Retains>},
      {"window-ends", "bounds of the window, 3 rolls", 100,
       make_scenario<WindowEnds>},
      {"writers", "two writers, 4 rolls, one snapshot", 100,
       make_scenario<Writers<false>>},
      {"writers-drop", "two writers, 4 rolls, one release", 100,
       make_scenario<Writers<true>>},
      {"retires", "the log retires while pins come back", 100,
       make_scenario<Retires>},
      {"waits-fences", "two waiters, fences on both sides", 100,
       make_scenario<Waits<false, 1>>},
      {"waits-barrier", "two waiters, process-wide barrier, rolls", 100,
       make_scenario<Waits<true, 1>>},
      {"waits-head", "two waiters, process-wide barrier, no roll", 100,
       make_scenario<Waits<true, 4>>},
      {"ends", "the end of a log", 100, make_scenario<Ends>},
      {"claims", "two wait for the claim", 100, make_scenario<Claims>},
  };
  return all;
}

}  // namespace atomic_log::memory
