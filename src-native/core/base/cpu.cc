#include "core/base/cpu.h"

#if defined(_M_X64) && !defined(__clang__)
#include <intrin.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace atomic_log {

CpuFeatures detect_cpu() {
  CpuFeatures features;
#if defined(__x86_64__)
  __builtin_cpu_init();
  features.has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
  features.has_pclmul =
      features.has_sse42 && __builtin_cpu_supports("pclmul") != 0;
  features.has_wide_pclmul = features.has_pclmul &&
                             __builtin_cpu_supports("avx2") != 0 &&
                             __builtin_cpu_supports("vpclmulqdq") != 0;
#elif defined(_M_X64)
  int registers[4];
  __cpuid(registers, 1);
  features.has_sse42 = (registers[2] & (1 << 20)) != 0;
  features.has_pclmul = features.has_sse42 && (registers[2] & (1 << 1)) != 0;
#elif defined(__aarch64__) && defined(__linux__)
  features.has_arm_crc = (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
  // Every Arm processor that macOS runs on has them.
  features.has_arm_crc = true;
#endif
  return features;
}

}  // namespace atomic_log
