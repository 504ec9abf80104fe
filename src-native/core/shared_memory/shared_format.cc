#include "core/shared_memory/shared_format.h"

#include <cstring>

#include "core/base/crc32.h"
#include "core/base/little_endian.h"
#include "core/memory/published_word.h"
#include "core/memory/rolling_log.h"

namespace atomic_log::shared_memory {
namespace {

using memory::kCacheLineBytes;

constexpr uint8_t kMagic[8] = {'A', 'T', 'O', 'M', 'L', 'O', 'G', 0x1a};
constexpr uint32_t kByteOrder = 0x01020304;
// Blocks begin on a page of most machines, but nothing depends on that.
constexpr uint64_t kPageBytes = 4096;
constexpr size_t kChecksumAt = 20;

constexpr uint64_t round_up(uint64_t bytes, uint64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// Of the header with zeros where the checksum stands. It has at least
// kHeaderFixedBytes.
uint32_t checksum_of(const uint8_t* header, size_t bytes) {
  constexpr uint8_t kZeros[4] = {};
  constexpr size_t kAfter = kChecksumAt + sizeof(kZeros);
  constexpr Crc32Kind kKind = Crc32Kind::kCastagnoli;
  uint32_t crc = crc32(kKind, 0, header, kChecksumAt);
  crc = crc32(kKind, crc, kZeros, sizeof(kZeros));
  return crc32(kKind, crc, header + kAfter, bytes - kAfter);
}

}  // namespace

bool SharedFormat::make(const SharedLogOptions& options, SharedFormat* format) {
  constexpr uint64_t kIndexMax = memory::RollingLog::kIndexMax;
  if (options.retained_capacity == 0 || options.segment_capacity == 0 ||
      options.segment_capacity > memory::PublishedWord::kCountMax ||
      options.retained_capacity > kIndexMax ||
      options.first_index > kIndexMax - options.segment_capacity ||
      options.readers_max == 0 || options.readers_max > kReadersMaxMax ||
      options.extra_segments > kSegmentsMax ||
      options.descriptor.size() > memory::BlockLayout::kDescriptorBytesMax) {
    return false;
  }
  // Whole segments are retained, and the head as well.
  const uint64_t retained =
      (options.retained_capacity - 1) / options.segment_capacity + 2;
  if (retained > kSegmentsMax) return false;
  SharedFormat result;
  result.options = options;
  if (memory::BlockLayout::create(options.element_bytes, options.data_bytes,
                                  options.segment_capacity,
                                  &result.layout) != Status::kOk) {
    return false;
  }
  result.retained_segments = static_cast<uint32_t>(retained);
  // The window, what readers may keep, and one more: a block is taken before
  // the one that it evicts is free.
  result.blocks = result.retained_segments + 1 + options.extra_segments;
  result.header_bytes = kHeaderFixedBytes + options.element_bytes.size() * 4 +
                        options.data_bytes.size() * 8 +
                        options.descriptor.size();
  result.control_offset = round_up(result.header_bytes, kCacheLineBytes);
  result.ring_offset = result.control_offset + kControlBytes;
  result.table_offset =
      round_up(result.ring_offset + uint64_t{result.retained_segments} * 4,
               kCacheLineBytes);
  result.slots_offset = round_up(
      result.table_offset + uint64_t{result.blocks} * 16, kCacheLineBytes);
  result.slot_bytes =
      round_up(kEntriesOffset + uint64_t{result.blocks} * 8, kCacheLineBytes);
  result.data_offset =
      round_up(result.slots_offset + options.readers_max * result.slot_bytes,
               kPageBytes);
  // Whole lines, because blocks are.
  result.stamps_offset =
      result.data_offset + result.blocks * result.layout.block_bytes();
  result.file_bytes =
      round_up(result.stamps_offset + uint64_t{result.blocks} * 8, kPageBytes);
  *format = std::move(result);
  return true;
}

void SharedFormat::encode(uint8_t* to) const {
  std::memset(to, 0, kHeaderFixedBytes);
  std::memcpy(to, kMagic, sizeof(kMagic));
  std::memcpy(to + 8, &kByteOrder, 4);
  store_u32(to + 12, kLayoutVersion);
  store_u32(to + 16, static_cast<uint32_t>(header_bytes));
  store_u32(to + 24, options.segment_capacity);
  store_u32(to + 28, retained_segments);
  store_u32(to + 32, blocks);
  store_u32(to + 36, options.readers_max);
  store_u32(to + 40, static_cast<uint32_t>(options.element_bytes.size()));
  store_u32(to + 44, static_cast<uint32_t>(options.data_bytes.size()));
  store_u32(to + 48, static_cast<uint32_t>(options.descriptor.size()));
  store_u64(to + 64, options.retained_capacity);
  store_u64(to + 72, options.first_index);
  store_u64(to + 80, file_bytes);
  store_u64(to + 88, layout.block_bytes());
  std::memcpy(to + 96, boot_id.bytes, 16);
  std::memcpy(to + 112, random_id, 16);
  uint8_t* at = to + kHeaderFixedBytes;
  for (const uint32_t bytes : options.element_bytes) {
    store_u32(at, bytes);
    at += 4;
  }
  for (const uint64_t bytes : options.data_bytes) {
    store_u64(at, bytes);
    at += 8;
  }
  std::memcpy(at, options.descriptor.data(), options.descriptor.size());
  store_u32(to + kChecksumAt, checksum_of(to, header_bytes));
}

size_t SharedFormat::header_bytes_of(const uint8_t* fixed) {
  if (std::memcmp(fixed, kMagic, sizeof(kMagic)) != 0) return 0;
  const uint32_t bytes = load_u32(fixed + 16);
  return bytes < kHeaderFixedBytes || bytes > kHeaderBytesMax ? 0 : bytes;
}

Mismatch SharedFormat::decode(const Buffer& header, uint64_t file_bytes,
                              SharedFormat* format, uint64_t* found) {
  const uint8_t* const from = header.data();
  if (header.size() < kHeaderFixedBytes ||
      std::memcmp(from, kMagic, sizeof(kMagic)) != 0) {
    return Mismatch::kMagic;
  }
  if (std::memcmp(from + 8, &kByteOrder, 4) != 0) return Mismatch::kByteOrder;
  *found = load_u32(from + 12);
  if (*found != kLayoutVersion) return Mismatch::kVersion;
  if (header.size() != header_bytes_of(from) ||
      load_u32(from + kChecksumAt) != checksum_of(from, header.size())) {
    return Mismatch::kChecksum;
  }
  SharedLogOptions options;
  options.segment_capacity = load_u32(from + 24);
  options.readers_max = load_u32(from + 36);
  options.retained_capacity = load_u64(from + 64);
  options.first_index = load_u64(from + 72);
  const uint64_t fixed_count = load_u32(from + 40);
  const uint64_t variable_count = load_u32(from + 44);
  const uint64_t descriptor_bytes = load_u32(from + 48);
  if (fixed_count + variable_count > memory::BlockLayout::kFieldCountMax ||
      kHeaderFixedBytes + fixed_count * 4 + variable_count * 8 +
              descriptor_bytes !=
          header.size()) {
    return Mismatch::kSizes;
  }
  const uint8_t* at = from + kHeaderFixedBytes;
  for (uint64_t i = 0; i < fixed_count; ++i, at += 4) {
    options.element_bytes.push_back(load_u32(at));
  }
  for (uint64_t i = 0; i < variable_count; ++i, at += 8) {
    options.data_bytes.push_back(load_u64(at));
  }
  options.descriptor.assign(reinterpret_cast<const char*>(at),
                            descriptor_bytes);
  const uint64_t blocks = load_u32(from + 32);
  const uint64_t window = uint64_t{load_u32(from + 28)} + 1;
  if (blocks < window || blocks - window > kSegmentsMax) {
    return Mismatch::kSizes;
  }
  options.extra_segments = static_cast<uint32_t>(blocks - window);
  // Everything else follows from these, and must be what the file says.
  if (!make(options, format) || format->retained_segments + 1 != window ||
      format->file_bytes != load_u64(from + 80) ||
      format->layout.block_bytes() != load_u64(from + 88)) {
    return Mismatch::kSizes;
  }
  std::memcpy(format->boot_id.bytes, from + 96, 16);
  std::memcpy(format->random_id, from + 112, 16);
  *found = file_bytes;
  if (file_bytes < format->file_bytes) return Mismatch::kFileBytes;
  return Mismatch::kNone;
}

}  // namespace atomic_log::shared_memory
