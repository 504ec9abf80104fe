// The tail of a log that nothing proves to be on disk yet, for readers that show
// it while no writer has the log open.
//
//  1. Whether a writer has it open is asked, never found out by a lock of the
//     reader's own, which would refuse a writer.
//  2. What is shown is what opening for writing would keep, no more and no less.
//  3. What was shown before it was proved is remembered until it is settled: it
//     is proved, or it was taken back. It was taken back from the first LSN on
//     whose epoch or branch is another one now.
//
// One thread at a time.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_TAIL_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_TAIL_H_

#include <cstdint>
#include <string>

#include "core/base/list.h"
#include "core/durable/wal/wal_classify.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// What a reader shows: what is proved, or also what is intact after it.
enum class WalTailMode : uint8_t { kDurable, kIntact };

// Whether a writer has the log open. Where the system does not tell: yes; but
// for lack of a descriptor this fails, because it passes.
platform::IoStatus find_wal_writer(platform::FileSystem& system,
                                   const std::string& directory,
                                   const WalClassification& found,
                                   bool* has_writer);

// The LSN that comes after what is proved, and after what is intact. A SEAL's
// own word counts: a truncation may be half done.
uint64_t proven_next_lsn(const WalClassification& found);
uint64_t intact_next_lsn(const WalClassification& found);

class ShownTail {
 public:
  // Compares what was shown with what is there now.
  platform::IoStatus settle(platform::FileSystem& system,
                            const std::string& directory,
                            const WalClassification& found);
  // `found` is shown to its intact end. When memory is refused, nothing is.
  platform::IoStatus show(const WalClassification& found);

  // How often entries were taken back, and the first LSN of the last time.
  uint64_t takebacks() const { return takebacks_; }
  uint64_t taken_back_from() const { return taken_back_from_; }

 private:
  uint64_t first_difference(const List<WalPosition>& epochs,
                            uint64_t next_lsn) const;

  // Of what was shown and is not settled; 0: nothing.
  uint64_t file_number_ = 0;
  List<WalPosition> epochs_;
  uint64_t proven_next_ = 0;
  uint64_t shown_next_ = 0;

  uint64_t takebacks_ = 0;
  uint64_t taken_back_from_ = 0;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_TAIL_H_
