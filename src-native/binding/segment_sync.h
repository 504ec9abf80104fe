// One sync of a segment file on the runtime's thread pool, and its promise.
#ifndef ATOMIC_LOG_BINDING_SEGMENT_SYNC_H_
#define ATOMIC_LOG_BINDING_SEGMENT_SYNC_H_

#include <node_api.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "core/durable/segment/segment_writer.h"

namespace atomic_log::binding {

class SegmentSync final : public std::enable_shared_from_this<SegmentSync> {
 public:
  // Begins. The promise resolves with the flushed offset, or with an outcome
  // below zero; null when the runtime refuses.
  static std::shared_ptr<SegmentSync> start(
      napi_env env, const std::shared_ptr<durable::SegmentWriter>& writer,
      napi_value* promise);

  // The writer is being closed, on the thread that started this. Afterwards the
  // pool does not use it any more, and the promise resolves with `result`
  // unless the sync was done.
  void abandon(double result);
  // The environment ends: no one waits.
  void forget();

 private:
  struct Work;

  SegmentSync() = default;
  // On a thread of the pool.
  void run();
  // What the promise resolves with; on the starting thread, after run().
  double result();

  std::mutex mutex_;
  std::condition_variable done_;
  // Guarded by mutex_. Null when the pool has no use for it any more.
  std::shared_ptr<durable::SegmentWriter> writer_;
  bool is_running_ = false;
  bool is_done_ = false;
  durable::Outcome outcome_ = durable::Outcome::kOk;

  // The starting thread only.
  std::weak_ptr<durable::SegmentWriter> owner_;
  durable::SegmentWriter::SyncTicket ticket_;
  double abandoned_result_ = 0;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_SEGMENT_SYNC_H_
