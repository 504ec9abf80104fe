// Readers of the intact tail: when they show it, what they show, and how it is
// settled. Crashes are in wal_crash_test.cc.
#include "core/durable/wal/wal_tail.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

#include "core/durable/wal/wal_reader.h"
#include "support/faults.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::Outcome;
using durable::WalReader;
using durable::WalTailMode;

void run(WalScript& script, const std::string& operations) {
  for (const char operation : operations) REQUIRE(script.run(operation));
}

// Zeroes what comes after the first `count` records of a file, as a system does
// that has lost the pages of a failed sync.
uint64_t cut_after(SimulatedFileSystem& system, uint64_t number,
                   uint64_t count) {
  std::unique_ptr<platform::File> file;
  REQUIRE(system.open(wal_path(number), platform::OpenMode::kRead, &file).ok());
  durable::WalHeader header;
  durable::WalHeaderVerdict verdict;
  REQUIRE(durable::read_wal_header(*file, &header, &verdict).ok());
  durable::WalScanner scanner(*file, durable::WalCodec(header.log_id, number),
                              durable::wal_begin(header), header.file_bytes);
  while (count-- > 0) REQUIRE(scanner.next() == durable::WalVerdict::kRecord);
  Bytes bytes = system.contents(wal_path(number));
  std::fill(bytes.begin() + static_cast<ptrdiff_t>(scanner.position().offset),
            bytes.end(), uint8_t{0});
  file.reset();
  std::unique_ptr<platform::File> again;
  REQUIRE(system.open(wal_path(number), platform::OpenMode::kReadWrite, &again)
              .ok());
  REQUIRE(again->write_at(0, bytes.data(), bytes.size()).ok());
  return scanner.position().lsn;
}

TEST_SUITE_BEGIN("wal tail");

TEST_CASE("the tail is shown while no writer has the log, and marked") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  run(script, "aiwwf");
  WalReader reader(system, kWalDirectory, WalTailMode::kIntact);
  WalSight seen = see_wal(reader);
  // A writer may still take it back.
  CHECK(seen.contents.next_lsn == 2);
  CHECK(seen.proved_lsn == 1);
  script.drop();
  seen = see_wal(reader);
  CHECK(seen.contents == script.latest());
  CHECK(seen.contents.next_lsn == 4);
  CHECK(seen.proved_lsn == 1);
  CHECK(see_wal(system, WalTailMode::kDurable).contents.next_lsn == 2);
  // As a copy has no LOCK.
  REQUIRE(system.remove("log/LOCK").ok());
  CHECK(see_wal(system, WalTailMode::kIntact).contents.next_lsn == 4);
  REQUIRE(script.open(system));
  seen = see_wal(reader);
  // OPEN proves what it found.
  CHECK(seen.contents.next_lsn == 4);
  CHECK(seen.proved_lsn == 3);
  CHECK(reader.shown().takebacks() == 0);
}

TEST_CASE("a directory in which nothing can be written is read as well") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  run(script, "wwf");
  script.drop();
  system.set_read_only(true);
  const WalSight seen = see_wal(system, WalTailMode::kIntact);
  CHECK(seen.contents == script.latest());
  CHECK(seen.proved_lsn == 0);
}

TEST_CASE("when the lock cannot be asked for, only what is proved is shown") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  run(script, "aiwf");
  script.drop();
  system.count_only("is_locked");
  system.fail_at(0, SimulatedFileSystem::Fault::kForEver);
  CHECK(see_wal(system, WalTailMode::kIntact).contents.next_lsn == 2);
}

// It passes: then nothing may be told of entries that are there.
TEST_CASE("a lack of descriptors is an error, not a writer or a loss") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  run(script, "aiwf");
  script.drop();
  uint64_t refused = 0;
  for (uint64_t at = 0; at < 16; ++at) {
    INFO("open number ", at);
    const auto disk = system.kill();
    WalReader reader(*disk, kWalDirectory, WalTailMode::kIntact);
    Failure failure;
    // Fails, or sees all there is; and then all there is.
    const auto refresh = [&](uint64_t last_lsn) {
      disk->count_only("open");
      disk->fail_at(at, SimulatedFileSystem::Fault::kOnce,
                    platform::IoCode::kNoDescriptor);
      if (reader.refresh(&failure) != Outcome::kOk) {
        ++refused;
        CHECK(failure.io.code == platform::IoCode::kNoDescriptor);
        disk->fail_at(UINT64_MAX, SimulatedFileSystem::Fault::kNone);
        REQUIRE(reader.refresh(&failure) == Outcome::kOk);
      }
      disk->fail_at(UINT64_MAX, SimulatedFileSystem::Fault::kNone);
      CHECK(reader.last_lsn() == last_lsn);
      CHECK(reader.shown().takebacks() == 0);
    };
    refresh(2);
    // What was shown is settled by the files that follow.
    WalScript later = WalScript::copy_of(script);
    REQUIRE(later.open(*disk));
    run(later, "xxxxi");
    later.drop();
    refresh(6);
  }
  CHECK(refused >= 3);
}

