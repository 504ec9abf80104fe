#include "binding/wal_cursor_handle.h"

#include <utility>

#include "binding/durable_values.h"
#include "binding/functions.h"
#include "binding/options.h"
#include "binding/pool_work.h"

namespace atomic_log::binding {

using durable::Failure;
using durable::Outcome;
using durable::WalCursor;
using durable::WalCursorInfo;
using durable::WalCursorOptions;
using durable::WalCursorState;

namespace {

WalCursorOptions read_options(Options& given) {
  WalCursorOptions options;
  options.directory = given.path("path");
  options.name = given.text("name");
  options.resets = given.flag("resets");
  options.process_id = given.integer("processId");
  return options;
}

void set_state(napi_env env, napi_value object, const WalCursorState& state) {
  set(env, object, "logId",
      to_uint8_array(env, state.log_id.data(), state.log_id.size()));
  set(env, object, "lsn", state.lsn);
  set(env, object, "epoch", uint64_t{state.epoch});
  set(env, object, "branch", uint64_t{state.branch});
}

}  // namespace

// Each of these runs once, on the caller's thread or on the pool's.
struct WalCursorHandle::Opening {
  WalCursorOptions options;
  Outcome outcome = Outcome::kOk;
  std::unique_ptr<WalCursor> cursor;
  Failure failure;

  void run() {
    outcome = WalCursor::open(platform::native_file_system(), options, &cursor,
                              &failure);
  }
  napi_value finish(napi_env env) {
    return WalCursorHandle::finish(env, *this);
  }
};

struct WalCursorHandle::Deletion {
  WalCursorOptions options;
  Outcome outcome = Outcome::kOk;
  bool was_there = false;
  Failure failure;

  void run() {
    outcome = WalCursor::remove(platform::native_file_system(), options,
                                &was_there, &failure);
  }
  napi_value finish(napi_env env) const {
    return outcome == Outcome::kOk ? from_bool(env, was_there)
                                   : failure_object(env, failure);
  }
};

struct WalCursorHandle::Commit {
  std::shared_ptr<WalCursor> cursor;
  durable::WalPast past;
  uint64_t durable_lsn = 0;
  uint64_t order = 0;
  Outcome outcome = Outcome::kOk;
  Failure failure;

  void run() { outcome = cursor->commit(past, durable_lsn, order, &failure); }
  napi_value finish(napi_env env) const {
    napi_value nothing = nullptr;
    napi_get_undefined(env, &nothing);
    return outcome == Outcome::kOk ? nothing : failure_object(env, failure);
  }
};

struct WalCursorHandle::Removal {
  std::shared_ptr<WalCursor> cursor;
  Outcome outcome = Outcome::kOk;
  bool was_there = false;
  Failure failure;

