// The two 32-bit cyclic redundancy checks of the durable logs. Both are
// reflected, start at ~0 and end inverted, so that they differ in the
// polynomial only. Any thread may call anything here.
//
//   kCastagnoli   CRC-32C (iSCSI)      "123456789" -> E3069283
//   kIsoHdlc      CRC-32/ISO-HDLC      "123456789" -> CBF43926
//
// The fastest code that this processor runs is chosen at the first call:
// x86-64 has a crc32 instruction for Castagnoli (SSE4.2) and carry-less
// multiplication for long data of either kind, Arm has instructions for both,
// and a table serves the rest.
#ifndef ATOMIC_LOG_CORE_BASE_CRC32_H_
#define ATOMIC_LOG_CORE_BASE_CRC32_H_

#include <cstddef>
#include <cstdint>

namespace atomic_log {

enum class Crc32Kind : uint8_t { kCastagnoli = 0, kIsoHdlc = 1 };

// Continues over `bytes` bytes of data. `crc` is what an earlier call returned,
// or 0 at the beginning.
using Crc32Function = uint32_t (*)(uint32_t crc, const void* data,
                                   size_t bytes);

// The function for `kind`; keep it where many short pieces are checked.
Crc32Function crc32_function(Crc32Kind kind);

inline uint32_t crc32(Crc32Kind kind, uint32_t crc, const void* data,
                      size_t bytes) {
  return crc32_function(kind)(crc, data, bytes);
}

namespace internal {

// Every processor runs these.
uint32_t crc32c_table(uint32_t crc, const void* data, size_t bytes);
uint32_t crc32_iso_table(uint32_t crc, const void* data, size_t bytes);

// Null where this processor or this build lacks the instructions. Tests look at
// what older processors would be given.
Crc32Function crc32_x86(Crc32Kind kind, bool allow_wide = true);
Crc32Function crc32_arm(Crc32Kind kind);

}  // namespace internal
}  // namespace atomic_log

#endif  // ATOMIC_LOG_CORE_BASE_CRC32_H_
