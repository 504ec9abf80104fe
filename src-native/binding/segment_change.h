// A change of what a SegmentWriter has appended, on the thread pool.
//
//  1. While one is pending no other call uses the writer, but close_sync() and
//     the end of the environment: they call finish() first.
//  2. After finish() the pool does not use the writer any more, nor the cells of
//     its flushed offset, which are JavaScript's: the change was made, or is
//     not begun.
#ifndef ATOMIC_LOG_BINDING_SEGMENT_CHANGE_H_
#define ATOMIC_LOG_BINDING_SEGMENT_CHANGE_H_

#include <node_api.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "core/base/list.h"
#include "core/durable/segment/segment_writer.h"

namespace atomic_log::binding {

class SegmentChange final {
 public:
  // Begins. Without a header, the log ends at `offset` afterwards. The promise
  // resolves with 0, or with an outcome below zero: kClosed when it was not
  // begun. Null when the runtime refuses.
  static std::shared_ptr<SegmentChange> start(
      napi_env env, std::shared_ptr<durable::SegmentWriter> writer,
      uint64_t offset, Buffer header, napi_value* promise);

  // On the starting thread, which waits for a change that runs.
  void finish();

 private:
  struct Work;

  SegmentChange(std::shared_ptr<durable::SegmentWriter> writer, uint64_t offset,
                Buffer header);
  // On a thread of the pool.
  void run();

  const uint64_t offset_;
  const Buffer header_;

  std::mutex mutex_;
  std::condition_variable done_;
  // Guarded by mutex_. Null when the pool has no use for it any more.
  std::shared_ptr<durable::SegmentWriter> writer_;
  bool is_running_ = false;
  durable::Outcome outcome_ = durable::Outcome::kClosed;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_SEGMENT_CHANGE_H_
