// Reading a log from native code, for C++17.
//
//   atomic_log::native::Snapshot snapshot;
//   Status status = snapshot.open(log);
//   for (const auto& chunk : snapshot)
//     for (double price : chunk.column<double>(0)) sum += price;
//
//  1. A Snapshot is a stable view of the window; it pins its memory until
//     close() or its destructor. It belongs to one thread at a time.
//  2. Columns point into the log's memory. They are valid until their snapshot
//     is refreshed or closed.
//  3. A Reader delivers every entry once, in order, and says what it missed.
#ifndef ATOMIC_LOG_READER_H_
#define ATOMIC_LOG_READER_H_

#include <algorithm>
#include <atomic>

#include "log.h"

namespace atomic_log::native {

// Consecutive values of one column. In C++20 it converts to std::span<const T>.
template <typename T>
class Column {
 public:
  Column() = default;
  Column(const T* data, size_t size) : data_(data), size_(size) {}

  const T* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  const T* data_ = nullptr;
  size_t size_ = 0;
};

// Consecutive entries within one segment.
class Chunk {
 public:
  Chunk(const atomic_log_info& info, const atomic_log_chunk& chunk,
        uint32_t begin, uint32_t end)
      : info_(&info), chunk_(&chunk), begin_(begin), end_(end) {}

  uint64_t first_index() const { return chunk_->first_index + begin_; }
  size_t length() const { return end_ - begin_; }
  uint64_t sequence() const { return chunk_->sequence; }

  // The values of a column; empty when there is no such column or it has
  // another type.
  template <typename T>
  Column<T> column(int32_t number = 0) const {
    if (number < 0 || static_cast<uint32_t>(number) >= info_->column_count ||
        info_->columns[number].type != type_code<T>()) {
      return {};
    }
    const auto* const values = reinterpret_cast<const T*>(
        chunk_->block + info_->columns[number].offset);
    return {values + begin_, length()};
  }

 private:
  const atomic_log_info* info_;
  const atomic_log_chunk* chunk_;
  uint32_t begin_;
  uint32_t end_;
};

// The chunks that hold entries [begin, end) of a snapshot, for range-for.
class Chunks {
 public:
  class Iterator {
   public:
    Iterator(const Chunks* chunks, uint32_t number)
        : chunks_(chunks), number_(number) {
      skip_empty();
    }
    Chunk operator*() const { return chunks_->at(number_); }
    Iterator& operator++() {
      ++number_;
      skip_empty();
      return *this;
    }
    bool operator!=(const Iterator& other) const {
      return number_ != other.number_;
    }

   private:
    void skip_empty() {
      while (number_ < chunks_->count() && chunks_->at(number_).length() == 0) {
        ++number_;
      }
    }
    const Chunks* chunks_;
    uint32_t number_;
  };

  Chunks() = default;
  Chunks(const atomic_log_info& info, const atomic_log_snapshot& snapshot,
         uint64_t begin, uint64_t end)
      : info_(&info), snapshot_(&snapshot), begin_(begin), end_(end) {}

  uint32_t count() const {
    return snapshot_ == nullptr ? 0 : snapshot_->chunk_count;
  }
  Chunk at(uint32_t number) const {
    const atomic_log_chunk& chunk = snapshot_->chunks[number];
    return {*info_, chunk, position(chunk, begin_), position(chunk, end_)};
  }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, count()}; }

 private:
  static uint32_t position(const atomic_log_chunk& chunk, uint64_t index) {
    if (index <= chunk.first_index) return 0;
    return static_cast<uint32_t>(
        (std::min<uint64_t>)(index - chunk.first_index, chunk.length));
  }

  const atomic_log_info* info_ = nullptr;
  const atomic_log_snapshot* snapshot_ = nullptr;
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
};

// What a refresh changed: entries that are new, and entries that came and left
// the window between the two looks.
struct Change {
  uint64_t appended = 0;
  uint64_t lost = 0;
};

class Snapshot {
 public:
  Snapshot() = default;
  Snapshot(Snapshot&& other) noexcept { swap(other); }
  Snapshot& operator=(Snapshot&& other) noexcept {
    close();
    swap(other);
    return *this;
  }
  ~Snapshot() { close(); }

  // Takes the window of `log` as it is now. kClosed, kOutOfMemory.
  Status open(const Log& log) {
    close();
    if (!log) return Status::kClosed;
    const auto status =
        static_cast<Status>(log.api()->snapshot(log.get(), &snapshot_));
    if (status == Status::kOk) log_ = log;
    return status;
  }

  explicit operator bool() const { return snapshot_ != nullptr; }
  const Log& log() const { return log_; }

