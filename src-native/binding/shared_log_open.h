// How JavaScript opens, makes, attaches to and unlinks a log that processes
// share.
#ifndef ATOMIC_LOG_BINDING_SHARED_LOG_OPEN_H_
#define ATOMIC_LOG_BINDING_SHARED_LOG_OPEN_H_

#include <node_api.h>

namespace atomic_log::binding {

void define_shared_log_functions(napi_env env, napi_value exports);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_SHARED_LOG_OPEN_H_
