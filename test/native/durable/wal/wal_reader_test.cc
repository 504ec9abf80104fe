#include "core/durable/wal/wal_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "core/base/little_endian.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::kWalHeaderBytes;
using durable::Outcome;
using durable::WalChunk;
using durable::WalReader;
using Fault = SimulatedFileSystem::Fault;

struct Follower {
  explicit Follower(SimulatedFileSystem& system)
      : reader(system, kWalDirectory) {}

  Outcome refresh() { return reader.refresh(&failure); }

  // Reads all there is, a few bytes at a time.
  Outcome collect(std::map<uint64_t, Bytes>* entries, size_t bytes_max = 300) {
    uint64_t from = reader.first_lsn();
    while (from <= reader.last_lsn()) {
      WalChunk chunk;
      const Outcome outcome =
          reader.read(from, UINT64_MAX, bytes_max, &chunk, &failure);
      if (outcome != Outcome::kOk) return outcome;
      REQUIRE(!chunk.entries.empty());
      for (const durable::WalEntry& entry : chunk.entries) {
        REQUIRE(entry.lsn == from);
        const auto begin =
            chunk.data.begin() + static_cast<ptrdiff_t>(entry.begin);
        (*entries)[entry.lsn] =
            Bytes(begin, begin + static_cast<ptrdiff_t>(entry.bytes));
        ++from;
      }
    }
    return Outcome::kOk;
  }

  WalReader reader;
  Failure failure;
};

struct Log {
  explicit Log(const std::string& operations) {
    REQUIRE(script.open(system));
    for (const char operation : operations) REQUIRE(script.run(operation));
  }

  void change(uint64_t number, size_t offset, uint8_t xor_with = 0xFF) {
    Bytes bytes = system.contents(wal_path(number));
    bytes.at(offset) ^= xor_with;
    system.put(wal_path(number), bytes);
  }

  SimulatedFileSystem system;
  WalScript script;
};

#define REFRESH_OK(follower) REQUIRE((follower).refresh() == Outcome::kOk)

const std::string kThreeFiles = "wwxxwwxxk";

TEST_SUITE_BEGIN("wal reader");

TEST_CASE("what is proved is seen, across files, and a closed log in full") {
  for (const char* const operations : {"wxbwxcwbxwbkwxbTwxk", "", "bbwbCk"}) {
    Log log(operations);
    log.script.drop();
    Follower follower(log.system);
    REQUIRE(follower.refresh() == Outcome::kOk);
    std::map<uint64_t, Bytes> entries;
    REQUIRE(follower.collect(&entries) == Outcome::kOk);
    CHECK(entries == log.script.latest().entries);
    CHECK(follower.reader.first_lsn() == log.script.latest().first_lsn);
    CHECK(follower.reader.last_lsn() + 1 == log.script.latest().next_lsn);
  }
}

TEST_CASE("what was synced is seen when the writer says so, not before") {
  Log log("aa");
  Follower follower(log.system);
  REQUIRE(follower.refresh() == Outcome::kOk);
  CHECK(follower.reader.last_lsn() == 1);
  REQUIRE(log.script.run('i'));
  REQUIRE(follower.refresh() == Outcome::kOk);
  CHECK(follower.reader.last_lsn() == 2);
}

TEST_CASE("a reader that refreshes all the time sees the same as a new one") {
  std::mt19937_64 random(5);
  const std::string letters = "wwxxbaABsfcCtTik";
  for (int n = 0; n < 200; ++n) {
    Log log("");
    Follower follower(log.system);
    for (int i = 0; i < 30; ++i) {
      REQUIRE(log.script.run(letters[random() % letters.size()]));
      if (random() % 3 != 0) continue;
      REQUIRE(follower.refresh() == Outcome::kOk);
      Follower fresh(log.system);
      REQUIRE(fresh.refresh() == Outcome::kOk);
      CHECK(follower.reader.last_lsn() == fresh.reader.last_lsn());
      CHECK(follower.reader.first_lsn() == fresh.reader.first_lsn());
      std::map<uint64_t, Bytes> seen;
      std::map<uint64_t, Bytes> all;
      REQUIRE(follower.collect(&seen) == Outcome::kOk);
      REQUIRE(fresh.collect(&all, 1 << 20) == Outcome::kOk);
      CHECK(seen == all);
    }
  }
}

