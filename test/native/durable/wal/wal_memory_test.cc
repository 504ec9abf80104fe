// Memory that the system refuses, at every place where a user, a file or a
// directory decides how much is taken: a typed error, no LSN is taken, nothing is
// poisoned or lost, and the same call works afterwards (core/base/list.h).
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/durable/wal/wal_log.h"
#include "core/durable/wal/wal_salvage.h"
#include "support/faults.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::Outcome;
using platform::IoCode;

void check_refused(const Failure& failure) {
  CHECK(failure.outcome == Outcome::kIo);
  CHECK(failure.io.code == IoCode::kNoMemory);
  CHECK(!failure.path.empty());
}

// The allocation `count` of the script is refused; false when it makes not so
// many. `refused` counts the operations that failed for it.
bool refuse_allocation(const std::string& operations, int64_t count,
                       int* refused) {
  INFO("script ", operations, ", allocation ", count);
  SimulatedFileSystem system;
  WalScript script;
  refuse_memory_after(count);
  bool is_up = script.open(system);
  size_t done = 0;
  while (is_up && done < operations.size()) {
    is_up = script.run(operations[done]);
    if (is_up) ++done;
  }
  const bool was_met = refuse_memory_after(-1) < 0;
  REQUIRE(script.wrong() == "");
  if (!is_up) {
    REQUIRE(was_met);
    ++*refused;
    check_refused(script.failure());
    // An opening was refused.
    if (script.writer() == nullptr) REQUIRE(script.open(system));
    while (done < operations.size()) REQUIRE(script.run(operations[done++]));
  }
  REQUIRE(script.run('s'));
  REQUIRE(wal_contents(*system.kill()) == script.latest());
  script.drop();
  REQUIRE(script.check_restart(system) == "");
  REQUIRE(script.run('A'));
  return was_met;
}

// A log of several files, with a batch, a truncation and a checkpoint.
std::unique_ptr<SimulatedFileSystem> disk_with_log(WalContents* contents) {
  SimulatedFileSystem system;
  WalScript script;
  REQUIRE(script.open(system));
  for (const char operation : std::string("xxBxxtxxBkxxcxB")) {
    REQUIRE(script.run(operation));
  }
  *contents = script.latest();
  REQUIRE(script.run('k'));
  script.drop();
  return system.kill();
}

TEST_SUITE_BEGIN("wal memory");

TEST_CASE(
    "every allocation of a writer: opening, appending, rotating, trimming") {
  int refused = 0;
  for (const char* const operations :
       {"", "wa", "xxaxxA", "bBxxBs", "wfbk", "xxxCwk", "waTwtk", "xxkxxCxik",
        "wwfkww"}) {
    for (int64_t count = 0; refuse_allocation(operations, count, &refused);
         ++count) {
    }
  }
  CHECK(refused > 50);
}

TEST_CASE("a torn tail: what is refused is tried again by the next opening") {
  for (int64_t count = 0;; ++count) {
    INFO("allocation ", count);
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    for (const char operation : std::string("wAx")) {
      REQUIRE(script.run(operation));
    }
    REQUIRE(script.run('f'));
    const durable::WalFileInfo newest = script.writer()->files().back();
    script.drop();
    system.damage(wal_path(newest.number), newest.end_offset - 20);
    refuse_memory_after(count);
    OpenedWal opened = open_wal(system);
    const bool was_met = refuse_memory_after(-1) < 0;
    if (opened.outcome != Outcome::kOk) {
      REQUIRE(was_met);
      check_refused(opened.failure);
      opened = open_wal(system);
    }
    REQUIRE(opened.outcome == Outcome::kOk);
    // By this opening, or by the one before.
    CHECK(system.exists(wal_path(newest.number) + ".torn-1"));
    CHECK(opened.writer->last_lsn() == 2);
    if (!was_met) break;
  }
}

TEST_CASE("every allocation of a reader: the next try sees all there is") {
  WalContents contents;
  const auto system = disk_with_log(&contents);
  for (const auto tail :
       {durable::WalTailMode::kDurable, durable::WalTailMode::kIntact}) {
    int refused = 0;
    for (int64_t count = 0;; ++count) {
      INFO("allocation ", count);
      durable::WalReader reader(*system, kWalDirectory, tail);
      refuse_memory_after(count);
      WalSight seen = see_wal(reader);
      const bool was_met = refuse_memory_after(-1) < 0;
      if (seen.outcome != Outcome::kOk) {
        REQUIRE(was_met);
        ++refused;
        check_refused(seen.failure);
        seen = see_wal(reader);
      }
      REQUIRE(seen.outcome == Outcome::kOk);
      REQUIRE(seen.contents == contents);
      if (!was_met) break;
    }
    CHECK(refused > 5);
  }
}

