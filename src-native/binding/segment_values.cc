#include "binding/segment_values.h"

#include "binding/functions.h"

namespace atomic_log::binding {

napi_value failure_object(napi_env env, const durable::Failure& failure) {
  const napi_value object = new_object(env);
  set(env, object, "outcome", uint64_t{static_cast<uint8_t>(failure.outcome)});
  set(env, object, "io", uint64_t{static_cast<uint8_t>(failure.io.code)});
  set(env, object, "systemError", from_number(env, failure.io.system_error));
  set(env, object, "operation", std::string(failure.io.operation));
  set(env, object, "path", failure.path);
  set(env, object, "offset", failure.offset);
  set(env, object, "value", failure.value);
  set(env, object, "detail", std::string(failure.detail));
  return object;
}

durable::SegmentFormat to_format(napi_env env, const napi_value* arguments) {
  durable::SegmentFormat format;
  format.start_offset = to_offset(env, arguments[0]);
  format.header_bytes = static_cast<uint32_t>(to_offset(env, arguments[1]));
  format.checksum = to_offset(env, arguments[2]) == 0 ? Crc32Kind::kCastagnoli
                                                      : Crc32Kind::kIsoHdlc;
  return format;
}

durable::FlushedCells* to_cells(napi_env env, napi_value value) {
  const auto cells = to_elements<uint64_t>(env, value, napi_bigint64_array);
  if (cells.count * sizeof(uint64_t) < sizeof(durable::FlushedCells)) {
    return nullptr;
  }
  // The memory is zero or was written by such cells; atomics of 64 bits without
  // a lock are those bits alone.
  return reinterpret_cast<durable::FlushedCells*>(cells.data);
}

std::string to_text(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    return {};
  }
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

}  // namespace atomic_log::binding
