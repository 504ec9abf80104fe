// Appending from native code, for C++17.
//
//   atomic_log::native::Writer<double, uint32_t> writer;
//   Status status = writer.claim(log, {"price", "size"});
//   status = writer.append(101.5, 10);
//
//  1. A Writer holds the claim of its log until close() or its destructor. It
//     belongs to one thread at a time.
//  2. Entries are stored straight into the log's memory, and publishing one is
//     a release store; only the end of a segment, and a reader who sleeps, cost a
//     call.
//  3. Nothing throws. After kOutOfMemory and kPinned the entry is not there,
//     everything before it is, and a later call may succeed.
#ifndef ATOMIC_LOG_WRITER_H_
#define ATOMIC_LOG_WRITER_H_

#include <algorithm>
#include <atomic>
#include <initializer_list>
#include <tuple>

#include "log.h"

namespace atomic_log::native {

template <typename... Ts>
class Writer {
  static_assert(sizeof...(Ts) > 0, "an entry has at least one column");
  static constexpr size_t kColumns = sizeof...(Ts);

 public:
  // Room for entries that are stored in place. Valid until the writer is used
  // again.
  struct Room {
    uint64_t first_index = 0;
    uint32_t length = 0;
    std::tuple<Ts*...> columns;

    template <size_t I = 0>
    auto* column() const {
      return std::get<I>(columns);
    }
  };

  Writer() = default;
  Writer(Writer&& other) noexcept { swap(other); }
  Writer& operator=(Writer&& other) noexcept {
    close();
    swap(other);
    return *this;
  }
  ~Writer() { close(); }

  // Claims the writer of `log`. The columns are those named, in that order, or
  // all in the log's own order; kColumns unless they are all of the log's, and
  // of these types. kClaimed, kEnded, kOutOfMemory, kClosed.
  Status claim(const Log& log, std::initializer_list<const char*> names = {}) {
    close();
    if (!log) return Status::kClosed;
    if (!choose_columns(log, names)) return Status::kColumns;
    const auto status =
        static_cast<Status>(log.api()->claim(log.get(), &writer_));
    if (status != Status::kOk) return status;
    log_ = log;
    enter_head();
    return Status::kOk;
  }

  explicit operator bool() const { return writer_ != nullptr; }
  const Log& log() const { return log_; }

  // The index that the next entry gets; 0 when closed.
  uint64_t next_index() const {
    return writer_ == nullptr ? 0 : writer_->first_index + count_;
  }

  // Stores one entry and publishes it, staged ones first. kOutOfMemory,
  // kPinned, kOutOfRange, kClosed.
  Status append(Ts... values) {
    const Status status = write(values...);
    if (status == Status::kOk) publish();
    return status;
  }

  // Stores one entry without publishing it.
  Status write(Ts... values) {
    if (count_ == limit_) {
      const Status status = begin_segment();
      if (status != Status::kOk) return status;
    }
    store(std::index_sequence_for<Ts...>{}, values...);
    ++count_;
    return Status::kOk;
  }

  // Makes every entry that was stored readable.
  void publish() {
    if (writer_ == nullptr || count_ == writer_->published) return;
    if (writer_->publishes_inline == 0) {
      log_.api()->publish(writer_, count_);
      return;
    }
    writer_->published = count_;
    // Release: a thread that acquires the count sees the entries below it.
    word_->store(count_, std::memory_order_release);
    // One that waits registers, runs a barrier in every thread of the process,
    // and looks again. So here only the compiler must keep the order, and a
    // relaxed load finds the waiter, or the waiter found the entry.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (writer_->first_index + count_ >
        wake_index_->load(std::memory_order_relaxed)) {
      log_.api()->wake(writer_);
    }
  }

  // Stores and publishes `length` entries, one array per column. What was
  // stored before a failure is published: next_index() says how far it came.
  Status append_batch(size_t length, const Ts*... columns) {
    Status status = writer_ == nullptr ? Status::kClosed : Status::kOk;
    for (size_t done = 0; done < length && status == Status::kOk;) {
      if (count_ == limit_) status = begin_segment();
      if (status != Status::kOk) break;
      const size_t size = (std::min<size_t>)(length - done, limit_ - count_);
      copy(std::index_sequence_for<Ts...>{}, size, columns + done...);
      count_ += static_cast<uint32_t>(size);
      done += size;
    }
    publish();
    return status;
  }

  // Room for up to `count` entries, as many as the segment has left and at
  // least one. Fill it, then commit(). Storing anything else in between gives it
  // up.
  Status reserve(uint32_t count, Room* room) {
    if (count == 0) return Status::kOutOfRange;
    if (count_ == limit_) {
      const Status status = begin_segment();
      if (status != Status::kOk) return status;
    }
    room->first_index = next_index();
    room->length = (std::min)(count, limit_ - count_);
    reserved_at_ = count_;
    reserved_ = room->length;
    room->columns = std::apply(
        [this](Ts*... column) { return std::make_tuple(column + count_...); },
        columns_);
    return Status::kOk;
  }