  void run() { outcome = cursor->remove(&was_there, &failure); }
  napi_value finish(napi_env env) const {
    return outcome == Outcome::kOk ? from_bool(env, was_there)
                                   : failure_object(env, failure);
  }
};

WalCursorHandle::WalCursorHandle(std::shared_ptr<Environment> environment,
                                 std::shared_ptr<WalCursor> cursor)
    : environment_(std::move(environment)), cursor_(std::move(cursor)) {
  environment_->add(this);
}

void WalCursorHandle::give_back() {
  environment_->remove(this);
  cursor_->close();
}

napi_value WalCursorHandle::finish(napi_env env, Opening& opening) {
  if (opening.outcome != Outcome::kOk) {
    return failure_object(env, opening.failure);
  }
  const std::shared_ptr<WalCursorHandle> handle(
      new WalCursorHandle(Environment::of(env), std::move(opening.cursor)));
  const napi_value object = new_object(env);
  set_state(env, object, handle->cursor_->state());
  add_function(env, object, "commit", commit, handle);
  add_function(env, object, "commitLater", commit_later, handle);
  add_function(env, object, "remove", remove, handle);
  add_function(env, object, "removeLater", remove_later, handle);
  add_function(env, object, "close", close, handle);
  return object;
}

napi_value WalCursorHandle::open_sync(napi_env env, napi_callback_info info) {
  Options given(env, info);
  Opening opening;
  opening.options = read_options(given);
  if (given.throw_if_refused()) return nullptr;
  opening.run();
  return finish(env, opening);
}

napi_value WalCursorHandle::open_async(napi_env env, napi_callback_info info) {
  Options given(env, info);
  auto opening = std::make_unique<Opening>();
  opening->options = read_options(given);
  if (given.throw_if_refused()) return nullptr;
  return PoolWork<Opening>::start(env, "atomic-log cursor", std::move(opening));
}

napi_value WalCursorHandle::delete_sync(napi_env env, napi_callback_info info) {
  Options given(env, info);
  Deletion deletion;
  deletion.options = read_options(given);
  if (given.throw_if_refused()) return nullptr;
  deletion.run();
  return deletion.finish(env);
}

napi_value WalCursorHandle::delete_async(napi_env env,
                                         napi_callback_info info) {
  Options given(env, info);
  auto deletion = std::make_unique<Deletion>();
  deletion->options = read_options(given);
  if (given.throw_if_refused()) return nullptr;
  return PoolWork<Deletion>::start(env, "atomic-log cursor",
                                   std::move(deletion));
}

napi_value WalCursorHandle::list(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  const std::string directory = to_path(env, arguments[0]);
  List<WalCursorInfo> cursors;
  const platform::IoStatus status = durable::list_wal_cursors(
      platform::native_file_system(), directory, &cursors);
  if (!status.ok()) {
    return failure_object(
        env,
        {Outcome::kIo, status, durable::wal_cursors_path(directory), 0, 0, ""});
  }
  napi_value array = nullptr;
  if (napi_create_array(env, &array) != napi_ok) return nullptr;
  uint32_t at = 0;
  for (const WalCursorInfo& cursor : cursors) {
    const napi_value object = new_object(env);
    set(env, object, "name", cursor.name);
    set(env, object, "verdict", uint64_t{static_cast<uint8_t>(cursor.verdict)});
    set_state(env, object, cursor.state);
    const uint64_t holder = durable::WalFileLock::current_holder_of(
        platform::native_file_system(),
        durable::wal_cursor_lock_path(directory, cursor.name));
    set(env, object, "holder", holder);
    if (!cursor.io.ok()) {
      const std::string path = durable::wal_cursor_path(directory, cursor.name);
      set(env, object, "failure",
          failure_object(env, {Outcome::kIo, cursor.io, path, 0, 0, ""}));
    }
    napi_set_element(env, array, at++, object);
  }
  return array;
}

// (lsn, epoch, branch, durableLsn, order)
std::unique_ptr<WalCursorHandle::Commit> WalCursorHandle::read_commit(
    napi_env env, napi_callback_info info) {
  napi_value arguments[5] = {};
  auto* const self = called_object<WalCursorHandle>(env, info, arguments);
  auto commit = std::make_unique<Commit>();
  commit->cursor = self->cursor_;
  commit->past = {to_offset(env, arguments[0]),
                  static_cast<uint32_t>(to_offset(env, arguments[1])),
                  static_cast<uint32_t>(to_offset(env, arguments[2]))};
  commit->durable_lsn = to_offset(env, arguments[3]);
  commit->order = to_offset(env, arguments[4]);
  return commit;
}

napi_value WalCursorHandle::commit(napi_env env, napi_callback_info info) {
  const std::unique_ptr<Commit> commit = read_commit(env, info);
  commit->run();
  return commit->finish(env);
}

napi_value WalCursorHandle::commit_later(napi_env env,
                                         napi_callback_info info) {
  return PoolWork<Commit>::start(env, "atomic-log cursor",
                                 read_commit(env, info));
}

napi_value WalCursorHandle::remove(napi_env env, napi_callback_info info) {
  Removal removal;
  removal.cursor = called_object<WalCursorHandle>(env, info)->cursor_;
  removal.run();
  return removal.finish(env);
}

napi_value WalCursorHandle::remove_later(napi_env env,
                                         napi_callback_info info) {
  auto removal = std::make_unique<Removal>();
  removal->cursor = called_object<WalCursorHandle>(env, info)->cursor_;
  return PoolWork<Removal>::start(env, "atomic-log cursor", std::move(removal));
}

napi_value WalCursorHandle::close(napi_env env, napi_callback_info info) {
  called_object<WalCursorHandle>(env, info)->cursor_->close();
  return nullptr;
}

}  // namespace atomic_log::binding
