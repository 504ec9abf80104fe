#include "binding/durable_values.h"

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

Crc32Kind to_checksum(uint64_t number) {
  return number == static_cast<uint64_t>(Crc32Kind::kIsoHdlc)
             ? Crc32Kind::kIsoHdlc
             : Crc32Kind::kCastagnoli;
}

durable::SegmentFormat to_format(Options& given) {
  durable::SegmentFormat format;
  format.start_offset = given.integer("startOffset");
  format.header_bytes = given.uint32("headerSize");
  format.checksum = to_checksum(given.integer("checksum"));
  return format;
}

namespace {

durable::FlushedCells* to_cells(Elements<uint64_t> cells) {
  if (cells.count * sizeof(uint64_t) < sizeof(durable::FlushedCells)) {
    return nullptr;
  }
  // The memory is zero or was written by such cells; atomics of 64 bits without
  // a lock are those bits alone.
  return reinterpret_cast<durable::FlushedCells*>(cells.data);
}

}  // namespace

durable::FlushedCells* to_cells(napi_env env, napi_value value) {
  return to_cells(to_elements<uint64_t>(env, value, napi_bigint64_array));
}

durable::FlushedCells* to_cells(Options& given) {
  constexpr char kExpected[] = "the cells of a FlushedOffset";
  durable::FlushedCells* const cells = to_cells(
      given.elements<uint64_t>("cells", napi_bigint64_array, kExpected));
  if (cells == nullptr) given.refuse("cells", kExpected);
  return cells;
}

}  // namespace atomic_log::binding
