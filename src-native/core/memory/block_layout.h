// Where things stand inside a block, the storage of one segment.
//
//   offset 0          published word (4 bytes), then unused up to 64
//   offset 64         column 0: capacity x its element size
//   next multiple     column 1, and so on
//   of 64
//
// A header line of its own keeps the word's cache line free of entries. The
// same layout is used by every block of a log; JavaScript makes its typed
// arrays from the same offsets. Immutable after construction.
#ifndef ATOMIC_LOG_CORE_MEMORY_BLOCK_LAYOUT_H_
#define ATOMIC_LOG_CORE_MEMORY_BLOCK_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/status.h"

namespace atomic_log::memory {

inline constexpr size_t kCacheLineBytes = 64;

class BlockLayout {
 public:
  static constexpr size_t kHeaderBytes = kCacheLineBytes;
  // The longest ArrayBuffer that every supported runtime can map.
  static constexpr uint64_t kBlockBytesMax = uint64_t{1} << 32;
  static constexpr size_t kColumnCountMax = 4096;

  // kOutOfRange when there is no column or too many, an element size is not
  // 1, 2, 4 or 8, or the block would be larger than kBlockBytesMax.
  static Status create(const std::vector<uint32_t>& element_bytes,
                       uint32_t segment_capacity, BlockLayout* layout) {
    if (element_bytes.empty() || element_bytes.size() > kColumnCountMax ||
        segment_capacity == 0) {
      return Status::kOutOfRange;
    }
    BlockLayout result;
    result.element_bytes_ = element_bytes;
    uint64_t offset = kHeaderBytes;
    for (const uint32_t bytes : element_bytes) {
      if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
        return Status::kOutOfRange;
      }
      result.column_offsets_.push_back(offset);
      const uint64_t column_bytes = uint64_t{segment_capacity} * bytes;
      offset += (column_bytes + kCacheLineBytes - 1) & ~(kCacheLineBytes - 1);
      if (offset > kBlockBytesMax) return Status::kOutOfRange;
    }
    result.block_bytes_ = offset;
    *layout = std::move(result);
    return Status::kOk;
  }

  // Byte offsets of the columns from the start of a block.
  const std::vector<uint64_t>& column_offsets() const {
    return column_offsets_;
  }
  // Bytes of one element of each column.
  const std::vector<uint32_t>& element_bytes() const { return element_bytes_; }
  uint64_t block_bytes() const { return block_bytes_; }

 private:
  std::vector<uint32_t> element_bytes_;
  std::vector<uint64_t> column_offsets_;
  uint64_t block_bytes_ = 0;
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_BLOCK_LAYOUT_H_
