#include "binding/wal_backup_handle.h"

#include <utility>

#include "binding/codes.h"
#include "binding/durable_values.h"
#include "binding/functions.h"

namespace atomic_log::binding {

using durable::Outcome;

WalBackupHandle::WalBackupHandle(std::shared_ptr<durable::WalLog> log,
                                 durable::WalBackupSource source,
                                 std::string target)
    : log_(std::move(log)),
      backup_(platform::native_file_system(), std::move(source),
              std::move(target)) {}

napi_value WalBackupHandle::to_object(napi_env env,
                                      std::shared_ptr<durable::WalLog> log,
                                      durable::WalBackupSource source,
                                      std::string target) {
  const std::shared_ptr<WalBackupHandle> handle(new WalBackupHandle(
      std::move(log), std::move(source), std::move(target)));
  const napi_value object = new_object(env);
  add_function(env, object, "step", step, handle);
  add_function(env, object, "failure", failure, handle);
  return object;
}

napi_value WalBackupHandle::step(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WalBackupHandle>(env, info);
  napi_value promise = nullptr;
  napi_value name = nullptr;
  napi_create_string_utf8(env, "atomic-log backup", NAPI_AUTO_LENGTH, &name);
  if (self->self_ != nullptr ||
      napi_create_promise(env, &self->deferred_, &promise) != napi_ok) {
    return nullptr;
  }
  const auto execute = [](napi_env, void* data) {
    auto* const handle = static_cast<WalBackupHandle*>(data);
    handle->outcome_ =
        handle->log_->step_backup(handle->backup_, &handle->failure_);
  };
  // Also called, as cancelled, when the environment ends first.
  const auto complete = [](napi_env env, napi_status status, void* data) {
    auto* const handle = static_cast<WalBackupHandle*>(data);
    const std::shared_ptr<WalBackupHandle> keep = std::move(handle->self_);
    const double result = handle->outcome_ != Outcome::kOk
                              ? outcome_number(handle->outcome_)
                              : static_cast<double>(handle->backup_.is_done()
                                                        ? BackupStep::kDone
                                                        : BackupStep::kMore);
    if (status == napi_ok) {
      napi_resolve_deferred(env, handle->deferred_, from_number(env, result));
    }
    napi_delete_async_work(env, handle->work_);
  };
  if (napi_create_async_work(env, nullptr, name, execute, complete, self,
                             &self->work_) != napi_ok) {
    return nullptr;
  }
  if (napi_queue_async_work(env, self->work_) != napi_ok) {
    napi_delete_async_work(env, self->work_);
    return nullptr;
  }
  self->self_ = self->shared_from_this();
  return promise;
}

napi_value WalBackupHandle::failure(napi_env env, napi_callback_info info) {
  return failure_object(env,
                        called_object<WalBackupHandle>(env, info)->failure_);
}

}  // namespace atomic_log::binding
