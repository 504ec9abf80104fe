// Positions that a consumer has saved: what WalReader::check_past() says of them,
// on logs that crash, are truncated, checkpointed and restored from copies.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/base/little_endian.h"
#include "core/durable/wal/wal_reader.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::kWalControlBytes;
using durable::kWalHeaderBytes;
using durable::Outcome;
using durable::WalPast;
using durable::WalReader;
using durable::WalTailMode;
using Fault = SimulatedFileSystem::Fault;

// Every entry that was ever appended up to an LSN, by a number of its own.
using Line = std::vector<uint32_t>;

struct Saved {
  WalPast past;
  Line line;
};

bool is_prefix(const Line& line, const Line& of) {
  return line.size() <= of.size() &&
         std::equal(line.begin(), line.end(), of.begin());
}

OpenedWal open_with_branch(SimulatedFileSystem& system, uint64_t branch_seed) {
  auto options = small_wal();
  options.branch_seed = branch_seed;
  return open_wal(system, options);
}

struct PastEntry {
  WalPast past;
  uint32_t id = 0;
};

// All entries that a reader sees, with their pasts.
std::vector<PastEntry> read_pasts(WalReader& reader) {
  std::vector<PastEntry> found;
  Failure failure;
  for (uint64_t from = reader.first_lsn(); from <= reader.last_lsn();) {
    durable::WalChunk chunk;
    REQUIRE(reader.read(from, UINT64_MAX, 400, &chunk, &failure) ==
            Outcome::kOk);
    size_t at = 0;
    for (const durable::WalEntry& entry : chunk.entries) {
      while (at + 1 < chunk.pasts.size() &&
             chunk.pasts[at + 1].lsn <= entry.lsn) {
        ++at;
      }
      found.push_back(
          {{entry.lsn, chunk.pasts[at].epoch, chunk.pasts[at].branch},
           load_u32(chunk.data.data() + entry.begin)});
      from = entry.lsn + 1;
    }
  }
  return found;
}

// A log on a disk that is restored from copies now and then, the line of its
// entries, and positions that consumers have saved.
class PastWorld {
 public:
  explicit PastWorld(uint64_t seed) : random_(seed) {
    REQUIRE(open() == Outcome::kOk);
  }

  void step() {
    switch (random_() % 16) {
      case 0:
        copies_.push_back({disk_->kill(), line_});
        return;
      case 1:
        return restore();
      case 2:
      case 3:
        return crash(true);
      case 4:
        return crash(false);
      default:
        REQUIRE(change());
    }
  }

  void save() {
    const auto copy = disk_->kill();
    WalReader reader(*copy, kWalDirectory, WalTailMode::kIntact);
    Failure failure;
    REQUIRE(reader.refresh(&failure) == Outcome::kOk);
    const auto entries = read_pasts(reader);
    for (size_t n = 0; n < std::min<size_t>(entries.size(), 2); ++n) {
      const PastEntry& one = entries[random_() % entries.size()];
      const auto end = line_.begin() + static_cast<ptrdiff_t>(one.past.lsn);
      REQUIRE(line_.at(one.past.lsn - 1) == one.id);
      saved_.push_back({one.past, Line(line_.begin(), end)});
    }
  }

  // Reading goes on in the same past, or is refused.
  void check(SimulatedFileSystem& disk, const Line& line, WalTailMode tail) {
    WalReader reader(disk, kWalDirectory, tail);
    Failure failure;
    REQUIRE(reader.refresh(&failure) == Outcome::kOk);
    for (const Saved& saved : saved_) {
      const uint64_t lsn = saved.past.lsn;
      const bool is_same = is_prefix(saved.line, line);
      const Outcome outcome = reader.check_past(saved.past, &failure);
      INFO("entry ", lsn, " of epoch ", saved.past.epoch, ", branch ",
           saved.past.branch, "; the log has ", reader.first_lsn(), " to ",
           line.size(), ", and ", reader.last_lsn(), " are seen");
      if (outcome == Outcome::kOk) {
        REQUIRE(is_same);
        REQUIRE(lsn + 1 >= reader.first_lsn());
        ++resumed_;
        continue;
      }
      // What is there is not refused.
      REQUIRE(!(is_same && lsn >= reader.first_lsn()));
      if (lsn + 1 < reader.first_lsn()) {
        REQUIRE(outcome == Outcome::kCheckpointed);
      } else {
        const bool is_refused =
            outcome == Outcome::kTruncated || outcome == Outcome::kCheckpointed;
        REQUIRE(is_refused);
      }
      ++refused_;
    }
  }

  void check() {
    for (const auto tail : {WalTailMode::kDurable, WalTailMode::kIntact}) {
      check(*disk_->kill(), line_, tail);
    }
  }

  uint64_t resumed() const { return resumed_; }
  uint64_t refused() const { return refused_; }

 private:
  struct Copy {
    std::unique_ptr<SimulatedFileSystem> disk;
    Line line;
  };

  Outcome open() {
    OpenedWal opened = open_with_branch(*disk_, ++branch_seed_);
    writer_ = std::move(opened.writer);
    return opened.outcome;
  }

