// What the classes of segment files and write-ahead logs have in common on their
// way to JavaScript.
#ifndef ATOMIC_LOG_BINDING_DURABLE_VALUES_H_
#define ATOMIC_LOG_BINDING_DURABLE_VALUES_H_

#include <node_api.h>

#include "binding/options.h"
#include "core/durable/outcome.h"
#include "core/durable/record_format.h"
#include "core/durable/segment/flushed_offset.h"

namespace atomic_log::binding {

// An outcome that is not kOk reaches TypeScript as a number below zero.
inline double outcome_number(durable::Outcome outcome) {
  return -static_cast<double>(static_cast<uint8_t>(outcome));
}

// types/native.d.ts NativeFailure.
napi_value failure_object(napi_env env, const durable::Failure& failure);

// What an operation on a durable log returns: its result, or the outcome as a
// number below zero, about which failure() tells.
inline napi_value from_outcome(napi_env env, durable::Outcome outcome,
                               uint64_t result = 0) {
  return outcome == durable::Outcome::kOk
             ? from_number(env, result)
             : from_number(env, outcome_number(outcome));
}

Crc32Kind to_checksum(uint64_t number);

// The members of types/native.d.ts NativeSegmentFormat.
durable::SegmentFormat to_format(Options& given);

// The cells of a FlushedOffset, or null.
durable::FlushedCells* to_cells(napi_env env, napi_value value);
// The same of the member `cells`, which must be them.
durable::FlushedCells* to_cells(Options& given);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_DURABLE_VALUES_H_
