#include "binding/writer_handle.h"

#include <utility>

#include "binding/functions.h"
#include "binding/mapping.h"

namespace atomic_log::binding {

WriterHandle::WriterHandle(std::shared_ptr<Environment> environment,
                           std::shared_ptr<memory::RollingLog> presence)
    : environment_(std::move(environment)),
      log_(presence.get()),
      presence_(std::move(presence)) {
  environment_->add(this);
}

std::shared_ptr<WriterHandle> WriterHandle::create(
    napi_env env, std::shared_ptr<memory::RollingLog> presence) {
  return std::shared_ptr<WriterHandle>(
      new WriterHandle(Environment::of(env), std::move(presence)));
}

WriterHandle::~WriterHandle() {
  give_back();
  environment_->remove(this);
}

void WriterHandle::give_back() {
  if (log_ == nullptr) return;
  log_->release_claim();
  log_ = nullptr;
  presence_.reset();
}

napi_value WriterHandle::to_object(napi_env env) {
  const napi_value object = new_object(env);
  const auto self = shared_from_this();
  add_function(env, object, "roll", roll, self);
  add_function(env, object, "map", map, self);
  add_function(env, object, "commit", commit, self);
  add_function(env, object, "head", head, self);
  add_function(env, object, "end", end, self);
  add_function(env, object, "close", close, self);

  void* cell = nullptr;
  napi_value buffer = nullptr;
  napi_value staged = nullptr;
  if (napi_create_arraybuffer(env, sizeof(uint32_t), &cell, &buffer) !=
          napi_ok ||
      napi_create_typedarray(env, napi_uint32_array, 1, buffer, 0, &staged) !=
          napi_ok) {
    return nullptr;
  }
  staged_ = static_cast<const uint32_t*>(cell);
  set(env, object, "staged", staged);
  const napi_value function =
      add_function(env, object, "publish", publish, self);
  if (function != nullptr) set(env, function, "staged", staged);
  return object;
}

// () => void. The hot call: no argument, and no status, because nothing can
// fail.
napi_value WriterHandle::publish(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WriterHandle>(env, info);
  if (self->log_ != nullptr) self->log_->publish(*self->staged_);
  return nullptr;
}

// (count: number) => id of the new head's segment, or a status < 0
napi_value WriterHandle::roll(napi_env env, napi_callback_info info) {
  uint32_t count = 0;
  auto* const self = called_object<WriterHandle>(env, info, &count);
  if (self->log_ == nullptr || count == 0 ||
      count > self->log_->segment_capacity()) {
    return to_value(env, Status::kOutOfRange);
  }
  const Status status = self->log_->roll(count);
  if (status != Status::kOk) return to_value(env, status);
  napi_value id = nullptr;
  napi_create_uint32(env, self->log_->head_segment().id(), &id);
  return id;
}

// () => ArrayBuffer over the head's columns for writing, or null when this
// runtime maps no external memory
napi_value WriterHandle::map(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WriterHandle>(env, info);
  napi_value buffer = nullptr;
  if (self->log_ == nullptr ||
      Mapping::create(env, self->log_->shared_from_this(),
                      &self->log_->head_segment(), nullptr, 0,
                      &buffer) != napi_ok) {
    napi_get_null(env, &buffer);
  }
  return buffer;
}

// (memory: Uint8Array over all that may be touched) => void
napi_value WriterHandle::commit(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<WriterHandle*>(info.Data());
  if (self->log_ == nullptr) return nullptr;
  memory::SharedStorage* const storage = self->log_->storage().as_shared();
  const SharedBytes bytes = shared_bytes(env, info[0]);
  if (storage != nullptr && bytes.data == storage->base()) {
    storage->commit(bytes.length);
  }
  return nullptr;
}

// (out: Float64Array) => void; out = [id, sequence, firstIndex, count]
napi_value WriterHandle::head(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  auto* const self = static_cast<WriterHandle*>(info.Data());
  auto out = info[0].As<Napi::Float64Array>();
  if (self->log_ == nullptr || out.ElementLength() < 4) return nullptr;
  const memory::SegmentControl& segment = self->log_->head_segment();
  out.Data()[0] = segment.id();
  out.Data()[1] = static_cast<double>(segment.sequence());
  out.Data()[2] = static_cast<double>(segment.first_index());
  out.Data()[3] = self->log_->published_count();
  return nullptr;
}

// () => void. Ends the log for good; what is staged must have been published.
napi_value WriterHandle::end(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WriterHandle>(env, info);
  if (self->log_ != nullptr) self->log_->end();
  return nullptr;
}

napi_value WriterHandle::close(napi_env env, napi_callback_info info) {
  called_object<WriterHandle>(env, info)->give_back();
  return nullptr;
}

}  // namespace atomic_log::binding
