#include "binding/mapping.h"

#include <new>
#include <utility>

#include "core/base/faults.h"
#include "core/memory/block_layout.h"

namespace atomic_log::binding {

bool MappingTable::leave_pin(uint32_t key, const std::shared_ptr<AnyLog>& log,
                             const SegmentName& segment,
                             const std::shared_ptr<memory::HeldSegment>& held) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = mappings_.find(key);
  if (found == mappings_.end()) return false;
  Mapping* const mapping = found->second;
  if (mapping->adopted_ == nullptr) {
    mapping->adopted_.reset(new Mapping::Adopted{log, segment, held});
    held->hold();
  }
  ++mapping->adopted_->pins;
  return true;
}

void MappingTable::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::unordered_map<uint32_t, Mapping*>().swap(mappings_);
}

void MappingTable::add(uint32_t key, Mapping* mapping) {
  const std::lock_guard<std::mutex> lock(mutex_);
  mappings_[key] = mapping;
}

void MappingTable::remove(uint32_t key, const Mapping* mapping) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = mappings_.find(key);
  // After 2^32 mappings the keys begin again.
  if (found != mappings_.end() && found->second == mapping) {
    mappings_.erase(found);
  }
}

Mapping::Mapping(BlockHold hold, std::shared_ptr<MappingTable> table,
                 uint32_t key)
    : hold_(std::move(hold)), table_(std::move(table)), key_(key) {
  if (table_ != nullptr) table_->add(key_, this);
}

Mapping::~Mapping() {
  if (table_ != nullptr) table_->remove(key_, this);
  if (adopted_ == nullptr) return;
  adopted_->held->drop();
  for (; adopted_->pins > 0; --adopted_->pins) {
    adopted_->log->unpin_late(adopted_->segment);
  }
}

// The runtime passes the memory and the mapping for an external buffer, the
// mapping alone for one that was adopted.
void Mapping::on_finalize(napi_env, void* data, void* hint) {
  delete static_cast<Mapping*>(hint != nullptr ? hint : data);
}

napi_status Mapping::create(napi_env env, const AnyLog& log,
                            const SegmentName& segment,
                            std::shared_ptr<MappingTable> table, uint32_t key,
                            napi_value* buffer) {
  if (memory_is_refused()) return napi_generic_failure;
  auto* const mapping = new (std::nothrow)
      Mapping(log.hold_block(segment), std::move(table), key);
  if (mapping == nullptr) return napi_generic_failure;
  const napi_status status = napi_create_external_arraybuffer(
      env,
      static_cast<char*>(log.block(segment)) +
          memory::BlockLayout::kHeaderBytes,
      log.layout().block_bytes() - memory::BlockLayout::kHeaderBytes,
      &Mapping::on_finalize, mapping, buffer);
  // These results come before the runtime has taken the finalizer over. After
  // any other it may have called it or may still do so, and a few bytes that
  // are never freed are better than ones freed twice.
  if (status == napi_no_external_buffers_allowed ||
      status == napi_pending_exception || status == napi_cannot_run_js) {
    delete mapping;
  }
  return status;
}

napi_status map_own_block(napi_env env, const AnyLog& log,
                          const SegmentName& segment, napi_value* buffer) {
  if (memory_is_refused()) return napi_generic_failure;
  return napi_create_external_arraybuffer(env, log.block(segment),
                                          log.layout().block_bytes(), nullptr,
                                          nullptr, buffer);
}

napi_status Mapping::adopt(napi_env env, const AnyLog& log,
                           const SegmentName& segment,
                           std::shared_ptr<MappingTable> table, uint32_t key,
                           napi_value buffer) {
  auto* const mapping =
      new Mapping(log.hold_block(segment), std::move(table), key);
  const napi_status status = napi_add_finalizer(
      env, buffer, mapping, &Mapping::on_finalize, nullptr, nullptr);
  if (status != napi_ok) delete mapping;
  return status;
}

}  // namespace atomic_log::binding
