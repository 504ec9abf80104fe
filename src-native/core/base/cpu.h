// What this processor can do beyond what every one of its kind can.
#ifndef ATOMIC_LOG_CORE_BASE_CPU_H_
#define ATOMIC_LOG_CORE_BASE_CPU_H_

namespace atomic_log {

struct CpuFeatures {
  // x86-64: the crc32 instruction.
  bool has_sse42 = false;
  // Carry-less multiplication of 16 bytes; implies has_sse42 here.
  bool has_pclmul = false;
  // The same of 32 bytes; implies has_pclmul here.
  bool has_wide_pclmul = false;
  // Arm64: the crc32 instructions.
  bool has_arm_crc = false;
};

CpuFeatures detect_cpu();

}  // namespace atomic_log

#endif  // ATOMIC_LOG_CORE_BASE_CPU_H_
