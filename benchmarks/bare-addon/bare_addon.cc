// An addon that owes nothing to the package: what the units E and M of the
// benchmarks are compared with.
#include <node_api.h>

#include <cstring>
#include <vector>

namespace {

// A call that does nothing.
napi_value do_nothing(napi_env, napi_callback_info) { return nullptr; }

void* bytes_of(napi_env env, napi_value array, size_t* length) {
  void* bytes = nullptr;
  napi_get_typedarray_info(env, array, nullptr, length, &bytes, nullptr,
                           nullptr);
  return bytes;
}

// copy(source, targets, times): memcpy of a Float64Array into one target after the other.
napi_value copy(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  size_t length = 0;
  const void* source = bytes_of(env, arguments[0], &length);
  uint32_t target_count = 0;
  napi_get_array_length(env, arguments[1], &target_count);
  std::vector<void*> targets(target_count);
  for (uint32_t i = 0; i < target_count; ++i) {
    napi_value target;
    napi_get_element(env, arguments[1], i, &target);
    size_t target_length = 0;
    targets[i] = bytes_of(env, target, &target_length);
    if (target_length != length) return nullptr;
  }
  uint32_t times = 0;
  napi_get_value_uint32(env, arguments[2], &times);
  size_t next = 0;
  for (uint32_t i = 0; i < times && target_count > 0; ++i) {
    std::memcpy(targets[next], source, length * sizeof(double));
    next = next + 1 == targets.size() ? 0 : next + 1;
  }
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "doNothing", NAPI_AUTO_LENGTH, do_nothing, nullptr,
                       &function);
  napi_set_named_property(env, exports, "doNothing", function);
  napi_create_function(env, "copy", NAPI_AUTO_LENGTH, copy, nullptr, &function);
  napi_set_named_property(env, exports, "copy", function);
  return exports;
}
