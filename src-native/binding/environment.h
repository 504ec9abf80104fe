// What the addon keeps for one JavaScript environment (a main thread or a
// worker): which logs are attached there and which claims are held.
//
// Only the environment's own thread uses it. Its cleanup hook gives everything
// back when the environment ends, terminated or not. Finalizers may run before
// that hook (Node) or after it (Bun, Deno), so both only drop references, and
// doing so twice is harmless.
#ifndef ATOMIC_LOG_BINDING_ENVIRONMENT_H_
#define ATOMIC_LOG_BINDING_ENVIRONMENT_H_

#include <napi.h>

#include <cstdint>
#include <memory>
#include <unordered_set>

#include "binding/waker.h"

namespace atomic_log::binding {

// Something that holds parts of logs on behalf of an environment.
class Holder {
 public:
  virtual ~Holder() = default;
  // Gives everything back. May be called more than once.
  virtual void give_back() = 0;
};

class Environment {
 public:
  // Makes the environment's state and registers its cleanup hook.
  static void install(napi_env env);
  // The state, shared, because a holder's destructor can come later than the
  // environment's own end.
  static std::shared_ptr<Environment> of(napi_env env);

  void add(Holder* holder) { holders_.insert(holder); }
  void remove(Holder* holder) { holders_.erase(holder); }

  // Shared with the waiters, which native threads may still hold at the end.
  const std::shared_ptr<Waker>& waker() const { return waker_; }

  // The number that worker_threads gives this thread.
  void set_thread_id(uint32_t thread_id) { thread_id_ = thread_id; }
  uint32_t thread_id() const { return thread_id_; }

 private:
  static void on_cleanup(void* data);

  std::unordered_set<Holder*> holders_;
  uint32_t thread_id_ = 0;
  const std::shared_ptr<Waker> waker_ = std::make_shared<Waker>();
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_ENVIRONMENT_H_
