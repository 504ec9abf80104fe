#include "binding/log_attachment.h"

#include <chrono>
#include <utility>

#include "binding/functions.h"
#include "binding/native_handle.h"
#include "binding/writer_handle.h"
#include "core/base/faults.h"
#include "core/memory/blocking_wait.h"

namespace atomic_log::binding {
namespace {

// Numbers that pin_window writes per segment; types/native.d.ts names them.
constexpr size_t kFieldsPerSegment = 4;

// What wait_slice returns; types/native.d.ts names them.
static_assert(static_cast<uint32_t>(memory::Arrival::kPending) == 0 &&
              static_cast<uint32_t>(memory::Arrival::kReady) == 1 &&
              static_cast<uint32_t>(memory::Arrival::kEnded) == 2);

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

// [{ thread, pinned, followers: [index of the next entry] }]
napi_value describe_readers(napi_env env, memory::RollingLog& log) {
  napi_value readers = nullptr;
  napi_create_array(env, &readers);
  uint32_t count = 0;
  for (const auto& reader : log.readers().all()) {
    const napi_value object = new_object(env);
    set(env, object, "thread", uint64_t{reader->thread_id()});
    set(env, object, "pinned", reader->pinned_segments());
    napi_value followers = nullptr;
    napi_create_array(env, &followers);
    uint32_t position = 0;
    for (const uint64_t next_index : reader->followers()) {
      napi_set_element(env, followers, position++, number(env, next_index));
    }
    set(env, object, "followers", followers);
    napi_set_element(env, readers, count++, object);
  }
  return readers;
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
      reader_(std::make_shared<memory::Reader>(environment_->thread_id())),
      handle_(std::move(handle)) {
  environment_->add(this);
  log_->readers().add(reader_);
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
  log_->readers().remove(reader_.get());
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

void LogAttachment::drop_pin(Entry* entry) {
  if (--entry->pins == 0) entry->held->drop();
  log_->unpin(entry->segment);
}

napi_value LogAttachment::to_object(napi_env env) {
  const napi_value object = new_object(env);
  const auto self = shared_from_this();
  add_function(env, object, "pinWindow", pin_window, self);
  add_function(env, object, "unpin", unpin, self);
  add_function(env, object, "leavePinToMapping", leave_pin_to_mapping, self);
  add_function(env, object, "map", map, self);
  add_function(env, object, "mapWord", map_word, self);
  add_function(env, object, "adopt", adopt, self);
  add_function(env, object, "bounds", bounds, self);
  add_function(env, object, "stats", stats, self);
  add_function(env, object, "isClaimed", is_claimed, self);
  add_function(env, object, "tryClaim", try_claim, self);
  add_function(env, object, "hasEnded", has_ended, self);
  add_function(env, object, "waitForIndex", wait_for_index, self);
  add_function(env, object, "waitForClaim", wait_for_claim, self);
  add_function(env, object, "cancelWait", cancel_wait, self);
  add_function(env, object, "waitSlice", wait_slice, self);
  add_function(env, object, "follow", follow, self);
  add_function(env, object, "unfollow", unfollow, self);
  add_function(env, object, "nativeHandle", native_handle, self);
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
  const uint64_t block_bytes = log_->layout().block_bytes();
  set(env, object, "blockBytes", block_bytes);
  set(env, object, "strideBytes",
      memory::SharedStorage::stride_of(block_bytes));
  set(env, object, "isShared",
      boolean(env, log_->storage().as_shared() != nullptr));
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
    if (entry.segment == nullptr) {
      entry.segment = segment;
      entry.held = std::make_shared<memory::HeldSegment>(self->reader_);
    }
    if (entry.pins++ == 0) entry.held->hold();
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
    self->drop_pin(entry);
  }
  return nullptr;
}

// (id: number, key: number) => void
napi_value LogAttachment::leave_pin_to_mapping(napi_env env,
                                               napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<LogAttachment*>(info.Data());
  const uint32_t id = info[0].As<Napi::Number>().Uint32Value();
  const uint32_t key = info[1].As<Napi::Number>().Uint32Value();
  if (Entry* const entry = self->pinned_entry(id)) {
    if (self->mappings_->leave_pin(key, entry->held)) {
      if (--entry->pins == 0) entry->held->drop();
    } else {
      self->drop_pin(entry);
    }
  }
  return nullptr;
}

// (id: number, key: number) => ArrayBuffer over the columns of a pinned
// segment, or null when this runtime maps no external memory
napi_value LogAttachment::map(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<LogAttachment*>(info.Data());
  const uint32_t id = info[0].As<Napi::Number>().Uint32Value();
  const uint32_t key = info[1].As<Napi::Number>().Uint32Value();
  napi_value buffer = nullptr;
  Entry* const entry = self->pinned_entry(id);
  if (entry == nullptr ||
      Mapping::create(env, self->log_, entry->segment, self->mappings_, key,
                      &buffer) != napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// (id: number) => ArrayBuffer over the published word of a pinned segment, or
// null when this runtime maps no external memory. It has no finalizer: the
// addresses of blocks stay mapped, and it is read only while the segment is
// pinned.
napi_value LogAttachment::map_word(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  auto* const self = called_object<LogAttachment>(env, info, &id);
  Entry* const entry = self->pinned_entry(id);
  napi_value buffer = nullptr;
  if (entry == nullptr || memory_is_refused() ||
      napi_create_external_arraybuffer(env, entry->segment->block(),
                                       memory::BlockLayout::kHeaderBytes,
                                       nullptr, nullptr, &buffer) != napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// (id: number, key: number, buffer: SharedArrayBuffer) => void
napi_value LogAttachment::adopt(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<LogAttachment*>(info.Data());
  const uint32_t id = info[0].As<Napi::Number>().Uint32Value();
  const uint32_t key = info[1].As<Napi::Number>().Uint32Value();
  // It fails only while the environment is being terminated.
  if (Entry* const entry = self->pinned_entry(id)) {
    Mapping::adopt(env, self->log_, entry->segment, self->mappings_, key,
                   info[2]);
  }
  return nullptr;
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
  set(env, object, "earlySeals", stats.early_seals);
  set(env, object, "pinnedHere", self->pinned_segments());
  set(env, object, "readers", describe_readers(env, *self->log_));
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
    must_wait =
        memory::look_for(*self->log_, index) == memory::Arrival::kPending;
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
  const memory::Arrival arrival =
      self->log_ == nullptr ? memory::Arrival::kEnded
                            : memory::wait_for(*self->log_, index, slice);
  return number(env, static_cast<uint64_t>(arrival));
}

// (id: number, nextIndex: number) => void
napi_value LogAttachment::follow(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<LogAttachment*>(info.Data());
  self->reader_->follow(
      info[0].As<Napi::Number>().Uint32Value(),
      static_cast<uint64_t>(info[1].As<Napi::Number>().DoubleValue()));
  return nullptr;
}

// (id: number) => void
napi_value LogAttachment::unfollow(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  auto* const self = called_object<LogAttachment>(env, info, &id);
  self->reader_->unfollow(id);
  return nullptr;
}

// () => what native code attaches with, or null when the runtime fails
napi_value LogAttachment::native_handle(napi_env env, napi_callback_info info) {
  auto* const self = called_object<LogAttachment>(env, info);
  const napi_value handle = make_native_handle(env, self->handle_);
  return handle == nullptr ? null_value(env) : handle;
}

napi_value LogAttachment::close(napi_env env, napi_callback_info info) {
  called_object<LogAttachment>(env, info)->give_back();
  return nullptr;
}

}  // namespace atomic_log::binding
