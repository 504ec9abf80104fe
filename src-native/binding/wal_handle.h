// The native half of a Wal.
//
// The log is released by close(), when the environment ends, or when the
// functions are collected, whichever is first; the committer is joined then.
// Completions reach JavaScript as one call of the environment's waker for many
// of them, after which takeCompletions() fetches them all.
#ifndef ATOMIC_LOG_BINDING_WAL_HANDLE_H_
#define ATOMIC_LOG_BINDING_WAL_HANDLE_H_

#include <node_api.h>

#include <memory>

#include "binding/environment.h"
#include "core/durable/wal/wal_log.h"

namespace atomic_log::binding {

class WalHandle final : public Holder {
 public:
  // (NativeWalOptions) => NativeWal | NativeFailure
  static napi_value open_sync(napi_env env, napi_callback_info info);
  // The same on the thread pool => Promise
  static napi_value open_async(napi_env env, napi_callback_info info);

  ~WalHandle() override;
  void give_back() override;

 private:
  struct Opening;

  WalHandle(std::shared_ptr<Environment> environment,
            std::shared_ptr<durable::WalLog> log, uint32_t waiter_id);
  // Null when something was refused, and JavaScript has an error to expect.
  static std::unique_ptr<Opening> read_options(napi_env env,
                                               napi_callback_info info);
  static napi_value finish(napi_env env, Opening& opening);

  napi_value to_object(napi_env env);

  static napi_value submit(napi_env env, napi_callback_info info);
  static napi_value submit_request(napi_env env, napi_callback_info info,
                                   durable::WalRequest request);
  static napi_value submit_file_kept(napi_env env, napi_callback_info info);
  static napi_value submit_checkpoint(napi_env env, napi_callback_info info);
  static napi_value submit_truncation(napi_env env, napi_callback_info info);
  static napi_value submit_finish(napi_env env, napi_callback_info info);
  static napi_value close_deleted(napi_env env, napi_callback_info info);
  static napi_value take_completions(napi_env env, napi_callback_info info);
  static napi_value commit(napi_env env, napi_callback_info info);
  static napi_value append_now(napi_env env, napi_callback_info info);
  static napi_value write_staged(napi_env env, napi_callback_info info);
  static napi_value secure(napi_env env, napi_callback_info info);
  static napi_value sync(napi_env env, napi_callback_info info);
  static napi_value make_cursors(napi_env env, napi_callback_info info);
  static napi_value file_kept(napi_env env, napi_callback_info info);
  static napi_value checkpoint(napi_env env, napi_callback_info info);
  static napi_value truncate_after(napi_env env, napi_callback_info info);
  static napi_value submit_backup(napi_env env, napi_callback_info info);
  static napi_value counters(napi_env env, napi_callback_info info);
  static napi_value files(napi_env env, napi_callback_info info);
  static napi_value read(napi_env env, napi_callback_info info);
  static napi_value seek_point(napi_env env, napi_callback_info info);
  static napi_value check_past(napi_env env, napi_callback_info info);
  static napi_value files_after(napi_env env, napi_callback_info info);
  static napi_value failure(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  const std::shared_ptr<Environment> environment_;
  const std::shared_ptr<durable::WalLog> log_;
  durable::WalReader reader_;
  durable::Failure failure_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_WAL_HANDLE_H_