TEST_CASE("a writer that comes while the tail is looked at is noticed") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  run(script, "aiwwf");
  script.drop();
  for (int at = 0;; ++at) {
    const auto disk = system.kill();
    WalScript later = WalScript::copy_of(script);
    int count = 0;
    bool is_open = false;
    disk->on_operation = [&](const char*) {
      if (is_open || count++ != at) return;
      is_open = true;
      REQUIRE(later.open(*disk));
      // What it appends may be taken back yet.
      REQUIRE(later.run('w'));
      REQUIRE(later.run('f'));
    };
    const WalSight seen = see_wal(*disk, WalTailMode::kIntact);
    REQUIRE(seen.outcome == Outcome::kOk);
    INFO("a writer at operation ", at);
    // The last operations are those of reading.
    if (count < at) break;
    CHECK(seen.contents.next_lsn <= 4);
    later.drop();
  }
}

TEST_CASE("a truncation that was cut short counts as opening counts it") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  run(script, "wwws");
  // The SEAL is written, its successor is not.
  system.count_only("rename");
  system.fail_at(0, SimulatedFileSystem::Fault::kPowerOff);
  CHECK(!script.run('t'));
  script.drop();
  const auto disk = system.kill();
  const WalSight seen = see_wal(*disk, WalTailMode::kIntact);
  CHECK(seen.contents.next_lsn == 3);
  WalScript after = WalScript::copy_of(script);
  REQUIRE(after.check_restart(*disk) == "");
  CHECK(seen.contents == after.latest());
}

TEST_CASE("what was shown and is lost is told, with its first LSN") {
  std::mt19937_64 random(17);
  int lost = 0;
  int kept = 0;
  for (int round = 0; round < 300; ++round) {
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    run(script, "ai");
    const uint64_t count = 1 + random() % 8;
    for (uint64_t i = 0; i < count; ++i) run(script, "w");
    run(script, "f");
    script.drop();
    WalReader reader(system, kWalDirectory, WalTailMode::kIntact);
    const WalSight shown = see_wal(reader);
    REQUIRE(shown.contents.next_lsn == count + 2);
    REQUIRE(shown.proved_lsn == 1);
    // OPEN, the first entry, SYNC; then those that are not proved.
    const uint64_t left = random() % (count + 1);
    const uint64_t cut = cut_after(system, 1, 3 + left);
    if (random() % 3 == 0) {
      CHECK(see_wal(reader).contents.next_lsn == cut);
      CHECK(reader.shown().takebacks() == 0);
    }
    OpenedWal opened = open_wal(system);
    REQUIRE(opened.outcome == Outcome::kOk);
    const Bytes data(90, 7);
    uint64_t lsn = 0;
    // Over the place of the others, and perhaps into another file.
    const uint64_t more = random() % 3 == 0 ? 20 : 1 + random() % 3;
    for (uint64_t i = 0; i < more; ++i) {
      REQUIRE(opened.writer->append(data.data(), 90, &lsn) == Outcome::kOk);
    }
    const bool closes = random() % 2 == 0;
    REQUIRE((closes ? opened.writer->close() : opened.writer->flush()) ==
            Outcome::kOk);
    if (closes) opened.writer.reset();
    const WalSight after = see_wal(reader);
    REQUIRE(after.outcome == Outcome::kOk);
    if (closes) CHECK(after.contents.next_lsn == lsn + 1);
    INFO("shown to ", count + 1, ", cut before ", cut, ", on to ", lsn);
    if (cut == count + 2) {
      CHECK(reader.shown().takebacks() == 0);
      ++kept;
    } else {
      CHECK(reader.shown().takebacks() == 1);
      CHECK(reader.shown().taken_back_from() == cut);
      ++lost;
    }
    // It is told once.
    REQUIRE(see_wal(reader).outcome == Outcome::kOk);
    CHECK(reader.shown().takebacks() == (cut == count + 2 ? 0 : 1));
  }
  CHECK(lost > 100);
  CHECK(kept > 20);
}

