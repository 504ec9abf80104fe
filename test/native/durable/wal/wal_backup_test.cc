// Copies of a log: whole and durable, or not there; whatever fails, and while
// the log goes on.
#include "core/durable/wal/wal_backup.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/durable/wal/wal_log.h"
#include "core/durable/wal/wal_reader.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::Outcome;
using durable::WalBackup;
using durable::WalBackupSource;
using durable::WalLog;
using platform::IoCode;
using Fault = SimulatedFileSystem::Fault;

const std::string kCopy = "copies/one";

// A log of several files on a disk of its own.
struct Original {
  Original() {
    system.set_makes_directories(true);
    durable::WalRecovery recovery;
    Failure failure;
    REQUIRE(WalLog::open(system, small_wal(), {}, &log, &recovery, &failure) ==
            Outcome::kOk);
    append(12);
  }
  ~Original() { log->stop(); }

  List<durable::WalFileInfo> files() {
    List<durable::WalFileInfo> files;
    Failure failure;
    REQUIRE(log->files(&files, &failure) == Outcome::kOk);
    return files;
  }

  void append(int count) {
    for (int i = 0; i < count; ++i) {
      durable::WalSubmission submission;
      submission.level = durable::WalLevel::kNone;
      REQUIRE(submission.bytes.try_resize(600 + 10 * static_cast<size_t>(i)));
      std::fill(submission.bytes.begin(), submission.bytes.end(),
                static_cast<uint8_t>(i + 1));
      REQUIRE(submission.lengths.try_push_back(
          static_cast<uint32_t>(submission.bytes.size())));
      uint64_t lsn = 0;
      Failure failure;
      REQUIRE(log->append(std::move(submission), &lsn, &failure) ==
              Outcome::kOk);
    }
  }

  WalBackupSource begin() {
    WalBackupSource source;
    Failure failure;
    REQUIRE(log->begin_backup(&source, &failure) == Outcome::kOk);
    return source;
  }

  std::unique_ptr<WalBackup> copy(const std::string& target = kCopy) {
    return std::make_unique<WalBackup>(system, begin(), target);
  }

  Outcome run(WalBackup& backup, Failure* failure) {
    while (!backup.is_done()) {
      const Outcome outcome = log->step_backup(backup, failure);
      if (outcome != Outcome::kOk) return outcome;
    }
    return Outcome::kOk;
  }

  SimulatedFileSystem system;
  std::shared_ptr<WalLog> log;
};

std::vector<std::string> paths_under(const SimulatedFileSystem& system,
                                     const std::string& directory) {
  std::vector<std::string> found;
  for (const std::string& path : system.paths()) {
    if (path.compare(0, directory.size(), directory) == 0) {
      found.push_back(path);
    }
  }
  return found;
}

bool is_there(const SimulatedFileSystem& system) {
  return !paths_under(system, kCopy + "/").empty();
}

// What a reader sees of it: first and last LSN.
std::pair<uint64_t, uint64_t> seen_in(SimulatedFileSystem& system,
                                      const std::string& directory = kCopy) {
  durable::WalReader reader(system, directory);
  Failure failure;
  REQUIRE(reader.refresh(&failure) == Outcome::kOk);
  return {reader.first_lsn(), reader.last_lsn()};
}

TEST_SUITE_BEGIN("wal backup");

TEST_CASE("a copy is whole, byte for byte, and readers see all of it") {
  for (const bool has_links : {true, false}) {
    for (const size_t step_bytes : {SIZE_MAX, size_t{100}}) {
      Original original;
      original.system.set_links(has_links);
      original.system.set_step_bytes(step_bytes);
      const auto backup = original.copy();
      const auto files = original.files();
      REQUIRE(files.size() > 2);
      // It goes on being written.
      original.append(7);
      Failure failure;
      REQUIRE(original.run(*backup, &failure) == Outcome::kOk);
      CHECK(seen_in(original.system) == std::pair<uint64_t, uint64_t>{1, 12});
      CHECK(paths_under(original.system, "copies").size() == files.size());
      for (const durable::WalFileInfo& file : files) {
        Bytes expected = original.system.contents(wal_path(file.number));
        const bool is_newest = file.number == files.back().number;
        if (is_newest) {
          std::fill(expected.begin() + static_cast<ptrdiff_t>(file.end_offset),
                    expected.end(), uint8_t{0});
        }
        CHECK(original.system.contents(
                  durable::wal_file_path(kCopy, file.number)) == expected);
      }
      // And on disk.
      const auto after = original.system.crash(
          std::vector<uint32_t>(original.system.dirty_states().size(), 0));
      CHECK(seen_in(*after) == std::pair<uint64_t, uint64_t>{1, 12});
    }
  }
}

