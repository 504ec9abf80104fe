#include "core/abi/attachment.h"

#include <algorithm>
#include <utility>

using atomic_log::memory::PinnedSegment;
using atomic_log::memory::PublishedWord;
using atomic_log::memory::Reader;
using atomic_log::memory::RollingLog;

atomic_log_log::atomic_log_log(std::shared_ptr<RollingLog> presence)
    : presence_(std::move(presence)),
      reader_(std::make_shared<Reader>(Reader::kNative)) {
  const auto& layout = presence_->layout();
  const auto& labels = presence_->labels();
  for (size_t i = 0; i < labels.size(); ++i) {
    columns_.push_back({labels[i].name.c_str(), labels[i].name.size(),
                        layout.column_offsets()[i], labels[i].type,
                        layout.element_bytes()[i]});
  }
  info_ = {sizeof(atomic_log_info),
           static_cast<uint32_t>(columns_.size()),
           columns_.data(),
           presence_->retained_capacity(),
           presence_->segment_capacity(),
           presence_->retained_segments(),
           layout.block_bytes()};
  presence_->readers().add(reader_);
}

atomic_log_log::~atomic_log_log() {
  presence_->readers().remove(reader_.get());
}

namespace atomic_log::abi {

static_assert(ATOMIC_LOG_SEALED == PublishedWord::kSealBit);
static_assert(ATOMIC_LOG_COUNT_MASK == PublishedWord::kCountMax);
static_assert(sizeof(std::atomic<uint64_t>) == sizeof(uint64_t) &&
                  std::atomic<uint64_t>::is_always_lock_free,
              "other compilers load the wake index");

Writer::Writer(atomic_log_log* attachment)
    : atomic_log_writer{}, log(attachment) {
  struct_size = sizeof(atomic_log_writer);
  capacity = log->log().segment_capacity();
  publishes_inline = platform::has_process_barrier() ? 1 : 0;
  wake_index =
      reinterpret_cast<const uint64_t*>(&log->log().entries().wake_index());
  describe_head();
}

void Writer::describe_head() {
  const memory::SegmentControl& head = log->log().head_segment();
  block = static_cast<unsigned char*>(head.block());
  first_index = head.first_index();
  published = log->log().published_count();
}

Snapshot::Snapshot(atomic_log_log* attachment)
    : atomic_log_snapshot{}, log(attachment) {
  struct_size = sizeof(atomic_log_snapshot);
  memory::pin_window(log->log(), 0, &segments_);
  log->reader().pinned(static_cast<int64_t>(segments_.size()));
  describe();
}

Snapshot::~Snapshot() { drop(0, segments_.size()); }

void Snapshot::drop(size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) log->log().unpin(segments_[i].segment);
  segments_.erase(segments_.begin() + static_cast<ptrdiff_t>(begin),
                  segments_.begin() + static_cast<ptrdiff_t>(end));
  log->reader().pinned(-static_cast<int64_t>(end - begin));
}

// Nothing newer is there: the head may have grown. Its count never falls,
// though a stray store can damage the word.
void Snapshot::update_head() {
  PinnedSegment& head = segments_.back();
  const uint32_t count =
      PublishedWord::count_of(head.segment->word().acquire());
  const uint32_t readable = std::min(count, log->log().segment_capacity());
  head.count = std::max({head.count, described_.back().length, readable});
}

void Snapshot::refresh() {
  const uint64_t held_head = segments_.back().segment->sequence();
  newer_.clear();
  memory::pin_window(log->log(), held_head + 1, &newer_);
  if (newer_.empty()) {
    update_head();
    describe();
    return;
  }
  log->reader().pinned(static_cast<int64_t>(newer_.size()));
  const memory::SegmentControl& successor = *newer_.front().segment;
  size_t lost = segments_.size();
  if (successor.sequence() == held_head + 1) {
    // Final, and told by the successor: a stray store can damage the word.
    segments_.back().count = static_cast<uint32_t>(
        successor.first_index() - segments_.back().segment->first_index());
    const uint64_t newest = newer_.back().segment->sequence();
    const uint64_t others = log->log().retained_segments() - 1;
    const uint64_t lowest = newest > others ? newest - others : 0;
    const uint64_t first = segments_.front().segment->sequence();
    lost = lowest > first ? std::min<uint64_t>(lost, lowest - first) : 0;
  }
  drop(0, lost);
  segments_.insert(segments_.end(), newer_.begin(), newer_.end());
  describe();
}

void Snapshot::describe() {
  described_.clear();
  for (const PinnedSegment& pinned : segments_) {
    described_.push_back(
        {static_cast<const unsigned char*>(pinned.segment->block()),
         pinned.segment->sequence(), pinned.segment->first_index(),
         pinned.count, 0});
  }
  chunks = described_.data();
  chunk_count = static_cast<uint32_t>(described_.size());
  first_index = described_.front().first_index;
  end_index = described_.back().first_index + described_.back().length;
}

}  // namespace atomic_log::abi
