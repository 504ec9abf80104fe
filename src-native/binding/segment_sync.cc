#include "binding/segment_sync.h"

#include <utility>

#include "binding/durable_values.h"
#include "binding/functions.h"

namespace atomic_log::binding {

using durable::Outcome;
using durable::SegmentWriter;

std::shared_ptr<SegmentSync> SegmentSync::start(
    napi_env env, const std::shared_ptr<SegmentWriter>& writer,
    napi_value* promise) {
  const std::shared_ptr<SegmentSync> sync(new SegmentSync());
  if (napi_create_promise(env, &sync->deferred_, promise) != napi_ok) {
    return nullptr;
  }
  const Outcome begun = writer->begin_sync(&sync->ticket_);
  if (begun != Outcome::kOk) {
    napi_resolve_deferred(env, sync->deferred_,
                          from_number(env, outcome_number(begun)));
    return sync;
  }
  sync->writer_ = writer;
  sync->owner_ = writer;
  napi_value name = nullptr;
  napi_create_string_utf8(env, "atomic-log sync", NAPI_AUTO_LENGTH, &name);
  if (napi_create_async_work(env, nullptr, name, &SegmentSync::execute,
                             &SegmentSync::complete, sync.get(),
                             &sync->work_) != napi_ok) {
    return nullptr;
  }
  if (napi_queue_async_work(env, sync->work_) != napi_ok) {
    napi_delete_async_work(env, sync->work_);
    return nullptr;
  }
  sync->self_ = sync;
  return sync;
}

// On a thread of the pool.
void SegmentSync::execute(napi_env, void* data) {
  auto* const self = static_cast<SegmentSync*>(data);
  std::shared_ptr<SegmentWriter> writer;
  {
    const std::lock_guard<std::mutex> lock(self->mutex_);
    writer = std::move(self->writer_);
    if (writer == nullptr) return;
    self->is_running_ = true;
  }
  const Outcome outcome = writer->sync_file();
  // Before anyone is told: the last reference releases the lock.
  writer.reset();
  const std::lock_guard<std::mutex> lock(self->mutex_);
  self->is_running_ = false;
  self->is_done_ = true;
  self->outcome_ = outcome;
  self->done_.notify_all();
}

void SegmentSync::complete(napi_env env, napi_status, void* data) {
  auto* const self = static_cast<SegmentSync*>(data);
  const std::shared_ptr<SegmentSync> keep = std::move(self->self_);
  double result = self->abandoned_result_;
  const std::shared_ptr<SegmentWriter> writer = self->owner_.lock();
  if (self->is_done_ && writer != nullptr) {
    uint64_t flushed = 0;
    const Outcome outcome =
        writer->finish_sync(self->ticket_, self->outcome_, &flushed);
    result = outcome == Outcome::kOk ? static_cast<double>(flushed)
                                     : outcome_number(outcome);
  }
  napi_resolve_deferred(env, self->deferred_, from_number(env, result));
  napi_delete_async_work(env, self->work_);
}

void SegmentSync::abandon(double result) {
  abandoned_result_ = result;
  std::unique_lock<std::mutex> lock(mutex_);
  writer_.reset();
  done_.wait(lock, [this] { return !is_running_; });
}

void SegmentSync::forget() {
  const std::lock_guard<std::mutex> lock(mutex_);
  writer_.reset();
}

}  // namespace atomic_log::binding