// G12. The follower looks at a moment; then the power goes.
TEST_CASE("nothing that was seen is taken back by a crash") {
  std::mt19937_64 random(11);
  uint64_t crashes = 0;
  const std::string letters = "wwxxbaABsfcCik";
  const auto follow = [&](const std::string& operations) {
    for (uint64_t at = 0;; ++at) {
      SimulatedFileSystem system;
      WalScript script;
      system.fail_at(at, Fault::kPowerOff);
      bool is_up = script.open(system);
      for (size_t i = 0; is_up && i < operations.size(); ++i) {
        is_up = script.run(operations[i]);
      }
      script.drop();
      const auto alive = system.kill();
      Follower follower(*alive);
      INFO("script ", operations, ", cut at ", at);
      REQUIRE(follower.refresh() == Outcome::kOk);
      std::map<uint64_t, Bytes> seen;
      REQUIRE(follower.collect(&seen) == Outcome::kOk);
      for (int sample = 0; sample < 24; ++sample) {
        std::vector<uint32_t> choices;
        for (const uint32_t count : system.dirty_states()) {
          choices.push_back(
              sample < 2 ? 0 : static_cast<uint32_t>(random() % count));
        }
        const auto disk = system.crash(choices);
        WalScript after = WalScript::copy_of(script);
        REQUIRE(after.check_restart(*disk) == "");
        const WalContents& left = after.latest();
        for (const auto& [lsn, data] : seen) {
          if (lsn < left.first_lsn) continue;
          const auto found = left.entries.find(lsn);
          REQUIRE(found != left.entries.end());
          REQUIRE(found->second == data);
        }
        ++crashes;
      }
      if (system.has_power()) break;
    }
  };
  for (const char* const operations :
       {"a", "wx", "x", "b", "wbc", "wwxa", "xxx", "axxxi", "BxxC"}) {
    follow(operations);
  }
  for (int n = 0; n < 60; ++n) {
    std::string operations;
    for (uint64_t i = 0; i < 3 + random() % 6; ++i) {
      operations += letters[random() % letters.size()];
    }
    follow(operations);
  }
  CHECK(crashes > 20'000);
}

// The operations of one refresh(), or of a read.
template <typename Work>
std::vector<std::string> operations_of(SimulatedFileSystem& system, Work work) {
  std::vector<std::string> names;
  system.on_operation = [&](const char* name) { names.push_back(name); };
  work();
  system.on_operation = nullptr;
  return names;
}

TEST_CASE("an idle refresh and a read cost the same for few and many files") {
  std::vector<std::string> refresh_before;
  std::vector<std::string> read_before;
  for (const size_t files : {3, 30, 300}) {
    Log log(std::string(2 * files, 'x') + "ai");
    Follower follower(log.system);
    REFRESH_OK(follower);
    REQUIRE(follower.reader.files().size() >= files / 2);
    const auto refresh =
        operations_of(log.system, [&] { REFRESH_OK(follower); });
    const uint64_t last = follower.reader.last_lsn();
    WalChunk chunk;
    const auto read_last = [&] {
      REQUIRE(follower.reader.read(last, last, 1, &chunk, &follower.failure) ==
              Outcome::kOk);
    };
    // The first one fills the index.
    read_last();
    const auto read = operations_of(log.system, read_last);
    CHECK(std::count(refresh.begin(), refresh.end(), "list") == 0);
    CHECK(refresh.size() < 12);
    CHECK(read.size() < 6);
    if (files > 3) CHECK(refresh == refresh_before);
    if (files > 3) CHECK(read == read_before);
    refresh_before = refresh;
    read_before = read;
  }
}

TEST_CASE("following through many files lists the directory once") {
  Log log("a");
  Follower follower(log.system);
  REFRESH_OK(follower);
  size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(log.script.run('x'));
    REQUIRE(log.script.run('i'));
    const auto names = operations_of(log.system, [&] { REFRESH_OK(follower); });
    CHECK(std::count(names.begin(), names.end(), "list") == 0);
    most = std::max(most, names.size());
    CHECK(follower.reader.last_lsn() == log.script.latest().next_lsn - 1);
  }
  CHECK(follower.reader.files().size() > 40);
  CHECK(most < 20);
}

TEST_CASE("a few files are open, whatever was read") {
  Log log(std::string(200, 'x') + "k");
  log.script.drop();
  REQUIRE(log.system.open_files() == 0);
  Follower follower(log.system);
  REFRESH_OK(follower);
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    const uint64_t lsn = 1 + random() % 200;
    WalChunk chunk;
    uint64_t point = 0;
    REQUIRE(follower.reader.read(lsn, lsn, 1, &chunk, &follower.failure) ==
            Outcome::kOk);
    REQUIRE(follower.reader.seek_point(lsn, &point, &follower.failure) ==
            Outcome::kOk);
    CHECK(log.system.open_files() <= 5);
  }
  follower.reader.close();
  CHECK(log.system.open_files() == 0);
}

