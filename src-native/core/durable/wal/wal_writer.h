// The one writer of a write-ahead log, without threads of its own.
//
//  1. LSNs are dense: an operation that fails before it wrote anything takes
//     none.
//  2. An entry is durable when a sync that began after it has returned kOk, and
//     only then durable_lsn() covers it; an operation that promises durability
//     returns afterwards.
//  3. The durable offset in a record moves after a real sync only.
//  4. After a write or a sync has failed the writer is poisoned: nothing is
//     written any more and durable_lsn() stays. What is on disk is found out by
//     opening the log again.
//  5. A file that has a successor never changes again.
//  6. The space of the next file is secured before this one is sealed: a full
//     disk, or a directory that may not be written any more, costs an append,
//     not the log. Opening, checkpoint() of whole files and close() need none.
//  7. durable offset <= offset of the buffer <= tail <= bytes of the file; the
//     buffer holds what is between its offset and the tail. After the last
//     entry there is room for three control records.
//  8. File numbers rise by one, and so do epochs; a file begins with the LSN
//     that comes next.
//  9. Names in the directory change only while it is the one that was locked,
//     and nothing is durable that was synced a second after it was not.
// 10. LOCK and the newest file are locked, so that a LOCK that is taken away
//     lets no second writer in.
//
// One thread at a time; the atomic counters may be read by any.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_WRITER_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_WRITER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/list.h"
#include "core/durable/outcome.h"
#include "core/durable/wal/wal_cursors.h"
#include "core/durable/wal/wal_files.h"
#include "core/durable/wal/wal_format.h"
#include "core/durable/wal/wal_recovery.h"
#include "core/durable/wal/wal_reserve.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

inline constexpr size_t kWalSecuredEntryBytesMax = size_t{1} << 14;

class WalWriter {
 public:
  // Opens the log, or creates it, as wal_recovery.h says. kLocked:
  // Failure::value is the holder's process id, where it is known.
  static Outcome open(platform::FileSystem& system, const WalOptions& options,
                      std::unique_ptr<WalWriter>* writer, WalRecovery* recovery,
                      Failure* failure);

  // What was not flushed is dropped; see close().
  ~WalWriter() { unlock(); }
  WalWriter(const WalWriter&) = delete;

  // Appends one entry to the buffer.
  Outcome append(const uint8_t* data, size_t bytes, uint64_t* lsn);
  // Appends entries that come back together or not at all; entry i is the next
  // lengths[i] bytes.
  Outcome append_batch(const uint8_t* data, const uint32_t* lengths,
                       size_t count, uint64_t* first_lsn);
  // Bytes of records that append() is certain to take, in this file and without
  // memory, unless the writer is poisoned; 0: none. It holds as long as nothing
  // but append() of kWalSecuredEntryBytesMax at most, flush() and mark() is
  // called.
  uint64_t secure_room();
  // Hands everything to the system: a process that is killed loses nothing.
  Outcome flush();
  // flush(), then to the disk.
  Outcome sync();
  // Drops the entries up to `lsn`, durably, and the files that hold nothing
  // else; of those below `kept_file` only. The newest file too, when
  // nothing is kept and an append has found no room for another one: then also
  // when it was called with the same LSN before.
  //
  // It stops before the entry that the slowest cursor stands on, unless it
  // `passes_cursors`. kCursorDamaged, kCursorsLocked: nothing was done.
  Outcome checkpoint(uint64_t lsn, uint64_t kept_file = UINT64_MAX,
                     bool passes_cursors = false);
  // The first file that checkpoint(lsn) would keep; the one that comes next,
  // when none that is there now.
  uint64_t file_kept(uint64_t lsn, bool passes_cursors = false);
  // Makes the place for cursors.
  Outcome make_cursors();
  // Takes back the entries after `lsn`, durably; it is the last one then.
  Outcome truncate_after(uint64_t lsn);
  // Writes how far the disk is, for those who follow, unless it is known.
  Outcome mark();
  // mark() and sync().
  Outcome close();
  // Closes the file and releases the lock; nothing but the counters may be
  // used afterwards.
  void unlock();

  // Any thread. Relaxed: they are numbers to look at, and publish no memory.
  uint64_t first_lsn() const { return load(first_lsn_); }
  uint64_t last_lsn() const { return load(last_lsn_); }
  uint64_t durable_lsn() const { return load(durable_lsn_); }
  uint64_t syncs() const { return load(syncs_); }
  uint64_t rotations() const { return load(rotations_); }
  uint64_t written_bytes() const { return load(written_bytes_); }
  // Of files(), which takes time for each of them.
  uint64_t file_count() const { return load(file_count_); }
  uint64_t files_bytes() const { return load(files_bytes_); }

  uint64_t next_lsn() const { return next_lsn_; }
  const platform::FileIdentity& lock_identity() const { return lock_identity_; }
  bool is_poisoned() const { return is_poisoned_; }
  // Whether there is an entry that no record says to be durable.
  bool wants_mark() const { return is_unmarked_; }
  uint64_t entry_bytes_max() const;
  // Of the next record.
  uint32_t epoch() const { return epoch_; }
  const std::string& directory() const { return options_.directory; }
  const WalLogId& log_id() const { return log_id_; }
  const std::vector<uint8_t>& metadata() const { return metadata_; }
  // Oldest first; the newest one's end is what was handed to the system.
  const List<WalFileInfo>& files() const { return files_; }
  // A copy of them.
  Outcome copy_files(List<WalFileInfo>* files);
  // Of the last operation that did not return kOk.
  const Failure& failure() const { return failure_; }
  // Of what has poisoned the writer.
  const Failure& poison_failure() const { return poison_failure_; }

