// The bytes of a write-ahead log's files, for everyone who writes or reads
// them. All numbers are little-endian.
//
// A file has a fixed size. It begins with a header block:
//
//     0  magic "ATOMLWAL"          8  version, u32       12  features, u32
//    16  log id, 16 bytes         32  file number, u64   40  file bytes, u64
//    48  base LSN, u64            56  epoch, u32         60  branch, u32
//    64  oldest LSN, u64          72  oldest file, u64
//        of the file before (0 when there is none):
//    80  end of its SEAL, u64     88  its nextBase, u64
//    96  its SEAL's checksum, u32
//   100  metadata bytes, u32     104  metadata, the user's own
//  4092  checksum over the 4092 bytes before
//
// Then come records, each at a multiple of 8, zeros in between:
//
//   +--------+--------+-----------------+-----------------+
//   |checksum|  body  |       LSN       | durable offset  |
//   |  u32   | bytes  |       u64       |       u64       |
//   +--------+--------+-----------------+-----------------+
//    0        4        8                 16
//   +--------+--------+--------+--------+------------------
//   | epoch  | count  |  body  | type   | body ...
//   |  u32   |  u32   |checksum|  u32   |
//   +--------+--------+--------+--------+------------------
//    24       28       32       36       40
//
//  1. The head's checksum covers bytes 4..39 and is seeded with the log's id,
//     the file's number and the record's offset; so is the body's. A record
//     that was copied, moved or left over does not pass.
//  2. The head is verified before its length is believed.
//  3. The durable offset is the end of what was known to be on disk of this
//     file when the record was written: an intact head proves that everything
//     below it once was.
//  4. Only DATA and BATCH take LSNs, one and `count`; the other records carry
//     the LSN that comes next.
//  5. After the last entry the space of three control records is kept: for a
//     SYNC, for a CHECKPOINT that lets files go, and for SEAL. OPEN takes none
//     of it.
//  6. Epochs count the lives of a log: each OPEN begins one, and so does the
//     successor of a file that truncateAfter() has sealed. The branch is a
//     random number that comes with each: two copies of a log that went on
//     apart count alike, and their branches differ. 0: written by a release
//     that knew none.
//  7. A file that was made of the spare is shorter than the files of the log.
//     How long those are, its first record says, a SYNC, before the last of
//     them is dropped.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_FORMAT_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/crc32.h"

