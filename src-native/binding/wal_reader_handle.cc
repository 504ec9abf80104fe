#include "binding/wal_reader_handle.h"

#include <algorithm>
#include <memory>

#include "binding/codes.h"
#include "binding/durable_values.h"
#include "binding/functions.h"
#include "binding/options.h"
#include "binding/wal_values.h"
#include "core/durable/wal/wal_classify.h"
#include "core/durable/wal/wal_salvage.h"
#include "core/durable/wal/wal_verify.h"

namespace atomic_log::binding {

using durable::Failure;
using durable::Outcome;

napi_value WalReaderHandle::open(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  read_arguments(env, info, arguments);
  const auto tail = to_bool(env, arguments[1]) ? durable::WalTailMode::kIntact
                                               : durable::WalTailMode::kDurable;
  const std::shared_ptr<WalReaderHandle> handle(
      new WalReaderHandle(to_path(env, arguments[0]), tail));
  const napi_value object = new_object(env);
  add_function(env, object, "refresh", refresh, handle);
  add_function(env, object, "files", files, handle);
  add_function(env, object, "metadata", metadata, handle);
  add_function(env, object, "read", read, handle);
  add_function(env, object, "seekPoint", seek_point, handle);
  add_function(env, object, "checkPast", check_past, handle);
  add_function(env, object, "filesAfter", files_after, handle);
  add_function(env, object, "logId", log_id, handle);
  add_function(env, object, "close", close, handle);
  return object;
}

napi_value WalReaderHandle::verify(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  durable::WalClassifyRequest request;
  request.directory = to_path(env, arguments[0]);
  request.role = durable::WalRole::kReader;
  request.verifies = true;
  request.verify_threads = durable::wal_verify_threads();
  durable::WalClassification found;
  Failure failure;
  const Outcome outcome = durable::classify_wal(platform::native_file_system(),
                                                request, &found, &failure);
  if (outcome != Outcome::kOk) return failure_object(env, failure);
  return from_number(env, static_cast<uint8_t>(found.row));
}

// (path) => { logId, oldestLsn, files } | NativeFailure
napi_value WalReaderHandle::remains(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  durable::WalRemains found;
  Failure failure;
  if (durable::find_wal_remains(platform::native_file_system(),
                                to_path(env, arguments[0]), &found,
                                &failure) != Outcome::kOk) {
    return failure_object(env, failure);
  }
  const napi_value object = new_object(env);
  set(env, object, "logId",
      to_uint8_array(env, found.log_id.data(), found.log_id.size()));
  set(env, object, "metadata",
      to_uint8_array(env, found.metadata.data(), found.metadata.size()));
  set(env, object, "segmentBytes", found.file_bytes);
  set(env, object, "oldestLsn", found.oldest_lsn);
  const napi_value files = files_array(env, found.files);
  bool is_array = false;
  napi_is_typedarray(env, files, &is_array);
  if (!is_array) return files;
  set(env, object, "files", files);
  return object;
}

// (NativeWalSalvaging) => NativeWalSalvaged | NativeFailure
napi_value WalReaderHandle::salvage(napi_env env, napi_callback_info info) {
  Options given(env, info);
  const std::string path = given.path("path");
  const uint64_t file = given.integer("file");
  const uint64_t from = given.integer("from");
  const uint64_t bytes_max = given.integer("bytesMax");
  durable::WalLogId log_id = {};
  const auto id = given.bytes("logId");
  if (id.count == log_id.size()) {
    std::copy_n(id.data, id.count, log_id.begin());
  } else {
    given.refuse("logId", "as long as the id of a log");
  }
  if (given.throw_if_refused()) return nullptr;

  durable::WalSalvaged salvaged;
  Failure failure;
  if (durable::salvage_wal_file(platform::native_file_system(), path, log_id,
                                file, from, static_cast<size_t>(bytes_max),
                                &salvaged, &failure) != Outcome::kOk) {
    return failure_object(env, failure);
  }
  const napi_value object = chunk_object(env, salvaged.chunk);
  set(env, object, "nextOffset", salvaged.next_offset);
  return object;
}

// (into: Float64Array of WalShownField) => NativeFailure | undefined
napi_value WalReaderHandle::refresh(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<WalReaderHandle>(env, info, arguments);
  Failure failure;
  if (self->reader_.refresh(&failure) != Outcome::kOk) {
    return failure_object(env, failure);
  }
  const durable::ShownTail& shown = self->reader_.shown();
  Fields<WalShownField>(
      to_elements<double>(env, arguments[0], napi_float64_array))
      .set(WalShownField::kFirstLsn, self->reader_.first_lsn())
      .set(WalShownField::kLastLsn, self->reader_.last_lsn())
      .set(WalShownField::kNewestFile, self->reader_.newest_file())
      .set(WalShownField::kProvedLsn, self->reader_.proved_lsn())
      .set(WalShownField::kTakebacks, shown.takebacks())
      .set(WalShownField::kTakenBackFrom, shown.taken_back_from());
  return nullptr;
}

napi_value WalReaderHandle::files(napi_env env, napi_callback_info info) {
  return files_array(
      env, called_object<WalReaderHandle>(env, info)->reader_.files());
}

napi_value WalReaderHandle::metadata(napi_env env, napi_callback_info info) {
  const auto& metadata =
      called_object<WalReaderHandle>(env, info)->reader_.metadata();
  return to_uint8_array(env, metadata.data(), metadata.size());
}

napi_value WalReaderHandle::read(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  auto* const self = called_object<WalReaderHandle>(env, info, arguments);
  return read_chunk(env, self->reader_, arguments);
}

napi_value WalReaderHandle::check_past(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  auto* const self = called_object<WalReaderHandle>(env, info, arguments);
  return binding::check_past(env, self->reader_, arguments);
}

napi_value WalReaderHandle::files_after(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  auto* const self = called_object<WalReaderHandle>(env, info, arguments);
  binding::files_after(env, self->reader_, arguments);
  return nullptr;
}

// Undefined while there is no log.
napi_value WalReaderHandle::log_id(napi_env env, napi_callback_info info) {
  const auto* const id =
      called_object<WalReaderHandle>(env, info)->reader_.log_id();
  return id == nullptr ? nullptr : to_uint8_array(env, id->data(), id->size());
}

napi_value WalReaderHandle::seek_point(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<WalReaderHandle>(env, info, arguments);
  return read_seek_point(env, self->reader_, arguments[0]);
}

// Releases the files.
napi_value WalReaderHandle::close(napi_env env, napi_callback_info info) {
  called_object<WalReaderHandle>(env, info)->reader_.close();
  return nullptr;
}

}  // namespace atomic_log::binding
