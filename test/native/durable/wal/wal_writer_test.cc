#include "core/durable/wal/wal_writer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/durable/wal/wal_scanner.h"
#include "support/faults.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Outcome;
using durable::WalWriter;
using platform::IoCode;
using Fault = SimulatedFileSystem::Fault;

TEST_SUITE_BEGIN("wal writer");

TEST_CASE("LSNs are dense across files, and all of it comes back") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  for (const char operation : std::string("wxbwxcbwxbkwxbTwxk")) {
    REQUIRE(script.run(operation));
  }
  CHECK(script.writer()->files().size() > 2);
  CHECK(script.writer()->last_lsn() + 1 == script.latest().next_lsn);
  CHECK(script.writer()->durable_lsn() == script.writer()->last_lsn());
  CHECK(script.writer()->first_lsn() == script.latest().first_lsn);
  CHECK(wal_contents(system) == script.latest());
}

TEST_CASE("each opening and each truncation begins an epoch with its branch") {
  SimulatedFileSystem system;
  auto options = small_wal();
  std::vector<durable::WalPosition> seen;
  const auto look = [&](uint64_t number) {
    std::unique_ptr<platform::File> file;
    REQUIRE(
        system.open(wal_path(number), platform::OpenMode::kRead, &file).ok());
    durable::WalHeader header;
    durable::WalHeaderVerdict verdict;
    REQUIRE(durable::read_wal_header(*file, &header, &verdict).ok());
    durable::WalScanner scanner(*file, durable::WalCodec(header.log_id, number),
                                durable::wal_begin(header), header.file_bytes);
    while (scanner.next() == durable::WalVerdict::kRecord) {
      if (!scanner.head().takes_lsns()) continue;
      CHECK(scanner.branch() == scanner.position().branch);
      seen.push_back({scanner.offset(), scanner.head().lsn,
                      scanner.head().epoch, scanner.branch()});
    }
  };
  uint64_t lsn = 0;
  OpenedWal log;
  const auto append = [&] {
    REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
    REQUIRE(log.writer->sync() == Outcome::kOk);
  };
  for (const uint64_t seed : {7, 8}) {
    log.writer.reset();
    options.branch_seed = seed;
    log = open_wal(system, options);
    REQUIRE(log.outcome == Outcome::kOk);
    append();
  }
  REQUIRE(log.writer->truncate_after(1) == Outcome::kOk);
  append();
  look(1);
  look(2);
  REQUIRE(seen.size() == 3);
  CHECK(lsn == 2);
  for (uint32_t i = 0; i < 3; ++i) {
    CHECK(seen[i].epoch == i + 1);
    CHECK(seen[i].branch != 0);
    CHECK(seen[i].branch != seen[(i + 1) % 3].branch);
  }
}

TEST_CASE("no LSN is given out that cannot be asked for") {
  SimulatedFileSystem system;
  auto options = small_wal();
  options.first_lsn = durable::kWalLsnMax - 2;
  OpenedWal log = open_wal(system, options);
  const uint32_t lengths[3] = {};
  uint64_t lsn = 0;
  REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  CHECK(log.writer->append_batch(nullptr, lengths, 3, &lsn) == Outcome::kNoLsn);
  REQUIRE(log.writer->append_batch(nullptr, lengths, 2, &lsn) == Outcome::kOk);
  CHECK(log.writer->last_lsn() == durable::kWalLsnMax);
  CHECK(log.writer->append(nullptr, 0, &lsn) == Outcome::kNoLsn);
  REQUIRE(log.writer->close() == Outcome::kOk);
  log.writer.reset();
  log = open_wal(system, options);
  CHECK(log.writer->last_lsn() == durable::kWalLsnMax);
}

