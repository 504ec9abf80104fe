// Any bytes: opening, reading and salvaging a log may refuse, and may not
// crash, run away, or make things worse.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "core/base/little_endian.h"
#include "core/durable/wal/wal_reader.h"
#include "core/durable/wal/wal_salvage.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::kWalControlBytes;
using durable::kWalHeaderBytes;
using durable::Outcome;

// A head that is intact, and lies.
void put_head(Bytes& bytes, uint64_t number, std::mt19937_64& random) {
  if (bytes.size() < kWalHeaderBytes + 64) return;
  const uint64_t words = (bytes.size() - kWalHeaderBytes - 64) / 8;
  const uint64_t at = kWalHeaderBytes + 8 * (random() % (words + 1));
  durable::WalHead head;
  const uint64_t sizes[] = {0, 16, 100, 1000, bytes.size(), 1 << 24};
  head.body_bytes = static_cast<uint32_t>(sizes[random() % 6]);
  const uint64_t lsns[] = {0, 1, random() % 20, UINT64_MAX, UINT64_MAX - 1};
  head.lsn = lsns[random() % 5];
  head.durable_offset = random() % 2 == 0 ? at : random() % (at + 1);
  head.epoch = static_cast<uint32_t>(random() % 4);
  head.type = static_cast<durable::WalType>(1 + random() % 6);
  const uint32_t counts[] = {0, 1, 2, UINT32_MAX};
  head.count = counts[random() % 4];
  const durable::WalCodec codec(small_wal().new_log_id, number);
  const uint64_t body = std::min<uint64_t>(
      head.body_bytes, bytes.size() - at - durable::kWalHeadBytes);
  head.body_checksum =
      codec.body_checksum(at, bytes.data() + at + durable::kWalHeadBytes, body);
  codec.encode_head(at, head, bytes.data() + at);
}

// A header that is intact, and lies.
void put_header(Bytes& bytes, std::mt19937_64& random) {
  if (bytes.size() < kWalHeaderBytes) return;
  const size_t fields[] = {32, 40, 48, 64, 72, 80, 88};
  const uint64_t values[] = {0, 1, 2, 3, bytes.size(), UINT64_MAX, 1u << 20};
  durable::WalHeader header;
  if (durable::decode_wal_header(bytes.data(), &header) !=
      durable::WalHeaderVerdict::kGood) {
    return;
  }
  store_u64(bytes.data() + fields[random() % 7], values[random() % 7]);
  store_u32(bytes.data() + durable::kWalHeaderChecksumOffset,
            crc32(Crc32Kind::kCastagnoli, 0, bytes.data(),
                  durable::kWalHeaderChecksumOffset));
}

void damage(SimulatedFileSystem& system, std::mt19937_64& random) {
  const uint64_t number = 1 + random() % 4;
  Bytes bytes = system.contents(wal_path(number));
  switch (random() % 8) {
    case 0:
      bytes.resize(random() % (bytes.size() + 100));
      break;
    case 1:
      if (system.exists(wal_path(number))) {
        REQUIRE(system.remove(wal_path(number)).ok());
      }
      return;
    case 2:
      bytes = system.contents(wal_path(1 + random() % 4));
      break;
    case 3:
    case 4:
      put_head(bytes, number, random);
      break;
    case 5:
      put_header(bytes, random);
      break;
    default:
      for (uint64_t i = 0; !bytes.empty() && i < 1 + random() % 30; ++i) {
        bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
      }
  }
  system.put(wal_path(number), std::move(bytes));
}

uint64_t read_all(SimulatedFileSystem& system) {
  durable::WalReader reader(system, kWalDirectory);
  Failure failure;
  if (reader.refresh(&failure) != Outcome::kOk) return 0;
  uint64_t entries = 0;
  uint64_t from = reader.first_lsn();
  while (from <= reader.last_lsn() && entries < 10'000) {
    durable::WalChunk chunk;
    if (reader.read(from, UINT64_MAX, 1000, &chunk, &failure) != Outcome::kOk) {
      break;
    }
    if (chunk.entries.empty()) break;
    entries += chunk.entries.size();
    from = chunk.entries.back().lsn + 1;
  }
  uint64_t point = 0;
  (void)reader.seek_point(from, &point, &failure);
  return entries;
}

