#include "binding/log_attachment.h"

#include <algorithm>
#include <utility>

#include "binding/codes.h"
#include "binding/functions.h"
#include "binding/writer_handle.h"
#include "core/memory/presence.h"

namespace atomic_log::binding {
namespace {

// [{ thread, name, pinned, followers: [index of the next entry] }]
napi_value describe_readers(napi_env env, memory::ReaderList& list) {
  napi_value readers = nullptr;
  napi_create_array(env, &readers);
  uint32_t count = 0;
  for (const auto& reader : list.all()) {
    const napi_value object = new_object(env);
    set(env, object, "thread", uint64_t{reader->thread_id()});
    set(env, object, "name", reader->name());
    set(env, object, "pinned", reader->pinned_segments());
    napi_value followers = nullptr;
    napi_create_array(env, &followers);
    uint32_t position = 0;
    for (const uint64_t next_index : reader->followers()) {
      napi_set_element(env, followers, position++,
                       from_number(env, next_index));
    }
    set(env, object, "followers", followers);
    napi_set_element(env, readers, count++, object);
  }
  return readers;
}

}  // namespace

LogAttachment::LogAttachment(const Environment& environment,
                             std::shared_ptr<AnyLog> log,
                             std::shared_ptr<void> presence)
    : waker_(environment.waker()),
      presence_(std::move(presence)),
      log_(std::move(log)),
      reader_(std::make_shared<memory::Reader>(environment.thread_id())) {
  log_->readers().add(reader_);
}

LogAttachment::~LogAttachment() {
  for (Entry& entry : entries_) {
    for (; entry.pins > 0; --entry.pins) log_->unpin(entry.segment);
  }
  for (const auto& [id, waiter] : waiters_) log_->remove_waiter(waiter.get());
  log_->readers().remove(reader_.get());
  mappings_->close();
}

LogAttachment::Entry* LogAttachment::pinned_entry(uint32_t id) {
  if (id >= entries_.size() || entries_[id].pins == 0) return nullptr;
  return &entries_[id];
}

// False when the system refuses memory for one.
bool LogAttachment::make_entries(const List<SegmentRow>& rows) {
  size_t count = entries_.size();
  for (const SegmentRow& row : rows) {
    count = std::max<size_t>(count, row.name.id + size_t{1});
  }
  return entries_.try_resize(count);
}

uint64_t LogAttachment::pinned_segments() const {
  uint64_t count = 0;
  for (const Entry& entry : entries_) count += entry.pins > 0 ? 1 : 0;
  return count;
}

void LogAttachment::drop_pin(Entry* entry) {
  if (--entry->pins == 0) entry->held->drop();
  log_->unpin(entry->segment);
}

napi_value LogAttachment::define_functions(napi_env env,
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
  define("adopt", adopt);
  define("layOver", lay_over);
  define("forget", forget);
  define("catchUp", catch_up);
  define("livingSlots", living_slots);
  define("bounds", bounds);
  define("stats", stats);
  define("isClaimed", is_claimed);
  define("tryClaim", try_claim);
  define("hasEnded", has_ended);
  define("isReplaced", is_replaced);
  define("waitForIndex", wait_for_index);
  define("waitForClaim", wait_for_claim);
  define("waitForRequest", wait_for_request);
  define("request", request);
  define("cancelWait", cancel_wait);
  define("waitSlice", wait_slice);
  define("follow", follow);
  define("unfollow", unfollow);
  define("nameReader", name_reader);
  define("nativeHandle", native_handle);
  define("close", close);
  return object;
}

napi_value LogAttachment::add(napi_env env, std::shared_ptr<AnyLog> log,
                              std::shared_ptr<void> presence) {
  const std::shared_ptr<Environment> environment = Environment::of(env);
  auto attachment = std::make_shared<LogAttachment>(
      *environment, std::move(log), std::move(presence));
  const LogAttachment& added = *attachment;
  const uint32_t slot = environment->logs().add(std::move(attachment));
  return added.describe(env, slot);
}

napi_value LogAttachment::describe(napi_env env, uint32_t slot) const {
  const napi_value object = new_object(env);
  napi_value offsets = nullptr;
  napi_create_array(env, &offsets);
  uint32_t column = 0;
  for (const uint64_t offset : log_->layout().column_offsets()) {
    napi_set_element(env, offsets, column++, from_number(env, offset));
  }
  set(env, object, "slot", uint64_t{slot});
  set(env, object, "columnOffsets", offsets);
  log_->describe(env, object);
  return object;
}

// (log: number, floor: number, out: Float64Array) => segments pinned, or a status < 0
napi_value LogAttachment::pin_window(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  LogAttachment* const self = called(env, info, arguments);
  const auto floor = to_double(env, arguments[1]);
  const auto out = to_elements<double>(env, arguments[2], napi_float64_array);

  if (self == nullptr) return from_number(env, 0);
  List<SegmentRow>& pinned = self->scratch_;
  pinned.clear();
  Status status = self->log_->pin_window(static_cast<uint64_t>(floor), &pinned);
  if (status != Status::kOk) return to_value(env, status);
  if (out.count < pinned.size() * kFieldCount<SegmentField>) {
    status = Status::kOutOfRange;
  } else if (!self->make_entries(pinned)) {
    status = Status::kOutOfMemory;
  }
  if (status != Status::kOk) {
    for (const SegmentRow& row : pinned) self->log_->unpin(row.name);
    return to_value(env, status);
  }
  size_t at = 0;
  for (const SegmentRow& row : pinned) {
    Entry& entry = self->entries_[row.name.id];
    entry.segment = row.name;
    if (entry.held == nullptr) {
      entry.held = std::make_shared<memory::HeldSegment>(self->reader_);
    }
    if (entry.pins++ == 0) entry.held->hold();
    put(row, row_of<SegmentField>(out.data, at++));
  }
  return from_number(env, pinned.size());
}

// (log: number, id: number) => void
napi_value LogAttachment::unpin(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  LogAttachment* const self = called(env, info, &id);
  if (self == nullptr) return nullptr;
  if (Entry* const entry = self->pinned_entry(id)) {
    self->drop_pin(entry);
  }
  return nullptr;
}

// (log: number, id: number, key: number) => void
napi_value LogAttachment::leave_pin_to_mapping(napi_env env,
                                               napi_callback_info info) {
  napi_value arguments[3] = {};
  LogAttachment* const self = called(env, info, arguments);
  const uint32_t id = to_uint32(env, arguments[1]);
  const uint32_t key = to_uint32(env, arguments[2]);
  if (self == nullptr) return nullptr;
  if (Entry* const entry = self->pinned_entry(id)) {
    if (self->mappings_->leave_pin(key, self->log_, entry->segment,
                                   entry->held)) {
      if (--entry->pins == 0) entry->held->drop();
    } else {
      self->drop_pin(entry);
    }
  }
  return nullptr;
}

// (log: number, id: number, key: number) => ArrayBuffer over the columns of a
// pinned segment, or null when this runtime maps no external memory
napi_value LogAttachment::map(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  LogAttachment* const self = called(env, info, arguments);
  const uint32_t id = to_uint32(env, arguments[1]);
  const uint32_t key = to_uint32(env, arguments[2]);
  napi_value buffer = nullptr;
  Entry* const entry = self == nullptr ? nullptr : self->pinned_entry(id);
  if (entry == nullptr ||
      Mapping::create(env, *self->log_, entry->segment, self->mappings_, key,
                      &buffer) != napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// (log: number, id: number) => ArrayBuffer over the whole block of a pinned
// segment, or null when this runtime maps no external memory
napi_value LogAttachment::map_block(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  LogAttachment* const self = called(env, info, &id);
  Entry* const entry = self == nullptr ? nullptr : self->pinned_entry(id);
  napi_value buffer = nullptr;
  if (entry == nullptr ||
      map_own_block(env, *self->log_, entry->segment, &buffer) != napi_ok) {
    return null_value(env);
  }
  return buffer;
}

// (log: number, id: number) => void. Drops what is kept of a segment, unless it is
// pinned here.
napi_value LogAttachment::forget(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  LogAttachment* const self = called(env, info, &id);
  if (self == nullptr || id >= self->entries_.size()) return nullptr;
  Entry& entry = self->entries_[id];
  if (entry.pins == 0) entry = {};
  return nullptr;
}

// (log: number, id: number, key: number, buffer: SharedArrayBuffer) => void
napi_value LogAttachment::adopt(napi_env env, napi_callback_info info) {
  napi_value arguments[4] = {};
  LogAttachment* const self = called(env, info, arguments);
  const uint32_t id = to_uint32(env, arguments[1]);
  const uint32_t key = to_uint32(env, arguments[2]);
  if (self == nullptr) return nullptr;
  // It fails only while the environment is being terminated.
  if (Entry* const entry = self->pinned_entry(id)) {
    Mapping::adopt(env, *self->log_, entry->segment, self->mappings_, key,
                   arguments[3]);
  }
  return nullptr;
}

// (log: number, memory: Uint8Array over all of a SharedArrayBuffer) => IoCode
napi_value LogAttachment::lay_over(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  LogAttachment* const self = called(env, info, arguments);
  const platform::IoStatus io =
      self == nullptr
          ? platform::IoStatus{platform::IoCode::kUnsupported, 0, "mmap"}
          : self->log_->lay_over(env, arguments[1]);
  return from_number(env, static_cast<uint8_t>(io.code));
}

// (log: number) => void. Pinned copies are brought up to date.
napi_value LogAttachment::catch_up(napi_env env, napi_callback_info info) {
  LogAttachment* const self = called(env, info);
  if (self != nullptr) self->log_->catch_up();
  return nullptr;
}

// (log: number) => NativeLivingSlot[]
napi_value LogAttachment::living_slots(napi_env env, napi_callback_info info) {
  LogAttachment* const self = called(env, info);
  napi_value slots = nullptr;
  napi_create_array(env, &slots);
  if (self == nullptr) return slots;
  uint32_t count = 0;
  for (const AnyLog::LivingSlot& living : self->log_->living_slots()) {
    napi_value slot = nullptr;
    if (napi_create_object(env, &slot) != napi_ok) return slots;
    set(env, slot, "slot", uint64_t{living.slot});
    set(env, slot, "process", uint64_t{living.process_number});
    set(env, slot, "isOwn", from_bool(env, living.is_own));
    set(env, slot, "isWriter", from_bool(env, living.is_writer));
    set(env, slot, "pinnedSegments", living.pinned);
    napi_set_element(env, slots, count++, slot);
  }
  return slots;
}

// (log: number, out: Float64Array of BoundsField) => void, or false when the log
// is damaged
napi_value LogAttachment::bounds(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  LogAttachment* const self = called(env, info, arguments);
  Fields<BoundsField> out(
      to_elements<double>(env, arguments[1], napi_float64_array));
  if (self == nullptr) return nullptr;
  memory::WindowBounds bounds = {};
  if (!self->log_->bounds(&bounds)) return from_bool(env, false);
  out.set(BoundsField::kFirstIndex, bounds.first_index)
      .set(BoundsField::kEndIndex, bounds.end_index);
  return nullptr;
}

// (log: number) => NativeStats, or undefined once it is closed
napi_value LogAttachment::stats(napi_env env, napi_callback_info info) {
  LogAttachment* const self = called(env, info);
  if (self == nullptr) return nullptr;
  const AnyLog::Stats stats = self->log_->stats();
  const napi_value object = new_object(env);
  set(env, object, "segments", stats.segments);
  set(env, object, "retained", stats.retained);
  set(env, object, "idle", stats.idle);
  set(env, object, "decommitted", stats.decommitted);
  set(env, object, "fresh", stats.fresh);
  set(env, object, "recycled", stats.recycled);
  set(env, object, "rolls", stats.rolls);
  set(env, object, "earlySeals", stats.early_seals);
  set(env, object, "pinnedHere", self->pinned_segments());
  set(env, object, "readers", describe_readers(env, self->log_->readers()));
  return object;
}

// (log: number) => boolean
napi_value LogAttachment::is_claimed(napi_env env, napi_callback_info info) {
  LogAttachment* const self = called(env, info);
  return from_bool(env, self != nullptr && self->log_->is_claimed());
}

// (log: number) => the writer's number, null when the claim is held, or a
// status < 0
napi_value LogAttachment::try_claim(napi_env env, napi_callback_info info) {
  LogAttachment* const self = called(env, info);
  if (self == nullptr) return null_value(env);
  bool is_claimed = false;
  const Status status = self->log_->try_claim(&is_claimed);
  if (status != Status::kOk) return to_value(env, status);
  if (!is_claimed) return null_value(env);
  const uint32_t slot = Environment::of(env)->writers().add(
      std::make_shared<WriterHandle>(self->log_, self->presence_));
  return from_number(env, slot);
}

// (log: number) => boolean
napi_value LogAttachment::is_replaced(napi_env env, napi_callback_info info) {
  LogAttachment* const self = called(env, info);
  return from_bool(env, self != nullptr && self->log_->is_replaced());
}

// (log: number) => boolean; true for one that is closed here
napi_value LogAttachment::has_ended(napi_env env, napi_callback_info info) {
  LogAttachment* const self = called(env, info);
  return from_bool(env, self == nullptr || self->log_->has_ended());
}

// (log: number, id: number, nextIndex: number) => void
napi_value LogAttachment::follow(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  LogAttachment* const self = called(env, info, arguments);
  if (self == nullptr) return nullptr;
  self->reader_->follow(to_uint32(env, arguments[1]),
                        to_offset(env, arguments[2]));
  return nullptr;
}

// (log: number, id: number) => void
napi_value LogAttachment::unfollow(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  LogAttachment* const self = called(env, info, &id);
  if (self != nullptr) self->reader_->unfollow(id);
  return nullptr;
}

// (log: number, name: string) => void
napi_value LogAttachment::name_reader(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  LogAttachment* const self = called(env, info, arguments);
  if (self != nullptr) self->reader_->set_name(to_text(env, arguments[1]));
  return nullptr;
}

// (log: number) => what native code attaches with, or null when the log has none
// or the runtime fails
napi_value LogAttachment::native_handle(napi_env env, napi_callback_info info) {
  LogAttachment* const self = called(env, info);
  const napi_value handle =
      self == nullptr ? nullptr : self->log_->native_handle(env);
  return handle == nullptr ? null_value(env) : handle;
}

// (log: number, memory?: Uint8Array) => void. Returns every pin and leaves
// the log. `memory` is the log's shared storage: the last one to leave returns
// its pages, and only an environment that holds it may do that.
napi_value LogAttachment::close(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  auto* const environment = called_object<Environment>(env, info, arguments);
  const memory::TouchScope scope(to_bytes(env, arguments[1]).data);
  environment->logs().remove(to_slot(env, arguments[0]));
  return nullptr;
}

}  // namespace atomic_log::binding
