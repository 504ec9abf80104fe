// Checking and sealing several records at once (checksum_lanes.h).
#include "core/durable/checksum_lanes.h"
#include "core/durable/record_format.h"

namespace atomic_log::durable {

#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)
namespace {

struct Lane : ChecksumLane {
  // The record at `*at` of `records`, and moves `*at` after it; false when none
  // can be there that is whole in the `available` bytes.
  ATOMIC_LOG_CRC32C_TARGET
  bool begin(const RecordCodec& codec, const uint8_t* records,
             uint64_t available, uint64_t* at) {
    const uint8_t* const record = records + *at;
    if (codec.classify_head(record, available - *at) != Verdict::kRecord) {
      return false;
    }
    const uint32_t word = load_u32(record);
    bytes = record + kHeadBytes;
    count = body_bytes_of(word);
    state = crc32c_u32(~uint32_t{0}, record);
    *at += record_bytes_of(word);
    return true;
  }

  uint32_t stored() const {
    return load_u32(bytes - kHeadBytes + kChecksumOffset);
  }
};

ATOMIC_LOG_CRC32C_TARGET
RecordRun pass_by_lanes(const RecordCodec& codec, Crc32Function crc,
                        const uint8_t* bytes, uint64_t available) {
  RecordRun run;
  for (;;) {
    Lane first, second, third;
    uint64_t at = run.bytes;
    if (!first.begin(codec, bytes, available, &at) ||
        !second.begin(codec, bytes, available, &at) ||
        !third.begin(codec, bytes, available, &at)) {
      return run;
    }
    const size_t taken = take_common(first, second, third);
    if (first.end(taken, crc) != first.stored() ||
        second.end(taken, crc) != second.stored() ||
        third.end(taken, crc) != third.stored()) {
      return run;
    }
    run.bytes = at;
    run.records += kLanes;
  }
}

// How many bytes of records were sealed: those that make up whole threes.
ATOMIC_LOG_CRC32C_TARGET
uint64_t seal_by_lanes(const RecordCodec& codec, Crc32Function crc,
                       uint8_t* records, uint64_t bytes) {
  uint64_t sealed = 0;
  for (;;) {
    Lane first, second, third;
    uint64_t at = sealed;
    if (!first.begin(codec, records, bytes, &at)) return sealed;
    uint8_t* const second_record = records + at;
    if (!second.begin(codec, records, bytes, &at)) return sealed;
    uint8_t* const third_record = records + at;
    if (!third.begin(codec, records, bytes, &at)) return sealed;
    const size_t taken = take_common(first, second, third);
    store_u32(records + sealed + kChecksumOffset, first.end(taken, crc));
    store_u32(second_record + kChecksumOffset, second.end(taken, crc));
    store_u32(third_record + kChecksumOffset, third.end(taken, crc));
    sealed = at;
  }
}

}  // namespace
#endif

RecordRun RecordCodec::pass_intact(const uint8_t* bytes,
                                   uint64_t available) const {
#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)
  if (has_lanes_) return pass_by_lanes(*this, crc_, bytes, available);
#endif
  (void)bytes;
  (void)available;
  return {};
}

void RecordCodec::seal_all(uint8_t* records, size_t bytes) const {
  size_t at = 0;
  while (at < bytes) {
#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)
    if (has_lanes_) {
      at += static_cast<size_t>(
          seal_by_lanes(*this, crc_, records + at, bytes - at));
      if (at == bytes) return;
    }
#endif
    // One of the last, or an empty one: without its checksum it looks like the
    // end.
    seal(records + at);
    at += static_cast<size_t>(record_bytes_of(load_u32(records + at)));
    CORE_CHECK(at <= bytes);
  }
}

}  // namespace atomic_log::durable