  void restore() {
    if (copies_.empty()) return;
    const Copy& copy = copies_[random_() % copies_.size()];
    writer_.reset();
    disk_ = copy.disk->kill();
    line_ = copy.line;
    REQUIRE(open() == Outcome::kOk);
    find_line();
  }

  // Of what was dropped, the line is settled; what stayed says its numbers.
  // What was never written out is not there.
  void find_line() {
    const auto copy = disk_->kill();
    WalReader reader(*copy, kWalDirectory, WalTailMode::kIntact);
    Failure failure;
    REQUIRE(reader.refresh(&failure) == Outcome::kOk);
    REQUIRE(reader.first_lsn() <= line_.size() + 1);
    line_.resize(reader.first_lsn() - 1);
    for (const PastEntry& each : read_pasts(reader)) line_.push_back(each.id);
  }

  // False when the power is gone.
  bool change() {
    const auto ok = [](Outcome outcome) { return outcome == Outcome::kOk; };
    const uint64_t last = line_.size();
    switch (random_() % 8) {
      case 0:
        return ok(writer_->sync());
      case 1:
        return ok(writer_->sync()) && ok(writer_->mark());
      case 2: {
        const uint64_t back = 1 + random_() % 3;
        if (last + 1 < writer_->first_lsn() + back) return true;
        const bool is_done = ok(writer_->truncate_after(last - back));
        if (is_done) line_.resize(last - back);
        return is_done;
      }
      case 3:
        if (random_() % 3 != 0 || last <= writer_->first_lsn()) return true;
        return ok(writer_->checkpoint(last - random_() % 2));
      default:
        return append(random_() % 4 == 0 ? 2 : 1);
    }
  }

  bool append(uint32_t count) {
    const auto bytes = static_cast<uint32_t>(40 + random_() % 500);
    Bytes data(size_t{bytes} * count);
    const std::vector<uint32_t> lengths(count, bytes);
    // They may be on disk even when the call fails.
    for (uint32_t i = 0; i < count; ++i) {
      store_u32(data.data() + size_t{bytes} * i, ++id_);
      line_.push_back(id_);
    }
    uint64_t lsn = 0;
    return writer_->append_batch(data.data(), lengths.data(), count, &lsn) ==
           Outcome::kOk;
  }

  // The power goes, or only the process is killed, in the middle of a few
  // operations. What is there before it is opened again is checked as well.
  void crash(bool loses_power) {
    disk_->fail_at(random_() % 12, Fault::kPowerOff);
    for (int i = 0; i < 6 && change();) ++i;
    writer_.reset();
    std::vector<uint32_t> choices;
    for (const uint32_t count : disk_->dirty_states()) {
      choices.push_back(static_cast<uint32_t>(random_() % count));
    }
    disk_ = loses_power ? disk_->crash(choices) : disk_->kill();
    const auto before = disk_->kill();
    REQUIRE(open() == Outcome::kOk);
    find_line();
    for (const auto tail : {WalTailMode::kDurable, WalTailMode::kIntact}) {
      check(*before->kill(), line_, tail);
    }
  }

  std::mt19937_64 random_;
  uint64_t branch_seed_ = 0;
  uint32_t id_ = 0;
  std::unique_ptr<SimulatedFileSystem> disk_ =
      std::make_unique<SimulatedFileSystem>();
  std::unique_ptr<durable::WalWriter> writer_;
  Line line_;
  std::vector<Copy> copies_;
  std::vector<Saved> saved_;
  uint64_t resumed_ = 0;
  uint64_t refused_ = 0;
};

// A log that a script has made, and its reader.
struct Resumed {
  explicit Resumed(const std::string& operations) {
    REQUIRE(script.open(system));
    for (const char each : operations) REQUIRE(script.run(each));
    REQUIRE(reader.refresh(&failure) == Outcome::kOk);
  }

  Outcome check(uint64_t lsn, uint32_t epoch, uint32_t branch) {
    return reader.check_past({lsn, epoch, branch}, &failure);
  }

  SimulatedFileSystem system;
  WalScript script;
  WalReader reader{system, kWalDirectory};
  Failure failure;
};

TEST_SUITE_BEGIN("wal positions");

TEST_CASE("an entry is known by its LSN, epoch and branch") {
  Resumed log("wxbxxwi");
  const auto entries = read_pasts(log.reader);
  REQUIRE(entries.size() == 7);
  for (const auto& [past, id] : entries) {
    INFO("entry ", past.lsn);
    const auto [lsn, epoch, branch] = past;
    CHECK(log.check(lsn, epoch, branch) == Outcome::kOk);
    CHECK(log.check(lsn, epoch + 1, branch) == Outcome::kTruncated);
    CHECK(log.check(lsn, epoch - 1, branch) == Outcome::kTruncated);
    CHECK(log.check(lsn, epoch, branch + 1) == Outcome::kTruncated);
    CHECK(log.failure.offset == lsn);
    CHECK(log.failure.value == 7);
  }
}

