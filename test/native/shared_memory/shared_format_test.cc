#include "core/shared_memory/shared_format.h"

#include <doctest/doctest.h>

#include <cstring>

#include "core/base/crc32.h"
#include "core/base/list.h"
#include "core/base/little_endian.h"

using namespace atomic_log;
using namespace atomic_log::shared_memory;

namespace {

SharedLogOptions options() {
  SharedLogOptions options;
  options.retained_capacity = 100;
  options.segment_capacity = 10;
  options.element_bytes = {8, 4};
  options.data_bytes = {1000};
  options.descriptor = "{\"kinds\":[0,1,10]}";
  options.first_index = 7;
  options.readers_max = 3;
  options.extra_segments = 2;
  return options;
}

std::vector<uint8_t> header_of(const SharedFormat& format) {
  // It may stand where something was.
  std::vector<uint8_t> header(format.header_bytes, 0xcd);
  format.encode(header.data());
  return header;
}

Buffer buffer_of(const std::vector<uint8_t>& bytes) {
  Buffer buffer;
  REQUIRE(buffer.try_append(bytes.data(), bytes.size()));
  return buffer;
}

Mismatch decode(const std::vector<uint8_t>& header, uint64_t file_bytes) {
  SharedFormat format;
  uint64_t found = 0;
  return SharedFormat::decode(buffer_of(header), file_bytes, &format, &found);
}

void sign(std::vector<uint8_t>* header) {
  std::memset(header->data() + 20, 0, 4);
  store_u32(header->data() + 20,
            crc32(Crc32Kind::kCastagnoli, 0, header->data(), header->size()));
}

}  // namespace

TEST_CASE("shared format: what was encoded is decoded") {
  SharedFormat made;
  REQUIRE(SharedFormat::make(options(), &made));
  CHECK(made.retained_segments == 11);
  CHECK(made.blocks == 14);
  std::memset(made.random_id, 0xab, 16);
  const std::vector<uint8_t> header = header_of(made);
  CHECK(SharedFormat::header_bytes_of(header.data()) == header.size());

  SharedFormat format;
  uint64_t found = 0;
  REQUIRE(SharedFormat::decode(buffer_of(header), made.file_bytes, &format,
                               &found) == Mismatch::kNone);
  CHECK(format.options.descriptor == made.options.descriptor);
  CHECK(format.options.first_index == 7);
  CHECK(format.options.extra_segments == 2);
  CHECK(format.file_bytes == made.file_bytes);
  CHECK(format.slots_offset == made.slots_offset);
  CHECK(format.random_id[15] == 0xab);
}

TEST_CASE("shared format: nothing overlaps") {
  SharedFormat made;
  REQUIRE(SharedFormat::make(options(), &made));
  CHECK(made.control_offset >= made.header_bytes);
  CHECK(made.ring_offset >= made.control_offset + kControlBytes);
  CHECK(made.table_offset >= made.ring_offset + made.retained_segments * 4);
  CHECK(made.slots_offset >= made.table_offset + made.blocks * 16);
  CHECK(made.slot_bytes >= kEntriesOffset + made.blocks * 8);
  CHECK(made.data_offset >= made.slots_offset + 3 * made.slot_bytes);
  CHECK(made.file_bytes >=
        made.data_offset + made.blocks * made.layout.block_bytes());
}

TEST_CASE("shared format: other files are refused, and it is said why") {
  SharedFormat made;
  REQUIRE(SharedFormat::make(options(), &made));
  const std::vector<uint8_t> header = header_of(made);
  const uint64_t bytes = made.file_bytes;
  CHECK(decode({}, 0) == Mismatch::kMagic);
  CHECK(decode(std::vector<uint8_t>(4096), 4096) == Mismatch::kMagic);
  CHECK(decode(header, bytes - 1) == Mismatch::kFileBytes);

  auto other = header;
  std::swap(other[8], other[11]);
  std::swap(other[9], other[10]);
  CHECK(decode(other, bytes) == Mismatch::kByteOrder);
  other = header;
  other[12] = 1;
  CHECK(decode(other, bytes) == Mismatch::kVersion);
  for (size_t at = 16; at < header.size(); ++at) {
    other = header;
    other[at] ^= 1;
    CHECK(decode(other, bytes) == Mismatch::kChecksum);
  }
  other = header;
  other.pop_back();
  CHECK(decode(other, bytes) == Mismatch::kChecksum);
}

TEST_CASE("shared format: a header that contradicts itself is refused") {
  SharedFormat made;
  REQUIRE(SharedFormat::make(options(), &made));
  const std::vector<uint8_t> header = header_of(made);
  for (const size_t at : {24, 28, 32, 36, 40, 44, 48, 64, 72, 80, 88, 128}) {
    for (const uint32_t value : {0u, 1u, 0x7fffffffu, 0xffffffffu}) {
      auto other = header;
      if (load_u32(other.data() + at) == value) continue;
      store_u32(other.data() + at, value);
      sign(&other);
      const Mismatch mismatch = decode(other, made.file_bytes);
      // One number may be another log of the same size.
      if (mismatch == Mismatch::kNone) {
        CHECK((at == 36 || at == 64 || at == 72));
      } else {
        CHECK(mismatch == Mismatch::kSizes);
      }
    }
  }
}

TEST_CASE("shared format: options outside the limits") {
  SharedFormat made;
  for (auto change :
       {+[](SharedLogOptions& o) { o.retained_capacity = 0; },
        +[](SharedLogOptions& o) { o.segment_capacity = 0; },
        +[](SharedLogOptions& o) { o.readers_max = 0; },
        +[](SharedLogOptions& o) { o.readers_max = 1025; },
        +[](SharedLogOptions& o) { o.element_bytes = {3}; },
        +[](SharedLogOptions& o) { o.first_index = 1ull << 53; },
        +[](SharedLogOptions& o) { o.descriptor.resize((1 << 20) + 1); },
        +[](SharedLogOptions& o) {
          o.retained_capacity = 1ull << 52;
          o.segment_capacity = 1;
        }}) {
    SharedLogOptions other = options();
    change(other);
    CHECK_FALSE(SharedFormat::make(other, &made));
  }
}
