// Arm64: instructions for both polynomials, part of every processor since
// Armv8.1 and optional before.
#include "core/base/crc32.h"

#if defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))

#include <arm_acle.h>

#include <cstring>

#include "core/base/cpu.h"
#include "core/base/crc32_instruction.h"

namespace atomic_log {
namespace {

uint32_t castagnoli(uint32_t crc, const void* data, size_t bytes) {
  return ~crc32c_by_instruction(~crc, static_cast<const uint8_t*>(data), bytes);
}

ATOMIC_LOG_CRC32C_TARGET
uint32_t iso_hdlc(uint32_t crc, const void* data, size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(data);
  crc = ~crc;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    crc = __crc32d(crc, word);
  }
  for (; bytes > 0; --bytes, ++at) crc = __crc32b(crc, *at);
  return ~crc;
}

}  // namespace

Crc32Function internal::crc32_arm(Crc32Kind kind) {
  if (!detect_cpu().has_arm_crc) return nullptr;
  return kind == Crc32Kind::kCastagnoli ? castagnoli : iso_hdlc;
}

}  // namespace atomic_log

#else

atomic_log::Crc32Function atomic_log::internal::crc32_arm(
    atomic_log::Crc32Kind) {
  return nullptr;
}

#endif
