// One memory log for all processes of a machine: one writer appends, readers in
// any process read in place, and anyone may be killed at any instruction.
//
//  1. A process has one SharedLog per file, whatever path led to it; all its
//     threads share it, its slot and its handle of the file.
//  2. Nothing that outlives a process counts on that process: no reference
//     count, no list of free blocks. A block is free when no place of the ring
//     names it; it is found by looking. What a process holds stands in its
//     slot, which is its own for as long as it has the kernel's lock of it.
//  3. A block that is retired keeps its sequence (kRetired). Only an entry of
//     that very sequence stops the writer. Then it tries the lock of the slot:
//     when it can be had, the owner is dead, and the writer clears the slot
//     under the lock. It never tries its own.
//  4. The writer has the process's claim and then the kernel's lock, and
//     releases them in the other order. A thread that gets both goes through
//     the table in take_over() first.
//  5. Every value that is read from the memory is clamped to its range or
//     refused, and every loop over it is bounded: a stray store of another
//     process can make entries wrong or unreadable, nothing more. The writer
//     goes by its own copy of where things stand.
//
// The steps are numbered as in docs/concurrency.md; "pairs with" names the
// other side of each.
#ifndef ATOMIC_LOG_CORE_SHARED_MEMORY_SHARED_LOG_H_
#define ATOMIC_LOG_CORE_SHARED_MEMORY_SHARED_LOG_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/faults.h"
#include "core/base/list.h"
#include "core/memory/blocking_wait.h"
#include "core/memory/claim.h"
#include "core/memory/published_word.h"
#include "core/memory/reader_list.h"
#include "core/memory/window.h"
#include "core/platform/barrier.h"
#include "core/platform/process_watch.h"
#include "core/platform/shared_file.h"
#include "core/shared_memory/segment_copies.h"
#include "core/shared_memory/shared_format.h"
#include "core/shared_memory/shared_waits.h"

namespace atomic_log::shared_memory {

enum class SharedOutcome : uint8_t {
  kOk = 0,
  kIo = 1,           // OpenResult::io has what the system said
  kMismatch = 2,     // OpenResult::mismatch has why the file is refused
  kOutOfRange = 3,   // the options are outside the limits
  kNoSlot = 4,       // as many processes have the log open as it has slots
  kDamaged = 5,      // the memory holds what no one of this protocol stores
  kNoMemory = 6,     // the system refused memory
  kTooManyPins = 7,  // this process holds a segment as often as is counted
};

struct OpenResult {
  SharedOutcome outcome = SharedOutcome::kOk;
  platform::IoStatus io = {};
  Mismatch mismatch = Mismatch::kNone;
  uint64_t found = 0;
};

enum class SharedOpenMode : uint8_t {
  kJoin = 0,
  kCreateOrJoin = 1,
  kCreate = 2,
  kReadOnly = 3,  // also one of an earlier run of the system
  // As kCreateOrJoin, but one that has ended gives way to a new one, whatever
  // its options.
  kReplaceEnded = 4,
  kReadOnlyInFile = 5,  // as kReadOnly, with copies that lay_over() can show
};

// Tries at a walk that the writer keeps lapping; each repeats only after a
// whole window went by during it (memory/window.cc).
inline constexpr int kWalkTriesMax = 16;
// Tries at anything that only a process which keeps to no protocol could make
// fail so often.
inline constexpr int kBoundedTries = 1 << 12;

// Which logs that are there are joined or read.
struct Accepted {
  bool other_owner = false;  // also a file of another user
  // Not the log with this id, 32 hexadecimal digits; empty: any.
  std::string other_than = {};
};

constexpr bool reads_only(SharedOpenMode mode) {
  return mode == SharedOpenMode::kReadOnly ||
         mode == SharedOpenMode::kReadOnlyInFile;
}

class SharedLog : public std::enable_shared_from_this<SharedLog> {
 public:
  // `options` and `permissions` are those of a new file; a mode that makes none
  // needs no options.
  static OpenResult open(const std::string& path, SharedOpenMode mode,
                         const SharedLogOptions* options, uint32_t permissions,
                         const Accepted& accepted,
                         std::shared_ptr<SharedLog>* log);
  // Takes the name away; processes that have the log open keep it. Refuses what
  // is not such a file.
  static OpenResult unlink(const std::string& path);

