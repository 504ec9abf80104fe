#include "core/shared_memory/segment_copies.h"

#include <algorithm>
#include <atomic>
#include <new>

#include "core/memory/block_pool.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::shared_memory {
namespace {

using memory::BlockPool;

template <typename Word>
Word load_relaxed(const char* from) {
  return reinterpret_cast<const std::atomic<Word>*>(from)->load(
      std::memory_order_relaxed);
}

template <typename Word>
void copy_one(char* to, const char* from) {
  *reinterpret_cast<Word*>(to) = load_relaxed<Word>(from);
}

// By atomic loads, because the writer may store there meanwhile. Both places
// are as far from the beginning of a line.
void copy_relaxed(char* to, const char* from, uint64_t bytes) {
  const char* const end = from + bytes;
  const auto advance = [&](size_t size) {
    to += size;
    from += size;
  };
  while (from < end && reinterpret_cast<uintptr_t>(from) % 8 != 0) {
    copy_one<uint8_t>(to, from);
    advance(1);
  }
  while (end - from >= 8) {
    copy_one<uint64_t>(to, from);
    advance(8);
  }
  while (from < end) {
    copy_one<uint8_t>(to, from);
    advance(1);
  }
}

// Release: pairs with PublishedWord::acquire(), and with JavaScript's load.
void show_count(char* block, uint32_t count) {
  reinterpret_cast<std::atomic<uint32_t>*>(block)->store(
      count | memory::PublishedWord::kSealBit, std::memory_order_release);
}

std::shared_ptr<char> take_pooled(size_t bytes) {
  auto* const block = static_cast<char*>(BlockPool::instance().take(bytes));
  if (block == nullptr) return nullptr;
  return {block, [bytes](char* taken) {
            BlockPool::instance().give_back(taken, bytes);
          }};
}

}  // namespace

std::shared_ptr<char> SegmentCopies::take_block() {
  const uint64_t bytes = log_.format().layout.block_bytes();
  if (file_.mapping == nullptr) return take_pooled(bytes);
  const uint64_t at = copies_.size() * bytes;
  if (at + bytes > file_.mapping->bytes()) return nullptr;
  return {file_.mapping, file_.mapping->data() + at};
}

// Offsets come from the file: what is copied by them lies within the data of
// its column. Those of the entries that the copy has were looked at before.
void SegmentCopies::copy_entries(const char* from, char* to, uint32_t begin,
                                 uint32_t end) {
  const SharedFormat& format = log_.format();
  const auto& offsets = format.layout.column_offsets();
  const auto& element_bytes = format.options.element_bytes;
  const auto& data_bytes = format.options.data_bytes;
  size_t column = 0;
  for (const uint32_t bytes : element_bytes) {
    const uint64_t at = offsets[column++] + uint64_t{begin} * bytes;
    copy_relaxed(to + at, from + at, uint64_t{end - begin} * bytes);
  }
  for (const uint64_t bytes : data_bytes) {
    const uint64_t ends = offsets[column++];
    const uint64_t data = offsets[column++];
    // The offset of the first entry is the end of the one before.
    const uint64_t known = begin == 0 ? 0 : begin + 1;
    copy_relaxed(to + ends + known * 4, from + ends + known * 4,
                 (end + 1 - known) * 4);
    const uint64_t first = load_relaxed<uint32_t>(to + ends + begin * 4u);
    const uint64_t last = std::min<uint64_t>(
        load_relaxed<uint32_t>(to + ends + uint64_t{end} * 4), bytes);
    if (first < last) {
      copy_relaxed(to + data + first, from + data + first, last - first);
    }
  }
}

