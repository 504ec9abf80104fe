// A log that processes share, as bytes in a file that all of them map.
//
//   0             header: what the log is; complete before the file has its
//                 name, and never stored to again
//   control       line 0:  0 head sequence (8)
//                          8 ended (4), 12 unused
//                         24 early seals (8)
//                         32 the writer's process (8), a hint
//                 line 1:  0 the lowest index that anyone waits for (8), a hint
//   ring          retained_segments x 4: the block of sequence s stands at
//                 s % retained_segments; kNoBlock where there is none yet
//   table         blocks x 16: sequence | kRetired (8), first index (8)
//   slots         readers_max x slot_bytes:
//                          0 the lowest index that the process waits for (8)
//                          8 epoch, a futex word (4), 4 unused
//                         16 the process that has the slot (8), a hint
//                         64 blocks x 8: sequence << 16 | holders
//   data          blocks x block_bytes, as memory/block_layout.h has it; begins
//                 on a page
//   stamps        blocks x 8: the sequence of each block once more. Stored before
//                 that of the table, and after the entries in the file: a copy
//                 that was made from its beginning to its end has an intact
//                 block where both agree
//
// Header, numbers little-endian; the rest is of this machine, whose byte order
// is in the header:
//
//   0   magic "ATOMLOG\x1a" (8)      64  retained capacity (8)
//   8   byte order, native (4)       72  index of the first entry ever (8)
//   12  layout version (4)           80  file bytes (8)
//   16  header bytes (4)             88  block bytes (8)
//   20  CRC-32C of the header, with  96  boot id (16)
//       zeros here (4)               112 random id (16)
//   24  segment capacity (4)         128 element bytes: 4 per field of fixed
//   28  retained segments (4)            size
//   32  blocks (4)                   ..  data bytes: 8 per field of variable
//   36  readers, at most (4)             size
//   40  fields of fixed size (4)     ..  descriptor
//   44  fields of variable size (4)
//   48  descriptor bytes (4), then unused
//
//  1. A process copies the header once and believes its copy, after the checks
//     of decode(): from then on no number in the file leads outside of it.
//  2. Of everything after the header, each reader says what it does with a
//     value that no one of this protocol can have stored.
#ifndef ATOMIC_LOG_CORE_SHARED_MEMORY_SHARED_FORMAT_H_
#define ATOMIC_LOG_CORE_SHARED_MEMORY_SHARED_FORMAT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/list.h"
#include "core/memory/block_layout.h"
#include "core/platform/shared_file.h"

namespace atomic_log::shared_memory {

inline constexpr uint32_t kLayoutVersion = 2;
inline constexpr uint32_t kNoBlock = UINT32_MAX;
inline constexpr uint64_t kNoIndex = UINT64_MAX;

inline constexpr uint32_t kReadersMaxMax = 1024;
inline constexpr uint32_t kSegmentsMax = uint32_t{1} << 20;
inline constexpr size_t kHeaderFixedBytes = 128;
inline constexpr size_t kHeaderBytesMax =
    kHeaderFixedBytes + memory::BlockLayout::kFieldCountMax * 8 +
    memory::BlockLayout::kDescriptorBytesMax;

// A sequence fills 48 bits, so that it fits into an entry with its holders.
inline constexpr uint64_t kSequenceMax = (uint64_t{1} << 48) - 2;
// What a block that was never used has: no one ever pins it.
inline constexpr uint64_t kNoSequence = kSequenceMax + 1;
// The block is being made another segment; the sequence that it had says for
// which pins to look.
inline constexpr uint64_t kRetired = uint64_t{1} << 63;

// What a process holds of a block, in one word: with the count elsewhere, a
// thread that drops and one that pins could lose each other's.
struct Entry {
  static constexpr uint64_t kHoldersMax = 0xFFFF;
  static constexpr uint64_t make(uint64_t sequence, uint64_t holders) {
    return sequence << 16 | holders;
  }
  static constexpr uint64_t sequence_of(uint64_t entry) { return entry >> 16; }
  static constexpr uint64_t holders_of(uint64_t entry) {
    return entry & kHoldersMax;
  }
};

// Why a file is not joined.
enum class Mismatch : uint8_t {
  kNone = 0,
  kMagic = 1,      // not such a file
  kByteOrder = 2,  // of a machine with another byte order
  kVersion = 3,    // another layout; found says which
  kChecksum = 4,   // the header is damaged
  kSizes = 5,      // the header contradicts itself
  kFileBytes = 6,  // the file is shorter than it says: found, in bytes
  kBoot = 7,       // of an earlier run of the system
  kOwner = 8,      // another user's
  kSame = 9,       // the one log that is not meant
};

// What a new log is made of.
struct SharedLogOptions {
  uint64_t retained_capacity = 0;  // entries
  uint32_t segment_capacity = 0;   // entries
  std::vector<uint32_t> element_bytes = {};
  std::vector<uint64_t> data_bytes = {};
  std::string descriptor = {};  // opaque to the core
  uint64_t first_index = 0;
  uint32_t readers_max = 64;    // processes
  uint32_t extra_segments = 0;  // that readers may keep beyond the window
};

struct SharedFormat {
  SharedLogOptions options;
  memory::BlockLayout layout;
  uint32_t retained_segments = 0;
  uint32_t blocks = 0;
  platform::BootId boot_id;
  uint8_t random_id[16] = {};