  // The log of this process with that number and random id, if it has it open.
  static std::shared_ptr<SharedLog> find(uint64_t id, const std::string& token);

  ~SharedLog();
  SharedLog(const SharedLog&) = delete;
  SharedLog& operator=(const SharedLog&) = delete;

  // --- Immutable after construction: any thread.
  const SharedFormat& format() const { return format_; }
  uint32_t segment_capacity() const { return format_.options.segment_capacity; }
  uint32_t slot() const { return slot_; }
  // What other threads of this process find it by.
  uint64_t id() const { return id_; }
  const std::string& token() const { return token_; }
  const std::shared_ptr<platform::SharedMapping>& mapping() const {
    return mapping_;
  }
  // A log that is only read has no slot, pins copies and nothing in the file,
  // and is never claimed.
  bool is_read_only() const { return copies_ != nullptr; }
  // Whether the path that this process opened it by leads to another file now,
  // or to none, so that no one else finds this log. False where the system does
  // not tell.
  bool is_replaced() const;
  // Whether a publish wakes its waiters; otherwise they look again and again.
  bool wakes_at_once() const;
  // Whether the file was made before the system was started last.
  bool is_of_earlier_run() const { return is_of_earlier_run_; }
  // The block of a segment that is pinned, or of the writer's head, as
  // ArrayBuffers show it.
  ShownBlock shown(uint32_t block) {
    if (copies_ != nullptr) return copies_->shown(block);
    return {block_data(block), mapping_};
  }
  // The whole pages of a file that have all that shown() gives. Copies that are
  // in no file have none: 0 bytes.
  struct ShownPages {
    uint64_t offset;  // in the file
    uint64_t bytes;
    uint64_t block_at;  // where block 0 begins in them
  };
  ShownPages shown_pages() const;
  // Maps them over memory of the same size that begins on a page, for engines
  // whose ArrayBuffers show their own memory only. It shows the same entries at
  // another place; pinning and writing go on as before. `over` is to be
  // released before that memory.
  platform::IoStatus lay_over(void* memory,
                              std::unique_ptr<platform::SharedMapping>* over);
  // `block` is one of the format's.
  char* block_data(uint32_t block) const {
    CORE_CHECK(block < format_.blocks);
    return base_ + format_.data_offset + block * format_.layout.block_bytes();
  }

  // --- Readers, any thread.
  // Pins every segment of the window from sequence `floor` on, head included,
  // ascending and without a gap, and appends them to `pinned`; as
  // memory::pin_window. kDamaged, kNoMemory, kTooManyPins with nothing pinned.
  SharedOutcome pin_window(uint64_t floor, List<PinnedBlock>* pinned);
  // Returns one pin.
  void unpin(uint32_t block, uint64_t sequence);
  // Has the copy of the head brought up to date; nothing where there are no
  // copies.
  void catch_up() {
    if (copies_ != nullptr) copies_->catch_up();
  }

  // The indexes of the window now; looks without pinning.
  SharedOutcome bounds(memory::WindowBounds* bounds);

  // Acquire: pairs with end(), so that a thread that sees the end finds every
  // entry.
  bool has_ended() const {
    return ended().load(std::memory_order_acquire) != 0;
  }

  struct Stats {
    uint64_t retained;     // segments in the window
    uint64_t pinned;       // not in the window, held by a process that lives
    uint64_t used_blocks;  // blocks that have been a segment
    uint64_t rolls;
    uint64_t early_seals;
  };
  Stats stats() const;

  struct LivingSlot {
    uint32_t slot;
    uint32_t process_number = 0;  // as this process sees it; 0: not known
    bool is_own = false;
    bool is_writer = false;
    uint64_t pinned = 0;  // segments that are not in the window
  };
  // The slots that living processes have; what it says of them is a hint.
  std::vector<LivingSlot> living_slots() const;

  // --- Waiting, any thread.
  SharedWaits& waits() { return waits_; }
  memory::Arrival look_for(uint64_t index);
  memory::Arrival wait_for(uint64_t index, std::chrono::nanoseconds time,
                           memory::WaitUntil until = memory::WaitUntil::kEntry);
  memory::ReaderList& readers() { return readers_; }

