// The logs in the memory of one process, as binding/any_log.h has them.
#include <memory>
#include <utility>
#include <vector>

#include "binding/any_log.h"
#include "binding/functions.h"
#include "binding/native_handle.h"
#include "core/memory/registry.h"
#include "core/memory/rolling_log.h"
#include "core/memory/storage.h"

namespace atomic_log::binding {
namespace {

SegmentRow row_of_segment(memory::SegmentControl* segment, uint32_t count) {
  return {{segment->id(), segment->sequence(), segment},
          segment->first_index(),
          count};
}

class MemoryLog final : public AnyLog {
 public:
  MemoryLog(std::shared_ptr<memory::RollingLog> log, memory::LogHandle handle)
      : log_(std::move(log)), handle_(std::move(handle)) {}

  void describe(napi_env env, napi_value object) const override {
    const uint64_t block_bytes = log_->layout().block_bytes();
    set(env, object, "id", handle_.id);
    set(env, object, "token", handle_.token);
    set(env, object, "descriptor", log_->descriptor());
    set(env, object, "retainedCapacity", log_->retained_capacity());
    set(env, object, "segmentCapacity", uint64_t{log_->segment_capacity()});
    set(env, object, "retainedSegments", uint64_t{log_->retained_segments()});
    set(env, object, "blockBytes", block_bytes);
    set(env, object, "strideBytes",
        memory::SharedStorage::stride_of(block_bytes));
    set(env, object, "isShared",
        from_bool(env, log_->storage().as_shared() != nullptr));
  }

  const memory::BlockLayout& layout() const override { return log_->layout(); }
  uint32_t segment_capacity() const override {
    return log_->segment_capacity();
  }
  napi_value native_handle(napi_env env) const override {
    return make_native_handle(env, handle_);
  }

  Status pin_window(uint64_t floor, List<SegmentRow>* pinned) override {
    if (!pinned->try_reserve(log_->retained_segments())) {
      return Status::kOutOfMemory;
    }
    scratch_.clear();
    const Status status = memory::pin_window(*log_, floor, &scratch_);
    if (status != Status::kOk) return status;
    for (const auto& [segment, count] : scratch_) {
      pinned->push_back(row_of_segment(segment, count));
    }
    return Status::kOk;
  }

  void unpin(const SegmentName& segment) override {
    log_->unpin(segment.control);
  }
  void unpin_late(const SegmentName& segment) override {
    log_->unpin_late(segment.control);
  }

  // It has no copies, and no other processes.
  void catch_up() override {}
  std::vector<LivingSlot> living_slots() const override { return {}; }

  bool bounds(memory::WindowBounds* bounds) override {
    *bounds = memory::window_bounds(*log_);
    return true;
  }

  bool has_ended() const override { return log_->has_ended(); }
  bool is_replaced() const override { return false; }

  Stats stats() const override {
    const memory::RollingLog::Stats stats = log_->stats();
    return {stats.pool.segments, stats.retained,
            stats.pool.idle,     stats.pool.decommitted,
            stats.pool.fresh,    stats.pool.recycled,
            stats.rolls,         stats.early_seals};
  }

  memory::ReaderList& readers() override { return log_->readers(); }

  memory::Arrival look_for(uint64_t index) override {
    return memory::look_for(*log_, index);
  }
  memory::Arrival wait_for(uint64_t index, std::chrono::nanoseconds time,
                           memory::WaitUntil until) override {
    return memory::wait_for(*log_, index, time, until);
  }

  bool add_waiter(memory::Waiter* waiter, uint64_t index) override {
    log_->entries().add(waiter, index);
    return true;
  }
  bool add_claim_waiter(memory::Waiter* waiter) override {
    log_->claims().add(waiter, 0);
    return true;
  }
  void add_request_waiter(memory::Waiter* waiter) override {
    log_->requests().add(waiter, 0);
  }
  void request() override { log_->requests().wake_all(); }

  void remove_waiter(memory::Waiter* waiter) override {
    if (log_->entries().remove(waiter) || log_->claims().remove(waiter)) return;
    log_->requests().remove(waiter);
  }

  bool is_claimed() override { return log_->is_claimed(); }
  Status try_claim(bool* is_claimed) override {
    *is_claimed = log_->try_claim();
    return Status::kOk;
  }
  void release_claim() override { log_->release_claim(); }

  SegmentRow head() override {
    return row_of_segment(&log_->head_segment(), log_->published_count());
  }
  Status roll(uint32_t count) override { return log_->roll(count); }
  void end() override { log_->end(); }

  void commit(const uint8_t* memory, size_t bytes) override {
    memory::SharedStorage* const storage = log_->storage().as_shared();
    if (storage != nullptr && memory == storage->base()) storage->commit(bytes);
  }

  PublishTarget publish_target() override { return {log_.get(), nullptr}; }

  void* block(const SegmentName& segment) const override {
    return segment.control->block();
  }

  BlockHold hold_block(const SegmentName& segment) const override {
    if (log_->storage().as_shared() != nullptr) return {};
    return {segment.control->block(), log_->layout().block_bytes()};
  }
  // One that JavaScript has made is the log's storage from the beginning.
  platform::IoStatus lay_over(napi_env, napi_value) override {
    return {platform::IoCode::kUnsupported, 0, "mmap"};
  }

 private:
  const std::shared_ptr<memory::RollingLog> log_;
  const memory::LogHandle handle_;
  // Of pin_window(), which allocates nothing once it was large enough.
  List<memory::PinnedSegment> scratch_;
};

}  // namespace

std::shared_ptr<AnyLog> make_memory_log(std::shared_ptr<memory::RollingLog> log,
                                        const memory::LogHandle& handle) {
  return std::make_shared<MemoryLog>(std::move(log), handle);
}

}  // namespace atomic_log::binding
