// The logs of this process, found by handle from any thread.
//
//  1. The registry keeps no log alive. attach() of a log that is gone says so.
//  2. A handle carries a random 128-bit token next to the id: knowing an id is
//     not enough to reach a log.
//  3. The one instance is never destroyed: threads may outlive static
//     destructors.
#ifndef ATOMIC_LOG_CORE_MEMORY_REGISTRY_H_
#define ATOMIC_LOG_CORE_MEMORY_REGISTRY_H_

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/base/status.h"
#include "core/memory/rolling_log.h"

namespace atomic_log::memory {

struct LogHandle {
  uint64_t id = 0;
  std::string token;  // 32 lower-case hexadecimal digits
};

class Registry {
 public:
  static Registry& instance();

  // Random per process and per loaded copy of this library, 32 hexadecimal
  // digits: tells handles of another registry from our own.
  const std::string& nonce() const { return nonce_; }

  LogHandle add(const std::shared_ptr<RollingLog>& log);

  // kGone when no such log lives (any more), kForeign when the token differs.
  Status find(const LogHandle& handle, std::shared_ptr<RollingLog>* log);

 private:
  struct Entry {
    std::weak_ptr<RollingLog> log;
    std::string token;
  };

  Registry();
  void drop_expired();

  // Immutable after construction.
  std::string nonce_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::unordered_map<uint64_t, Entry> entries_;
  uint64_t next_id_ = 1;
  size_t sweep_at_ = 64;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_REGISTRY_H_
