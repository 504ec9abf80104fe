// Write-ahead logs on simulated disks, scripts of operations, and what may be
// found after a crash.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_WAL_FIXTURE_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_WAL_FIXTURE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/durable/wal/wal_reader.h"
#include "core/durable/wal/wal_writer.h"
#include "support/simulated_file_system.h"

namespace atomic_log::test {

inline const std::string kWalDirectory = "log";

inline std::string wal_path(uint64_t number) {
  return durable::wal_file_path(kWalDirectory, number);
}

// Files of five records or so.
durable::WalOptions small_wal();

struct OpenedWal {
  durable::Outcome outcome = durable::Outcome::kOk;
  std::unique_ptr<durable::WalWriter> writer;
  durable::WalRecovery recovery;
  durable::Failure failure;
};

OpenedWal open_wal(SimulatedFileSystem& system,
                   const durable::WalOptions& options = small_wal());

// The entries by LSN, and the first LSN that the log keeps.
struct WalContents {
  std::map<uint64_t, Bytes> entries;
  uint64_t first_lsn = 1;
  uint64_t next_lsn = 1;
  bool operator==(const WalContents&) const = default;
};

// Reads the files without the reader of the core, and without repairing.
WalContents wal_contents(SimulatedFileSystem& system,
                         const durable::WalOptions& options = small_wal());

// What a reader sees of a log.
struct WalSight {
  durable::Outcome outcome = durable::Outcome::kOk;
  durable::Failure failure;
  WalContents contents;
  uint64_t proved_lsn = 0;
};

// Looks for what is new, and reads all there is.
WalSight see_wal(durable::WalReader& reader);
// With a reader of its own.
WalSight see_wal(SimulatedFileSystem& system, durable::WalTailMode tail);

// Runs operations named by letters, and knows what the log must be.
//
//   w x  append a small, a large entry            a A  the same, then sync
//   b B  append a batch of two                    s    sync
//   c C  checkpoint up to the last but one, to the last
//   t T  take back the last, the last two         i    mark
//   k    close and open                           f    flush
//   F    the disk is full from here on            U    it has room again
//   K    the process is killed; open
//   e    checkpoint of one more entry, if that frees no file
//   z    append an entry that is smaller than a control record
class WalScript {
 public:
  WalScript() { history_.push_back({}); }

  // What must hold, without the writer.
  static WalScript copy_of(const WalScript& other) {
    WalScript copy;
    copy.history_ = other.history_;
    copy.acknowledged_ = other.acknowledged_;
    copy.seed_ = other.seed_;
    copy.positions_ = other.positions_;
    copy.was_spare_used_ = other.was_spare_used_;
    copy.may_lack_space_ = other.may_lack_space_;
    return copy;
  }

  // Opens the log; false when there is no power, or a sync has failed.
  bool open(SimulatedFileSystem& system);
  // The disk has no room now and then: what fails for want of it fails without
  // having done anything, and opening and freeing do not.
  void allow_lack_of_space() { may_lack_space_ = true; }
  // What the last operation did that it must not; empty when all is well.
  const std::string& wrong() const { return wrong_; }

  // False: the operation failed, as failure() says. The writer stays when it
  // can go on: nothing has happened then, and the operation may be run again.
  bool run(char operation);
  void drop() { writer_.reset(); }

  // The machine is up again on `system`: the log must open, and be one of the
  // states since the last acknowledged one. Empty when all is well.
  // `may_fail`: a sync of the disk fails, so that opening may.
  std::string check_restart(SimulatedFileSystem& system, bool may_fail = false);

  // What the last restart has quarantined, and where it says it is.
  const Bytes& quarantined() const { return quarantined_; }
  const std::string& quarantine_path() const { return quarantine_path_; }

  durable::WalWriter* writer() { return writer_.get(); }
  const WalContents& latest() const { return history_.back(); }
  const durable::Failure& failure() const { return failure_; }

 private:
  bool step(char operation);
  bool checkpoint(uint64_t lsn);
  void note_position(uint64_t lsn, const Bytes& entry);
  bool lacks_space() const;
  void check_reader();
  void acknowledge() { acknowledged_ = history_.size() - 1; }
  bool append(size_t count, size_t bytes, bool is_batch);
  bool done(durable::Outcome outcome);

  std::unique_ptr<durable::WalWriter> writer_;
  SimulatedFileSystem* system_ = nullptr;
  // What the log is after each operation.
  std::vector<WalContents> history_;
  size_t acknowledged_ = 0;
  uint32_t seed_ = 0;
  // Every entry that ever was, by LSN and epoch: no two have the same.
  std::map<std::pair<uint64_t, uint32_t>, Bytes> positions_;
  bool may_lack_space_ = false;
  bool was_spare_used_ = false;
  std::string wrong_;
  durable::Failure failure_;
  Bytes quarantined_;
  std::string quarantine_path_;
};

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_WAL_FIXTURE_H_