TEST_CASE("a copy is a log of its own") {
  Original original;
  Failure failure;
  REQUIRE(original.run(*original.copy(), &failure) == Outcome::kOk);
  durable::WalOptions options = small_wal();
  options.directory = kCopy;
  const OpenedWal opened = open_wal(original.system, options);
  REQUIRE(opened.outcome == Outcome::kOk);
  CHECK(opened.writer->last_lsn() == 12);
  CHECK(opened.recovery.quarantined_bytes == 0);
}

TEST_CASE("whatever fails, nothing of the copy is left, and it can be made") {
  uint64_t failed = 0;
  for (const bool has_links : {true, false}) {
    for (const IoCode code :
         {IoCode::kNoSpace, IoCode::kFailed, IoCode::kDenied}) {
      for (uint64_t at = 0;; ++at) {
        Original original;
        original.system.set_links(has_links);
        const auto backup = original.copy();
        original.system.fail_at(at, Fault::kOnce, code);
        Failure failure;
        const Outcome outcome = original.run(*backup, &failure);
        const bool was_met = original.system.operations() > at;
        INFO("operation ", at, ", code ", static_cast<int>(code));
        if (outcome == Outcome::kOk) {
          // A link that failed was copied instead; garbage that could not be
          // looked for stays.
          REQUIRE(seen_in(original.system).second == 12);
        } else {
          ++failed;
          REQUIRE(outcome == Outcome::kIo);
          REQUIRE(!is_there(original.system));
          REQUIRE(paths_under(original.system, "copies").empty());
          REQUIRE(original.run(*original.copy(), &failure) == Outcome::kOk);
        }
        original.append(1);
        if (!was_met) break;
      }
    }
  }
  CHECK(failed > 60);
}

TEST_CASE("the power goes at any operation: the copy is whole or not there") {
  std::mt19937_64 random(7);
  uint64_t whole = 0;
  for (const bool has_links : {true, false}) {
    for (uint64_t at = 0;; ++at) {
      Original original;
      original.system.set_links(has_links);
      const auto backup = original.copy();
      original.system.fail_at(at, Fault::kPowerOff);
      Failure failure;
      const Outcome outcome = original.run(*backup, &failure);
      const bool has_power = original.system.has_power();
      for (int sample = 0; sample < 8; ++sample) {
        std::vector<uint32_t> choices;
        for (const uint32_t states : original.system.dirty_states()) {
          choices.push_back(sample == 0 ? 0
                            : sample == 1
                                ? states - 1
                                : static_cast<uint32_t>(random() % states));
        }
        const auto after = original.system.crash(choices);
        if (outcome == Outcome::kOk) REQUIRE(is_there(*after));
        if (!is_there(*after)) continue;
        ++whole;
        REQUIRE(seen_in(*after) == std::pair<uint64_t, uint64_t>{1, 12});
      }
      if (has_power) break;
    }
  }
  CHECK(whole > 10);
}

TEST_CASE(
    "a kill at any operation leaves nothing that the next copy does not "
    "delete") {
  for (uint64_t at = 0;; ++at) {
    INFO("operation ", at);
    Original original;
    const auto backup = original.copy();
    original.system.fail_at(at, Fault::kPowerOff);
    Failure failure;
    (void)original.run(*backup, &failure);
    const bool has_power = original.system.has_power();
    const auto after = original.system.kill();
    after->set_makes_directories(true);
    const bool was_there = is_there(*after);
    std::shared_ptr<WalLog> log;
    durable::WalRecovery recovery;
    REQUIRE(WalLog::open(*after, small_wal(), {}, &log, &recovery, &failure) ==
            Outcome::kOk);
    WalBackupSource source;
    REQUIRE(log->begin_backup(&source, &failure) == Outcome::kOk);
    WalBackup again(*after, std::move(source), kCopy);
    Outcome outcome = Outcome::kOk;
    while (outcome == Outcome::kOk && !again.is_done()) {
      outcome = again.step(&failure);
    }
    CHECK(outcome == (was_there ? Outcome::kIo : Outcome::kOk));
    CHECK(paths_under(*after, kCopy + ".partial").empty());
    CHECK(seen_in(*after).second == 12);
    log->stop();
    if (has_power) break;
  }
}

