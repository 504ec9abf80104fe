// A copy of a log that is being made, for JavaScript.
//
// Each step runs on the runtime's thread pool and is short, because a process
// that exits, and a worker that is terminated, wait for what runs there. Between
// two steps nothing does: when the environment ends then, the copy is deleted
// with its last owner.
#ifndef ATOMIC_LOG_BINDING_WAL_BACKUP_HANDLE_H_
#define ATOMIC_LOG_BINDING_WAL_BACKUP_HANDLE_H_

#include <node_api.h>

#include <memory>
#include <optional>
#include <string>

#include "core/durable/wal/wal_backup.h"
#include "core/durable/wal/wal_log.h"

namespace atomic_log::binding {

class WalBackupHandle final
    : public std::enable_shared_from_this<WalBackupHandle> {
 public:
  // => NativeWalBackup. The first step comes after the committer has written
  // what is to be copied to `source`.
  static napi_value to_object(napi_env env,
                              std::shared_ptr<durable::WalLog> log,
                              std::shared_ptr<durable::WalBackupSource> source,
                              std::string target);

 private:
  struct Step;

  WalBackupHandle(std::shared_ptr<durable::WalLog> log,
                  std::shared_ptr<durable::WalBackupSource> source,
                  std::string target);
  // () => Promise of a BackupStep, or of an outcome < 0
  static napi_value step(napi_env env, napi_callback_info info);
  static napi_value failure(napi_env env, napi_callback_info info);

  const std::shared_ptr<durable::WalLog> log_;
  const std::shared_ptr<durable::WalBackupSource> source_;
  const std::string target_;
  // Of the thread that runs the step; the starting thread between two steps.
  // Made by the first one.
  std::optional<durable::WalBackup> backup_;
  durable::Outcome outcome_ = durable::Outcome::kOk;
  durable::Failure failure_;

  // The starting thread only.
  bool is_stepping_ = false;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_WAL_BACKUP_HANDLE_H_