  // --- The claim, any thread.
  bool is_claimed();
  // By this process, which opened the file in the same mode: then
  // release_claim() tells the waiters.
  bool is_claimed_here() const { return claim_.is_held(); }
  // The process that has it, as far as is known. Relaxed: a hint.
  platform::ProcessName writer_process() const {
    return writer_name().load(std::memory_order_relaxed);
  }
  // kOk with *is_claimed false: another has it, or the log has ended.
  SharedOutcome try_claim(bool* is_claimed);
  // The holder.
  void release_claim();
  // The holder, after its last publish: no more entries will come.
  void end();

  // --- The claimed writer.
  struct Cursor {
    uint32_t block = 0;
    uint32_t published = 0;
    uint64_t sequence = 0;
    uint64_t first_index = 0;
  };
  const Cursor& cursor() const { return cursor_; }

  // Makes the head's entries below `count` readable. A lower count than before
  // changes nothing, and one beyond the capacity is clamped.
  void publish(uint32_t count) {
    if (count > segment_capacity()) count = segment_capacity();
    if (count <= cursor_.published) return;
    cursor_.published = count;
    word(cursor_.block).publish(count);
    writer_step("stored");
    waits_.published(cursor_.first_index + count);
  }

  // As RollingLog::roll(): publishes `count`, seals the head, begins the next
  // segment. kPinned and kOutOfRange: nothing has changed.
  Status roll(uint32_t count);

 private:
  using Word64 = std::atomic<uint64_t>;
  using Word32 = std::atomic<uint32_t>;

  // `slot` is kNoSlot for a read-only one.
  SharedLog(SharedFormat format, std::unique_ptr<platform::SharedFile> file,
            std::shared_ptr<platform::SharedMapping> mapping, uint32_t slot,
            CopyFile copies = {});
  friend class SegmentCopies;
  static constexpr uint32_t kNoSlot = UINT32_MAX;

  static OpenResult create(const std::string& path,
                           const SharedLogOptions& options,
                           uint32_t permissions, bool replaces,
                           std::unique_ptr<platform::SharedFile>* file);
  // `mode` is kJoin, or one of those that are read only.
  static OpenResult join(const std::string& path,
                         std::unique_ptr<platform::SharedFile> file,
                         SharedOpenMode mode, const Accepted& accepted,
                         std::shared_ptr<SharedLog>* log);
  // kBoot comes last: then the format is there nevertheless.
  static OpenResult read_format(platform::SharedFile& file,
                                const Accepted& accepted, SharedFormat* format);
  // Reads the file; no one takes an end back.
  static bool has_ended(platform::SharedFile& file, const SharedFormat& format);
  static OpenResult replace_old(const std::string& path,
                                platform::SharedFile& old,
                                const SharedLogOptions& options,
                                uint32_t permissions,
                                std::unique_ptr<platform::SharedFile>* file);
  SharedWaits::Place waits_place();

  // --- Places in the memory. None leads outside of it: the caller's numbers
  // are in their ranges.
  template <typename T>
  T& at(uint64_t offset) const {
    return *reinterpret_cast<T*>(base_ + offset);
  }
  Word64& head() const {
    return at<Word64>(format_.control_offset + kHeadOffset);
  }
  Word32& ended() const {
    return at<Word32>(format_.control_offset + kEndedOffset);
  }
  Word64& early_seals() const {
    return at<Word64>(format_.control_offset + kEarlySealsOffset);
  }
  Word64& process_name(uint32_t slot) const {
    return at<Word64>(format_.slots_offset + slot * format_.slot_bytes +
                      kProcessOffset);
  }
  Word64& writer_name() const {
    return at<Word64>(format_.control_offset + kWriterProcessOffset);
  }
  Word32& ring(uint64_t sequence) const {
    return at<Word32>(format_.ring_offset +
                      sequence % format_.retained_segments * 4);
  }
  Word64& sequence_of(uint32_t block) const {
    return at<Word64>(format_.table_offset + uint64_t{block} * 16);
  }
  Word64& first_of(uint32_t block) const {
    return at<Word64>(format_.table_offset + uint64_t{block} * 16 + 8);
  }
  Word64& stamp_of(uint32_t block) const {
    return at<Word64>(format_.stamps_offset + uint64_t{block} * 8);
  }
  Word64& entry(uint32_t slot, uint32_t block) const {
    return at<Word64>(format_.slots_offset + slot * format_.slot_bytes +
                      kEntriesOffset + uint64_t{block} * 8);
  }
  memory::PublishedWord& word(uint32_t block) const {
    return *reinterpret_cast<memory::PublishedWord*>(block_data(block));
  }
  uint32_t readable(uint32_t word) const {
    const uint32_t count = memory::PublishedWord::count_of(word);
    return count < segment_capacity() ? count : segment_capacity();
  }

