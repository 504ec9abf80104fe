#include "binding/wal_values.h"

#include <algorithm>

#include "binding/durable_values.h"
#include "binding/functions.h"

namespace atomic_log::binding {

using durable::Failure;
using durable::Outcome;
using durable::WalChunk;
using durable::WalEntry;
using durable::WalFileInfo;
using durable::WalReader;

napi_value chunk_object(napi_env env, const WalChunk& chunk) {
  constexpr size_t kFields = 5;
  const napi_value object = new_object(env);
  set(env, object, "data",
      to_uint8_array(env, chunk.data.data(), chunk.data.size()));
  double* at = nullptr;
  const napi_value index =
      new_float64_array(env, kFields * chunk.entries.size(), &at);
  if (index == nullptr) return nullptr;
  for (const WalEntry& entry : chunk.entries) {
    *at++ = static_cast<double>(entry.lsn);
    *at++ = static_cast<double>(entry.begin);
    *at++ = static_cast<double>(entry.bytes);
    *at++ = static_cast<double>(entry.batch_first);
    *at++ = static_cast<double>(entry.batch_count);
  }
  set(env, object, "index", index);
  const napi_value pasts = new_float64_array(env, 3 * chunk.pasts.size(), &at);
  if (pasts == nullptr) return nullptr;
  for (const durable::WalPast& past : chunk.pasts) {
    *at++ = static_cast<double>(past.lsn);
    *at++ = static_cast<double>(past.epoch);
    *at++ = static_cast<double>(past.branch);
  }
  set(env, object, "pasts", pasts);
  return object;
}

napi_value check_past(napi_env env, WalReader& reader,
                      const napi_value* arguments) {
  Failure failure;
  const durable::WalPast past = {
      to_offset(env, arguments[0]),
      static_cast<uint32_t>(to_offset(env, arguments[1])),
      static_cast<uint32_t>(to_offset(env, arguments[2]))};
  const Outcome outcome = reader.check_past(past, &failure);
  return outcome == Outcome::kOk ? nullptr : failure_object(env, failure);
}

void files_behind(napi_env env, const WalReader& reader,
                  const napi_value* arguments) {
  const auto into = to_elements<double>(env, arguments[1], napi_float64_array);
  if (into.count < 3) return;
  into.data[0] = static_cast<double>(
      reader.lowest_base_after(to_offset(env, arguments[0])));
  into.data[1] = static_cast<double>(reader.newest_file());
  into.data[2] = static_cast<double>(reader.oldest_file());
}

napi_value files_array(napi_env env, const std::vector<WalFileInfo>& files) {
  double* at = nullptr;
  const napi_value array = new_float64_array(env, 4 * files.size(), &at);
  if (array == nullptr) return nullptr;
  for (const WalFileInfo& file : files) {
    *at++ = static_cast<double>(file.number);
    *at++ = static_cast<double>(file.base_lsn);
    *at++ = static_cast<double>(file.bytes);
    *at++ = static_cast<double>(file.end_offset);
  }
  return array;
}

napi_value read_chunk(napi_env env, WalReader& reader,
                      const napi_value* arguments) {
  WalChunk chunk;
  Failure failure;
  const Outcome outcome = reader.read(
      to_offset(env, arguments[0]), to_offset(env, arguments[1]),
      static_cast<size_t>(to_offset(env, arguments[2])), &chunk, &failure);
  return outcome == Outcome::kOk ? chunk_object(env, chunk)
                                 : failure_object(env, failure);
}

napi_value read_seek_point(napi_env env, WalReader& reader, napi_value lsn) {
  uint64_t point = 0;
  Failure failure;
  const Outcome outcome =
      reader.seek_point(to_offset(env, lsn), &point, &failure);
  return outcome == Outcome::kOk ? from_number(env, point)
                                 : failure_object(env, failure);
}

}  // namespace atomic_log::binding
