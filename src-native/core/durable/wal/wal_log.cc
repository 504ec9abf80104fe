#include "core/durable/wal/wal_log.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/check.h"

namespace atomic_log::durable {
namespace {

// After so long without work, a SYNC record tells followers of the last batch.
constexpr auto kIdle = std::chrono::milliseconds(20);

}  // namespace

Outcome WalLog::open(platform::FileSystem& system, const WalOptions& options,
                     const WalCommitPolicy& policy,
                     std::shared_ptr<WalLog>* log, WalRecovery* recovery,
                     Failure* failure) {
  std::unique_ptr<WalWriter> writer;
  const Outcome outcome =
      WalWriter::open(system, options, &writer, recovery, failure);
  if (outcome != Outcome::kOk) return outcome;
  log->reset(new WalLog(std::move(writer), policy));
  (*log)->acked_lsn_.store((*log)->writer_->last_lsn(),
                           std::memory_order_relaxed);
  return Outcome::kOk;
}

void WalLog::set_notify(std::function<void()> notify) {
  const std::lock_guard<std::mutex> lock(completion_mutex_);
  notify_ = std::move(notify);
}

uint64_t WalLog::submit(std::unique_ptr<WalSubmission> submission) {
  const uint64_t bytes = submission->bytes.size();
  const std::lock_guard<std::mutex> lock(queue_mutex_);
  const platform::IoStatus status = start_committer();
  if (!status.ok()) {
    submission->completion.outcome = Outcome::kIo;
    submission->completion.failure = {
        Outcome::kIo, status, writer_->directory(), 0, 0, ""};
    WalSubmissions refused;
    refused.push(std::move(submission));
    complete(std::move(refused));
    return queued_bytes();
  }
  queued_entries_ += submission->lengths.size();
  is_urgent_ = is_urgent_ || submission->lengths.empty();
  queue_.push(std::move(submission));
  // Notified under the mutex: the committer may be told to stop by another.
  wake_.notify_one();
  return queued_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
}

// With queue_mutex_ held.
platform::IoStatus WalLog::start_committer() {
  if (is_stopping_ || committer_.is_started()) return {};
  return committer_.start([this] { run(); });
}

bool WalLog::has_enough() const {
  // Without entries, as a sync: nothing is gained by waiting for more.
  return is_urgent_ || queued_entries_ >= policy_.count ||
         queued_bytes() >= policy_.bytes;
}

// The committer.
void WalLog::run() {
  std::unique_lock<std::mutex> lock(queue_mutex_);
  while (!is_stopping_) {
    const auto has_work = [this] { return is_stopping_ || !queue_.empty(); };
    if (is_mark_due_) {
      if (!wake_.wait_for(lock, kIdle, has_work)) {
        is_mark_due_ = false;
        lock.unlock();
        {
          const std::lock_guard<std::mutex> writing(writer_mutex_);
          // A failure poisons, and the next one to come is told.
          if (!is_closed_) (void)writer_->mark();
        }
        lock.lock();
        continue;
      }
    } else {
      wake_.wait(lock, [&] { return has_work() || is_mark_due_; });
    }
    if (is_stopping_) break;
    if (queue_.empty()) continue;
    if (policy_.wait_us > 0) {
      wake_.wait_for(lock, std::chrono::microseconds(policy_.wait_us),
                     [this] { return is_stopping_ || has_enough(); });
      if (is_stopping_) break;
    }
    lock.unlock();
    {
      const std::lock_guard<std::mutex> writing(writer_mutex_);
      if (!is_closed_) commit_queue();
    }
    lock.lock();
  }
}

WalCompletion WalLog::apply(const WalSubmission& submission) {
  WalCompletion completion;
  completion.first = writer_->next_lsn();
  if (!submission.refused.ok()) {
    completion.outcome = Outcome::kIo;
    completion.failure = {
        Outcome::kIo, submission.refused, writer_->directory(), 0, 0, ""};
    return completion;
  }
  const auto failed = [&](Outcome outcome) {
    completion.outcome = outcome;
    completion.failure = writer_->failure();
    return completion;
  };
  if (submission.expected_lsn != 0 &&
      submission.expected_lsn != writer_->next_lsn()) {
    completion.outcome = Outcome::kLsnMismatch;
    completion.failure = {
        Outcome::kLsnMismatch, {}, "", submission.expected_lsn,
        writer_->next_lsn(),   ""};
    return completion;
  }
  uint64_t lsn = 0;
  // A batch of none would be a record that is not valid.
  if (submission.is_batch && !submission.lengths.empty()) {
    const Outcome outcome = writer_->append_batch(
        submission.bytes.data(), submission.lengths.data(),
        submission.lengths.size(), &lsn);
    if (outcome != Outcome::kOk) return failed(outcome);
    CORE_CHECK(lsn == completion.first);
    completion.count = submission.lengths.size();
    return completion;
  }
  const uint8_t* data = submission.bytes.data();
  for (const uint32_t length : submission.lengths) {
    const Outcome outcome = writer_->append(data, length, &lsn);
    if (outcome != Outcome::kOk) return failed(outcome);
    CORE_CHECK(lsn == completion.first + completion.count);
    data += length;
    ++completion.count;
  }
  CORE_CHECK(completion.first + completion.count == writer_->next_lsn());
  return completion;
}

Outcome WalLog::reach(WalLevel level) {
  switch (level) {
    case WalLevel::kDisk: {
      const Outcome outcome = writer_->sync();
      const std::lock_guard<std::mutex> lock(queue_mutex_);
      // Without a committer followers are told of the last batch with the next.
      if (writer_->wants_mark() && !is_mark_due_ && start_committer().ok()) {
        is_mark_due_ = true;
        wake_.notify_one();
      }
      return outcome;
    }
    case WalLevel::kSystem:
      return writer_->flush();
    case WalLevel::kNone:
      break;
  }
  return Outcome::kOk;
}

// The commit has failed with `outcome`. A file that became full was synced on
// the way, and what it holds is durable all the same.
void WalLog::refuse_unless_durable(Outcome outcome,
                                   WalCompletion* completion) const {
  const uint64_t next_durable = writer_->durable_lsn() + 1;
  const uint64_t durable =
      next_durable > completion->first ? next_durable - completion->first : 0;
  const bool has_entries = completion->count > 0;
  // A sync has no entries; it waits for all before it.
  const bool is_done = has_entries ? completion->count <= durable
                                   : completion->first <= next_durable;
  // One that was refused already was told why.
  if (is_done || (completion->outcome != Outcome::kOk && !has_entries)) return;
  completion->count = std::min(completion->count, durable);
  completion->outcome = outcome;
  completion->failure = writer_->failure();
}

void WalLog::commit_queue() {
  WalSubmissions taken;
  {
    const std::lock_guard<std::mutex> lock(queue_mutex_);
    taken.append(std::move(queue_));
    queued_entries_ = 0;
    is_urgent_ = false;
  }
  WalSubmissions group;
  while (!taken.empty()) {
    std::unique_ptr<WalSubmission> one = taken.pop();
    if (one->request == WalRequest::kAppend) {
      group.push(std::move(one));
      continue;
    }
    commit_group(std::move(group));
    one->completion = maintain(*one);
    WalSubmissions done;
    done.push(std::move(one));
    complete(std::move(done));
  }
  commit_group(std::move(group));
}

// What is not an append, after all that came before it was committed.
WalCompletion WalLog::maintain(const WalSubmission& submission) {
  WalCompletion completion;
  switch (submission.request) {
    case WalRequest::kFindKept:
      completion.first =
          writer_->file_kept(submission.lsn, submission.passes_cursors);
      break;
    case WalRequest::kCheckpoint:
      completion.outcome = writer_->checkpoint(
          submission.lsn, submission.kept_file, submission.passes_cursors);
      break;
    case WalRequest::kTruncate:
      completion.outcome = truncate(submission.lsn);
      break;
    case WalRequest::kFinish:
      completion.outcome = writer_->close();
      break;
    case WalRequest::kBackup:
      completion.outcome = list_for_backup(submission.backup.get());
      break;
    case WalRequest::kAppend:
      break;
  }
  if (completion.outcome != Outcome::kOk) {
    completion.failure = writer_->failure();
  }
  return completion;
}

// With one sync for all of them.
void WalLog::commit_group(WalSubmissions group) {
  if (group.empty()) return;
  const bool was_poisoned = writer_->is_poisoned();
  WalLevel level = WalLevel::kNone;
  uint64_t bytes = 0;
  for (WalSubmission* one = group.first(); one != nullptr;
       one = one->next.get()) {
    one->completion = apply(*one);
    level = std::max(level, one->level);
    bytes += one->bytes.size();
  }
  const Outcome outcome = reach(level);
  for (WalSubmission* one = group.first(); one != nullptr;
       one = one->next.get()) {
    WalCompletion& completion = one->completion;
    if (outcome != Outcome::kOk) refuse_unless_durable(outcome, &completion);
    // It failed for all of them, not before.
    if (completion.outcome == Outcome::kPoisoned && !was_poisoned) {
      completion.failure = writer_->poison_failure();
    }
    if (one->lengths.empty() && completion.outcome == Outcome::kOk) {
      completion.first = writer_->durable_lsn();
    }
  }
  acked_lsn_.store(outcome == Outcome::kOk
                       ? writer_->last_lsn()
                       : std::max(acked_lsn(), writer_->durable_lsn()),
                   std::memory_order_relaxed);
  commits_.fetch_add(1, std::memory_order_relaxed);
  [[maybe_unused]] const uint64_t queued =
      queued_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  CORE_CHECK(queued >= bytes);
  CORE_CHECK(acked_lsn() <= writer_->last_lsn());
  complete(std::move(group));
}

void WalLog::complete(WalSubmissions done) {
  const std::lock_guard<std::mutex> lock(completion_mutex_);
  completions_.append(std::move(done));
  if (notify_) notify_();
}

WalSubmissions WalLog::take_completions() {
  const std::lock_guard<std::mutex> lock(completion_mutex_);
  return std::move(completions_);
}

Outcome WalLog::closed(Failure* failure) const {
  *failure = {};
  failure->outcome = Outcome::kClosed;
  return Outcome::kClosed;
}

// Does what must be done by the one who holds the writer, after what is
// queued.
template <typename Work>
Outcome WalLog::work(Failure* failure, Work work) {
  const std::lock_guard<std::mutex> lock(writer_mutex_);
  if (is_closed_) return closed(failure);
  commit_queue();
  const Outcome outcome = work();
  if (outcome != Outcome::kOk) *failure = writer_->failure();
  return outcome;
}

Outcome WalLog::append(const WalSubmission& submission, uint64_t* lsn,
                       Failure* failure) {
  WalCompletion completion;
  const Outcome outcome = work(failure, [&] {
    completion = apply(submission);
    *lsn = completion.first;
    if (completion.outcome != Outcome::kOk) return Outcome::kOk;
    const Outcome reached = reach(submission.level);
    if (reached == Outcome::kOk && submission.level != WalLevel::kNone) {
      acked_lsn_.store(writer_->last_lsn(), std::memory_order_relaxed);
    }
    return reached;
  });
  if (outcome != Outcome::kOk) return outcome;
  if (completion.outcome != Outcome::kOk) *failure = completion.failure;
  return completion.outcome;
}

Outcome WalLog::write(const uint8_t* bytes, const uint32_t* lengths,
                      size_t count, Failure* failure) {
  return work(failure, [&] {
    for (size_t i = 0; i < count; ++i) {
      uint64_t lsn = 0;
      const Outcome outcome = writer_->append(bytes, lengths[i], &lsn);
      if (outcome != Outcome::kOk) return outcome;
      bytes += lengths[i];
    }
    return Outcome::kOk;
  });
}

uint64_t WalLog::secure_room(uint64_t* next_lsn) {
  uint64_t room = 0;
  Failure closed;
  (void)work(&closed, [&] {
    room = writer_->secure_room();
    *next_lsn = writer_->next_lsn();
    return Outcome::kOk;
  });
  return room;
}

void WalLog::commit() {
  const std::lock_guard<std::mutex> lock(writer_mutex_);
  if (!is_closed_) commit_queue();
}

Outcome WalLog::sync(Failure* failure) {
  return work(failure, [this] {
    const Outcome outcome = reach(WalLevel::kDisk);
    if (outcome == Outcome::kOk) {
      acked_lsn_.store(writer_->last_lsn(), std::memory_order_relaxed);
    }
    return outcome;
  });
}

uint64_t WalLog::file_kept(uint64_t lsn, bool passes_cursors) {
  const std::lock_guard<std::mutex> lock(writer_mutex_);
  return writer_->file_kept(lsn, passes_cursors);
}

Outcome WalLog::checkpoint(uint64_t lsn, Failure* failure, uint64_t kept_file,
                           bool passes_cursors) {
  return work(failure, [&] {
    return writer_->checkpoint(lsn, kept_file, passes_cursors);
  });
}

// With the writer: a checkpoint that runs may have found no place for cursors.
Outcome WalLog::make_cursors(Failure* failure) {
  const std::lock_guard<std::mutex> lock(writer_mutex_);
  if (is_closed_) return closed(failure);
  const Outcome outcome = writer_->make_cursors();
  if (outcome != Outcome::kOk) *failure = writer_->failure();
  return outcome;
}

Outcome WalLog::truncate_after(uint64_t lsn, Failure* failure) {
  return work(failure, [&] { return truncate(lsn); });
}

Outcome WalLog::truncate(uint64_t lsn) {
  const Outcome outcome = writer_->truncate_after(lsn);
  if (outcome == Outcome::kOk) {
    acked_lsn_.store(writer_->last_lsn(), std::memory_order_relaxed);
  }
  return outcome;
}

Outcome WalLog::begin_backup(WalBackupSource* source, Failure* failure) {
  return work(failure, [&] { return list_for_backup(source); });
}

Outcome WalLog::list_for_backup(WalBackupSource* source) {
  Outcome outcome = writer_->sync();
  if (outcome != Outcome::kOk) return outcome;
  acked_lsn_.store(writer_->last_lsn(), std::memory_order_relaxed);
  outcome = writer_->mark();
  if (outcome != Outcome::kOk) return outcome;
  source->directory = writer_->directory();
  source->last_lsn = writer_->last_lsn();
  return writer_->copy_files(&source->files);
}

Outcome WalLog::step_backup(WalBackup& backup, Failure* failure) {
  const Outcome outcome = backup.step(failure);
  const uint64_t missing = backup.missing_file();
  if (outcome == Outcome::kOk || missing == 0) return outcome;
  const std::lock_guard<std::mutex> lock(writer_mutex_);
  const List<WalFileInfo>& files = writer_->files();
  if (files.empty() || files.front().number <= missing) return outcome;
  const uint64_t first = writer_->first_lsn();
  *failure = {
      Outcome::kCheckpointed, {}, writer_->directory(), first - 1, first, ""};
  return Outcome::kCheckpointed;
}

Outcome WalLog::show(WalReader* reader, Failure* failure) {
  const std::lock_guard<std::mutex> lock(writer_mutex_);
  if (is_closed_) return closed(failure);
  // A poisoned log can still be read as far as it is durable.
  const bool is_poisoned = writer_->is_poisoned();
  const Outcome outcome = is_poisoned ? Outcome::kOk : writer_->flush();
  if (outcome != Outcome::kOk) *failure = writer_->failure();
  const platform::IoStatus updated = reader->update(
      writer_->log_id(), writer_->files(), writer_->files().back().end_offset,
      writer_->first_lsn(),
      is_poisoned ? writer_->durable_lsn() : writer_->last_lsn());
  reader->expect_lock(writer_->lock_identity());
  if (outcome != Outcome::kOk || updated.ok()) return outcome;
  *failure = {Outcome::kIo, updated, writer_->directory(), 0, 0, ""};
  return Outcome::kIo;
}

Outcome WalLog::files(List<WalFileInfo>* files, Failure* failure) {
  const std::lock_guard<std::mutex> lock(writer_mutex_);
  const Outcome outcome = writer_->copy_files(files);
  if (outcome != Outcome::kOk) *failure = writer_->failure();
  return outcome;
}

Outcome WalLog::close(Failure* failure) {
  Outcome outcome = work(failure, [this] { return writer_->close(); });
  stop();
  return outcome;
}

void WalLog::stop() {
  {
    const std::lock_guard<std::mutex> lock(queue_mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  committer_.join();
  CORE_CHECK(!committer_.is_started());
  {
    const std::lock_guard<std::mutex> lock(completion_mutex_);
    notify_ = nullptr;
  }
  const std::lock_guard<std::mutex> lock(writer_mutex_);
  is_closed_ = true;
  writer_->unlock();
}

}  // namespace atomic_log::durable
