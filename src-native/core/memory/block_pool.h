// The process's store of blocks. Logs take blocks here and return them when
// they die. Any thread may call anything here.
//
//  1. A block's address, once taken, stays mapped until the process ends: a
//     view of it may have been carried past every owner we know of, by
//     ab.transfer() or postMessage.
//  2. So that address space cannot grow without bound, sizes are rounded up to
//     classes and a returned block serves the next log that needs its class;
//     none any more, when the system refuses room for its address.
//  3. A returned block holds no memory, as far as it covers whole pages.
//  4. A block that was returned while JavaScript may still have an ArrayBuffer
//     over it (hold) is not handed to another log before that has been
//     collected (release_hold). Until then a view of it shows zeros, or what was
//     stored through it.
//  5. The one instance is never destroyed: finalizers run late.
//  6. A block is returned once, and idle bytes are never more than mapped
//     ones.
#ifndef ATOMIC_LOG_CORE_MEMORY_BLOCK_POOL_H_
#define ATOMIC_LOG_CORE_MEMORY_BLOCK_POOL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>

#include "core/base/list.h"

namespace atomic_log::memory {

class BlockPool {
 public:
  static BlockPool& instance();

  // What a block of `bytes` really takes: the size of its class.
  static size_t class_bytes(size_t bytes);

  // A block of at least `bytes`, aligned to a cache line (to a page when it is
  // one or more pages long), contents unspecified. Null when the system
  // refuses.
  void* take(size_t bytes);

  // Returns what take(bytes) gave.
  void give_back(void* block, size_t bytes);

  // An ArrayBuffer over a block that has an owner, which users may get, begins
  // and has been collected. release_hold() may come after give_back().
  void hold(void* block);
  void release_hold(void* block, size_t bytes);

  // Lets the system have the pages of a block that stays in use by its owner.
  static void decommit(void* block, size_t bytes);

  // Bytes of address space ever mapped here, and bytes of blocks waiting for a
  // new owner; those that are held wait too.
  struct Usage {
    uint64_t mapped_bytes;
    uint64_t idle_bytes;
  };
  Usage usage();

 private:
  BlockPool() = default;
  void* map_block(size_t bytes);
  void make_idle(void* block, size_t class_bytes);

  struct Holds {
    uint32_t count = 0;
    bool is_given_back = false;
  };

  std::mutex mutex_;
  // All below are guarded by mutex_.
  std::map<size_t, List<void*>> idle_by_class_;
  std::unordered_map<void*, Holds> holds_;
  char* slab_next_ = nullptr;
  char* slab_end_ = nullptr;
  uint64_t mapped_bytes_ = 0;
  uint64_t idle_bytes_ = 0;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_BLOCK_POOL_H_
