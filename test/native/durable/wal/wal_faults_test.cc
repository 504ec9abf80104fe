// Operations of the disk that fail, whatever they are and whatever the system
// says: a read-only file system, missing rights, a directory that is gone.
#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/durable/wal/wal_reader.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::Outcome;
using platform::IoCode;
using Fault = SimulatedFileSystem::Fault;

struct Counts {
  // Scripts that failed before anything was written, and afterwards.
  uint64_t refused = 0;
  uint64_t poisoned = 0;
};

// Each line is an operation that the disk was asked for, with what it moved.
std::vector<Bytes> contents_of(const SimulatedFileSystem& system) {
  std::vector<Bytes> all;
  for (const std::string& path : system.paths()) {
    all.emplace_back(path.begin(), path.end());
    all.push_back(system.contents(path));
  }
  return all;
}

void check_failure(const WalScript& script, IoCode code) {
  const Failure& failure = script.failure();
  CHECK(!failure.path.empty());
  // Between the list and the opening a file has vanished: that is not a log.
  if (failure.outcome == Outcome::kCorrupt) {
    CHECK(code == IoCode::kNotFound);
    return;
  }
  CHECK((failure.outcome == Outcome::kIo ||
         failure.outcome == Outcome::kPoisoned));
  CHECK(static_cast<int>(failure.io.code) == static_cast<int>(code));
  CHECK(std::string(failure.io.operation) != "");
}

// Lets the operation `at` fail; false when there are not so many.
bool fail_operation(const std::string& operations, uint64_t at, Fault fault,
                    IoCode code, size_t step_bytes, std::mt19937_64& random,
                    Counts* counts) {
  SimulatedFileSystem system;
  system.set_step_bytes(step_bytes);
  system.fail_at(at, fault, code);
  WalScript script;
  INFO("script ", operations, ", operation ", at, ", code ",
       static_cast<int>(code), fault == Fault::kOnce ? ", once" : ", forever");
  bool is_up = script.open(system);
  size_t done = 0;
  while (is_up && done < operations.size()) {
    is_up = script.run(operations[done]);
    if (is_up) ++done;
  }
  const bool was_met = system.operations() > at;
  // From here on the disk works again.
  system.fail_at(UINT64_MAX, Fault::kNone);
  if (!is_up) {
    REQUIRE(was_met);
    check_failure(script, code);
    const bool goes_on = script.writer() != nullptr;
    ++(goes_on ? counts->refused : counts->poisoned);
    // Nothing was written, so that the same call can succeed now, and those
    // after it.
    while (goes_on && done < operations.size()) {
      REQUIRE(script.run(operations[done++]));
    }
    if (goes_on) {
      REQUIRE(script.run('s'));
      REQUIRE(wal_contents(*system.kill()) == script.latest());
    }
  }
  script.drop();
  // The power goes now, or the lock is free at once.
  for (int sample = 0; sample < 6; ++sample) {
    std::vector<uint32_t> choices;
    for (const uint32_t states : system.dirty_states()) {
      choices.push_back(sample == 0 ? 0
                                    : static_cast<uint32_t>(random() % states));
    }
    WalScript after = WalScript::copy_of(script);
    REQUIRE(after.check_restart(*system.crash(choices)) == "");
  }
  REQUIRE(script.check_restart(system) == "");
  REQUIRE(script.run('A'));
  return was_met;
}

TEST_SUITE_BEGIN("wal faults");

TEST_CASE("every operation fails: a typed error, nothing lost, no lock left") {
  std::mt19937_64 random(20);
  Counts counts;
  for (const char* const operations :
       {"", "wa", "xxaxxA", "wfbk", "xxxCwk", "waTwtk", "xxkxxCxik"}) {
    for (const IoCode code : {IoCode::kDenied, IoCode::kNotFound,
                              IoCode::kNoSpace, IoCode::kFailed}) {
      for (const Fault fault : {Fault::kOnce, Fault::kForEver}) {
        for (uint64_t at = 0; fail_operation(operations, at, fault, code,
                                             SIZE_MAX, random, &counts);
             ++at) {
        }
      }
    }
  }
  CHECK(counts.refused > 100);
  CHECK(counts.poisoned > 100);
}

TEST_CASE("a write that moves a part and then finds no room poisons") {
  std::mt19937_64 random(21);
  Counts counts;
  for (const char* const operations : {"a", "xxaxk", "BbT"}) {
    for (const IoCode code : {IoCode::kNoSpace, IoCode::kDenied}) {
      for (uint64_t at = 0; fail_operation(operations, at, Fault::kOnce, code,
                                           200, random, &counts);
           ++at) {
      }
    }
  }
  CHECK(counts.poisoned > 100);
}

