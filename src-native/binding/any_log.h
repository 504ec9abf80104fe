// A log of either kind, as the binding sees it: in the memory of one process
// (binding/memory_log.cc), or in a file that processes share
// (binding/shared_memory_log.cc). LogAttachment, WriterHandle and Mapping know no
// difference, and JavaScript has the same functions for both
// (types/native.d.ts NativeLogs, NativeWriters).
//
// An attachment has one of its own. Only its environment's thread uses it, but
// for unpin_late(), which ArrayBuffers may call on any. Each member is what
// core/memory/rolling_log.h and core/shared_memory/shared_log.h call so; what
// only one kind has does nothing in the other. publish() is not among them,
// because a writer calls it for every entry: publish_target().
#ifndef ATOMIC_LOG_BINDING_ANY_LOG_H_
#define ATOMIC_LOG_BINDING_ANY_LOG_H_

#include <node_api.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "binding/block_hold.h"
#include "binding/codes.h"
#include "binding/environment.h"
#include "core/base/list.h"
#include "core/base/status.h"
#include "core/memory/block_layout.h"
#include "core/memory/blocking_wait.h"
#include "core/memory/reader_list.h"
#include "core/memory/registry.h"
#include "core/memory/segment.h"
#include "core/memory/wait_list.h"
#include "core/memory/window.h"
#include "core/platform/io_status.h"

namespace atomic_log::binding {

// What names a segment that is pinned, or the head.
struct SegmentName {
  uint32_t id;  // of its block
  uint64_t sequence;
  // Null in a log that processes share.
  memory::SegmentControl* control;
};

struct SegmentRow {
  SegmentName name;
  uint64_t first_index;
  uint32_t count;  // entries that may be read
};

inline void put(const SegmentRow& row, Fields<SegmentField> out) {
  out.set(SegmentField::kId, row.name.id)
      .set(SegmentField::kSequence, row.name.sequence)
      .set(SegmentField::kFirstIndex, row.first_index)
      .set(SegmentField::kCount, row.count);
}

class AnyLog {
 public:
  virtual ~AnyLog() = default;
  AnyLog(const AnyLog&) = delete;
  AnyLog& operator=(const AnyLog&) = delete;

  // --- Immutable after construction.
  // Sets the members of NativeLogDescription but for `slot` and `columnOffsets`.
  virtual void describe(napi_env env, napi_value object) const = 0;
  virtual const memory::BlockLayout& layout() const = 0;
  virtual uint32_t segment_capacity() const = 0;
  // What native code attaches with; null where it cannot, or the runtime fails.
  virtual napi_value native_handle(napi_env env) const = 0;

  // --- Readers.
  // kOk; kDamaged or kOutOfMemory with nothing pinned.
  virtual Status pin_window(uint64_t floor, List<SegmentRow>* pinned) = 0;
  virtual void unpin(const SegmentName& segment) = 0;
  // The same for a pin that may outlive every attachment. Any thread.
  virtual void unpin_late(const SegmentName& segment) = 0;
  // What is pinned as a copy gets what was published since.
  virtual void catch_up() = 0;
  // False when the log is damaged.
  virtual bool bounds(memory::WindowBounds* bounds) = 0;
  virtual bool has_ended() const = 0;
  // Whether its file has lost its name. Asks the file system.
  virtual bool is_replaced() const = 0;

  struct Stats {
    uint64_t segments;
    uint64_t retained;
    uint64_t idle;
    uint64_t decommitted;
    uint64_t fresh;
    uint64_t recycled;
    uint64_t rolls;
    uint64_t early_seals;
  };
  virtual Stats stats() const = 0;
  struct LivingSlot {
    uint32_t slot;
    uint32_t process_number;  // 0: not known
    bool is_own;
    bool is_writer;
    uint64_t pinned;  // segments outside of the window
  };
  // The slots of processes that live.
  virtual std::vector<LivingSlot> living_slots() const = 0;
  virtual memory::ReaderList& readers() = 0;

  // --- Waiting.
  virtual memory::Arrival look_for(uint64_t index) = 0;
  virtual memory::Arrival wait_for(uint64_t index,
                                   std::chrono::nanoseconds time,
                                   memory::WaitUntil until) = 0;
  // Registers; the caller looks at the log again afterwards. False when the
  // system has no thread that could wait; then nothing is registered.
  virtual bool add_waiter(memory::Waiter* waiter, uint64_t index) = 0;
  virtual bool add_claim_waiter(memory::Waiter* waiter) = 0;
  virtual void add_request_waiter(memory::Waiter* waiter) = 0;
  virtual void request() = 0;
  // Whatever it waits for, woken or not.
  virtual void remove_waiter(memory::Waiter* waiter) = 0;

  // --- The claim.
  virtual bool is_claimed() = 0;
  // kOk with *is_claimed false: another has it, or the log has ended.
  virtual Status try_claim(bool* is_claimed) = 0;
  virtual void release_claim() = 0;

  // --- The claimed writer.
  virtual SegmentRow head() = 0;
  virtual Status roll(uint32_t count) = 0;
  virtual void end() = 0;
  // All of the shared storage that may be touched now.
  virtual void commit(const uint8_t* memory, size_t bytes) = 0;
  virtual PublishTarget publish_target() = 0;

  // --- Blocks of segments that are pinned, or the head.
  virtual void* block(const SegmentName& segment) const = 0;
  virtual BlockHold hold_block(const SegmentName& segment) const = 0;
  // From now on the blocks are shown by a SharedArrayBuffer, all of which is
  // `array` (binding/overlay.h).
  virtual platform::IoStatus lay_over(napi_env env, napi_value array) = 0;

 protected:
  AnyLog() = default;
};

// `log` without its presence, which attachments and writers have by themselves,
// because mappings that own pins keep this longer.
std::shared_ptr<AnyLog> make_memory_log(std::shared_ptr<memory::RollingLog> log,
                                        const memory::LogHandle& handle);
std::shared_ptr<AnyLog> make_shared_memory_log(
    std::shared_ptr<shared_memory::SharedLog> log);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_ANY_LOG_H_
