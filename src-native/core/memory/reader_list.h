// Who reads a log, so that its statistics can say who pins memory and how far
// each follower has come. Nothing else depends on it.
//
//  1. A Reader is what one environment, or one native attachment, tells of
//     itself. It joins the list when it attaches and leaves when it closes.
//  2. Any thread may look at any time. The figures are read one after the other
//     while their owners go on.
#ifndef ATOMIC_LOG_CORE_MEMORY_READER_LIST_H_
#define ATOMIC_LOG_CORE_MEMORY_READER_LIST_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/memory/segment_pool.h"

namespace atomic_log::memory {

class Reader {
 public:
  // What native attachments have in place of a thread's number.
  static constexpr uint32_t kNative = UINT32_MAX;

  explicit Reader(uint32_t thread_id) : thread_id_(thread_id) {}

  uint32_t thread_id() const { return thread_id_; }

  // Owner: what it calls itself; empty for nothing.
  void set_name(std::string name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    name_ = std::move(name);
  }
  std::string name() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return name_;
  }

  // Owner: it holds `n` segments more, or fewer.
  void pinned(int64_t n) { pinned_segments_.add_shared(n); }
  uint64_t pinned_segments() const { return pinned_segments_.get(); }

  // Owner: its follower `id` delivers entry `next_index` next.
  void follow(uint32_t id, uint64_t next_index) {
    const std::lock_guard<std::mutex> lock(mutex_);
    followers_[id] = next_index;
  }
  void unfollow(uint32_t id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    followers_.erase(id);
  }
  // The positions of the followers, oldest follower first.
  std::vector<uint64_t> followers() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<uint64_t> positions;
    for (const auto& [id, next_index] : followers_) {
      positions.push_back(next_index);
    }
    return positions;
  }

 private:
  const uint32_t thread_id_;
  Counter pinned_segments_;
  mutable std::mutex mutex_;
  // Guarded by mutex_, both.
  std::string name_;
  std::map<uint32_t, uint64_t> followers_;
};

// A segment that a reader holds, in one way or in several: it counts once.
// The last holder may be on any thread.
class HeldSegment {
 public:
  explicit HeldSegment(std::shared_ptr<Reader> reader)
      : reader_(std::move(reader)) {}

  // Relaxed, both: the figures order nothing. A segment that is dropped by one
  // thread while another holds it again is counted twice for a moment, and then
  // once.
  void hold() {
    if (holders_.fetch_add(1, std::memory_order_relaxed) == 0) {
      reader_->pinned(1);
    }
  }
  void drop() {
    const uint32_t holders = holders_.fetch_sub(1, std::memory_order_relaxed);
    CORE_CHECK(holders > 0);
    if (holders == 1) reader_->pinned(-1);
  }

 private:
  const std::shared_ptr<Reader> reader_;
  std::atomic<uint32_t> holders_{0};
};

class ReaderList {
 public:
  void add(std::shared_ptr<const Reader> reader) {
    const std::lock_guard<std::mutex> lock(mutex_);
    CORE_CHECK(reader != nullptr);
    readers_.push_back(std::move(reader));
  }
  void remove(const Reader* reader) {
    const std::lock_guard<std::mutex> lock(mutex_);
    readers_.erase(std::remove_if(readers_.begin(), readers_.end(),
                                  [reader](const auto& entry) {
                                    return entry.get() == reader;
                                  }),
                   readers_.end());
  }
  // Those that are attached now; they may leave at any time.
  std::vector<std::shared_ptr<const Reader>> all() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return readers_;
  }

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::shared_ptr<const Reader>> readers_;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_READER_LIST_H_