TEST_CASE("what is not there is refused and never waited for") {
  Resumed log("wxi");
  const WalPast last = read_pasts(log.reader).back().past;
  for (const uint64_t lsn : {uint64_t{3}, uint64_t{4}, uint64_t{1} << 40}) {
    CHECK(log.check(lsn, last.epoch, last.branch) == Outcome::kTruncated);
  }
  SimulatedFileSystem nothing;
  WalReader reader(nothing, kWalDirectory);
  REQUIRE(reader.refresh(&log.failure) == Outcome::kOk);
  CHECK(reader.check_past(last, &log.failure) == Outcome::kTruncated);
}

TEST_CASE("an entry that was taken back and written again is another one") {
  Resumed log("wwwi");
  const WalPast third = read_pasts(log.reader).back().past;
  CHECK(log.check(3, third.epoch, third.branch) == Outcome::kOk);
  REQUIRE(log.script.run('t'));
  REQUIRE(log.reader.refresh(&log.failure) == Outcome::kOk);
  CHECK(log.check(3, third.epoch, third.branch) == Outcome::kTruncated);
  CHECK(log.check(2, third.epoch, third.branch) == Outcome::kOk);
  REQUIRE(log.script.run('w'));
  REQUIRE(log.script.run('i'));
  REQUIRE(log.reader.refresh(&log.failure) == Outcome::kOk);
  CHECK(log.check(3, third.epoch, third.branch) == Outcome::kTruncated);
  const WalPast again = read_pasts(log.reader).back().past;
  CHECK(again.lsn == 3);
  CHECK(log.check(3, again.epoch, again.branch) == Outcome::kOk);
}

TEST_CASE("a checkpoint: what follows the entry must be there") {
  Resumed log("xxxxxxi");
  const auto entries = read_pasts(log.reader);
  REQUIRE(log.script.run('c'));
  REQUIRE(log.script.run('i'));
  REQUIRE(log.reader.refresh(&log.failure) == Outcome::kOk);
  const uint64_t first = log.reader.first_lsn();
  REQUIRE(first == 6);
  for (const auto& [past, id] : entries) {
    INFO("entry ", past.lsn);
    const Outcome outcome = log.check(past.lsn, past.epoch, past.branch);
    CHECK(outcome ==
          (past.lsn + 1 < first ? Outcome::kCheckpointed : Outcome::kOk));
    if (outcome == Outcome::kOk) continue;
    CHECK(log.failure.value == first);
  }
}

// The entry before those of the oldest file is known by that file's header.
TEST_CASE("a checkpoint of whole files: the last entry that is gone") {
  Resumed log("xxi");
  while (log.reader.newest_file() == 1) {
    REQUIRE(log.script.run('x'));
    REQUIRE(log.script.run('i'));
    REQUIRE(log.reader.refresh(&log.failure) == Outcome::kOk);
  }
  const auto entries = read_pasts(log.reader);
  const uint64_t base = log.reader.files().newest().info.base_lsn;
  REQUIRE(log.script.writer()->checkpoint(base - 1) == Outcome::kOk);
  REQUIRE(log.script.writer()->mark() == Outcome::kOk);
  REQUIRE(log.reader.refresh(&log.failure) == Outcome::kOk);
  REQUIRE(log.reader.oldest_file() == 2);
  const auto [lsn, epoch, branch] = entries.at(base - 2).past;
  REQUIRE(lsn == base - 1);
  CHECK(log.check(lsn, epoch, branch) == Outcome::kOk);
  CHECK(log.check(lsn, epoch + 1, branch) == Outcome::kCheckpointed);
  CHECK(log.check(lsn, epoch, branch + 1) == Outcome::kCheckpointed);
  CHECK(log.check(lsn - 1, epoch, branch) == Outcome::kCheckpointed);
  // When more is dropped, within the same file, it is not enough any more.
  REQUIRE(log.script.run('x'));
  REQUIRE(log.script.writer()->checkpoint(base) == Outcome::kOk);
  REQUIRE(log.script.writer()->mark() == Outcome::kOk);
  REQUIRE(log.reader.refresh(&log.failure) == Outcome::kOk);
  REQUIRE(log.reader.first_lsn() == base + 1);
  CHECK(log.check(lsn, epoch, branch) == Outcome::kCheckpointed);
}

TEST_CASE("crashes, truncations and restored copies: the same past or none") {
  uint64_t resumed = 0;
  uint64_t refused = 0;
  const char* const offset = std::getenv("CRASH_SEED");
  const uint64_t first =
      offset == nullptr ? 1 : 1 + 1000 * std::strtoull(offset, nullptr, 10);
  for (uint64_t seed = first; seed < first + 60; ++seed) {
    INFO("seed ", seed);
    PastWorld world(seed);
    for (int i = 0; i < 60; ++i) {
      world.step();
      world.save();
      if (i % 4 == 0) world.check();
    }
    resumed += world.resumed();
    refused += world.refused();
  }
  MESSAGE("positions: ", resumed, " resumed, ", refused, " refused");
  CHECK(resumed > 1000);
  CHECK(refused > 1000);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