TEST_CASE(
    "what a process that was killed has left is deleted, and nothing else") {
  Original original;
  auto interrupted = original.copy();
  Failure failure;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(interrupted->step(&failure) == Outcome::kOk);
  }
  REQUIRE(original.system.exists(kCopy + ".partial-1.incomplete"));
  // Killed: no one has the lock.
  const auto after = original.system.kill();
  after->set_makes_directories(true);
  // A log of another that is called like that.
  after->put(kCopy + ".partial-2/wal-000001.log", Bytes(100));

  // While it is being made, another copy leaves it alone.
  REQUIRE(original.run(*original.copy(), &failure) == Outcome::kOk);
  CHECK(original.system.exists(kCopy + ".partial-1.incomplete"));
  // Of two to one place, one is told.
  Outcome outcome = original.run(*interrupted, &failure);
  CHECK(outcome == Outcome::kIo);
  CHECK(failure.io.code == IoCode::kExists);
  CHECK(paths_under(original.system, kCopy + ".partial").empty());
  CHECK(seen_in(original.system).second == 12);

  std::shared_ptr<WalLog> log;
  durable::WalRecovery recovery;
  REQUIRE(WalLog::open(*after, small_wal(), {}, &log, &recovery, &failure) ==
          Outcome::kOk);
  WalBackupSource source;
  REQUIRE(log->begin_backup(&source, &failure) == Outcome::kOk);
  WalBackup backup(*after, std::move(source), kCopy);
  while (!backup.is_done()) {
    REQUIRE(backup.step(&failure) == Outcome::kOk);
  }
  CHECK(!after->exists(kCopy + ".partial-1.incomplete"));
  CHECK(after->exists(kCopy + ".partial-2/wal-000001.log"));
  CHECK(seen_in(*after).second == 12);
  log->stop();
}

TEST_CASE("a checkpoint that takes files away is told from a lost file") {
  Original original;
  original.system.set_links(false);
  auto backup = original.copy();
  Failure failure;
  REQUIRE(backup->step(&failure) == Outcome::kOk);
  REQUIRE(original.log->checkpoint(12, &failure) == Outcome::kOk);
  CHECK(original.run(*backup, &failure) == Outcome::kCheckpointed);
  CHECK(failure.value == 13);
  CHECK(paths_under(original.system, "copies").empty());

  original.append(12);
  backup = original.copy();
  REQUIRE(original.system.remove(wal_path(original.files()[0].number)).ok());
  CHECK(original.run(*backup, &failure) == Outcome::kIo);
  CHECK(failure.io.code == IoCode::kNotFound);
  CHECK(failure.path == wal_path(original.files()[0].number));
}

TEST_CASE("a copy that cannot be read back gets no name") {
  for (const bool is_newest : {true, false}) {
    Original original;
    original.system.set_links(false);
    const auto files = original.files();
    const auto backup = original.copy();
    const std::string path = durable::wal_file_path(
        kCopy + ".partial-1",
        is_newest ? files.back().number : files.front().number);
    bool is_damaged = false;
    original.system.on_operation = [&](const char* name) {
      if (is_damaged || std::string(name) != "sync_all" ||
          !original.system.exists(path)) {
        return;
      }
      is_damaged = true;
      original.system.damage(path, 4200);
    };
    Failure failure;
    CHECK(original.run(*backup, &failure) == Outcome::kIo);
    CHECK(std::string(failure.io.operation) == "read back");
    original.system.on_operation = nullptr;
    CHECK(paths_under(original.system, "copies").empty());
  }
}

TEST_CASE("a copy that no one waits for any more is deleted") {
  Original original;
  {
    const auto backup = original.copy();
    Failure failure;
    for (int i = 0; i < 2; ++i) {
      REQUIRE(backup->step(&failure) == Outcome::kOk);
    }
    REQUIRE(!paths_under(original.system, "copies").empty());
  }
  CHECK(paths_under(original.system, "copies").empty());
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
