// The reading side of the stress: snapshots of the window, kept, refreshed,
// copied, handed to other readers and released in any order, and everything
// that is promised about them.
#ifndef ATOMIC_LOG_TEST_NATIVE_STRESS_STRESS_READER_H_
#define ATOMIC_LOG_TEST_NATIVE_STRESS_STRESS_READER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/memory/window.h"
#include "stress/episode.h"

namespace atomic_log::test {

// Pinned segments in ascending order, as a snapshot in JavaScript holds them.
class Snapshot {
 public:
  // Pins the window now. The seed decides in which order it releases.
  Snapshot(Episode& episode, uint64_t seed);
  // Shares the segments of another one.
  Snapshot(const Snapshot& other);
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { release_all(); }

  uint64_t first_index() const { return held_.front().first_index; }
  uint64_t end_index() const {
    return held_.back().first_index + held_.back().count;
  }

  // Becomes what a new snapshot would be, and keeps what it can.
  void refresh();

  // Every value of every segment, and that no segment became another one.
  void verify_all() const;

  // Marks in `seen` every segment held, by its number.
  void collect(std::vector<memory::SegmentControl*>* seen) const;

 private:
  struct Held {
    memory::SegmentControl* segment;
    uint32_t count;
    uint64_t sequence;
    uint64_t first_index;
  };

  std::vector<Held> pin(uint64_t floor) const;
  void splice_or_replace(std::vector<Held> newer);
  void check_shape() const;
  void check_length();
  void verify(const Held& held, uint32_t from) const;
  void release_all();
  uint64_t lowest_retained() const;

  Episode& episode_;
  // Its own, because a snapshot may pass to another thread.
  Random random_;
  std::vector<Held> held_;
};

class StressReader {
 public:
  // A causal reader checks that its snapshots contain what was appended before;
  // that needs an ordering with the writer which the others do without.
  StressReader(Episode& episode, uint64_t seed, bool causal)
      : episode_(episode), log_(*episode.log), random_(seed), causal_(causal) {}

  void run();

  // After run(): the segments met, by number; null where none was.
  const std::vector<memory::SegmentControl*>& seen() const { return seen_; }

 private:
  static constexpr size_t kSnapshotsMax = 4;

  void act();
  void take();
  void refresh();
  void clone();
  void release();
  void exchange();
  void probe();
  void probe_head();
  void probe_ahead();
  void probe_gone();
  void look_at_bounds();

  // What a causal reader knows to be in the log; 0 for the others.
  uint64_t known_end() const {
    return causal_ ? episode_.finished.load(std::memory_order_acquire) : 0;
  }
  void check_end(uint64_t end, uint64_t known);
  void check_values(memory::SegmentControl& segment, uint32_t count);
  Snapshot& any() { return *snapshots_[random_.below(snapshots_.size())]; }

  Episode& episode_;
  memory::RollingLog& log_;
  Random random_;
  const bool causal_;
  uint64_t last_end_ = 0;
  std::vector<std::unique_ptr<Snapshot>> snapshots_;
  std::vector<memory::SegmentControl*> seen_;
};

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_STRESS_STRESS_READER_H_