  // What follows from those.
  uint64_t header_bytes = 0;
  uint64_t control_offset = 0;
  uint64_t ring_offset = 0;
  uint64_t table_offset = 0;
  uint64_t slots_offset = 0;
  uint64_t slot_bytes = 0;
  uint64_t data_offset = 0;
  uint64_t stamps_offset = 0;
  uint64_t file_bytes = 0;

  // False when the options are outside the limits.
  static bool make(const SharedLogOptions& options, SharedFormat* format);

  // The lowest sequence of the window whose head is `newest`.
  uint64_t lowest_in_window(uint64_t newest) const {
    return newest >= retained_segments ? newest + 1 - retained_segments : 0;
  }
  // The sequence that a walk down from the head must reach: the lowest of a
  // full window may be evicted meanwhile, and what is above it still holds the
  // retained capacity.
  uint64_t lowest_needed(uint64_t newest) const {
    return lowest_in_window(newest + 1);
  }

  // Stores the header's header_bytes bytes.
  void encode(uint8_t* to) const;
  // `header` is the beginning of a file of `file_bytes` bytes, as much of it as
  // header_bytes_of() asks for. *found has a number where Mismatch says so.
  static Mismatch decode(const Buffer& header, uint64_t file_bytes,
                         SharedFormat* format, uint64_t* found);
  // From the first kHeaderFixedBytes; 0 when it cannot be such a file.
  static size_t header_bytes_of(const uint8_t* fixed);
};

// Where things stand in the control lines.
inline constexpr uint64_t kHeadOffset = 0;
inline constexpr uint64_t kEndedOffset = 8;
inline constexpr uint64_t kEarlySealsOffset = 24;
inline constexpr uint64_t kWriterProcessOffset = 32;
inline constexpr uint64_t kWakeOffset = memory::kCacheLineBytes;
inline constexpr uint64_t kControlBytes = 2 * memory::kCacheLineBytes;
// In a slot.
inline constexpr uint64_t kWaitedOffset = 0;
inline constexpr uint64_t kEpochOffset = 8;
inline constexpr uint64_t kProcessOffset = 16;
inline constexpr uint64_t kEntriesOffset = memory::kCacheLineBytes;
static_assert(kWriterProcessOffset + 8 <= kWakeOffset &&
                  kWakeOffset + 8 <= kControlBytes &&
                  kProcessOffset + 8 <= kEntriesOffset,
              "what is written for each entry shares no line with the hint");

// Numbers of the kernel's locks: the claim, the file's name, and one per slot.
inline constexpr uint32_t kWriterLock = 0;
inline constexpr uint32_t kNameLock = 1;
inline constexpr uint32_t slot_lock(uint32_t slot) { return 16 + slot; }

}  // namespace atomic_log::shared_memory

#endif  // ATOMIC_LOG_CORE_SHARED_MEMORY_SHARED_FORMAT_H_
