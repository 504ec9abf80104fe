// Stands in for the store of blocks: heap memory, which Relacy watches for
// leaks. A block has room for the published word as Relacy keeps it; entries
// are kept by the scenarios, because they are to be watched for races.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_MEMORY_BLOCK_POOL_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_MEMORY_BLOCK_POOL_H_

#include <cstddef>

#include "core/memory/published_word.h"

namespace atomic_log::memory {

class BlockPool {
 public:
  static BlockPool& instance() {
    static BlockPool pool;
    return pool;
  }
  void* take(size_t) { return ::operator new(sizeof(PublishedWord)); }
  void give_back(void* block, size_t) {
    static_cast<PublishedWord*>(block)->~PublishedWord();
    ::operator delete(block);
  }
  static void decommit(void* block, size_t) {
    if (watcher != nullptr) watcher->decommitted(block);
  }

  // Told of every block that loses its memory.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void decommitted(void* block) = 0;
  };
  static inline Watcher* watcher = nullptr;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_MEMORY_BLOCK_POOL_H_
