#include "binding/log_attachment.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "binding/functions.h"
#include "binding/writer_handle.h"

namespace atomic_log::binding {
namespace {

// Numbers that pin_window writes per segment; types/native.d.ts names them.
constexpr size_t kFieldsPerSegment = 4;

// A thread that blocks until it is woken.
class SyncWaiter final : public memory::Waiter {
 public:
  void wake() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_woken_ = true;
    condition_.notify_one();
  }
  void wait_for(std::chrono::milliseconds time) {
    std::unique_lock<std::mutex> lock(mutex_);
    condition_.wait_for(lock, time, [this] { return is_woken_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool is_woken_ = false;
};

// What wait_slice returns; types/native.d.ts names them.
constexpr uint32_t kTimedOut = 0;
constexpr uint32_t kReady = 1;
constexpr uint32_t kEnded = 2;

// Whether entry `index` can be read, or never will. The end is looked at first:
// entries that precede it are then all there.
uint32_t look(memory::RollingLog& log, uint64_t index) {
  const bool has_ended = log.has_ended();
  if (memory::end_index(log) > index) return kReady;
  return has_ended ? kEnded : kTimedOut;
}

napi_value number(napi_env env, uint64_t value) {
  napi_value result = nullptr;
  napi_create_double(env, static_cast<double>(value), &result);
  return result;
}

napi_value null_value(napi_env env) {
  napi_value result = nullptr;
  napi_get_null(env, &result);
  return result;
}

napi_value boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

}  // namespace

LogAttachment::LogAttachment(std::shared_ptr<Environment> environment,
                             std::shared_ptr<memory::RollingLog> presence,
                             memory::LogHandle handle)
    : environment_(std::move(environment)),
      log_(presence->shared_from_this()),
      presence_(std::move(presence)),
      handle_(std::move(handle)) {
  environment_->add(this);
}

std::shared_ptr<LogAttachment> LogAttachment::create(
    napi_env env, std::shared_ptr<memory::RollingLog> presence,
    const memory::LogHandle& handle) {
  return std::shared_ptr<LogAttachment>(
      new LogAttachment(Environment::of(env), std::move(presence), handle));
}

LogAttachment::~LogAttachment() {
  give_back();
  environment_->remove(this);
}

void LogAttachment::give_back() {
  if (log_ == nullptr) return;
  for (Entry& entry : entries_) {
    for (; entry.pins > 0; --entry.pins) log_->unpin(entry.segment);
  }
  for (const auto& [id, waiter] : waiters_) {
    log_->entries().remove(waiter.get());
    log_->claims().remove(waiter.get());
  }
  waiters_.clear();
  entries_.clear();
  presence_.reset();
  log_.reset();
}

LogAttachment::Entry* LogAttachment::pinned_entry(uint32_t id) {
  if (id >= entries_.size() || entries_[id].pins == 0) return nullptr;
  return &entries_[id];
}

uint64_t LogAttachment::pinned_segments() const {
  uint64_t count = 0;
  for (const Entry& entry : entries_) count += entry.pins > 0 ? 1 : 0;
  return count;
}

napi_value LogAttachment::to_object(napi_env env) {
  const napi_value object = new_object(env);
  const auto self = shared_from_this();
  add_function(env, object, "pinWindow", pin_window, self);
  add_function(env, object, "unpin", unpin, self);
  add_function(env, object, "leavePinToMapping", leave_pin_to_mapping, self);
  add_function(env, object, "map", map, self);
  add_function(env, object, "bounds", bounds, self);
  add_function(env, object, "stats", stats, self);
  add_function(env, object, "isClaimed", is_claimed, self);
  add_function(env, object, "tryClaim", try_claim, self);
  add_function(env, object, "hasEnded", has_ended, self);
  add_function(env, object, "waitForIndex", wait_for_index, self);
  add_function(env, object, "waitForClaim", wait_for_claim, self);
  add_function(env, object, "cancelWait", cancel_wait, self);
  add_function(env, object, "waitSlice", wait_slice, self);
  add_function(env, object, "close", close, self);

  napi_value offsets = nullptr;
  napi_create_array(env, &offsets);
  uint32_t column = 0;
  for (const uint64_t offset : log_->layout().column_offsets()) {
    napi_set_element(env, offsets, column++, number(env, offset));
  }
  set(env, object, "columnOffsets", offsets);
  set(env, object, "id", handle_.id);
  set(env, object, "token", handle_.token);
  set(env, object, "descriptor", log_->descriptor());
  set(env, object, "retainedCapacity", log_->retained_capacity());
  set(env, object, "segmentCapacity", uint64_t{log_->segment_capacity()});
  set(env, object, "retainedSegments", uint64_t{log_->retained_segments()});
  set(env, object, "blockBytes", log_->layout().block_bytes());
  return object;
}

// (floor: number, out: Float64Array) => segments pinned, or a status < 0
napi_value LogAttachment::pin_window(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<LogAttachment*>(info.Data());
  const auto floor = info[0].As<Napi::Number>().DoubleValue();
  auto out = info[1].As<Napi::Float64Array>();

  std::vector<memory::PinnedSegment>& pinned = self->scratch_;
  pinned.clear();
  if (self->log_ == nullptr) return number(env, 0);
  memory::pin_window(*self->log_, static_cast<uint64_t>(floor), &pinned);
  if (out.ElementLength() < pinned.size() * kFieldsPerSegment) {
    for (const auto& entry : pinned) self->log_->unpin(entry.segment);
    return to_value(env, Status::kOutOfRange);
  }
  double* field = out.Data();
  for (const auto& [segment, count] : pinned) {
    if (segment->id() >= self->entries_.size()) {
      self->entries_.resize(segment->id() + 1);
    }
    Entry& entry = self->entries_[segment->id()];
    entry.segment = segment;
    ++entry.pins;
    *field++ = segment->id();
    *field++ = static_cast<double>(segment->sequence());
    *field++ = static_cast<double>(segment->first_index());
    *field++ = count;
  }
  return number(env, pinned.size());
}

// (id: number) => void
napi_value LogAttachment::unpin(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  auto* const self = called_object<LogAttachment>(env, info, &id);
  if (Entry* const entry = self->pinned_entry(id)) {
    --entry->pins;
    self->log_->unpin(entry->segment);
  }
  return nullptr;
}

// (id: number) => void
napi_value LogAttachment::leave_pin_to_mapping(napi_env env,
                                               napi_callback_info info) {
  uint32_t id = 0;
  auto* const self = called_object<LogAttachment>(env, info, &id);
  if (Entry* const entry = self->pinned_entry(id)) {
    --entry->pins;
    if (const auto mapping = entry->mapping.lock()) {
      mapping->adopt_pin();
    } else {
      self->log_->unpin(entry->segment);
    }
  }
  return nullptr;
}

// (id: number) => ArrayBuffer over the block of a pinned segment, or null when
// this runtime maps no external memory
napi_value LogAttachment::map(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  auto* const self = called_object<LogAttachment>(env, info, &id);
  napi_value buffer = nullptr;
  Entry* const entry = self->pinned_entry(id);
  if (entry == nullptr ||
      Mapping::create(env, self->log_, entry->segment, &buffer,
                      &entry->mapping) != napi_ok) {
    napi_get_null(env, &buffer);
  }
  return buffer;
}

// (out: Float64Array) => void; out = [firstIndex, endIndex]
napi_value LogAttachment::bounds(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<LogAttachment*>(info.Data());
  auto out = info[0].As<Napi::Float64Array>();
  if (self->log_ == nullptr || out.ElementLength() < 2) return nullptr;
  const memory::WindowBounds bounds = memory::window_bounds(*self->log_);
  out.Data()[0] = static_cast<double>(bounds.first_index);
  out.Data()[1] = static_cast<double>(bounds.end_index);
  return nullptr;
}

napi_value LogAttachment::stats(napi_env env, napi_callback_info info) {
  auto* const self = called_object<LogAttachment>(env, info);
  if (self->log_ == nullptr) return nullptr;
  const memory::RollingLog::Stats stats = self->log_->stats();
  const napi_value object = new_object(env);
  set(env, object, "segments", stats.pool.segments);
  set(env, object, "retained", stats.retained);
  set(env, object, "idle", stats.pool.idle);
  set(env, object, "decommitted", stats.pool.decommitted);
  set(env, object, "fresh", stats.pool.fresh);
  set(env, object, "recycled", stats.pool.recycled);
  set(env, object, "rolls", stats.rolls);
  set(env, object, "pinnedHere", self->pinned_segments());
  return object;
}

napi_value LogAttachment::is_claimed(napi_env env, napi_callback_info info) {
  auto* const self = called_object<LogAttachment>(env, info);
  return boolean(env, self->log_ != nullptr && self->log_->is_claimed());
}

// () => NativeWriter, or null when the claim is held
napi_value LogAttachment::try_claim(napi_env env, napi_callback_info info) {
  auto* const self = called_object<LogAttachment>(env, info);
  if (self->log_ == nullptr || !self->log_->try_claim()) {
    return null_value(env);
  }
  return WriterHandle::create(env, self->presence_)->to_object(env);
}

napi_value LogAttachment::has_ended(napi_env env, napi_callback_info info) {
  auto* const self = called_object<LogAttachment>(env, info);
  return boolean(env, self->log_ == nullptr || self->log_->has_ended());
}

memory::Waiter* LogAttachment::add_waiter(uint32_t id) {
  auto& waiter = waiters_[id];
  waiter = std::make_unique<AsyncWaiter>(environment_->waker(), id);
  return waiter.get();
}

void LogAttachment::drop_waiter(uint32_t id) {
  const auto waiter = waiters_.find(id);
  if (waiter == waiters_.end()) return;
  if (!log_->entries().remove(waiter->second.get())) {
    log_->claims().remove(waiter->second.get());
  }
  waiters_.erase(waiter);
}

// (id: number, index: number) => whether there is anything to wait for
napi_value LogAttachment::wait_for_index(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<LogAttachment*>(info.Data());
  const uint32_t id = info[0].As<Napi::Number>().Uint32Value();
  const auto index =
      static_cast<uint64_t>(info[1].As<Napi::Number>().DoubleValue());
  bool must_wait = false;
  if (self->log_ != nullptr) {
    self->log_->entries().add(self->add_waiter(id), index);
    must_wait = look(*self->log_, index) == kTimedOut;
    if (!must_wait) self->drop_waiter(id);
  }
  return boolean(env, must_wait);
}

// (id: number) => whether there is anything to wait for
napi_value LogAttachment::wait_for_claim(napi_env env,
                                         napi_callback_info info) {
  uint32_t id = 0;
  auto* const self = called_object<LogAttachment>(env, info, &id);
  bool must_wait = false;
  if (self->log_ != nullptr) {
    self->log_->claims().add(self->add_waiter(id), 0);
    must_wait = self->log_->is_claimed() && !self->log_->has_ended();
    if (!must_wait) self->drop_waiter(id);
  }
  return boolean(env, must_wait);
}

// (id: number) => void; also after the waiter was woken
napi_value LogAttachment::cancel_wait(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  auto* const self = called_object<LogAttachment>(env, info, &id);
  self->drop_waiter(id);
  return nullptr;
}

// (index: number, milliseconds: number) => 0 timed out, 1 ready, 2 ended.
// Blocks this thread, and with it worker.terminate(): keep the slices short.
napi_value LogAttachment::wait_slice(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<LogAttachment*>(info.Data());
  const auto index =
      static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue());
  const std::chrono::milliseconds slice(
      info[1].As<Napi::Number>().Uint32Value());
  if (self->log_ == nullptr) return number(env, kEnded);
  uint32_t result = look(*self->log_, index);
  if (result == kTimedOut && slice.count() > 0) {
    SyncWaiter waiter;
    self->log_->entries().add(&waiter, index);
    result = look(*self->log_, index);
    if (result == kTimedOut) waiter.wait_for(slice);
    self->log_->entries().remove(&waiter);
    if (result == kTimedOut) result = look(*self->log_, index);
  }
  return number(env, result);
}

napi_value LogAttachment::close(napi_env env, napi_callback_info info) {
  called_object<LogAttachment>(env, info)->give_back();
  return nullptr;
}

}  // namespace atomic_log::binding
