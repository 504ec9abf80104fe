#include "core/durable/wal/wal_recovery.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

#include "core/base/little_endian.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::kWalHeaderBytes;
using durable::Outcome;
using durable::wal_rule;
using durable::WalRow;
using Fault = SimulatedFileSystem::Fault;

// A closed log after some operations; three files for the longest.
struct Log {
  explicit Log(const std::string& operations) {
    REQUIRE(script.open(system));
    for (const char operation : operations) REQUIRE(script.run(operation));
    script.drop();
  }

  void change(uint64_t number, size_t offset, uint8_t xor_with = 0xFF) {
    Bytes bytes = system.contents(wal_path(number));
    bytes.at(offset) ^= xor_with;
    system.put(wal_path(number), bytes);
  }

  // Opening is refused with that row, and touches nothing.
  void check_refused(WalRow row, Outcome outcome) {
    std::vector<Bytes> before;
    for (const std::string& path : system.paths()) {
      before.push_back(system.contents(path));
    }
    const OpenedWal opened = open_wal(system);
    CHECK(opened.outcome == outcome);
    CHECK(opened.failure.detail == wal_rule(row).condition);
    CHECK(opened.failure.path.find("wal-") != std::string::npos);
    std::vector<Bytes> after;
    for (const std::string& path : system.paths()) {
      after.push_back(system.contents(path));
    }
    CHECK(before == after);
  }

  // It opens with that row, and holds what it held.
  OpenedWal check_opened(WalRow row) {
    OpenedWal opened = open_wal(system);
    CHECK(opened.outcome == Outcome::kOk);
    CHECK(static_cast<int>(opened.recovery.row) == static_cast<int>(row));
    CHECK(wal_contents(system) == script.latest());
    return opened;
  }

  SimulatedFileSystem system;
  WalScript script;
};

const std::string kThreeFiles = "wwxxwwxxk";

TEST_SUITE_BEGIN("wal recovery");

