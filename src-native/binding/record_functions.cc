#include "binding/record_functions.h"

#include "binding/durable_values.h"
#include "binding/functions.h"
#include "core/durable/compression.h"
#include "core/durable/record_format.h"

namespace atomic_log::binding {

using durable::Outcome;
using durable::Verdict;

napi_value parse_record(napi_env env, napi_callback_info info) {
  napi_value arguments[4] = {};
  read_arguments(env, info, arguments);
  const auto bytes = to_bytes(env, arguments[0]);
  const uint64_t offset = to_offset(env, arguments[1]);
  if (offset >= bytes.count) {
    return from_outcome(env, Outcome::kOutOfRange);
  }
  durable::SegmentFormat format;
  format.header_bytes = static_cast<uint32_t>(to_offset(env, arguments[2]));
  format.checksum = to_checksum(to_offset(env, arguments[3]));
  const durable::RecordCodec codec(format);
  const uint8_t* const record = bytes.data + offset;
  const uint64_t available = bytes.count - offset;
  Verdict verdict = codec.classify_head(record, available);
  // Another thread may change shared bytes; the length is read once.
  const uint32_t word = verdict == Verdict::kRecord ? load_u32(record) : 0;
  if (verdict == Verdict::kRecord) {
    const uint32_t body = durable::body_bytes_of(word);
    const bool fits = body <= available - durable::kHeadBytes;
    uint8_t word_bytes[durable::kChecksumOffset];
    store_u32(word_bytes, word);
    if (!fits ||
        codec.body(codec.begin(word_bytes), record + durable::kHeadBytes,
                   body) != load_u32(record + durable::kChecksumOffset)) {
      verdict = Verdict::kBad;
    }
  }
  if (verdict == Verdict::kRecord) return from_number(env, word);
  return from_outcome(
      env, verdict == Verdict::kEnd ? Outcome::kNoRecord : Outcome::kChecksum);
}

napi_value decompress(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  read_arguments(env, info, arguments);
  const auto stored = to_bytes(env, arguments[0]);
  const auto target = to_bytes(env, arguments[1]);
  const durable::Compression done =
      durable::decompress(stored.data, stored.count, target.data, target.count);
  return from_number(env, static_cast<uint8_t>(done));
}

}  // namespace atomic_log::binding
