// Copies of the segments of a log that this process may only read: it has no
// slot where its pins could stand, so the writer does not wait for it.
//
//  1. A copy is made as a reader of a seqlock does it: the block's sequence,
//     the published word, the entries, a fence, the sequence once more. When it
//     is another one by then, what was copied is dropped, and the segment is
//     gone.
//  2. What is copied stays: the copy of the head gets what was published since,
//     after what it has. It is pinned as a block of the file is, and used again
//     for another segment only when no one pins it.
//  3. The copy of a segment that left the window before all of it was copied
//     stays short. A reader that holds one compares its count with the
//     successor's first index: there may be a gap.
//  4. The published word of a copy always has the seal: a reader that finds it
//     asks for what comes next, and so has the copies brought up to date.
//  5. Copies of the window are kept for the next snapshot. They take as much
//     memory as the window, and what is pinned besides, wherever a stray store
//     puts the head.
//  6. Where ArrayBuffers cannot show them in place, copies are made in a file
//     without a name, which is laid over memory that they can show. It has room
//     for kWindowsInFile windows; when readers pin more, there is no memory.
//
// Any thread may call anything.
#ifndef ATOMIC_LOG_CORE_SHARED_MEMORY_SEGMENT_COPIES_H_
#define ATOMIC_LOG_CORE_SHARED_MEMORY_SEGMENT_COPIES_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "core/base/list.h"
#include "core/platform/shared_file.h"

namespace atomic_log::shared_memory {

enum class SharedOutcome : uint8_t;
class SharedLog;
struct SharedFormat;

struct PinnedBlock {
  uint32_t block;
  uint64_t sequence;
  uint64_t first_index;
  uint32_t count;  // entries that may be read
};

// A block as ArrayBuffers show it; they keep `owner`.
struct ShownBlock {
  char* data;
  std::shared_ptr<const void> owner;
};

// Where copies are that can be laid over other memory: copy `id` at id x the
// bytes of a block.
struct CopyFile {
  static constexpr uint32_t kWindowsInFile = 8;
  // What an engine gives at most.
  static constexpr uint64_t kBytesMax = uint64_t{1} << 32;

  std::unique_ptr<platform::SharedFile> file;
  std::shared_ptr<platform::SharedMapping> mapping;

  static platform::IoStatus make(const SharedFormat& format, CopyFile* copies);
};

class SegmentCopies {
 public:
  // `file` is empty for copies that ArrayBuffers can show where they are.
  SegmentCopies(SharedLog& log, CopyFile file)
      : log_(log), file_(std::move(file)) {}

  // As SharedLog's; the numbers of blocks are those of copies.
  SharedOutcome pin_window(uint64_t floor, List<PinnedBlock>* pinned);
  void unpin(uint32_t id);
  // Copies what was published in the head since it was copied.
  void catch_up();
  // A copy that is pinned.
  ShownBlock shown(uint32_t id);
  const CopyFile& file() const { return file_; }

 private:
  struct Copy {
    std::shared_ptr<char> data;
    uint64_t sequence = 0;
    uint64_t first_index = 0;
    uint32_t count = 0;
    uint32_t pins = 0;
    // Nothing will be added to it.
    bool is_final = false;
    // It left the window before it was complete; final, too.
    bool is_lapped = false;
  };
  struct Known {
    uint64_t sequence;
    uint32_t id;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  // All of these with mutex_ held.
  // Where the sequence stands in known_, or would stand.
  Known* place_of(uint64_t sequence);
  // kNone when there is no copy of it.
  uint32_t find(uint64_t sequence);
  // Copies what was published since. False when the block has become another
  // segment.
  bool update(Copy* copy, uint64_t newest);
  void copy_entries(const char* from, char* to, uint32_t begin, uint32_t end);
  // As update(), of one that readers may have; once false, it stays false.
  bool complete(Copy* copy, uint64_t newest);
  // Gives the segments below the head the rest of their entries.
  void finish_older(uint64_t newest);
  uint32_t find_or_copy(uint64_t sequence, uint64_t newest, bool* has_memory);
  // Takes the copy at that place out of known_; kNone when it is pinned.
  uint32_t take_unpinned(size_t at);
  // A copy that no one pins, of a segment outside of the window, or a new one;
  // kNone when the system refuses memory for that.
  uint32_t take_unused(uint64_t newest);
  // Pins the segments from `lowest` to `newest`, descending, as far as they
  // are there; false when even the newest is not.
  bool pin_down(uint64_t lowest, uint64_t newest, List<PinnedBlock>* pinned,
                SharedOutcome* outcome);
  // Looks at the head once more where the walk has ended above `lowest`. False
  // when the head is gone, too.
  bool look_at_head_last(uint64_t lowest, uint64_t newest, size_t begin,
                         List<PinnedBlock>* pinned);
  void unpin_from(size_t begin, List<PinnedBlock>* pinned);

  // Memory for the next copy; null when the system refuses it.
  std::shared_ptr<char> take_block();

  SharedLog& log_;
  const CopyFile file_;
  std::mutex mutex_;
  // Guarded by mutex_. A copy has its memory for as long as the log is open,
  // because JavaScript knows a block by its number.
  List<Copy> copies_;
  // The copies that are of a segment, from the newest down, and the others:
  // both have room for all.
  List<Known> known_;
  List<uint32_t> idle_;
};

}  // namespace atomic_log::shared_memory

#endif  // ATOMIC_LOG_CORE_SHARED_MEMORY_SEGMENT_COPIES_H_