namespace atomic_log::durable {

inline constexpr uint8_t kWalMagic[8] = {'A', 'T', 'O', 'M',
                                         'L', 'W', 'A', 'L'};
inline constexpr uint32_t kWalVersion = 1;
inline constexpr size_t kWalHeaderBytes = 4096;
inline constexpr size_t kWalMetadataOffset = 104;
inline constexpr size_t kWalHeaderChecksumOffset = kWalHeaderBytes - 4;
inline constexpr size_t kWalMetadataBytesMax =
    kWalHeaderChecksumOffset - kWalMetadataOffset;

inline constexpr size_t kWalHeadBytes = 40;
// OPEN: the new epoch, its branch. SYNC: 0, file bytes. CHECKPOINT: oldest LSN,
// oldest file. SEAL: nextBase. Two u64 each, zero where there is nothing to say.
inline constexpr size_t kWalControlBodyBytes = 16;
inline constexpr size_t kWalControlBytes = kWalHeadBytes + kWalControlBodyBytes;
// What a record of that kind must leave free.
inline constexpr size_t kWalRoomAfterEntry = 3 * kWalControlBytes;
inline constexpr size_t kWalRoomAfterSync = 2 * kWalControlBytes;
inline constexpr size_t kWalRoomAfterCheckpoint = kWalControlBytes;
inline constexpr size_t kWalAlignment = 8;
// In a BATCH, count times: length and CRC-32C of an entry, both u32. Then the
// entries, without gaps.
inline constexpr size_t kWalBatchItemBytes = 8;

inline constexpr uint32_t kWalBodyBytesMax = uint32_t{1} << 24;
inline constexpr uint64_t kWalFileBytesMin = 2 * kWalHeaderBytes;
inline constexpr uint64_t kWalFileBytesMax = uint64_t{1} << 40;

// A shorter file has no room for OPEN and an entry. A header may say so all the
// same: it is believed of its own file, not of those to come.
inline constexpr uint64_t kWalFileBytesOfUse =
    kWalHeaderBytes + kWalControlBytes + kWalHeadBytes + kWalRoomAfterEntry;

static_assert(kWalFileBytesOfUse < kWalFileBytesMin);
static_assert(kWalHeaderBytes % kWalAlignment == 0);
static_assert(kWalControlBytes % kWalAlignment == 0);
static_assert(kWalHeaderBytes + 2 * kWalControlBytes < kWalFileBytesMin);

using WalLogId = std::array<uint8_t, 16>;

// JavaScript counts exactly that far, and further.
inline constexpr uint64_t kWalLsnMax = uint64_t{1} << 52;

enum class WalType : uint32_t {
  kData = 1,
  kBatch = 2,
  // A writer opened the log here.
  kOpen = 3,
  // Nothing but its durable offset.
  kSync = 4,
  kCheckpoint = 5,
  kSeal = 6,
};

struct WalHeader {
  WalLogId log_id = {};
  uint64_t file_number = 0;
  uint64_t file_bytes = 0;
  uint64_t base_lsn = 0;
  uint32_t epoch = 0;
  uint32_t branch = 0;
  uint64_t oldest_lsn = 0;
  uint64_t oldest_file = 0;
  uint64_t previous_end = 0;
  uint64_t previous_next_base = 0;
  uint32_t previous_seal_checksum = 0;
  std::vector<uint8_t> metadata;
  bool operator==(const WalHeader&) const = default;
};

// Writes kWalHeaderBytes bytes.
void encode_wal_header(const WalHeader& header, uint8_t* block);

enum class WalHeaderVerdict : uint8_t { kGood, kBad, kForeign, kNewer };
// kForeign: not a file of ours. kNewer: a version or feature unknown here.
WalHeaderVerdict decode_wal_header(const uint8_t* block, WalHeader* header);

struct WalHead {
  uint32_t checksum = 0;
  uint32_t body_bytes = 0;
  uint64_t lsn = 0;
  uint64_t durable_offset = 0;
  uint32_t epoch = 0;
  uint32_t count = 0;
  uint32_t body_checksum = 0;
  WalType type = WalType::kData;

  bool takes_lsns() const {
    return type == WalType::kData || type == WalType::kBatch;
  }
  // The LSN of the next record.
  uint64_t next_lsn() const { return takes_lsns() ? lsn + count : lsn; }
};

// The record with its padding.
inline uint64_t wal_record_bytes(uint64_t body_bytes) {
  return (kWalHeadBytes + body_bytes + kWalAlignment - 1) &
         ~uint64_t{kWalAlignment - 1};
}

// The checksums of one file's records. Any thread.
class WalCodec {
 public:
  WalCodec() = default;
  WalCodec(const WalLogId& log_id, uint64_t file_number);

  uint32_t body_checksum(uint64_t offset, const uint8_t* body,
                         size_t bytes) const;
  // Writes kWalHeadBytes bytes; head.checksum is set.
  void encode_head(uint64_t offset, WalHead& head, uint8_t* to) const;
  // Whether an intact head is at `from`, of a record at `offset`. `is_checked`:
  // its checksum was compared already.
  bool decode_head(uint64_t offset, const uint8_t* from, WalHead* head,
                   bool is_checked = false) const;
  // How many of the `available` bytes at `offset` are records whose head and
  // body both have their checksum, several at a time. It may stop before others
  // that have, and compares nothing else.
  size_t pass_intact(uint64_t offset, const uint8_t* bytes,
                     size_t available) const;

 private:
  uint32_t seed_at(uint64_t offset) const;

  Crc32Function crc_ = nullptr;
  uint32_t file_seed_ = 0;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_FORMAT_H_