TEST_CASE("no files: a log is made") {
  Log log("");
  SimulatedFileSystem empty;
  auto options = small_wal();
  options.first_lsn = 1000;
  options.metadata = {7, 8, 9};
  OpenedWal opened = open_wal(empty, options);
  REQUIRE(opened.outcome == Outcome::kOk);
  CHECK(opened.recovery.row == WalRow::kNoFiles);
  uint64_t lsn = 0;
  REQUIRE(opened.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  CHECK(lsn == 1000);
  CHECK(opened.writer->first_lsn() == 1000);
  REQUIRE(opened.writer->close() == Outcome::kOk);
  opened.writer.reset();
  opened = open_wal(empty);
  CHECK(opened.writer->metadata() == Bytes{7, 8, 9});
  CHECK(opened.writer->next_lsn() == 1001);
  CHECK(opened.writer->first_lsn() == 1000);
}

TEST_CASE("zeros to the end: a clean end") {
  Log log("wxk");
  log.check_opened(WalRow::kCleanEnd);
}

TEST_CASE("a torn tail is quarantined, unless that is refused") {
  Log log("wwk");
  // OPEN, two entries, SYNC, OPEN.
  const size_t end = kWalHeaderBytes + 3 * durable::kWalControlBytes +
                     2 * durable::wal_record_bytes(90);
  log.change(1, end + 3);
  log.change(1, end + 300);
  auto strict = small_wal();
  strict.is_tail_strict = true;
  const OpenedWal refused = open_wal(log.system, strict);
  CHECK(refused.outcome == Outcome::kTornTail);
  OpenedWal opened = log.check_opened(WalRow::kTornTail);
  CHECK(opened.recovery.end_offset == end);
  CHECK(opened.recovery.quarantined_bytes == 301);
  CHECK(opened.recovery.end_lsn == 3);
  const Bytes quarantined =
      log.system.contents(opened.recovery.quarantine_path);
  REQUIRE(quarantined.size() == 301);
  CHECK(quarantined[3] == 0xFF);
  CHECK(quarantined[300] == 0xFF);
  CHECK(opened.recovery.quarantine_path == wal_path(1) + ".torn-1");
  // Once.
  opened.writer.reset();
  log.check_opened(WalRow::kCleanEnd);
}

TEST_CASE(
    "torn bytes are in the file or in the copy, whenever the power goes") {
  Log torn("wwk");
  const size_t end = kWalHeaderBytes + 3 * durable::kWalControlBytes +
                     2 * durable::wal_record_bytes(90);
  for (size_t i = 0; i < 700; i += 50) torn.change(1, end + 1 + i);
  const Bytes all = torn.system.contents(wal_path(1));
  const Bytes bytes(all.begin() + static_cast<ptrdiff_t>(end),
                    all.begin() + static_cast<ptrdiff_t>(end) + 652);
  std::mt19937_64 random(3);
  for (uint64_t step = 0;; ++step) {
    const auto disk = torn.system.kill();
    disk->fail_at(step, Fault::kPowerOff);
    (void)open_wal(*disk);
    for (int sample = 0; sample < 300; ++sample) {
      std::vector<uint32_t> choices;
      for (const uint32_t count : disk->dirty_states()) {
        choices.push_back(static_cast<uint32_t>(random() % count));
      }
      const auto left = disk->crash(choices);
      const Bytes log = left->contents(wal_path(1));
      const bool is_there =
          std::equal(bytes.begin(), bytes.end(),
                     log.begin() + static_cast<ptrdiff_t>(end));
      INFO("cut at ", step);
      REQUIRE((is_there || left->contents(wal_path(1) + ".torn-1") == bytes));
    }
    if (disk->has_power()) break;
  }
}

TEST_CASE("damage that a later record proves is corruption") {
  Log log("wxwak");
  log.change(1, kWalHeaderBytes + 56 + 50);
  log.check_refused(WalRow::kProvenDamage, Outcome::kCorrupt);
}

TEST_CASE("a lost sector in front of a proof is corruption, not the end") {
  Log log("wxwak");
  Bytes bytes = log.system.contents(wal_path(1));
  std::fill_n(bytes.begin() + kWalHeaderBytes, 512, uint8_t{0});
  log.system.put(wal_path(1), bytes);
  log.check_refused(WalRow::kProvenDamage, Outcome::kCorrupt);
}

TEST_CASE("a sealed file without successor is followed by one") {
  Log log(kThreeFiles);
  const auto paths = log.system.paths();
  const uint64_t newest = static_cast<uint64_t>(std::count_if(
      paths.begin(), paths.end(),
      [](const auto& path) { return path.find("wal-") != std::string::npos; }));
  REQUIRE(newest >= 3);
  // The newest holds nothing but control records and the last entries: take a
  // log that has just rolled instead.
  Log rolled("wwt");
  REQUIRE(rolled.system.remove(wal_path(2)).ok());
  rolled.check_opened(WalRow::kSealedEnd);
  CHECK(rolled.system.exists(wal_path(2)));
}

TEST_CASE("an unfinished newest file is made again") {
  for (const bool has_length : {false, true}) {
    for (const bool is_first : {false, true}) {
      Log log(is_first ? "" : "wwt");
      const uint64_t number = is_first ? 1 : 2;
      log.system.put(wal_path(number),
                     Bytes(has_length ? small_wal().segment_bytes : 100));
      const OpenedWal opened = log.check_opened(WalRow::kUnfinishedFile);
      CHECK(log.system.contents(wal_path(number)).size() ==
            small_wal().segment_bytes);
      CHECK(opened.writer->next_lsn() == (is_first ? 1 : 2));
    }
  }
}

TEST_CASE("an intact, empty newest file is adopted, written again and synced") {
  Log log("wwt");
  const Bytes header = log.system.contents(wal_path(2));
  std::vector<std::string> done;
  log.system.on_operation = [&done](const char* name) {
    done.emplace_back(name);
  };
  const OpenedWal opened = log.check_opened(WalRow::kCleanEnd);
  log.system.on_operation = nullptr;
  const auto first = [&done](const char* name) {
    return std::find(done.begin(), done.end(), name);
  };
  // The header before the sync of the file, and that before the directory's.
  CHECK(first("write") < first("sync_all"));
  CHECK(first("sync_all") < first("sync_directory"));
  CHECK(first("sync_directory") != done.end());
  CHECK(opened.writer->files().size() == 2);
  const Bytes after = log.system.contents(wal_path(2));
  CHECK(std::equal(header.begin(), header.begin() + kWalHeaderBytes,
                   after.begin()));
}

TEST_CASE("a torn header in front of nothing is made again") {
  Log log("wwt");
  Bytes bytes(small_wal().segment_bytes);
  const Bytes good = log.system.contents(wal_path(2));
  std::copy_n(good.begin(), 512, bytes.begin());
  bytes[60] = 1;
  log.system.put(wal_path(2), bytes);
  log.check_opened(WalRow::kUnfinishedFile);
}

TEST_CASE("a newest file cut after its header is made again") {
  Log log("wwt");
  Bytes bytes = log.system.contents(wal_path(2));
  bytes.resize(kWalHeaderBytes);
  log.system.put(wal_path(2), bytes);
  log.check_opened(WalRow::kUnfinishedFile);
}

TEST_CASE("a damaged header in front of records is corruption") {
  Log log("wxk");
  log.change(1, 50);
  log.check_refused(WalRow::kDamagedHeader, Outcome::kCorrupt);
  Log older(kThreeFiles);
  older.change(2, 50);
  older.check_refused(WalRow::kDamagedHeader, Outcome::kCorrupt);
}

TEST_CASE("a damaged SEAL, and with verification any damage, is corruption") {
  Log log(kThreeFiles);
  Bytes bytes = log.system.contents(wal_path(1));
  size_t end = bytes.size();
  while (bytes[end - 1] == 0) --end;
  log.change(1, (end + 7) / 8 * 8 - 20);
  log.check_refused(WalRow::kDamagedOlderFile, Outcome::kCorrupt);

  Log body(kThreeFiles);
  body.change(1, kWalHeaderBytes + 56 + 60);
  auto options = small_wal();
  options.verifies = true;
  const OpenedWal opened = open_wal(body.system, options);
  CHECK(opened.failure.detail == wal_rule(WalRow::kDamagedOlderFile).condition);
  // Without, it is found when it is read.
  CHECK(open_wal(body.system).outcome == Outcome::kOk);
}

TEST_CASE("files that do not follow one another are corruption") {
  SUBCASE("one is missing") {
    Log log(kThreeFiles);
    REQUIRE(log.system.remove(wal_path(2)).ok());
    log.check_refused(WalRow::kBrokenChain, Outcome::kCorrupt);
  }
  SUBCASE("the one before an unfinished one is missing") {
    Log log("");
    REQUIRE(log.system.remove(wal_path(1)).ok());
    log.system.put(wal_path(2), Bytes(100));
    log.check_refused(WalRow::kBrokenChain, Outcome::kCorrupt);
  }
  SUBCASE("one is there twice") {
    Log log(kThreeFiles);
    log.system.put("log/wal-2.log", log.system.contents(wal_path(2)));
    log.check_refused(WalRow::kBrokenChain, Outcome::kCorrupt);
  }
  SUBCASE("one has the name of another") {
    Log log(kThreeFiles);
    log.system.put(wal_path(2), log.system.contents(wal_path(1)));
    log.check_refused(WalRow::kBrokenChain, Outcome::kCorrupt);
  }
  SUBCASE("one is the successor of another state of the same log") {
    Log log("aat");
    const Log other("wwt");
    log.system.put(wal_path(2), other.system.contents(wal_path(2)));
    log.check_refused(WalRow::kBrokenChain, Outcome::kCorrupt);
  }
  SUBCASE("one is from another log") {
    Log log(kThreeFiles);
    SimulatedFileSystem other;
    auto options = small_wal();
    options.new_log_id = {9};
    OpenedWal opened = open_wal(other, options);
    const Bytes data(600);
    uint64_t lsn = 0;
    for (int i = 0; i < 9; ++i) {
      REQUIRE(opened.writer->append(data.data(), 600, &lsn) == Outcome::kOk);
    }
    REQUIRE(opened.writer->close() == Outcome::kOk);
    log.system.put(wal_path(2), other.contents(wal_path(2)));
    log.check_refused(WalRow::kBrokenChain, Outcome::kCorrupt);
  }
}

TEST_CASE("files below the checkpoint are garbage, in any state") {
  Log log(kThreeFiles + "Ck");
  CHECK(!log.system.exists(wal_path(1)));
  log.system.put(wal_path(1), Bytes(77, 3));
  log.system.put(wal_path(9) + ".new", Bytes(5));
  log.check_opened(WalRow::kCleanEnd);
  CHECK(!log.system.exists(wal_path(1)));
  CHECK(!log.system.exists(wal_path(9) + ".new"));
}

TEST_CASE("what is not a file of ours is refused") {
  Log log("wk");
  log.change(1, 0);
  log.check_refused(WalRow::kForeignFile, Outcome::kFormat);
}

TEST_CASE("a newer version or an unknown feature is refused") {
  for (const size_t at : {8, 12}) {
    Log log("wk");
    log.change(1, at, 2);
    log.check_refused(WalRow::kNewerVersion, Outcome::kFormat);
  }
}

TEST_CASE("any other length is corruption") {
  Log log("wxk");
  Bytes bytes = log.system.contents(wal_path(1));
  Bytes longer = bytes;
  longer.resize(bytes.size() + 8);
  log.system.put(wal_path(1), longer);
  log.check_refused(WalRow::kWrongLength, Outcome::kCorrupt);
  bytes.resize(bytes.size() - 8);
  log.system.put(wal_path(1), bytes);
  log.check_refused(WalRow::kWrongLength, Outcome::kCorrupt);
  Log older(kThreeFiles);
  Bytes first = older.system.contents(wal_path(1));
  first.resize(first.size() - 1);
  older.system.put(wal_path(1), first);
  older.check_refused(WalRow::kWrongLength, Outcome::kCorrupt);
}

TEST_CASE("an intact record with another LSN is corruption") {
  Log log("w");
  // A record that is right in all but its LSN, where the next must come.
  Bytes bytes = log.system.contents(wal_path(1));
  durable::WalHead head;
  head.lsn = 99;
  head.epoch = 1;
  head.count = 1;
  head.durable_offset = kWalHeaderBytes;
  const size_t at = kWalHeaderBytes + 56;
  const durable::WalCodec codec(small_wal().new_log_id, 1);
  head.body_checksum = codec.body_checksum(at, nullptr, 0);
  codec.encode_head(at, head, bytes.data() + at);
  log.system.put(wal_path(1), bytes);
  log.check_refused(WalRow::kWrongLsn, Outcome::kCorrupt);
}

TEST_CASE("a record of another log, or of another file, is not taken") {
  // The same bytes at the same offset, from a log with another id.
  SimulatedFileSystem other;
  auto options = small_wal();
  options.new_log_id = {9};
  OpenedWal opened = open_wal(other, options);
  const Bytes data(90, 1);
  uint64_t lsn = 0;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(opened.writer->append(data.data(), 90, &lsn) == Outcome::kOk);
  }
  REQUIRE(opened.writer->flush() == Outcome::kOk);
  const size_t at = kWalHeaderBytes + durable::kWalControlBytes +
                    durable::wal_record_bytes(90);
  const auto splice = [at](const Bytes& from, Bytes into) {
    std::copy_n(from.begin() + static_cast<ptrdiff_t>(at), 136,
                into.begin() + static_cast<ptrdiff_t>(at));
    return into;
  };
  SimulatedFileSystem mixed;
  Log own("wf");
  mixed.put(wal_path(1), splice(other.contents(wal_path(1)),
                                own.system.contents(wal_path(1))));
  const OpenedWal read = open_wal(mixed);
  REQUIRE(read.outcome == Outcome::kOk);
  CHECK(read.recovery.row == WalRow::kTornTail);
  CHECK(read.writer->last_lsn() == 1);
}

