// The checksums of three records at once. The instruction gives its result after
// three cycles, and could begin again after each: one checksum alone keeps a
// third of it busy, and records are too short for the processor to overlap them.
#include <algorithm>

#include "core/durable/record_format.h"

namespace atomic_log::durable {

#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)
namespace {

constexpr size_t kLanes = 3;
// From here on folding is faster than the instruction, and has lanes of its own.
constexpr size_t kLaneBytesMax = 512;

// One record. Members of a function's own variables only, or each step would
// go through memory.
struct Lane {
  const uint8_t* body;
  size_t body_bytes;
  uint64_t state;

  // The record at `*at` of `bytes`, and moves `*at` after it; false when none
  // can be there that is whole in the `available` bytes.
  ATOMIC_LOG_CRC32C_TARGET
  bool begin(const RecordCodec& codec, const uint8_t* bytes, uint64_t available,
             uint64_t* at) {
    const uint8_t* const record = bytes + *at;
    if (codec.classify_head(record, available - *at) != Verdict::kRecord) {
      return false;
    }
    const uint32_t word = load_u32(record);
    body = record + kHeadBytes;
    body_bytes = body_bytes_of(word);
    state = crc32c_u32(~uint32_t{0}, record);
    *at += record_bytes_of(word);
    return true;
  }

  ATOMIC_LOG_CRC32C_TARGET
  void take(size_t at) { state = crc32c_u64(state, body + at); }

  // The checksum, when all bytes before `at` were taken.
  ATOMIC_LOG_CRC32C_TARGET
  uint32_t end(size_t at, Crc32Function crc) const {
    const auto taken = static_cast<uint32_t>(state);
    const size_t left = body_bytes - at;
    if (left == 0) return ~taken;
    if (left >= kLaneBytesMax) return crc(~taken, body + at, left);
    return ~crc32c_by_instruction(taken, body + at, left);
  }

  uint32_t stored() const {
    return load_u32(body - kHeadBytes + kChecksumOffset);
  }
};

// Takes the bytes that all three have, in steps of the instruction.
ATOMIC_LOG_CRC32C_TARGET
inline size_t take_common(Lane& first, Lane& second, Lane& third) {
  const size_t shortest =
      std::min(std::min(first.body_bytes, second.body_bytes), third.body_bytes);
  if (shortest >= kLaneBytesMax) return 0;
  size_t at = 0;
  for (; at + 8 <= shortest; at += 8) {
    first.take(at);
    second.take(at);
    third.take(at);
  }
  return at;
}

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
