#include "log_scenario.h"

namespace atomic_log::memory {
namespace {

// More than any scenario needs.
constexpr uint32_t kSegmentsMax = 12;

// Not the index itself, so that a zero is not mistaken for an entry.
constexpr uint64_t value_of(uint64_t index) { return 100 + index; }

}  // namespace

LogScenario::LogScenario(const Bounds& bounds)
    : bounds_(bounds),
      entries_(new Entry[kSegmentsMax * bounds.segment_capacity]) {
  model::has_process_barrier = true;
  RollingLogOptions options;
  options.segment_capacity = bounds.segment_capacity;
  options.retained_capacity =
      uint64_t{bounds.full_segments} * bounds.segment_capacity;
  options.element_bytes = {8};
  const Status status = RollingLog::create(options, &log_);
  model::check(status == Status::kOk, "no log");
  model::check(log_->try_claim(), "a new log cannot be claimed");
  while (appended_ < bounds.initial) append(1);
}

void LogScenario::stage() {
  if (staged_ == bounds_.segment_capacity) {
    const Status status = log_->roll(staged_);
    model::check(status == Status::kOk, "roll failed");
    staged_ = 0;
  }
  SegmentControl& head = log_->head_segment();
  model::check(head.id() < kSegmentsMax, "segments without end");
  entry(head, staged_) = value_of(appended_);
  ++staged_;
  ++appended_;
}

void LogScenario::append(uint32_t publications) {
  for (uint32_t i = 0; i < publications; ++i) {
    for (uint32_t j = 0; j < bounds_.batch; ++j) stage();
    log_->publish(staged_);
    tell(appended_);
  }
}

void LogScenario::take(Snapshot* snapshot, uint64_t at_least) {
  model::check(pin_window(*log_, 0, snapshot) == Status::kOk, "no memory");
  check(*snapshot, at_least);
  check_retains(*snapshot);
}

// As a snapshot's refresh does: keeps what it holds when the new segments
// follow without a gap.
void LogScenario::refresh(Snapshot* snapshot, uint64_t at_least) {
  PinnedSegment& head = snapshot->back();
  const uint32_t word = head.segment->word().acquire();
  head.count = PublishedWord::count_of(word);
  if (PublishedWord::is_sealed(word)) {
    const uint64_t held = head.segment->sequence();
    Snapshot newer;
    model::check(pin_window(*log_, held + 1, &newer) == Status::kOk,
                 "no memory");
    model::check(!newer.empty(), "sealed, but the successor is not there");
    if (newer.front().segment->sequence() == held + 1) {
      const uint64_t newest = newer.back().segment->sequence();
      size_t lost = 0;
      for (const PinnedSegment& pinned : *snapshot) {
        if (pinned.segment->sequence() + bounds_.full_segments >= newest) break;
        log_->unpin(pinned.segment);
        ++lost;
      }
      snapshot->drop_front(lost);
      model::check(snapshot->try_append(newer.data(), newer.size()),
                   "no memory");
    } else {
      release(snapshot);
      *snapshot = std::move(newer);
    }
  }
  check(*snapshot, at_least);
  check_retains(*snapshot);
}

void LogScenario::check(const Snapshot& snapshot, uint64_t at_least) {
  model::check(!snapshot.empty(), "no segment in a snapshot");
  uint64_t sequence = snapshot.front().segment->sequence();
  const uint64_t first = snapshot.front().segment->first_index();
  uint64_t end = first;
  for (const auto& [segment, count] : snapshot) {
    model::check(segment->sequence() == sequence, "recycled while held");
    model::check(segment->first_index() == end, "a hole in a snapshot");
    model::check(count <= bounds_.segment_capacity, "a count out of range");
    for (uint32_t i = 0; i < count; ++i) {
      model::check(entry(*segment, i) == value_of(end + i),
                   "an entry that was never published");
    }
    end += count;
    ++sequence;
  }
  model::check(end >= at_least, "misses an append that was over before");
  model::check(end > first || bounds_.initial == 0,
               "empty, although the log never was");
  // Whole batches, or cut where a roll published what was staged.
  model::check(end % bounds_.batch == 0 || end % bounds_.segment_capacity == 0,
               "an end that never was published");
}

void LogScenario::check_retains(const Snapshot& snapshot) {
  const uint64_t first = snapshot.front().segment->first_index();
  model::check(
      first == 0 || end_of(snapshot) - first >= log_->retained_capacity(),
      "less than the retained capacity");
}

void LogScenario::release(Snapshot* snapshot) {
  for (const PinnedSegment& pinned : *snapshot) log_->unpin(pinned.segment);
  snapshot->clear();
}

uint64_t LogScenario::end_of(const Snapshot& snapshot) const {
  const PinnedSegment& head = snapshot.back();
  return head.segment->first_index() + head.count;
}

void LogScenario::finish() {
  const RollingLog::Stats before = log_->stats();
  model::check(before.pool.segments == before.retained + before.pool.idle,
               "a segment is lost, or counted twice");
  // Hold every segment: those of the ring first, then the idle ones, which
  // become heads one after the other.
  std::vector<bool> seen(before.pool.segments);
  Snapshot held;
  const auto hold = [&](uint64_t sequence) {
    SegmentControl* const segment = log_->try_pin(sequence);
    model::check(segment != nullptr, "a reference too few");
    model::check(segment->id() < seen.size(), "new, although one was idle");
    model::check(!seen[segment->id()], "a segment in two places");
    seen[segment->id()] = true;
    model::check(held.try_push_back({segment, 0}), "no memory");
  };
  const uint64_t head = log_->head_sequence();
  for (uint64_t i = 0; i < before.retained; ++i) hold(head - i);
  for (uint64_t i = 0; i < before.pool.idle; ++i) {
    const uint32_t count = log_->published_count();
    const Status status = log_->roll(count == 0 ? 1 : count);
    model::check(status == Status::kOk, "roll failed");
    hold(log_->head_sequence());
  }
  release(&held);
  const RollingLog::Stats after = log_->stats();
  model::check(after.pool.segments == after.retained + after.pool.idle,
               "a reference too many");
}

}  // namespace atomic_log::memory
