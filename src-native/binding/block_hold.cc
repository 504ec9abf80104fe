#include "binding/block_hold.h"

#include <utility>

#include "core/memory/block_pool.h"

namespace atomic_log::binding {

BlockHold::BlockHold(void* block, size_t bytes) : block_(block), bytes_(bytes) {
  memory::BlockPool::instance().hold(block_);
}
BlockHold::BlockHold(std::shared_ptr<const void> owner)
    : owner_(std::move(owner)) {}
BlockHold::BlockHold(BlockHold&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)),
      bytes_(other.bytes_),
      owner_(std::move(other.owner_)) {}
BlockHold::~BlockHold() {
  if (block_ != nullptr) {
    memory::BlockPool::instance().release_hold(block_, bytes_);
  }
}

}  // namespace atomic_log::binding
