#include "stress/stress_reader.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace atomic_log::test {

using memory::PinnedSegment;
using memory::PublishedWord;
using memory::SegmentControl;

Snapshot::Snapshot(Episode& episode, uint64_t seed)
    : episode_(episode), random_(seed), held_(pin(0)) {
  require(!held_.empty(), "a window without a head");
  check_shape();
  check_length();
  verify_all();
}

Snapshot::Snapshot(const Snapshot& other)
    : episode_(other.episode_), random_(other.random_), held_(other.held_) {
  for (const Held& held : held_) held.segment->retain();
}

std::vector<Snapshot::Held> Snapshot::pin(uint64_t floor) const {
  List<PinnedSegment> pinned;
  Status status = memory::pin_window(*episode_.log, floor, &pinned);
  // The refusal that the writer has asked for can meet this thread instead.
  while (status == Status::kOutOfMemory &&
         episode_.configuration.out_of_memory) {
    require(pinned.empty(), "a refused window is pinned", pinned.size(), 0);
    status = memory::pin_window(*episode_.log, floor, &pinned);
  }
  require(status == Status::kOk, "no memory", floor, 0);
  std::vector<Held> held;
  for (const PinnedSegment& entry : pinned) {
    held.push_back({entry.segment, entry.count, entry.segment->sequence(),
                    entry.segment->first_index()});
  }
  return held;
}

// With the same head, the word says all. A sealed head has a successor that can
// be reached, and what is newer is pinned from there.
void Snapshot::refresh() {
  Held& head = held_.back();
  const uint32_t word = head.segment->word().acquire();
  const uint32_t count = PublishedWord::count_of(word);
  require(count >= head.count, "a count fell", count, head.count);
  const uint32_t seen = std::exchange(head.count, count);
  verify(head, seen);
  if (!PublishedWord::is_sealed(word)) {
    check_shape();
    return;
  }
  const uint64_t successor = head.sequence + 1;
  require(episode_.log->head_sequence() >= successor,
          "sealed without a successor", episode_.log->head_sequence(),
          successor);
  std::vector<Held> newer = pin(successor);
  require(!newer.empty(), "sealed without a window above", 0, successor);
  for (const Held& held : newer) verify(held, 0);
  splice_or_replace(std::move(newer));
  check_shape();
  check_length();
}

void Snapshot::splice_or_replace(std::vector<Held> newer) {
  if (newer.front().sequence != held_.back().sequence + 1) {
    release_all();
    held_ = std::move(newer);
    return;
  }
  held_.insert(held_.end(), newer.begin(), newer.end());
  const uint64_t lowest = lowest_retained();
  auto keep = held_.begin();
  for (; keep->sequence < lowest; ++keep) episode_.log->unpin(keep->segment);
  held_.erase(held_.begin(), keep);
}

uint64_t Snapshot::lowest_retained() const {
  const uint64_t head = held_.back().sequence;
  const uint64_t others = episode_.log->retained_segments() - 1;
  return head > others ? head - others : 0;
}

// Consecutive segments without a hole between their entries.
void Snapshot::check_shape() const {
  for (size_t i = 0; i < held_.size(); ++i) {
    const Held& held = held_[i];
    require(held.count <= episode_.log->segment_capacity(), "a count too high",
            held.count, episode_.log->segment_capacity());
    if (i == 0) continue;
    const Held& before = held_[i - 1];
    require(held.sequence == before.sequence + 1, "a segment is missing",
            held.sequence, before.sequence + 1);
    require(held.first_index == before.first_index + before.count,
            "a hole between segments", held.first_index,
            before.first_index + before.count);
    require(before.count > 0, "an empty segment was sealed", before.sequence);
  }
}

