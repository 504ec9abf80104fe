// Cursors next to checkpoints: what one does at any moment of the other, and a
// crash anywhere. G16.
#include "core/durable/wal/wal_cursor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/durable/wal/wal_cursors.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::Outcome;
using durable::WalCursor;
using durable::WalCursorState;
using durable::WalCursorVerdict;
using durable::WalPast;
using platform::IoCode;
using Fault = SimulatedFileSystem::Fault;

const std::string kName = "billing";

durable::WalOptions wal_options() {
  durable::WalOptions options = small_wal();
  options.makes_cursors = true;
  options.lock_wait_ms = 0;
  return options;
}

struct OpenedCursor {
  Outcome outcome = Outcome::kOk;
  std::unique_ptr<WalCursor> cursor;
  Failure failure;
};

OpenedCursor open_cursor(SimulatedFileSystem& system, bool resets = false) {
  OpenedCursor opened;
  opened.outcome =
      WalCursor::open(system, {kWalDirectory, kName, resets, 0, 42},
                      &opened.cursor, &opened.failure);
  return opened;
}

// A log with its writer and one cursor with its owner, and what must hold of
// both after a crash.
class Pair {
 public:
  explicit Pair(SimulatedFileSystem& system) : system_(system) {
    writer_ = open_wal(system, wal_options()).writer;
    REQUIRE(writer_ != nullptr);
  }

  // a append and sync; w append, with the system; c checkpoint of all; d of
  // half; n make the cursor; m commit the last entry; b move back by one;
  // x delete the cursor; o its owner dies, and another one opens it; r commit
  // where it stands; h commit half of what is left.
  static constexpr const char* kOfWriter = "awcd";
  static constexpr const char* kOfCursor = "nmbxo";

  void run(char operation) {
    switch (operation) {
      case 'a':
        if (append()) (void)writer_->sync();
        break;
      case 'w':
        (void)append();
        break;
      case 'c':
        (void)writer_->checkpoint(writer_->last_lsn());
        break;
      case 'd':
        (void)writer_->checkpoint((writer_->first_lsn() + writer_->last_lsn()) /
                                  2);
        break;
      case 'n':
        make();
        break;
      case 'm':
        if (cursor_ != nullptr) commit(writer_->last_lsn());
        break;
      case 'b':
        if (cursor_ != nullptr && cursor_->state().epoch > 0) {
          commit(cursor_->state().lsn - 1);
        }
        break;
      case 'x':
        remove();
        break;
      case 'o':
        cursor_.reset();
        make();
        break;
      case 'r':
        commit(cursor_->state().lsn);
        break;
      case 'h':
        commit((cursor_->state().lsn + writer_->last_lsn()) / 2);
        break;
    }
  }

  void drop() {
    cursor_.reset();
    writer_.reset();
  }

  // What was acknowledged is on this disk, and the log holds what it needs.
  void check(SimulatedFileSystem& disk) const {
    WalCursorVerdict verdict = WalCursorVerdict::kGood;
    WalCursorState state;
    const auto read =
        read_wal_cursor(disk, kWalDirectory, kName, &verdict, &state);
    if (!read.ok()) {
      REQUIRE(read.code == IoCode::kNotFound);
      REQUIRE(may_be_absent_);
      return;
    }
    REQUIRE(verdict == WalCursorVerdict::kGood);
    REQUIRE(may_be_there_);
    const bool is_known = std::any_of(
        legal_.begin(), legal_.end(),
        [&state](const WalCursorState& each) { return each == state; });
    REQUIRE(is_known);
    const OpenedWal opened = open_wal(disk, wal_options());
    REQUIRE(opened.outcome == Outcome::kOk);
    INFO("the cursor stands at ", state.lsn, ", the log has ",
         opened.writer->first_lsn(), " to ", opened.writer->last_lsn());
    REQUIRE(state.lsn <= opened.writer->last_lsn());
    // The entry that it stands on; without one, what comes next.
    REQUIRE(opened.writer->first_lsn() <=
            (state.epoch > 0 ? state.lsn : state.lsn + 1));
    const OpenedCursor again = open_cursor(disk);
    REQUIRE(again.outcome == Outcome::kOk);
    REQUIRE(again.cursor->state() == state);
  }

