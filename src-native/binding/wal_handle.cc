#include "binding/wal_handle.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "binding/codes.h"
#include "binding/durable_values.h"
#include "binding/functions.h"
#include "binding/options.h"
#include "binding/pool_work.h"
#include "binding/wal_backup_handle.h"
#include "binding/wal_submissions.h"
#include "binding/wal_values.h"
#include "core/durable/wal/wal_verify.h"

namespace atomic_log::binding {

using durable::Failure;
using durable::Outcome;
using durable::WalLog;
using durable::WalRequest;
using durable::WalSubmission;

// One opening, on the caller's thread or on the pool's.
struct WalHandle::Opening {
  durable::WalOptions options;
  durable::WalCommitPolicy policy;
  uint32_t waiter_id = 0;

  Outcome outcome = Outcome::kOk;
  std::shared_ptr<WalLog> log;
  durable::WalRecovery recovery;
  Failure failure;

  void run() {
    outcome = WalLog::open(platform::native_file_system(), options, policy,
                           &log, &recovery, &failure);
  }

  napi_value finish(napi_env env) { return WalHandle::finish(env, *this); }
};

WalHandle::WalHandle(std::shared_ptr<Environment> environment,
                     std::shared_ptr<WalLog> log, uint32_t waiter_id)
    : environment_(std::move(environment)),
      log_(std::move(log)),
      reader_(platform::native_file_system(), log_->writer().directory()) {
  environment_->add(this);
  const std::shared_ptr<Waker> waker = environment_->waker();
  log_->set_notify([waker, waiter_id] { waker->fired(waiter_id); });
}

WalHandle::~WalHandle() { give_back(); }

void WalHandle::give_back() {
  environment_->remove(this);
  log_->stop();
}

std::unique_ptr<WalHandle::Opening> WalHandle::read_options(
    napi_env env, napi_callback_info info) {
  Options given(env, info);
  auto opening = std::make_unique<Opening>();
  durable::WalOptions& options = opening->options;
  options.directory = given.path("path");
  options.segment_bytes = given.integer("segmentBytes");
  options.first_lsn = given.integer("firstLsn");
  const auto metadata = given.bytes("metadata");
  options.metadata.assign(metadata.data, metadata.data + metadata.count);
  const auto log_id = given.bytes("newLogId");
  if (log_id.count == options.new_log_id.size()) {
    std::copy_n(log_id.data, log_id.count, options.new_log_id.begin());
  } else {
    given.refuse("newLogId", "as long as the id of a log");
  }
  const auto seed = given.bytes("branchSeed");
  if (seed.count == sizeof(options.branch_seed)) {
    std::memcpy(&options.branch_seed, seed.data, sizeof(options.branch_seed));
  } else {
    given.refuse("branchSeed", "eight bytes");
  }
  options.is_tail_strict = given.flag("isTailStrict");
  options.verifies = given.flag("verifies");
  options.verify_threads = durable::wal_verify_threads();
  options.process_id = given.integer("processId");
  options.makes_cursors = true;
  opening->policy.count = given.integer("commitCount");
  opening->policy.bytes = given.integer("commitBytes");
  opening->policy.wait_us = given.integer("commitWaitUs");
  opening->waiter_id = given.uint32("waiterId");
  if (given.throw_if_refused()) return nullptr;
  return opening;
}

napi_value WalHandle::finish(napi_env env, Opening& opening) {
  if (opening.outcome != Outcome::kOk) {
    return failure_object(env, opening.failure);
  }
  const durable::WalRecovery& recovery = opening.recovery;
  const napi_value report = new_object(env);
  set(env, report, "row", uint64_t{static_cast<uint8_t>(recovery.row)});
  set(env, report, "records", recovery.records);
  set(env, report, "quarantinedBytes", recovery.quarantined_bytes);
  set(env, report, "discardedBytes", recovery.discarded_bytes);
  set(env, report, "endOffset", recovery.end_offset);
  set(env, report, "endLsn", recovery.end_lsn);
  set(env, report, "quarantinePath", recovery.quarantine_path);

  const auto handle = std::shared_ptr<WalHandle>(new WalHandle(
      Environment::of(env), std::move(opening.log), opening.waiter_id));
  const napi_value object = new_object(env);
  const durable::WalWriter& writer = handle->log_->writer();
  set(env, object, "recovery", report);
  set(env, object, "metadata",
      to_uint8_array(env, writer.metadata().data(), writer.metadata().size()));
  set(env, object, "logId",
      to_uint8_array(env, writer.log_id().data(), writer.log_id().size()));
  set(env, object, "entryBytesMax", writer.entry_bytes_max());
  add_function(env, object, "submit", submit, handle);
  add_function(env, object, "submitFileKept", submit_file_kept, handle);
  add_function(env, object, "submitCheckpoint", submit_checkpoint, handle);
  add_function(env, object, "submitTruncation", submit_truncation, handle);
  add_function(env, object, "submitFinish", submit_finish, handle);
  add_function(env, object, "takeCompletions", take_completions, handle);
  add_function(env, object, "closeDeleted", close_deleted, handle);
  add_function(env, object, "commit", commit, handle);
  add_function(env, object, "appendNow", append_now, handle);
  add_function(env, object, "writeStaged", write_staged, handle);
  add_function(env, object, "secure", secure, handle);
  add_function(env, object, "sync", sync, handle);
  add_function(env, object, "makeCursors", make_cursors, handle);
  add_function(env, object, "fileKept", file_kept, handle);
  add_function(env, object, "checkpoint", checkpoint, handle);
  add_function(env, object, "truncateAfter", truncate_after, handle);
  add_function(env, object, "submitBackup", submit_backup, handle);
  add_function(env, object, "counters", counters, handle);
  add_function(env, object, "files", files, handle);
  add_function(env, object, "read", read, handle);
  add_function(env, object, "seekPoint", seek_point, handle);
  add_function(env, object, "checkPast", check_past, handle);
  add_function(env, object, "filesAfter", files_after, handle);
  add_function(env, object, "failure", failure, handle);
  add_function(env, object, "close", close, handle);
  return object;
}

napi_value WalHandle::open_sync(napi_env env, napi_callback_info info) {
  const std::unique_ptr<Opening> opening = read_options(env, info);
  if (opening == nullptr) return nullptr;
  opening->run();
  return finish(env, *opening);
}

napi_value WalHandle::open_async(napi_env env, napi_callback_info info) {
  std::unique_ptr<Opening> opening = read_options(env, info);
  if (opening == nullptr) return nullptr;
  return PoolWork<Opening>::start(env, "atomic-log open", std::move(opening));
}

// => the bytes that are queued now
napi_value WalHandle::submit(napi_env env, napi_callback_info info) {
  napi_value arguments[7] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  const uint64_t queued = self->log_->submit(to_submission(env, arguments));
  return from_number(env, queued);
}

napi_value WalHandle::submit_request(napi_env env, napi_callback_info info,
                                     WalRequest request) {
  napi_value arguments[3] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  auto submission = std::make_unique<WalSubmission>();
  submission->request = request;
  submission->lsn = to_offset(env, arguments[0]);
  submission->passes_cursors = to_bool(env, arguments[1]);
  submission->kept_file = to_offset(env, arguments[2]);
  self->log_->submit(std::move(submission));
  return nullptr;
}

// (lsn, passesCursors) => void
napi_value WalHandle::submit_file_kept(napi_env env, napi_callback_info info) {
  return submit_request(env, info, WalRequest::kFindKept);
}

// (lsn, passesCursors, keptFile) => void
napi_value WalHandle::submit_checkpoint(napi_env env, napi_callback_info info) {
  return submit_request(env, info, WalRequest::kCheckpoint);
}

// (lsn) => void
napi_value WalHandle::submit_truncation(napi_env env, napi_callback_info info) {
  return submit_request(env, info, WalRequest::kTruncate);
}

// () => void
napi_value WalHandle::submit_finish(napi_env env, napi_callback_info info) {
  return submit_request(env, info, WalRequest::kFinish);
}

// () => void. Has the reader close the files that a checkpoint deleted: the
// disk keeps their space until then.
napi_value WalHandle::close_deleted(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WalHandle>(env, info);
  Failure ignored;
  (void)self->log_->show(&self->reader_, &ignored);
  return nullptr;
}

// () => CompletionFields of each submission that is done
napi_value WalHandle::take_completions(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WalHandle>(env, info);
  return completions_array(env, self->log_->take_completions());
}

napi_value WalHandle::commit(napi_env env, napi_callback_info info) {
  called_object<WalHandle>(env, info)->log_->commit();
  return nullptr;
}

// (as submit) => the first LSN, or an outcome < 0
napi_value WalHandle::append_now(napi_env env, napi_callback_info info) {
  napi_value arguments[7] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  uint64_t lsn = 0;
  const Outcome outcome =
      self->log_->append(*to_submission(env, arguments), &lsn, &self->failure_);
  return from_outcome(env, outcome, lsn);
}

// (bytes, byteCount, lengths, count) => 0, or an outcome < 0. The arrays are
// TypeScript's own, which no one else changes.
napi_value WalHandle::write_staged(napi_env env, napi_callback_info info) {
  napi_value arguments[4] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  const auto bytes = to_bytes(env, arguments[0]);
  const uint64_t byte_count = to_offset(env, arguments[1]);
  const auto lengths =
      to_elements<uint32_t>(env, arguments[2], napi_uint32_array);
  const uint64_t count = to_offset(env, arguments[3]);
  if (!do_lengths_agree(bytes, byte_count, lengths, count)) {
    return from_outcome(env, Outcome::kOutOfRange);
  }
  return from_outcome(
      env,
      self->log_->write(bytes.data, lengths.data, static_cast<size_t>(count),
                        &self->failure_),
      0);
}

// (into: Float64Array) => void
napi_value WalHandle::secure(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  uint64_t next_lsn = 0;
  const uint64_t room = self->log_->secure_room(&next_lsn);
  Fields<SecuredField>(
      to_elements<double>(env, arguments[0], napi_float64_array))
      .set(SecuredField::kBytes, room)
      .set(SecuredField::kNextLsn, next_lsn);
  return nullptr;
}

// () => the last durable LSN, or an outcome < 0
napi_value WalHandle::sync(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WalHandle>(env, info);
  const Outcome outcome = self->log_->sync(&self->failure_);
  return from_outcome(env, outcome, self->log_->writer().durable_lsn());
}

// () => 0, or an outcome < 0
napi_value WalHandle::make_cursors(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WalHandle>(env, info);
  return from_outcome(env, self->log_->make_cursors(&self->failure_));
}

// (lsn, passesCursors) => the number of the first file that checkpoint() would
// keep
napi_value WalHandle::file_kept(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  const uint64_t file = self->log_->file_kept(to_offset(env, arguments[0]),
                                              to_bool(env, arguments[1]));
  return from_number(env, file);
}

// (lsn, passesCursors, keptFile) => 0, or an outcome < 0
napi_value WalHandle::checkpoint(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  const Outcome outcome = self->log_->checkpoint(
      to_offset(env, arguments[0]), &self->failure_,
      to_offset(env, arguments[2]), to_bool(env, arguments[1]));
  close_deleted(env, info);
  return from_outcome(env, outcome);
}

napi_value WalHandle::truncate_after(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  return from_outcome(
      env,
      self->log_->truncate_after(to_offset(env, arguments[0]), &self->failure_),
      0);
}

// (path) => NativeWalBackup, for when the submission is done
napi_value WalHandle::submit_backup(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  auto source = std::make_shared<durable::WalBackupSource>();
  auto submission = std::make_unique<WalSubmission>();
  submission->request = WalRequest::kBackup;
  submission->backup = source;
  self->log_->submit(std::move(submission));
  return WalBackupHandle::to_object(env, self->log_, std::move(source),
                                    to_path(env, arguments[0]));
}

// (into: Float64Array, WalCounter) => void
napi_value WalHandle::counters(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  const durable::WalWriter& writer = self->log_->writer();
  Fields<WalCounter>(to_elements<double>(env, arguments[0], napi_float64_array))
      .set(WalCounter::kFirstLsn, writer.first_lsn())
      .set(WalCounter::kLastLsn, writer.last_lsn())
      .set(WalCounter::kAckedLsn, self->log_->acked_lsn())
      .set(WalCounter::kDurableLsn, writer.durable_lsn())
      .set(WalCounter::kSyncs, writer.syncs())
      .set(WalCounter::kRotations, writer.rotations())
      .set(WalCounter::kWrittenBytes, writer.written_bytes())
      .set(WalCounter::kCommits, self->log_->commits())
      .set(WalCounter::kQueuedBytes, self->log_->queued_bytes())
      .set(WalCounter::kFiles, writer.file_count())
      .set(WalCounter::kBytes, writer.files_bytes());
  return nullptr;
}

napi_value WalHandle::files(napi_env env, napi_callback_info info) {
  List<durable::WalFileInfo> files;
  Failure failure;
  const Outcome outcome =
      called_object<WalHandle>(env, info)->log_->files(&files, &failure);
  if (outcome != Outcome::kOk) return failure_object(env, failure);
  return files_array(env, files);
}

napi_value WalHandle::read(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  const Outcome outcome = self->log_->show(&self->reader_, &self->failure_);
  if (outcome != Outcome::kOk) return failure_object(env, self->failure_);
  return read_chunk(env, self->reader_, arguments);
}

napi_value WalHandle::check_past(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  const Outcome outcome = self->log_->show(&self->reader_, &self->failure_);
  if (outcome != Outcome::kOk) return failure_object(env, self->failure_);
  return binding::check_past(env, self->reader_, arguments);
}

napi_value WalHandle::files_after(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  const Outcome outcome = self->log_->show(&self->reader_, &self->failure_);
  if (outcome != Outcome::kOk) return failure_object(env, self->failure_);
  binding::files_after(env, self->reader_, arguments);
  return nullptr;
}

napi_value WalHandle::seek_point(napi_env env, napi_callback_info info) {
  napi_value arguments[1] = {};
  auto* const self = called_object<WalHandle>(env, info, arguments);
  const Outcome outcome = self->log_->show(&self->reader_, &self->failure_);
  if (outcome != Outcome::kOk) return failure_object(env, self->failure_);
  return read_seek_point(env, self->reader_, arguments[0]);
}

napi_value WalHandle::failure(napi_env env, napi_callback_info info) {
  return failure_object(env, called_object<WalHandle>(env, info)->failure_);
}

// () => 0, or an outcome < 0. The log is released either way; completions may
// still be taken.
napi_value WalHandle::close(napi_env env, napi_callback_info info) {
  auto* const self = called_object<WalHandle>(env, info);
  const Outcome outcome = self->log_->close(&self->failure_);
  self->reader_.close();
  self->environment_->remove(self);
  return from_outcome(env, outcome);
}

}  // namespace atomic_log::binding
