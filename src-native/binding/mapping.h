// Blocks as ArrayBuffers of one environment, without copying.
//
// A mapping is owned by its ArrayBuffer, which may give it up on any thread:
// Deno frees ArrayBuffers on V8's sweeper threads, Bun frees a transferred one
// on the thread that it went to. So
//
//  1. a mapping knows nothing of its environment but the table that it stands
//     in, and
//  2. whoever else wants something of a mapping asks the table for it.
#ifndef ATOMIC_LOG_BINDING_MAPPING_H_
#define ATOMIC_LOG_BINDING_MAPPING_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/memory/reader_list.h"
#include "core/memory/rolling_log.h"

namespace atomic_log::binding {

class Mapping;

// The readers' mappings of one log in one environment that are not collected
// yet, by the key that lib/storage.ts gave them. Any thread may use it.
class MappingTable {
 public:
  // Hands a pin of `segment` to a mapping, which gives it back when it is
  // collected. Returns false when it has been: the pin stays with the caller.
  bool leave_pin(uint32_t key,
                 const std::shared_ptr<memory::HeldSegment>& segment);

  void add(uint32_t key, Mapping* mapping);
  void remove(uint32_t key, const Mapping* mapping);

 private:
  std::mutex mutex_;
  // Guarded by mutex_, as are the pins of the mappings in it.
  std::unordered_map<uint32_t, Mapping*> mappings_;
};

// It keeps the log's memory with the log for as long as the ArrayBuffer lives,
// and it can take over pins: those of snapshots that were dropped without
// close(), which must last as long as any view does.
class Mapping {
 public:
  // Maps the columns of `segment` as *buffer; its published word is not in it,
  // because users get this ArrayBuffer. `table` is null for writers, whose
  // mappings own no pins.
  static napi_status create(napi_env env,
                            const std::shared_ptr<memory::RollingLog>& log,
                            memory::SegmentControl* segment,
                            std::shared_ptr<MappingTable> table, uint32_t key,
                            napi_value* buffer);

  // The same for a SharedArrayBuffer that holds the block already.
  static napi_status adopt(napi_env env,
                           const std::shared_ptr<memory::RollingLog>& log,
                           memory::SegmentControl* segment,
                           std::shared_ptr<MappingTable> table, uint32_t key,
                           napi_value buffer);

 private:
  friend class MappingTable;

  Mapping(std::shared_ptr<memory::RollingLog> log,
          memory::SegmentControl* segment, std::shared_ptr<MappingTable> table,
          uint32_t key);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  static void on_finalize(napi_env env, void* data, void* hint);

  const std::shared_ptr<memory::RollingLog> log_;
  memory::SegmentControl* const segment_;
  const std::shared_ptr<MappingTable> table_;
  const uint32_t key_;
  // Guarded by the table's mutex, and the destructor's alone once it has left
  // the table.
  uint32_t adopted_pins_ = 0;
  std::shared_ptr<memory::HeldSegment> held_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_MAPPING_H_
