// What the classes of segment files have in common on their way to JavaScript.
#ifndef ATOMIC_LOG_BINDING_SEGMENT_VALUES_H_
#define ATOMIC_LOG_BINDING_SEGMENT_VALUES_H_

#include <napi.h>

#include <string>

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

// Three arguments: startOffset, headerSize, checksum.
durable::SegmentFormat to_format(napi_env env, const napi_value* arguments);

// The cells of a FlushedOffset, or null.
durable::FlushedCells* to_cells(napi_env env, napi_value value);

std::string to_text(napi_env env, napi_value value);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_SEGMENT_VALUES_H_
