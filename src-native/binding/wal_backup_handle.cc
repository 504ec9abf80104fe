#include "binding/wal_backup_handle.h"

#include <utility>

#include "binding/codes.h"
#include "binding/durable_values.h"
#include "binding/functions.h"
#include "binding/pool_work.h"

namespace atomic_log::binding {

using durable::Outcome;

WalBackupHandle::WalBackupHandle(
    std::shared_ptr<durable::WalLog> log,
    std::shared_ptr<durable::WalBackupSource> source, std::string target)
    : log_(std::move(log)),
      source_(std::move(source)),
      target_(std::move(target)) {}

napi_value WalBackupHandle::to_object(
    napi_env env, std::shared_ptr<durable::WalLog> log,
    std::shared_ptr<durable::WalBackupSource> source, std::string target) {
  const std::shared_ptr<WalBackupHandle> handle(new WalBackupHandle(
      std::move(log), std::move(source), std::move(target)));
  const napi_value object = new_object(env);
  add_function(env, object, "step", step, handle);
  add_function(env, object, "failure", failure, handle);
  return object;
}

struct WalBackupHandle::Step {
  std::shared_ptr<WalBackupHandle> handle;

  ~Step() { handle->is_stepping_ = false; }
  void run() {
    auto& backup = handle->backup_;
    if (!backup.has_value()) {
      backup.emplace(platform::native_file_system(),
                     std::move(*handle->source_), handle->target_);
    }
    handle->outcome_ = handle->log_->step_backup(*backup, &handle->failure_);
  }
  napi_value finish(napi_env env) {
    if (handle->outcome_ != Outcome::kOk) {
      return from_number(env, outcome_number(handle->outcome_));
    }
    return from_number(env, static_cast<double>(handle->backup_->is_done()
                                                    ? BackupStep::kDone
                                                    : BackupStep::kMore));
  }
};

napi_value WalBackupHandle::step(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WalBackupHandle>(env, info);
  if (self->is_stepping_) return nullptr;
  self->is_stepping_ = true;
  return PoolWork<Step>::start(
      env, "atomic-log backup",
      std::unique_ptr<Step>(new Step{self->shared_from_this()}));
}

napi_value WalBackupHandle::failure(napi_env env, napi_callback_info info) {
  return failure_object(env,
                        called_object<WalBackupHandle>(env, info)->failure_);
}

}  // namespace atomic_log::binding
