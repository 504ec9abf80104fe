#include "core/base/crc32.h"

#include <array>

#include "core/base/cpu.h"
#include "core/base/crc32_instruction.h"
#include "core/base/little_endian.h"

namespace atomic_log {
namespace {

// Reflected polynomials.
constexpr uint32_t kCastagnoliPolynomial = 0x82F63B78;
constexpr uint32_t kIsoHdlcPolynomial = 0xEDB88320;

// table[k][b]: what byte b adds when k more bytes follow it in a group of 8.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables(uint32_t polynomial) {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? polynomial : 0);
    }
    tables[0][byte] = remainder;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t previous = tables[k - 1][byte];
      tables[k][byte] = (previous >> 8) ^ tables[0][previous & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kCastagnoliTables = make_tables(kCastagnoliPolynomial);
constexpr Tables kIsoHdlcTables = make_tables(kIsoHdlcPolynomial);

uint32_t by_table(const Tables& tables, uint32_t crc, const void* data,
                  size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(data);
  crc = ~crc;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    const uint32_t low = load_u32(at) ^ crc;
    const uint32_t high = load_u32(at + 4);
    crc = tables[7][low & 0xFF] ^ tables[6][(low >> 8) & 0xFF] ^
          tables[5][(low >> 16) & 0xFF] ^ tables[4][low >> 24] ^
          tables[3][high & 0xFF] ^ tables[2][(high >> 8) & 0xFF] ^
          tables[1][(high >> 16) & 0xFF] ^ tables[0][high >> 24];
  }
  for (; bytes > 0; --bytes, ++at) {
    crc = (crc >> 8) ^ tables[0][(crc ^ *at) & 0xFF];
  }
  return ~crc;
}

Crc32Function choose(Crc32Kind kind) {
  if (const Crc32Function x86 = internal::crc32_x86(kind)) return x86;
  if (const Crc32Function arm = internal::crc32_arm(kind)) return arm;
  return kind == Crc32Kind::kCastagnoli ? internal::crc32c_table
                                        : internal::crc32_iso_table;
}

}  // namespace

uint32_t internal::crc32c_table(uint32_t crc, const void* data, size_t bytes) {
  return by_table(kCastagnoliTables, crc, data, bytes);
}

uint32_t internal::crc32_iso_table(uint32_t crc, const void* data,
                                   size_t bytes) {
  return by_table(kIsoHdlcTables, crc, data, bytes);
}

bool has_crc32c_instruction() {
  static const bool has = [] {
    const CpuFeatures features = detect_cpu();
    return features.has_sse42 || features.has_arm_crc;
  }();
  return has;
}

Crc32Function crc32_function(Crc32Kind kind) {
  static const Crc32Function castagnoli = choose(Crc32Kind::kCastagnoli);
  static const Crc32Function iso_hdlc = choose(Crc32Kind::kIsoHdlc);
  return kind == Crc32Kind::kCastagnoli ? castagnoli : iso_hdlc;
}

}  // namespace atomic_log
