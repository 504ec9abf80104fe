#include "binding/environment.h"

#include <vector>

#include "binding/log_attachment.h"
#include "binding/writer_handle.h"

namespace atomic_log::binding {
namespace {

using SharedEnvironment = std::shared_ptr<Environment>;

void delete_instance(napi_env, void* data, void*) {
  delete static_cast<SharedEnvironment*>(data);
}

}  // namespace

Environment* Environment::install(napi_env env) {
  auto environment = std::make_shared<Environment>();
  // The hook owns a reference of its own, because instance data may be gone
  // before the hook runs.
  napi_add_env_cleanup_hook(env, &Environment::on_cleanup,
                            new SharedEnvironment(environment));
  Environment* const raw = environment.get();
  napi_set_instance_data(env, new SharedEnvironment(std::move(environment)),
                         delete_instance, nullptr);
  return raw;
}

SharedEnvironment Environment::of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<SharedEnvironment*>(data);
}

void Environment::on_cleanup(void* data) {
  const std::unique_ptr<SharedEnvironment> environment(
      static_cast<SharedEnvironment*>(data));
  (*environment)->has_ended_ = true;
  // give_back() may end in a destructor that removes the holder from the set.
  const std::vector<Holder*> holders((*environment)->holders_.begin(),
                                     (*environment)->holders_.end());
  for (Holder* const holder : holders) {
    if ((*environment)->holders_.count(holder) != 0) holder->give_back();
  }
  (*environment)->publishing_.forget();
  // Claims first: they may be the last that hold their log.
  (*environment)->writers_.remove_all();
  (*environment)->logs_.remove_all();
  (*environment)->waker_->close();
}

}  // namespace atomic_log::binding
