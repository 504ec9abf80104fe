// The checksums of three pieces of memory at once. The instruction gives its
// result after three cycles, and could begin again after each: one checksum alone
// keeps a third of it busy, and records are too short for the processor to
// overlap them. Only where there is such an instruction (crc32_instruction.h).
// Any thread.
#ifndef ATOMIC_LOG_CORE_DURABLE_CHECKSUM_LANES_H_
#define ATOMIC_LOG_CORE_DURABLE_CHECKSUM_LANES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/crc32.h"
#include "core/base/crc32_instruction.h"

#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)

namespace atomic_log::durable {

inline constexpr size_t kLanes = 3;
// From here on folding is faster than the instruction, and has lanes of its own.
inline constexpr size_t kLaneBytesMax = 512;

// One of them. To be a variable of the function that works on it: as an element
// of an array, each step would go through memory.
struct ChecksumLane {
  const uint8_t* bytes;
  size_t count;
  // Not inverted; of what comes before the bytes.
  uint64_t state;

  ATOMIC_LOG_CRC32C_TARGET
  void take(size_t at) { state = crc32c_u64(state, bytes + at); }

  // The checksum, when all bytes before `at` were taken.
  ATOMIC_LOG_CRC32C_TARGET
  uint32_t end(size_t at, Crc32Function crc) const {
    const auto taken = static_cast<uint32_t>(state);
    const size_t left = count - at;
    if (left == 0) return ~taken;
    if (left >= kLaneBytesMax) return crc(~taken, bytes + at, left);
    return ~crc32c_by_instruction(taken, bytes + at, left);
  }
};

// Takes the bytes that all three have, in steps of the instruction; returns how
// many.
ATOMIC_LOG_CRC32C_TARGET
inline size_t take_common(ChecksumLane& first, ChecksumLane& second,
                          ChecksumLane& third) {
  const size_t shortest =
      std::min(std::min(first.count, second.count), third.count);
  if (shortest >= kLaneBytesMax) return 0;
  size_t at = 0;
  for (; at + 8 <= shortest; at += 8) {
    first.take(at);
    second.take(at);
    third.take(at);
  }
  return at;
}

}  // namespace atomic_log::durable

#endif

#endif  // ATOMIC_LOG_CORE_DURABLE_CHECKSUM_LANES_H_
