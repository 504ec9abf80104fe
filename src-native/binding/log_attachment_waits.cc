// The waits of an attachment: for entries, for the claim, and for what readers
// ask of a journal.
#include <chrono>
#include <memory>

#include "binding/functions.h"
#include "binding/log_attachment.h"

namespace atomic_log::binding {
namespace {

napi_value no_thread(napi_env env) {
  napi_throw_error(
      env, "ERR_THREAD_UNAVAILABLE",
      "the system starts no thread that could wait for other processes; raise "
      "its limit, then try again");
  return nullptr;
}

}  // namespace

memory::Waiter* LogAttachment::new_waiter(uint32_t id) {
  auto& waiter = waiters_[id];
  waiter = std::make_unique<AsyncWaiter>(waker_, id);
  return waiter.get();
}

void LogAttachment::drop_waiter(uint32_t id) {
  const auto waiter = waiters_.find(id);
  if (waiter == waiters_.end()) return;
  log_->remove_waiter(waiter->second.get());
  waiters_.erase(waiter);
}

// The end of each wait's registration, after the second look at the log.
napi_value LogAttachment::has_looked(napi_env env, uint32_t id,
                                     bool is_registered, bool must_wait) {
  if (!must_wait || !is_registered) drop_waiter(id);
  if (must_wait && !is_registered) return no_thread(env);
  return from_bool(env, must_wait);
}

// (log: number, id: number, index: number) => whether there is anything to wait
// for
napi_value LogAttachment::wait_for_index(napi_env env,
                                         napi_callback_info info) {
  napi_value arguments[3] = {};
  LogAttachment* const self = called(env, info, arguments);
  const uint32_t id = to_uint32(env, arguments[1]);
  const auto index = to_offset(env, arguments[2]);
  if (self == nullptr) return from_bool(env, false);
  const bool is_registered =
      self->log_->add_waiter(self->new_waiter(id), index);
  const bool must_wait =
      self->log_->look_for(index) == memory::Arrival::kPending;
  return self->has_looked(env, id, is_registered, must_wait);
}

// (log: number, id: number) => whether there is anything to wait for
napi_value LogAttachment::wait_for_claim(napi_env env,
                                         napi_callback_info info) {
  uint32_t id = 0;
  LogAttachment* const self = called(env, info, &id);
  if (self == nullptr) return from_bool(env, false);
  const bool is_registered = self->log_->add_claim_waiter(self->new_waiter(id));
  const bool must_wait = self->log_->is_claimed() && !self->log_->has_ended();
  return self->has_looked(env, id, is_registered, must_wait);
}

// (log: number, id: number) => void. The next request wakes it.
napi_value LogAttachment::wait_for_request(napi_env env,
                                           napi_callback_info info) {
  uint32_t id = 0;
  LogAttachment* const self = called(env, info, &id);
  if (self != nullptr) self->log_->add_request_waiter(self->new_waiter(id));
  return nullptr;
}

// (log: number) => void
napi_value LogAttachment::request(napi_env env, napi_callback_info info) {
  LogAttachment* const self = called(env, info);
  if (self != nullptr) self->log_->request();
  return nullptr;
}

// (log: number, id: number) => void; also after the waiter was woken
napi_value LogAttachment::cancel_wait(napi_env env, napi_callback_info info) {
  uint32_t id = 0;
  LogAttachment* const self = called(env, info, &id);
  if (self != nullptr) self->drop_waiter(id);
  return nullptr;
}

// (log: number, index: number, milliseconds: number, orUnclaimed: boolean) => an
// Arrival; kPending when the time is over or no one has the claim. Blocks this
// thread, and with it worker.terminate(): keep the slices short.
napi_value LogAttachment::wait_slice(napi_env env, napi_callback_info info) {
  napi_value arguments[4] = {};
  LogAttachment* const self = called(env, info, arguments);
  const auto index = to_offset(env, arguments[1]);
  const auto until = to_bool(env, arguments[3])
                         ? memory::WaitUntil::kEntryOrClaim
                         : memory::WaitUntil::kEntry;
  const std::chrono::milliseconds slice(to_uint32(env, arguments[2]));
  const memory::Arrival arrival =
      self == nullptr ? memory::Arrival::kEnded
                      : self->log_->wait_for(index, slice, until);
  return from_number(env, static_cast<uint64_t>(arrival));
}

}  // namespace atomic_log::binding