// The retained capacity, unless the log is younger, or the writer lapped every
// one of the walk's tries: pin_window's one allowed shortage.
void Snapshot::check_length() {
  const uint64_t lowest = held_.front().sequence;
  require(lowest >= lowest_retained(), "more than the window", lowest,
          lowest_retained());
  if (lowest == 0) {
    require(first_index() == 0, "the first index", first_index());
    return;
  }
  if (lowest > lowest_retained() + 1) {
    episode_.short_windows.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (episode_.configuration.early_seals) return;
  const uint64_t length = end_index() - first_index();
  require(length >= episode_.log->retained_capacity(),
          "shorter than the log ever was", length,
          episode_.log->retained_capacity());
}

void Snapshot::verify_all() const {
  for (const Held& held : held_) verify(held, 0);
}

void Snapshot::verify(const Held& held, uint32_t from) const {
  require(held.segment->sequence() == held.sequence, "recycled while held",
          held.segment->sequence(), held.sequence);
  require(held.segment->first_index() == held.first_index,
          "renumbered while held", held.segment->first_index(),
          held.first_index);
  const Columns columns(episode_.log->layout(), *held.segment);
  for (uint32_t slot = from; slot < held.count; ++slot) {
    require(columns.holds(slot, held.first_index + slot), "a wrong value",
            held.sequence, slot);
  }
}

void Snapshot::collect(std::vector<SegmentControl*>* seen) const {
  for (const Held& held : held_) {
    const uint32_t id = held.segment->id();
    if (id >= seen->size()) seen->resize(id + 1);
    SegmentControl*& entry = (*seen)[id];
    require(entry == nullptr || entry == held.segment,
            "two segments with one number", id);
    entry = held.segment;
  }
}

void Snapshot::release_all() {
  while (!held_.empty()) {
    const size_t i = random_.below(held_.size());
    episode_.log->unpin(held_[i].segment);
    held_[i] = held_.back();
    held_.pop_back();
  }
}

void StressReader::run() {
  do {
    act();
    episode_.reads.fetch_add(1, std::memory_order_relaxed);
    // Else the writer gets a share of a core too small to lap anyone.
    if (random_.one_in(8)) std::this_thread::yield();
  } while (!episode_.stop.load(std::memory_order_relaxed));
  while (!snapshots_.empty()) release();
}

void StressReader::act() {
  const uint64_t dice = random_.below(32);
  if (snapshots_.empty() || dice < 4) return take();
  if (dice < 12) return refresh();
  if (dice < 15) return clone();
  if (dice < 17) return release();
  if (dice < 19) return exchange();
  if (dice < 23) return probe();
  if (dice < 25) return probe_head();
  if (dice < 27) return probe_ahead();
  if (dice < 30) return probe_gone();
  look_at_bounds();
}

void StressReader::take() {
  if (snapshots_.size() >= kSnapshotsMax) release();
  const uint64_t known = known_end();
  snapshots_.push_back(std::make_unique<Snapshot>(episode_, random_.next()));
  snapshots_.back()->collect(&seen_);
  check_end(snapshots_.back()->end_index(), known);
}

void StressReader::refresh() {
  Snapshot& snapshot = any();
  const uint64_t known = known_end();
  snapshot.refresh();
  snapshot.collect(&seen_);
  check_end(snapshot.end_index(), known);
}

void StressReader::clone() {
  if (snapshots_.size() >= kSnapshotsMax) release();
  if (snapshots_.empty()) return;
  snapshots_.push_back(std::make_unique<Snapshot>(any()));
}

void StressReader::release() {
  const size_t i = random_.below(snapshots_.size());
  if (random_.one_in(2)) snapshots_[i]->verify_all();
  std::swap(snapshots_[i], snapshots_.back());
  snapshots_.pop_back();
}

// Puts a snapshot where another reader finds it, and takes what is there. The
// exchange orders the two readers; what they do afterwards it does not.
void StressReader::exchange() {
  auto& mailbox = episode_.mailboxes[random_.below(Episode::kMailboxes)];
  Snapshot* const mine = snapshots_.back().release();
  snapshots_.pop_back();
  std::unique_ptr<Snapshot> theirs(
      mailbox.exchange(mine, std::memory_order_acq_rel));
  if (theirs == nullptr) return;
  last_end_ = std::max(last_end_, theirs->end_index());
  // Half of them are released here, by a thread that did not pin them.
  theirs->verify_all();
  if (random_.one_in(2)) snapshots_.push_back(std::move(theirs));
}

// One segment by its number. If it is gone, a successor has its slot.
void StressReader::probe() {
  const uint64_t head = log_.head_sequence();
  const uint64_t below = random_.below(log_.retained_segments());
  const uint64_t sequence = head - std::min(head, below);
  SegmentControl* const segment = log_.try_pin(sequence);
  if (segment == nullptr) {
    const uint64_t later = log_.head_sequence();
    require(later + 1 >= sequence + log_.retained_segments(),
            "gone, but never evicted", sequence, later);
    return;
  }
  require(segment->sequence() == sequence, "another segment was pinned",
          segment->sequence(), sequence);
  check_values(*segment, PublishedWord::count_of(segment->word().acquire()));
  log_.unpin(segment);
}

// One that sees the head's number sees what was done before it was given.
void StressReader::probe_head() {
  const uint64_t head = log_.head_sequence();
  if (head == 0 || head >= Episode::kAnnouncedMax) return;
  require(episode_.announced[head] == mix(head), "a head out of the blue",
          head);
}

// A segment may be reached through the ring just before it becomes the head,
// by a reader whom nothing else has told that it exists.
void StressReader::probe_ahead() {
  for (int tries = 0; tries < 8; ++tries) {
    const uint64_t sequence = log_.head_sequence() + 1;
    SegmentControl* const segment = log_.try_pin(sequence);
    if (segment == nullptr) continue;
    require(segment->sequence() == sequence, "another segment was pinned",
            segment->sequence(), sequence);
    log_.unpin(segment);
  }
}

// When the lowest of the window is gone, the head pinned before it is full, and
// who was told "gone" sees its entries without looking any further: a walk that
// ends there must not miss them. So the entries come before the word here,
// whose acquire would make them visible a second time.
void StressReader::probe_gone() {
  if (episode_.configuration.early_seals) return probe();
  const uint64_t others = log_.retained_segments() - 1;
  for (int tries = 0; tries < 8; ++tries) {
    const uint64_t sequence = log_.head_sequence();
    if (sequence < others) return;
    SegmentControl* const head = log_.try_pin(sequence);
    if (head == nullptr) continue;
    SegmentControl* const lowest = log_.try_pin(sequence - others);
    if (lowest == nullptr) {
      check_values(*head, log_.segment_capacity());
      const uint32_t count = PublishedWord::count_of(head->word().acquire());
      require(count == log_.segment_capacity(),
              "gone, and its successors not full", sequence, count);
    } else {
      log_.unpin(lowest);
    }
    log_.unpin(head);
  }
}

// The last entries, which the writer has been at most recently.
void StressReader::check_values(SegmentControl& segment, uint32_t count) {
  require(count <= log_.segment_capacity(), "a count too high", count);
  const Columns columns(log_.layout(), segment);
  for (uint32_t slot = count - std::min(count, 8u); slot < count; ++slot) {
    require(columns.holds(slot, segment.first_index() + slot),
            "a wrong value under a probe", segment.sequence(), slot);
  }
}

void StressReader::look_at_bounds() {
  const uint64_t known = known_end();
  const memory::WindowBounds bounds = memory::window_bounds(log_);
  require(bounds.first_index <= bounds.end_index, "bounds upside down",
          bounds.first_index, bounds.end_index);
  const uint64_t longest =
      uint64_t{log_.retained_segments()} * log_.segment_capacity();
  require(bounds.end_index - bounds.first_index <= longest,
          "bounds wider than the window", bounds.first_index, bounds.end_index);
  check_end(bounds.end_index, known);
}

void StressReader::check_end(uint64_t end, uint64_t known) {
  require(end >= last_end_, "the end went back", end, last_end_);
  require(end >= known, "an append that had finished is missing", end, known);
  last_end_ = end;
}

}  // namespace atomic_log::test
