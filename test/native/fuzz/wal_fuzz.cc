// Any bytes in the files of a write-ahead log: opened for writing, followed,
// salvaged. The input is a list of edits of a log of three files:
//
//   0      1        3       4     5
//   +------+--------+-------+-----+-----------------+
//   | file | offset | bits  |  n  | n bytes to put  |
//   +------+--------+-------+-----+-----------------+
//
// The bits are those of Bits. kSeals makes the checksums right afterwards, of
// the header or of the record whose head is at the offset, so that the fuzzer
// gets past them.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/base/little_endian.h"
#include "core/durable/wal/wal_reader.h"
#include "core/durable/wal/wal_salvage.h"
#include "core/durable/wal/wal_writer.h"
#include "support/simulated_file_system.h"

namespace atomic_log::durable {
namespace {

using test::Bytes;
using test::SimulatedFileSystem;

enum Bits : uint8_t { kSeals = 1, kCuts = 2, kRemoves = 4 };

constexpr uint64_t kFiles = 3;
constexpr size_t kEditsMax = 32;

void expect(bool is_so, const char* what) {
  if (is_so) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

WalOptions options() {
  WalOptions options;
  options.directory = "log";
  options.segment_bytes = kWalHeaderBytes + 1024;
  options.new_log_id = {1, 2, 3, 4};
  options.zero_ahead_bytes = 0;
  return options;
}

std::unique_ptr<SimulatedFileSystem> make_log() {
  auto system = std::make_unique<SimulatedFileSystem>();
  std::unique_ptr<WalWriter> writer;
  WalRecovery recovery;
  Failure failure;
  expect(WalWriter::open(*system, options(), &writer, &recovery, &failure) ==
             Outcome::kOk,
         "the log is made");
  const Bytes data(200, 7);
  const uint32_t lengths[] = {20, 30, 0};
  uint64_t lsn = 0;
  while (writer->files().size() < kFiles) {
    expect(writer->append(data.data(), 200, &lsn) == Outcome::kOk, "append");
    expect(writer->append_batch(data.data(), lengths, 3, &lsn) == Outcome::kOk,
           "batch");
    expect(writer->sync() == Outcome::kOk, "sync");
  }
  expect(writer->append(data.data(), 50, &lsn) == Outcome::kOk, "append");
  expect(writer->close() == Outcome::kOk, "close");
  return system;
}

void seal(Bytes& bytes, uint64_t number, size_t offset) {
  if (offset < kWalHeaderBytes) {
    if (bytes.size() < kWalHeaderBytes) return;
    store_u32(bytes.data() + kWalHeaderChecksumOffset,
              crc32(Crc32Kind::kCastagnoli, 0, bytes.data(),
                    kWalHeaderChecksumOffset));
    return;
  }
  if (offset % kWalAlignment != 0 || offset + kWalHeadBytes > bytes.size()) {
    return;
  }
  uint8_t* const head = bytes.data() + offset;
  const WalCodec codec(options().new_log_id, number);
  const size_t body_bytes = std::min<size_t>(
      load_u32(head + 4), bytes.size() - offset - kWalHeadBytes);
  WalHead parsed;
  parsed.body_bytes = load_u32(head + 4);
  parsed.lsn = load_u64(head + 8);
  parsed.durable_offset = load_u64(head + 16);
  parsed.epoch = load_u32(head + 24);
  parsed.count = load_u32(head + 28);
  parsed.type = static_cast<WalType>(load_u32(head + 36) % 8);
  parsed.body_checksum =
      codec.body_checksum(offset, head + kWalHeadBytes, body_bytes);
  codec.encode_head(offset, parsed, head);
}

void edit(SimulatedFileSystem& system, const uint8_t* input, size_t bytes) {
  for (size_t edits = 0; bytes >= 5 && edits < kEditsMax; ++edits) {
    const uint64_t number = 1 + input[0] % (kFiles + 1);
    const size_t offset = input[1] | size_t{input[2]} << 8;
    const uint8_t bits = input[3];
    const size_t count = std::min<size_t>(input[4], bytes - 5);
    const std::string path = wal_file_path("log", number);
    if ((bits & kRemoves) != 0) {
      (void)system.remove(path);
    } else {
      Bytes file = system.contents(path);
      if ((bits & kCuts) != 0) {
        file.resize(std::min<size_t>(offset, 3 * kWalHeaderBytes));
      }
      if (offset < file.size()) {
        std::memcpy(file.data() + offset, input + 5,
                    std::min(count, file.size() - offset));
      }
      if ((bits & kSeals) != 0) seal(file, number, offset);
      system.put(path, std::move(file));
    }
    input += 5 + count;
    bytes -= 5 + count;
  }
}

void follow(SimulatedFileSystem& system) {
  WalReader reader(system, "log");
  Failure failure;
  if (reader.refresh(&failure) != Outcome::kOk) return;
  uint64_t from = reader.first_lsn();
  for (int turns = 0; turns < 100 && from <= reader.last_lsn(); ++turns) {
    WalChunk chunk;
    if (reader.read(from, UINT64_MAX, 100, &chunk, &failure) != Outcome::kOk ||
        chunk.entries.empty()) {
      break;
    }
    expect(chunk.entries.front().lsn == from, "entries are dense");
    from = chunk.entries.back().lsn + 1;
  }
  uint64_t point = 0;
  if (reader.seek_point(from - 1, &point, &failure) == Outcome::kOk) {
    expect(point < from, "a seek does not pass its aim");
  }
}

void salvage(SimulatedFileSystem& system) {
  WalRemains remains;
  Failure failure;
  if (find_wal_remains(system, "log", &remains, &failure) != Outcome::kOk) {
    return;
  }
  for (const WalFileInfo& file : remains.files) {
    uint64_t from = 1;
    while (from > 0) {
      WalSalvaged part;
      expect(salvage_wal_file(system, "log", remains.log_id, file.number, from,
                              100, &part, &failure) == Outcome::kOk,
             "salvage reads");
      expect(part.next_offset == 0 || part.next_offset > from,
             "salvage goes on");
      from = part.next_offset;
    }
  }
}

bool opens(SimulatedFileSystem& system, bool verifies) {
  WalOptions given = options();
  given.verifies = verifies;
  std::unique_ptr<WalWriter> writer;
  WalRecovery recovery;
  Failure failure;
  if (WalWriter::open(system, given, &writer, &recovery, &failure) !=
      Outcome::kOk) {
    return false;
  }
  if (writer->next_lsn() < UINT64_MAX / 2) {
    uint64_t lsn = 0;
    const uint64_t next = writer->next_lsn();
    expect(writer->append(nullptr, 0, &lsn) == Outcome::kOk && lsn == next,
           "an opened log takes entries");
    expect(writer->close() == Outcome::kOk, "an opened log closes");
  }
  return true;
}

}  // namespace
}  // namespace atomic_log::durable

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atomic_log::durable;  // NOLINT
  static const auto& log = *make_log().release();
  if (size == 0) return 0;
  const auto system = log.kill();
  edit(*system, data + 1, size - 1);
  follow(*system);
  salvage(*system);
  const bool verifies = data[0] % 2 == 1;
  const bool has_opened = opens(*system, verifies);
  expect(opens(*system, verifies) == has_opened, "it opens twice, or never");
  if (has_opened) follow(*system);
  return 0;
}
