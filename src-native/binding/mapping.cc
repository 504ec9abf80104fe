#include "binding/mapping.h"

#include <new>
#include <utility>

#include "core/base/faults.h"

namespace atomic_log::binding {

Mapping::~Mapping() {
  for (; adopted_pins_ > 0; --adopted_pins_) log_->unpin(segment_);
}

// The runtime passes the block and the mapping for an external buffer, the
// mapping alone for one that was adopted.
void Mapping::on_finalize(napi_env, void* data, void* hint) {
  auto* const mapping = static_cast<Mapping*>(hint != nullptr ? hint : data);
  if (mapping->observer_ != nullptr) mapping->observer_->on_collected(mapping);
  delete mapping;
}

napi_status Mapping::create(napi_env env,
                            const std::shared_ptr<memory::RollingLog>& log,
                            memory::SegmentControl* segment, uint32_t key,
                            std::shared_ptr<Observer> observer,
                            napi_value* buffer, Mapping** mapping) {
  if (memory_is_refused()) return napi_generic_failure;
  auto* const result =
      new (std::nothrow) Mapping(log, segment, key, std::move(observer));
  if (result == nullptr) return napi_generic_failure;
  const napi_status status = napi_create_external_arraybuffer(
      env, segment->block(), log->layout().block_bytes(), &Mapping::on_finalize,
      result, buffer);
  if (status != napi_ok) {
    // These answers come before the runtime has taken the finalizer over. After
    // any other it may have called it or may still do so, and a few bytes that
    // are never freed are better than ones freed twice.
    if (status == napi_no_external_buffers_allowed ||
        status == napi_pending_exception || status == napi_cannot_run_js) {
      delete result;
    }
    return status;
  }
  *mapping = result;
  return napi_ok;
}

napi_status Mapping::adopt(napi_env env,
                           const std::shared_ptr<memory::RollingLog>& log,
                           memory::SegmentControl* segment, uint32_t key,
                           std::shared_ptr<Observer> observer,
                           napi_value buffer, Mapping** mapping) {
  auto* const result = new Mapping(log, segment, key, std::move(observer));
  const napi_status status = napi_add_finalizer(
      env, buffer, result, &Mapping::on_finalize, nullptr, nullptr);
  if (status != napi_ok) {
    delete result;
    return status;
  }
  *mapping = result;
  return napi_ok;
}

}  // namespace atomic_log::binding
