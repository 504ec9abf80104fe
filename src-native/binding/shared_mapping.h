// Blocks of a log that processes share, as ArrayBuffers: as binding/mapping.h,
// for memory that is mapped from a file.
#ifndef ATOMIC_LOG_BINDING_SHARED_MAPPING_H_
#define ATOMIC_LOG_BINDING_SHARED_MAPPING_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/memory/reader_list.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::binding {

class SharedMapping;

// By the keys of lib/memory/storage.ts. Any thread.
class SharedMappingTable {
 public:
  // As MappingTable.
  bool leave_pin(uint32_t key,
                 const std::shared_ptr<shared_memory::SharedLog>& log,
                 uint32_t block, uint64_t sequence,
                 const std::shared_ptr<memory::HeldSegment>& held);
  void close();

 private:
  friend class SharedMapping;

  std::mutex mutex_;
  // Guarded by mutex_, as are the pins of the mappings in it.
  std::unordered_map<uint32_t, SharedMapping*> mappings_;
};

// It keeps the addresses from other logs for as long as the ArrayBuffer lives,
// not the log, unless it owns pins of it.
class SharedMapping {
 public:
  // Over the columns of `block`, without its published word. `table` is null
  // for writers.
  static napi_status create(napi_env env, shared_memory::SharedLog& log,
                            uint32_t block,
                            std::shared_ptr<SharedMappingTable> table,
                            uint32_t key, napi_value* buffer);

 private:
  friend class SharedMappingTable;

  SharedMapping(std::shared_ptr<platform::SharedMapping> memory,
                std::shared_ptr<SharedMappingTable> table, uint32_t key);
  ~SharedMapping();
  SharedMapping(const SharedMapping&) = delete;
  SharedMapping& operator=(const SharedMapping&) = delete;

  static void on_finalize(napi_env env, void* data, void* hint);

  const std::shared_ptr<platform::SharedMapping> memory_;
  const std::shared_ptr<SharedMappingTable> table_;
  const uint32_t key_;
  // Guarded by the table's mutex, and the destructor's alone once it has left
  // the table.
  struct Adopted {
    std::shared_ptr<shared_memory::SharedLog> log;
    uint32_t block;
    uint64_t sequence;
    std::shared_ptr<memory::HeldSegment> held;
    uint32_t pins = 0;
  };
  std::unique_ptr<Adopted> adopted_;
};

// Over a whole block, for the library's own use, while the segment is pinned or
// the head.
napi_status map_own_block(napi_env env, shared_memory::SharedLog& log,
                          uint32_t block, napi_value* buffer);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_SHARED_MAPPING_H_