TEST_CASE("room that is secured takes all that was said, without memory") {
  const Bytes data(durable::kWalSecuredEntryBytesMax, 7);
  for (const uint64_t segment_bytes : {8192, 8200, 65536, 4 << 20}) {
    for (const size_t bytes : {0, 1, 100, 3000, 16384}) {
      INFO(segment_bytes, " ", bytes);
      SimulatedFileSystem system;
      durable::WalOptions options = small_wal();
      options.segment_bytes = segment_bytes;
      OpenedWal log = open_wal(system, options);
      durable::WalWriter& writer = *log.writer;
      uint64_t lsn = 0;
      REQUIRE(writer.append(data.data(), 10, &lsn) == Outcome::kOk);
      REQUIRE(writer.sync() == Outcome::kOk);
      uint64_t room = writer.secure_room();
      REQUIRE(room > 3000);
      // A committer with nothing to do.
      REQUIRE(writer.wants_mark());
      REQUIRE(writer.mark() == Outcome::kOk);
      refuse_memory_after(0);
      while (room >= durable::kWalHeadBytes) {
        const uint64_t most = std::min<uint64_t>(
            room - durable::kWalHeadBytes, durable::kWalSecuredEntryBytesMax);
        const size_t length = std::min<uint64_t>(bytes, most);
        REQUIRE(writer.append(data.data(), length, &lsn) == Outcome::kOk);
        room -= durable::wal_record_bytes(length);
      }
      CHECK(refuse_memory_after(-1) == 0);
      CHECK(writer.rotations() == 0);
      CHECK(lsn == writer.last_lsn());
      CHECK(writer.secure_room() < durable::kWalHeadBytes);
      REQUIRE(writer.append(data.data(), 3000, &lsn) == Outcome::kOk);
      CHECK(writer.rotations() == 1);
    }
  }
}

TEST_CASE("no room is secured where append() may fail") {
  SimulatedFileSystem system;
  durable::WalOptions options = small_wal();
  options.first_lsn = durable::kWalLsnMax - 2;
  OpenedWal last = open_wal(system, options);
  CHECK(last.writer->secure_room() == 0);
  last.writer.reset();

  SimulatedFileSystem other;
  OpenedWal log = open_wal(other);
  refuse_memory_after(0);
  CHECK(log.writer->secure_room() == 0);
  CHECK(refuse_memory_after(-1) < 0);
  CHECK(log.writer->secure_room() > 0);
  uint64_t lsn = 0;
  REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  other.fail_at(0, Fault::kOnce);
  CHECK(log.writer->sync() == Outcome::kPoisoned);
  CHECK(log.writer->secure_room() == 0);
}

TEST_CASE("LOCK taken away lets no second writer in") {
  SimulatedFileSystem system;
  auto options = small_wal();
  options.place_check_ms = 0;
  OpenedWal first = open_wal(system, options);
  const Bytes data(600, 5);
  uint64_t lsn = 0;
  for (int file = 0; file < 3; ++file) {
    REQUIRE(first.writer->append(data.data(), 600, &lsn) == Outcome::kOk);
    REQUIRE(first.writer->append(data.data(), 600, &lsn) == Outcome::kOk);
    REQUIRE(first.writer->sync() == Outcome::kOk);
    const auto disk = system.kill();
    CHECK(open_wal(*disk, options).outcome == Outcome::kOk);
  }
  REQUIRE(system.remove(kWalDirectory + "/LOCK").ok());
  const OpenedWal second = open_wal(system, options);
  CHECK(second.outcome == Outcome::kLocked);
  // The first one is told, and acknowledges nothing any more.
  REQUIRE(first.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  CHECK(first.writer->sync() == Outcome::kPoisoned);
  CHECK(first.writer->durable_lsn() == 6);
  CHECK(first.writer->failure().io.code == IoCode::kNotFound);
  first.writer.reset();
  CHECK(open_wal(system, options).outcome == Outcome::kOk);
}

TEST_CASE("what is synced in a directory that was moved is not acknowledged") {
  SimulatedFileSystem system;
  auto options = small_wal();
  options.place_check_ms = 0;
  OpenedWal log = open_wal(system, options);
  uint64_t lsn = 0;
  REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  REQUIRE(log.writer->sync() == Outcome::kOk);
  for (const std::string& path : system.paths()) {
    REQUIRE(system.rename(path, "moved" + path.substr(path.find('/'))).ok());
  }
  REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  CHECK(log.writer->sync() == Outcome::kPoisoned);
  CHECK(log.writer->durable_lsn() == 1);
  CHECK(std::string(log.writer->failure().detail).find("moved") < 100);
  CHECK(log.writer->sync() == Outcome::kPoisoned);
  CHECK(std::string(log.writer->failure().detail).find("earlier") < 100);
}

TEST_CASE("a checkpoint brings no file back that an earlier one dropped") {
  SimulatedFileSystem system;
  OpenedWal log = open_wal(system);
  uint64_t lsn = 0;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  }
  // One that asks first which files may go, may do something else before that.
  const uint64_t kept = log.writer->file_kept(2);
  REQUIRE(log.writer->truncate_after(1) == Outcome::kOk);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  }
  REQUIRE(log.writer->checkpoint(1) == Outcome::kOk);
  REQUIRE(log.writer->files().front().number > kept);
  REQUIRE(log.writer->checkpoint(2, kept) == Outcome::kOk);
  REQUIRE(log.writer->close() == Outcome::kOk);
  log.writer.reset();
  CHECK(open_wal(system).outcome == Outcome::kOk);
}

