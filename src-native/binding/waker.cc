#include "binding/waker.h"

#include <utility>

namespace atomic_log::binding {

napi_status Waker::start(napi_env env, napi_value dispatch) {
  napi_value name = nullptr;
  napi_create_string_utf8(env, "atomic-log", NAPI_AUTO_LENGTH, &name);
  napi_threadsafe_function function = nullptr;
  const napi_status status = napi_create_threadsafe_function(
      env, dispatch, nullptr, name, 0, 1, nullptr, nullptr, this,
      &Waker::call_dispatch, &function);
  if (status != napi_ok) return status;
  napi_unref_threadsafe_function(env, function);
  const std::lock_guard<std::mutex> lock(mutex_);
  function_ = function;
  return napi_ok;
}

void Waker::fired(uint32_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (function_ == nullptr) return;
  fired_ids_.push_back(id);
  // One call takes all ids that are there when it runs.
  if (!is_scheduled_) {
    is_scheduled_ = napi_call_threadsafe_function(
                        function_, nullptr, napi_tsfn_nonblocking) == napi_ok;
  }
}

void Waker::set_referenced(napi_env env, bool is_referenced) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (function_ == nullptr) return;
  if (is_referenced) {
    napi_ref_threadsafe_function(env, function_);
  } else {
    napi_unref_threadsafe_function(env, function_);
  }
}

void Waker::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (function_ == nullptr) return;
  napi_release_threadsafe_function(function_, napi_tsfn_abort);
  function_ = nullptr;
}

void Waker::call_dispatch(napi_env env, napi_value dispatch, void* context,
                          void*) {
  // During teardown there is no environment to call into.
  if (env == nullptr || dispatch == nullptr) return;
  auto* const waker = static_cast<Waker*>(context);
  std::vector<uint32_t> ids;
  {
    const std::lock_guard<std::mutex> lock(waker->mutex_);
    ids.swap(waker->fired_ids_);
    waker->is_scheduled_ = false;
  }
  napi_value array = nullptr;
  if (napi_create_array_with_length(env, ids.size(), &array) != napi_ok) return;
  for (uint32_t i = 0; i < ids.size(); ++i) {
    napi_value id = nullptr;
    napi_create_uint32(env, ids[i], &id);
    napi_set_element(env, array, i, id);
  }
  napi_value receiver = nullptr;
  napi_get_undefined(env, &receiver);
  napi_call_function(env, receiver, dispatch, 1, &array, nullptr);
}

}  // namespace atomic_log::binding
