// What one environment has of a log that processes share: bounds, pins, waits
// and the claim. On its JavaScript thread, but for what ends with an
// ArrayBuffer.
#include "binding/shared_log_attachment.h"

#include <chrono>
#include <utility>

#include "binding/codes.h"
#include "binding/functions.h"
#include "binding/log_attachment.h"
#include "binding/shared_mapping.h"

namespace atomic_log::binding {
namespace {

using shared_memory::PinnedBlock;
using shared_memory::SharedLog;
using shared_memory::SharedOutcome;

// The attachment that the first argument names, or null once it is closed.
template <size_t N>
SharedLogAttachment* called_log(napi_env env, napi_callback_info info,
                                napi_value (&arguments)[N]) {
  auto* const environment = called_object<Environment>(env, info, arguments);
  return environment->shared_logs().find(to_slot(env, arguments[0]));
}

// The same for functions whose second argument is a number or nothing.
SharedLogAttachment* called_log(napi_env env, napi_callback_info info,
                                uint32_t* argument = nullptr) {
  napi_value arguments[2] = {};
  SharedLogAttachment* const log = called_log(env, info, arguments);
  if (argument != nullptr) *argument = to_uint32(env, arguments[1]);
  return log;
}

napi_value no_thread(napi_env env) {
  napi_throw_error(
      env, "ERR_THREAD_UNAVAILABLE",
      "the system starts no thread that could wait for other processes; raise "
      "its limit, then try again");
  return nullptr;
}

}  // namespace

SharedLogAttachment::SharedLogAttachment(const Environment& environment,
                                         std::shared_ptr<SharedLog> log)
    : waker_(environment.waker()),
      log_(std::move(log)),
      reader_(std::make_shared<memory::Reader>(environment.thread_id())),
      entries_(log_->format().blocks),
      mappings_(std::make_shared<SharedMappingTable>()) {
  log_->readers().add(reader_);
}

SharedLogAttachment::~SharedLogAttachment() {
  for (uint32_t block = 0; block < entries_.size(); ++block) {
    Entry& entry = entries_[block];
    for (; entry.pins > 0; --entry.pins) log_->unpin(block, entry.sequence);
  }
  for (const auto& [id, waiter] : waiters_) {
    log_->waits().remove(waiter.get());
    log_->waits().remove_for_claim(waiter.get());
  }
  log_->readers().remove(reader_.get());
  mappings_->close();
}

SharedLogAttachment::Entry* SharedLogAttachment::pinned_entry(uint32_t block) {
  if (block >= entries_.size() || entries_[block].pins == 0) return nullptr;
  return &entries_[block];
}

void SharedLogAttachment::drop_pin(uint32_t block, Entry* entry) {
  if (--entry->pins == 0) entry->held->drop();
  log_->unpin(block, entry->sequence);
}

napi_value SharedLogAttachment::define_functions(napi_env env,
                                                 Environment* environment) {
  const napi_value object = new_object(env);
  const auto define = [env, object, environment](const char* name,
                                                 napi_callback callback) {
    add_function(env, object, name, callback, environment);
  };
  define("pinWindow", pin_window);
  define("unpin", unpin);
  define("leavePinToMapping", leave_pin_to_mapping);
  define("map", map);
  define("mapBlock", map_block);
  define("adopt", nothing);
  define("forget", nothing);
  define("bounds", bounds);
  define("stats", stats);
  define("isClaimed", is_claimed);
  define("tryClaim", try_claim);
  define("hasEnded", has_ended);
  define("waitForIndex", wait_for_index);
  define("waitForClaim", wait_for_claim);
  define("waitForRequest", nothing);
  define("request", nothing);
  define("cancelWait", cancel_wait);
  define("waitSlice", wait_slice);
  define("follow", follow);
  define("unfollow", unfollow);
  define("nameReader", name_reader);
  define("nativeHandle", native_handle);
  define("close", close);
  return object;
}

napi_value SharedLogAttachment::add(napi_env env,
                                    std::shared_ptr<SharedLog> log) {
  const std::shared_ptr<Environment> environment = Environment::of(env);
  auto attachment =
      std::make_shared<SharedLogAttachment>(*environment, std::move(log));
  const SharedLogAttachment& added = *attachment;
  const uint32_t slot = environment->shared_logs().add(std::move(attachment));
  return added.describe(env, slot);
}

napi_value SharedLogAttachment::describe(napi_env env, uint32_t slot) const {
  const shared_memory::SharedFormat& format = log_->format();
  const napi_value object = new_object(env);
  napi_value offsets = nullptr;
  napi_create_array(env, &offsets);
  uint32_t column = 0;
  for (const uint64_t offset : format.layout.column_offsets()) {
    napi_set_element(env, offsets, column++, from_number(env, offset));
  }
  set(env, object, "slot", uint64_t{slot});
  set(env, object, "columnOffsets", offsets);
  set(env, object, "id", log_->id());
  set(env, object, "token", log_->token());
  set(env, object, "descriptor", format.options.descriptor);
  set(env, object, "retainedCapacity", format.options.retained_capacity);
  set(env, object, "segmentCapacity",
      uint64_t{format.options.segment_capacity});
  set(env, object, "retainedSegments", uint64_t{format.retained_segments});
  set(env, object, "blockBytes", format.layout.block_bytes());
  set(env, object, "strideBytes", format.layout.block_bytes());
  set(env, object, "isShared", from_bool(env, false));
  set(env, object, "readersMax", uint64_t{format.options.readers_max});
  set(env, object, "extraSegments", uint64_t{format.options.extra_segments});
  return object;
}

// (log: number, floor: number, out: Float64Array) => segments pinned, or a status < 0
napi_value SharedLogAttachment::pin_window(napi_env env,
                                           napi_callback_info info) {
  napi_value arguments[3] = {};
  SharedLogAttachment* const self = called_log(env, info, arguments);
  const auto floor = to_double(env, arguments[1]);
  const auto out = to_elements<double>(env, arguments[2], napi_float64_array);
  if (self == nullptr) return from_number(env, 0);
  std::vector<PinnedBlock>& pinned = self->scratch_;
  pinned.clear();
  if (self->log_->pin_window(static_cast<uint64_t>(floor), &pinned) !=
      SharedOutcome::kOk) {
    return to_value(env, Status::kDamaged);
  }
  if (out.count < pinned.size() * kFieldCount<SegmentField>) {
    for (const PinnedBlock& segment : pinned) {
      self->log_->unpin(segment.block, segment.sequence);
    }
    return to_value(env, Status::kOutOfRange);
  }
  size_t row = 0;
  for (const PinnedBlock& segment : pinned) {
    Entry& entry = self->entries_[segment.block];
    if (entry.held == nullptr) {
      entry.held = std::make_shared<memory::HeldSegment>(self->reader_);
    }
    if (entry.pins++ == 0) entry.held->hold();
    entry.sequence = segment.sequence;
    row_of<SegmentField>(out.data, row++)
        .set(SegmentField::kId, segment.block)
        .set(SegmentField::kSequence, segment.sequence)
        .set(SegmentField::kFirstIndex, segment.first_index)
        .set(SegmentField::kCount, segment.count);
  }
  return from_number(env, pinned.size());
}

// (log: number, id: number) => void
napi_value SharedLogAttachment::unpin(napi_env env, napi_callback_info info) {
  uint32_t block = 0;
  SharedLogAttachment* const self = called_log(env, info, &block);
  if (self == nullptr) return nullptr;
  if (Entry* const entry = self->pinned_entry(block)) {
    self->drop_pin(block, entry);
  }
  return nullptr;
}

// (log: number, id: number, key: number) => void
napi_value SharedLogAttachment::leave_pin_to_mapping(napi_env env,
                                                     napi_callback_info info) {
  napi_value arguments[3] = {};
  SharedLogAttachment* const self = called_log(env, info, arguments);
  const uint32_t block = to_uint32(env, arguments[1]);
  const uint32_t key = to_uint32(env, arguments[2]);
  if (self == nullptr) return nullptr;
  if (Entry* const entry = self->pinned_entry(block)) {
    if (self->mappings_->leave_pin(key, self->log_, block, entry->sequence,
                                   entry->held)) {
      if (--entry->pins == 0) entry->held->drop();
    } else {
      self->drop_pin(block, entry);
    }
  }
  return nullptr;
}

// (log: number, id: number, key: number) => ArrayBuffer over the columns of a pinned
// segment, or null when this runtime maps no external memory
napi_value SharedLogAttachment::map(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  SharedLogAttachment* const self = called_log(env, info, arguments);
  const uint32_t block = to_uint32(env, arguments[1]);
  const uint32_t key = to_uint32(env, arguments[2]);
  napi_value buffer = nullptr;
  if (self == nullptr || self->pinned_entry(block) == nullptr ||
      SharedMapping::create(env, *self->log_, block, self->mappings_, key,
                            &buffer) != napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// (log: number, id: number) => ArrayBuffer over the whole block of a pinned segment, or null
napi_value SharedLogAttachment::map_block(napi_env env,
                                          napi_callback_info info) {
  uint32_t block = 0;
  SharedLogAttachment* const self = called_log(env, info, &block);
  napi_value buffer = nullptr;
  if (self == nullptr || self->pinned_entry(block) == nullptr ||
      map_own_block(env, *self->log_, block, &buffer) != napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// There is no SharedArrayBuffer to adopt, because every block is external memory;
// nothing to forget of a block that is not pinned; and no request, which is made
// of the journal of a log.
napi_value SharedLogAttachment::nothing(napi_env, napi_callback_info) {
  return nullptr;
}

// (log: number, out: Float64Array of BoundsField) => void, or false when the
// log is damaged
napi_value SharedLogAttachment::bounds(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  SharedLogAttachment* const self = called_log(env, info, arguments);
  Fields<BoundsField> out(
      to_elements<double>(env, arguments[1], napi_float64_array));
  if (self == nullptr) return nullptr;
  SharedLog::Bounds bounds = {};
  if (self->log_->bounds(&bounds) != SharedOutcome::kOk) {
    return from_bool(env, false);
  }
  out.set(BoundsField::kFirstIndex, bounds.first_index)
      .set(BoundsField::kEndIndex, bounds.end_index);
  return nullptr;
}

napi_value SharedLogAttachment::stats(napi_env env, napi_callback_info info) {
  SharedLogAttachment* const self = called_log(env, info);
  if (self == nullptr) return nullptr;
  const SharedLog::Stats stats = self->log_->stats();
  const uint64_t segments = self->log_->format().blocks;
  const uint64_t in_use = stats.retained + stats.pinned;
  uint64_t pinned_here = 0;
  for (const Entry& entry : self->entries_) pinned_here += entry.pins > 0;
  const napi_value object = new_object(env);
  // The file has all of them, with their memory, from the beginning.
  set(env, object, "segments", segments);
  set(env, object, "retained", stats.retained);
  set(env, object, "idle", segments > in_use ? segments - in_use : 0);
  set(env, object, "decommitted", uint64_t{0});
  set(env, object, "fresh", stats.used_blocks);
  set(env, object, "recycled",
      stats.rolls + 1 > stats.used_blocks ? stats.rolls + 1 - stats.used_blocks
                                          : 0);
  set(env, object, "rolls", stats.rolls);
  set(env, object, "earlySeals", stats.early_seals);
  set(env, object, "pinnedHere", pinned_here);
  set(env, object, "readers", describe_readers(env, self->log_->readers()));
  return object;
}

napi_value SharedLogAttachment::is_claimed(napi_env env,
                                           napi_callback_info info) {
  SharedLogAttachment* const self = called_log(env, info);
  return from_bool(env, self != nullptr && self->log_->is_claimed());
}

// () => the writer's number, null when the claim is held, or a status < 0
napi_value SharedLogAttachment::try_claim(napi_env env,
                                          napi_callback_info info) {
  SharedLogAttachment* const self = called_log(env, info);
  if (self == nullptr) return null_value(env);
  bool is_claimed = false;
  if (self->log_->try_claim(&is_claimed) != SharedOutcome::kOk) {
    return to_value(env, Status::kDamaged);
  }
  if (!is_claimed) return null_value(env);
  const uint32_t slot = Environment::of(env)->shared_writers().add(
      std::make_shared<SharedWriterHandle>(self->log_));
  return from_number(env, slot | kSharedWriterBit);
}

napi_value SharedLogAttachment::has_ended(napi_env env,
                                          napi_callback_info info) {
  SharedLogAttachment* const self = called_log(env, info);
  return from_bool(env, self == nullptr || self->log_->has_ended());
}

memory::Waiter* SharedLogAttachment::new_waiter(uint32_t id) {
  auto& waiter = waiters_[id];
  waiter = std::make_unique<AsyncWaiter>(waker_, id);
  return waiter.get();
}

void SharedLogAttachment::drop_waiter(uint32_t id) {
  const auto waiter = waiters_.find(id);
  if (waiter == waiters_.end()) return;
  if (!log_->waits().remove(waiter->second.get())) {
    log_->waits().remove_for_claim(waiter->second.get());
  }
  waiters_.erase(waiter);
}

// (log: number, id: number, index: number) => whether there is anything to wait for
napi_value SharedLogAttachment::wait_for_index(napi_env env,
                                               napi_callback_info info) {
  napi_value arguments[3] = {};
  SharedLogAttachment* const self = called_log(env, info, arguments);
  const uint32_t id = to_uint32(env, arguments[1]);
  const auto index = to_offset(env, arguments[2]);
  bool must_wait = false;
  if (self != nullptr) {
    const bool is_registered =
        self->log_->waits().add(self->new_waiter(id), index);
    must_wait = self->log_->look_for(index) == memory::Arrival::kPending;
    if (!must_wait || !is_registered) self->drop_waiter(id);
    if (must_wait && !is_registered) return no_thread(env);
  }
  return from_bool(env, must_wait);
}

// (log: number, id: number) => whether there is anything to wait for
napi_value SharedLogAttachment::wait_for_claim(napi_env env,
                                               napi_callback_info info) {
  uint32_t id = 0;
  SharedLogAttachment* const self = called_log(env, info, &id);
  bool must_wait = false;
  if (self != nullptr) {
    const bool is_registered =
        self->log_->waits().add_for_claim(self->new_waiter(id));
    must_wait = self->log_->is_claimed() && !self->log_->has_ended();
    if (!must_wait || !is_registered) self->drop_waiter(id);
    if (must_wait && !is_registered) return no_thread(env);
  }
  return from_bool(env, must_wait);
}

// (log: number, id: number) => void; also after the waiter was woken
napi_value SharedLogAttachment::cancel_wait(napi_env env,
                                            napi_callback_info info) {
  uint32_t id = 0;
  SharedLogAttachment* const self = called_log(env, info, &id);
  if (self != nullptr) self->drop_waiter(id);
  return nullptr;
}

// (log: number, index: number, milliseconds: number) => 0 timed out, 1 ready, 2 ended.
napi_value SharedLogAttachment::wait_slice(napi_env env,
                                           napi_callback_info info) {
  napi_value arguments[3] = {};
  SharedLogAttachment* const self = called_log(env, info, arguments);
  const auto index = to_offset(env, arguments[1]);
  const std::chrono::milliseconds slice(to_uint32(env, arguments[2]));
  const memory::Arrival arrival = self == nullptr
                                      ? memory::Arrival::kEnded
                                      : self->log_->wait_for(index, slice);
  return from_number(env, static_cast<uint64_t>(arrival));
}

// (log: number, id: number, nextIndex: number) => void
napi_value SharedLogAttachment::follow(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  SharedLogAttachment* const self = called_log(env, info, arguments);
  if (self == nullptr) return nullptr;
  self->reader_->follow(to_uint32(env, arguments[1]),
                        to_offset(env, arguments[2]));
  return nullptr;
}

// (log: number, id: number) => void
napi_value SharedLogAttachment::unfollow(napi_env env,
                                         napi_callback_info info) {
  uint32_t id = 0;
  SharedLogAttachment* const self = called_log(env, info, &id);
  if (self != nullptr) self->reader_->unfollow(id);
  return nullptr;
}

// (log: number, name: string) => void
napi_value SharedLogAttachment::name_reader(napi_env env,
                                            napi_callback_info info) {
  napi_value arguments[2] = {};
  SharedLogAttachment* const self = called_log(env, info, arguments);
  if (self != nullptr) self->reader_->set_name(to_text(env, arguments[1]));
  return nullptr;
}

// The C interface knows the logs of one process only.
napi_value SharedLogAttachment::native_handle(napi_env env,
                                              napi_callback_info) {
  return null_value(env);
}

// (log: number) => void. Returns every pin and leaves the log.
napi_value SharedLogAttachment::close(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const environment = called_object<Environment>(env, info, arguments);
  environment->shared_logs().remove(to_slot(env, arguments[0]));
  return nullptr;
}

}  // namespace atomic_log::binding