TEST_CASE("refused memory hides no loss of what was shown") {
  int refused = 0;
  for (int64_t count = 0;; ++count) {
    INFO("allocation ", count);
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    run(script, "aiwwwf");
    script.drop();
    WalReader reader(system, kWalDirectory, WalTailMode::kIntact);
    REQUIRE(see_wal(reader).contents.next_lsn == 5);
    REQUIRE(cut_after(system, 1, 3 + 1) == 3);
    OpenedWal opened = open_wal(system);
    REQUIRE(opened.outcome == Outcome::kOk);
    const Bytes data(90, 7);
    uint64_t lsn = 0;
    // Into the next file, so that the epochs of the first are read again.
    for (int i = 0; i < 20; ++i) {
      REQUIRE(opened.writer->append(data.data(), 90, &lsn) == Outcome::kOk);
    }
    REQUIRE(opened.writer->close() == Outcome::kOk);
    opened.writer.reset();
    Failure failure;
    refuse_memory_after(count);
    Outcome outcome = reader.refresh(&failure);
    const bool was_met = refuse_memory_after(-1) < 0;
    if (outcome != Outcome::kOk) {
      REQUIRE(was_met);
      ++refused;
      CHECK(failure.io.code == platform::IoCode::kNoMemory);
      outcome = reader.refresh(&failure);
    }
    REQUIRE(outcome == Outcome::kOk);
    CHECK(reader.shown().takebacks() == 1);
    CHECK(reader.shown().taken_back_from() == 3);
    if (!was_met) break;
  }
  CHECK(refused > 3);
}

TEST_CASE("what was cut leads nowhere when other entries have its place") {
  SimulatedFileSystem system;
  auto options = small_wal();
  options.segment_bytes = uint64_t{1} << 20;
  OpenedWal log = open_wal(system, options);
  const Bytes old_data(1000, 4);
  uint64_t lsn = 0;
  for (int i = 0; i < 300; ++i) {
    REQUIRE(log.writer->append(old_data.data(), 1000, &lsn) == Outcome::kOk);
  }
  REQUIRE(log.writer->flush() == Outcome::kOk);
  log.writer.reset();
  WalReader reader(system, kWalDirectory, WalTailMode::kIntact);
  REQUIRE(see_wal(reader).contents.next_lsn == 301);
  REQUIRE(cut_after(system, 1, 1 + 50) == 51);
  OpenedWal again = open_wal(system, options);
  const Bytes new_data(777, 5);
  for (int i = 0; i < 400; ++i) {
    REQUIRE(again.writer->append(new_data.data(), 777, &lsn) == Outcome::kOk);
  }
  REQUIRE(again.writer->close() == Outcome::kOk);
  again.writer.reset();
  durable::Failure failure;
  REQUIRE(reader.refresh(&failure) == Outcome::kOk);
  CHECK(reader.shown().taken_back_from() == 51);
  REQUIRE(reader.last_lsn() == 450);
  for (const uint64_t wanted : {301, 300, 299, 120, 51, 450}) {
    durable::WalChunk chunk;
    REQUIRE(reader.read(wanted, wanted, 1, &chunk, &failure) == Outcome::kOk);
    REQUIRE(chunk.entries.size() == 1);
    CHECK(std::equal(chunk.data.begin(), chunk.data.end(), new_data.begin(),
                     new_data.end()));
  }
}

TEST_CASE("entries that vanish while they are read are not corruption") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  run(script, "aiwwwwf");
  script.drop();
  WalReader reader(system, kWalDirectory, WalTailMode::kIntact);
  durable::Failure failure;
  REQUIRE(reader.refresh(&failure) == Outcome::kOk);
  REQUIRE(reader.last_lsn() == 5);
  REQUIRE(cut_after(system, 1, 4) == 3);
  durable::WalChunk chunk;
  CHECK(reader.read(2, 5, 1000, &chunk, &failure) == Outcome::kOk);
  CHECK(chunk.entries.size() == 1);
  CHECK(reader.read(4, 5, 1000, &chunk, &failure) == Outcome::kTakenBack);
  CHECK(failure.offset == 3);
  CHECK(reader.last_lsn() == 2);
}

TEST_CASE("a reader that refreshes all the time shows the same as a new one") {
  std::mt19937_64 random(23);
  const std::string letters = "wwxxbaABsfcCtTikKK";
  for (int n = 0; n < 300; ++n) {
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    WalReader reader(system, kWalDirectory, WalTailMode::kIntact);
    for (int i = 0; i < 30; ++i) {
      const char letter = letters[random() % letters.size()];
      bool is_down = false;
      if (letter == 'K') {
        // Killed: what was not handed to the system is lost.
        script.drop();
        is_down = true;
      } else {
        REQUIRE(script.run(letter));
      }
      if (is_down || random() % 3 == 0) {
        const WalSight seen = see_wal(reader);
        const WalSight fresh = see_wal(system, WalTailMode::kIntact);
        REQUIRE(seen.outcome == Outcome::kOk);
        REQUIRE(fresh.outcome == Outcome::kOk);
        CHECK(seen.contents == fresh.contents);
        CHECK(seen.proved_lsn == fresh.proved_lsn);
      }
      if (is_down) REQUIRE(script.check_restart(system) == "");
    }
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
