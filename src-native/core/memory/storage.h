// Where the blocks of one log come from. The rest of the core does not know
// which of the two kinds it has.
//
//  1. PooledStorage: the process's BlockPool; memory that C++ owns and that
//     JavaScript maps from outside.
//  2. SharedStorage: one range of addresses that a SharedArrayBuffer owns, for
//     runtimes that allow no external memory. It is committed from its start,
//     step by step, by the JavaScript of the writer. The memory goes when the
//     last environment that holds the SharedArrayBuffer goes; a block may be
//     touched only by an environment that holds it. Nothing here touches one.
//
// take(), refusal(), decommit() and commit() are the claimed writer's; so is
// decommit_all(), once there is no writer any more and never will be.
#ifndef ATOMIC_LOG_CORE_MEMORY_STORAGE_H_
#define ATOMIC_LOG_CORE_MEMORY_STORAGE_H_

#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "core/base/status.h"
#include "core/memory/block_layout.h"
#include "core/memory/block_pool.h"
#include "core/platform/memory.h"

namespace atomic_log::memory {

class SharedStorage;

class Storage {
 public:
  virtual ~Storage() = default;

  // A block for segment `id`; ids are asked for in ascending order, from 0.
  // Null when there is none; refusal() says why.
  virtual void* take(uint32_t id) = 0;
  virtual Status refusal() const = 0;

  // Lets the system have the pages of a block.
  virtual void decommit(void* block) = 0;

  // The log is being destroyed, by any thread.
  virtual void give_back(void* block) = 0;

  // Whether any thread may touch blocks at any time.
  virtual bool is_always_there() const { return true; }

  // Null for any other kind.
  virtual SharedStorage* as_shared() { return nullptr; }
};

class PooledStorage final : public Storage {
 public:
  explicit PooledStorage(uint64_t block_bytes) : block_bytes_(block_bytes) {}

  void* take(uint32_t) override {
    return BlockPool::instance().take(block_bytes_);
  }
  Status refusal() const override { return Status::kOutOfMemory; }
  void decommit(void* block) override {
    BlockPool::decommit(block, block_bytes_);
  }
  void give_back(void* block) override {
    BlockPool::instance().give_back(block, block_bytes_);
  }

 private:
  const uint64_t block_bytes_;
};

class SharedStorage final : public Storage {
 public:
  // Bytes from one block to the next: whole cache lines, or whole pages for a
  // block of at least one, so that it can be decommitted.
  static uint64_t stride_of(uint64_t block_bytes) {
    const uint64_t unit = block_bytes < platform::page_bytes()
                              ? uint64_t{kCacheLineBytes}
                              : uint64_t{platform::page_bytes()};
    return (block_bytes + unit - 1) / unit * unit;
  }

  // The range never becomes longer than bytes_max.
  SharedStorage(void* base, uint64_t block_bytes, uint64_t bytes_max)
      : base_(static_cast<char*>(base)),
        stride_(stride_of(block_bytes)),
        bytes_max_(bytes_max) {}

  const void* base() const { return base_; }

  // The first `bytes` of the range may be touched from now on.
  void commit(uint64_t bytes) {
    if (bytes > committed_ && bytes <= bytes_max_) committed_ = bytes;
    CORE_CHECK(committed_ <= bytes_max_);
  }

  void* take(uint32_t id) override;
  Status refusal() const override { return refusal_; }
  void decommit(void* block) override {
    const uint64_t page = platform::page_bytes();
    const auto address = reinterpret_cast<uintptr_t>(block);
    CORE_CHECK((address - reinterpret_cast<uintptr_t>(base_)) % stride_ == 0);
    if (address % page == 0 && stride_ % page == 0) {
      platform::decommit_pages(block, stride_);
    }
  }
  // The same for all blocks, however short they are.
  void decommit_all() {
    const uint64_t page = platform::page_bytes();
    if (reinterpret_cast<uintptr_t>(base_) % page != 0) return;
    platform::decommit_pages(base_, committed_ / page * page);
  }
  void give_back(void*) override {}
  bool is_always_there() const override { return false; }
  SharedStorage* as_shared() override { return this; }

 private:
  char* const base_;
  const uint64_t stride_;
  const uint64_t bytes_max_;
  // Writer only; they travel with the claim.
  uint64_t committed_ = 0;
  Status refusal_ = Status::kOk;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_STORAGE_H_
