// The addon's entry: what types/native.d.ts calls NativeAddon.
#include <napi.h>

#include <memory>
#include <utility>
#include <vector>

#include "binding/environment.h"
#include "binding/functions.h"
#include "binding/log_attachment.h"
#include "binding/record_functions.h"
#include "binding/segment_reader_handle.h"
#include "binding/segment_writer_handle.h"
#include "binding/wal_handle.h"
#include "binding/wal_reader_handle.h"
#include "binding/writer_handle.h"
#include "core/durable/compression.h"
#include "core/memory/block_pool.h"
#include "core/memory/presence.h"
#include "core/memory/registry.h"
#include "core/memory/rolling_log.h"
#include "core/platform/module.h"
#include "core/platform/pipe.h"

// The package's version, as binding.gyp reads it.
#define ATOMIC_LOG_TEXT(token) #token
#define ATOMIC_LOG_TEXT_OF(macro) ATOMIC_LOG_TEXT(macro)

namespace atomic_log::binding {
namespace {

constexpr char kVersion[] = ATOMIC_LOG_TEXT_OF(ATOMIC_LOG_PACKAGE_VERSION);

// One label per column; what is no string counts as an empty name.
std::vector<memory::ColumnLabel> read_labels(napi_env env, napi_value types,
                                             napi_value names) {
  const auto codes = Napi::Uint32Array(env, types);
  std::vector<memory::ColumnLabel> labels(codes.ElementLength());
  for (uint32_t i = 0; i < labels.size(); ++i) {
    labels[i].type = codes.Data()[i];
    napi_value name = nullptr;
    size_t bytes = 0;
    if (napi_get_element(env, names, i, &name) != napi_ok ||
        napi_get_value_string_utf8(env, name, nullptr, 0, &bytes) != napi_ok) {
      continue;
    }
    // The terminating zero is written behind the text, where std::string has
    // one anyway.
    labels[i].name.resize(bytes);
    napi_get_value_string_utf8(env, name, labels[i].name.data(), bytes + 1,
                               &bytes);
  }
  return labels;
}

// Bytes from a JavaScript number; Infinity and what is beyond any memory mean
// no limit.
uint64_t bytes_or_unlimited(double bytes) {
  return bytes < 0x1p63 ? static_cast<uint64_t>(bytes) : UINT64_MAX;
}

napi_value attach(napi_env env, std::shared_ptr<memory::RollingLog> presence,
                  const memory::LogHandle& handle) {
  return LogAttachment::add(
      env, std::make_shared<LogAttachment>(*Environment::of(env),
                                           std::move(presence), handle));
}

memory::RollingLogOptions options_of(const Napi::CallbackInfo& info) {
  memory::RollingLogOptions options;
  options.retained_capacity =
      static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue());
  options.segment_capacity = info[1].As<Napi::Number>().Uint32Value();
  const auto element_bytes = info[2].As<Napi::Uint32Array>();
  options.element_bytes.assign(
      element_bytes.Data(),
      element_bytes.Data() + element_bytes.ElementLength());
  const auto data_bytes = info[3].As<Napi::Uint32Array>();
  options.data_bytes.assign(data_bytes.Data(),
                            data_bytes.Data() + data_bytes.ElementLength());
  return options;
}

// (retainedCapacity, segmentCapacity, elementBytes: Uint32Array,
//  dataBytes: Uint32Array)
//   => { retainedSegments, strideBytes }, or a status < 0
napi_value measure_log(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  memory::RollingLog::Shape shape;
  const Status status = memory::RollingLog::check(options_of(info), &shape);
  if (status != Status::kOk) return to_value(env, status);
  const napi_value object = new_object(env);
  set(env, object, "retainedSegments", uint64_t{shape.retained_segments});
  set(env, object, "strideBytes",
      memory::SharedStorage::stride_of(shape.layout.block_bytes()));
  return object;
}

Status create_shared(const memory::RollingLogOptions& options,
                     const SharedBytes& bytes, uint64_t bytes_max,
                     std::shared_ptr<memory::RollingLog>* log) {
  memory::RollingLog::Shape shape;
  const Status status = memory::RollingLog::check(options, &shape);
  if (status != Status::kOk) return status;
  auto storage = std::make_unique<memory::SharedStorage>(
      bytes.data, shape.layout.block_bytes(), bytes_max);
  storage->commit(bytes.length);
  return memory::RollingLog::create(options, std::move(storage), log);
}

// (retainedCapacity, segmentCapacity, elementBytes: Uint32Array,
//  dataBytes: Uint32Array, descriptor, columnTypes: Uint32Array,
//  columnNames: string[], pinnedBytesMax, memory?: Uint8Array, memoryBytesMax?)
//  => NativeLogDescription, or a status < 0
napi_value create_log(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  memory::RollingLogOptions options = options_of(info);
  options.descriptor = info[4].As<Napi::String>().Utf8Value();
  options.labels = read_labels(env, info[5], info[6]);
  options.pinned_bytes_max =
      bytes_or_unlimited(info[7].As<Napi::Number>().DoubleValue());

  std::shared_ptr<memory::RollingLog> log;
  const SharedBytes bytes = shared_bytes(env, info[8]);
  const Status status =
      bytes.data == nullptr
          ? memory::RollingLog::create(options, &log)
          : create_shared(
                options, bytes,
                static_cast<uint64_t>(info[9].As<Napi::Number>().DoubleValue()),
                &log);
  if (status != Status::kOk) return to_value(env, status);
  auto presence = memory::make_presence(std::move(log));
  const memory::LogHandle handle = memory::Registry::instance().add(presence);
  return attach(env, std::move(presence), handle);
}

// (id, token, memory?: Uint8Array) => NativeLogDescription, or a status < 0
napi_value attach_log(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  const memory::LogHandle handle{
      static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue()),
      info[1].As<Napi::String>().Utf8Value()};
  std::shared_ptr<memory::RollingLog> presence;
  const Status status = memory::Registry::instance().find(handle, &presence);
  if (status != Status::kOk) return to_value(env, status);
  // An environment may touch shared storage only while it holds it.
  const auto* const storage = presence->storage().as_shared();
  if (storage != nullptr &&
      shared_bytes(env, info[2]).data != storage->base()) {
    return to_value(env, Status::kForeign);
  }
  return attach(env, std::move(presence), handle);
}

