#include "core/base/copy.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

using atomic_log::copy_bytes;
using atomic_log::kPieceBytes;

namespace {

constexpr size_t kRoomBytes = 4 * kPieceBytes;

std::vector<unsigned char> numbered() {
  std::vector<unsigned char> bytes(kRoomBytes);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(i % 251);
  }
  return bytes;
}

}  // namespace

TEST_CASE("copy_bytes: whole pieces, less and more, and nothing around them") {
  const std::vector<unsigned char> source = numbered();
  for (const size_t bytes :
       {size_t{0}, size_t{1}, size_t{15}, kPieceBytes - 1, kPieceBytes,
        kPieceBytes + 1, 2 * kPieceBytes, 3 * kPieceBytes + 17}) {
    for (const size_t at : {size_t{0}, size_t{1}, size_t{8}, size_t{63}}) {
      std::vector<unsigned char> target(kRoomBytes, 0xee);
      std::vector<unsigned char> expected = target;
      std::memcpy(expected.data() + at, source.data() + 3, bytes);
      copy_bytes(target.data() + at, source.data() + 3, bytes);
      REQUIRE(target == expected);
    }
  }
  copy_bytes(nullptr, nullptr, 0);
}

TEST_CASE("copy_bytes: source and target overlap, in both directions") {
  constexpr size_t kBytes = 2 * kPieceBytes + 5;
  for (const size_t distance :
       {size_t{0}, size_t{1}, size_t{8}, kPieceBytes - 1, kPieceBytes,
        kPieceBytes + 1}) {
    std::vector<unsigned char> bytes = numbered();
    std::vector<unsigned char> expected = bytes;
    std::memmove(expected.data() + distance, expected.data(), kBytes);
    copy_bytes(bytes.data() + distance, bytes.data(), kBytes);
    REQUIRE(bytes == expected);
    std::memmove(expected.data(), expected.data() + distance, kBytes);
    copy_bytes(bytes.data(), bytes.data() + distance, kBytes);
    REQUIRE(bytes == expected);
  }
}
