#include "binding/segment_reader_handle.h"

#include <cstring>
#include <utility>

#include "binding/codes.h"
#include "binding/durable_values.h"
#include "binding/functions.h"
#include "binding/options.h"
#include "core/durable/segment/segment_recovery.h"

namespace atomic_log::binding {

using durable::Failure;
using durable::Outcome;
using durable::SegmentReader;
using durable::SegmentSource;

SegmentReaderHandle::SegmentReaderHandle(
    std::shared_ptr<Environment> environment,
    std::shared_ptr<SegmentSource> source)
    : environment_(std::move(environment)), source_(std::move(source)) {
  environment_->add(this);
}

SegmentReaderHandle::~SegmentReaderHandle() { environment_->remove(this); }

void SegmentReaderHandle::give_back() {
  reader_.reset();
  source_.reset();
  run_ = {};
}

napi_value SegmentReaderHandle::create(napi_env env,
                                       std::shared_ptr<SegmentSource> source,
                                       durable::FlushedCells* cells) {
  const std::shared_ptr<SegmentReaderHandle> handle(
      new SegmentReaderHandle(Environment::of(env), std::move(source)));
  handle->reader_ = std::make_unique<SegmentReader>(handle->source_);
  handle->reader_->attach(cells);
  return handle->to_object(env);
}

napi_value SegmentReaderHandle::open(napi_env env, napi_callback_info info) {
  Options given(env, info);
  const std::string path = given.path("path");
  const durable::SegmentFormat format = to_format(given);
  const bool is_mapped = given.flag("isMapped");
  durable::FlushedCells* const cells =
      given.has("cells") ? to_cells(given) : nullptr;
  if (given.throw_if_refused()) return nullptr;

  std::shared_ptr<SegmentSource> source;
  Failure failure;
  const Outcome outcome =
      SegmentSource::open(platform::native_file_system(), path, format,
                          is_mapped, &source, &failure);
  if (outcome != Outcome::kOk) return failure_object(env, failure);
  return create(env, std::move(source), cells);
}

napi_value SegmentReaderHandle::scan(napi_env env, napi_callback_info info) {
  Options given(env, info);
  const std::string path = given.path("path");
  const durable::SegmentFormat format = to_format(given);
  if (given.throw_if_refused()) return nullptr;

  durable::SegmentScan found;
  Failure failure;
  const Outcome outcome = durable::scan_segment(platform::native_file_system(),
                                                path, format, &found, &failure);
  if (outcome != Outcome::kOk) return failure_object(env, failure);
  const napi_value object = new_object(env);
  set(env, object, "size", found.size);
  set(env, object, "records", found.records);
  set(env, object, "endOffset", found.end_offset);
  set(env, object, "nonzeroEnd", found.nonzero_end);
  set(env, object, "validBytesAfter", found.valid_bytes_after);
  return object;
}

napi_value SegmentReaderHandle::to_object(napi_env env) {
  const napi_value object = new_object(env);
  const auto self = shared_from_this();
  add_function(env, object, "read", read, self);
  add_function(env, object, "copy", copy, self);
  add_function(env, object, "readBytes", read_bytes, self);
  add_function(env, object, "prefetch", prefetch, self);
  add_function(env, object, "checkPlace", check_place, self);
  add_function(env, object, "limit", limit, self);
  add_function(env, object, "mapping", mapping, self);
  add_function(env, object, "clone", clone, self);
  add_function(env, object, "failure", failure, self);
  add_function(env, object, "close", close, self);
  set(env, object, "size", source_->size());
  return object;
}

// (offset, ReadHint, lengthWords: Uint32Array, found: Float64Array of
// FoundField) => records found, or an outcome < 0
napi_value SegmentReaderHandle::read(napi_env env, napi_callback_info info) {
  napi_value arguments[4] = {};
  auto* const self = called_object<SegmentReaderHandle>(env, info, arguments);
  const auto words =
      to_elements<uint32_t>(env, arguments[2], napi_uint32_array);
  Fields<FoundField> found(
      to_elements<double>(env, arguments[3], napi_float64_array));
  if (self->reader_ == nullptr || words.count == 0 || !found.fits()) {
    return from_outcome(env, Outcome::kOutOfRange);
  }
  const bool is_sequential =
      to_uint32(env, arguments[1]) ==
      static_cast<uint32_t>(durable::ReadHint::kSequential);
  const auto hint = is_sequential ? durable::ReadHint::kSequential
                                  : durable::ReadHint::kRandom;
  const Outcome outcome = self->reader_->read(
      to_offset(env, arguments[0]), hint, words.data, words.count, &self->run_);
  if (outcome != Outcome::kOk) {
    self->run_ = {};
    return from_outcome(env, outcome);
  }
  found.set(FoundField::kBytes, self->run_.total_bytes)
      .set(FoundField::kIsMapped, self->run_.is_mapped ? 1 : 0);
  return from_number(env, self->run_.count);
}

// (target: Uint8Array) => whether the bytes of the last read() are in it
napi_value SegmentReaderHandle::copy(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<SegmentReaderHandle>(env, info, arguments);
  const auto target = to_bytes(env, arguments[0]);
  const bool fits = self->reader_ != nullptr && self->run_.count > 0 &&
                    target.count >= self->run_.total_bytes;
  if (fits) {
    std::memcpy(target.data, self->run_.bytes,
                static_cast<size_t>(self->run_.total_bytes));
  }
  return from_bool(env, fits);
}

// (offset, target: Uint8Array) => 0, or an outcome < 0
napi_value SegmentReaderHandle::read_bytes(napi_env env,
                                           napi_callback_info info) {
  napi_value arguments[2] = {};
  auto* const self = called_object<SegmentReaderHandle>(env, info, arguments);
  const auto target = to_bytes(env, arguments[1]);
  if (self->reader_ == nullptr) {
    return from_outcome(env, Outcome::kOutOfRange);
  }
  return from_outcome(
      env, self->reader_->read_bytes(to_offset(env, arguments[0]), target.data,
                                     target.count));
}

napi_value SegmentReaderHandle::prefetch(napi_env env,
                                         napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<SegmentReaderHandle>(env, info, arguments);
  if (self->reader_ == nullptr) return nullptr;
  self->reader_->prefetch(to_offset(env, arguments[0]));
  return nullptr;
}

// () => NativeFailure | undefined
napi_value SegmentReaderHandle::check_place(napi_env env,
                                            napi_callback_info info) {
  auto* const self = called_object<SegmentReaderHandle>(env, info);
  if (self->source_ == nullptr) return nullptr;
  Failure failure;
  const Outcome outcome =
      self->source_->check_place(platform::native_file_system(), &failure);
  return outcome == Outcome::kOk ? nullptr : failure_object(env, failure);
}

napi_value SegmentReaderHandle::limit(napi_env env, napi_callback_info info) {
  auto* const self = called_object<SegmentReaderHandle>(env, info);
  return from_number(env,
                     self->reader_ == nullptr ? 0 : self->reader_->limit());
}

// () => ArrayBuffer over the mapping, or null where there is none or where this
// runtime maps no external memory
napi_value SegmentReaderHandle::mapping(napi_env env, napi_callback_info info) {
  auto* const self = called_object<SegmentReaderHandle>(env, info);
  if (self->source_ == nullptr) return null_value(env);
  const auto& mapping = self->source_->mapping();
  if (mapping == nullptr) return null_value(env);
  using Owner = std::shared_ptr<platform::FileMapping>;
  auto* const owner = new Owner(mapping);
  const auto drop = [](napi_env, void*, void* data) {
    delete static_cast<Owner*>(data);
  };
  napi_value external = nullptr;
  const napi_status status = napi_create_external_arraybuffer(
      env, mapping->data(), mapping->bytes(), drop, owner, &external);
  if (status == napi_ok) return external;
  // These results come before the runtime has taken the finalizer over; after
  // any other it may still call it.
  if (status == napi_no_external_buffers_allowed ||
      status == napi_pending_exception || status == napi_cannot_run_js) {
    delete owner;
  }
  return null_value(env);
}

// (cells) => NativeSegmentReader
napi_value SegmentReaderHandle::clone(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<SegmentReaderHandle>(env, info, arguments);
  if (self->reader_ == nullptr) return nullptr;
  return create(env, self->source_, to_cells(env, arguments[0]));
}

napi_value SegmentReaderHandle::failure(napi_env env, napi_callback_info info) {
  auto* const self = called_object<SegmentReaderHandle>(env, info);
  return failure_object(
      env, self->reader_ == nullptr ? Failure{} : self->reader_->failure());
}

napi_value SegmentReaderHandle::close(napi_env env, napi_callback_info info) {
  called_object<SegmentReaderHandle>(env, info)->give_back();
  return nullptr;
}

}  // namespace atomic_log::binding
