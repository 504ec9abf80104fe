// The addon's entry: what types/native.d.ts calls NativeAddon.
#include <napi.h>

#include <memory>
#include <utility>
#include <vector>

#include "binding/any_log.h"
#include "binding/environment.h"
#include "binding/functions.h"
#include "binding/log_attachment.h"
#include "binding/options.h"
#include "binding/record_functions.h"
#include "binding/segment_reader_handle.h"
#include "binding/segment_writer_handle.h"
#include "binding/shared_log_open.h"
#include "binding/wal_cursor_handle.h"
#include "binding/wal_handle.h"
#include "binding/wal_reader_handle.h"
#include "binding/writer_handle.h"
#include "core/base/copy.h"
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

size_t element_bytes(napi_typedarray_type type) {
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 1;
  }
}

napi_value attach(napi_env env, std::shared_ptr<memory::RollingLog> presence,
                  const memory::LogHandle& handle) {
  auto log = make_memory_log(presence->shared_from_this(), handle);
  return LogAttachment::add(env, std::move(log), std::move(presence));
}

memory::RollingLogOptions size_options(Options& given) {
  memory::RollingLogOptions options;
  options.retained_capacity = given.integer("retainedCapacity");
  options.segment_capacity = given.uint32("segmentCapacity");
  given.numbers("elementBytes").copy_to(&options.element_bytes);
  given.numbers("dataBytes").copy_to(&options.data_bytes);
  return options;
}

// (NativeLogSize) => { retainedSegments, strideBytes }, or a status < 0
napi_value measure_log(napi_env env, napi_callback_info info) {
  Options given(env, info);
  const memory::RollingLogOptions options = size_options(given);
  if (given.throw_if_refused()) return nullptr;
  memory::RollingLog::Shape shape;
  const Status status = memory::RollingLog::check(options, &shape);
  if (status != Status::kOk) return to_value(env, status);
  const napi_value object = new_object(env);
  set(env, object, "retainedSegments", uint64_t{shape.retained_segments});
  set(env, object, "strideBytes",
      memory::SharedStorage::stride_of(shape.layout.block_bytes()));
  return object;
}

Status create_shared(const memory::RollingLogOptions& options,
                     Elements<uint8_t> bytes, uint64_t bytes_max,
                     std::shared_ptr<memory::RollingLog>* log) {
  memory::RollingLog::Shape shape;
  const Status status = memory::RollingLog::check(options, &shape);
  if (status != Status::kOk) return status;
  auto storage = std::make_unique<memory::SharedStorage>(
      bytes.data, shape.layout.block_bytes(), bytes_max);
  storage->commit(bytes.count);
  return memory::RollingLog::create(options, std::move(storage), log);
}

// The type and the name of each column.
std::vector<memory::ColumnLabel> column_labels(Options& given) {
  const auto types = given.numbers("columnTypes");
  std::vector<std::string> names = given.texts("columnNames");
  if (names.size() != types.count) given.refuse("columnNames", "one per type");
  std::vector<memory::ColumnLabel> labels(names.size());
  for (size_t i = 0; i < labels.size() && i < types.count; ++i) {
    labels[i].type = types.data[i];
    labels[i].name = std::move(names[i]);
  }
  return labels;
}

// (NativeLogOptions) => NativeLogDescription, or a status < 0
napi_value create_log(napi_env env, napi_callback_info info) {
  Options given(env, info);
  memory::RollingLogOptions options = size_options(given);
  options.descriptor = given.text("descriptor");
  options.labels = column_labels(given);
  options.pinned_bytes_max = given.limit("pinnedBytesMax");
  options.first_index = given.integer("firstIndex");
  options.ends_with_writer = given.flag("endsWithWriter");
  const bool is_shared = given.has("memory");
  const auto bytes = is_shared ? given.bytes("memory") : Elements<uint8_t>();
  const uint64_t bytes_max = is_shared ? given.integer("memoryBytesMax") : 0;
  if (given.throw_if_refused()) return nullptr;

  std::shared_ptr<memory::RollingLog> log;
  const Status status = is_shared
                            ? create_shared(options, bytes, bytes_max, &log)
                            : memory::RollingLog::create(options, &log);
  if (status != Status::kOk) return to_value(env, status);
  auto presence = memory::make_presence(std::move(log));
  const memory::LogHandle handle = memory::Registry::instance().add(presence);
  return attach(env, std::move(presence), handle);
}