// () => whether this runtime maps external memory
napi_value can_map_external(napi_env env, napi_callback_info) {
  alignas(8) static char memory[8];
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(
      env, memory, sizeof(memory), nullptr, nullptr, &buffer);
  napi_value result = nullptr;
  napi_get_boolean(env, status != napi_no_external_buffers_allowed, &result);
  return result;
}

// (buffer: ArrayBuffer) => void; every view of it has length 0 from now on
napi_value detach(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value buffer = nullptr;
  napi_get_cb_info(env, info, &count, &buffer, nullptr, nullptr);
  // Refused for what was transferred away already: it has no length then.
  napi_detach_arraybuffer(env, buffer);
  return nullptr;
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

// (dispatch: (ids: number[]) => void) => void
napi_value start_waker(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  Environment::of(env)->waker()->start(env, info[0]);
  return nullptr;
}

// (threadId: number) => void; what statistics call this environment
napi_value set_thread_id(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  Environment::of(env)->set_thread_id(info[0].As<Napi::Number>().Uint32Value());
  return nullptr;
}

// (isReferenced: boolean) => void
napi_value reference_waker(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  Environment::of(env)->waker()->set_referenced(
      env, info[0].As<Napi::Boolean>().Value());
  return nullptr;
}

// (fd) => boolean
napi_value is_reader_gone(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  called_object<void>(env, info, arguments);
  int32_t descriptor = -1;
  napi_get_value_int32(env, arguments[0], &descriptor);
  napi_value result = nullptr;
  napi_get_boolean(env, platform::is_reader_gone(descriptor), &result);
  return result;
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
  Environment* const environment = Environment::install(env);
  set(env, exports, "registryNonce", memory::Registry::instance().nonce());
  set(env, exports, "logs", LogAttachment::define_functions(env, environment));
  set(env, exports, "writers",
      WriterHandle::define_functions(env, environment));
  define(env, exports, "createLog", create_log);
  define(env, exports, "attachLog", attach_log);
  define(env, exports, "measureLog", measure_log);
  define(env, exports, "canMapExternal", can_map_external);
  define(env, exports, "detach", detach);
  define(env, exports, "blockUsage", block_usage);
  define(env, exports, "startWaker", start_waker);
  define(env, exports, "referenceWaker", reference_waker);
  define(env, exports, "createSegment", SegmentWriterHandle::create_file);
  define(env, exports, "openSegment", SegmentWriterHandle::open_file);
  define(env, exports, "openSegmentReader", SegmentReaderHandle::open);
  define(env, exports, "judgeSegment", SegmentReaderHandle::judge);
  define(env, exports, "isReaderGone", is_reader_gone);
  define(env, exports, "openWalSync", WalHandle::open_sync);
  define(env, exports, "openWal", WalHandle::open_async);
  define(env, exports, "openWalReader", WalReaderHandle::open);
  define(env, exports, "verifyWal", WalReaderHandle::verify);
  define(env, exports, "findWalRemains", WalReaderHandle::remains);
  define(env, exports, "salvageWalFile", WalReaderHandle::salvage);
  define(env, exports, "parseRecord", parse_record);
  define(env, exports, "decompress", decompress);
  napi_value has_compression = nullptr;
  napi_get_boolean(env, durable::has_compression(), &has_compression);
  set(env, exports, "hasCompression", has_compression);
  set(env, exports, "version", std::string(kVersion));
  define(env, exports, "setThreadId", set_thread_id);
  define(env, exports, "doNothing", do_nothing);
  return exports;
}

}  // namespace
}  // namespace atomic_log::binding

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) {
  return atomic_log::binding::init(env, exports);
}

NODE_API_MODULE(atomic_log, InitAddon)
