// Group commit for a write-ahead log, so that several appends share one sync: a
// queue in front of a WalWriter, and one thread, the committer, that empties it.
//
//  1. Submissions are carried out in the order in which they came. Another
//     method that works on the log carries out what is queued first.
//  2. A submission is completed exactly once, in the same order: when the log is
//     as durable as it asked for, or when that has failed.
//     What a sync has made durable is completed so, whatever fails after it.
//  3. Appends that wait together share one sync (group commit). What takes
//     entries away stands alone between two groups.
//  4. The writer belongs to the holder of writer_mutex_; the queue and the
//     completions have mutexes of their own, taken after it, in this order.
//  5. The committer is started by the first call that needs it; when it cannot
//     be, the submission is completed with that at once, nothing is written, and
//     the next call tries again. stop() ends it: it waits for the commit that
//     runs, and drops what is queued.
//
// Any thread may call anything, but stop() only one.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_LOG_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_LOG_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "core/base/list.h"
#include "core/durable/outcome.h"
#include "core/durable/wal/wal_backup.h"
#include "core/durable/wal/wal_reader.h"
#include "core/durable/wal/wal_writer.h"
#include "core/platform/condition.h"
#include "core/platform/thread.h"

namespace atomic_log::durable {

// What must have happened when an append is acknowledged.
enum class WalLevel : uint8_t {
  // It is in the order of the log.
  kNone = 0,
  // The system has it: it survives the process.
  kSystem = 1,
  // The disk has it.
  kDisk = 2,
};

// When the committer goes to work: at once, or when one of these is reached.
struct WalCommitPolicy {
  uint64_t wait_us = 0;
  uint64_t count = UINT64_MAX;
  uint64_t bytes = UINT64_MAX;
};

enum class WalRequest : uint8_t {
  // Entries, or with none a sync.
  kAppend = 0,
  // What file_kept(lsn) says then.
  kFindKept = 1,
  // As the method of that name, with `kept_file`.
  kCheckpoint = 2,
  // As truncate_after().
  kTruncate = 3,
  // What close() would write, so that it has nothing left to wait for.
  kFinish = 4,
  // As begin_backup().
  kBackup = 5,
};

struct WalCompletion {
  // Entries first .. first + count - 1 are done; of the others, `failure`. For
  // a sync, `first` is the last durable LSN; for kFindKept the file.
  uint64_t first = 0;
  uint64_t count = 0;
  Outcome outcome = Outcome::kOk;
  Failure failure;
};

struct WalSubmission {
  WalRequest request = WalRequest::kAppend;
  // What the system refused to the one who made it: it is completed with that,
  // in its turn, and nothing else is done.
  platform::IoStatus refused;
  // Of the requests that are not appends.
  uint64_t lsn = 0;
  uint64_t kept_file = UINT64_MAX;
  bool passes_cursors = false;
  // Of kBackup: complete with the completion.
  std::shared_ptr<WalBackupSource> backup;

  WalLevel level = WalLevel::kDisk;
  bool is_batch = false;
  // The LSN that the first entry must get; 0: any.
  uint64_t expected_lsn = 0;
  // Entry i is the next lengths[i] bytes. No entries: a sync.
  Buffer bytes;
  List<uint32_t> lengths;

  // Once it is done.
  WalCompletion completion;
  // In a WalSubmissions.
  std::unique_ptr<WalSubmission> next;
};

// Submissions in their order. Each is memory of its own, and brings that of its
// completion along: what was acknowledged must not fail for want of it.
class WalSubmissions {
 public:
  WalSubmissions() = default;
  WalSubmissions(WalSubmissions&& other) noexcept { append(std::move(other)); }
  ~WalSubmissions() {
    // Not by the destructors of each other: there may be many.
    while (!empty()) (void)pop();
  }

  bool empty() const { return first_ == nullptr; }
  WalSubmission* first() const { return first_.get(); }
  void push(std::unique_ptr<WalSubmission> added) {
    WalSubmission* const last = added.get();
    (last_ == nullptr ? first_ : last_->next) = std::move(added);
    last_ = last;
  }
  std::unique_ptr<WalSubmission> pop() {
    std::unique_ptr<WalSubmission> popped = std::move(first_);
    first_ = std::move(popped->next);
    if (first_ == nullptr) last_ = nullptr;
    return popped;
  }
  // Nothing is left of `other`.
  void append(WalSubmissions&& other) {
    if (other.empty()) return;
    (last_ == nullptr ? first_ : last_->next) = std::move(other.first_);
    last_ = std::exchange(other.last_, nullptr);
  }

