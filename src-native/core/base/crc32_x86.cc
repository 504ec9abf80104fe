// x86-64: the crc32 instruction (Castagnoli only) and folding by carry-less
// multiplication (either polynomial), of 16 bytes at a time or, since Ice Lake
// and Zen 3, of 32.
#include "core/base/crc32.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#include "core/base/cpu.h"
#include "core/base/crc32_instruction.h"

#if defined(_MSC_VER) && !defined(__clang__)
#define ATOMIC_LOG_TARGET(features)
#else
// Compiled for these instructions whatever the rest of the addon may use; only
// called where the processor has them.
#define ATOMIC_LOG_TARGET(features) __attribute__((target(features)))
#endif

namespace atomic_log {
namespace {

// What folding multiplies by, reflected and shifted by one: x^n mod P for the
// two halves of 128 bits that move forward by that many bits.
struct FoldConstants {
  alignas(16) uint64_t by_1024[2];  // n = 1056, 992
  alignas(16) uint64_t by_512[2];   // n = 544, 480
  alignas(16) uint64_t by_128[2];   // n = 160, 96
};

constexpr FoldConstants kCastagnoliFold = {{0x6992CEA2, 0xD3B6092},
                                           {0x740EEF02, 0x9E4ADDF8},
                                           {0xF20C0DFE, 0x14CD00BD6}};
constexpr FoldConstants kIsoHdlcFold = {{0x1E88EF372, 0x14A7FE880},
                                        {0x154442BD4, 0x1C6E41596},
                                        {0x1751997D0, 0xCCAA009E}};

// Four accumulators of 16 bytes each, or of 32.
constexpr size_t kFoldBytes = 64;
constexpr size_t kWideFoldBytes = 128;
// Below this the crc32 instruction is faster than folding.
constexpr size_t kCastagnoliFoldBytesMin = 512;

ATOMIC_LOG_TARGET("sse4.2,pclmul")
inline __m128i fold(__m128i value, __m128i constants, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(value, constants, 0x00);
  const __m128i high = _mm_clmulepi64_si128(value, constants, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

ATOMIC_LOG_TARGET("sse4.2,pclmul")
inline __m128i load(const uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// Reduces `bytes` (a multiple of 16, at least kFoldBytes) to 16 bytes with the
// same remainder, the state included.
using FoldFunction = void (*)(const FoldConstants& constants, uint32_t state,
                              const uint8_t* at, size_t bytes, uint8_t* folded);

ATOMIC_LOG_TARGET("sse4.2,pclmul")
void fold_narrow(const FoldConstants& constants, uint32_t state,
                 const uint8_t* at, size_t bytes, uint8_t* folded) {
  const __m128i by_512 =
      _mm_load_si128(reinterpret_cast<const __m128i*>(constants.by_512));
  const __m128i by_128 =
      _mm_load_si128(reinterpret_cast<const __m128i*>(constants.by_128));
  __m128i x0 =
      _mm_xor_si128(load(at), _mm_cvtsi32_si128(static_cast<int>(state)));
  __m128i x1 = load(at + 16);
  __m128i x2 = load(at + 32);
  __m128i x3 = load(at + 48);
  at += kFoldBytes;
  bytes -= kFoldBytes;
  for (; bytes >= kFoldBytes; bytes -= kFoldBytes, at += kFoldBytes) {
    x0 = fold(x0, by_512, load(at));
    x1 = fold(x1, by_512, load(at + 16));
    x2 = fold(x2, by_512, load(at + 32));
    x3 = fold(x3, by_512, load(at + 48));
  }
  x0 = fold(x0, by_128, x1);
  x0 = fold(x0, by_128, x2);
  x0 = fold(x0, by_128, x3);
  for (; bytes > 0; bytes -= 16, at += 16) x0 = fold(x0, by_128, load(at));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(folded), x0);
}

#if !defined(_MSC_VER) || defined(__clang__)
#define ATOMIC_LOG_HAS_WIDE_FOLD

ATOMIC_LOG_TARGET("avx2,vpclmulqdq,pclmul")
inline __m256i fold_wide_step(__m256i value, __m256i constants,
                              const uint8_t* next) {
  const __m256i low = _mm256_clmulepi64_epi128(value, constants, 0x00);
  const __m256i high = _mm256_clmulepi64_epi128(value, constants, 0x11);
  return _mm256_xor_si256(
      _mm256_xor_si256(low, high),
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(next)));
}

ATOMIC_LOG_TARGET("avx2,vpclmulqdq,pclmul")
void fold_wide(const FoldConstants& constants, uint32_t state,
               const uint8_t* at, size_t bytes, uint8_t* folded) {
  if (bytes < kWideFoldBytes) {
    return fold_narrow(constants, state, at, bytes, folded);
  }
  const __m256i by_1024 = _mm256_broadcastsi128_si256(
      _mm_load_si128(reinterpret_cast<const __m128i*>(constants.by_1024)));
  alignas(32) uint8_t lanes[kWideFoldBytes];
  auto* const x = reinterpret_cast<__m256i*>(lanes);
  const auto* const first = reinterpret_cast<const __m256i*>(at);
  __m256i x0 = _mm256_xor_si256(
      _mm256_loadu_si256(first),
      _mm256_set_epi32(0, 0, 0, 0, 0, 0, 0, static_cast<int>(state)));
  __m256i x1 = _mm256_loadu_si256(first + 1);
  __m256i x2 = _mm256_loadu_si256(first + 2);
  __m256i x3 = _mm256_loadu_si256(first + 3);
  at += kWideFoldBytes;
  bytes -= kWideFoldBytes;
  for (; bytes >= kWideFoldBytes;
       bytes -= kWideFoldBytes, at += kWideFoldBytes) {
    x0 = fold_wide_step(x0, by_1024, at);
    x1 = fold_wide_step(x1, by_1024, at + 32);
    x2 = fold_wide_step(x2, by_1024, at + 64);
    x3 = fold_wide_step(x3, by_1024, at + 96);
  }
  _mm256_store_si256(x, x0);
  _mm256_store_si256(x + 1, x1);
  _mm256_store_si256(x + 2, x2);
  _mm256_store_si256(x + 3, x3);
  // The upper halves would slow down every SSE instruction that follows.
  _mm256_zeroupper();
  // The lanes carry the state, so that theirs is zero.
  fold_narrow(constants, 0, lanes, sizeof(lanes), folded);
  const __m128i by_128 =
      _mm_load_si128(reinterpret_cast<const __m128i*>(constants.by_128));
  __m128i value = load(folded);
  for (; bytes > 0; bytes -= 16, at += 16) {
    value =
        _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(value, by_128, 0x00),
                                    _mm_clmulepi64_si128(value, by_128, 0x11)),
                      load(at));
  }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(folded), value);
}
#endif

