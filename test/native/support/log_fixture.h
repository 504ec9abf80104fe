// A rolling log with the test columns and the appending that the binding does:
// the core itself only publishes and rolls.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_LOG_FIXTURE_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_LOG_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/memory/rolling_log.h"
#include "core/memory/window.h"
#include "support/columns.h"
#include "support/faults.h"

namespace atomic_log::test {

inline memory::RollingLogOptions log_options(uint64_t retained_capacity,
                                             uint32_t segment_capacity) {
  memory::RollingLogOptions options;
  options.retained_capacity = retained_capacity;
  options.segment_capacity = segment_capacity;
  options.element_bytes = column_element_bytes();
  return options;
}

// Null when the core refuses.
inline std::shared_ptr<memory::RollingLog> make_log(uint64_t retained_capacity,
                                                    uint32_t segment_capacity) {
  std::shared_ptr<memory::RollingLog> log;
  const Status status = memory::RollingLog::create(
      log_options(retained_capacity, segment_capacity), &log);
  return status == Status::kOk ? log : nullptr;
}

// The claim, in the one place of the tests that knows how a log offers it.
inline bool try_claim(memory::RollingLog& log) { return log.try_claim(); }
inline void release_claim(memory::RollingLog& log) { log.release_claim(); }

// The holder of the claim. It starts from what is published: entries that an
// earlier holder wrote and did not publish are overwritten.
class Appender {
 public:
  explicit Appender(memory::RollingLog& log)
      : log_(log), count_(log.published_count()) {}

  uint64_t next_index() const {
    return log_.head_segment().first_index() + count_;
  }
  uint32_t count() const { return count_; }

  // Rolls first when the head is full, as append does.
  Status write() {
    if (count_ == log_.segment_capacity()) {
      const Status status = roll();
      if (status != Status::kOk) return status;
    }
    Columns(log_.layout(), log_.head_segment()).store(count_, next_index());
    ++count_;
    return Status::kOk;
  }

  void publish() { log_.publish(count_); }

  Status roll() {
    const Status status = log_.roll(count_);
    if (status == Status::kOk) count_ = 0;
    return status;
  }

  Status append(uint64_t entries) {
    for (uint64_t i = 0; i < entries; ++i) {
      const Status status = write();
      if (status != Status::kOk) return status;
      publish();
    }
    return Status::kOk;
  }

 private:
  memory::RollingLog& log_;
  uint32_t count_;  // entries in the head, staged ones included
};

inline bool holds_values(const memory::RollingLog& log,
                         const memory::SegmentControl& segment, uint32_t from,
                         uint32_t to) {
  const Columns columns(log.layout(), segment);
  for (uint32_t slot = from; slot < to; ++slot) {
    if (!columns.holds(slot, segment.first_index() + slot)) return false;
  }
  return true;
}

inline void unpin_all(memory::RollingLog& log,
                      List<memory::PinnedSegment>* pinned) {
  for (const memory::PinnedSegment& entry : *pinned) log.unpin(entry.segment);
  pinned->clear();
}

// Nothing pinned: every segment is in the ring or free.
inline bool is_conserved(const memory::RollingLog& log) {
  const memory::RollingLog::Stats stats = log.stats();
  return stats.pool.idle + stats.retained == stats.pool.segments;
}

// Has memory refused within one scope; a failure that was not met must not hit
// the next test.
class FailingAllocations {
 public:
  explicit FailingAllocations(int64_t after) { refuse_memory_after(after); }
  ~FailingAllocations() { refuse_memory_after(-1); }
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;
};

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_LOG_FIXTURE_H_
