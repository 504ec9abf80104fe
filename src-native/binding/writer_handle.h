// A held claim: the native half of a Writer.
//
// Entries are stored by JavaScript through the writer's own mapping of the head
// segment; only counts come here, through a cell of memory that JavaScript
// writes and publish() reads: passing a number as an argument would cost as
// much again as the call itself. The claim is released by close() (which
// lib/memory/native-log.ts also calls for a Writer that was collected), or when the
// environment ends. What was stored but not published by then is dropped.
#ifndef ATOMIC_LOG_BINDING_WRITER_HANDLE_H_
#define ATOMIC_LOG_BINDING_WRITER_HANDLE_H_

#include <node_api.h>

#include <memory>
#include <utility>

#include "binding/any_log.h"
#include "binding/environment.h"

namespace atomic_log::binding {

class WriterHandle final {
 public:
  // The caller has acquired the claim; the handle now owns it.
  WriterHandle(std::shared_ptr<AnyLog> log, std::shared_ptr<void> presence)
      : presence_(std::move(presence)),
        log_(std::move(log)),
        target_(log_->publish_target()) {}
  ~WriterHandle() { log_->release_claim(); }
  WriterHandle(const WriterHandle&) = delete;
  WriterHandle& operator=(const WriterHandle&) = delete;

  // The functions of types/native.d.ts NativeWriters, and the cells that
  // publish() reads.
  static napi_value define_functions(napi_env env, Environment* environment);

 private:
  static napi_value publish(napi_env env, napi_callback_info info);
  // The slow part: another writer than the last time.
  static PublishTarget find_published(Environment* environment, uint32_t slot);
  static napi_value roll(napi_env env, napi_callback_info info);
  static napi_value map(napi_env env, napi_callback_info info);
  static napi_value map_block(napi_env env, napi_callback_info info);
  static napi_value commit(napi_env env, napi_callback_info info);
  static napi_value head(napi_env env, napi_callback_info info);
  static napi_value end(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  // As those of LogAttachment.
  const std::shared_ptr<void> presence_;
  const std::shared_ptr<AnyLog> log_;
  // At hand for threads that have several writers in turn.
  const PublishTarget target_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_WRITER_HANDLE_H_
