// How native threads wake an environment's event loop: one thread-safe function
// per environment, one call per round however many waiters fired in it.
//
// fired() may be called by any thread. All else belongs to the environment's
// own thread. The environment's cleanup hook closes the waker under its lock;
// fired() does nothing from then on, so no call races with the teardown.
#ifndef ATOMIC_LOG_BINDING_WAKER_H_
#define ATOMIC_LOG_BINDING_WAKER_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/memory/wait_list.h"

namespace atomic_log::binding {

class Waker {
 public:
  // `dispatch` is called with an array of waiter ids. Set once, by
  // lib/base/waits.ts.
  napi_status start(napi_env env, napi_value dispatch);

  // The waiter `id` has been woken. Any thread.
  void fired(uint32_t id);

  // Whether the event loop stays alive for the sake of waiters.
  void set_referenced(napi_env env, bool is_referenced);

  // No more calls. May be called more than once.
  void close();

 private:
  static void call_dispatch(napi_env env, napi_value dispatch, void* context,
                            void* data);

  std::mutex mutex_;
  // Guarded by mutex_.
  napi_threadsafe_function function_ = nullptr;
  std::vector<uint32_t> fired_ids_;
  bool is_scheduled_ = false;
};

// A waiter that ends in a call of the environment's dispatch function.
class AsyncWaiter final : public memory::Waiter {
 public:
  AsyncWaiter(std::shared_ptr<Waker> waker, uint32_t id)
      : waker_(std::move(waker)), id_(id) {}
  void wake() override { waker_->fired(id_); }

 private:
  const std::shared_ptr<Waker> waker_;
  const uint32_t id_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_WAKER_H_
