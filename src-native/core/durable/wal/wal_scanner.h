// Reads the records of one file of a write-ahead log, one after the other, and
// checks them against each other.
//
//  1. Memory is bounded by the buffer and by one record, whose length is
//     believed only when its head is intact and the file has that many bytes.
//  2. Time is linear in the bytes of the file.
//  3. A read error is never taken for a bad record.
//  4. The first read is as large as the caller says, and each later one four
//     times as large as the one before, up to kReadBytesMax: one record costs
//     little, and many cost few reads.
// One thread at a time.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_SCANNER_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_SCANNER_H_

#include <cstdint>

#include "core/base/list.h"
#include "core/durable/wal/wal_format.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// Where a scan stands: what the next record must be.
struct WalPosition {
  uint64_t offset = kWalHeaderBytes;
  uint64_t lsn = 0;
  uint32_t epoch = 0;
  uint32_t branch = 0;
};

// Where the records of a file begin.
inline WalPosition wal_begin(const WalHeader& header) {
  return {kWalHeaderBytes, header.base_lsn, header.epoch, header.branch};
}

enum class WalVerdict : uint8_t {
  kRecord,
  // No intact record of this epoch is there: the end, or damage.
  kNone,
  // An intact record, but with another LSN than must come.
  kWrongLsn,
  kReadFailed,
};

class WalScanner {
 public:
  static constexpr size_t kReadBytesMin = size_t{1} << 12;
  static constexpr size_t kReadBytesMax = size_t{1} << 18;

  // Records end at or before `end`.
  WalScanner(platform::File& file, const WalCodec& codec,
             const WalPosition& from, uint64_t end,
             size_t first_read_bytes = kReadBytesMax);

  // kRecord: head(), offset() and body() tell about it until the next call,
  // which goes on after it. The other verdicts stay; a scan may go on after
  // kNone with a larger end.
  WalVerdict next();

  const WalHead& head() const { return heads_[current_]; }
  // Of the record found last.
  uint64_t offset() const { return offset_; }
  const uint8_t* body() const { return body_; }
  // The branch that the record belongs to, as head().epoch is its epoch.
  uint32_t branch() const { return branch_; }
  // The first and second number of a control record's body.
  uint64_t control_value(size_t index) const;
  // After the last record, and what must come there.
  const WalPosition& position() const { return position_; }
  const platform::IoStatus& io() const { return io_; }

  void set_end(uint64_t end);

 private:
  // Null: the read failed, memory was refused, or the file is shorter.
  const uint8_t* at(uint64_t offset, size_t bytes);
  void check_ahead();

  platform::File& file_;
  const WalCodec codec_;
  uint64_t end_;
  WalPosition position_;
  uint64_t offset_ = 0;
  // The one found last, and the one that is looked at.
  WalHead heads_[2];
  size_t current_ = 0;
  uint32_t branch_ = 0;
  const uint8_t* body_ = nullptr;
  platform::IoStatus io_;
  bool is_short_ = false;

  // Of the next read.
  size_t read_bytes_;
  Buffer buffer_;
  uint64_t buffer_begin_ = 0;
  size_t buffer_bytes_ = 0;
  // Records that begin before this, from position_ on, have the checksums of
  // head and body, and are in the buffer.
  uint64_t checked_end_ = 0;
};

// The checksum of the SEAL at `offset`; 0 when no intact one is there.
platform::IoStatus read_wal_seal(platform::File& file, const WalCodec& codec,
                                 uint64_t offset, uint32_t* checksum);

// Looks for an intact head in (from, to), of whatever epoch, with a durable
// offset above `above` or, for 0, with any. *found is its offset, or 0.
platform::IoStatus find_wal_head(platform::File& file, const WalCodec& codec,
                                 uint64_t from, uint64_t to, uint64_t above,
                                 uint64_t* found);

// Looks for an intact head in (from, to), of whatever epoch, that says that
// `from` and more was on disk once. *proof is its offset, or 0.
inline platform::IoStatus find_wal_proof(platform::File& file,
                                         const WalCodec& codec, uint64_t from,
                                         uint64_t to, uint64_t* proof) {
  return find_wal_head(file, codec, from, to, from, proof);
}

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_SCANNER_H_
