// One environment's access to one log, of either kind (binding/any_log.h): its
// pins, its waits and its readers' mappings.
//
// The TypeScript layer has one of these per log and environment, however many
// AtomicLog objects, snapshots and chunks there are, and does its own counting
// on top: a pin here is what all of them share.
#ifndef ATOMIC_LOG_BINDING_LOG_ATTACHMENT_H_
#define ATOMIC_LOG_BINDING_LOG_ATTACHMENT_H_

#include <node_api.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "binding/any_log.h"
#include "binding/environment.h"
#include "binding/functions.h"
#include "binding/mapping.h"
#include "binding/waker.h"
#include "core/base/list.h"
#include "core/memory/reader_list.h"

namespace atomic_log::binding {

class LogAttachment final {
 public:
  // `presence` is what tells that someone has the log: one whose every
  // attachment and writer has been closed is gone, even if ArrayBuffers over it
  // wait to be collected.
  LogAttachment(const Environment& environment, std::shared_ptr<AnyLog> log,
                std::shared_ptr<void> presence);
  ~LogAttachment();
  LogAttachment(const LogAttachment&) = delete;
  LogAttachment& operator=(const LogAttachment&) = delete;

  // Attaches the environment to a log; what JavaScript gets for it:
  // types/native.d.ts NativeLogDescription.
  static napi_value add(napi_env env, std::shared_ptr<AnyLog> log,
                        std::shared_ptr<void> presence);

  // The functions of types/native.d.ts NativeLogs. Each takes the attachment's
  // number first, and does nothing once that is closed.
  static napi_value define_functions(napi_env env, Environment* environment);

 private:
  // What this environment has of one segment; indexed by the segment's id.
  struct Entry {
    SegmentName segment = {};
    uint32_t pins = 0;
    // Its mappings may hold it as well, when they own pins of snapshots that
    // were dropped without close().
    std::shared_ptr<memory::HeldSegment> held;
  };

  // The attachment that the first argument of a call names, or null once it is
  // closed.
  template <size_t N>
  static LogAttachment* called(napi_env env, napi_callback_info info,
                               napi_value (&arguments)[N]) {
    auto* const environment = called_object<Environment>(env, info, arguments);
    return environment->logs().find(to_slot(env, arguments[0]));
  }
  // The same for functions whose second argument is a number or nothing.
  static LogAttachment* called(napi_env env, napi_callback_info info,
                               uint32_t* argument = nullptr) {
    napi_value arguments[2] = {};
    LogAttachment* const log = called(env, info, arguments);
    if (argument != nullptr) *argument = to_uint32(env, arguments[1]);
    return log;
  }

  static napi_value pin_window(napi_env env, napi_callback_info info);
  static napi_value unpin(napi_env env, napi_callback_info info);
  static napi_value leave_pin_to_mapping(napi_env env, napi_callback_info info);
  static napi_value map(napi_env env, napi_callback_info info);
  static napi_value map_block(napi_env env, napi_callback_info info);
  static napi_value forget(napi_env env, napi_callback_info info);
  static napi_value adopt(napi_env env, napi_callback_info info);
  static napi_value lay_over(napi_env env, napi_callback_info info);
  static napi_value catch_up(napi_env env, napi_callback_info info);
  static napi_value living_slots(napi_env env, napi_callback_info info);
  static napi_value bounds(napi_env env, napi_callback_info info);
  static napi_value stats(napi_env env, napi_callback_info info);
  static napi_value is_claimed(napi_env env, napi_callback_info info);
  static napi_value try_claim(napi_env env, napi_callback_info info);
  static napi_value has_ended(napi_env env, napi_callback_info info);
  static napi_value is_replaced(napi_env env, napi_callback_info info);
  static napi_value follow(napi_env env, napi_callback_info info);
  static napi_value unfollow(napi_env env, napi_callback_info info);
  static napi_value name_reader(napi_env env, napi_callback_info info);
  static napi_value native_handle(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);
  // binding/log_attachment_waits.cc
  static napi_value wait_for_index(napi_env env, napi_callback_info info);
  static napi_value wait_for_claim(napi_env env, napi_callback_info info);
  static napi_value wait_for_request(napi_env env, napi_callback_info info);
  static napi_value request(napi_env env, napi_callback_info info);
  static napi_value cancel_wait(napi_env env, napi_callback_info info);
  static napi_value wait_slice(napi_env env, napi_callback_info info);

  napi_value describe(napi_env env, uint32_t slot) const;
  Entry* pinned_entry(uint32_t id);
  bool make_entries(const List<SegmentRow>& rows);
  uint64_t pinned_segments() const;
  void drop_pin(Entry* entry);
  memory::Waiter* new_waiter(uint32_t id);
  void drop_waiter(uint32_t id);
  napi_value has_looked(napi_env env, uint32_t id, bool is_registered,
                        bool must_wait);

  const std::shared_ptr<Waker> waker_;
  // It goes last: with it the log's memory goes, if this was the last.
  const std::shared_ptr<void> presence_;
  // Mappings that own pins have it too.
  const std::shared_ptr<AnyLog> log_;
  // What this environment tells of itself in the log's statistics.
  const std::shared_ptr<memory::Reader> reader_;
  List<Entry> entries_;
  const std::shared_ptr<MappingTable> mappings_ =
      std::make_shared<MappingTable>();
  // Of pin_window(), so that it allocates nothing.
  List<SegmentRow> scratch_;
  // By the id that lib/base/waits.ts gave them.
  std::unordered_map<uint32_t, std::unique_ptr<AsyncWaiter>> waiters_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_LOG_ATTACHMENT_H_
