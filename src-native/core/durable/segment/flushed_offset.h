// How far a segment file is durable, as its writer tells its readers in other
// threads. Readers never look beyond it.
//
//  1. One writer stores, any number of threads load. The cells may be a
//     SharedArrayBuffer that JavaScript reads with Atomics; nothing but
//     freshness depends on what it may store there, since readers check every
//     record.
//  2. Records below the offset are complete in the file before it can be seen.
//  3. Bytes below the offset change only between begin_change() and
//     end_change(): truncation, or a header that is replaced. This is a seqlock:
//     the generation is odd meanwhile, and a reader that finds it as it was, and
//     even, after it has read, has read what was there.
#ifndef ATOMIC_LOG_CORE_DURABLE_FLUSHED_OFFSET_H_
#define ATOMIC_LOG_CORE_DURABLE_FLUSHED_OFFSET_H_

#include <atomic>
#include <cstdint>

namespace atomic_log::durable {

struct FlushedCells {
  std::atomic<uint64_t> offset{0};
  std::atomic<uint64_t> generation{0};
};

static_assert(sizeof(FlushedCells) == 16, "JavaScript makes room for two");
static_assert(std::atomic<uint64_t>::is_always_lock_free,
              "a lock could not be shared with Atomics");

// Does not own the cells.
class FlushedOffset {
 public:
  FlushedOffset() = default;
  explicit FlushedOffset(FlushedCells* cells) : cells_(cells) {}

  bool is_there() const { return cells_ != nullptr; }

  // Writer. Release: pairs with acquire(), so that a thread that sees the
  // offset finds the records below it in the file.
  void publish(uint64_t offset) {
    if (cells_ == nullptr) return;
    cells_->offset.store(offset, std::memory_order_release);
  }

  // Writer. The offset is lowered first: a thread that sees the new
  // generation sees the new offset. Acquire: pairs with the release in is_unchanged() of every
  // reader that still saw the old generation, whose reads of the file came
  // before the changes that follow then.
  void begin_change(uint64_t offset_max) {
    if (cells_ == nullptr) return;
    if (cells_->offset.load(std::memory_order_relaxed) > offset_max) {
      cells_->offset.store(offset_max, std::memory_order_release);
    }
    cells_->generation.fetch_add(1, std::memory_order_acq_rel);
  }

  // Writer. Release: a thread that sees the even generation sees the
  // changes.
  void end_change() {
    if (cells_ == nullptr) return;
    cells_->generation.fetch_add(1, std::memory_order_release);
  }

  // Reader. Acquire: pairs with publish().
  uint64_t acquire() const {
    return cells_->offset.load(std::memory_order_acquire);
  }

  // Reader, before acquire(). Acquire: pairs with begin_change() and
  // end_change().
  uint64_t generation() const {
    if (cells_ == nullptr) return 0;
    return cells_->generation.load(std::memory_order_acquire);
  }

  // Reader, after it has read the file. It changes nothing, but takes a place
  // in the order of the changes: either before begin_change(), with which its
  // release pairs, or after, and then it sees that.
  bool is_unchanged(uint64_t generation) const {
    if (cells_ == nullptr) return true;
    return (generation & 1) == 0 &&
           cells_->generation.fetch_add(0, std::memory_order_acq_rel) ==
               generation;
  }

 private:
  FlushedCells* cells_ = nullptr;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_FLUSHED_OFFSET_H_
