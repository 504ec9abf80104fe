#include "core/memory/registry.h"

#include "core/base/check.h"
#include "core/platform/random.h"

namespace atomic_log::memory {
namespace {

std::string random_token() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string token;
  for (int word = 0; word < 4; ++word) {
    const uint32_t bits = platform::random_word();
    for (int shift = 28; shift >= 0; shift -= 4) {
      token.push_back(kDigits[(bits >> shift) & 0xF]);
    }
  }
  return token;
}

}  // namespace

Registry::Registry() : nonce_(random_token()) {}

Registry& Registry::instance() {
  static Registry* const registry = new Registry();
  return *registry;
}

LogHandle Registry::add(const std::shared_ptr<RollingLog>& log) {
  std::string token = random_token();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (entries_.size() >= sweep_at_) drop_expired();
  CORE_CHECK(log != nullptr && token.size() == 32);
  const uint64_t id = next_id_++;
  entries_.emplace(id, Entry{log, token});
  CORE_CHECK(entries_.size() <= sweep_at_);
  return {id, std::move(token)};
}

Status Registry::find(const LogHandle& handle,
                      std::shared_ptr<RollingLog>* log) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = entries_.find(handle.id);
  if (entry == entries_.end()) {
    return handle.id < next_id_ && handle.id > 0 ? Status::kGone
                                                 : Status::kForeign;
  }
  if (entry->second.token != handle.token) return Status::kForeign;
  *log = entry->second.log.lock();
  return *log == nullptr ? Status::kGone : Status::kOk;
}

// Keeps the table in proportion to the logs that live: it is swept whenever it
// has doubled since the last sweep.
void Registry::drop_expired() {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = entry->second.log.expired() ? entries_.erase(entry) : ++entry;
  }
  sweep_at_ = entries_.size() * 2 + 64;
}

}  // namespace atomic_log::memory
