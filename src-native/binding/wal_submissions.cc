#include "binding/wal_submissions.h"

#include "binding/codes.h"
#include "binding/durable_values.h"
#include "binding/functions.h"

namespace atomic_log::binding {

using durable::Outcome;
using durable::WalCompletion;
using durable::WalLevel;
using durable::WalSubmission;

namespace {

// The safest for what is not a level.
WalLevel to_level(uint32_t number) {
  for (const WalLevel level : {WalLevel::kNone, WalLevel::kSystem}) {
    if (number == static_cast<uint32_t>(level)) return level;
  }
  return WalLevel::kDisk;
}

}  // namespace

bool do_lengths_agree(Elements<uint8_t> bytes, uint64_t byte_count,
                      Elements<uint32_t> lengths, uint64_t count) {
  uint64_t total = 0;
  for (uint64_t i = 0; i < count && i < lengths.count; ++i) {
    total += lengths.data[i];
  }
  return count <= lengths.count && byte_count <= bytes.count &&
         total == byte_count;
}

std::unique_ptr<WalSubmission> to_submission(napi_env env,
                                             const napi_value* arguments) {
  auto result = std::make_unique<WalSubmission>();
  WalSubmission& submission = *result;
  submission.level = to_level(to_uint32(env, arguments[0]));
  submission.is_batch = to_bool(env, arguments[1]);
  submission.expected_lsn = to_offset(env, arguments[2]);
  const auto bytes = to_bytes(env, arguments[3]);
  const uint64_t byte_count = to_offset(env, arguments[4]);
  const auto lengths =
      to_elements<uint32_t>(env, arguments[5], napi_uint32_array);
  const uint64_t count = to_offset(env, arguments[6]);
  if (!do_lengths_agree(bytes, byte_count, lengths, count)) return result;
  if (!submission.bytes.try_assign(bytes.data,
                                   static_cast<size_t>(byte_count)) ||
      !submission.lengths.try_assign(lengths.data,
                                     static_cast<size_t>(count))) {
    submission.refused = platform::kNoMemory;
  }
  return result;
}

napi_value completions_array(napi_env env,
                             const durable::WalSubmissions& done) {
  napi_value array = nullptr;
  if (napi_create_array(env, &array) != napi_ok) return nullptr;
  constexpr size_t kFields = kFieldCount<CompletionField>;
  uint32_t row = 0;
  for (const WalSubmission* one = done.first(); one != nullptr;
       one = one->next.get()) {
    const WalCompletion& completion = one->completion;
    const auto set_field = [&](CompletionField field, napi_value value) {
      const uint32_t at = row + static_cast<uint32_t>(field);
      if (value != nullptr) napi_set_element(env, array, at, value);
    };
    set_field(CompletionField::kFirst, from_number(env, completion.first));
    set_field(CompletionField::kCount, from_number(env, completion.count));
    set_field(CompletionField::kOutcome,
              from_number(env, static_cast<uint8_t>(completion.outcome)));
    if (completion.outcome != Outcome::kOk) {
      set_field(CompletionField::kFailure,
                failure_object(env, completion.failure));
    }
    row += kFields;
  }
  return array;
}

}  // namespace atomic_log::binding
