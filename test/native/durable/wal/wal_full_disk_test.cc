// Writers on a full disk: what can still be opened, read and freed.
#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/durable/wal/wal_writer.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Outcome;
using platform::IoCode;
using Fault = SimulatedFileSystem::Fault;

const std::string kSparePath = kWalDirectory + "/wal-000000.log.new";

TEST_SUITE_BEGIN("wal full disk");

TEST_CASE("one file that fills the disk is freed, and the log goes on") {
  for (const char* const fill : {"A", "w", "Aw", "AA"}) {
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    for (const char operation : std::string(fill) + "FAAA") {
      REQUIRE(script.run(operation));
    }
    durable::WalWriter& writer = *script.writer();
    const uint64_t last = writer.last_lsn();
    REQUIRE(writer.files().size() == 1);
    CHECK(writer.failure().io.code == IoCode::kNoSpace);
    CHECK(writer.file_kept(last) == 2);
    // No LSN was taken, and nothing is poisoned.
    CHECK(!writer.is_poisoned());
    REQUIRE(script.run('C'));
    CHECK(writer.first_lsn() == last + 1);
    REQUIRE(writer.files().size() == 1);
    CHECK(writer.files()[0].bytes == small_wal().spare_bytes);
    CHECK(!system.exists(wal_path(1)));
    REQUIRE(script.run('k'));
    for (const char operation : std::string("UAk")) {
      REQUIRE(script.run(operation));
    }
    CHECK(script.writer()->last_lsn() == last + 1);
    CHECK(wal_contents(system) == script.latest());
  }
}

TEST_CASE("what was dropped before the disk was known to be full is freed") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  for (const char operation : std::string("AwCkF")) {
    REQUIRE(script.run(operation));
  }
  const uint64_t last = script.writer()->last_lsn();
  REQUIRE(script.writer()->first_lsn() == last + 1);
  CHECK(script.writer()->file_kept(last) == 1);
  // The first finds out.
  REQUIRE(script.run('A'));
  REQUIRE(script.writer()->failure().io.code == IoCode::kNoSpace);
  CHECK(script.writer()->file_kept(last) == 2);
  REQUIRE(script.run('C'));
  CHECK(!system.exists(wal_path(1)));
  REQUIRE(script.writer()->files().size() == 1);
  // There is nothing more to be had.
  CHECK(script.writer()->file_kept(last) == 2);
  REQUIRE(script.run('C'));
  CHECK(script.writer()->files()[0].number == 2);
  for (const char operation : std::string("UAk")) {
    REQUIRE(script.run(operation));
  }
  CHECK(script.writer()->last_lsn() == last + 1);
  CHECK(wal_contents(system) == script.latest());
}

TEST_CASE("a full disk: nothing uses up the room that frees files") {
  for (const std::string wear :
       {"", "KKKKKK", "kkkkkk", "iKiKi", "eeeeee", "ekeKeiekeK"}) {
    INFO("on the full disk ", wear);
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    while (script.writer()->files().size() == 1) REQUIRE(script.run('a'));
    REQUIRE(script.run('F'));
    // It would serve as well.
    REQUIRE(system.remove(kSparePath).ok());
    REQUIRE(script.run('K'));
    const uint64_t last_of_first = script.writer()->files()[1].base_lsn - 1;
    for (int i = 0; i < 20; ++i) REQUIRE(script.run('a'));
    for (const char operation : wear) REQUIRE(script.run(operation));
    REQUIRE(script.writer()->files().size() == 2);
    CHECK(script.writer()->failure().io.code == IoCode::kNoSpace);
    CHECK(script.writer()->checkpoint(last_of_first) == Outcome::kOk);
    CHECK(!system.exists(wal_path(1)));
  }
}

TEST_CASE("a full disk: nor does a checkpoint that may delete nothing yet") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  while (script.writer()->files().size() == 1) REQUIRE(script.run('a'));
  REQUIRE(script.run('F'));
  REQUIRE(system.remove(kSparePath).ok());
  REQUIRE(script.run('K'));
  durable::WalWriter& writer = *script.writer();
  uint64_t lsn = writer.files()[1].base_lsn - 1;
  for (int i = 0; i < 20; ++i) REQUIRE(script.run('a'));
  // Which files may go was asked before the second one was there.
  for (int i = 0; i < 3; ++i) (void)writer.checkpoint(lsn++, 1);
  REQUIRE(writer.files().size() == 2);
  CHECK(writer.checkpoint(lsn) == Outcome::kOk);
  CHECK(!system.exists(wal_path(1)));
}

TEST_CASE("a full disk: opening keeps the spare") {
  for (const char opening : {'K', 'k'}) {
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    for (const char operation : {'A', 'A', 'F', opening, opening, 'C'}) {
      REQUIRE(script.run(operation));
    }
    CHECK(script.writer()->files()[0].bytes == small_wal().spare_bytes);
    CHECK(!system.exists(wal_path(1)));
  }
}

// There is no spare, and the next file takes all the room there is.
TEST_CASE("no file is sealed before its successor is certain") {
  std::mt19937_64 random(41);
  bool was_cut = true;
  for (uint64_t at = 0; was_cut; ++at) {
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    for (const char each : std::string("AAF")) REQUIRE(script.run(each));
    REQUIRE(system.remove(kSparePath).ok());
    for (const char each : std::string("KU")) REQUIRE(script.run(each));
    system.fail_at(at, Fault::kPowerOff);
    was_cut = !script.run('A');
    script.drop();
    system.set_full(true);
    for (int sample = 0; sample < 100; ++sample) {
      std::vector<uint32_t> choices;
      for (const uint32_t states : system.dirty_states()) {
        choices.push_back(
            sample == 0 ? 0 : static_cast<uint32_t>(random() % states));
      }
      WalScript after = WalScript::copy_of(script);
      INFO("cut at ", at);
      REQUIRE(after.check_restart(*system.crash(choices)) == "");
    }
  }
}

// An entry that is smaller than OPEN is lost where OPEN has no room. All before
// is proved, so that no SYNC takes its place.
TEST_CASE("a full disk: no two entries get the same position") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  for (const char operation : std::string("AwzzzzzzzzzisFzf")) {
    REQUIRE(script.run(operation));
  }
  const uint64_t lost = script.writer()->last_lsn();
  const uint32_t epoch = script.writer()->epoch();
  REQUIRE(lost == 12);
  script.drop();
  const std::vector<uint32_t> nothing(system.dirty_states().size(), 0);
  const auto disk = system.crash(nothing);
  REQUIRE(script.check_restart(*disk) == "");
  REQUIRE(script.writer()->last_lsn() == lost - 1);
  // There was no room for OPEN: the epoch begins with the next file.
  REQUIRE(script.writer()->epoch() == epoch);
  REQUIRE(script.run('z'));
  CHECK(script.writer()->last_lsn() == lost - 1);
  REQUIRE(script.run('U'));
  REQUIRE(script.run('z'));
  CHECK(script.writer()->last_lsn() == lost);
  CHECK(script.writer()->epoch() == epoch + 1);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
