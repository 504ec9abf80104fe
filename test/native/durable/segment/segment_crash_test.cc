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

namespace atomic_log::durable {
namespace {

using test::append_record;
using test::Bytes;
using test::kPath;
using test::open_segment;
using test::Opened;
using test::parse_independently;
using test::payload;
using test::SimulatedFileSystem;
using test::Stored;
using Fault = SimulatedFileSystem::Fault;
using Disk = std::unique_ptr<SimulatedFileSystem>;

// Records cross sectors, headers too; the file is small, so that the tail is
// never far.
constexpr SegmentFormat kFormat{40, 8, Crc32Kind::kCastagnoli};
constexpr uint64_t kSize = 8192;
// Every state of the disk is tried when there are no more than this, otherwise
// a sample.
constexpr uint64_t kImagesMax = 192;

using Records = std::vector<Stored>;

// What must and what may be found after a crash.
struct Expectation {
  bool must_exist = false;
  // Records that were acknowledged, or a sync would have: at least so many of
  // `now` must be found.
  size_t durable = 0;
  Records now;
  // Of a record whose header is being replaced: the one before.
  size_t replaced = SIZE_MAX;
  Stored before;
  // Of a truncation under way: the records before it. A beginning of them with
  // at least `durable` may be found too.
  Records untruncated;
};

bool is_allowed(const Records& found, const Expectation& expectation) {
  const auto is_beginning = [&](const Records& of, const Records& whole) {
    if (of.size() > whole.size()) return false;
    for (size_t i = 0; i < of.size(); ++i) {
      const bool is_old =
          i == expectation.replaced && of[i] == expectation.before;
      if (of[i] != whole[i] && !is_old) return false;
    }
    return true;
  };
  if (found.size() < expectation.durable) return false;
  return is_beginning(found, expectation.now) ||
         is_beginning(found, expectation.untruncated);
}

// Runs a script on a disk; stops when the disk does. Letters:
//   a, A  append a short, a long record      s  sync
//   b  append one such that the next header crosses a sector
//   t  truncate to the last record but two   T  truncate to the start
//   h  replace the header of the last record, H of the first
//   o  close (no sync) and open
class Script {
 public:
  Script(SimulatedFileSystem& disk, std::string steps)
      : disk_(disk), steps_(std::move(steps)) {}

  Expectation run() {
    Opened opened = test::create_segment(disk_, kFormat, kSize);
    if (opened.outcome != Outcome::kOk) return expectation_;
    expectation_.must_exist = true;
    writer_ = std::move(opened.writer);
    buffer_ = std::move(opened.buffer);
    for (const char step : steps_) {
      if (!perform(step)) break;
    }
    writer_.reset();
    return expectation_;
  }

 private:
  bool perform(char step) {
    switch (step) {
      case 'a':
        return append(30 + 17 * (serial_ % 7));
      case 'A':
        return append(900);
      case 'b':
        return append((1015 - (writer_->write_offset() + 15) % 512) % 512);
      case 's':
        return sync();
      case 't':
        return truncate(std::max<size_t>(expectation_.now.size(), 2) - 2);
      case 'T':
        return truncate(0);
      case 'h':
        return replace(expectation_.now.size() - 1);
      case 'H':
        return replace(0);
      default:
        return reopen();
    }
  }

  bool append(size_t bytes) {
    ++serial_;
    const Stored record{payload(serial_, 8), payload(serial_ + 7, bytes)};
    expectation_.now.push_back(record);
    uint64_t offset = 0;
    if (append_record(*writer_, record, &offset) != Outcome::kOk) return false;
    offsets_.push_back(offset);
    // Half of the time the system gets it before the next sync.
    return serial_ % 2 == 0 || writer_->flush() == Outcome::kOk;
  }

  bool sync() {
    uint64_t flushed = 0;
    if (writer_->sync(&flushed) != Outcome::kOk) return false;
    expectation_.durable = expectation_.now.size();
    return true;
  }

  bool truncate(size_t kept) {
    if (kept >= expectation_.now.size()) return true;
    expectation_.untruncated = expectation_.now;
    expectation_.now.resize(kept);
    expectation_.durable = std::min(expectation_.durable, kept);
    if (writer_->set_length(offsets_[kept]) != Outcome::kOk) return false;
    offsets_.resize(kept);
    expectation_.untruncated.clear();
    expectation_.durable = kept;
    return true;
  }

  bool replace(size_t which) {
    if (which >= expectation_.now.size()) return true;
    ++serial_;
    expectation_.replaced = which;
    expectation_.before = expectation_.now[which];
    expectation_.now[which].header = payload(serial_, 8);
    if (writer_->replace_header(offsets_[which],
                                expectation_.now[which].header.data()) !=
        Outcome::kOk) {
      return false;
    }
    expectation_.replaced = SIZE_MAX;
    expectation_.durable = expectation_.now.size();
    return true;
  }

