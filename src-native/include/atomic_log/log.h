// An attachment to a log, for C++17.
//
//  1. Nothing here throws or allocates; what can fail returns a Status.
//  2. Copies share the attachment. Every method may be called by any thread,
//     but one Log object is assigned to by one thread at a time.
//  3. A method of an empty Log returns Status::kClosed, 0 or false.
#ifndef ATOMIC_LOG_LOG_H_
#define ATOMIC_LOG_LOG_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "abi.h"

namespace atomic_log::native {

enum class [[nodiscard]] Status : int32_t{
    kOk = ATOMIC_LOG_OK,
    kOutOfMemory = ATOMIC_LOG_OUT_OF_MEMORY,
    kOutOfRange = ATOMIC_LOG_OUT_OF_RANGE,
    kGone = ATOMIC_LOG_GONE,
    kForeign = ATOMIC_LOG_FOREIGN,
    kPinned = ATOMIC_LOG_PINNED,
    kClaimed = ATOMIC_LOG_CLAIMED,
    kEnded = ATOMIC_LOG_ENDED,
    kTimedOut = ATOMIC_LOG_TIMED_OUT,
    kVersion = ATOMIC_LOG_VERSION,
    kInvalid = ATOMIC_LOG_INVALID,
    kClosed = ATOMIC_LOG_CLOSED,
    kColumns = ATOMIC_LOG_COLUMNS,
    kCancelled = ATOMIC_LOG_CANCELLED,
};

// For error messages: what happened and what to do about it.
inline const char* describe(Status status) {
  switch (status) {
    case Status::kOk:
      return "nothing is wrong";
    case Status::kOutOfMemory:
      return "the system refused memory; free some and try again";
    case Status::kOutOfRange:
      return "more than reserve() gave, or a count of 0; or the log is full: "
             "its indexes end at 2^53";
    case Status::kGone:
      return "the log is gone; keep it open until all have attached";
    case Status::kForeign:
      return "the handle names no log of this process; pass on "
             "log.nativeHandle";
    case Status::kPinned:
      return "readers pin more than the log's pinnedBytesMax; close snapshots";
    case Status::kClaimed:
      return "the log has a writer; close that one first";
    case Status::kEnded:
      return "the log has ended; make a new one to go on";
    case Status::kTimedOut:
      return "the time is over and the entry is not there yet";
    case Status::kVersion:
      return "built for another version of atomic-log; compile it again";
    case Status::kInvalid:
      return "not a handle of a log; pass log.nativeHandle";
    case Status::kClosed:
      return "the object is empty or was closed";
    case Status::kColumns:
      return "the log has other columns, or other types, than asked for";
    case Status::kCancelled:
      return "the flag was set that cancels the wait";
  }
  return "unknown";
}

// The column type of a C++ type.
template <typename T>
constexpr uint32_t type_code() {
  static_assert(
      std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && sizeof(T) <= 8,
      "columns hold numbers of 1, 2, 4 or 8 bytes");
  if constexpr (std::is_floating_point_v<T>) {
    return sizeof(T) == 8 ? ATOMIC_LOG_F64 : ATOMIC_LOG_F32;
  } else {
    constexpr bool is_signed = std::is_signed_v<T>;
    if constexpr (sizeof(T) == 1) {
      return is_signed ? ATOMIC_LOG_I8 : ATOMIC_LOG_U8;
    } else if constexpr (sizeof(T) == 2) {
      return is_signed ? ATOMIC_LOG_I16 : ATOMIC_LOG_U16;
    } else if constexpr (sizeof(T) == 4) {
      return is_signed ? ATOMIC_LOG_I32 : ATOMIC_LOG_U32;
    } else {
      return is_signed ? ATOMIC_LOG_I64 : ATOMIC_LOG_U64;
    }
  }
}

class Log {
 public:
  static constexpr std::chrono::nanoseconds kForever =
      std::chrono::nanoseconds::max();

