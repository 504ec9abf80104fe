#include "binding/segment_change.h"

#include <utility>

#include "binding/durable_values.h"
#include "binding/functions.h"
#include "binding/pool_work.h"

namespace atomic_log::binding {

using durable::Outcome;
using durable::SegmentWriter;

// The pool's share in it.
struct SegmentChange::Work {
  std::shared_ptr<SegmentChange> change;

  void run() { change->run(); }
  napi_value finish(napi_env env) {
    return from_outcome(env, change->outcome_, 0);
  }
};

SegmentChange::SegmentChange(std::shared_ptr<SegmentWriter> writer,
                             uint64_t offset, Buffer header)
    : offset_(offset), header_(std::move(header)), writer_(std::move(writer)) {}

std::shared_ptr<SegmentChange> SegmentChange::start(
    napi_env env, std::shared_ptr<SegmentWriter> writer, uint64_t offset,
    Buffer header, napi_value* promise) {
  std::shared_ptr<SegmentChange> change(
      new SegmentChange(std::move(writer), offset, std::move(header)));
  *promise = PoolWork<Work>::start(env, "atomic-log change",
                                   std::unique_ptr<Work>(new Work{change}));
  return *promise == nullptr ? nullptr : change;
}

void SegmentChange::run() {
  std::shared_ptr<SegmentWriter> writer;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    writer = std::move(writer_);
    if (writer == nullptr) return;
    is_running_ = true;
  }
  const Outcome outcome = header_.empty()
                              ? writer->set_length(offset_)
                              : writer->replace_header(offset_, header_.data());
  // Before anyone is told: the last reference releases the lock.
  writer.reset();
  const std::lock_guard<std::mutex> lock(mutex_);
  is_running_ = false;
  outcome_ = outcome;
  done_.notify_all();
}

void SegmentChange::finish() {
  std::unique_lock<std::mutex> lock(mutex_);
  writer_.reset();
  done_.wait(lock, [this] { return !is_running_; });
}

}  // namespace atomic_log::binding
