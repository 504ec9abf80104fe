// What `log.nativeHandle` is: a frozen object without properties that carries
// an atomic_log_handle, under a mark that JavaScript cannot set. So native code
// never takes an address from JavaScript: what is not a handle is refused, and one
// whose log is gone is found out by its id and token.
#ifndef ATOMIC_LOG_BINDING_NATIVE_HANDLE_H_
#define ATOMIC_LOG_BINDING_NATIVE_HANDLE_H_

#include <node_api.h>

#include "core/memory/registry.h"

namespace atomic_log::binding {

// Null when the runtime fails.
napi_value make_native_handle(napi_env env, const memory::LogHandle& handle);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_NATIVE_HANDLE_H_