TEST_CASE(
    "what is synced to a newest file that was deleted is not acknowledged") {
  SimulatedFileSystem system;
  auto options = small_wal();
  options.place_check_ms = 0;
  OpenedWal log = open_wal(system, options);
  uint64_t lsn = 0;
  REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  REQUIRE(log.writer->truncate_after(0) == Outcome::kOk);
  REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  REQUIRE(log.writer->sync() == Outcome::kOk);
  REQUIRE(system.remove(durable::wal_file_path(kWalDirectory, 2)).ok());
  REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  CHECK(log.writer->sync() == Outcome::kPoisoned);
  CHECK(log.writer->durable_lsn() == 1);
}

TEST_CASE("durable_lsn follows syncs only") {
  SimulatedFileSystem system;
  OpenedWal log = open_wal(system);
  const Bytes data(100, 5);
  uint64_t lsn = 0;
  REQUIRE(log.writer->append(data.data(), 100, &lsn) == Outcome::kOk);
  REQUIRE(log.writer->flush() == Outcome::kOk);
  CHECK(log.writer->last_lsn() == 1);
  CHECK(log.writer->durable_lsn() == 0);
  REQUIRE(log.writer->sync() == Outcome::kOk);
  CHECK(log.writer->durable_lsn() == 1);
  const uint64_t syncs = system.syncs();
  REQUIRE(log.writer->sync() == Outcome::kOk);
  CHECK(system.syncs() == syncs);
}

TEST_CASE("after a failed sync or write everything is refused, for good") {
  for (const char* const name : {"sync_data", "write"}) {
    SimulatedFileSystem system;
    OpenedWal log = open_wal(system);
    uint64_t lsn = 0;
    REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
    REQUIRE(log.writer->sync() == Outcome::kOk);
    system.count_only(name);
    system.fail_at(0, Fault::kOnce);
    REQUIRE(log.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
    CHECK(log.writer->sync() == Outcome::kPoisoned);
    CHECK(log.writer->failure().io.operation == std::string(name));
    const uint64_t operations = system.operations();
    CHECK(log.writer->sync() == Outcome::kPoisoned);
    CHECK(log.writer->flush() == Outcome::kPoisoned);
    CHECK(log.writer->append(nullptr, 0, &lsn) == Outcome::kPoisoned);
    CHECK(log.writer->append_batch(nullptr, nullptr, 0, &lsn) ==
          Outcome::kPoisoned);
    CHECK(log.writer->checkpoint(1) == Outcome::kPoisoned);
    CHECK(log.writer->truncate_after(1) == Outcome::kPoisoned);
    CHECK(log.writer->close() == Outcome::kPoisoned);
    CHECK(log.writer->durable_lsn() == 1);
    CHECK(log.writer->is_poisoned());
    // Nothing touched the disk any more.
    CHECK(system.operations() == operations);
  }
}

TEST_CASE("no room for the next file costs the append, not the log") {
  for (const char* const name : {"preallocate", "open"}) {
    SimulatedFileSystem system;
    OpenedWal log = open_wal(system);
    const Bytes data(600, 1);
    uint64_t lsn = 0;
    REQUIRE(log.writer->append(data.data(), 600, &lsn) == Outcome::kOk);
    REQUIRE(log.writer->append(data.data(), 600, &lsn) == Outcome::kOk);
    system.count_only(name);
    system.fail_at(0, Fault::kOnce, IoCode::kNoSpace);
    CHECK(log.writer->append(data.data(), 600, &lsn) == Outcome::kIo);
    CHECK(log.writer->failure().io.code == IoCode::kNoSpace);
    CHECK(!system.exists(wal_path(2) + ".new"));
    CHECK(log.writer->last_lsn() == 2);
    // What fits still goes in, and what does not, later.
    REQUIRE(log.writer->append(data.data(), 10, &lsn) == Outcome::kOk);
    CHECK(lsn == 3);
    REQUIRE(log.writer->append(data.data(), 600, &lsn) == Outcome::kOk);
    CHECK(lsn == 4);
    REQUIRE(log.writer->close() == Outcome::kOk);
    CHECK(wal_contents(system).entries.size() == 4);
  }
}

TEST_CASE("limits are told, and take no LSN") {
  SimulatedFileSystem system;
  OpenedWal log = open_wal(system);
  const uint64_t most = log.writer->entry_bytes_max();
  const Bytes data(most + 1, 1);
  uint64_t lsn = 0;
  CHECK(log.writer->append(data.data(), most + 1, &lsn) == Outcome::kTooLarge);
  CHECK(log.writer->failure().value == most);
  const uint32_t length = static_cast<uint32_t>(most);
  CHECK(log.writer->append_batch(data.data(), &length, 1, &lsn) ==
        Outcome::kTooLarge);
  REQUIRE(log.writer->append(data.data(), most, &lsn) == Outcome::kOk);
  CHECK(lsn == 1);
  CHECK(log.writer->checkpoint(2) == Outcome::kOutOfRange);
  CHECK(log.writer->truncate_after(2) == Outcome::kOutOfRange);
  REQUIRE(log.writer->checkpoint(1) == Outcome::kOk);
  CHECK(log.writer->truncate_after(0) == Outcome::kOutOfRange);
  CHECK(log.writer->checkpoint(0) == Outcome::kOk);
  CHECK(log.writer->first_lsn() == 2);
}

TEST_CASE("sealed files never change again") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  std::map<std::string, Bytes> sealed;
  for (const char operation : std::string("xxwxxbkwxtbwixcxTwxk")) {
    REQUIRE(script.run(operation));
    const auto& files = script.writer()->files();
    for (size_t i = 0; i + 1 < files.size(); ++i) {
      const std::string path = wal_path(files[i].number);
      const auto [found, is_new] = sealed.emplace(path, system.contents(path));
      CHECK(found->second == system.contents(path));
    }
  }
  CHECK(sealed.size() > 3);
}

