#include "binding/shared_mapping.h"

#include <new>
#include <utility>

#include "core/base/faults.h"

namespace atomic_log::binding {

bool SharedMappingTable::leave_pin(
    uint32_t key, const std::shared_ptr<shared_memory::SharedLog>& log,
    uint32_t block, uint64_t sequence,
    const std::shared_ptr<memory::HeldSegment>& held) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = mappings_.find(key);
  if (found == mappings_.end()) return false;
  SharedMapping* const mapping = found->second;
  if (mapping->adopted_ == nullptr) {
    mapping->adopted_.reset(
        new SharedMapping::Adopted{log, block, sequence, held});
    held->hold();
  }
  ++mapping->adopted_->pins;
  return true;
}

void SharedMappingTable::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::unordered_map<uint32_t, SharedMapping*>().swap(mappings_);
}

SharedMapping::SharedMapping(std::shared_ptr<platform::SharedMapping> memory,
                             std::shared_ptr<SharedMappingTable> table,
                             uint32_t key)
    : memory_(std::move(memory)), table_(std::move(table)), key_(key) {
  if (table_ == nullptr) return;
  const std::lock_guard<std::mutex> lock(table_->mutex_);
  table_->mappings_[key_] = this;
}

SharedMapping::~SharedMapping() {
  if (table_ != nullptr) {
    const std::lock_guard<std::mutex> lock(table_->mutex_);
    const auto found = table_->mappings_.find(key_);
    // After 2^32 mappings the keys begin again.
    if (found != table_->mappings_.end() && found->second == this) {
      table_->mappings_.erase(found);
    }
  }
  if (adopted_ == nullptr) return;
  adopted_->held->drop();
  for (; adopted_->pins > 0; --adopted_->pins) {
    adopted_->log->unpin(adopted_->block, adopted_->sequence);
  }
}

void SharedMapping::on_finalize(napi_env, void*, void* hint) {
  delete static_cast<SharedMapping*>(hint);
}

napi_status SharedMapping::create(napi_env env, shared_memory::SharedLog& log,
                                  uint32_t block,
                                  std::shared_ptr<SharedMappingTable> table,
                                  uint32_t key, napi_value* buffer) {
  if (memory_is_refused()) return napi_generic_failure;
  auto* const mapping =
      new (std::nothrow) SharedMapping(log.mapping(), std::move(table), key);
  if (mapping == nullptr) return napi_generic_failure;
  constexpr size_t kHeader = memory::BlockLayout::kHeaderBytes;
  const napi_status status = napi_create_external_arraybuffer(
      env, log.block_data(block) + kHeader,
      log.format().layout.block_bytes() - kHeader, &on_finalize, mapping,
      buffer);
  // As in binding/mapping.cc: after any other result the runtime has taken the
  // finalizer over.
  if (status == napi_no_external_buffers_allowed ||
      status == napi_pending_exception || status == napi_cannot_run_js) {
    delete mapping;
  }
  return status;
}

napi_status map_own_block(napi_env env, shared_memory::SharedLog& log,
                          uint32_t block, napi_value* buffer) {
  if (memory_is_refused()) return napi_generic_failure;
  return napi_create_external_arraybuffer(env, log.block_data(block),
                                          log.format().layout.block_bytes(),
                                          nullptr, nullptr, buffer);
}

}  // namespace atomic_log::binding