  bool reopen() {
    // What was not flushed is dropped with the writer.
    const uint64_t handed_over = writer_->flush() == Outcome::kOk
                                     ? expectation_.now.size()
                                     : expectation_.durable;
    writer_.reset();
    Opened opened = open_segment(disk_, kFormat);
    if (opened.outcome != Outcome::kOk) return false;
    writer_ = std::move(opened.writer);
    buffer_ = std::move(opened.buffer);
    // G6: opening has made it durable.
    expectation_.durable = handed_over;
    return opened.recovery.records == handed_over;
  }

  SimulatedFileSystem& disk_;
  const std::string steps_;
  Expectation expectation_;
  std::unique_ptr<uint8_t[]> buffer_;
  std::unique_ptr<SegmentWriter> writer_;
  std::vector<uint64_t> offsets_;
  uint32_t serial_ = 0;
};

// Opens as an application does after a crash; discards only a first record.
Opened open_after_crash(SimulatedFileSystem& disk) {
  OpenOptions options;
  options.size = kSize;
  Opened opened = open_segment(disk, kFormat, options);
  if (opened.outcome == Outcome::kFormat) {
    options.discard_unreadable = true;
    opened = open_segment(disk, kFormat, options);
  }
  return opened;
}

Records records_on(const SimulatedFileSystem& disk) {
  return parse_independently(disk.contents(kPath), kFormat);
}

// Empty, or what is wrong with a disk that a crash has left.
std::string check_disk(SimulatedFileSystem& disk,
                       const Expectation& expectation, std::mt19937& random) {
  if (!disk.exists(kPath)) {
    return expectation.must_exist ? "G1: the file is gone" : "";
  }
  const bool had_first = !records_on(disk).empty();
  {
    // G8: a recovery that is cut anywhere, and any disk it leaves.
    const Disk again = disk.kill();
    again->fail_at(random() % 24, Fault::kPowerOff);
    open_after_crash(*again).writer.reset();
    std::vector<uint32_t> choices;
    for (const uint32_t states : again->dirty_states()) {
      choices.push_back(random() % states);
    }
    const Disk after = again->crash(choices);
    if (after->exists(kPath)) {
      const Opened opened = open_after_crash(*after);
      if (opened.outcome != Outcome::kOk)
        return "G8: recovery cut, then no open";
      if (!is_allowed(records_on(*after), expectation)) {
        return "G8: recovery cut, then other records";
      }
    }
  }
  if (had_first &&
      open_segment(*disk.kill(), kFormat).outcome != Outcome::kOk) {
    return "G4: a disk with a first record does not open";
  }
  Opened opened = open_after_crash(disk);
  if (opened.outcome != Outcome::kOk) return "G4: does not open";
  const Records found = records_on(disk);
  if (found.size() != opened.recovery.records)
    return "G2: reports another count";
  if (!is_allowed(found, expectation)) {
    return found.size() < expectation.durable ? "G1: acknowledged records lost"
                                              : "G2/G7: other records";
  }
  // G7 and G12: nothing but zeros after the end.
  const Bytes file = disk.contents(kPath);
  if (!std::all_of(
          file.begin() + static_cast<ptrdiff_t>(opened.recovery.end_offset),
          file.end(), [](uint8_t byte) { return byte == 0; })) {
    return "G7: bytes after the end";
  }
  // G6, G8: whatever the next crash does, opening again finds the same.
  std::vector<uint32_t> choices;
  for (const uint32_t states : disk.dirty_states()) {
    choices.push_back(random() % states);
  }
  const Disk next = disk.crash(choices);
  // G7: a shorter record in the place of a longer one, torn again.
  uint64_t offset = 0;
  const Stored shorter{payload(250, 8), payload(251, 3)};
  if (append_record(*opened.writer, shorter, &offset) != Outcome::kOk) {
    return "";  // The file is full.
  }
  uint64_t flushed = 0;
  if (opened.writer->sync(&flushed) != Outcome::kOk) return "cannot sync";
  opened.writer.reset();
  Records expected = found;
  const Opened second = open_segment(*next, kFormat);
  if (second.outcome != Outcome::kOk || records_on(*next) != expected) {
    return "G6: what was reported is gone after the next power failure";
  }
  if (second.recovery.quarantined_bytes > 0) return "G6: the tail came back";
  expected.push_back(shorter);
  if (records_on(disk) != expected) return "G7: old records after a new one";
  return "";
}

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
    const Expectation expectation = Script(disk, steps).run();
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
    const Expectation expectation = Script(disk, steps).run();
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
      const Expectation expectation = Script(disk, steps).run();
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
  Script(disk, "aAsaA").run();
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
      Opened opened = open_segment(system, kFormat);
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
      Opened again = open_segment(system, kFormat);
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
  const Opened opened = open_segment(system, kFormat, options);
  CHECK(opened.outcome == Outcome::kOk);
  CHECK(opened.recovery.valid_bytes_after == 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::durable