 private:
  WalWriter(platform::FileSystem& system, const WalOptions& options);
  static uint64_t load(const std::atomic<uint64_t>& number) {
    return number.load(std::memory_order_relaxed);
  }
  static void store(std::atomic<uint64_t>& number, uint64_t value) {
    number.store(value, std::memory_order_relaxed);
  }
  static void add(std::atomic<uint64_t>& number, uint64_t value) {
    number.fetch_add(value, std::memory_order_relaxed);
  }

  Outcome take_lock();
  Outcome lock_newest(const WalClassification& found);
  bool is_place_check_due();
  Outcome check_directory();
  Outcome find_reserve(const WalClassification& found);
  Outcome start(WalClassification& found);
  Outcome create_log();
  Outcome create_file(WalHeader header, bool may_use_spare);
  void finish_truncation(uint64_t next_base);
  Outcome recreate_file(WalClassification& found);
  void adopt(WalClassification& found);
  Outcome write_open();

  // With so much room left after it.
  bool fits(uint64_t record_bytes, uint64_t room) const;
  bool entry_fits(uint64_t record_bytes) const;
  Outcome make_room(uint64_t record_bytes);
  // Seals this file and goes on in a new one. Below next_lsn_: the entries from
  // there on are taken back.
  Outcome rotate(uint64_t next_base, bool may_use_spare);
  struct CheckpointPlan {
    uint64_t kept_file = 0;
    bool must_rotate = false;
    bool frees_newest = false;
  };
  CheckpointPlan plan_checkpoint(uint64_t lsn, uint64_t kept_file_max) const;
  uint64_t place_of(const WalCursorState& cursor) const;
  Outcome stop_at_cursors(uint64_t* lsn);
  Outcome lock_cursors(std::unique_ptr<WalFileLock>* lock);
  void count_file(const WalFileInfo& file);
  void drop_files(uint64_t oldest_file);
  bool is_worth_freeing(uint64_t lsn) const;
  uint32_t draw_branch();
  void begin_epoch(uint32_t branch);
  WalHeader next_header(uint64_t next_base) const;
  void enter(std::shared_ptr<platform::File> file, const WalHeader& header);
  uint32_t put(WalType type, uint32_t count, uint64_t body_bytes);
  uint32_t put_control(WalType type, uint64_t first, uint64_t second);
  // Makes the buffer larger by a record of an entry; false: memory is refused.
  bool extend_buffer(uint64_t record_bytes);
  uint8_t* body_of_next();
  Outcome put_and_flush(size_t body_bytes, WalType type, uint32_t count,
                        uint64_t* lsn);
  bool is_no_space(Outcome outcome) const;
  Outcome refuse(Outcome outcome, uint64_t offset, uint64_t value);
  Outcome io_failure(const platform::IoStatus& io);
  Outcome poisoned();
  Outcome poison(const platform::IoStatus& io, const char* detail);
  void publish_durable();

  platform::FileSystem& system_;
  // Never changed once the log is open.
  WalOptions options_;
  // Held open, so that a lack of descriptors never keeps a name from the disk.
  std::unique_ptr<platform::Directory> names_;
  std::unique_ptr<platform::File> lock_file_;
  platform::FileIdentity lock_identity_;
  bool is_registered_ = false;

  // Of the log.
  WalLogId log_id_ = {};
  std::vector<uint8_t> metadata_;
  uint64_t next_lsn_ = 1;
  uint32_t epoch_ = 0;
  uint32_t branch_ = 0;
  uint64_t branch_state_ = 0;
  uint64_t oldest_lsn_ = 1;
  uint64_t oldest_file_ = 1;
  List<WalFileInfo> files_;
  // Files below oldest_file_ that could not be deleted yet.
  List<uint64_t> garbage_;
  WalReserve reserve_;

  // Of the newest file.
  std::shared_ptr<platform::File> file_;
  uint64_t file_number_ = 0;
  uint64_t file_bytes_ = 0;
  WalCodec codec_;
  uint64_t tail_ = 0;
  uint64_t durable_offset_ = 0;
  uint64_t zeroed_end_ = 0;
  // Records that are not with the system yet; they begin at buffer_offset_.
  // There is always room for kControlsMax control records more: what seals,
  // marks and frees needs no memory.
  Buffer buffer_;
  uint64_t buffer_offset_ = 0;
  // After its last entry.
  uint64_t entries_end_ = 0;
  // There is an entry that no record says to be durable.
  bool is_unmarked_ = false;
  // There was no room for OPEN, so that its epoch is the one before: it takes
  // no entries, and its successor begins the new epoch.
  bool is_without_open_ = false;

  // There was no room for the next file.
  bool lacks_space_ = false;
  bool is_poisoned_ = false;
  platform::IoStatus poison_;
  Failure poison_failure_;
  std::chrono::steady_clock::time_point place_checked_at_ = {};
  Failure failure_;

  std::atomic<uint64_t> first_lsn_{1};
  std::atomic<uint64_t> last_lsn_{0};
  std::atomic<uint64_t> durable_lsn_{0};
  std::atomic<uint64_t> syncs_{0};
  std::atomic<uint64_t> rotations_{0};
  std::atomic<uint64_t> written_bytes_{0};
  std::atomic<uint64_t> file_count_{0};
  std::atomic<uint64_t> files_bytes_{0};
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_WRITER_H_