TEST_CASE("files that cannot be deleted do not hide what comes") {
  Log log("xxxxi");
  Follower follower(log.system);
  REFRESH_OK(follower);
  const uint64_t newest = follower.reader.newest_file();
  for (const char each : std::string("xxxxxxxxxi")) {
    REQUIRE(log.script.run(each));
  }
  // As on Windows, where a file that another process has open may stay.
  log.system.count_only("remove");
  log.system.fail_at(newest - 1, Fault::kOnce);
  REQUIRE(log.script.run('C'));
  log.system.fail_at(UINT64_MAX, Fault::kNone);
  REQUIRE(log.system.exists(wal_path(newest)));
  REQUIRE(!log.system.exists(wal_path(newest + 1)));
  REQUIRE(log.script.run('a'));
  REQUIRE(log.script.run('i'));
  REFRESH_OK(follower);
  CHECK(follower.reader.last_lsn() == log.script.latest().next_lsn - 1);
  CHECK(follower.reader.first_lsn() == log.script.latest().first_lsn);
}

// Moves all of the directory away, as `mv` does.
void move_away(SimulatedFileSystem& system) {
  for (const std::string& path : system.paths()) {
    REQUIRE(system.rename(path, "moved" + path.substr(path.find('/'))).ok());
  }
}

void copy_from(SimulatedFileSystem& to, const SimulatedFileSystem& from) {
  for (const std::string& path : from.paths()) {
    to.put(path, from.contents(path));
  }
}

TEST_CASE("a directory that was replaced is told, whatever has its place") {
  for (const char* const later : {"", "wi", "xxxxxxi", "xxxxxxCxxi"}) {
    for (const char* const place :
         {"nothing", "copy", "older copy", "other log", "same numbers",
          "higher numbers"}) {
      INFO(place, " after ", later);
      Log log("wwxxwwxi");
      const auto backup = log.system.kill();
      for (const char each : std::string("xxwwxi")) {
        REQUIRE(log.script.run(each));
      }
      const auto copy = log.system.kill();
      Follower follower(log.system);
      REFRESH_OK(follower);
      std::map<uint64_t, Bytes> entries;
      REQUIRE(follower.collect(&entries) == Outcome::kOk);
      log.script.drop();
      move_away(log.system);
      const std::string what = place;
      if (what == "copy") copy_from(log.system, *copy);
      if (what == "older copy") copy_from(log.system, *backup);
      if (what != "nothing") {
        auto options = small_wal();
        const bool is_higher = what == "higher numbers";
        if (what == "other log" || what == "same numbers" || is_higher) {
          options.new_log_id[3] = 99;
        }
        OpenedWal opened = open_wal(log.system, options);
        REQUIRE(opened.outcome == Outcome::kOk);
        uint64_t lsn = 0;
        const Bytes data(600, 7);
        size_t count = std::string(later).size();
        if (what == "same numbers") count += 10;
        if (is_higher) count += 100;
        for (size_t i = 0; i < count; ++i) {
          REQUIRE(opened.writer->append(data.data(), data.size(), &lsn) ==
                  Outcome::kOk);
        }
        // Only the log's id tells, where no file has a number that was seen.
        if (is_higher) REQUIRE(opened.writer->checkpoint(lsn) == Outcome::kOk);
        REQUIRE(opened.writer->close() == Outcome::kOk);
      }
      CHECK(follower.refresh() == Outcome::kReplaced);
      CHECK(follower.failure.path == kWalDirectory);
      // It stays so.
      CHECK(follower.refresh() == Outcome::kReplaced);
      Follower fresh(log.system);
      CHECK(fresh.refresh() == Outcome::kOk);
    }
  }
}

TEST_CASE("a file that was written over is another one") {
  Log log("wwi");
  Follower follower(log.system);
  REFRESH_OK(follower);
  log.script.drop();
  auto options = small_wal();
  options.new_log_id[0] = 77;
  SimulatedFileSystem other;
  REQUIRE(open_wal(other, options).outcome == Outcome::kOk);
  const Bytes bytes = other.contents(wal_path(1));
  std::unique_ptr<platform::File> file;
  REQUIRE(
      log.system.open(wal_path(1), platform::OpenMode::kReadWrite, &file).ok());
  REQUIRE(file->write_at(0, bytes.data(), bytes.size()).ok());
  CHECK(follower.refresh() == Outcome::kReplaced);
}

