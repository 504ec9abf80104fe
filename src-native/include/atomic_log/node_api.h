/* From `log.nativeHandle` to a handle, for addons that use Node-API 8 or later.
 *
 *   const atomic_log_handle* handle = atomic_log_get_handle(env, argument);
 *   atomic_log::native::Log log;
 *   Status status = atomic_log::native::Log::attach(handle, &log);
 *
 * Call it on the thread of `env`, and attach at once: the handle lives as long
 * as the JavaScript object. The log may be used by any thread from then on. */
#ifndef ATOMIC_LOG_NODE_API_H_
#define ATOMIC_LOG_NODE_API_H_

#include <node_api.h>

#include "abi.h"

/* The mark of a `nativeHandle`. JavaScript can neither set, copy nor post it.
 */
static const napi_type_tag atomic_log_handle_tag = {
    UINT64_C(0x8f5d3c0b6a1e4972), UINT64_C(0xb1c7e2940d5f48a6)};

/* Null, and no exception, for any value that is not the `nativeHandle` of a
 * log. */
static inline const atomic_log_handle* atomic_log_get_handle(napi_env env,
                                                             napi_value value) {
  napi_valuetype type = napi_undefined;
  bool is_handle = false;
  void* handle = 0;
  if (value == 0 || napi_typeof(env, value, &type) != napi_ok ||
      type != napi_object ||
      napi_check_object_type_tag(env, value, &atomic_log_handle_tag,
                                 &is_handle) != napi_ok ||
      !is_handle || napi_unwrap(env, value, &handle) != napi_ok) {
    return 0;
  }
  return (const atomic_log_handle*)handle;
}

#endif /* ATOMIC_LOG_NODE_API_H_ */