// Acquire: as in SharedLog::look_at().
bool SegmentCopies::update(Copy* copy, uint64_t newest) {
  const uint64_t sequence = copy->sequence;
  const uint32_t block = log_.ring(sequence).load(std::memory_order_acquire);
  if (block >= log_.format_.blocks) return false;
  if (log_.sequence_of(block).load(std::memory_order_acquire) != sequence) {
    return false;
  }
  const uint64_t first_index =
      log_.first_of(block).load(std::memory_order_acquire);
  const uint32_t count = log_.readable(log_.word(block).acquire());
  if (count > copy->count) {
    copy_entries(log_.block_data(block), copy->data.get(), copy->count, count);
  }
  // Pairs with step 3 of roll(): a thread that has seen anything of what was
  // stored after it sees that the block was retired. An acquire fence would do;
  // the thread sanitizer knows this one too.
  platform::full_barrier();
  // Acquire: pairs with step 2 of roll(); a thread that finds it gone finds
  // what was published before.
  if (log_.stamp_of(block).load(std::memory_order_acquire) != sequence) {
    return false;
  }
  if (copy->count == 0) copy->first_index = first_index;
  copy->count = std::max(copy->count, count);
  // Step 1 of roll() came before step 9.
  copy->is_final = sequence < newest;
  show_count(copy->data.get(), copy->count);
  return true;
}

bool SegmentCopies::complete(Copy* copy, uint64_t newest) {
  if (copy->is_lapped) return false;
  if (copy->is_final || update(copy, newest)) return true;
  copy->is_final = true;
  copy->is_lapped = true;
  return false;
}

void SegmentCopies::finish_older(uint64_t newest) {
  for (const Known& known : known_) {
    Copy& copy = copies_[known.id];
    if (copy.is_final) return;
    if (copy.sequence < newest) complete(&copy, newest);
  }
}

SegmentCopies::Known* SegmentCopies::place_of(uint64_t sequence) {
  return std::lower_bound(known_.begin(), known_.end(), sequence,
                          [](const Known& known, uint64_t wanted) {
                            return known.sequence > wanted;
                          });
}

uint32_t SegmentCopies::find(uint64_t sequence) {
  const Known* const place = place_of(sequence);
  return place != known_.end() && place->sequence == sequence ? place->id
                                                              : kNone;
}

uint32_t SegmentCopies::take_unpinned(size_t at) {
  const uint32_t id = known_[at].id;
  if (copies_[id].pins > 0) return kNone;
  known_.remove(at);
  return id;
}

// A segment is outside of the window when it has left it, or when a stray store
// had the head beyond where it is now.
uint32_t SegmentCopies::take_unused(uint64_t newest) {
  for (size_t i = known_.size(); i > 0; --i) {
    if (!log_.has_left_window(known_[i - 1].sequence, newest)) break;
    const uint32_t id = take_unpinned(i - 1);
    if (id != kNone) return id;
  }
  for (size_t i = 0; i < known_.size() && known_[i].sequence > newest; ++i) {
    const uint32_t id = take_unpinned(i);
    if (id != kNone) return id;
  }
  if (!idle_.empty()) {
    const uint32_t id = idle_.back();
    idle_.pop_back();
    return id;
  }
  const size_t count = copies_.size() + 1;
  if (!copies_.try_reserve(count) || !known_.try_reserve(count) ||
      !idle_.try_reserve(count)) {
    return kNone;
  }
  std::shared_ptr<char> data = take_block();
  if (data == nullptr) return kNone;
  copies_.push_back({std::move(data)});
  return static_cast<uint32_t>(copies_.size() - 1);
}

uint32_t SegmentCopies::find_or_copy(uint64_t sequence, uint64_t newest,
                                     bool* has_memory) {
  const uint32_t known = find(sequence);
  if (known != kNone) {
    return complete(&copies_[known], newest) ? known : kNone;
  }
  const uint32_t id = take_unused(newest);
  *has_memory = id != kNone;
  if (id == kNone) return kNone;
  Copy& copy = copies_[id];
  copy = {std::move(copy.data), sequence};
  if (!update(&copy, newest)) {
    idle_.push_back(id);
    return kNone;
  }
  const auto at = place_of(sequence) - known_.begin();
  known_.push_back({sequence, id});
  std::rotate(known_.begin() + at, known_.end() - 1, known_.end());
  return id;
}

