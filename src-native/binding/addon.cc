// The addon's entry: what types/native.d.ts calls NativeAddon.
#include <napi.h>

#include <memory>
#include <utility>
#include <vector>

#include "binding/environment.h"
#include "binding/functions.h"
#include "binding/log_attachment.h"
#include "binding/segment_reader_handle.h"
#include "binding/segment_writer_handle.h"
#include "binding/wal_handle.h"
#include "binding/wal_reader_handle.h"
#include "core/memory/block_pool.h"
#include "core/memory/registry.h"
#include "core/memory/rolling_log.h"
#include "core/platform/module.h"

namespace atomic_log::binding {
namespace {

// A second owner of the log with a count of its own: the registry watches this
// one, so that a log is gone when the last environment has closed it, although
// an ArrayBuffer over it may wait to be collected.
std::shared_ptr<memory::RollingLog> make_presence(
    std::shared_ptr<memory::RollingLog> log) {
  memory::RollingLog* const raw = log.get();
  return {raw, [owner = std::move(log)](memory::RollingLog*) mutable {
            owner.reset();
          }};
}

// (retainedCapacity, segmentCapacity, elementBytes: Uint32Array, descriptor)
//   => NativeLog, or a status < 0
napi_value create_log(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  memory::RollingLogOptions options;
  options.retained_capacity =
      static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue());
  options.segment_capacity = info[1].As<Napi::Number>().Uint32Value();
  const auto element_bytes = info[2].As<Napi::Uint32Array>();
  options.element_bytes.assign(
      element_bytes.Data(),
      element_bytes.Data() + element_bytes.ElementLength());
  options.descriptor = info[3].As<Napi::String>().Utf8Value();

  std::shared_ptr<memory::RollingLog> log;
  const Status status = memory::RollingLog::create(options, &log);
  if (status != Status::kOk) return to_value(env, status);
  auto presence = make_presence(std::move(log));
  const memory::LogHandle handle = memory::Registry::instance().add(presence);
  return LogAttachment::create(env, std::move(presence), handle)
      ->to_object(env);
}

// (id, token) => NativeLog, or a status < 0
napi_value attach_log(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  const memory::LogHandle handle{
      static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue()),
      info[1].As<Napi::String>().Utf8Value()};
  std::shared_ptr<memory::RollingLog> presence;
  const Status status = memory::Registry::instance().find(handle, &presence);
  if (status != Status::kOk) return to_value(env, status);
  return LogAttachment::create(env, std::move(presence), handle)
      ->to_object(env);
}

// () => { mapped, idle }: bytes of address space taken for blocks, and bytes of
// them without owner
napi_value block_usage(napi_env env, napi_callback_info) {
  const auto usage = memory::BlockPool::instance().usage();
  const napi_value object = new_object(env);
  set(env, object, "mapped", usage.mapped_bytes);
  set(env, object, "idle", usage.idle_bytes);
  return object;
}

// (count) => void; for tests, the block allocation after `count` others fails
napi_value fail_block_after(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  memory::BlockPool::instance().fail_after(
      info[0].As<Napi::Number>().Int64Value());
  return nullptr;
}

// (dispatch: (ids: number[]) => void) => void
napi_value start_waker(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  Environment::of(env)->waker()->start(env, info[0]);
  return nullptr;
}

// (isReferenced: boolean) => void
napi_value reference_waker(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  Environment::of(env)->waker()->set_referenced(
      env, info[0].As<Napi::Boolean>().Value());
  return nullptr;
}

// () => void; for the benchmarks: what a call costs that does nothing
napi_value do_nothing(napi_env, napi_callback_info) { return nullptr; }

void define(napi_env env, napi_value exports, const char* name,
            napi_callback callback) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr,
                       &function);
  set(env, exports, name, function);
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  platform::pin_module();
  Environment::install(env);
  set(env, exports, "registryNonce", memory::Registry::instance().nonce());
  define(env, exports, "createLog", create_log);
  define(env, exports, "attachLog", attach_log);
  define(env, exports, "blockUsage", block_usage);
  define(env, exports, "failBlockAfter", fail_block_after);
  define(env, exports, "startWaker", start_waker);
  define(env, exports, "referenceWaker", reference_waker);
  define(env, exports, "createSegment", SegmentWriterHandle::create_file);
  define(env, exports, "openSegment", SegmentWriterHandle::open_file);
  define(env, exports, "openSegmentReader", SegmentReaderHandle::open);
  define(env, exports, "openWalSync", WalHandle::open_sync);
  define(env, exports, "openWal", WalHandle::open_async);
  define(env, exports, "openWalReader", WalReaderHandle::open);
  define(env, exports, "verifyWal", WalReaderHandle::verify);
  define(env, exports, "doNothing", do_nothing);
  return exports;
}

}  // namespace
}  // namespace atomic_log::binding

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) {
  return atomic_log::binding::init(env, exports);
}

NODE_API_MODULE(atomic_log, InitAddon)
