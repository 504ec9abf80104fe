#include "binding/shared_log_open.h"

#include <memory>
#include <utility>

#include "binding/any_log.h"
#include "binding/functions.h"
#include "binding/log_attachment.h"
#include "binding/options.h"
#include "binding/pool_work.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::binding {
namespace {

using shared_memory::Accepted;
using shared_memory::OpenResult;
using shared_memory::SharedLog;
using shared_memory::SharedLogOptions;
using shared_memory::SharedOpenMode;
using shared_memory::SharedOutcome;

napi_value attach(napi_env env, const std::shared_ptr<SharedLog>& log) {
  return LogAttachment::add(env, make_shared_memory_log(log), log);
}

struct Opening {
  std::string path;
  SharedOpenMode mode = SharedOpenMode::kJoin;
  SharedLogOptions options;
  uint32_t permissions = 0;
  Accepted accepted;

  std::shared_ptr<SharedLog> log;
  OpenResult result;

  void run() {
    result = SharedLog::open(path, mode, &options, permissions, accepted, &log);
  }
  napi_value finish(napi_env env);
};

// types/native.d.ts NativeSharedFailure
napi_value failure_object(napi_env env, const OpenResult& result) {
  const napi_value object = new_object(env);
  set(env, object, "outcome", uint64_t{static_cast<uint8_t>(result.outcome)});
  set(env, object, "mismatch", uint64_t{static_cast<uint8_t>(result.mismatch)});
  set(env, object, "found", result.found);
  set(env, object, "io", uint64_t{static_cast<uint8_t>(result.io.code)});
  napi_value number = nullptr;
  napi_create_int32(env, result.io.system_error, &number);
  set(env, object, "systemError", number);
  set(env, object, "operation", std::string(result.io.operation));
  return object;
}

napi_value Opening::finish(napi_env env) {
  if (result.outcome != SharedOutcome::kOk) return failure_object(env, result);
  return attach(env, log);
}

// (NativeSharedOpening)
std::unique_ptr<Opening> read_opening(napi_env env, napi_callback_info info) {
  Options given(env, info);
  auto opening = std::make_unique<Opening>();
  opening->path = given.path("path");
  opening->permissions = given.uint32("permissions");
  const uint32_t mode = given.uint32("mode");
  opening->accepted.other_owner = given.flag("allowsOtherOwner");
  opening->accepted.other_than = given.text("otherThan");
  if (mode > static_cast<uint32_t>(SharedOpenMode::kReadOnlyInFile)) {
    given.refuse("mode", "a SharedOpenMode");
  }
  opening->mode = static_cast<SharedOpenMode>(mode);
  if (opening->mode != SharedOpenMode::kJoin &&
      !shared_memory::reads_only(opening->mode)) {
    SharedLogOptions& options = opening->options;
    options.retained_capacity = given.integer("retainedCapacity");
    options.segment_capacity = given.uint32("segmentCapacity");
    options.first_index = given.integer("firstIndex");
    options.readers_max = given.uint32("readersMax");
    options.extra_segments = given.uint32("extraSegments");
    options.descriptor = given.text("descriptor");
    given.numbers("elementBytes").copy_to(&options.element_bytes);
    given.numbers("dataBytes").copy_to(&options.data_bytes);
  }
  if (given.throw_if_refused()) return nullptr;
  return opening;
}

// (NativeSharedOpening) => NativeSharedLogDescription or NativeSharedFailure
napi_value open_shared_log_sync(napi_env env, napi_callback_info info) {
  const std::unique_ptr<Opening> opening = read_opening(env, info);
  if (opening == nullptr) return nullptr;
  opening->run();
  return opening->finish(env);
}

// The same on the thread pool
napi_value open_shared_log(napi_env env, napi_callback_info info) {
  std::unique_ptr<Opening> opening = read_opening(env, info);
  if (opening == nullptr) return nullptr;
  return PoolWork<Opening>::start(env, "atomic-log open", std::move(opening));
}

struct Unlinking {
  std::string path;
  OpenResult result;

  void run() { result = SharedLog::unlink(path); }
  napi_value finish(napi_env env) {
    return result.outcome == SharedOutcome::kOk ? null_value(env)
                                                : failure_object(env, result);
  }
};

std::unique_ptr<Unlinking> read_unlinking(napi_env env,
                                          napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  auto unlinking = std::make_unique<Unlinking>();
  unlinking->path = to_path(env, arguments[0]);
  return unlinking;
}

// (path) => null or NativeSharedFailure
napi_value unlink_shared_log_sync(napi_env env, napi_callback_info info) {
  const std::unique_ptr<Unlinking> unlinking = read_unlinking(env, info);
  unlinking->run();
  return unlinking->finish(env);
}

// The same on the thread pool
napi_value unlink_shared_log(napi_env env, napi_callback_info info) {
  return PoolWork<Unlinking>::start(env, "atomic-log unlink",
                                    read_unlinking(env, info));
}

// (id, token) => NativeSharedLogDescription, or null
napi_value attach_shared_log(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  read_arguments(env, info, arguments);
  const auto log = SharedLog::find(to_offset(env, arguments[0]),
                                   to_text(env, arguments[1], 256));
  if (log == nullptr) return null_value(env);
  return attach(env, log);
}

}  // namespace

void define_shared_log_functions(napi_env env, napi_value exports) {
  define(env, exports, "openSharedLogSync", open_shared_log_sync);
  define(env, exports, "openSharedLog", open_shared_log);
  define(env, exports, "unlinkSharedLogSync", unlink_shared_log_sync);
  define(env, exports, "unlinkSharedLog", unlink_shared_log);
  define(env, exports, "attachSharedLog", attach_shared_log);
}

}  // namespace atomic_log::binding
