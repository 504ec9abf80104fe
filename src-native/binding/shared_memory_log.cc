// The logs in files that processes share, as binding/any_log.h has them.
#include <memory>
#include <utility>
#include <vector>

#include "binding/any_log.h"
#include "binding/functions.h"
#include "binding/overlay.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::binding {
namespace {

using shared_memory::PinnedBlock;
using shared_memory::SharedLog;
using shared_memory::SharedOutcome;

// Of a log that is open.
Status to_status(SharedOutcome outcome) {
  switch (outcome) {
    case SharedOutcome::kOk:
      return Status::kOk;
    case SharedOutcome::kNoMemory:
      return Status::kOutOfMemory;
    case SharedOutcome::kTooManyPins:
      return Status::kPinned;
    default:
      return Status::kDamaged;
  }
}

class SharedMemoryLog final : public AnyLog {
 public:
  explicit SharedMemoryLog(std::shared_ptr<SharedLog> log)
      : log_(std::move(log)) {}

  // NativeSharedLogDescription
  void describe(napi_env env, napi_value object) const override {
    const shared_memory::SharedFormat& format = log_->format();
    const shared_memory::SharedLogOptions& options = format.options;
    set(env, object, "id", log_->id());
    set(env, object, "token", log_->token());
    set(env, object, "descriptor", options.descriptor);
    set(env, object, "retainedCapacity", options.retained_capacity);
    set(env, object, "segmentCapacity", uint64_t{options.segment_capacity});
    set(env, object, "retainedSegments", uint64_t{format.retained_segments});
    set(env, object, "blockBytes", format.layout.block_bytes());
    set(env, object, "strideBytes", format.layout.block_bytes());
    const SharedLog::ShownPages pages = log_->shown_pages();
    set(env, object, "isShared",
        from_bool(env, log_->is_read_only() && pages.bytes > 0));
    set(env, object, "shownBytes", pages.bytes);
    set(env, object, "blocksAt", pages.block_at);
    set(env, object, "isReadOnly", from_bool(env, log_->is_read_only()));
    set(env, object, "wakesAtOnce", from_bool(env, log_->wakes_at_once()));
    set(env, object, "isOfEarlierRun",
        from_bool(env, log_->is_of_earlier_run()));
    set(env, object, "readersMax", uint64_t{options.readers_max});
    set(env, object, "extraSegments", uint64_t{options.extra_segments});
  }

  const memory::BlockLayout& layout() const override {
    return log_->format().layout;
  }
  uint32_t segment_capacity() const override {
    return log_->segment_capacity();
  }
  // The C interface knows the logs of one process only.
  napi_value native_handle(napi_env) const override { return nullptr; }

  Status pin_window(uint64_t floor, List<SegmentRow>* pinned) override {
    if (!pinned->try_reserve(log_->format().retained_segments)) {
      return Status::kOutOfMemory;
    }
    scratch_.clear();
    const Status status = to_status(log_->pin_window(floor, &scratch_));
    if (status != Status::kOk) return status;
    for (const PinnedBlock& block : scratch_) {
      pinned->push_back({{block.block, block.sequence, nullptr},
                         block.first_index,
                         block.count});
    }
    return Status::kOk;
  }

  void unpin(const SegmentName& segment) override {
    log_->unpin(segment.id, segment.sequence);
  }
  void unpin_late(const SegmentName& segment) override { unpin(segment); }

  void catch_up() override { log_->catch_up(); }
  std::vector<LivingSlot> living_slots() const override {
    std::vector<LivingSlot> slots;
    for (const SharedLog::LivingSlot& found : log_->living_slots()) {
      slots.push_back({found.slot, found.process_number, found.is_own,
                       found.is_writer, found.pinned});
    }
    return slots;
  }

  bool bounds(memory::WindowBounds* bounds) override {
    return log_->bounds(bounds) == SharedOutcome::kOk;
  }

  bool has_ended() const override { return log_->has_ended(); }
  bool is_replaced() const override { return log_->is_replaced(); }

  // The file has all segments, with their memory, from the beginning.
  Stats stats() const override {
    const SharedLog::Stats stats = log_->stats();
    const uint64_t segments = log_->format().blocks;
    const uint64_t in_use = stats.retained + stats.pinned;
    const uint64_t begun = stats.rolls + 1;
    Stats result = {};
    result.segments = segments;
    result.retained = stats.retained;
    result.idle = segments > in_use ? segments - in_use : 0;
    result.fresh = stats.used_blocks;
    result.recycled = begun > stats.used_blocks ? begun - stats.used_blocks : 0;
    result.rolls = stats.rolls;
    result.early_seals = stats.early_seals;
    return result;
  }

  memory::ReaderList& readers() override { return log_->readers(); }

  memory::Arrival look_for(uint64_t index) override {
    return log_->look_for(index);
  }
  memory::Arrival wait_for(uint64_t index, std::chrono::nanoseconds time,
                           memory::WaitUntil until) override {
    return log_->wait_for(index, time, until);
  }

  bool add_waiter(memory::Waiter* waiter, uint64_t index) override {
    return log_->waits().add(waiter, index);
  }
  bool add_claim_waiter(memory::Waiter* waiter) override {
    return log_->waits().add_for_claim(waiter);
  }
  // Requests are made of the journal of a log, and this kind has none.
  void add_request_waiter(memory::Waiter*) override {}
  void request() override {}

  void remove_waiter(memory::Waiter* waiter) override {
    if (!log_->waits().remove(waiter)) log_->waits().remove_for_claim(waiter);
  }

  bool is_claimed() override { return log_->is_claimed(); }
  Status try_claim(bool* is_claimed) override {
    return to_status(log_->try_claim(is_claimed));
  }
  void release_claim() override { log_->release_claim(); }

  SegmentRow head() override {
    const SharedLog::Cursor& cursor = log_->cursor();
    return {{cursor.block, cursor.sequence, nullptr},
            cursor.first_index,
            cursor.published};
  }
  Status roll(uint32_t count) override { return log_->roll(count); }
  void end() override { log_->end(); }
  // All of the file may be touched from the beginning.
  void commit(const uint8_t*, size_t) override {}

  PublishTarget publish_target() override { return {nullptr, log_.get()}; }

  void* block(const SegmentName& segment) const override {
    return log_->shown(segment.id).data;
  }
  BlockHold hold_block(const SegmentName& segment) const override {
    if (overlay_ != nullptr) return {};
    return BlockHold(log_->shown(segment.id).owner);
  }
  platform::IoStatus lay_over(napi_env env, napi_value array) override {
    return Overlay::make(env, array, *log_, &overlay_);
  }

 private:
  const std::shared_ptr<SharedLog> log_;
  // Null where ArrayBuffers show the file's own memory, or the copies.
  Overlay::Owned overlay_;
  // Of pin_window(), which allocates nothing once it was large enough.
  List<PinnedBlock> scratch_;
};

}  // namespace

std::shared_ptr<AnyLog> make_shared_memory_log(std::shared_ptr<SharedLog> log) {
  return std::make_shared<SharedMemoryLog>(std::move(log));
}

}  // namespace atomic_log::binding