// Only what opens something can fail so.
TEST_CASE("a lack of descriptors is told as such, and poisons nothing") {
  uint64_t refused = 0;
  for (const char* const name : {"open", "open_directory", "list"}) {
    for (const std::string operations : {"waTwtk", "xxxCwk", "xxkxxCxik"}) {
      for (uint64_t at = 0;; ++at) {
        INFO(name, " ", at, " of script ", operations);
        SimulatedFileSystem system;
        WalScript script;
        system.count_only(name);
        system.fail_at(at, Fault::kForEver, IoCode::kNoDescriptor);
        bool is_up = script.open(system);
        size_t done = 0;
        while (is_up && done < operations.size()) {
          is_up = script.run(operations[done]);
          if (is_up) ++done;
        }
        if (is_up) break;
        ++refused;
        CHECK(script.failure().outcome == Outcome::kIo);
        CHECK(script.failure().io.code == IoCode::kNoDescriptor);
        system.fail_at(UINT64_MAX, Fault::kNone);
        if (script.writer() == nullptr) {
          // Opening failed, at first or again.
          REQUIRE(script.check_restart(system) == "");
          if (done < operations.size() && operations[done] == 'k') ++done;
        }
        while (done < operations.size()) {
          REQUIRE(script.run(operations[done++]));
        }
        REQUIRE(script.run('k'));
        REQUIRE(wal_contents(system) == script.latest());
      }
    }
  }
  CHECK(refused > 20);
}

TEST_CASE("a read-only directory: writers are refused, readers work") {
  for (const char* const operations : {"wxxbwk", "wwt", "ww"}) {
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    for (const char* at = operations; *at != 0; ++at) REQUIRE(script.run(*at));
    script.drop();
    const auto before = contents_of(system);
    system.set_read_only(true);
    const OpenedWal opened = open_wal(system);
    CHECK(opened.outcome == Outcome::kIo);
    CHECK(opened.failure.io.code == IoCode::kDenied);
    CHECK(opened.failure.path == kWalDirectory);
    CHECK(contents_of(system) == before);
    durable::WalReader reader(system, kWalDirectory);
    Failure failure;
    CHECK(reader.refresh(&failure) == Outcome::kOk);
    CHECK(reader.first_lsn() == 1);
    system.set_read_only(false);
    CHECK(open_wal(system).outcome == Outcome::kOk);
  }
}

TEST_CASE("a directory that takes no new files is refused before all else") {
  // Its files may still be written, so that the log would open and fail later.
  SimulatedFileSystem system;
  REQUIRE(open_wal(system).outcome == Outcome::kOk);
  const auto before = contents_of(system);
  system.count_only("check_writable");
  system.fail_at(0, Fault::kForEver, IoCode::kDenied);
  const OpenedWal opened = open_wal(system);
  CHECK(opened.outcome == Outcome::kIo);
  CHECK(opened.failure.io.code == IoCode::kDenied);
  CHECK(contents_of(system) == before);
  SimulatedFileSystem empty;
  empty.set_read_only(true);
  CHECK(open_wal(empty).outcome == Outcome::kIo);
  CHECK(empty.paths().empty());
}

TEST_CASE("a file system that becomes read-only costs no acknowledged entry") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  REQUIRE(script.run('a'));
  system.set_read_only(true);
  CHECK(!script.run('a'));
  CHECK(script.failure().outcome == Outcome::kPoisoned);
  CHECK(script.failure().io.code == IoCode::kDenied);
  CHECK(script.failure().value == 1);
  durable::WalReader reader(system, kWalDirectory);
  Failure failure;
  CHECK(reader.refresh(&failure) == Outcome::kOk);
  system.set_read_only(false);
  CHECK(script.check_restart(system) == "");
}

TEST_CASE("a directory that was replaced: the other log's files stay") {
  for (const char operation : {'x', 'C'}) {
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    for (const char each : std::string("xxwa")) REQUIRE(script.run(each));
    // Someone moves the directory away, and another log takes its place.
    for (const std::string& path : system.paths()) {
      REQUIRE(system.rename(path, "moved" + path.substr(path.find('/'))).ok());
    }
    WalScript other;
    REQUIRE(other.open(system));
    for (const char each : std::string("aaxxxx")) REQUIRE(other.run(each));
    const auto before = contents_of(system);
    // Until its file is full the first one goes on where it was moved to.
    bool is_up = true;
    for (int i = 0; is_up && i < 5; ++i) is_up = script.run(operation);
    CHECK(!is_up);
    CHECK(script.failure().outcome == Outcome::kIo);
    CHECK(script.failure().io.code == IoCode::kNotFound);
    CHECK(script.failure().path == kWalDirectory + "/LOCK");
    REQUIRE(script.writer() != nullptr);
    CHECK(script.writer()->close() == Outcome::kOk);
    for (const std::string& path : system.paths()) {
      // But the spares.
      const bool is_spare = path.find("wal-000000.log.new") < path.size();
      CHECK((is_spare || path.find(".new") == std::string::npos));
    }
    CHECK(other.run('C'));
    CHECK(other.run('k'));
    CHECK(wal_contents(system) == other.latest());
    CHECK(contents_of(system).size() <= before.size());
  }
}

TEST_CASE("a directory that is gone costs what needs a new name") {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  for (const char each : std::string("xa")) REQUIRE(script.run(each));
  for (const std::string& path : system.paths()) {
    REQUIRE(system.remove(path).ok());
  }
  REQUIRE(script.run('a'));
  CHECK(!script.run('C'));
  CHECK(script.failure().io.code == IoCode::kNotFound);
  REQUIRE(script.run('w'));
  CHECK(!script.run('x'));
  CHECK(script.failure().outcome == Outcome::kIo);
  CHECK(script.failure().io.code == IoCode::kNotFound);
  CHECK(script.writer()->last_lsn() == script.latest().next_lsn - 1);
  CHECK(system.paths().empty());
  script.drop();
  CHECK(open_wal(system).recovery.row == durable::WalRow::kNoFiles);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
