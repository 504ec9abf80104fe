#include "binding/mapping.h"

namespace atomic_log::binding {

Mapping::~Mapping() {
  for (; adopted_pins_ > 0; --adopted_pins_) log_->unpin(segment_);
}

void Mapping::on_finalize(napi_env, void*, void* owner) {
  delete static_cast<std::shared_ptr<Mapping>*>(owner);
}

napi_status Mapping::create(napi_env env,
                            const std::shared_ptr<memory::RollingLog>& log,
                            memory::SegmentControl* segment, napi_value* buffer,
                            std::weak_ptr<Mapping>* mapping) {
  auto* const owner = new std::shared_ptr<Mapping>(new Mapping(log, segment));
  // Before the runtime gets the owner, which it may give up at any moment.
  const std::weak_ptr<Mapping> created = *owner;
  const napi_status status = napi_create_external_arraybuffer(
      env, segment->block(), log->layout().block_bytes(), &Mapping::on_finalize,
      owner, buffer);
  if (status != napi_ok) {
    // These answers come before the runtime has taken the finalizer over. After
    // any other it may have called it or may still do so, and a few bytes that
    // are never freed are better than ones freed twice.
    if (status == napi_no_external_buffers_allowed ||
        status == napi_pending_exception || status == napi_cannot_run_js) {
      delete owner;
    }
    return status;
  }
  *mapping = created;
  return napi_ok;
}

}  // namespace atomic_log::binding
