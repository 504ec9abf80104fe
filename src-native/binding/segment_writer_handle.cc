#include "binding/segment_writer_handle.h"

#include <optional>
#include <string>
#include <utility>

#include "binding/durable_values.h"
#include "binding/functions.h"
#include "binding/options.h"
#include "binding/pool_work.h"
#include "binding/segment_change.h"
#include "binding/segment_reader_handle.h"
#include "binding/segment_sync.h"
#include "core/durable/compression.h"

namespace atomic_log::binding {

using durable::Failure;
using durable::Outcome;
using durable::SegmentSource;
using durable::SegmentWriter;

namespace {

napi_value recovery_object(napi_env env, const durable::Recovery& recovery) {
  const napi_value object = new_object(env);
  set(env, object, "records", recovery.records);
  set(env, object, "endOffset", recovery.end_offset);
  set(env, object, "quarantinedBytes", recovery.quarantined_bytes);
  set(env, object, "validBytesAfter", recovery.valid_bytes_after);
  set(env, object, "quarantinePath", recovery.quarantine_path);
  return object;
}

}  // namespace

SegmentWriterHandle::SegmentWriterHandle(
    std::shared_ptr<Environment> environment,
    std::shared_ptr<SegmentWriter> writer)
    : environment_(std::move(environment)), writer_(std::move(writer)) {
  environment_->add(this);
}

SegmentWriterHandle::~SegmentWriterHandle() {
  give_back();
  environment_->remove(this);
}

void SegmentWriterHandle::finish_change() {
  if (const auto change = change_.lock()) change->finish();
  change_.reset();
}

void SegmentWriterHandle::give_back() {
  finish_change();
  for (const auto& weak : syncs_) {
    if (const auto sync = weak.lock()) sync->forget();
  }
  syncs_.clear();
  if (writer_ == nullptr) return;
  // The cells are JavaScript's, and may be gone before a sync that still runs.
  writer_->detach();
  writer_.reset();
}

// What create and open do, on whichever thread: the same in two steps, run() off
// the environment's thread or on it, finish() on it.
struct SegmentWriterHandle::Opening {
  std::string path;
  durable::SegmentFormat format;
  // Of a file that is made; otherwise one is opened.
  std::optional<uint64_t> new_size;
  durable::OpenOptions options;
  // JavaScript keeps both until finish() has been called, and then for as long
  // as the writer is used.
  durable::FlushedCells* cells = nullptr;
  uint8_t* buffer = nullptr;

  Outcome outcome = Outcome::kOk;
  std::unique_ptr<SegmentWriter> writer;
  durable::Recovery recovery;
  Failure failure;

  void read_memory(Options& given) {
    cells = to_cells(given);
    const auto bytes = given.bytes("buffer");
    if (bytes.count != SegmentWriter::kBufferBytes) {
      given.refuse("buffer", "kBufferBytes long");
    }
    buffer = bytes.data;
  }

  void run() {
    platform::FileSystem& system = platform::native_file_system();
    outcome = new_size.has_value()
                  ? SegmentWriter::create(system, path, format, *new_size,
                                          &writer, &failure)
                  : SegmentWriter::open(system, path, format, options, &writer,
                                        &recovery, &failure);
  }