 private:
  std::unique_ptr<WalSubmission> first_;
  WalSubmission* last_ = nullptr;
};

class WalLog {
 public:
  static Outcome open(platform::FileSystem& system, const WalOptions& options,
                      const WalCommitPolicy& policy,
                      std::shared_ptr<WalLog>* log, WalRecovery* recovery,
                      Failure* failure);
  ~WalLog() { stop(); }

  // Called on any thread when there are completions; not any more after stop().
  void set_notify(std::function<void()> notify);

  // Returns the bytes in the queue. kIo with kNoThread in the completion: there is
  // no committer; what works on the calling thread still does.
  uint64_t submit(std::unique_ptr<WalSubmission> submission);
  WalSubmissions take_completions();

  // All of these work on the calling thread.
  Outcome append(const WalSubmission& submission, uint64_t* lsn,
                 Failure* failure);
  // Appends entries, each by itself; entry i is the next lengths[i] bytes. They
  // get their place in the log, and nothing more.
  Outcome write(const uint8_t* bytes, const uint32_t* lengths, size_t count,
                Failure* failure);
  // Bytes of records that write() is certain to take, as the writer's
  // secure_room() says, as long as nothing is submitted and no other of these is
  // called but write() and show(). `next_lsn` is that of the first.
  uint64_t secure_room(uint64_t* next_lsn);
  // Writes what is queued, durably where that was asked for.
  void commit();
  Outcome sync(Failure* failure);
  // As the writer's.
  uint64_t file_kept(uint64_t lsn, bool passes_cursors = false);
  Outcome checkpoint(uint64_t lsn, Failure* failure,
                     uint64_t kept_file = UINT64_MAX,
                     bool passes_cursors = false);
  Outcome make_cursors(Failure* failure);
  Outcome truncate_after(uint64_t lsn, Failure* failure);
  // Makes durable what there is, says so in the log for the readers of a copy,
  // and tells what to copy.
  Outcome begin_backup(WalBackupSource* source, Failure* failure);
  // A step of a copy of this log, also after it was closed. kCheckpointed when
  // a checkpoint has taken a file away that was still to be copied.
  Outcome step_backup(WalBackup& backup, Failure* failure);
  // Hands what was written to the system and tells the reader what there is;
  // what is queued stays there.
  Outcome show(WalReader* reader, Failure* failure);
  // Writes what is queued, syncs, and releases the log.
  Outcome close(Failure* failure);
  // Releases the log without writing anything.
  void stop();

  uint64_t acked_lsn() const {
    return acked_lsn_.load(std::memory_order_relaxed);
  }
  uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  uint64_t queued_bytes() const {
    return queued_bytes_.load(std::memory_order_relaxed);
  }
  // Its counters; the writer lives as long as the log.
  const WalWriter& writer() const { return *writer_; }
  Outcome files(List<WalFileInfo>* files, Failure* failure);

 private:
  WalLog(std::unique_ptr<WalWriter> writer, const WalCommitPolicy& policy)
      : policy_(policy), writer_(std::move(writer)) {}

  void run();
  platform::IoStatus start_committer();
  bool has_enough() const;
  void complete(WalSubmissions done);
  // With writer_mutex_ held:
  void commit_queue();
  void commit_group(WalSubmissions group);
  WalCompletion apply(const WalSubmission& submission);
  WalCompletion maintain(const WalSubmission& submission);
  Outcome list_for_backup(WalBackupSource* source);
  Outcome truncate(uint64_t lsn);
  Outcome reach(WalLevel level);
  void refuse_unless_durable(Outcome outcome, WalCompletion* completion) const;
  Outcome closed(Failure* failure) const;
  template <typename Work>
  Outcome work(Failure* failure, Work work);

  const WalCommitPolicy policy_;

  std::mutex writer_mutex_;
  // Guarded by writer_mutex_, but for the writer's counters.
  const std::unique_ptr<WalWriter> writer_;
  bool is_closed_ = false;

  std::mutex queue_mutex_;
  platform::Condition wake_;
  // Guarded by queue_mutex_.
  WalSubmissions queue_;
  uint64_t queued_entries_ = 0;
  // One without entries: it waits for nothing.
  bool is_urgent_ = false;
  bool is_stopping_ = false;
  bool is_mark_due_ = false;
  platform::Thread committer_;

  std::mutex completion_mutex_;
  // Guarded by completion_mutex_.
  WalSubmissions completions_;
  std::function<void()> notify_;

  // Relaxed: numbers to look at.
  std::atomic<uint64_t> queued_bytes_{0};
  std::atomic<uint64_t> acked_lsn_{0};
  std::atomic<uint64_t> commits_{0};
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_LOG_H_