  // The block that is pinned now. kNoBlock: it is gone, or not there yet.
  // kFullEntry: this process holds it as often as an entry counts.
  static constexpr uint32_t kFullEntry = kNoBlock - 1;
  uint32_t try_pin(uint64_t sequence);
  void drop(uint32_t block, uint64_t sequence);
  void unpin_from(size_t begin, List<PinnedBlock>* pinned);
  // False when the block has become another segment.
  bool look_at(uint64_t sequence, uint64_t* first_index, uint32_t* count) const;
  // Whether a segment that begins at `first` can be followed by one that begins
  // at `above`. If not, one of them is a stray store.
  bool can_be_followed(uint64_t first, uint64_t above) const {
    return first < above && above - first <= segment_capacity() &&
           first <= memory::RollingLog::kIndexMax;
  }
  // With the slot's lock.
  void clear_slot(uint32_t slot, std::memory_order order);
  // Stores this process's name in its slot, for living_slots().
  void store_process_name();

  // The sequence that a block has, or had before it was retired.
  uint64_t named_sequence(uint32_t block) const {
    return sequence_of(block).load(std::memory_order_relaxed) & ~kRetired;
  }
  bool has_left_window(uint64_t sequence, uint64_t newest) const {
    return sequence + format_.retained_segments <= newest;
  }
  enum class Holder : uint8_t { kUnknown = 0, kAlive = 1, kDead = 2 };
  // Whether a living process pins it. `holders` has what is known of each slot.
  bool is_held(uint32_t block, uint64_t sequence,
               std::vector<Holder>* holders) const;

  // Repairs what a killed writer has left, and reads cursor_ and own_*.
  SharedOutcome take_over();
  // A block that is retired and that no one holds. kNoBlock: readers hold all
  // that are not in the window.
  uint32_t choose_block();
  // Whether no living process holds `sequence` of it.
  bool is_free(uint32_t block, uint64_t sequence);

  // Immutable after open().
  const SharedFormat format_;
  const std::unique_ptr<platform::SharedFile> file_;
  const std::shared_ptr<platform::SharedMapping> mapping_;
  char* const base_;
  const uint32_t slot_;
  std::string path_;
  bool is_of_earlier_run_ = false;
  uint64_t id_ = 0;
  std::string token_;

  // Writer only: its own copy of what it has stored; read again by each claim.
  alignas(memory::kCacheLineBytes) Cursor cursor_;
  List<uint32_t> own_ring_;
  List<uint64_t> own_sequences_;
  List<bool> is_in_ring_;

  // Shared by the threads of this process.
  alignas(memory::kCacheLineBytes) memory::Claim claim_;
  memory::ReaderList readers_;
  // What SharedWaits uses where there is no slot.
  alignas(memory::kCacheLineBytes) char own_slot_[memory::kCacheLineBytes] = {};
  Word64 own_hint_{kNoIndex};
  SharedWaits waits_;
  // Null unless this is read-only.
  const std::unique_ptr<SegmentCopies> copies_;
};

static_assert(sizeof(std::atomic<uint64_t>) == 8 &&
                  std::atomic<uint64_t>::is_always_lock_free &&
                  sizeof(std::atomic<uint32_t>) == 4 &&
                  std::atomic<uint32_t>::is_always_lock_free,
              "a lock would not be shared between processes");

}  // namespace atomic_log::shared_memory

#endif  // ATOMIC_LOG_CORE_SHARED_MEMORY_SHARED_LOG_H_
