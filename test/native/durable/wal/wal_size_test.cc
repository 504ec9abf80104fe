// What opening, following and reading a log of 10 GB reads of it.
#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/durable/wal/wal_reader.h"
#include "core/durable/wal/wal_writer.h"
#include "support/sparse_file_system.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::kWalHeaderBytes;
using durable::Outcome;
using durable::WalChunk;
using durable::WalReader;
using durable::WalWriter;

constexpr uint64_t kFiles = 160;
constexpr uint64_t kFileBytes = uint64_t{64} << 20;
// Their last file has small records, for the index.
constexpr uint64_t kSmallBytes = 1000;
constexpr uint64_t kLargeBytes = uint64_t{15} << 20;
// Of a file that is not the newest: its header and its SEAL, and not even both
// at once.
constexpr uint64_t kOlderBytesMax = kWalHeaderBytes + durable::kWalControlBytes;
// What finding an entry for the first time may cost beside its file: what is read
// twice where a read ends within a record.
constexpr uint64_t kScanBytesMax = uint64_t{1} << 19;
// What one seek may cost: reads that become larger, until one of them spans the
// distance of two points of the index.
constexpr uint64_t kSeekBytesMax = (uint64_t{1} << 16) + (uint64_t{1} << 14) +
                                   durable::WalScanner::kReadBytesMin;

// Full files of large records, most of them holes on the disk.
struct LargeLog {
  LargeLog() {
    std::filesystem::remove_all(options.directory);
    OpenedWal opened = open();
    const Bytes zeros(kLargeBytes);
    uint64_t lsn = 0;
    while (opened.writer->files().size() < kFiles) {
      REQUIRE(opened.writer->append(zeros.data(), zeros.size(), &lsn) ==
              Outcome::kOk);
    }
    first_small = lsn + 1;
    while (opened.writer->files().size() == kFiles) {
      REQUIRE(opened.writer->append(zeros.data(), kSmallBytes, &lsn) ==
              Outcome::kOk);
    }
    last = lsn;
    REQUIRE(opened.writer->close() == Outcome::kOk);
    opened.writer.reset();
    system.clear_reads();
  }
  ~LargeLog() { std::filesystem::remove_all(options.directory); }

  static durable::WalOptions make_options() {
    durable::WalOptions made = small_wal();
    made.directory = "./wal_size_test";
    made.segment_bytes = kFileBytes;
    return made;
  }

  OpenedWal open() {
    OpenedWal result;
    result.outcome = WalWriter::open(system, options, &result.writer,
                                     &result.recovery, &result.failure);
    REQUIRE(result.outcome == Outcome::kOk);
    return result;
  }

  std::string path(uint64_t number) const {
    return durable::wal_file_path(options.directory, number);
  }

  // Of the files before the newest only headers and SEALs were read.
  void check_reads() {
    for (uint64_t number = 1; number <= kFiles; ++number) {
      const uint64_t bytes = system.bytes_read(path(number));
      CHECK(bytes >= kWalHeaderBytes);
      CHECK(bytes <= kOlderBytesMax);
    }
    // To look at all of the newest one, and to write some of it again.
    CHECK(system.bytes_read(path(kFiles + 1)) <= 2 * kFileBytes);
    CHECK(system.bytes_read() <= kFiles * kOlderBytesMax + 2 * kFileBytes + 64);
  }

  const durable::WalOptions options = make_options();
  SparseFileSystem system;
  uint64_t first_small = 0;
  uint64_t last = 0;
};

TEST_SUITE_BEGIN("wal size");

TEST_CASE("a log of 10 GB: what is read to open it, and to find an entry") {
  LargeLog log;
  {
    const OpenedWal opened = log.open();
    CHECK(opened.writer->last_lsn() == log.last);
    CHECK(opened.writer->files().size() == kFiles + 1);
    log.check_reads();
    MESSAGE("opening read ", log.system.bytes_read(), " bytes of ",
            (kFiles + 1) * kFileBytes);
  }
  log.system.clear_reads();
  WalReader reader(log.system, log.options.directory);
  Failure failure;
  REQUIRE(reader.refresh(&failure) == Outcome::kOk);
  CHECK(reader.last_lsn() == log.last);
  log.check_reads();

  // An entry in a file that was never read: the file is read up to it, once.
  const auto get = [&](uint64_t lsn) {
    log.system.clear_reads();
    WalChunk chunk;
    REQUIRE(reader.read(lsn, lsn, 1, &chunk, &failure) == Outcome::kOk);
    REQUIRE(chunk.entries.size() == 1);
    CHECK(chunk.entries[0].lsn == lsn);
    return log.system.bytes_read();
  };
  const uint64_t middle = log.first_small / 2;
  CHECK(get(middle) <= kFileBytes + kScanBytesMax);
  CHECK(get(log.last - 1) <= kFileBytes + kScanBytesMax);
  // From then on the index leads there.
  CHECK(get(middle) <= kLargeBytes + kSeekBytesMax);
  for (uint64_t step = 1; step < 20; ++step) {
    const uint64_t small = log.last - log.first_small;
    CHECK(get(log.first_small + small * (step * 7 % 20) / 20) <= kSeekBytesMax);
  }
  // Where the last one ended the next begins: one small read.
  const uint64_t next = (log.first_small + log.last) / 2;
  CHECK(get(next) <= kSeekBytesMax);
  CHECK(get(next + 1) <= durable::WalScanner::kReadBytesMin);
  // A refresh that finds nothing new.
  log.system.clear_reads();
  REQUIRE(reader.refresh(&failure) == Outcome::kOk);
  CHECK(log.system.bytes_read() <= kSeekBytesMax);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