// (id, token, memory?: Uint8Array) => NativeLogDescription, or a status < 0
napi_value attach_log(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  read_arguments(env, info, arguments);
  const memory::LogHandle handle{to_offset(env, arguments[0]),
                                 to_text(env, arguments[1], 256)};
  std::shared_ptr<memory::RollingLog> presence;
  const Status status = memory::Registry::instance().find(handle, &presence);
  if (status != Status::kOk) return to_value(env, status);
  // An environment may touch shared storage only while it holds it.
  const auto* const storage = presence->storage().as_shared();
  if (storage != nullptr &&
      to_bytes(env, arguments[2]).data != storage->base()) {
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
  return from_bool(env, status != napi_no_external_buffers_allowed);
}

// (buffer: ArrayBuffer) => void; every view of it has length 0 from now on
napi_value detach(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  // Refused for what was transferred away already: it has no length then.
  napi_detach_arraybuffer(env, arguments[0]);
  return nullptr;
}

// (target: TypedArray, at: number, source: TypedArray of the same kind) => whether
// it could be copied; `at` counts elements. Other threads may store to shared
// memory meanwhile: then the copy has some of both, as when JavaScript copies.
napi_value copy_elements(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  read_arguments(env, info, arguments);
  napi_typedarray_type type;
  napi_typedarray_type source_type;
  void* target = nullptr;
  void* source = nullptr;
  size_t room = 0;
  size_t count = 0;
  const size_t at = to_uint32(env, arguments[1]);
  const bool fits =
      napi_get_typedarray_info(env, arguments[0], &type, &room, &target,
                               nullptr, nullptr) == napi_ok &&
      napi_get_typedarray_info(env, arguments[2], &source_type, &count, &source,
                               nullptr, nullptr) == napi_ok &&
      type == source_type && at <= room && count <= room - at;
  if (fits && count > 0) {
    const size_t bytes = element_bytes(type);
    copy_bytes(static_cast<char*>(target) + at * bytes, source, count * bytes);
  }
  return from_bool(env, fits);
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
napi_value start_waker(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  Environment::of(env)->waker()->start(env, arguments[0]);
  return nullptr;
}

// (threadId: number) => void; what statistics call this environment
napi_value set_thread_id(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  Environment::of(env)->set_thread_id(to_uint32(env, arguments[0]));
  return nullptr;
}

// (isReferenced: boolean) => void
napi_value reference_waker(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  Environment::of(env)->waker()->set_referenced(env,
                                                to_bool(env, arguments[0]));
  return nullptr;
}

// (fd) => boolean
napi_value is_reader_gone(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  int32_t descriptor = -1;
  napi_get_value_int32(env, arguments[0], &descriptor);
  return from_bool(env, platform::is_reader_gone(descriptor));
}

// (path) => boolean
napi_value is_file_locked(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  read_arguments(env, info, arguments);
  std::unique_ptr<platform::File> file;
  bool is_locked = false;
  const bool is_known =
      platform::native_file_system()
          .open(to_path(env, arguments[0]), platform::OpenMode::kRead, &file)
          .ok() &&
      file->is_locked(&is_locked).ok();
  return from_bool(env, is_known && is_locked);
}

// () => void; for the benchmarks: what a call costs that does nothing
napi_value do_nothing(napi_env, napi_callback_info) { return nullptr; }

Napi::Object init(Napi::Env env, Napi::Object exports) {
  platform::pin_module();
  Environment* const environment = Environment::install(env);
  set(env, exports, "registryNonce", memory::Registry::instance().nonce());
  set(env, exports, "logs", LogAttachment::define_functions(env, environment));
  set(env, exports, "writers",
      WriterHandle::define_functions(env, environment));
  define_shared_log_functions(env, exports);
  define(env, exports, "createLog", create_log);
  define(env, exports, "attachLog", attach_log);
  define(env, exports, "measureLog", measure_log);
  define(env, exports, "canMapExternal", can_map_external);
  define(env, exports, "detach", detach);
  define(env, exports, "copyElements", copy_elements);
  define(env, exports, "blockUsage", block_usage);
  define(env, exports, "startWaker", start_waker);
  define(env, exports, "referenceWaker", reference_waker);
  define(env, exports, "createSegmentSync", SegmentWriterHandle::create_sync);
  define(env, exports, "createSegment", SegmentWriterHandle::create_async);
  define(env, exports, "openSegmentSync", SegmentWriterHandle::open_sync);
  define(env, exports, "openSegment", SegmentWriterHandle::open_async);
  define(env, exports, "openSegmentReader", SegmentReaderHandle::open);
  define(env, exports, "scanSegment", SegmentReaderHandle::scan);
  define(env, exports, "isReaderGone", is_reader_gone);
  define(env, exports, "isFileLocked", is_file_locked);
  define(env, exports, "openWalSync", WalHandle::open_sync);
  define(env, exports, "openWal", WalHandle::open_async);
  define(env, exports, "openWalCursorSync", WalCursorHandle::open_sync);
  define(env, exports, "openWalCursor", WalCursorHandle::open_async);
  define(env, exports, "deleteWalCursorSync", WalCursorHandle::delete_sync);
  define(env, exports, "deleteWalCursor", WalCursorHandle::delete_async);
  define(env, exports, "listWalCursors", WalCursorHandle::list);
  define(env, exports, "openWalReader", WalReaderHandle::open);
  define(env, exports, "verifyWal", WalReaderHandle::verify);
  define(env, exports, "findWalRemains", WalReaderHandle::remains);
  define(env, exports, "salvageWalFile", WalReaderHandle::salvage);
  define(env, exports, "parseRecord", parse_record);
  define(env, exports, "decompress", decompress);
  set(env, exports, "hasCompression",
      from_bool(env, durable::has_compression()));
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
