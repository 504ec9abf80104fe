// The table itself, and that everyone who looks at a log says the same of the
// same damage. Each row has its tests in wal_recovery_test.cc.
#include "core/durable/wal/wal_classify.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/little_endian.h"
#include "core/durable/wal/wal_salvage.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::kWalHeaderBytes;
using durable::Outcome;
using durable::WalFacts;
using durable::WalRow;

TEST_SUITE_BEGIN("wal classify");

TEST_CASE("each row is the first that some facts meet, and means one thing") {
  std::map<WalRow, uint64_t> met;
  for (WalFacts facts = 0; facts < 1u << durable::kWalFactCount; ++facts) {
    const durable::WalRule* const rule = durable::find_wal_rule(facts);
    if (rule == nullptr) {
      // Of a scan that ended there is always something to say.
      REQUIRE((facts & durable::kFactScanned) == 0);
      continue;
    }
    ++met[rule->row];
  }
  CHECK(met.size() == static_cast<size_t>(WalRow::kWrongLsn) + 1);
  CHECK(durable::find_wal_rule(0) == nullptr);
  // A file that is as its header says, whatever its place.
  CHECK(durable::find_wal_rule(durable::kFactNewest) == nullptr);
  for (size_t row = 0; row <= static_cast<size_t>(WalRow::kWrongLsn); ++row) {
    const durable::WalRule& rule = durable::wal_rule(static_cast<WalRow>(row));
    CHECK(static_cast<size_t>(rule.row) == row);
    // Where a writer refuses, a reader does, and the other way round.
    const bool writer_is_corrupt = rule.action == durable::WalAction::kCorrupt;
    const bool reader_is_corrupt =
        rule.reading == durable::WalReading::kCorrupt;
    CHECK(writer_is_corrupt == reader_is_corrupt);
    const bool writer_refuses = rule.action == durable::WalAction::kRefuse;
    const bool reader_refuses = rule.reading == durable::WalReading::kRefuse;
    CHECK(writer_refuses == reader_refuses);
  }
}

struct Told {
  uint64_t loud = 0;
  uint64_t open = 0;
  // Damage in records that no reader is ever given.
  uint64_t unread = 0;
};

// Opens, reads, verifies and salvages the same bytes.
void compare(const SimulatedFileSystem& disk, const WalContents& was,
             Told* told) {
  // First, so that it outlives the files that are open in it.
  const auto looked = disk.kill();
  durable::WalClassification verified;
  Failure said;
  const Outcome outcome = durable::classify_wal(
      *looked, {kWalDirectory, durable::WalRole::kReader, false, true},
      &verified, &said);

  const WalSight seen = see_wal(*looked, durable::WalTailMode::kIntact);
  const WalSight proved = see_wal(*looked, durable::WalTailMode::kDurable);

  auto options = small_wal();
  options.verifies = true;
  const auto opened_disk = disk.kill();
  const OpenedWal opened = open_wal(*opened_disk, options);

  // A writer and verification say the same, word for word.
  REQUIRE(opened.outcome == outcome);
  const auto is_same = [&](const Failure& other) {
    return other.outcome == said.outcome && other.path == said.path &&
           other.offset == said.offset &&
           std::string(other.detail) == said.detail;
  };
  durable::WalRemains remains;
  Failure none;
  const Outcome salvaged =
      durable::find_wal_remains(*looked, kWalDirectory, &remains, &none);
  if (salvaged != Outcome::kOk) REQUIRE(is_same(none));
  if (outcome == Outcome::kOk) {
    ++told->open;
    REQUIRE(opened.recovery.row == verified.row);
    // A reader shows what opening keeps.
    REQUIRE(seen.outcome == Outcome::kOk);
    REQUIRE(proved.outcome == Outcome::kOk);
    if (seen.contents.next_lsn > 1) {
      REQUIRE(seen.contents ==
              see_wal(*opened_disk->kill(), durable::WalTailMode::kIntact)
                  .contents);
    }
    return;
  }
  REQUIRE(is_same(opened.failure));
  if (seen.outcome == Outcome::kOk) {
    // Records are checked when they are read.
    ++told->unread;
    REQUIRE(seen.contents == was);
    return;
  }
  ++told->loud;
  REQUIRE(is_same(seen.failure));
  REQUIRE(is_same(proved.failure));
}

struct Log {
  explicit Log(const std::string& operations) {
    REQUIRE(script.open(system));
    for (const char operation : operations) REQUIRE(script.run(operation));
    script.drop();
    was = script.latest();
  }
  SimulatedFileSystem system;
  WalScript script;
  WalContents was;
};

std::vector<std::string> files_of(const SimulatedFileSystem& system) {
  std::vector<std::string> files;
  for (const std::string& path : system.paths()) {
    if (path.ends_with(".log")) files.push_back(path);
  }
  return files;
}

