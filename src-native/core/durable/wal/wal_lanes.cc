// Checking several records of a write-ahead log at once (checksum_lanes.h).
#include "core/base/little_endian.h"
#include "core/durable/checksum_lanes.h"
#include "core/durable/wal/wal_format.h"

namespace atomic_log::durable {

#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)
namespace {

// So many at a time: a read of one entry must not check a whole buffer.
constexpr size_t kRecordsMax = 4 * kLanes;
constexpr size_t kHeadCheckedBytes = kWalHeadBytes - 4;

// One record: its head, and its body, which are seeded alike.
struct Lane {
  ChecksumLane head;
  ChecksumLane body;

  // The record at `*at` of `bytes`, and moves `*at` after it; false when none
  // can be there that is whole in the `available` bytes.
  ATOMIC_LOG_CRC32C_TARGET
  bool begin(uint32_t file_state, uint64_t offset, const uint8_t* bytes,
             size_t available, size_t* at) {
    const size_t left = available - *at;
    if (left < kWalHeadBytes) return false;
    const uint8_t* const record = bytes + *at;
    const uint32_t body_bytes = load_u32(record + 4);
    if (body_bytes > kWalBodyBytesMax || wal_record_bytes(body_bytes) > left) {
      return false;
    }
    uint8_t place[8];
    store_u64(place, offset + *at);
    const uint64_t seed = crc32c_u64(file_state, place);
    head = {record + 4, kHeadCheckedBytes, seed};
    body = {record + kWalHeadBytes, body_bytes, seed};
    *at += static_cast<size_t>(wal_record_bytes(body_bytes));
    return true;
  }

  ATOMIC_LOG_CRC32C_TARGET
  bool is_intact(size_t of_head, size_t of_body, Crc32Function crc) const {
    const uint8_t* const record = head.bytes - 4;
    return head.end(of_head, crc) == load_u32(record) &&
           body.end(of_body, crc) == load_u32(record + 32);
  }
};

ATOMIC_LOG_CRC32C_TARGET
size_t pass_by_lanes(uint32_t file_state, Crc32Function crc, uint64_t offset,
                     const uint8_t* bytes, size_t available) {
  size_t passed = 0;
  for (size_t records = 0; records < kRecordsMax; records += kLanes) {
    Lane first, second, third;
    size_t at = passed;
    if (!first.begin(file_state, offset, bytes, available, &at) ||
        !second.begin(file_state, offset, bytes, available, &at) ||
        !third.begin(file_state, offset, bytes, available, &at)) {
      return passed;
    }
    const size_t heads = take_common(first.head, second.head, third.head);
    const size_t bodies = take_common(first.body, second.body, third.body);
    if (!first.is_intact(heads, bodies, crc) ||
        !second.is_intact(heads, bodies, crc) ||
        !third.is_intact(heads, bodies, crc)) {
      return passed;
    }
    passed = at;
  }
  return passed;
}

}  // namespace
#endif

size_t WalCodec::pass_intact(uint64_t offset, const uint8_t* bytes,
                             size_t available) const {
#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)
  if (has_crc32c_instruction()) {
    return pass_by_lanes(~file_seed_, crc_, offset, bytes, available);
  }
#endif
  (void)offset;
  (void)bytes;
  (void)available;
  return 0;
}

}  // namespace atomic_log::durable
