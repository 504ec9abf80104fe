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
  presence_->readers().add(reader_);
}

bool atomic_log_log::describe() {
  const auto& layout = presence_->layout();
  const auto& labels = presence_->labels();
  if (!columns_.try_reserve(labels.size())) return false;
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
  return true;
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
}

Status Snapshot::open() {
  const Status status = memory::pin_window(log->log(), 0, &segments_);
  if (status != Status::kOk) return status;
  log->reader().pinned(static_cast<int64_t>(segments_.size()));
  if (!described_.try_reserve(segments_.size())) return Status::kOutOfMemory;
  describe();
  return Status::kOk;
}

Snapshot::~Snapshot() { drop(segments_.size()); }

void Snapshot::drop(size_t count) {
  for (size_t i = 0; i < count; ++i) log->log().unpin(segments_[i].segment);
  segments_.drop_front(count);
  log->reader().pinned(-static_cast<int64_t>(count));
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

Status Snapshot::refresh() {
  const uint64_t held_head = segments_.back().segment->sequence();
  newer_.clear();
  const Status status = memory::pin_window(log->log(), held_head + 1, &newer_);
  if (status != Status::kOk) return status;
  if (newer_.empty()) {
    update_head();
    describe();
    return Status::kOk;
  }
  const size_t count = segments_.size() + newer_.size();
  if (!segments_.try_reserve(count) || !described_.try_reserve(count)) {
    for (const PinnedSegment& pinned : newer_) {
      log->log().unpin(pinned.segment);
    }
    return Status::kOutOfMemory;
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
  drop(lost);
  segments_.append(newer_.data(), newer_.size());
  describe();
  return Status::kOk;
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
