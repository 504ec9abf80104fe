#include "core/memory/window.h"

#include <algorithm>

#include "core/base/check.h"

namespace atomic_log::memory {
namespace {

// Tries at a walk that the writer keeps lapping. Each try only repeats after a
// whole window went by during it.
constexpr int kTriesMax = 16;

uint64_t lowest_retained(const RollingLog& log, uint64_t head) {
  const uint64_t others = log.retained_segments() - 1;
  return head > others ? head - others : 0;
}

// The walk from `head` may end here. The lowest retained segment may be evicted
// while we walk: one short of the window still holds the retained capacity. A
// floor above that is what the caller holds already: nothing may be missing.
uint64_t lowest_acceptable(const RollingLog& log, uint64_t head,
                           uint64_t floor) {
  const uint64_t retained = log.retained_segments();
  return std::max(floor, head + 2 > retained ? head + 2 - retained : 0);
}

uint32_t readable(const RollingLog& log, uint32_t word) {
  return std::min(PublishedWord::count_of(word), log.segment_capacity());
}

}  // namespace

Status pin_window(RollingLog& log, uint64_t floor,
                  List<PinnedSegment>* pinned) {
  const size_t begin = pinned->size();
  for (int tries = 0;; ++tries) {
    const uint64_t head = log.head_sequence();
    if (head < floor) return Status::kOk;
    const uint64_t lowest = std::max(floor, lowest_retained(log, head));
    // Here, where nothing is pinned yet.
    if (!pinned->try_reserve(begin + (head + 1 - lowest))) {
      return Status::kOutOfMemory;
    }
    uint64_t next = head + 1;
    while (next > lowest) {
      SegmentControl* const segment = log.try_pin(next - 1);
      if (segment == nullptr) break;
      pinned->push_back({segment, 0});
      --next;
    }
    const bool head_is_gone = next == head + 1;
    const bool lapped = next > lowest_acceptable(log, head, floor);
    if (head_is_gone || (lapped && tries < kTriesMax)) {
      for (size_t i = begin; i < pinned->size(); ++i) {
        log.unpin((*pinned)[i].segment);
      }
      pinned->truncate(begin);
      continue;
    }
    break;
  }
  std::reverse(pinned->begin() + begin, pinned->end());
  const size_t end = pinned->size();
  for (size_t i = begin; i + 1 < end; ++i) {
    // Final, and told by the successor: a stray store can damage the word.
    PinnedSegment& entry = (*pinned)[i];
    const SegmentControl& next = *(*pinned)[i + 1].segment;
    CORE_CHECK(next.sequence() == entry.segment->sequence() + 1);
    entry.count = static_cast<uint32_t>(next.first_index() -
                                        entry.segment->first_index());
    CORE_CHECK(entry.count > 0 && entry.count <= log.segment_capacity());
  }
  CORE_CHECK(end > begin && end - begin <= log.retained_segments());
  PinnedSegment& head = pinned->back();
  head.count = readable(log, head.segment->word().acquire());
  return Status::kOk;
}

uint64_t end_index(RollingLog& log) {
  for (;;) {
    SegmentControl* const head = log.try_pin(log.head_sequence());
    if (head == nullptr) continue;
    const uint64_t end =
        head->first_index() + readable(log, head->word().acquire());
    log.unpin(head);
    return end;
  }
}

WindowBounds window_bounds(RollingLog& log) {
  for (;;) {
    const uint64_t head = log.head_sequence();
    SegmentControl* const newest = log.try_pin(head);
    if (newest == nullptr) continue;
    uint64_t first_index = newest->first_index();
    // The lowest may be evicted meanwhile; the next one up is the lowest then.
    for (uint64_t s = lowest_retained(log, head); s < head; ++s) {
      SegmentControl* const oldest = log.try_pin(s);
      if (oldest == nullptr) continue;
      first_index = oldest->first_index();
      log.unpin(oldest);
      break;
    }
    const uint64_t end_index =
        newest->first_index() + readable(log, newest->word().acquire());
    log.unpin(newest);
    CORE_CHECK(first_index <= end_index);
    return {first_index, end_index};
  }
}

}  // namespace atomic_log::memory
