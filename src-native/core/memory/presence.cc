#include "core/memory/presence.h"

#include <utility>

#include "core/base/check.h"

namespace atomic_log::memory {
namespace {

thread_local const void* touchable = nullptr;

}  // namespace

TouchScope::TouchScope(const void* base)
    : outer_(std::exchange(touchable, base)) {}

TouchScope::~TouchScope() { touchable = outer_; }

std::shared_ptr<RollingLog> make_presence(std::shared_ptr<RollingLog> log) {
  RollingLog* const raw = log.get();
  CORE_CHECK(raw != nullptr);
  return {raw, [owner = std::move(log)](RollingLog* retired) mutable {
            SharedStorage* const shared = retired->storage().as_shared();
            // Without another owner the log dies now, and returns all.
            if (shared != nullptr || owner.use_count() > 1) {
              retired->retire(shared == nullptr || shared->base() == touchable);
            }
            owner.reset();
          }};
}

}  // namespace atomic_log::memory
