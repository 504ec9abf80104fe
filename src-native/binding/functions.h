// Native functions that carry their object in the function's data pointer.
// A call through an ObjectWrap method costs 45-50 ns, napi_unwrap alone over
// 30; the data pointer comes with the call.
#ifndef ATOMIC_LOG_BINDING_FUNCTIONS_H_
#define ATOMIC_LOG_BINDING_FUNCTIONS_H_

#include <napi.h>

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/status.h"

namespace atomic_log::binding {

// Adds the method `name` to `target` and returns it, or null. The function
// keeps `object` alive until it is collected.
template <typename T>
napi_value add_function(napi_env env, napi_value target, const char* name,
                        napi_callback callback,
                        const std::shared_ptr<T>& object) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, object.get(),
                           &function) != napi_ok) {
    return nullptr;
  }
  auto* const owner = new std::shared_ptr<T>(object);
  const auto drop = [](napi_env, void* data, void*) {
    delete static_cast<std::shared_ptr<T>*>(data);
  };
  if (napi_add_finalizer(env, function, owner, drop, nullptr, nullptr) !=
      napi_ok) {
    delete owner;
    return nullptr;
  }
  napi_set_named_property(env, target, name, function);
  return function;
}

// The same for an object that outlives every call.
template <typename T>
napi_value add_function(napi_env env, napi_value target, const char* name,
                        napi_callback callback, T* object) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, object,
                           &function) != napi_ok) {
    return nullptr;
  }
  napi_set_named_property(env, target, name, function);
  return function;
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

// The object of the called function and up to N arguments; those that are
// missing are undefined.
template <typename T, size_t N>
T* called_object(napi_env env, napi_callback_info info,
                 napi_value (&arguments)[N]) {
  size_t count = N;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  return static_cast<T*>(data);
}

inline double to_double(napi_env env, napi_value value) {
  double result = 0;
  napi_get_value_double(env, value, &result);
  return result;
}

// TypeScript has checked that it is an integer from 0 to 2^53.
inline uint64_t to_offset(napi_env env, napi_value value) {
  const double number = to_double(env, value);
  return number > 0 ? static_cast<uint64_t>(number) : 0;
}

inline napi_value from_number(napi_env env, double number) {
  napi_value value = nullptr;
  napi_create_double(env, number, &value);
  return value;
}

// The memory of a typed array, shared or not; nothing for any other value and
// for a detached one.
template <typename T>
struct Elements {
  T* data = nullptr;
  size_t count = 0;
};

template <typename T>
Elements<T> to_elements(napi_env env, napi_value value,
                        napi_typedarray_type expected) {
  napi_typedarray_type type;
  void* data = nullptr;
  size_t count = 0;
  if (napi_get_typedarray_info(env, value, &type, &count, &data, nullptr,
                               nullptr) != napi_ok ||
      type != expected || data == nullptr) {
    return {};
  }
  return {static_cast<T*>(data), count};
}

inline Elements<uint8_t> to_bytes(napi_env env, napi_value value) {
  return to_elements<uint8_t>(env, value, napi_uint8_array);
}

// Sets a property. This fails only while the environment is being terminated,
// and then no JavaScript will look at the object. Napi::Object::Set would
// answer that failure with an exception, which aborts the process there.
inline void set(napi_env env, napi_value object, const char* name,
                napi_value value) {
  if (value != nullptr) napi_set_named_property(env, object, name, value);
}

inline void set(napi_env env, napi_value object, const char* name,
                const std::string& text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  set(env, object, name, value);
}

inline void set(napi_env env, napi_value object, const char* name,
                uint64_t number) {
  napi_value value = nullptr;
  napi_create_double(env, static_cast<double>(number), &value);
  set(env, object, name, value);
}

// The bytes of a typed array over a SharedArrayBuffer; {nullptr, 0} for any
// other value. napi_get_arraybuffer_info refuses shared ones on Node 20.
struct SharedBytes {
  void* data = nullptr;
  size_t length = 0;
};

inline SharedBytes shared_bytes(napi_env env, napi_value array) {
  SharedBytes bytes;
  napi_typedarray_type type = napi_uint8_array;
  if (napi_get_typedarray_info(env, array, &type, &bytes.length, &bytes.data,
                               nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    return {};
  }
  return bytes;
}

inline napi_value new_object(napi_env env) {
  napi_value object = nullptr;
  napi_create_object(env, &object);
  return object;
}

// How a Status reaches TypeScript: as a number <= 0.
inline napi_value to_value(napi_env env, Status status) {
  napi_value value = nullptr;
  napi_create_int32(env, -static_cast<int32_t>(status), &value);
  return value;
}

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_FUNCTIONS_H_
