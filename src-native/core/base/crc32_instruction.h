// CRC-32C by the instruction of the processor, for code that has it inlined: a
// loop over several checksums at once. All other code calls crc32.h.
//
//  1. Where ATOMIC_LOG_HAS_CRC32C_INSTRUCTION is not defined, this build knows
//     no such instruction, and nothing else is here.
//  2. What calls these functions is marked ATOMIC_LOG_CRC32C_TARGET, so that it
//     is compiled for the instruction whatever the rest of the addon may use,
//     and runs only where has_crc32c_instruction() says yes.
//  3. The state is not inverted: a checksum begins with ~0, and is ~state.
//  4. Between words the state is as wide as x86-64 has it: to shorten it would
//     cost a step of the chain. The upper half is zero.
// Any thread.
#ifndef ATOMIC_LOG_CORE_BASE_CRC32_INSTRUCTION_H_
#define ATOMIC_LOG_CORE_BASE_CRC32_INSTRUCTION_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>
#define ATOMIC_LOG_HAS_CRC32C_INSTRUCTION
#if defined(_MSC_VER) && !defined(__clang__)
#define ATOMIC_LOG_CRC32C_TARGET
#else
#define ATOMIC_LOG_CRC32C_TARGET __attribute__((target("sse4.2,crc32")))
#endif
#define ATOMIC_LOG_CRC32C_U64 _mm_crc32_u64
#define ATOMIC_LOG_CRC32C_U32 _mm_crc32_u32
#define ATOMIC_LOG_CRC32C_U8 _mm_crc32_u8

#elif defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))

#include <arm_acle.h>
#define ATOMIC_LOG_HAS_CRC32C_INSTRUCTION
#if defined(__clang__)
#define ATOMIC_LOG_CRC32C_TARGET __attribute__((target("crc")))
#else
#define ATOMIC_LOG_CRC32C_TARGET __attribute__((target("+crc")))
#endif
#define ATOMIC_LOG_CRC32C_U64 __crc32cd
#define ATOMIC_LOG_CRC32C_U32 __crc32cw
#define ATOMIC_LOG_CRC32C_U8 __crc32cb

#endif

namespace atomic_log {

// Of the processor that this runs on.
bool has_crc32c_instruction();

#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)

// The next eight bytes.
ATOMIC_LOG_CRC32C_TARGET
inline uint64_t crc32c_u64(uint64_t state, const uint8_t* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
#if defined(__aarch64__)
  return ATOMIC_LOG_CRC32C_U64(static_cast<uint32_t>(state), word);
#else
  return ATOMIC_LOG_CRC32C_U64(state, word);
#endif
}

// The next four.
ATOMIC_LOG_CRC32C_TARGET
inline uint32_t crc32c_u32(uint32_t state, const uint8_t* at) {
  uint32_t word;
  std::memcpy(&word, at, sizeof(word));
  return ATOMIC_LOG_CRC32C_U32(state, word);
}

ATOMIC_LOG_CRC32C_TARGET
inline uint32_t crc32c_by_instruction(uint32_t state, const uint8_t* at,
                                      size_t bytes) {
  uint64_t wide = state;
  for (; bytes >= 8; bytes -= 8, at += 8) wide = crc32c_u64(wide, at);
  state = static_cast<uint32_t>(wide);
  if ((bytes & 4) != 0) {
    state = crc32c_u32(state, at);
    at += 4;
  }
  for (size_t rest = bytes & 3; rest > 0; --rest, ++at) {
    state = ATOMIC_LOG_CRC32C_U8(state, *at);
  }
  return state;
}

#endif

}  // namespace atomic_log

#endif  // ATOMIC_LOG_CORE_BASE_CRC32_INSTRUCTION_H_
