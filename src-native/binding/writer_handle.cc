#include "binding/writer_handle.h"

#include <utility>

#include "binding/codes.h"
#include "binding/functions.h"
#include "binding/mapping.h"
#include "core/memory/rolling_log.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::binding {

namespace {

// The writer that the first argument names, or null once it is closed.
template <size_t N>
WriterHandle* called_writer(napi_env env, napi_callback_info info,
                            napi_value (&arguments)[N]) {
  auto* const environment = called_object<Environment>(env, info, arguments);
  return environment->writers().find(to_slot(env, arguments[0]));
}

}  // namespace

napi_value WriterHandle::define_functions(napi_env env,
                                          Environment* environment) {
  const napi_value object = new_object(env);
  add_function(env, object, "roll", roll, environment);
  add_function(env, object, "map", map, environment);
  add_function(env, object, "mapBlock", map_block, environment);
  add_function(env, object, "commit", commit, environment);
  add_function(env, object, "head", head, environment);
  add_function(env, object, "end", end, environment);
  add_function(env, object, "close", close, environment);

  void* cells = nullptr;
  napi_value buffer = nullptr;
  napi_value staged = nullptr;
  constexpr size_t kCells = kFieldCount<StagedCell>;
  if (napi_create_arraybuffer(env, kCells * sizeof(uint32_t), &cells,
                              &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint32_array, kCells, buffer, 0,
                             &staged) != napi_ok) {
    return nullptr;
  }
  environment->publishing().staged = static_cast<const uint32_t*>(cells);
  set(env, object, "staged", staged);
  const napi_value function =
      add_function(env, object, "publish", publish, environment);
  // So the cells are there whenever it can be called.
  if (function != nullptr) set(env, function, "staged", staged);
  return object;
}

// () => void. The hot call: no argument, and no status, because nothing can
// fail.
napi_value WriterHandle::publish(napi_env env, napi_callback_info info) {
  auto* const environment = called_object<Environment>(env, info);
  Publishing& publishing = environment->publishing();
  const auto staged = [&publishing](StagedCell cell) {
    return publishing.staged[static_cast<size_t>(cell)];
  };
  const uint32_t slot = staged(StagedCell::kWriter);
  // A copy: what was just stored would have to be waited for.
  const PublishTarget target = slot == publishing.slot
                                   ? publishing.target
                                   : find_published(environment, slot);
  if (target.log != nullptr) {
    target.log->publish(staged(StagedCell::kCount));
  } else if (target.shared_log != nullptr) {
    target.shared_log->publish(staged(StagedCell::kCount));
  }
  return nullptr;
}

PublishTarget WriterHandle::find_published(Environment* environment,
                                           uint32_t slot) {
  const WriterHandle* const self = environment->writers().find(slot);
  const PublishTarget target =
      self == nullptr ? PublishTarget{} : self->target_;
  environment->publishing().slot = slot;
  environment->publishing().target = target;
  return target;
}

// (writer: number, count: number) => id of the new head's segment, or a
// status < 0
napi_value WriterHandle::roll(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  WriterHandle* const self = called_writer(env, info, arguments);
  const uint32_t count = to_uint32(env, arguments[1]);
  if (self == nullptr || count == 0 || count < self->log_->head().count ||
      count > self->log_->segment_capacity()) {
    return to_value(env, Status::kOutOfRange);
  }
  const Status status = self->log_->roll(count);
  if (status != Status::kOk) return to_value(env, status);
  return from_number(env, self->log_->head().name.id);
}

// (writer: number) => ArrayBuffer over the head's columns for writing, or null
// when this runtime maps no external memory. Users get this one.
napi_value WriterHandle::map(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  WriterHandle* const self = called_writer(env, info, arguments);
  napi_value buffer = nullptr;
  if (self == nullptr ||
      Mapping::create(env, *self->log_, self->log_->head().name, nullptr, 0,
                      &buffer) != napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// (writer: number) => ArrayBuffer over the head's whole block, or null
napi_value WriterHandle::map_block(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  WriterHandle* const self = called_writer(env, info, arguments);
  napi_value buffer = nullptr;
  if (self == nullptr ||
      map_own_block(env, *self->log_, self->log_->head().name, &buffer) !=
          napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// (writer: number, memory: Uint8Array over all that may be touched) => void
napi_value WriterHandle::commit(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  WriterHandle* const self = called_writer(env, info, arguments);
  if (self == nullptr) return nullptr;
  const auto bytes = to_bytes(env, arguments[1]);
  self->log_->commit(bytes.data, bytes.count);
  return nullptr;
}

// (writer: number, out: Float64Array of SegmentField) => void
napi_value WriterHandle::head(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  WriterHandle* const self = called_writer(env, info, arguments);
  Fields<SegmentField> out(
      to_elements<double>(env, arguments[1], napi_float64_array));
  if (self == nullptr) return nullptr;
  put(self->log_->head(), out);
  return nullptr;
}

// (writer: number) => void. Ends the log for good; what is staged must have been
// published.
napi_value WriterHandle::end(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  WriterHandle* const self = called_writer(env, info, arguments);
  if (self != nullptr) self->log_->end();
  return nullptr;
}

// (writer: number) => void
napi_value WriterHandle::close(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const environment = called_object<Environment>(env, info, arguments);
  // Another writer may get the slot.
  environment->publishing().forget();
  environment->writers().remove(to_slot(env, arguments[0]));
  return nullptr;
}

}  // namespace atomic_log::binding