  // Publishes the first `count` entries of the room, staged ones first, and ends
  // the room. kOutOfRange for more than was reserved, or when nothing is: what
  // lies there then, no one has written.
  Status commit(uint32_t count) {
    if (writer_ == nullptr) return Status::kClosed;
    if (reserved_ == 0 || reserved_at_ != count_ || count > reserved_) {
      return Status::kOutOfRange;
    }
    reserved_ = 0;
    count_ += count;
    publish();
    return Status::kOk;
  }

  // Publishes what is staged, ends the log for good, and closes.
  Status end() {
    if (writer_ == nullptr) return Status::kClosed;
    publish();
    log_.api()->end(writer_);
    close();
    return Status::kOk;
  }

  // Releases the claim; what was not published is dropped. Idempotent.
  void close() {
    if (writer_ == nullptr) return;
    log_.api()->unclaim(std::exchange(writer_, nullptr));
    log_ = Log();
    count_ = limit_ = reserved_ = 0;
  }

 private:
  void swap(Writer& other) noexcept {
    std::swap(log_, other.log_);
    std::swap(writer_, other.writer_);
    std::swap(word_, other.word_);
    std::swap(wake_index_, other.wake_index_);
    std::swap(count_, other.count_);
    std::swap(limit_, other.limit_);
    std::swap(reserved_at_, other.reserved_at_);
    std::swap(reserved_, other.reserved_);
    std::swap(columns_, other.columns_);
    std::swap(offsets_, other.offsets_);
  }

  bool choose_columns(const Log& log,
                      std::initializer_list<const char*> names) {
    const atomic_log_info& info = log.info();
    if (info.column_count != kColumns) return false;
    if (names.size() != 0 && names.size() != kColumns) return false;
    constexpr uint32_t types[] = {type_code<Ts>()...};
    bool is_taken[kColumns] = {};
    for (size_t i = 0; i < kColumns; ++i) {
      const int32_t found = names.size() == 0
                                ? static_cast<int32_t>(i)
                                : log.find_column(names.begin()[i]);
      if (found < 0 || is_taken[found]) return false;
      if (info.columns[found].type != types[i]) return false;
      is_taken[found] = true;
      offsets_[i] = info.columns[found].offset;
    }
    return true;
  }

  Status begin_segment() {
    if (writer_ == nullptr) return Status::kClosed;
    const auto status = static_cast<Status>(log_.api()->roll(writer_, count_));
    if (status == Status::kOk) enter_head();
    return status;
  }

  void enter_head() {
    word_ = reinterpret_cast<std::atomic<uint32_t>*>(writer_->block);
    wake_index_ =
        reinterpret_cast<const std::atomic<uint64_t>*>(writer_->wake_index);
    count_ = writer_->published;
    limit_ = writer_->capacity;
    reserved_ = 0;
    point_columns(std::index_sequence_for<Ts...>{});
  }

  template <size_t... I>
  void point_columns(std::index_sequence<I...>) {
    columns_ = {reinterpret_cast<Ts*>(writer_->block + offsets_[I])...};
  }

  template <size_t... I>
  void store(std::index_sequence<I...>, Ts... values) {
    ((std::get<I>(columns_)[count_] = values), ...);
  }

  template <size_t... I>
  void copy(std::index_sequence<I...>, size_t length, const Ts*... sources) {
    (std::memcpy(std::get<I>(columns_) + count_, sources, length * sizeof(Ts)),
     ...);
  }

  static_assert(sizeof(std::atomic<uint32_t>) == 4 &&
                    sizeof(std::atomic<uint64_t>) == 8 &&
                    std::atomic<uint64_t>::is_always_lock_free,
                "the log and its readers use the same words");

  Log log_;
  atomic_log_writer* writer_ = nullptr;
  std::atomic<uint32_t>* word_ = nullptr;
  const std::atomic<uint64_t>* wake_index_ = nullptr;
  // Entries stored in the head, and how many it has room for; equal when
  // closed, so that one check on the way of every store notices both.
  uint32_t count_ = 0;
  uint32_t limit_ = 0;
  // The room that is open: where it begins, and its entries; 0 when there is
  // none. Storing something else moves count_ away from it.
  uint32_t reserved_at_ = 0;
  uint32_t reserved_ = 0;
  std::tuple<Ts*...> columns_;
  uint64_t offsets_[kColumns] = {};
};

}  // namespace atomic_log::native

#endif  // ATOMIC_LOG_WRITER_H_
