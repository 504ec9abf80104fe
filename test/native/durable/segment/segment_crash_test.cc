// The promises about crashes, on simulated disks: a script of operations runs
// up to every operation of the file system, the power goes (or the process is
// killed), and every disk that can be left (or a sample of them) is opened
// again. What is found must be what some order of events allows.
//
//   G1  what was acknowledged is there
//   G2  what is found is a beginning of what was appended, byte for byte
//   G4  every disk opens; only a torn first record may need discardUnreadable
//   G6  what was found is still there after the power goes once more
//   G7  what was cut off never comes back
//   G8  opening again finds the same, also when recovery itself was cut
//
// G9, G11: segment_writer_test.cc. G12: segment_reader_test.cc.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/durable/segment/segment_writer.h"
#include "support/segment_fixture.h"
#include "support/segment_script.h"

namespace atomic_log::durable {
namespace {

using test::Bytes;
using test::check_disk;
using test::Expectation;
using test::is_allowed;
using test::kPath;
using test::kScriptFormat;
using test::kScriptSize;
using test::open_after_crash;
using test::open_segment;
using test::Opened;
using test::Records;
using test::records_on;
using test::SegmentScript;
using test::SimulatedFileSystem;
using Fault = SimulatedFileSystem::Fault;
using Disk = std::unique_ptr<SimulatedFileSystem>;

// Every state of the disk is tried when there are no more than this, otherwise
// a sample.
constexpr uint64_t kImagesMax = 192;

struct Tally {
  uint64_t images = 0;
  uint64_t violations = 0;
  std::string first;
};

void check_images(const SimulatedFileSystem& crashed,
                  const Expectation& expectation, const std::string& name,
                  std::mt19937& random, Tally* tally) {
  const std::vector<uint32_t> states = crashed.dirty_states();
  uint64_t all = 1;
  for (const uint32_t count : states) {
    all = std::min<uint64_t>(all * count, kImagesMax + 1);
  }
  const bool is_complete = all <= kImagesMax;
  const uint64_t images = is_complete ? all : kImagesMax;
  for (uint64_t image = 0; image < images; ++image) {
    std::vector<uint32_t> choices;
    uint64_t rest = image;
    for (const uint32_t count : states) {
      choices.push_back(is_complete ? static_cast<uint32_t>(rest % count)
                                    : random() % count);
      rest /= count;
    }
    const Disk disk = crashed.crash(choices);
    const std::string wrong = check_disk(*disk, expectation, random);
    ++tally->images;
    if (wrong.empty()) continue;
    if (tally->violations++ == 0) {
      tally->first = name + ", image " + std::to_string(image) + ": " + wrong;
    }
  }
}

// Cuts the script at every operation of the disk.
void check_script(const std::string& steps, std::mt19937& random,
                  Tally* tally) {
  for (uint64_t cut = 0;; ++cut) {
    SimulatedFileSystem disk;
    disk.fail_at(cut, Fault::kPowerOff);
    SegmentScript script(disk);
    script.run(steps);
    const Expectation& expectation = script.expectation();
    const std::string name = "script " + steps + ", cut " + std::to_string(cut);
    check_images(disk, expectation, name, random, tally);
    // SIGKILL: the system has everything that was handed over.
    const Disk killed = disk.kill();
    const std::string wrong = check_disk(*killed, expectation, random);
    ++tally->images;
    if (!wrong.empty() && tally->violations++ == 0) {
      tally->first = name + ", killed: " + wrong;
    }
    if (disk.has_power()) break;
  }
}

// A failed sync: then the writer is dropped, the file opened again (the system
// shows pages that never reached the disk), and the power goes.
void check_failing_sync(const std::string& steps, std::mt19937& random,
                        Tally* tally) {
  for (uint64_t failing = 0;; ++failing) {
    SimulatedFileSystem disk;
    disk.count_only("sync_data");
    disk.fail_at(failing, Fault::kOnce);
    SegmentScript script(disk);
    script.run(steps);
    const Expectation& expectation = script.expectation();
    const bool has_failed = disk.operations() > failing;
    disk.count_only("");
    if (!has_failed) break;
    const Disk killed = disk.kill();
    const std::string wrong = check_disk(*killed, expectation, random);
    ++tally->images;
    if (!wrong.empty() && tally->violations++ == 0) {
      tally->first = "script " + steps + ", sync " + std::to_string(failing) +
                     " fails: " + wrong;
    }
  }
}

TEST_SUITE_BEGIN("segment crash");

TEST_CASE("every disk that a crash can leave keeps the promises") {
  std::mt19937 random(1);
  Tally tally;
  // Each operation after each other, from a few beginnings.
  const std::string letters = "aAstTHho";
  for (const std::string beginning : {"", "aAs", "Aa", "ba", "bas"}) {
    for (const char first : letters) {
      for (const char second : letters) {
        const std::string steps = beginning + first + second;
        check_script(steps, random, &tally);
        check_failing_sync(steps, random, &tally);
      }
    }
  }
  MESSAGE(tally.images << " disks");
  CHECK_MESSAGE(tally.violations == 0, tally.first);
}

int asked(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

// `CRASH_SCRIPTS=5000` makes it long, `CRASH_SEED=1` another one.
TEST_CASE("so do random scripts") {
  const int scripts = asked("CRASH_SCRIPTS", 900);
  std::mt19937 random(static_cast<uint32_t>(2 + asked("CRASH_SEED", 0)));
  Tally tally;
  for (int i = 0; i < scripts; ++i) {
    std::string steps;
    for (uint32_t length = 3 + random() % 6; length > 0; --length) {
      steps.push_back("aaaabAAsstTHho"[random() % 14]);
    }
    check_script(steps, random, &tally);
    check_failing_sync(steps, random, &tally);
  }
  MESSAGE(tally.images << " disks");
  CHECK_MESSAGE(tally.violations == 0, tally.first);
}

// G8: the process is killed anywhere in a change in place, then the power goes
// anywhere in the recovery, which must not trust what it sees.
TEST_CASE("a change that was killed is recovered through any power failure") {
  std::mt19937 random(3);
  uint64_t disks = 0;
  for (const std::string steps : {"bash", "aAst"}) {
    bool is_killed = true;
    for (uint64_t cut = 0; is_killed; ++cut) {
      SimulatedFileSystem disk;
      disk.fail_at(cut, Fault::kPowerOff);
      SegmentScript script(disk);
      script.run(steps);
      const Expectation& expectation = script.expectation();
      is_killed = !disk.has_power();
      if (!expectation.must_exist) continue;
      bool is_cut = true;
      for (uint64_t operation = 0; is_cut; ++operation) {
        const Disk again = disk.kill();
        again->fail_at(operation, Fault::kPowerOff);
        open_after_crash(*again).writer.reset();
        is_cut = !again->has_power();
        const std::vector<uint32_t> states = again->dirty_states();
        for (int image = 0; image < 24; ++image) {
          std::vector<uint32_t> choices;
          for (const uint32_t count : states) {
            choices.push_back(random() % count);
          }
          const Disk after = again->crash(choices);
          ++disks;
          CAPTURE(steps);
          CAPTURE(cut);
          CAPTURE(operation);
          REQUIRE(open_after_crash(*after).outcome == Outcome::kOk);
          REQUIRE(is_allowed(records_on(*after), expectation));
        }
      }
    }
  }
  MESSAGE(disks << " disks");
}

// G8.
TEST_CASE("an opening that fails at any operation has lost nothing") {
  SimulatedFileSystem disk;
  SegmentScript(disk).run("aAsaA");
  // A torn last record.
  Bytes torn = disk.contents(kPath);
  torn[torn.size() - 1] = 1;
  const Records before = records_on(disk);
  for (const platform::IoCode code :
       {platform::IoCode::kFailed, platform::IoCode::kNoSpace}) {
    for (uint64_t failing = 0; failing < 200; ++failing) {
      SimulatedFileSystem system;
      system.put(kPath, torn);
      system.fail_at(failing, Fault::kOnce, code);
      Opened opened = open_segment(system, kScriptFormat);
      if (opened.outcome == Outcome::kOk) {
        CHECK(failing > 5);
        break;
      }
      // A redo file that cannot be read is as loud.
      CHECK(opened.outcome == Outcome::kIo);
      CHECK(records_on(system) == before);
      const bool is_kept = system.exists(kPath + ".torn-1");
      const bool is_untouched = system.contents(kPath) == torn;
      CHECK((is_kept || is_untouched));
      Opened again = open_segment(system, kScriptFormat);
      CHECK(again.outcome == Outcome::kOk);
      CHECK(records_on(system) == before);
    }
  }
}

// G8: time and memory are bounded for any bytes.
TEST_CASE("bytes that look like records everywhere are looked at once") {
  SimulatedFileSystem system;
  Bytes bytes(1 << 20);
  // Lengths of some 60 KiB at every other offset.
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = i % 2 == 0 ? 0 : 0xEA;
  for (size_t i = 2; i + 1 < bytes.size(); i += 4) bytes[i] = bytes[i + 1] = 0;
  system.put(kPath, bytes);
  OpenOptions options;
  options.discard_unreadable = true;
  const Opened opened = open_segment(system, kScriptFormat, options);
  CHECK(opened.outcome == Outcome::kOk);
  CHECK(opened.recovery.valid_bytes_after == 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::durable
