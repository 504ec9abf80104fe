// The addon over a simulated disk, with functions by which tests take its power.
#include <napi.h>

#pragma push_macro("NODE_API_MODULE")
#undef NODE_API_MODULE
#define NODE_API_MODULE(name, init)
#include "binding/addon.cc"
#pragma pop_macro("NODE_API_MODULE")

#include "simulated/file_system.h"

namespace {

using atomic_log::test::SimulatedFileSystem;

// () => void
napi_value BeginDisk(napi_env, napi_callback_info) {
  atomic_log::test::begin_disk();
  return nullptr;
}

// (number, fault) => void
napi_value FailDiskAt(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  atomic_log::test::fail_disk_at(
      static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()),
      static_cast<SimulatedFileSystem::Fault>(
          info[1].As<Napi::Number>().Int32Value()));
  return nullptr;
}

// () => operations since the last failDiskAt()
napi_value DiskOperations(napi_env env, napi_callback_info) {
  return Napi::Number::New(
      env, static_cast<double>(atomic_log::test::disk_operations()));
}

// () => boolean
napi_value DiskHasPower(napi_env env, napi_callback_info) {
  return Napi::Boolean::New(env, atomic_log::test::disk_has_power());
}

// (isFull) => void
napi_value SetDiskFull(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  atomic_log::test::set_disk_full(info[0].As<Napi::Boolean>().Value());
  return nullptr;
}

// (seed, loses) => void
napi_value RestartDisk(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  atomic_log::test::restart_disk(
      static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()),
      info[1].As<Napi::Boolean>().Value());
  return nullptr;
}

Napi::Object InitWithDisk(Napi::Env env, Napi::Object exports) {
  InitAddon(env, exports);
  using atomic_log::binding::define;
  define(env, exports, "beginDisk", BeginDisk);
  define(env, exports, "failDiskAt", FailDiskAt);
  define(env, exports, "diskOperations", DiskOperations);
  define(env, exports, "diskHasPower", DiskHasPower);
  define(env, exports, "setDiskFull", SetDiskFull);
  define(env, exports, "restartDisk", RestartDisk);
  return exports;
}

}  // namespace

NODE_API_MODULE(atomic_log, InitWithDisk)
