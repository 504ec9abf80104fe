// Functions on records in memory: those of types/native.d.ts that need no file.
#ifndef ATOMIC_LOG_BINDING_RECORD_FUNCTIONS_H_
#define ATOMIC_LOG_BINDING_RECORD_FUNCTIONS_H_

#include <node_api.h>

namespace atomic_log::binding {

// (bytes: Uint8Array, offset, headerSize, checksum) => the length word, or an
// outcome < 0
napi_value parse_record(napi_env env, napi_callback_info info);

// (stored: Uint8Array, target: Uint8Array) => Compression
napi_value decompress(napi_env env, napi_callback_info info);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_RECORD_FUNCTIONS_H_