  Log() = default;
  Log(const Log& other) : api_(other.api_), log_(other.log_) {
    if (log_ != nullptr) api_->retain(log_);
  }
  Log(Log&& other) noexcept
      : api_(other.api_), log_(std::exchange(other.log_, nullptr)) {}
  Log& operator=(Log other) noexcept {
    std::swap(api_, other.api_);
    std::swap(log_, other.log_);
    return *this;
  }
  ~Log() {
    if (log_ != nullptr) api_->release(log_);
  }

  // kGone, kForeign, kVersion, kOutOfMemory; kInvalid for a null handle.
  static Status attach(const atomic_log_handle* handle, Log* log) {
    *log = Log();
    if (handle == nullptr) return Status::kInvalid;
    if (handle->abi_version != ATOMIC_LOG_ABI_VERSION ||
        handle->struct_size < sizeof(atomic_log_handle) ||
        handle->api->struct_size < sizeof(atomic_log_api)) {
      return Status::kVersion;
    }
    Log result;
    const auto status =
        static_cast<Status>(handle->api->attach(handle, &result.log_));
    result.api_ = handle->api;
    if (status == Status::kOk) *log = std::move(result);
    return status;
  }

  explicit operator bool() const { return log_ != nullptr; }

  // --- Immutable. Only of a Log that is not empty.
  const atomic_log_info& info() const { return *api_->info(log_); }
  // The column's number, or -1.
  int32_t find_column(const char* name) const {
    const atomic_log_info& all = info();
    const size_t bytes = std::strlen(name);
    for (uint32_t i = 0; i < all.column_count; ++i) {
      const atomic_log_column& column = all.columns[i];
      if (column.name_bytes == bytes &&
          std::memcmp(column.name, name, bytes) == 0) {
        return static_cast<int32_t>(i);
      }
    }
    return -1;
  }

  // --- As it is now.
  bool has_ended() const {
    return log_ != nullptr && api_->has_ended(log_) != 0;
  }
  bool is_claimed() const {
    return log_ != nullptr && api_->is_claimed(log_) != 0;
  }
  uint64_t first_index() const { return bounds().first; }
  uint64_t end_index() const { return bounds().second; }

  // Blocks until entry `index` can be read: kOk, kTimedOut, or kEnded when it
  // will never come. Nothing else ends it: a thread that must be able to stop
  // passes a flag.
  Status wait(uint64_t index,
              std::chrono::nanoseconds timeout = kForever) const {
    if (log_ == nullptr) return Status::kClosed;
    const uint64_t ns = timeout == kForever    ? UINT64_MAX
                        : timeout.count() <= 0 ? 0
                                               : uint64_t(timeout.count());
    return static_cast<Status>(api_->wait(log_, index, ns));
  }

  // The same until `is_cancelled` is set, by any thread: kCancelled then. It is
  // looked at every kSlice; an entry that is there already comes first.
  Status wait(uint64_t index, const std::atomic<bool>& is_cancelled,
              std::chrono::nanoseconds timeout = kForever) const {
    constexpr std::chrono::nanoseconds kSlice = std::chrono::milliseconds(50);
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    for (;;) {
      const auto left =
          timeout == kForever ? kSlice : timeout - (Clock::now() - begin);
      const bool stops = is_cancelled.load(std::memory_order_relaxed);
      const Status status =
          wait(index, stops ? std::chrono::nanoseconds(0)
                            : (left < kSlice ? left : kSlice));
      if (status != Status::kTimedOut) return status;
      if (stops) return Status::kCancelled;
      if (left <= kSlice && timeout != kForever) return status;
    }
  }

  // For the other classes of this folder, and for calling the C interface.
  const atomic_log_api* api() const { return api_; }
  atomic_log_log* get() const { return log_; }

 private:
  std::pair<uint64_t, uint64_t> bounds() const {
    std::pair<uint64_t, uint64_t> result{0, 0};
    if (log_ != nullptr) api_->bounds(log_, &result.first, &result.second);
    return result;
  }

  const atomic_log_api* api_ = nullptr;
  atomic_log_log* log_ = nullptr;
};

}  // namespace atomic_log::native

#endif  // ATOMIC_LOG_LOG_H_
