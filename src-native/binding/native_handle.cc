#include "binding/native_handle.h"

#include "binding/functions.h"
#include "core/abi/api.h"
#include "include/atomic_log/node_api.h"

namespace atomic_log::binding {

napi_value make_native_handle(napi_env env, const memory::LogHandle& handle) {
  const napi_value object = new_object(env);
  if (object == nullptr) return nullptr;
  auto* const carried = new atomic_log_handle(abi::make_handle(handle));
  const auto drop = [](napi_env, void* data, void*) {
    delete static_cast<atomic_log_handle*>(data);
  };
  if (napi_wrap(env, object, carried, drop, nullptr, nullptr) != napi_ok) {
    delete carried;
    return nullptr;
  }
  // The mark comes last: only an object that carries a handle has it.
  if (napi_type_tag_object(env, object, &atomic_log_handle_tag) != napi_ok ||
      napi_object_freeze(env, object) != napi_ok) {
    return nullptr;
  }
  return object;
}

}  // namespace atomic_log::binding
