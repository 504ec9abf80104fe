// The addon's entry: what types/native.d.ts calls NativeAddon.
#include <napi.h>

#include <memory>
#include <utility>
#include <vector>

#include "binding/environment.h"
#include "binding/functions.h"
#include "binding/log_attachment.h"
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

// (retainedCapacity, segmentCapacity, elementBytes: number[], descriptor)
//   => NativeLog, or a status < 0
Napi::Value create_log(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  memory::RollingLogOptions options;
  options.retained_capacity =
      static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue());
  options.segment_capacity = info[1].As<Napi::Number>().Uint32Value();
  const auto element_bytes = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i < element_bytes.Length(); ++i) {
    options.element_bytes.push_back(
        element_bytes.Get(i).As<Napi::Number>().Uint32Value());
  }
  options.descriptor = info[3].As<Napi::String>().Utf8Value();

  std::shared_ptr<memory::RollingLog> log;
  const Status status = memory::RollingLog::create(options, &log);
  if (status != Status::kOk) return {env, to_value(env, status)};
  auto presence = make_presence(std::move(log));
  const memory::LogHandle handle = memory::Registry::instance().add(presence);
  return {
      env,
      LogAttachment::create(env, std::move(presence), handle)->to_object(env)};
}

// (id, token) => NativeLog, or a status < 0
Napi::Value attach_log(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const memory::LogHandle handle{
      static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue()),
      info[1].As<Napi::String>().Utf8Value()};
  std::shared_ptr<memory::RollingLog> presence;
  const Status status = memory::Registry::instance().find(handle, &presence);
  if (status != Status::kOk) return {env, to_value(env, status)};
  return {
      env,
      LogAttachment::create(env, std::move(presence), handle)->to_object(env)};
}

// () => [bytes of address space taken for blocks, bytes of them without owner]
Napi::Value block_usage(const Napi::CallbackInfo& info) {
  const auto usage = memory::BlockPool::instance().usage();
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, static_cast<double>(usage.mapped_bytes));
  result.Set(1u, static_cast<double>(usage.idle_bytes));
  return result;
}

// (count) => void; for tests, the block allocation after `count` others fails
void fail_block_after(const Napi::CallbackInfo& info) {
  memory::BlockPool::instance().fail_after(
      info[0].As<Napi::Number>().Int64Value());
}

// (dispatch: (ids: number[]) => void) => void
void start_waker(const Napi::CallbackInfo& info) {
  Environment::of(info.Env())->waker()->start(info.Env(), info[0]);
}

// (isReferenced: boolean) => void
void reference_waker(const Napi::CallbackInfo& info) {
  Environment::of(info.Env())
      ->waker()
      ->set_referenced(info.Env(), info[0].ToBoolean());
}

// () => void; for the benchmarks: what a call costs that does nothing
napi_value do_nothing(napi_env, napi_callback_info) { return nullptr; }

Napi::Object init(Napi::Env env, Napi::Object exports) {
  platform::pin_module();
  Environment::install(env);
  exports.Set("registryNonce", memory::Registry::instance().nonce());
  exports.Set("createLog", Napi::Function::New<create_log>(env));
  exports.Set("attachLog", Napi::Function::New<attach_log>(env));
  exports.Set("blockUsage", Napi::Function::New<block_usage>(env));
  exports.Set("failBlockAfter", Napi::Function::New<fail_block_after>(env));
  exports.Set("startWaker", Napi::Function::New<start_waker>(env));
  exports.Set("referenceWaker", Napi::Function::New<reference_waker>(env));
  napi_value empty = nullptr;
  napi_create_function(env, "doNothing", NAPI_AUTO_LENGTH, do_nothing, nullptr,
                       &empty);
  exports.Set("doNothing", empty);
  return exports;
}

}  // namespace
}  // namespace atomic_log::binding

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) {
  return atomic_log::binding::init(env, exports);
}

NODE_API_MODULE(atomic_log, InitAddon)