TEST_CASE("a file that cannot be deleted is tried again") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  for (const char operation : std::string("xxxx")) {
    REQUIRE(script.run(operation));
  }
  system.count_only("remove");
  system.fail_at(0, Fault::kOnce);
  REQUIRE(script.run('C'));
  CHECK(system.exists(wal_path(1)));
  REQUIRE(script.run('w'));
  REQUIRE(script.run('C'));
  CHECK(!system.exists(wal_path(1)));
}

TEST_CASE("a checkpoint asks for no names of files, however many there are") {
  std::vector<std::string> before;
  for (const size_t files : {4, 40, 400}) {
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    while (script.writer()->files().size() < files) REQUIRE(script.run('x'));
    REQUIRE(script.run('s'));
    const uint64_t second = script.writer()->files()[1].base_lsn;
    std::vector<std::string> names;
    system.on_operation = [&](const char* name) { names.push_back(name); };
    CHECK(script.writer()->checkpoint(second - 1) == Outcome::kOk);
    system.on_operation = nullptr;
    CHECK(!system.exists(wal_path(1)));
    // For cursors alone, whose directory is not there.
    CHECK(std::count(names.begin(), names.end(), "list") == 1);
    if (files > 4) CHECK(names == before);
    before = names;
  }
}

TEST_CASE("files and their bytes are counted") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  const auto check = [&] {
    const WalWriter& writer = *script.writer();
    uint64_t bytes = 0;
    for (const auto& file : writer.files()) bytes += file.bytes;
    CHECK(writer.file_count() == writer.files().size());
    CHECK(writer.files_bytes() == bytes);
  };
  check();
  for (const char operation : std::string("xxxxbkcxxTwxkCxKxFxxCUxxk")) {
    (void)script.run(operation);
    if (script.writer() != nullptr) check();
  }
  CHECK(script.writer()->file_count() > 1);
}

TEST_CASE("zeros ahead change nothing that is read") {
  SimulatedFileSystem system;
  auto options = small_wal();
  options.zero_ahead_bytes = 700;
  OpenedWal log = open_wal(system, options);
  const Bytes data(100, 9);
  uint64_t lsn = 0;
  for (int i = 0; i < 30; ++i) {
    REQUIRE(log.writer->append(data.data(), 100, &lsn) == Outcome::kOk);
    REQUIRE(log.writer->sync() == Outcome::kOk);
  }
  REQUIRE(log.writer->close() == Outcome::kOk);
  CHECK(wal_contents(system).entries.size() == 30);
  log.writer.reset();
  log = open_wal(system, options);
  CHECK(log.writer->next_lsn() == 31);
  CHECK(log.recovery.quarantined_bytes == 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