 private:
  bool append() {
    const Bytes entry(700, static_cast<uint8_t>(writer_->next_lsn()));
    uint64_t lsn = 0;
    if (writer_->append(entry.data(), entry.size(), &lsn) != Outcome::kOk) {
      return false;
    }
    return writer_->flush() == Outcome::kOk;
  }

  // Which past the entry has; false when it cannot be read.
  bool find_past(uint64_t lsn, WalPast* past) {
    durable::WalReader reader(system_, kWalDirectory);
    durable::WalChunk chunk;
    Failure failure;
    if (!reader
             .update(writer_->log_id(), writer_->files(),
                     writer_->files().back().end_offset, writer_->first_lsn(),
                     writer_->last_lsn())
             .ok() ||
        reader.read(lsn, lsn, 1, &chunk, &failure) != Outcome::kOk ||
        chunk.pasts.empty()) {
      return false;
    }
    *past = chunk.pasts.front();
    return true;
  }

  void make() {
    if (cursor_ != nullptr) return;
    const bool may_make = may_be_absent_;
    may_be_there_ = true;
    if (may_make) {
      // Wherever the log begins meanwhile.
      for (uint64_t lsn = writer_->first_lsn(); lsn <= writer_->next_lsn() + 4;
           ++lsn) {
        legal_.push_back({writer_->log_id(), lsn - 1, 0, 0});
      }
    }
    OpenedCursor opened = open_cursor(system_);
    if (opened.outcome != Outcome::kOk) return;
    cursor_ = std::move(opened.cursor);
    may_be_absent_ = false;
    legal_ = {cursor_->state()};
  }

  void commit(uint64_t lsn) {
    WalPast past;
    if (lsn == 0 || !find_past(lsn, &past)) return;
    const WalCursorState state = {writer_->log_id(), lsn, past.epoch,
                                  past.branch};
    const bool is_durable = lsn <= writer_->durable_lsn();
    legal_.push_back(state);
    Failure failure;
    const Outcome outcome =
        cursor_->commit(past, writer_->durable_lsn(), ++order_, &failure);
    if (outcome == Outcome::kOk) {
      // Another thread may have synced meanwhile.
      CHECK((is_durable || lsn <= writer_->durable_lsn()));
      legal_ = {state};
    } else if (outcome != Outcome::kIo) {
      // Nothing was done.
      legal_.pop_back();
    }
  }

  void remove() {
    if (cursor_ == nullptr) return;
    may_be_absent_ = true;
    bool was_there = false;
    Failure failure;
    const Outcome outcome = cursor_->remove(&was_there, &failure);
    if (outcome == Outcome::kCursorsLocked) may_be_absent_ = false;
    if (outcome != Outcome::kOk) return;
    may_be_there_ = false;
    cursor_.reset();
  }

  SimulatedFileSystem& system_;
  std::unique_ptr<durable::WalWriter> writer_;
  std::unique_ptr<WalCursor> cursor_;
  uint64_t order_ = 0;
  // What may be on disk.
  bool may_be_there_ = false;
  bool may_be_absent_ = true;
  std::vector<WalCursorState> legal_;
};

// Runs `before`, then `main`, and at its operation number `at` `meanwhile` of
// the other one; the power goes at operation `cut` of all that.
void interleave(const std::string& before, char main, uint64_t at,
                const std::string& meanwhile, uint64_t cut,
                std::mt19937_64& random) {
  SimulatedFileSystem system;
  Pair pair(system);
  for (const char operation : before) pair.run(operation);
  system.fail_at(cut, Fault::kPowerOff);
  uint64_t count = 0;
  system.on_operation = [&](const char*) {
    if (count++ != at) return;
    const auto hook = std::move(system.on_operation);
    system.on_operation = nullptr;
    for (const char operation : meanwhile) pair.run(operation);
  };
  INFO("after ", before, ": ", std::string(1, main), ", at ", at, " ",
       meanwhile, ", cut at ", cut);
  pair.run(main);
  system.on_operation = nullptr;
  pair.drop();
  pair.check(*system.kill());
  for (int n = 0; n < 3; ++n) {
    std::vector<uint32_t> choices;
    for (const uint32_t states : system.dirty_states()) {
      choices.push_back(static_cast<uint32_t>(random() % states));
    }
    pair.check(*system.crash(choices));
  }
  const std::vector<uint32_t> nothing(system.dirty_states().size(), 0);
  pair.check(*system.crash(nothing));
}

