// Work that waits for the disk, on the runtime's thread pool, and its promise.
//
//  1. run() is called once, on a thread of the pool; finish() once after it, on
//     the environment's thread, for what the promise resolves with.
//  2. When the environment ends first, the work is destroyed without finish():
//     what run() has made goes with its last owner. Node says so by cancelling;
//     Bun completes the work as done after the cleanup hooks have run, when
//     there is no instance data any more.
#ifndef ATOMIC_LOG_BINDING_POOL_WORK_H_
#define ATOMIC_LOG_BINDING_POOL_WORK_H_

#include <node_api.h>

#include <memory>
#include <utility>

#include "binding/environment.h"

namespace atomic_log::binding {

template <typename Work>
class PoolWork {
 public:
  // The promise; null, which JavaScript sees as undefined, when the runtime
  // refuses.
  static napi_value start(napi_env env, const char* name,
                          std::unique_ptr<Work> work) {
    auto job = std::make_unique<PoolWork>(env, std::move(work));
    napi_value promise = nullptr;
    napi_value resource = nullptr;
    napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &resource);
    if (napi_create_promise(env, &job->deferred_, &promise) != napi_ok ||
        napi_create_async_work(env, nullptr, resource, execute, complete,
                               job.get(), &job->async_) != napi_ok) {
      return nullptr;
    }
    if (napi_queue_async_work(env, job->async_) != napi_ok) {
      napi_delete_async_work(env, job->async_);
      return nullptr;
    }
    // complete() owns it now.
    job.release();
    return promise;
  }

  PoolWork(napi_env env, std::unique_ptr<Work> work)
      : work_(std::move(work)), environment_(Environment::of(env)) {}

 private:
  static void execute(napi_env, void* data) {
    static_cast<PoolWork*>(data)->work_->run();
  }

  // Also called, as cancelled, when the environment ends first.
  static void complete(napi_env env, napi_status status, void* data) {
    const std::unique_ptr<PoolWork> job(static_cast<PoolWork*>(data));
    if (status == napi_ok && !job->environment_->has_ended()) {
      napi_resolve_deferred(env, job->deferred_, job->work_->finish(env));
    }
    napi_delete_async_work(env, job->async_);
  }

  const std::unique_ptr<Work> work_;
  const std::shared_ptr<Environment> environment_;
  napi_deferred deferred_ = nullptr;
  napi_async_work async_ = nullptr;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_POOL_WORK_H_