  // Entries [first_index, end_index); 0 when closed.
  uint64_t first_index() const {
    return snapshot_ == nullptr ? 0 : snapshot_->first_index;
  }
  uint64_t end_index() const {
    return snapshot_ == nullptr ? 0 : snapshot_->end_index;
  }
  uint64_t length() const { return end_index() - first_index(); }

  // The entries [begin, end) as far as the snapshot holds them.
  Chunks chunks(uint64_t begin = 0, uint64_t end = UINT64_MAX) const {
    if (snapshot_ == nullptr) return {};
    return {log_.info(), *snapshot_, begin, end};
  }
  Chunks::Iterator begin() const {
    view_ = chunks();
    return view_.begin();
  }
  Chunks::Iterator end() const { return view_.end(); }

  // Moves to the window as it is now, and says what that changed. Without a call
  // while the newest segment is the same. kClosed; kOutOfMemory, with nothing
  // changed.
  Status refresh(Change* change = nullptr) {
    if (change != nullptr) *change = {};
    if (snapshot_ == nullptr) return Status::kClosed;
    const uint64_t held_end = snapshot_->end_index;
    atomic_log_chunk& head = snapshot_->chunks[snapshot_->chunk_count - 1];
    // Acquire: pairs with the writer's release, so that the entries are there.
    const uint32_t word =
        reinterpret_cast<const std::atomic<uint32_t>*>(head.block)
            ->load(std::memory_order_acquire);
    if ((word & ATOMIC_LOG_SEALED) != 0) {
      const auto status = static_cast<Status>(log_.api()->refresh(snapshot_));
      if (status != Status::kOk) return status;
    } else {
      // JavaScript can write to the word: it is never believed beyond reason.
      head.length = (std::max)(head.length,
                               (std::min)(word, log_.info().segment_capacity));
      snapshot_->end_index = head.first_index + head.length;
    }
    const uint64_t first = snapshot_->first_index;
    if (change != nullptr) {
      *change = {snapshot_->end_index - (std::max)(first, held_end),
                 first > held_end ? first - held_end : 0};
    }
    return Status::kOk;
  }

  // Releases its pins. Idempotent.
  void close() {
    if (snapshot_ == nullptr) return;
    log_.api()->close(std::exchange(snapshot_, nullptr));
    log_ = Log();
  }

 private:
  void swap(Snapshot& other) noexcept {
    std::swap(log_, other.log_);
    std::swap(snapshot_, other.snapshot_);
  }

  Log log_;
  atomic_log_snapshot* snapshot_ = nullptr;
  mutable Chunks view_;  // what begin() and end() iterate over
};

// Consecutive entries that a Reader delivers; valid until its next().
struct Batch {
  uint64_t first_index = 0;
  uint64_t length = 0;
  // Entries before it that left the window before they were delivered.
  uint64_t lost = 0;
  Chunks chunks;
};

// Delivers the entries from an index on. It pins memory only between two calls
// of next(), and none while it waits.
class Reader {
 public:
  // From entry `next_index` on; by default from the oldest one.
  explicit Reader(Log log, uint64_t next_index = 0)
      : log_(std::move(log)), next_index_(next_index) {}

  uint64_t next_index() const { return next_index_; }

  // All that is there, once there is something: kOk, kTimedOut, kEnded when
  // everything was delivered, kOutOfMemory, kClosed.
  Status next(Batch* batch, std::chrono::nanoseconds timeout = Log::kForever) {
    *batch = {};
    // Where it is refused, the snapshot has nothing new, and is opened again.
    if (snapshot_) (void)snapshot_.refresh();
    if (!snapshot_ || snapshot_.end_index() <= next_index_) {
      snapshot_.close();
      Status status = log_.wait(next_index_, timeout);
      if (status == Status::kOk) status = snapshot_.open(log_);
      if (status != Status::kOk) return status;
    }
    const uint64_t first = (std::max)(next_index_, snapshot_.first_index());
    const uint64_t end = snapshot_.end_index();
    *batch = {first, end - first, first - next_index_,
              snapshot_.chunks(first, end)};
    next_index_ = end;
    return Status::kOk;
  }

  // The same until `is_cancelled` is set, by any thread: kCancelled then.
  Status next(Batch* batch, const std::atomic<bool>& is_cancelled,
              std::chrono::nanoseconds timeout = Log::kForever) {
    Status status = next(batch, std::chrono::nanoseconds(0));
    if (status != Status::kTimedOut) return status;
    status = log_.wait(next_index_, is_cancelled, timeout);
    return status == Status::kOk ? next(batch, std::chrono::nanoseconds(0))
                                 : status;
  }

  // Releases what the last batch pinned.
  void release() { snapshot_.close(); }

 private:
  Log log_;
  uint64_t next_index_;
  Snapshot snapshot_;
};

}  // namespace atomic_log::native

#endif  // ATOMIC_LOG_READER_H_