bool SegmentCopies::pin_down(uint64_t lowest, uint64_t newest,
                             List<PinnedBlock>* pinned,
                             SharedOutcome* outcome) {
  for (uint64_t next = newest + 1; next > lowest; --next) {
    bool has_memory = true;
    const uint32_t id = find_or_copy(next - 1, newest, &has_memory);
    if (!has_memory) *outcome = SharedOutcome::kNoMemory;
    if (id == kNone) return next <= newest;
    Copy& copy = copies_[id];
    const uint64_t first = copy.first_index;
    const uint64_t above =
        next > newest ? first + 1 : pinned->back().first_index;
    if (!log_.can_be_followed(first, above)) {
      if (next > newest) *outcome = SharedOutcome::kDamaged;
      return next <= newest;
    }
    ++copy.pins;
    pinned->push_back(
        {id, next - 1, first,
         next > newest ? copy.count : static_cast<uint32_t>(above - first)});
  }
  return true;
}

// Where one below was evicted meanwhile, the head was rolled over: the entries
// that take the place of what is missing came after its first look.
bool SegmentCopies::look_at_head_last(uint64_t lowest, uint64_t newest,
                                      size_t begin, List<PinnedBlock>* pinned) {
  if (pinned->back().sequence == lowest) return true;
  PinnedBlock& head = (*pinned)[begin];
  Copy& copy = copies_[head.block];
  if (!complete(&copy, newest)) return false;
  head.count = copy.count;
  return true;
}

SharedOutcome SegmentCopies::pin_window(uint64_t floor,
                                        List<PinnedBlock>* pinned) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t begin = pinned->size();
  for (int tries = 0; tries < kBoundedTries; ++tries) {
    // Acquire: pairs with step 9 of roll().
    const uint64_t newest = log_.head().load(std::memory_order_acquire);
    if (newest > kSequenceMax) return SharedOutcome::kDamaged;
    finish_older(newest);
    const uint64_t lowest =
        std::max(floor, log_.format_.lowest_in_window(newest));
    if (newest < lowest) return SharedOutcome::kOk;
    if (!pinned->try_reserve(begin + (newest + 1 - lowest))) {
      return SharedOutcome::kNoMemory;
    }
    SharedOutcome outcome = SharedOutcome::kOk;
    const bool has_head = pin_down(lowest, newest, pinned, &outcome);
    const uint64_t acceptable =
        std::max(floor, log_.format_.lowest_needed(newest));
    const bool is_short = has_head && pinned->back().sequence > acceptable &&
                          tries < kWalkTriesMax;
    if (outcome == SharedOutcome::kOk && has_head && !is_short &&
        look_at_head_last(lowest, newest, begin, pinned)) {
      std::reverse(pinned->begin() + begin, pinned->end());
      return outcome;
    }
    unpin_from(begin, pinned);
    if (outcome != SharedOutcome::kOk) return outcome;
  }
  return SharedOutcome::kDamaged;
}

void SegmentCopies::unpin_from(size_t begin, List<PinnedBlock>* pinned) {
  for (size_t i = begin; i < pinned->size(); ++i) {
    --copies_[(*pinned)[i].block].pins;
  }
  pinned->truncate(begin);
}

void SegmentCopies::unpin(uint32_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  CORE_CHECK(id < copies_.size() && copies_[id].pins > 0);
  --copies_[id].pins;
}

void SegmentCopies::catch_up() {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Acquire: pairs with step 9 of roll().
  const uint64_t newest = log_.head().load(std::memory_order_acquire);
  if (newest > kSequenceMax) return;
  finish_older(newest);
  const uint32_t known = find(newest);
  if (known == kNone) return;
  complete(&copies_[known], newest);
}

ShownBlock SegmentCopies::shown(uint32_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  CORE_CHECK(id < copies_.size());
  const std::shared_ptr<char>& data = copies_[id].data;
  return {data.get(), data};
}

}  // namespace atomic_log::shared_memory
