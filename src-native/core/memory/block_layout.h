// Where things stand inside a block, the storage of one segment.
//
//   offset 0          published word (4 bytes), then unused up to 64
//   offset 64         column 0: capacity x its element size
//   next multiple     column 1, and so on
//   of 64
//   then for each     offsets: (capacity + 1) x 4 bytes; value i of the field
//   field of          is data [offsets[i], offsets[i + 1])
//   variable size     data: as many bytes as the field was given
//
// Offsets and data are columns like the others, and each begins on a line of
// its own; this is Arrow's layout of values of variable size. A header line of
// its own keeps the word's cache line free of entries. The same layout is used
// by every block of a log; JavaScript makes its typed arrays from the same
// offsets. Immutable after construction.
#ifndef ATOMIC_LOG_CORE_MEMORY_BLOCK_LAYOUT_H_
#define ATOMIC_LOG_CORE_MEMORY_BLOCK_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/check.h"
#include "core/base/status.h"

namespace atomic_log::memory {

inline constexpr size_t kCacheLineBytes = 64;

class BlockLayout {
 public:
  static constexpr size_t kHeaderBytes = kCacheLineBytes;
  // The longest ArrayBuffer that every supported runtime can map.
  static constexpr uint64_t kBlockBytesMax = uint64_t{1} << 32;
  static constexpr size_t kFieldCountMax = 4096;
  // Of what a log says of its columns: their names, for the most part.
  static constexpr size_t kDescriptorBytesMax = size_t{1} << 20;
  // Offsets into the data of a field are signed and of 32 bits.
  static constexpr uint64_t kDataBytesMax = (uint64_t{1} << 31) - 1;

  // `element_bytes` has one element for each field of fixed size, `data_bytes`
  // one for each field of variable size. kOutOfRange when there is no field or
  // too many, an element size is not 1, 2, 4 or 8, data has no bytes or more
  // than kDataBytesMax, or the block would be larger than kBlockBytesMax.
  static Status create(const std::vector<uint32_t>& element_bytes,
                       const std::vector<uint64_t>& data_bytes,
                       uint32_t segment_capacity, BlockLayout* layout) {
    const size_t field_count = element_bytes.size() + data_bytes.size();
    if (field_count == 0 || field_count > kFieldCountMax ||
        segment_capacity == 0) {
      return Status::kOutOfRange;
    }
    BlockLayout result;
    result.element_bytes_ = element_bytes;
    for (const uint32_t bytes : element_bytes) {
      if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
        return Status::kOutOfRange;
      }
      if (!result.add_column(uint64_t{segment_capacity} * bytes)) {
        return Status::kOutOfRange;
      }
    }
    for (const uint64_t bytes : data_bytes) {
      if (bytes == 0 || bytes > kDataBytesMax ||
          !result.add_column((uint64_t{segment_capacity} + 1) * 4) ||
          !result.add_column(bytes)) {
        return Status::kOutOfRange;
      }
    }
    CORE_CHECK(result.block_bytes_ % kCacheLineBytes == 0);
    CORE_CHECK(result.column_offsets_.front() == kHeaderBytes &&
               result.column_offsets_.back() < result.block_bytes_);
    *layout = std::move(result);
    return Status::kOk;
  }

  // Byte offsets of the columns from the start of a block: one per field of
  // fixed size, then offsets and data of each field of variable size.
  const std::vector<uint64_t>& column_offsets() const {
    return column_offsets_;
  }
  // Bytes of one element of each column.
  const std::vector<uint32_t>& element_bytes() const { return element_bytes_; }
  uint64_t block_bytes() const { return block_bytes_; }

 private:
  // False when the block would become too large.
  bool add_column(uint64_t bytes) {
    column_offsets_.push_back(block_bytes_);
    block_bytes_ += (bytes + kCacheLineBytes - 1) & ~(kCacheLineBytes - 1);
    return block_bytes_ <= kBlockBytesMax;
  }

  std::vector<uint32_t> element_bytes_;
  std::vector<uint64_t> column_offsets_;
  uint64_t block_bytes_ = kHeaderBytes;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_BLOCK_LAYOUT_H_
