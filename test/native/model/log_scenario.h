// What the scenarios share: a log whose entries are watched for races, a writer
// that appends to it as the binding does, readers that take, refresh and check
// snapshots as the TypeScript layer does, and the properties of all of them.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_LOG_SCENARIO_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_LOG_SCENARIO_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "checked.h"
#include "core/memory/rolling_log.h"
#include "core/memory/window.h"
#include "scenario.h"

namespace atomic_log::memory {

struct Bounds {
  uint32_t full_segments;         // retained besides the head
  uint32_t segment_capacity = 1;  // entries
  uint64_t initial = 0;           // entries appended before the threads begin
  uint32_t batch = 1;             // entries per publication
};

// Pinned segments, ascending; empty before it is taken and after release().
using Snapshot = List<PinnedSegment>;

class LogScenario : public Scenario {
 public:
  explicit LogScenario(const Bounds& bounds);

  // Every segment is in the ring or idle, exactly once; no one holds one.
  void finish() override;

 protected:
  RollingLog& log() { return *log_; }
  const Bounds& bounds() const { return bounds_; }

  // --- The holder of the claim.
  void append(uint32_t publications);
  // Says that the append is over to the one that calls told(). Otherwise nothing
  // passes between the threads but by the log.
  void tell(uint64_t entries) {
    told_.store(entries, model::memory_order_release);
  }
  uint64_t appended() const { return appended_; }

  // --- Readers. What was appended before the call must be in what it takes.
  uint64_t told() const { return told_.load(model::memory_order_acquire); }
  void take(Snapshot* snapshot, uint64_t at_least);
  void refresh(Snapshot* snapshot, uint64_t at_least);
  void check(const Snapshot& snapshot, uint64_t at_least);
  void check_retains(const Snapshot& snapshot);
  void release(Snapshot* snapshot);
  uint64_t end_of(const Snapshot& snapshot) const;

  using Entry = model::Plain<uint64_t>;

  Entry& entry(const SegmentControl& segment, uint32_t i) {
    return entries_[segment.id() * bounds_.segment_capacity + i];
  }

 private:
  void stage();

  const Bounds bounds_;
  std::shared_ptr<RollingLog> log_;
  const std::unique_ptr<Entry[]> entries_;
  // The writer's; they travel with the claim.
  model::Plain<uint32_t> staged_;
  model::Plain<uint64_t> appended_;

  model::atomic<uint64_t> told_;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_LOG_SCENARIO_H_
