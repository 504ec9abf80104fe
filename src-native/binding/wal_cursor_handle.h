// The native half of a WalCursor, and what is done with cursors by name.
//
// The cursor is released by close(), when the environment ends, or when the
// functions are collected, whichever is first. What runs on the thread pool then
// is waited for.
#ifndef ATOMIC_LOG_BINDING_WAL_CURSOR_HANDLE_H_
#define ATOMIC_LOG_BINDING_WAL_CURSOR_HANDLE_H_

#include <node_api.h>

#include <memory>

#include "binding/environment.h"
#include "core/durable/wal/wal_cursor.h"

namespace atomic_log::binding {

class WalCursorHandle final : public Holder {
 public:
  // (NativeWalCursorOptions) => NativeWalCursor | NativeFailure
  static napi_value open_sync(napi_env env, napi_callback_info info);
  // The same on the thread pool => Promise
  static napi_value open_async(napi_env env, napi_callback_info info);
  // (NativeWalCursorOptions) => boolean | NativeFailure
  static napi_value delete_sync(napi_env env, napi_callback_info info);
  // The same on the thread pool => Promise
  static napi_value delete_async(napi_env env, napi_callback_info info);
  // (path) => NativeWalCursorInfo[] | NativeFailure
  static napi_value list(napi_env env, napi_callback_info info);

  ~WalCursorHandle() override { give_back(); }
  void give_back() override;

 private:
  struct Opening;
  struct Deletion;
  struct Commit;
  struct Removal;

  WalCursorHandle(std::shared_ptr<Environment> environment,
                  std::shared_ptr<durable::WalCursor> cursor);
  static napi_value finish(napi_env env, Opening& opening);
  static std::unique_ptr<Commit> read_commit(napi_env env,
                                             napi_callback_info info);

  static napi_value commit(napi_env env, napi_callback_info info);
  static napi_value commit_later(napi_env env, napi_callback_info info);
  static napi_value remove(napi_env env, napi_callback_info info);
  static napi_value remove_later(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  const std::shared_ptr<Environment> environment_;
  const std::shared_ptr<durable::WalCursor> cursor_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_WAL_CURSOR_HANDLE_H_
