// The native half of a Writer of a log that processes share.
#include <utility>

#include "binding/codes.h"
#include "binding/functions.h"
#include "binding/shared_log_attachment.h"
#include "binding/shared_mapping.h"

namespace atomic_log::binding {
namespace {

// The writer that the first argument names, or null once it is closed.
template <size_t N>
SharedWriterHandle* called_writer(napi_env env, napi_callback_info info,
                                  napi_value (&arguments)[N]) {
  auto* const environment = called_object<Environment>(env, info, arguments);
  return environment->find_shared_writer(to_slot(env, arguments[0]));
}

}  // namespace

napi_value SharedWriterHandle::define_functions(napi_env env,
                                                Environment* environment) {
  const napi_value object = new_object(env);
  add_function(env, object, "roll", roll, environment);
  add_function(env, object, "map", map, environment);
  add_function(env, object, "mapBlock", map_block, environment);
  add_function(env, object, "commit", commit, environment);
  add_function(env, object, "head", head, environment);
  add_function(env, object, "end", end, environment);
  add_function(env, object, "close", close, environment);
  return object;
}

// (writer: number, count: number) => id of the new head's segment, or a
// status < 0
napi_value SharedWriterHandle::roll(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  SharedWriterHandle* const self = called_writer(env, info, arguments);
  const uint32_t count = to_uint32(env, arguments[1]);
  if (self == nullptr || count == 0 || count < self->log_->cursor().published ||
      count > self->log_->segment_capacity()) {
    return to_value(env, Status::kOutOfRange);
  }
  const Status status = self->log_->roll(count);
  if (status != Status::kOk) return to_value(env, status);
  return from_number(env, self->log_->cursor().block);
}

// (writer: number) => ArrayBuffer over the head's columns, or null. Users get
// this one.
napi_value SharedWriterHandle::map(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  SharedWriterHandle* const self = called_writer(env, info, arguments);
  napi_value buffer = nullptr;
  if (self == nullptr ||
      SharedMapping::create(env, *self->log_, self->log_->cursor().block,
                            nullptr, 0, &buffer) != napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// (writer: number) => ArrayBuffer over the head's whole block, or null
napi_value SharedWriterHandle::map_block(napi_env env,
                                         napi_callback_info info) {
  napi_value arguments[1] = {};
  SharedWriterHandle* const self = called_writer(env, info, arguments);
  napi_value buffer = nullptr;
  if (self == nullptr ||
      map_own_block(env, *self->log_, self->log_->cursor().block, &buffer) !=
          napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// All of the file is there from the beginning.
napi_value SharedWriterHandle::commit(napi_env, napi_callback_info) {
  return nullptr;
}

// (writer: number, out: Float64Array of SegmentField) => void
napi_value SharedWriterHandle::head(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  SharedWriterHandle* const self = called_writer(env, info, arguments);
  Fields<SegmentField> out(
      to_elements<double>(env, arguments[1], napi_float64_array));
  if (self == nullptr) return nullptr;
  const shared_memory::SharedLog::Cursor& cursor = self->log_->cursor();
  out.set(SegmentField::kId, cursor.block)
      .set(SegmentField::kSequence, cursor.sequence)
      .set(SegmentField::kFirstIndex, cursor.first_index)
      .set(SegmentField::kCount, cursor.published);
  return nullptr;
}

// (writer: number) => void
napi_value SharedWriterHandle::end(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  SharedWriterHandle* const self = called_writer(env, info, arguments);
  if (self != nullptr) self->log_->end();
  return nullptr;
}

// (writer: number) => void
napi_value SharedWriterHandle::close(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const environment = called_object<Environment>(env, info, arguments);
  // Another writer may get the slot.
  environment->publishing().forget();
  const uint32_t slot = to_slot(env, arguments[0]);
  if (environment->find_shared_writer(slot) != nullptr) {
    environment->shared_writers().remove(slot & ~kSharedWriterBit);
  }
  return nullptr;
}

}  // namespace atomic_log::binding
