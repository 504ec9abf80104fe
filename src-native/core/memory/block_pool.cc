#include "core/memory/block_pool.h"

#include <bit>

#include "core/base/check.h"
#include "core/base/faults.h"
#include "core/memory/block_layout.h"
#include "core/platform/memory.h"

namespace atomic_log::memory {
namespace {

// Blocks shorter than a page are cut from slabs of this size.
constexpr size_t kSlabBytes = size_t{256} << 10;
// Classes per doubling above a page: at most an eighth of a block is unused.
constexpr size_t kClassesPerDoubling = 8;

size_t round_up(size_t bytes, size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

}  // namespace

BlockPool& BlockPool::instance() {
  static BlockPool* const pool = new BlockPool();
  return *pool;
}

size_t BlockPool::class_bytes(size_t bytes) {
  const size_t page = platform::page_bytes();
  if (bytes < page)
    return std::bit_ceil(bytes < kCacheLineBytes * 2 ? kCacheLineBytes * 2
                                                     : bytes);
  const size_t step = std::bit_floor(bytes) / kClassesPerDoubling;
  return round_up(round_up(bytes, step < page ? page : step), page);
}

void* BlockPool::take(size_t bytes) {
  const size_t size = class_bytes(bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (memory_is_refused()) return nullptr;
  List<void*>& idle = idle_by_class_[size];
  if (!idle.empty()) {
    void* const block = idle.back();
    idle.pop_back();
    CORE_CHECK(idle_bytes_ >= size && holds_.find(block) == holds_.end());
    idle_bytes_ -= size;
    return block;
  }
  return map_block(size);
}

void* BlockPool::map_block(size_t bytes) {
  if (bytes >= platform::page_bytes()) {
    void* const block = platform::map_pages(bytes);
    if (block != nullptr) mapped_bytes_ += bytes;
    return block;
  }
  if (static_cast<size_t>(slab_end_ - slab_next_) < bytes) {
    char* const slab = static_cast<char*>(platform::map_pages(kSlabBytes));
    if (slab == nullptr) return nullptr;
    mapped_bytes_ += kSlabBytes;
    slab_next_ = slab;
    slab_end_ = slab + kSlabBytes;
  }
  CORE_CHECK(kSlabBytes % bytes == 0 && bytes % kCacheLineBytes == 0);
  char* const block = slab_next_;
  slab_next_ += bytes;
  return block;
}

void BlockPool::give_back(void* block, size_t bytes) {
  const size_t size = class_bytes(bytes);
  decommit(block, bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_bytes_ += size;
  CORE_CHECK(idle_bytes_ <= mapped_bytes_);
  const auto held = holds_.find(block);
  if (held != holds_.end()) {
    CORE_CHECK(held->second.count > 0 && !held->second.is_given_back);
    held->second.is_given_back = true;
  } else {
    make_idle(block, size);
  }
}

// A block that no one knows of any more costs address space; it has no place for
// a list of its own, because a view that was carried off can store to it.
void BlockPool::make_idle(void* block, size_t class_bytes) {
  (void)idle_by_class_[class_bytes].try_push_back(block);
}

void BlockPool::hold(void* block) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++holds_[block].count;
}

void BlockPool::release_hold(void* block, size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto held = holds_.find(block);
  if (held == holds_.end() || --held->second.count > 0) return;
  const bool is_given_back = held->second.is_given_back;
  holds_.erase(held);
  if (!is_given_back) return;
  // A view may have been stored to since.
  decommit(block, bytes);
  make_idle(block, class_bytes(bytes));
}

void BlockPool::decommit(void* block, size_t bytes) {
  const size_t size = class_bytes(bytes);
  if (size >= platform::page_bytes()) platform::decommit_pages(block, size);
}

BlockPool::Usage BlockPool::usage() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {mapped_bytes_, idle_bytes_};
}

}  // namespace atomic_log::memory