TEST_CASE("every allocation of a follower, while the log is written") {
  for (int64_t count = 0;; ++count) {
    INFO("allocation ", count);
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    durable::WalReader reader(system, kWalDirectory,
                              durable::WalTailMode::kIntact);
    bool was_met = false;
    for (const char operation : std::string("aabxxikxxxCwwik")) {
      REQUIRE(script.run(operation));
      if (!was_met) refuse_memory_after(count);
      const WalSight seen = see_wal(reader);
      const int64_t left = refuse_memory_after(-1);
      if (seen.outcome != Outcome::kOk) {
        REQUIRE(left < 0);
        check_refused(seen.failure);
      }
      was_met = was_met || left < 0;
    }
    script.drop();
    const WalSight seen = see_wal(reader);
    REQUIRE(seen.outcome == Outcome::kOk);
    REQUIRE(seen.contents == script.latest());
    if (!was_met) break;
  }
}

TEST_CASE("every allocation of salvage") {
  WalContents contents;
  const auto system = disk_with_log(&contents);
  for (int64_t count = 0;; ++count) {
    INFO("allocation ", count);
    Failure failure;
    durable::WalRemains remains;
    refuse_memory_after(count);
    Outcome outcome =
        durable::find_wal_remains(*system, kWalDirectory, &remains, &failure);
    size_t entries = 0;
    for (size_t i = 0; outcome == Outcome::kOk && i < remains.files.size();
         ++i) {
      durable::WalSalvaged part;
      outcome = durable::salvage_wal_file(
          *system, kWalDirectory, remains.log_id, remains.files[i].number, 0,
          SIZE_MAX, &part, &failure);
      entries += part.chunk.entries.size();
    }
    if (refuse_memory_after(-1) >= 0) {
      CHECK(outcome == Outcome::kOk);
      CHECK(entries >= contents.entries.size());
      break;
    }
    REQUIRE(outcome == Outcome::kIo);
    check_refused(failure);
  }
}

TEST_CASE(
    "every allocation of a copy: nothing of it is left, and the next is "
    "whole") {
  for (int64_t count = 0;; ++count) {
    INFO("allocation ", count);
    WalContents contents;
    const auto system = disk_with_log(&contents);
    system->set_makes_directories(true);
    system->set_links(false);
    std::shared_ptr<durable::WalLog> log;
    durable::WalRecovery recovery;
    Failure failure;
    REQUIRE(durable::WalLog::open(*system, small_wal(), {}, &log, &recovery,
                                  &failure) == Outcome::kOk);
    const auto copy = [&] {
      durable::WalBackupSource source;
      Outcome outcome = log->begin_backup(&source, &failure);
      if (outcome != Outcome::kOk) return outcome;
      durable::WalBackup backup(*system, std::move(source), "copy");
      while (outcome == Outcome::kOk && !backup.is_done()) {
        outcome = log->step_backup(backup, &failure);
      }
      return outcome;
    };
    refuse_memory_after(count);
    Outcome outcome = copy();
    const bool was_met = refuse_memory_after(-1) < 0;
    if (outcome != Outcome::kOk) {
      REQUIRE(was_met);
      check_refused(failure);
      outcome = copy();
    }
    REQUIRE(outcome == Outcome::kOk);
    durable::WalReader reader(*system, "copy");
    const WalSight seen = see_wal(reader);
    REQUIRE(seen.outcome == Outcome::kOk);
    REQUIRE(seen.contents == contents);
    log->stop();
    if (!was_met) break;
  }
}

TEST_CASE(
    "a submission that was refused is completed in its turn, without LSN") {
  SimulatedFileSystem system;
  std::shared_ptr<durable::WalLog> log;
  durable::WalRecovery recovery;
  Failure failure;
  REQUIRE(durable::WalLog::open(system, small_wal(), {}, &log, &recovery,
                                &failure) == Outcome::kOk);
  const auto submit = [&](bool is_refused) {
    auto submission = std::make_unique<durable::WalSubmission>();
    submission->level = durable::WalLevel::kNone;
    REQUIRE(submission->bytes.try_resize(20));
    REQUIRE(submission->lengths.try_push_back(20));
    if (is_refused) submission->refused = platform::kNoMemory;
    log->submit(std::move(submission));
  };
  for (const bool is_refused : {false, true, false}) submit(is_refused);
  REQUIRE(log->sync(&failure) == Outcome::kOk);
  durable::WalSubmissions done = log->take_completions();
  std::vector<uint64_t> lsns;
  while (!done.empty()) {
    const durable::WalCompletion completion = done.pop()->completion;
    lsns.push_back(completion.outcome == Outcome::kOk ? completion.first : 0);
    if (completion.outcome != Outcome::kOk) check_refused(completion.failure);
  }
  CHECK(lsns == std::vector<uint64_t>{1, 0, 2});
  log->stop();
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