uint64_t salvage_all(SimulatedFileSystem& system) {
  durable::WalRemains remains;
  Failure failure;
  if (durable::find_wal_remains(system, kWalDirectory, &remains, &failure) !=
      Outcome::kOk) {
    return 0;
  }
  uint64_t entries = 0;
  for (const durable::WalFileInfo& file : remains.files) {
    uint64_t from = 1;
    for (uint64_t turns = 0; from > 0; ++turns) {
      REQUIRE(turns < 10'000);
      durable::WalSalvaged part;
      REQUIRE(durable::salvage_wal_file(system, kWalDirectory, remains.log_id,
                                        file.number, from, 200, &part,
                                        &failure) == Outcome::kOk);
      REQUIRE((part.next_offset == 0 || part.next_offset > from));
      entries += part.chunk.entries.size();
      from = part.next_offset;
    }
  }
  return entries;
}

TEST_SUITE_BEGIN("wal damage");

TEST_CASE("files with any bytes are opened or refused, twice alike") {
  std::mt19937_64 random(99);
  uint64_t opened = 0;
  uint64_t refused = 0;
  uint64_t found = 0;
  for (const char* const operations : {"wwxxwwbxxk", "axxbCxxTwi", "w"}) {
    SimulatedFileSystem whole;
    WalScript script;
    REQUIRE(script.open(whole));
    for (const char* at = operations; *at != 0; ++at) REQUIRE(script.run(*at));
    script.drop();
    for (int n = 0; n < 4000; ++n) {
      const auto system = whole.kill();
      for (uint64_t i = 0; i < 1 + random() % 3; ++i) damage(*system, random);
      found += read_all(*system);
      found += salvage_all(*system);
      auto options = small_wal();
      options.verifies = random() % 2 == 0;
      OpenedWal first = open_wal(*system, options);
      first.outcome == Outcome::kOk ? ++opened : ++refused;
      const bool is_open = first.outcome == Outcome::kOk;
      uint64_t lsn = 0;
      if (is_open && first.writer->next_lsn() < UINT64_MAX / 2) {
        REQUIRE(first.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
        REQUIRE(first.writer->close() == Outcome::kOk);
      }
      first.writer.reset();
      // What opens once opens again.
      const OpenedWal second = open_wal(*system, options);
      CHECK((second.outcome == Outcome::kOk) == is_open);
    }
  }
  CHECK(opened > 500);
  CHECK(refused > 3000);
  CHECK(found > 10'000);
}

// A directory with one file of `file_bytes` that holds a header and no record,
// as none of our writers leaves one.
std::unique_ptr<SimulatedFileSystem> with_file_of(uint64_t file_bytes) {
  auto system = std::make_unique<SimulatedFileSystem>();
  durable::WalHeader header;
  header.log_id = {1, 2, 3};
  header.file_number = header.base_lsn = 1;
  header.oldest_lsn = header.oldest_file = 1;
  header.epoch = header.branch = 1;
  header.file_bytes = file_bytes;
  Bytes bytes(file_bytes);
  durable::encode_wal_header(header, bytes.data());
  system->put(wal_path(1), std::move(bytes));
  return system;
}

TEST_CASE("a file without room for a SEAL is refused, and stays as it is") {
  auto options = small_wal();
  for (const uint64_t segment_bytes : {uint64_t{0}, options.segment_bytes}) {
    const auto system = with_file_of(kWalHeaderBytes);
    options.segment_bytes = segment_bytes;
    for (int n = 0; n < 2; ++n) {
      const OpenedWal opened = open_wal(*system, options);
      CHECK(opened.outcome == Outcome::kCorrupt);
      CHECK(opened.failure.path == wal_path(1));
      CHECK(opened.failure.offset == kWalHeaderBytes);
    }
  }
}

TEST_CASE("files are not made as short as one that has no room for an entry") {
  const auto system = with_file_of(kWalHeaderBytes + kWalControlBytes);
  auto options = small_wal();
  options.segment_bytes = 0;
  options.spare_bytes = 0;
  OpenedWal opened = open_wal(*system, options);
  REQUIRE(opened.outcome == Outcome::kOk);
  CHECK(opened.writer->files().back().bytes == durable::kWalSegmentBytes);
  uint64_t lsn = 0;
  CHECK(opened.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  CHECK(opened.writer->close() == Outcome::kOk);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
