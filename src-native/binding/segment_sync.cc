#include "binding/segment_sync.h"

#include <utility>

#include "binding/durable_values.h"
#include "binding/functions.h"
#include "binding/pool_work.h"

namespace atomic_log::binding {

using durable::Outcome;
using durable::SegmentWriter;

// The pool's share in it.
struct SegmentSync::Work {
  std::shared_ptr<SegmentSync> sync;

  void run() { sync->run(); }
  napi_value finish(napi_env env) { return from_number(env, sync->result()); }
};

std::shared_ptr<SegmentSync> SegmentSync::start(
    napi_env env, const std::shared_ptr<SegmentWriter>& writer,
    napi_value* promise) {
  const std::shared_ptr<SegmentSync> sync(new SegmentSync());
  const Outcome begun = writer->begin_sync(&sync->ticket_);
  if (begun != Outcome::kOk) {
    napi_deferred deferred = nullptr;
    if (napi_create_promise(env, &deferred, promise) != napi_ok) return nullptr;
    napi_resolve_deferred(env, deferred,
                          from_number(env, outcome_number(begun)));
    return sync;
  }
  sync->writer_ = writer;
  sync->owner_ = writer;
  *promise = PoolWork<Work>::start(env, "atomic-log sync",
                                   std::unique_ptr<Work>(new Work{sync}));
  return *promise == nullptr ? nullptr : sync;
}

void SegmentSync::run() {
  std::shared_ptr<SegmentWriter> writer;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    writer = std::move(writer_);
    if (writer == nullptr) return;
    is_running_ = true;
  }
  const Outcome outcome = writer->sync_file();
  // Before anyone is told: the last reference releases the lock.
  writer.reset();
  const std::lock_guard<std::mutex> lock(mutex_);
  is_running_ = false;
  is_done_ = true;
  outcome_ = outcome;
  done_.notify_all();
}

double SegmentSync::result() {
  const std::shared_ptr<SegmentWriter> writer = owner_.lock();
  if (!is_done_ || writer == nullptr) return abandoned_result_;
  uint64_t flushed = 0;
  const Outcome outcome = writer->finish_sync(ticket_, outcome_, &flushed);
  return outcome == Outcome::kOk ? static_cast<double>(flushed)
                                 : outcome_number(outcome);
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
