// The one object that a function of many arguments takes (binding/functions.h).
//
//  1. What is missing or of another type is refused. The first refusal counts.
//  2. Read all members, then return when throw_if_refused(), before anything is
//     done.
//
// For the duration of one call, on the environment's thread.
#ifndef ATOMIC_LOG_BINDING_OPTIONS_H_
#define ATOMIC_LOG_BINDING_OPTIONS_H_

#include <node_api.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "binding/functions.h"

namespace atomic_log::binding {

class Options {
 public:
  Options(napi_env env, napi_callback_info info) : env_(env) {
    napi_value arguments[1] = {};
    read_arguments(env, info, arguments);
    object_ = arguments[0];
  }

  std::string text(const char* name) {
    const napi_value value = get(name);
    if (!is_type(value, napi_string)) refuse(name, "a string");
    return to_text(env_, value);
  }

  std::string path(const char* name) {
    const napi_value value = get(name);
    if (!is_type(value, napi_string)) refuse(name, "a string");
    return to_path(env_, value);
  }

  // An integer from 0 to 2^53.
  uint64_t integer(const char* name) {
    const napi_value value = get(name);
    const double number = to_double(env_, value);
    if (!is_type(value, napi_number) ||
        !(number >= 0 && number <= 0x1p53 && number == std::floor(number))) {
      refuse(name, "an integer from 0 to 2 ** 53");
      return 0;
    }
    return static_cast<uint64_t>(number);
  }

  uint32_t uint32(const char* name) {
    const uint64_t number = integer(name);
    if (number > UINT32_MAX) refuse(name, "an integer below 2 ** 32");
    return static_cast<uint32_t>(number);
  }

  // Any number from 0 on; Infinity, and what is beyond any memory, is
  // UINT64_MAX.
  uint64_t limit(const char* name) {
    const napi_value value = get(name);
    const double number = to_double(env_, value);
    if (!is_type(value, napi_number) || !(number >= 0)) {
      refuse(name, "a number from 0 on");
      return 0;
    }
    return number < 0x1p63 ? static_cast<uint64_t>(number) : UINT64_MAX;
  }

  bool flag(const char* name) {
    const napi_value value = get(name);
    if (!is_type(value, napi_boolean)) refuse(name, "a boolean");
    return to_bool(env_, value);
  }

  Elements<uint8_t> bytes(const char* name) {
    return elements<uint8_t>(name, napi_uint8_array, "a Uint8Array");
  }

  Elements<uint32_t> numbers(const char* name) {
    return elements<uint32_t>(name, napi_uint32_array, "a Uint32Array");
  }

  std::vector<std::string> texts(const char* name) {
    const napi_value array = get(name);
    uint32_t count = 0;
    if (napi_get_array_length(env_, array, &count) != napi_ok) {
      refuse(name, "an array of strings");
    }
    std::vector<std::string> result;
    for (uint32_t i = 0; i < count; ++i) {
      napi_value text = nullptr;
      napi_get_element(env_, array, i, &text);
      if (!is_type(text, napi_string)) refuse(name, "an array of strings");
      result.push_back(to_text(env_, text));
    }
    return result;
  }

  // Whether there is something else than null, to be read as what it is.
  bool has(const char* name) { return !is_type(get(name), napi_null); }

  template <typename T>
  Elements<T> elements(const char* name, napi_typedarray_type expected,
                       const char* description) {
    const napi_value value = get(name);
    napi_typedarray_type type;
    if (napi_get_typedarray_info(env_, value, &type, nullptr, nullptr, nullptr,
                                 nullptr) != napi_ok ||
        type != expected) {
      refuse(name, description);
    }
    return to_elements<T>(env_, value, expected);
  }

  void refuse(const char* name, const char* expected) {
    if (refusal_.empty()) {
      refusal_ = std::string("options.") + name + " must be " + expected;
    }
  }

  // Whether JavaScript has a TypeError to expect.
  bool throw_if_refused() const {
    if (refusal_.empty()) return false;
    napi_throw_type_error(env_, "ERR_INVALID_ARG_TYPE", refusal_.c_str());
    return true;
  }

 private:
  napi_value get(const char* name) const {
    napi_value value = nullptr;
    if (napi_get_named_property(env_, object_, name, &value) != napi_ok) {
      napi_get_undefined(env_, &value);
    }
    return value;
  }

  bool is_type(napi_value value, napi_valuetype expected) const {
    napi_valuetype type = napi_undefined;
    return napi_typeof(env_, value, &type) == napi_ok && type == expected;
  }

  const napi_env env_;
  napi_value object_ = nullptr;
  std::string refusal_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_OPTIONS_H_
