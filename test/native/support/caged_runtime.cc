// What a runtime with V8's sandbox says. Linked into the addon with
// -Bsymbolic, this hides the runtime's own function of that name.
#include <node_api.h>

napi_status napi_create_external_arraybuffer(napi_env, void*, size_t,
                                             napi_finalize, void*,
                                             napi_value*) {
  return napi_no_external_buffers_allowed;
}
