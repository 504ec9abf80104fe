// The addon with one function more, by which tests have memory refused.
#include <napi.h>

#pragma push_macro("NODE_API_MODULE")
#undef NODE_API_MODULE
#define NODE_API_MODULE(name, init)
#include "binding/addon.cc"
#pragma pop_macro("NODE_API_MODULE")

#include "support/faults.h"

// (count) => how many allocations of the count before were still to be granted
static napi_value RefuseMemoryAfter(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  const int64_t left = atomic_log::test::refuse_memory_after(
      info[0].As<Napi::Number>().Int64Value());
  napi_value result = nullptr;
  napi_create_int64(env, left, &result);
  return result;
}

static Napi::Object InitWithFaults(Napi::Env env, Napi::Object exports) {
  InitAddon(env, exports);
  atomic_log::binding::define(env, exports, "refuseMemoryAfter",
                              RefuseMemoryAfter);
  return exports;
}

NODE_API_MODULE(atomic_log, InitWithFaults)
