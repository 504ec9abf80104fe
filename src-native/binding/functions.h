// How the binding speaks with JavaScript: every helper that it has for that.
//
// The binding is written in Node-API's own functions, `napi_value f(napi_env,
// napi_callback_info)` throughout, and this header shortens what they need.
// node-addon-api registers the module (addon.cc), where it costs nothing.
// Elsewhere it is not used, because
//
//  1. calls are hot: a method of an ObjectWrap costs 45-50 ns, napi_unwrap
//     alone over 30. Functions here carry their object in the data pointer,
//     which comes with the call; and a CallbackInfo is made for each call,
//  2. the runtime fails whatever it is asked while an environment is being
//     terminated. Without C++ exceptions node-addon-api meets each failure
//     with a new JavaScript error, which aborts the process there; the status
//     of a napi_ function can be passed over, for no one looks at the result,
//  3. most objects have to be found by the environment's cleanup hook too, or
//     are used by other threads: their lifetimes are not those of wrappers.
//
// Each function's first lines read its arguments; types/native.d.ts says what
// they are. A missing one is undefined, and what is not of the type that is
// asked for counts as 0, false, or nothing: TypeScript has checked what came
// from the user. Functions with more than four arguments take one object
// instead (binding/options.h), unless they are called for every entry.
#ifndef ATOMIC_LOG_BINDING_FUNCTIONS_H_
#define ATOMIC_LOG_BINDING_FUNCTIONS_H_

#include <node_api.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/platform/file.h"

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

// The arguments of a function without an object.
template <size_t N>
void read_arguments(napi_env env, napi_callback_info info,
                    napi_value (&arguments)[N]) {
  size_t count = N;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
}

// Adds a function without an object to `target`.
inline void define(napi_env env, napi_value target, const char* name,
                   napi_callback callback) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr,
                           &function) == napi_ok) {
    napi_set_named_property(env, target, name, function);
  }
}

// --- From JavaScript.

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

// Names no object in a SlotTable.
inline constexpr uint32_t kNoSlot = UINT32_MAX;

// What names an object in a SlotTable; what is not a number names none.
inline uint32_t to_slot(napi_env env, napi_value value) {
  uint32_t slot = kNoSlot;
  napi_get_value_uint32(env, value, &slot);
  return slot;
}

inline uint32_t to_uint32(napi_env env, napi_value value) {
  uint32_t result = 0;
  napi_get_value_uint32(env, value, &result);
  return result;
}

inline bool to_bool(napi_env env, napi_value value) {
  bool result = false;
  napi_get_value_bool(env, value, &result);
  return result;
}

// No more than `bytes_max` of it.
inline std::string to_text(napi_env env, napi_value value,
                           size_t bytes_max = SIZE_MAX - 1) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    return {};
  }
  length = std::min(length, bytes_max);
  // The terminating zero is written after the text, where std::string has one
  // anyway.
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

inline std::string to_path(napi_env env, napi_value value) {
  return to_text(env, value, platform::kPathBytesMax);
}

// The memory of a typed array, shared or not; nothing for any other value and
// for a detached one. Shared memory comes as a typed array too, because
// napi_get_arraybuffer_info refuses it on Node 20.
template <typename T>
struct Elements {
  T* data = nullptr;
  size_t count = 0;

  template <typename U>
  void copy_to(std::vector<U>* target) const {
    target->assign(data, data + count);
  }
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

// --- To JavaScript.

template <typename T>
napi_value from_number(napi_env env, T number) {
  napi_value value = nullptr;
  napi_create_double(env, static_cast<double>(number), &value);
  return value;
}

inline napi_value from_bool(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

inline napi_value null_value(napi_env env) {
  napi_value result = nullptr;
  napi_get_null(env, &result);
  return result;
}

// Sets a property. This fails only while the environment is being terminated,
// and then no JavaScript will look at the object.
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
  set(env, object, name, from_number(env, number));
}

inline napi_value new_object(napi_env env) {
  napi_value object = nullptr;
  napi_create_object(env, &object);
  return object;
}

// An ArrayBuffer, and where it is; or null where the runtime has no memory.
// napi_create_arraybuffer ends the process then, so that one whose size a user
// decides is made as JavaScript makes it.
inline napi_value new_arraybuffer(napi_env env, size_t bytes, void** memory) {
  constexpr size_t kSmallBytes = size_t{1} << 16;
  napi_value buffer = nullptr;
  if (bytes <= kSmallBytes) {
    napi_create_arraybuffer(env, bytes, memory, &buffer);
    return buffer;
  }
  napi_value global = nullptr;
  napi_value constructor = nullptr;
  napi_value count = nullptr;
  size_t length = 0;
  napi_create_double(env, static_cast<double>(bytes), &count);
  const bool is_made =
      napi_get_global(env, &global) == napi_ok &&
      napi_get_named_property(env, global, "ArrayBuffer", &constructor) ==
          napi_ok &&
      napi_new_instance(env, constructor, 1, &count, &buffer) == napi_ok &&
      napi_get_arraybuffer_info(env, buffer, memory, &length) == napi_ok &&
      length == bytes;
  if (is_made) return buffer;
  bool is_pending = false;
  napi_value thrown = nullptr;
  napi_is_exception_pending(env, &is_pending);
  if (is_pending) napi_get_and_clear_last_exception(env, &thrown);
  return nullptr;
}

// A Uint8Array with a copy of the bytes, or null.
inline napi_value to_uint8_array(napi_env env, const uint8_t* bytes,
                                 size_t count) {
  void* memory = nullptr;
  napi_value array = nullptr;
  const napi_value buffer = new_arraybuffer(env, count, &memory);
  if (buffer == nullptr) return nullptr;
  if (count > 0) std::memcpy(memory, bytes, count);
  napi_create_typedarray(env, napi_uint8_array, count, buffer, 0, &array);
  return array;
}

// A Float64Array of that many elements, and where they are; or null.
inline napi_value new_float64_array(napi_env env, size_t count,
                                    double** elements) {
  void* memory = nullptr;
  napi_value array = nullptr;
  const napi_value buffer =
      new_arraybuffer(env, count * sizeof(double), &memory);
  if (buffer == nullptr ||
      napi_create_typedarray(env, napi_float64_array, count, buffer, 0,
                             &array) != napi_ok) {
    return nullptr;
  }
  *elements = static_cast<double*>(memory);
  return array;
}

// How a Status reaches TypeScript: as a number <= 0.
inline napi_value to_value(napi_env env, Status status) {
  napi_value value = nullptr;
  napi_create_int32(env, -static_cast<int32_t>(status), &value);
  return value;
}

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_FUNCTIONS_H_