TEST_CASE("reading files of a directory that was replaced is not damage") {
  Log log(std::string(30, 'x') + "i");
  Follower follower(log.system);
  REFRESH_OK(follower);
  log.script.drop();
  move_away(log.system);
  WalChunk chunk;
  uint64_t point = 0;
  CHECK(follower.reader.read(1, 1, 1, &chunk, &follower.failure) ==
        Outcome::kReplaced);
  auto options = small_wal();
  options.new_log_id[0] = 77;
  OpenedWal opened = open_wal(log.system, options);
  REQUIRE(opened.outcome == Outcome::kOk);
  CHECK(follower.reader.read(1, 1, 1, &chunk, &follower.failure) ==
        Outcome::kReplaced);
  CHECK(follower.reader.seek_point(2, &point, &follower.failure) ==
        Outcome::kReplaced);
}

TEST_CASE("a file that is missing is not a checkpoint") {
  Log log(std::string(30, 'x') + "i");
  Follower follower(log.system);
  REFRESH_OK(follower);
  REQUIRE(log.system.remove(wal_path(2)).ok());
  std::map<uint64_t, Bytes> entries;
  CHECK(follower.collect(&entries) == Outcome::kCorrupt);
  CHECK(follower.failure.path == wal_path(2));
}

TEST_CASE("a seek finds a point near any LSN, and reads from there") {
  SimulatedFileSystem system;
  auto options = small_wal();
  options.segment_bytes = uint64_t{1} << 20;
  OpenedWal log = open_wal(system, options);
  const Bytes data(1000, 4);
  uint64_t lsn = 0;
  for (int i = 0; i < 3000; ++i) {
    REQUIRE(log.writer->append(data.data(), data.size(), &lsn) == Outcome::kOk);
  }
  REQUIRE(log.writer->close() == Outcome::kOk);
  Follower follower(system);
  REQUIRE(follower.refresh() == Outcome::kOk);
  system.count_only("read");
  for (const uint64_t wanted : {1, 2999, 1500, 1501, 3000, 63, 1049, 1050}) {
    uint64_t point = 0;
    REQUIRE(follower.reader.seek_point(wanted, &point, &follower.failure) ==
            Outcome::kOk);
    CHECK(point <= wanted);
    CHECK(wanted - point < 70);
    WalChunk chunk;
    REQUIRE(follower.reader.read(wanted, wanted, 1, &chunk,
                                 &follower.failure) == Outcome::kOk);
    REQUIRE(chunk.entries.size() == 1);
    CHECK(chunk.entries[0].lsn == wanted);
  }
  uint64_t point = 0;
  system.fail_at(0, Fault::kNone);
  REQUIRE(follower.reader.seek_point(2999, &point, &follower.failure) ==
          Outcome::kOk);
  // The index is there by now.
  CHECK(system.operations() == 0);
}

TEST_CASE("the table for readers: what is waited for") {
  SUBCASE("nothing there") {
    SimulatedFileSystem system;
    Follower follower(system);
    CHECK(follower.refresh() == Outcome::kOk);
    CHECK(follower.reader.last_lsn() == 0);
  }
  SUBCASE("a torn record") {
    Log log("aak");
    const size_t end = kWalHeaderBytes + 3 * durable::kWalControlBytes +
                       2 * durable::wal_record_bytes(90);
    log.change(1, end + 3);
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kOk);
    CHECK(follower.reader.last_lsn() == 2);
  }
  SUBCASE("an unfinished file") {
    Log log("aat");
    log.system.put(wal_path(2), Bytes(100));
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kOk);
    // SEAL is not a proof, and its successor is not there.
    CHECK(follower.reader.last_lsn() == 1);
  }
  SUBCASE("an intact, empty newest file") {
    Log log("aat");
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kOk);
    // Its header is the proof of all before it.
    CHECK(follower.reader.last_lsn() == 1);
    CHECK(follower.reader.files().size() == 2);
    REQUIRE(log.script.run('a'));
    REQUIRE(log.script.run('i'));
    CHECK(follower.refresh() == Outcome::kOk);
    CHECK(follower.reader.last_lsn() == 2);
  }
  SUBCASE("a torn header in front of nothing") {
    Log log("aat");
    Bytes bytes(small_wal().segment_bytes);
    bytes[60] = 1;
    std::copy_n(log.system.contents(wal_path(2)).begin(), 40, bytes.begin());
    log.system.put(wal_path(2), bytes);
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kOk);
    CHECK(follower.reader.last_lsn() == 1);
  }
  SUBCASE("a writer that holds the lock") {
    Log log("aai");
    CHECK(open_wal(log.system).outcome == Outcome::kLocked);
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kOk);
    CHECK(follower.reader.last_lsn() == 2);
  }
  SUBCASE("an unfinished first file") {
    SimulatedFileSystem system;
    system.put(wal_path(1), Bytes(small_wal().segment_bytes));
    Follower follower(system);
    CHECK(follower.refresh() == Outcome::kOk);
    CHECK(follower.reader.last_lsn() == 0);
  }
}