  napi_value finish(napi_env env) {
    if (outcome != Outcome::kOk) return failure_object(env, failure);
    writer->attach(cells);
    writer->collect_in(buffer);
    const std::shared_ptr<SegmentWriterHandle> handle(
        new SegmentWriterHandle(Environment::of(env), std::move(writer)));
    const napi_value object = handle->to_object(env);
    if (!new_size.has_value()) {
      set(env, object, "recovery", recovery_object(env, recovery));
    }
    return object;
  }
};

std::unique_ptr<SegmentWriterHandle::Opening>
SegmentWriterHandle::read_creation(napi_env env, napi_callback_info info) {
  Options given(env, info);
  auto opening = std::make_unique<Opening>();
  opening->path = given.path("path");
  opening->format = to_format(given);
  opening->new_size = given.integer("size");
  opening->read_memory(given);
  if (given.throw_if_refused()) return nullptr;
  return opening;
}

std::unique_ptr<SegmentWriterHandle::Opening> SegmentWriterHandle::read_opening(
    napi_env env, napi_callback_info info) {
  Options given(env, info);
  auto opening = std::make_unique<Opening>();
  opening->path = given.path("path");
  opening->format = to_format(given);
  durable::OpenOptions& options = opening->options;
  if (given.has("size")) options.size = given.integer("size");
  options.durable_offset = given.integer("durableOffset");
  options.is_sealed = given.flag("isSealed");
  options.discard_unreadable = given.flag("discardUnreadable");
  opening->read_memory(given);
  if (given.throw_if_refused()) return nullptr;
  return opening;
}

napi_value SegmentWriterHandle::create_sync(napi_env env,
                                            napi_callback_info info) {
  const std::unique_ptr<Opening> opening = read_creation(env, info);
  if (opening == nullptr) return nullptr;
  opening->run();
  return opening->finish(env);
}

napi_value SegmentWriterHandle::open_sync(napi_env env,
                                          napi_callback_info info) {
  const std::unique_ptr<Opening> opening = read_opening(env, info);
  if (opening == nullptr) return nullptr;
  opening->run();
  return opening->finish(env);
}

napi_value SegmentWriterHandle::create_async(napi_env env,
                                             napi_callback_info info) {
  std::unique_ptr<Opening> opening = read_creation(env, info);
  if (opening == nullptr) return nullptr;
  return PoolWork<Opening>::start(env, "atomic-log create", std::move(opening));
}

napi_value SegmentWriterHandle::open_async(napi_env env,
                                           napi_callback_info info) {
  std::unique_ptr<Opening> opening = read_opening(env, info);
  if (opening == nullptr) return nullptr;
  return PoolWork<Opening>::start(env, "atomic-log open", std::move(opening));
}

napi_value SegmentWriterHandle::to_object(napi_env env) {
  const napi_value object = new_object(env);
  const auto self = shared_from_this();
  add_function(env, object, "append", append, self);
  add_function(env, object, "appendPacked", append_packed, self);
  add_function(env, object, "flush", flush, self);
  add_function(env, object, "syncSync", sync_sync, self);
  add_function(env, object, "sync", sync, self);
  add_function(env, object, "setLength", set_length, self);
  add_function(env, object, "setLengthLater", set_length_later, self);
  add_function(env, object, "replaceHeader", replace_header, self);
  add_function(env, object, "replaceHeaderLater", replace_header_later, self);
  add_function(env, object, "readApplicationHeader", read_application_header,
               self);
  add_function(env, object, "writeApplicationHeader", write_application_header,
               self);
  add_function(env, object, "writeOffset", write_offset, self);
  add_function(env, object, "buffered", buffered, self);
  add_function(env, object, "reader", reader, self);
  add_function(env, object, "failure", failure, self);
  add_function(env, object, "closeSync", close_sync, self);
  add_function(env, object, "release", release, self);
  set(env, object, "size", writer_->size());
  return object;
}

// What TypeScript has put into the buffer, up to `filled`, is taken over first.
Outcome SegmentWriterHandle::take(napi_env env, napi_value filled) {
  if (writer_ == nullptr) return Outcome::kOutOfRange;
  return writer_->complete(static_cast<size_t>(to_offset(env, filled)));
}

// (filled, header, data: Uint8Array, compresses) => offset, or an outcome < 0
napi_value SegmentWriterHandle::append(napi_env env, napi_callback_info info) {
  napi_value arguments[4] = {};
  auto* const self = called_object<SegmentWriterHandle>(env, info, arguments);
  const auto header = to_bytes(env, arguments[1]);
  const auto data = to_bytes(env, arguments[2]);
  const Outcome taken = self->take(env, arguments[0]);
  if (taken != Outcome::kOk) return from_outcome(env, taken);
  if (header.count != self->writer_->format().header_bytes) {
    return from_outcome(env, Outcome::kOutOfRange);
  }
  Buffer stored;
  const auto compression =
      to_bool(env, arguments[3])
          ? durable::compress(data.data, data.count, &stored)
          : durable::Compression::kNot;
  if (compression == durable::Compression::kNoMemory) {
    return from_outcome(env, self->writer_->refuse_memory());
  }
  const bool is_compressed = compression == durable::Compression::kDone;
  uint64_t offset = 0;
  const Outcome outcome =
      is_compressed ? self->writer_->append(header.data, stored.data(),
                                            stored.size(), true, &offset)
                    : self->writer_->append(header.data, data.data, data.count,
                                            false, &offset);
  return from_outcome(env, outcome, offset);
}

// (filled, bytes: Uint8Array, lengths: Uint32Array) => offset, or an outcome
// < 0
napi_value SegmentWriterHandle::append_packed(napi_env env,
                                              napi_callback_info info) {
  napi_value arguments[3] = {};
  auto* const self = called_object<SegmentWriterHandle>(env, info, arguments);
  const auto bytes = to_bytes(env, arguments[1]);
  const auto given =
      to_elements<uint32_t>(env, arguments[2], napi_uint32_array);
  const Outcome taken = self->take(env, arguments[0]);
  if (taken != Outcome::kOk) return from_outcome(env, taken);
  // Another thread may change the lengths between their check and their use.
  List<uint32_t> lengths;
  if (!lengths.try_assign(given.data, given.count)) {
    return from_outcome(env, self->writer_->refuse_memory());
  }
  uint64_t total = 0;
  for (const uint32_t length : lengths) total += length;
  if (total != bytes.count) return from_outcome(env, Outcome::kOutOfRange);
  uint64_t offset = 0;
  const Outcome outcome = self->writer_->append_packed(
      bytes.data, lengths.data(), lengths.size(), &offset);
  return from_outcome(env, outcome, offset);
}

// (filled) => 0, or an outcome < 0
napi_value SegmentWriterHandle::flush(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<SegmentWriterHandle>(env, info, arguments);
  const Outcome taken = self->take(env, arguments[0]);
  return from_outcome(env,
                      taken == Outcome::kOk ? self->writer_->flush() : taken);
}

// () => the flushed offset, or an outcome < 0
napi_value SegmentWriterHandle::sync_sync(napi_env env,
                                          napi_callback_info info) {
  auto* const self = called_object<SegmentWriterHandle>(env, info);
  if (self->writer_ == nullptr) return from_outcome(env, Outcome::kOutOfRange);
  uint64_t flushed = 0;
  const Outcome outcome = self->writer_->sync(&flushed);
  return from_outcome(env, outcome, flushed);
}

// () => a promise of the same, or undefined when the runtime refuses
napi_value SegmentWriterHandle::sync(napi_env env, napi_callback_info info) {
  auto* const self = called_object<SegmentWriterHandle>(env, info);
  if (self->writer_ == nullptr) return nullptr;
  napi_value promise = nullptr;
  const auto sync = SegmentSync::start(env, self->writer_, &promise);
  if (sync == nullptr) return nullptr;
  std::erase_if(self->syncs_, [](const auto& weak) { return weak.expired(); });
  self->syncs_.push_back(sync);
  return promise;
}

napi_value SegmentWriterHandle::set_length(napi_env env,
                                           napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<SegmentWriterHandle>(env, info, arguments);
  if (self->writer_ == nullptr) return from_outcome(env, Outcome::kOutOfRange);
  return from_outcome(env,
                      self->writer_->set_length(to_offset(env, arguments[0])));
}

// On the pool; undefined when the runtime refuses.
napi_value SegmentWriterHandle::change_later(napi_env env, uint64_t offset,
                                             Buffer header) {
  finish_change();
  napi_value promise = nullptr;
  change_ =
      SegmentChange::start(env, writer_, offset, std::move(header), &promise);
  return promise;
}

// (offset) => a promise of 0, or of an outcome < 0
napi_value SegmentWriterHandle::set_length_later(napi_env env,
                                                 napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<SegmentWriterHandle>(env, info, arguments);
  if (self->writer_ == nullptr) return nullptr;
  return self->change_later(env, to_offset(env, arguments[0]), {});
}

bool SegmentWriterHandle::is_header(size_t count) const {
  return writer_ != nullptr && count > 0 &&
         count == writer_->format().header_bytes;
}

// (offset, header: Uint8Array) => a promise of 0, or of an outcome < 0
napi_value SegmentWriterHandle::replace_header_later(napi_env env,
                                                     napi_callback_info info) {
  napi_value arguments[2] = {};
  auto* const self = called_object<SegmentWriterHandle>(env, info, arguments);
  const auto header = to_bytes(env, arguments[1]);
  Buffer bytes;
  if (!self->is_header(header.count) ||
      !bytes.try_assign(header.data, header.count)) {
    return nullptr;
  }
  return self->change_later(env, to_offset(env, arguments[0]),
                            std::move(bytes));
}

// (offset, header: Uint8Array) => 0, or an outcome < 0
napi_value SegmentWriterHandle::replace_header(napi_env env,
                                               napi_callback_info info) {
  napi_value arguments[2] = {};
  auto* const self = called_object<SegmentWriterHandle>(env, info, arguments);
  const auto header = to_bytes(env, arguments[1]);
  if (!self->is_header(header.count)) {
    return from_outcome(env, Outcome::kOutOfRange);
  }
  // A copy: its checksum is computed before it is written, and another thread
  // may change it in between.
  Buffer bytes;
  if (!bytes.try_assign(header.data, header.count)) {
    return from_outcome(env, self->writer_->refuse_memory());
  }
  return from_outcome(env, self->writer_->replace_header(
                               to_offset(env, arguments[0]), bytes.data()));
}

// (target: Uint8Array of startOffset bytes) => 0, or an outcome < 0
napi_value SegmentWriterHandle::read_application_header(
    napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<SegmentWriterHandle>(env, info, arguments);
  const auto target = to_bytes(env, arguments[0]);
  if (self->writer_ == nullptr ||
      target.count < self->writer_->format().start_offset) {
    return from_outcome(env, Outcome::kOutOfRange);
  }
  return from_outcome(env, self->writer_->read_application_header(target.data));
}

// (at, bytes: Uint8Array) => 0, or an outcome < 0
napi_value SegmentWriterHandle::write_application_header(
    napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  auto* const self = called_object<SegmentWriterHandle>(env, info, arguments);
  const auto bytes = to_bytes(env, arguments[1]);
  if (self->writer_ == nullptr) return from_outcome(env, Outcome::kOutOfRange);
  return from_outcome(
      env, self->writer_->write_application_header(to_offset(env, arguments[0]),
                                                   bytes.data, bytes.count));
}

napi_value SegmentWriterHandle::write_offset(napi_env env,
                                             napi_callback_info info) {
  auto* const self = called_object<SegmentWriterHandle>(env, info);
  return from_number(
      env, self->writer_ == nullptr ? 0 : self->writer_->write_offset());
}

napi_value SegmentWriterHandle::buffered(napi_env env,
                                         napi_callback_info info) {
  auto* const self = called_object<SegmentWriterHandle>(env, info);
  return from_number(env,
                     self->writer_ == nullptr ? 0 : self->writer_->buffered());
}

// () => NativeSegmentReader of the same open file, without a limit
napi_value SegmentWriterHandle::reader(napi_env env, napi_callback_info info) {
  auto* const self = called_object<SegmentWriterHandle>(env, info);
  if (self->writer_ == nullptr) return nullptr;
  const SegmentWriter& writer = *self->writer_;
  return SegmentReaderHandle::create(
      env,
      std::make_shared<SegmentSource>(writer.path(), writer.format(),
                                      writer.file(), writer.size()),
      nullptr);
}

napi_value SegmentWriterHandle::failure(napi_env env, napi_callback_info info) {
  auto* const self = called_object<SegmentWriterHandle>(env, info);
  return failure_object(env, self->writer_ == nullptr
                                 ? self->failure_
                                 : self->writer_->failure());
}

// () => the flushed offset after a last sync, or an outcome < 0. The lock is
// released either way.
napi_value SegmentWriterHandle::close_sync(napi_env env,
                                           napi_callback_info info) {
  auto* const self = called_object<SegmentWriterHandle>(env, info);
  if (self->writer_ == nullptr) return from_outcome(env, Outcome::kOk);
  self->finish_change();
  uint64_t flushed = 0;
  const Outcome outcome = self->writer_->sync(&flushed);
  const double result = outcome == Outcome::kOk ? static_cast<double>(flushed)
                                                : outcome_number(outcome);
  if (outcome != Outcome::kOk) self->failure_ = self->writer_->failure();
  for (const auto& weak : self->syncs_) {
    if (const auto sync = weak.lock()) sync->abandon(result);
  }
  self->give_back();
  return from_number(env, result);
}

// Releases the lock at once. No sync is under way.
napi_value SegmentWriterHandle::release(napi_env env, napi_callback_info info) {
  auto* const self = called_object<SegmentWriterHandle>(env, info);
  if (self->writer_ != nullptr) self->failure_ = self->writer_->failure();
  self->give_back();
  return nullptr;
}

}  // namespace atomic_log::binding