TEST_CASE("a record of an earlier epoch is not taken") {
  // Left by a writer before the last OPEN, right in everything else.
  Log log("w");
  Bytes bytes = log.system.contents(wal_path(1));
  durable::WalHead head;
  head.lsn = 1;
  head.epoch = 0;
  head.count = 1;
  head.durable_offset = kWalHeaderBytes;
  const size_t at = kWalHeaderBytes + durable::kWalControlBytes;
  const durable::WalCodec codec(small_wal().new_log_id, 1);
  head.body_checksum = codec.body_checksum(at, nullptr, 0);
  codec.encode_head(at, head, bytes.data() + at);
  log.system.put(wal_path(1), bytes);
  const OpenedWal opened = open_wal(log.system);
  REQUIRE(opened.outcome == Outcome::kOk);
  CHECK(opened.recovery.row == WalRow::kTornTail);
  CHECK(opened.writer->last_lsn() == 0);
}

TEST_CASE("a header whose sync failed is written again") {
  for (const bool crashes : {false, true}) {
    Log log("");
    log.system.put(wal_path(1), Bytes(100));
    log.system.count_only("sync_all");
    // The first one is of the spare.
    log.system.fail_at(1, Fault::kOnce);
    CHECK(open_wal(log.system).outcome == Outcome::kIo);
    // The cache shows the header, the disk has not got it.
    auto alive = log.system.kill();
    {
      OpenedWal opened = open_wal(*alive);
      REQUIRE(opened.outcome == Outcome::kOk);
      uint64_t lsn = 0;
      REQUIRE(opened.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
      REQUIRE(opened.writer->sync() == Outcome::kOk);
    }
    const std::vector<uint32_t> nothing(alive->dirty_states().size(), 0);
    const auto disk = crashes ? alive->crash(nothing) : alive->kill();
    const OpenedWal again = open_wal(*disk);
    REQUIRE(again.outcome == Outcome::kOk);
    CHECK(again.writer->last_lsn() == 1);
  }
}

TEST_CASE("a failing read or write is a failure, and touches nothing") {
  for (const char* const name : {"read", "list", "open", "size"}) {
    for (uint64_t at = 0;; ++at) {
      Log log(kThreeFiles);
      Bytes torn = log.system.contents(wal_path(1));
      const auto before = log.system.kill();
      log.system.count_only(name);
      log.system.fail_at(at, Fault::kOnce);
      const OpenedWal opened = open_wal(log.system);
      const bool has_failed = log.system.operations() > at;
      if (!has_failed) break;
      if (opened.outcome == Outcome::kOk) continue;
      CHECK(opened.outcome == Outcome::kIo);
      CHECK(log.system.contents(wal_path(1)) == torn);
      CHECK(open_wal(*log.system.kill()).outcome == Outcome::kOk);
    }
  }
}

TEST_CASE("a second writer is refused, and told who the first is") {
  SimulatedFileSystem system;
  OpenedWal first = open_wal(system);
  const OpenedWal second = open_wal(system);
  CHECK(second.outcome == Outcome::kLocked);
  CHECK(second.failure.value == 4711);
  first.writer.reset();
  CHECK(open_wal(system).outcome == Outcome::kOk);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
