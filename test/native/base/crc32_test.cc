#include "core/base/crc32.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

namespace atomic_log {
namespace {

// One bit at a time: the definition, to compare everything else with.
uint32_t by_definition(Crc32Kind kind, uint32_t crc, const uint8_t* data,
                       size_t bytes) {
  const uint32_t polynomial =
      kind == Crc32Kind::kCastagnoli ? 0x82F63B78 : 0xEDB88320;
  crc = ~crc;
  for (size_t i = 0; i < bytes; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    }
  }
  return ~crc;
}

std::vector<uint8_t> noise(size_t bytes) {
  std::vector<uint8_t> result(bytes);
  uint32_t state = 1;
  for (uint8_t& byte : result) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(state >> 24);
  }
  return result;
}

struct Implementation {
  const char* name;
  Crc32Kind kind;
  Crc32Function run;
};

std::vector<Implementation> implementations() {
  std::vector<Implementation> result = {
      {"table", Crc32Kind::kCastagnoli, internal::crc32c_table},
      {"table", Crc32Kind::kIsoHdlc, internal::crc32_iso_table},
  };
  for (const Crc32Kind kind : {Crc32Kind::kCastagnoli, Crc32Kind::kIsoHdlc}) {
    result.push_back({"chosen", kind, crc32_function(kind)});
    if (const auto run = internal::crc32_x86(kind)) {
      result.push_back({"x86", kind, run});
    }
    if (const auto run = internal::crc32_x86(kind, false)) {
      result.push_back({"x86 of 16 bytes", kind, run});
    }
    if (const auto run = internal::crc32_arm(kind)) {
      result.push_back({"arm", kind, run});
    }
  }
  return result;
}

uint32_t of(const Implementation& code, const std::vector<uint8_t>& data) {
  return code.run(0, data.data(), data.size());
}

TEST_SUITE_BEGIN("crc32");

TEST_CASE("published check values") {
  const std::string digits = "123456789";
  std::vector<uint8_t> ascending(32);
  std::iota(ascending.begin(), ascending.end(), uint8_t{0});
  const std::vector<uint8_t> descending(ascending.rbegin(), ascending.rend());
  for (const auto& code : implementations()) {
    CAPTURE(code.name);
    const bool is_castagnoli = code.kind == Crc32Kind::kCastagnoli;
    CHECK(code.run(0, digits.data(), digits.size()) ==
          (is_castagnoli ? 0xE3069283 : 0xCBF43926));
    if (!is_castagnoli) continue;
    // RFC 3720, appendix B.4.
    CHECK(of(code, std::vector<uint8_t>(32, 0x00)) == 0x8A9136AA);
    CHECK(of(code, std::vector<uint8_t>(32, 0xFF)) == 0x62A8AB43);
    CHECK(of(code, ascending) == 0x46DD794E);
    CHECK(of(code, descending) == 0x113FDB5C);
  }
}

TEST_CASE("nothing is 0, and continues nothing") {
  for (const auto& code : implementations()) {
    CHECK(code.run(0, nullptr, 0) == 0);
    CHECK(code.run(0x12345678, nullptr, 0) == 0x12345678);
  }
}

TEST_CASE("every implementation agrees with the definition") {
  const std::vector<uint8_t> data = noise(5000);
  for (const auto& code : implementations()) {
    CAPTURE(code.name);
    for (size_t bytes = 0; bytes <= 1200; ++bytes) {
      // Unaligned by all residues of 16.
      const uint8_t* const at = data.data() + bytes % 16;
      REQUIRE(code.run(7, at, bytes) == by_definition(code.kind, 7, at, bytes));
    }
    CHECK(of(code, data) == by_definition(code.kind, 0, data.data(), 5000));
  }
}

TEST_CASE("in pieces or whole, it is the same") {
  const std::vector<uint8_t> data = noise(3000);
  for (const auto& code : implementations()) {
    const uint32_t whole = of(code, data);
    for (size_t cut = 0; cut <= data.size(); cut += 37) {
      const uint32_t first = code.run(0, data.data(), cut);
      REQUIRE(code.run(first, data.data() + cut, data.size() - cut) == whole);
    }
  }
}

#if defined(__x86_64__)
TEST_CASE("this build has the fast paths") {
  if (__builtin_cpu_supports("pclmul") == 0) return;
  CHECK((internal::crc32_x86(Crc32Kind::kCastagnoli) != nullptr));
  CHECK((internal::crc32_x86(Crc32Kind::kIsoHdlc) != nullptr));
}
#endif

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log