TEST_CASE("the table for readers: what is corrupt or refused") {
  SUBCASE("damage that a later record proves") {
    Log log("wxwak");
    log.change(1, kWalHeaderBytes + 56 + 50);
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kCorrupt);
  }
  SUBCASE("damage in an older file, when it is read") {
    Log log(kThreeFiles);
    log.change(1, kWalHeaderBytes + 56 + 60);
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kOk);
    std::map<uint64_t, Bytes> entries;
    CHECK(follower.collect(&entries) == Outcome::kCorrupt);
    CHECK(follower.failure.path == wal_path(1));
  }
  SUBCASE("a missing file") {
    Log log(kThreeFiles);
    REQUIRE(log.system.remove(wal_path(2)).ok());
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kCorrupt);
  }
  SUBCASE("a file under another name") {
    Log log(kThreeFiles);
    log.system.put(wal_path(2), log.system.contents(wal_path(1)));
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kCorrupt);
  }
  SUBCASE("a file twice") {
    Log log(kThreeFiles);
    log.system.put("log/wal-2.log", log.system.contents(wal_path(2)));
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kCorrupt);
  }
  SUBCASE("a file of another log, or of another state of the log") {
    Log log("aat");
    const Log other("wwt");
    log.system.put(wal_path(2), other.system.contents(wal_path(2)));
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kCorrupt);

    Log three(kThreeFiles);
    SimulatedFileSystem foreign;
    auto options = small_wal();
    options.new_log_id = {9};
    OpenedWal opened = open_wal(foreign, options);
    const Bytes data(600);
    uint64_t lsn = 0;
    for (int i = 0; i < 9; ++i) {
      REQUIRE(opened.writer->append(data.data(), 600, &lsn) == Outcome::kOk);
    }
    REQUIRE(opened.writer->close() == Outcome::kOk);
    three.system.put(wal_path(2), foreign.contents(wal_path(2)));
    Follower second(three.system);
    CHECK(second.refresh() == Outcome::kCorrupt);
  }
  SUBCASE("a damaged SEAL") {
    Log log("wwt");
    log.change(1, kWalHeaderBytes + 56 + 2 * 136 + 45);
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kCorrupt);
  }
  SUBCASE("a header in front of records") {
    Log log("wxk");
    log.change(1, 50);
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kCorrupt);
  }
  SUBCASE("another length") {
    Log log("wxk");
    Bytes bytes = log.system.contents(wal_path(1));
    bytes.resize(bytes.size() - 8);
    log.system.put(wal_path(1), bytes);
    Follower follower(log.system);
    CHECK(follower.refresh() == Outcome::kCorrupt);
  }
  SUBCASE("no file of ours, or a newer one") {
    for (const size_t at : {0, 8}) {
      Log log("wxk");
      log.change(1, at, 2);
      Follower follower(log.system);
      CHECK(follower.refresh() == Outcome::kFormat);
    }
  }
  SUBCASE("a failing read") {
    Log log(kThreeFiles);
    Follower follower(log.system);
    log.system.count_only("read");
    log.system.fail_at(0, Fault::kForEver);
    CHECK(follower.refresh() == Outcome::kIo);
  }
}

TEST_CASE("files below the checkpoint are ignored, in any state") {
  Log log(kThreeFiles + "Ck");
  log.system.put(wal_path(1), Bytes(77, 3));
  Follower follower(log.system);
  CHECK(follower.refresh() == Outcome::kOk);
  std::map<uint64_t, Bytes> entries;
  CHECK(follower.collect(&entries) == Outcome::kOk);
}

TEST_CASE(
    "an entry that a checkpoint dropped is told from one that is to come") {
  Log log(kThreeFiles);
  Follower follower(log.system);
  REQUIRE(follower.refresh() == Outcome::kOk);
  REQUIRE(log.script.run('C'));
  REQUIRE(log.script.run('i'));
  WalChunk chunk;
  CHECK(follower.reader.read(1, 1, 1, &chunk, &follower.failure) ==
        Outcome::kCheckpointed);
  REQUIRE(follower.refresh() == Outcome::kOk);
  CHECK(follower.reader.read(1, 1, 1, &chunk, &follower.failure) ==
        Outcome::kCheckpointed);
  CHECK(follower.failure.value == follower.reader.first_lsn());
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
