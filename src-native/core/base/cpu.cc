#include "core/base/cpu.h"

#if defined(_M_X64) && !defined(__clang__)
#include <intrin.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace atomic_log {
namespace {

#if defined(__x86_64__) || defined(_M_X64)
// The instruction itself: not every compiler comes with the library that
// __builtin_cpu_supports() needs.
struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf) {
  Registers found;
#if defined(__x86_64__)
  __get_cpuid_count(leaf, 0, &found.a, &found.b, &found.c, &found.d);
#else
  int registers[4];
  __cpuid(registers, 0);
  if (static_cast<unsigned>(registers[0]) < leaf) return found;
  __cpuidex(registers, static_cast<int>(leaf), 0);
  found.a = static_cast<unsigned>(registers[0]);
  found.b = static_cast<unsigned>(registers[1]);
  found.c = static_cast<unsigned>(registers[2]);
  found.d = static_cast<unsigned>(registers[3]);
#endif
  return found;
}

// Which registers the system saves when it switches threads. Only where cpuid
// says that it can be asked.
unsigned saved_state() {
#if defined(__x86_64__)
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
#else
  return static_cast<unsigned>(_xgetbv(0));
#endif
}

constexpr bool has_bit(unsigned bits, int index) {
  return ((bits >> index) & 1) != 0;
}
#endif

}  // namespace

CpuFeatures detect_cpu() {
  CpuFeatures features;
#if defined(__x86_64__) || defined(_M_X64)
  constexpr unsigned kSseAndAvxState = 6;
  const Registers base = cpuid(1), extended = cpuid(7);
  const bool can_ask_for_state = has_bit(base.c, 27);
  const bool has_avx2 = can_ask_for_state &&
                        (saved_state() & kSseAndAvxState) == kSseAndAvxState &&
                        has_bit(extended.b, 5);
  features.has_sse42 = has_bit(base.c, 20);
  features.has_pclmul = features.has_sse42 && has_bit(base.c, 1);
  features.has_wide_pclmul =
      features.has_pclmul && has_avx2 && has_bit(extended.c, 10);
#elif defined(__aarch64__) && defined(__linux__)
  features.has_arm_crc = (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
  // Every Arm processor that macOS runs on has them.
  features.has_arm_crc = true;
#endif
  return features;
}

}  // namespace atomic_log
