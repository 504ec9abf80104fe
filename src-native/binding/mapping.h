// Blocks as ArrayBuffers of one environment, without copying.
//
// A mapping is owned by its ArrayBuffer, which may give it up on any thread:
// Deno frees ArrayBuffers on V8's sweeper threads, Bun frees a transferred one
// on the thread that it went to. So
//
//  1. a mapping knows nothing of its environment but the table that it stands
//     in, and
//  2. all other code asks the table for what it wants of a mapping.
#ifndef ATOMIC_LOG_BINDING_MAPPING_H_
#define ATOMIC_LOG_BINDING_MAPPING_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "binding/any_log.h"
#include "binding/block_hold.h"
#include "core/memory/reader_list.h"

namespace atomic_log::binding {

class Mapping;

// The readers' mappings of one log in one environment that are not collected
// yet, by the key that lib/memory/storage.ts gave them. Any thread may use it.
class MappingTable {
 public:
  // Hands a pin of `segment` to a mapping, which returns it when it is
  // collected. Returns false when it has been: the pin stays with the caller.
  bool leave_pin(uint32_t key, const std::shared_ptr<AnyLog>& log,
                 const SegmentName& segment,
                 const std::shared_ptr<memory::HeldSegment>& held);

  // No one will hand over pins any more.
  void close();

  void add(uint32_t key, Mapping* mapping);
  void remove(uint32_t key, const Mapping* mapping);

 private:
  std::mutex mutex_;
  // Guarded by mutex_, as are the pins of the mappings in it.
  std::unordered_map<uint32_t, Mapping*> mappings_;
};

// It keeps the block from other logs for as long as the ArrayBuffer lives, not
// the log itself: one that all have closed is gone at once. It can take over
// pins, those of snapshots that were dropped without close(); these last as
// long as any view does, and keep the log's memory with them.
class Mapping {
 public:
  // Maps the columns of `segment` as *buffer; its published word is not in it,
  // because users get this ArrayBuffer. `table` is null for writers, whose
  // mappings own no pins.
  static napi_status create(napi_env env, const AnyLog& log,
                            const SegmentName& segment,
                            std::shared_ptr<MappingTable> table, uint32_t key,
                            napi_value* buffer);

  // The same for a SharedArrayBuffer that holds the block already.
  static napi_status adopt(napi_env env, const AnyLog& log,
                           const SegmentName& segment,
                           std::shared_ptr<MappingTable> table, uint32_t key,
                           napi_value buffer);

 private:
  friend class MappingTable;

  Mapping(BlockHold hold, std::shared_ptr<MappingTable> table, uint32_t key);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  static void on_finalize(napi_env env, void* data, void* hint);

  const BlockHold hold_;
  const std::shared_ptr<MappingTable> table_;
  const uint32_t key_;
  // Guarded by the table's mutex, and the destructor's alone once it has left
  // the table. By itself, because a mapping waits long for its finalizer, and
  // hardly any adopts pins.
  struct Adopted {
    std::shared_ptr<AnyLog> log;
    SegmentName segment;
    std::shared_ptr<memory::HeldSegment> held;
    uint32_t pins = 0;
  };
  std::unique_ptr<Adopted> adopted_;
};

// Maps a whole block, its published word included, for the library's own use:
// no user gets this ArrayBuffer. It has no finalizer: the addresses of blocks
// stay mapped, and it is used only while the segment is pinned or the head.
napi_status map_own_block(napi_env env, const AnyLog& log,
                          const SegmentName& segment, napi_value* buffer);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_MAPPING_H_
