// Native functions that carry their object in the function's data pointer.
// A call through an ObjectWrap method costs 45-50 ns, napi_unwrap alone over
// 30; the data pointer comes with the call.
#ifndef ATOMIC_LOG_BINDING_FUNCTIONS_H_
#define ATOMIC_LOG_BINDING_FUNCTIONS_H_

#include <napi.h>

#include <memory>

#include "core/base/status.h"

namespace atomic_log::binding {

// Adds the method `name` to `target`. The function keeps `object` alive until
// it is collected.
template <typename T>
void add_function(napi_env env, napi_value target, const char* name,
                  napi_callback callback, const std::shared_ptr<T>& object) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, object.get(),
                           &function) != napi_ok) {
    return;
  }
  auto* const owner = new std::shared_ptr<T>(object);
  const auto drop = [](napi_env, void* data, void*) {
    delete static_cast<std::shared_ptr<T>*>(data);
  };
  if (napi_add_finalizer(env, function, owner, drop, nullptr, nullptr) !=
      napi_ok) {
    delete owner;
    return;
  }
  napi_set_named_property(env, target, name, function);
}

// The object of the called function, without arguments.
template <typename T>
T* called_object(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return static_cast<T*>(data);
}

// The object of the called function and its one uint32 argument (0 when it is
// none).
template <typename T>
T* called_object(napi_env env, napi_callback_info info, uint32_t* argument) {
  size_t count = 1;
  napi_value value = nullptr;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, &value, nullptr, &data);
  *argument = 0;
  napi_get_value_uint32(env, value, argument);
  return static_cast<T*>(data);
}

// How a Status reaches TypeScript: as a number <= 0.
inline napi_value to_value(napi_env env, Status status) {
  napi_value value = nullptr;
  napi_create_int32(env, -static_cast<int32_t>(status), &value);
  return value;
}

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_FUNCTIONS_H_