TEST_SUITE_BEGIN("wal cursors");

TEST_CASE("a name is one that every file system holds") {
  for (const char* const good : {"a", "0", "a.b", "a-_.b", "con"}) {
    CHECK(durable::is_wal_cursor_name(good));
  }
  CHECK(durable::is_wal_cursor_name(std::string(64, 'a')));
  for (const char* const bad :
       {"", "A", ".", "a.", "-a", "a/b", "a\\b", "a b", "\xc3\xa4", "a\n"}) {
    CHECK(!durable::is_wal_cursor_name(bad));
  }
  CHECK(!durable::is_wal_cursor_name(std::string(65, 'a')));
}

TEST_CASE("a position is read as it was written, and no bit of it is another") {
  WalCursorState state;
  state.log_id = {1, 2, 3};
  state.lsn = 0x123456789;
  state.epoch = 7;
  state.branch = 0xfedcba98;
  uint8_t bytes[durable::kWalCursorBytes];
  durable::encode_wal_cursor(state, kName, bytes);
  WalCursorState read;
  REQUIRE(decode_wal_cursor(bytes, sizeof(bytes), kName, &read) ==
          WalCursorVerdict::kGood);
  CHECK(read == state);
  CHECK(decode_wal_cursor(bytes, sizeof(bytes), "other", &read) ==
        WalCursorVerdict::kBad);
  for (size_t bytes_read = 0; bytes_read < sizeof(bytes); ++bytes_read) {
    CHECK(decode_wal_cursor(bytes, bytes_read, kName, &read) ==
          WalCursorVerdict::kBad);
  }
  for (size_t bit = 0; bit < sizeof(bytes) * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const WalCursorVerdict verdict =
        decode_wal_cursor(bytes, sizeof(bytes), kName, &read);
    const bool is_version = bit >= 64 && bit < 128;
    CHECK(verdict ==
          (is_version ? WalCursorVerdict::kNewer : WalCursorVerdict::kBad));
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

TEST_CASE(
    "cursors: each of both at any moment of the other, crashed anywhere") {
  std::mt19937_64 random(16);
  const std::string writers = Pair::kOfWriter;
  const std::string cursors = Pair::kOfCursor;
  for (int n = 0; n < 12'000; ++n) {
    std::string before = "aaa";
    for (uint64_t i = random() % 5; i > 0; --i) {
      before +=
          (writers + cursors)[random() % (writers.size() + cursors.size())];
    }
    const bool is_writers = random() % 2 == 0;
    const std::string& mine = is_writers ? writers : cursors;
    const std::string& theirs = is_writers ? cursors : writers;
    std::string meanwhile;
    for (uint64_t i = random() % 3; i > 0; --i) {
      meanwhile += theirs[random() % theirs.size()];
    }
    interleave(before, mine[random() % mine.size()], random() % 40, meanwhile,
               random() % 100, random);
  }
}

TEST_CASE(
    "cursors: the shortest ways to pass a cursor, at every moment of each") {
  std::mt19937_64 random(17);
  struct Way {
    const char* before;
    char main;
    const char* meanwhile;
  };
  for (const Way& way : {Way{"aaaaaa", 'n', "c"}, Way{"aaaaaa", 'c', "n"},
                         Way{"aaaaaanm", 'c', "b"}, Way{"aaaanmaa", 'c', "m"},
                         Way{"aaaanmaa", 'm', "c"}, Way{"aaaanmaa", 'b', "c"},
                         Way{"aaaanmaa", 'x', "c"}, Way{"aaaanmaa", 'c', "x"},
                         Way{"aaaanmw", 'm', ""}, Way{"aaaanaa", 'c', "mx"}}) {
    for (uint64_t at = 0; at < 40; ++at) {
      for (uint64_t cut = 0; cut < 70; cut += 1 + random() % 3) {
        interleave(way.before, way.main, at, way.meanwhile, cut, random);
      }
    }
  }
}

// A failed commit has done nothing, or all, and the next one works.
TEST_CASE(
    "cursors: every operation of a commit fails once, also for want of space") {
  for (const IoCode code : {IoCode::kFailed, IoCode::kNoSpace,
                            IoCode::kNoDescriptor, IoCode::kDenied}) {
    for (uint64_t at = 0;; ++at) {
      SimulatedFileSystem system;
      Pair pair(system);
      for (const char operation : std::string("aaanmaa")) pair.run(operation);
      system.fail_at(at, Fault::kOnce, code);
      pair.run('m');
      const bool has_failed = system.operations() > at;
      system.fail_at(0, Fault::kNone);
      const std::vector<uint32_t> nothing(system.dirty_states().size(), 0);
      INFO("operation ", at, " fails");
      auto lost = system.crash(nothing);
      pair.run('c');
      pair.run('b');
      pair.run('m');
      pair.run('c');
      pair.drop();
      pair.check(*system.kill());
      const std::vector<uint32_t> none(system.dirty_states().size(), 0);
      pair.check(*system.crash(none));
      if (!has_failed) break;
    }
  }
}

// What is on disk may be the position of the commit that failed: the next one
// may be a move back, and must be written.
TEST_CASE(
    "cursors: after a commit that failed, where the cursor stands is not "
    "known") {
  for (const char next : {'h', 'r'}) {
    bool has_failed = true;
    for (uint64_t fails = 0; has_failed; ++fails) {
      for (uint64_t at = 0; at < 40; ++at) {
        SimulatedFileSystem system;
        Pair pair(system);
        for (const char operation : std::string("aaanmaaaa")) {
          pair.run(operation);
        }
        system.fail_at(fails, Fault::kOnce);
        pair.run('m');
        has_failed = system.operations() > fails;
        system.fail_at(0, Fault::kNone);
        uint64_t count = 0;
        system.on_operation = [&](const char*) {
          if (count++ != at) return;
          const auto hook = std::move(system.on_operation);
          system.on_operation = nullptr;
          pair.run('c');
        };
        INFO("operation ", fails, " fails; then ", std::string(1, next),
             ", with a checkpoint at ", at);
        pair.run(next);
        system.on_operation = nullptr;
        pair.drop();
        pair.check(*system.kill());
        const std::vector<uint32_t> nothing(system.dirty_states().size(), 0);
        pair.check(*system.crash(nothing));
        if (count <= at) break;
      }
    }
  }
}

TEST_CASE("a damaged cursor holds every checkpoint that is not forced") {
  SimulatedFileSystem system;
  const OpenedWal opened = open_wal(system, wal_options());
  durable::WalWriter& writer = *opened.writer;
  uint64_t lsn = 0;
  REQUIRE(writer.append(nullptr, 0, &lsn) == Outcome::kOk);
  REQUIRE(writer.sync() == Outcome::kOk);
  REQUIRE(open_cursor(system).outcome == Outcome::kOk);
  system.damage(durable::wal_cursor_path(kWalDirectory, kName), 32);
  CHECK(writer.checkpoint(1) == Outcome::kCursorDamaged);
  CHECK(writer.first_lsn() == 1);
  CHECK(open_cursor(system).outcome == Outcome::kCursorDamaged);
  CHECK(writer.checkpoint(1, UINT64_MAX, true) == Outcome::kOk);
  CHECK(writer.first_lsn() == 2);
  CHECK(open_cursor(system, true).outcome == Outcome::kOk);
  REQUIRE(writer.append(nullptr, 0, &lsn) == Outcome::kOk);
  CHECK(writer.checkpoint(2) == Outcome::kOk);
}

// The name of the directory of the cursors may be one of them.
TEST_CASE("a cursor that is made syncs the names in the log's directory") {
  SimulatedFileSystem system;
  const OpenedWal opened = open_wal(system, wal_options());
  const std::string path = platform::path_in(kWalDirectory, "name");
  std::unique_ptr<platform::File> file;
  REQUIRE(system.open(path, platform::OpenMode::kCreateNew, &file).ok());
  std::vector<uint32_t> nothing(system.dirty_states().size(), 0);
  REQUIRE(!system.crash(nothing)->exists(path));
  uint64_t lsn = 0;
  REQUIRE(opened.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  REQUIRE(opened.writer->sync() == Outcome::kOk);
  REQUIRE(open_cursor(system).outcome == Outcome::kOk);
  nothing.resize(system.dirty_states().size());
  CHECK(system.crash(nothing)->exists(path));
}

TEST_CASE("a cursor that was taken back holds what replaced its entries") {
  SimulatedFileSystem system;
  const OpenedWal opened = open_wal(system, wal_options());
  durable::WalWriter& writer = *opened.writer;
  uint64_t lsn = 0;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(writer.append(nullptr, 0, &lsn) == Outcome::kOk);
  }
  REQUIRE(writer.sync() == Outcome::kOk);
  OpenedCursor cursor = open_cursor(system);
  REQUIRE(cursor.outcome == Outcome::kOk);
  Failure failure;
  REQUIRE(cursor.cursor->commit(
              {8, writer.files().back().epoch, writer.files().back().branch},
              10, 1, &failure) == Outcome::kTruncated);
  cursor.cursor.reset();
  // Of the records: OPEN began another epoch than the header's.
  WalCursorState state = {writer.log_id(), 8, writer.epoch(), 0};
  std::unique_ptr<platform::Directory> names;
  REQUIRE(
      system.open_directory(durable::wal_cursors_path(kWalDirectory), &names)
          .ok());
  REQUIRE(write_wal_cursor(system, kWalDirectory, *names, kName, state).ok());
  REQUIRE(writer.truncate_after(4) == Outcome::kOk);
  for (int i = 0; i < 10; ++i) {
    REQUIRE(writer.append(nullptr, 0, &lsn) == Outcome::kOk);
  }
  REQUIRE(writer.checkpoint(14) == Outcome::kOk);
  CHECK(writer.first_lsn() == 4);
  CHECK(open_cursor(system).outcome == Outcome::kTruncated);
  REQUIRE(writer.checkpoint(14, UINT64_MAX, true) == Outcome::kOk);
  CHECK(writer.first_lsn() == 15);
  cursor = open_cursor(system);
  CHECK(cursor.outcome == Outcome::kCheckpointed);
  CHECK(cursor.failure.offset == 9);
  CHECK(cursor.failure.value == 15);
  cursor = open_cursor(system, true);
  REQUIRE(cursor.outcome == Outcome::kOk);
  CHECK(cursor.cursor->state().lsn == 14);
}

// An opening that finishes the truncation begins another epoch where the
// entries were taken back, as the truncation would have.
TEST_CASE(
    "a truncation that is killed: a cursor holds what replaced its entries") {
  bool has_truncated = false;
  for (uint64_t at = 0; at < 60; ++at) {
    SimulatedFileSystem system;
    OpenedWal opened = open_wal(system, wal_options());
    uint64_t lsn = 0;
    for (int i = 0; i < 10; ++i) {
      REQUIRE(opened.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
    }
    REQUIRE(opened.writer->sync() == Outcome::kOk);
    WalCursorState state = {opened.writer->log_id(), 10, opened.writer->epoch(),
                            0};
    {
      OpenedCursor cursor = open_cursor(system);
      REQUIRE(cursor.outcome == Outcome::kOk);
      std::unique_ptr<platform::Directory> names;
      REQUIRE(
          system
              .open_directory(durable::wal_cursors_path(kWalDirectory), &names)
              .ok());
      REQUIRE(
          write_wal_cursor(system, kWalDirectory, *names, kName, state).ok());
    }
    system.fail_at(at, Fault::kForEver);
    (void)opened.writer->truncate_after(4);
    const auto killed = system.kill();
    OpenedWal again = open_wal(*killed, wal_options());
    REQUIRE(again.writer != nullptr);
    if (again.writer->last_lsn() != 4) continue;
    has_truncated = true;
    INFO("killed at operation ", at);
    CHECK(again.writer->checkpoint(4) == Outcome::kOk);
    for (int i = 0; i < 20; ++i) {
      REQUIRE(again.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
    }
    CHECK(again.writer->checkpoint(lsn) == Outcome::kOk);
    CHECK(again.writer->first_lsn() == 4);
  }
  CHECK(has_truncated);
}

TEST_CASE(
    "a commit that a later one overtakes: refused all the same, or done") {
  SimulatedFileSystem system;
  const OpenedWal opened = open_wal(system, wal_options());
  durable::WalWriter& writer = *opened.writer;
  uint64_t lsn = 0;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(writer.append(nullptr, 0, &lsn) == Outcome::kOk);
  }
  REQUIRE(writer.sync() == Outcome::kOk);
  durable::WalReader reader(system, kWalDirectory);
  durable::WalChunk chunk;
  Failure failure;
  REQUIRE(reader
              .update(writer.log_id(), writer.files(),
                      writer.files().back().end_offset, writer.first_lsn(),
                      writer.last_lsn())
              .ok());
  REQUIRE(reader.read(20, 20, 1, &chunk, &failure) == Outcome::kOk);
  REQUIRE(!chunk.pasts.empty());
  const WalPast first = chunk.pasts.front();
  REQUIRE(writer.truncate_after(15) == Outcome::kOk);
  OpenedCursor cursor = open_cursor(system);
  REQUIRE(cursor.outcome == Outcome::kOk);
  const auto commit = [&](uint64_t at, uint64_t order) {
    return cursor.cursor->commit({at, first.epoch, first.branch},
                                 writer.durable_lsn(), order, &failure);
  };
  // One that was refused overtakes nothing.
  CHECK(commit(18, 2) == Outcome::kTruncated);
  CHECK(commit(5, 1) == Outcome::kOk);
  CHECK(cursor.cursor->state().lsn == 5);
  CHECK(commit(10, 4) == Outcome::kOk);
  CHECK(commit(18, 3) == Outcome::kTruncated);
  CHECK(commit(7, 3) == Outcome::kOk);
  CHECK(cursor.cursor->state().lsn == 10);
  REQUIRE(writer.checkpoint(15) == Outcome::kOk);
  CHECK(commit(7, 3) == Outcome::kOk);
  CHECK(commit(7, 5) == Outcome::kCheckpointed);
  CHECK(cursor.cursor->state().lsn == 10);
}

TEST_CASE("who holds the lock of the cursors for long ends no one") {
  SimulatedFileSystem system;
  const OpenedWal opened = open_wal(system, wal_options());
  durable::WalWriter& writer = *opened.writer;
  uint64_t lsn = 0;
  REQUIRE(writer.append(nullptr, 0, &lsn) == Outcome::kOk);
  REQUIRE(writer.sync() == Outcome::kOk);
  std::unique_ptr<durable::WalFileLock> lock;
  REQUIRE(durable::lock_wal_cursors(system, kWalDirectory, 0, &lock).ok());
  CHECK(writer.checkpoint(1) == Outcome::kCursorsLocked);
  CHECK(open_cursor(system).outcome == Outcome::kCursorsLocked);
  CHECK(writer.checkpoint(1, UINT64_MAX, true) == Outcome::kOk);
  lock.reset();
  CHECK(open_cursor(system).outcome == Outcome::kOk);
  REQUIRE(writer.append(nullptr, 0, &lsn) == Outcome::kOk);
  CHECK(writer.checkpoint(1) == Outcome::kOk);
}

TEST_CASE("only the holder of the log's lock makes a place for cursors") {
  SimulatedFileSystem system;
  durable::WalOptions options = wal_options();
  options.makes_cursors = false;
  OpenedWal opened = open_wal(system, options);
  uint64_t lsn = 0;
  REQUIRE(opened.writer->append(nullptr, 0, &lsn) == Outcome::kOk);
  REQUIRE(opened.writer->sync() == Outcome::kOk);
  CHECK(open_cursor(system).outcome == Outcome::kCursorsLocked);
  REQUIRE(opened.writer->make_cursors() == Outcome::kOk);
  CHECK(open_cursor(system).outcome == Outcome::kOk);
  opened.writer.reset();
  SimulatedFileSystem other;
  opened = open_wal(other, options);
  opened.writer.reset();
  CHECK(open_cursor(other).outcome == Outcome::kOk);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
