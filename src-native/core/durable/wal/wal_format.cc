#include "core/durable/wal/wal_format.h"

#include <algorithm>
#include <cstring>

#include "core/base/little_endian.h"

namespace atomic_log::durable {
namespace {

uint32_t block_checksum(const uint8_t* block) {
  return crc32(Crc32Kind::kCastagnoli, 0, block, kWalHeaderChecksumOffset);
}

}  // namespace

void encode_wal_header(const WalHeader& header, uint8_t* block) {
  std::memset(block, 0, kWalHeaderBytes);
  std::memcpy(block, kWalMagic, sizeof(kWalMagic));
  store_u32(block + 8, kWalVersion);
  std::memcpy(block + 16, header.log_id.data(), header.log_id.size());
  store_u64(block + 32, header.file_number);
  store_u64(block + 40, header.file_bytes);
  store_u64(block + 48, header.base_lsn);
  store_u32(block + 56, header.epoch);
  store_u32(block + 60, header.branch);
  store_u64(block + 64, header.oldest_lsn);
  store_u64(block + 72, header.oldest_file);
  store_u64(block + 80, header.previous_end);
  store_u64(block + 88, header.previous_next_base);
  store_u32(block + 96, header.previous_seal_checksum);
  const size_t metadata_bytes =
      std::min(header.metadata.size(), kWalMetadataBytesMax);
  store_u32(block + 100, static_cast<uint32_t>(metadata_bytes));
  if (metadata_bytes > 0) {
    std::memcpy(block + kWalMetadataOffset, header.metadata.data(),
                metadata_bytes);
  }
  store_u32(block + kWalHeaderChecksumOffset, block_checksum(block));
}

WalHeaderVerdict decode_wal_header(const uint8_t* block, WalHeader* header) {
  // The first bytes share a sector, which is written whole or not at all: they
  // are zero or ours.
  const bool is_blank = std::all_of(block, block + sizeof(kWalMagic),
                                    [](uint8_t byte) { return byte == 0; });
  if (is_blank) return WalHeaderVerdict::kBad;
  if (std::memcmp(block, kWalMagic, sizeof(kWalMagic)) != 0) {
    return WalHeaderVerdict::kForeign;
  }
  if (load_u32(block + 8) != kWalVersion || load_u32(block + 12) != 0) {
    return WalHeaderVerdict::kNewer;
  }
  const uint32_t metadata_bytes = load_u32(block + 100);
  if (load_u32(block + kWalHeaderChecksumOffset) != block_checksum(block) ||
      metadata_bytes > kWalMetadataBytesMax) {
    return WalHeaderVerdict::kBad;
  }
  std::memcpy(header->log_id.data(), block + 16, header->log_id.size());
  header->file_number = load_u64(block + 32);
  header->file_bytes = load_u64(block + 40);
  header->base_lsn = load_u64(block + 48);
  header->epoch = load_u32(block + 56);
  header->branch = load_u32(block + 60);
  header->oldest_lsn = load_u64(block + 64);
  header->oldest_file = load_u64(block + 72);
  header->previous_end = load_u64(block + 80);
  header->previous_next_base = load_u64(block + 88);
  header->previous_seal_checksum = load_u32(block + 96);
  header->metadata.assign(block + kWalMetadataOffset,
                          block + kWalMetadataOffset + metadata_bytes);
  const bool is_sound = header->file_bytes >= kWalHeaderBytes &&
                        header->file_bytes <= kWalFileBytesMax &&
                        header->base_lsn > 0;
  return is_sound ? WalHeaderVerdict::kGood : WalHeaderVerdict::kBad;
}

WalCodec::WalCodec(const WalLogId& log_id, uint64_t file_number)
    : crc_(crc32_function(Crc32Kind::kCastagnoli)) {
  uint8_t seed[sizeof(log_id) + 8];
  std::memcpy(seed, log_id.data(), sizeof(log_id));
  store_u64(seed + sizeof(log_id), file_number);
  file_seed_ = crc_(0, seed, sizeof(seed));
}

uint32_t WalCodec::seed_at(uint64_t offset) const {
  uint8_t bytes[8];
  store_u64(bytes, offset);
  return crc_(file_seed_, bytes, sizeof(bytes));
}

uint32_t WalCodec::body_checksum(uint64_t offset, const uint8_t* body,
                                 size_t bytes) const {
  return crc_(seed_at(offset), body, bytes);
}

void WalCodec::encode_head(uint64_t offset, WalHead& head, uint8_t* to) const {
  store_u32(to + 4, head.body_bytes);
  store_u64(to + 8, head.lsn);
  store_u64(to + 16, head.durable_offset);
  store_u32(to + 24, head.epoch);
  store_u32(to + 28, head.count);
  store_u32(to + 32, head.body_checksum);
  store_u32(to + 36, static_cast<uint32_t>(head.type));
  head.checksum = crc_(seed_at(offset), to + 4, kWalHeadBytes - 4);
  store_u32(to, head.checksum);
}

bool WalCodec::decode_head(uint64_t offset, const uint8_t* from, WalHead* head,
                           bool is_checked) const {
  // What is cheap to see first: recovery tries this at every eighth byte after
  // a torn record.
  const uint32_t type = load_u32(from + 36);
  if (type < static_cast<uint32_t>(WalType::kData) ||
      type > static_cast<uint32_t>(WalType::kSeal)) {
    return false;
  }
  head->body_bytes = load_u32(from + 4);
  head->durable_offset = load_u64(from + 16);
  if (head->body_bytes > kWalBodyBytesMax || head->durable_offset > offset) {
    return false;
  }
  head->checksum = load_u32(from);
  if (!is_checked &&
      head->checksum != crc_(seed_at(offset), from + 4, kWalHeadBytes - 4)) {
    return false;
  }
  head->lsn = load_u64(from + 8);
  head->epoch = load_u32(from + 24);
  head->count = load_u32(from + 28);
  head->body_checksum = load_u32(from + 32);
  head->type = static_cast<WalType>(type);
  switch (head->type) {
    case WalType::kData:
      return head->count == 1;
    case WalType::kBatch:
      return head->count > 0 &&
             head->count <= head->body_bytes / kWalBatchItemBytes;
    default:
      return head->count == 0 && head->body_bytes == kWalControlBodyBytes;
  }
}

}  // namespace atomic_log::durable