// The third is killed before what it synced is proved.
constexpr const char* kLogs[] = {"wwxxwwxxk", "axxbCxxTwi", "wxaxwbas",
                                 "wwxxsawf"};

TEST_CASE("a flipped bit is told alike by all") {
  Told told;
  for (const char* const operations : kLogs) {
    const Log log(operations);
    for (const std::string& path : files_of(log.system)) {
      const Bytes good = log.system.contents(path);
      for (size_t bit = 0; bit < good.size() * 8; ++bit) {
        // The header's padding is all alike; of the rest every third bit.
        const bool is_padding = bit > 160 * 8 && bit < 4092 * 8;
        if (bit % (is_padding ? 997 : 3) != 0) continue;
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
        const auto disk = log.system.kill();
        disk->put(path, std::move(bad));
        INFO("script ", operations, ", ", path, " bit ", bit);
        compare(*disk, log.was, &told);
      }
    }
  }
  CHECK(told.loud > 3000);
  CHECK(told.open > 3000);
  CHECK(told.unread > 0);
}

TEST_CASE("missing, renamed, copied, foreign, cut and longer files are too") {
  Told told;
  Log other("wxwxwxwxk");
  for (const char* const operations : kLogs) {
    const Log log(operations);
    const std::vector<std::string> files = files_of(log.system);
    for (size_t at = 0; at < files.size(); ++at) {
      const std::string& path = files[at];
      const Bytes good = log.system.contents(path);
      using Damage = std::function<void(SimulatedFileSystem&)>;
      const auto cut = [&](size_t bytes) {
        return [&path, &good, bytes](SimulatedFileSystem& disk) {
          Bytes bad = good;
          bad.resize(bytes);
          disk.put(path, std::move(bad));
        };
      };
      const auto store = [&](size_t offset, uint64_t value, size_t bytes,
                             bool is_sealed) {
        return [&path, &good, offset, value, bytes,
                is_sealed](SimulatedFileSystem& disk) {
          Bytes bad = good;
          for (size_t i = 0; i < bytes; ++i) {
            bad[offset + i] = static_cast<uint8_t>(value >> 8 * i);
          }
          // As if it had been written so.
          if (is_sealed) {
            store_u32(bad.data() + durable::kWalHeaderChecksumOffset,
                      crc32(Crc32Kind::kCastagnoli, 0, bad.data(),
                            durable::kWalHeaderChecksumOffset));
          }
          disk.put(path, std::move(bad));
        };
      };
      std::vector<Damage> damages = {
          [&](SimulatedFileSystem& disk) { REQUIRE(disk.remove(path).ok()); },
          [&](SimulatedFileSystem& disk) {
            REQUIRE(disk.rename(path, wal_path(99)).ok());
          },
          [&](SimulatedFileSystem& disk) { disk.put("log/wal-7.log", good); },
          [&](SimulatedFileSystem& disk) { disk.put(wal_path(77), good); },
          [&](SimulatedFileSystem& disk) {
            disk.put(path, other.system.contents(wal_path(at + 1)));
          },
          [&](SimulatedFileSystem& disk) {
            disk.put(path, log.system.contents(files[(at + 1) % files.size()]));
          },
          cut(0),
          cut(100),
          cut(kWalHeaderBytes),
          cut(kWalHeaderBytes + 100),
          cut(good.size() - 1),
          cut(good.size() + 1),
          cut(good.size() + 4096),
          [&](SimulatedFileSystem& disk) {
            disk.put(path, Bytes(good.size()));
          },
          [&](SimulatedFileSystem& disk) {
            disk.put(path, Bytes(good.size(), 0xA5));
          },
      };
      // Magic, version and features; then every field of the header.
      for (const bool is_sealed : {false, true}) {
        for (const size_t offset : {0, 8, 12}) {
          damages.push_back(store(offset, 2, 4, is_sealed));
        }
        for (const size_t offset : {16, 24, 32, 40, 48, 64, 72, 80, 88}) {
          for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{3},
                                       uint64_t{4096}, UINT64_MAX}) {
            damages.push_back(store(offset, value, 8, is_sealed));
          }
        }
        damages.push_back(store(56, 9, 4, is_sealed));
        damages.push_back(store(96, 9, 4, is_sealed));
      }
      // Whole sectors.
      for (size_t sector = 0; sector < good.size(); sector += 512) {
        damages.push_back([&path, &good, sector](SimulatedFileSystem& disk) {
          Bytes bad = good;
          std::fill_n(bad.begin() + static_cast<ptrdiff_t>(sector), 512,
                      uint8_t{0});
          disk.put(path, std::move(bad));
        });
      }
      for (size_t i = 0; i < damages.size(); ++i) {
        const auto disk = log.system.kill();
        damages[i](*disk);
        INFO("script ", operations, ", ", path, ", damage ", i);
        // A header that lies may be told only by what follows from it.
        compare(*disk, log.was, &told);
      }
    }
  }
  CHECK(told.loud > 300);
  CHECK(told.open > 20);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