uint32_t crc32c_instruction(uint32_t crc, const void* data, size_t bytes) {
  return ~crc32c_by_instruction(~crc, static_cast<const uint8_t*>(data), bytes);
}

template <FoldFunction fold_to_16>
uint32_t crc32c_fold(uint32_t crc, const void* data, size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(data);
  uint32_t state = ~crc;
  if (bytes >= kCastagnoliFoldBytesMin) {
    const size_t folded_bytes = bytes & ~size_t{15};
    uint8_t folded[16];
    fold_to_16(kCastagnoliFold, state, at, folded_bytes, folded);
    state = crc32c_by_instruction(0, folded, sizeof(folded));
    at += folded_bytes;
    bytes -= folded_bytes;
  }
  return ~crc32c_by_instruction(state, at, bytes);
}

template <FoldFunction fold_to_16>
uint32_t crc32_iso_fold(uint32_t crc, const void* data, size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(data);
  if (bytes >= kFoldBytes) {
    const size_t folded_bytes = bytes & ~size_t{15};
    uint8_t folded[16];
    fold_to_16(kIsoHdlcFold, ~crc, at, folded_bytes, folded);
    // The table's function inverts on both sides; the folded bytes carry the
    // state already, so that theirs is zero.
    crc = internal::crc32_iso_table(~uint32_t{0}, folded, sizeof(folded));
    at += folded_bytes;
    bytes -= folded_bytes;
  }
  return internal::crc32_iso_table(crc, at, bytes);
}

}  // namespace

Crc32Function internal::crc32_x86(Crc32Kind kind, bool allow_wide) {
  const CpuFeatures features = detect_cpu();
#if defined(ATOMIC_LOG_HAS_WIDE_FOLD)
  if (allow_wide && features.has_wide_pclmul) {
    return kind == Crc32Kind::kCastagnoli ? crc32c_fold<fold_wide>
                                          : crc32_iso_fold<fold_wide>;
  }
#endif
  if (kind == Crc32Kind::kIsoHdlc) {
    return features.has_pclmul ? crc32_iso_fold<fold_narrow> : nullptr;
  }
  if (features.has_pclmul) return crc32c_fold<fold_narrow>;
  return features.has_sse42 ? crc32c_instruction : nullptr;
}

}  // namespace atomic_log

#else

atomic_log::Crc32Function atomic_log::internal::crc32_x86(atomic_log::Crc32Kind,
                                                          bool) {
  return nullptr;
}

#endif
