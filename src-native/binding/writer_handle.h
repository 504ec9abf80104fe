// A held claim: the native half of a Writer.
//
// Entries are stored by JavaScript through the writer's own mapping of the head
// segment; only counts come here, through a cell of memory that JavaScript
// writes and publish() reads: passing a number as an argument would cost as
// much again as the call itself. The claim is given back by close(), when the
// environment ends, or when the functions are collected, whichever is first.
// What was stored but not published by then is dropped.
#ifndef ATOMIC_LOG_BINDING_WRITER_HANDLE_H_
#define ATOMIC_LOG_BINDING_WRITER_HANDLE_H_

#include <napi.h>

#include <memory>

#include "binding/environment.h"
#include "core/memory/rolling_log.h"

namespace atomic_log::binding {

class WriterHandle final : public Holder,
                           public std::enable_shared_from_this<WriterHandle> {
 public:
  // The caller has acquired the claim; the handle now owns it.
  static std::shared_ptr<WriterHandle> create(
      napi_env env, std::shared_ptr<memory::RollingLog> presence);
  ~WriterHandle() override;

  // The JavaScript object with the functions of types/native.d.ts NativeWriter.
  napi_value to_object(napi_env env);

  void give_back() override;

 private:
  WriterHandle(std::shared_ptr<Environment> environment,
               std::shared_ptr<memory::RollingLog> presence);

  static napi_value publish(napi_env env, napi_callback_info info);
  static napi_value roll(napi_env env, napi_callback_info info);
  static napi_value map(napi_env env, napi_callback_info info);
  static napi_value commit(napi_env env, napi_callback_info info);
  static napi_value head(napi_env env, napi_callback_info info);
  static napi_value end(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  const std::shared_ptr<Environment> environment_;
  // Null once the claim is given back. The log itself outlives this handle's
  // use of it through presence_.
  memory::RollingLog* log_;
  // The count to publish. The memory is V8's; the publish function keeps it
  // alive, so it is there whenever publish can be called.
  const uint32_t* staged_ = nullptr;
  std::shared_ptr<memory::RollingLog> presence_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_WRITER_HANDLE_H_
