// Power failures, kills and failing syncs at every operation of the disk, in
// scripts of operations on small logs. docs/durability.md says what must
// hold: G1 to G4, G6 to G9.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using Fault = SimulatedFileSystem::Fault;

// As many states of one crash are tried; all of them when there are no more.
constexpr uint64_t kStatesMax = 4096;
constexpr uint64_t kStatesSampled = 96;

uint64_t g_states = 0;

uint64_t asked(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// How many more scripts, and states of each crash.
uint64_t effort() { return asked("WAL_CRASH_EFFORT", 1); }

// Other scripts and other states; crash-long.mjs counts it up.
uint64_t seed_offset() { return asked("CRASH_SEED", 0); }

// Calls each(choices) for all the disks that a crash may leave, or for some.
template <typename Each>
void for_each_crash(const SimulatedFileSystem& system, std::mt19937_64& random,
                    uint64_t sampled, Each each) {
  const std::vector<uint32_t> states = system.dirty_states();
  uint64_t product = 1;
  for (const uint32_t count : states) {
    product = product > kStatesMax ? product : product * count;
  }
  std::vector<uint32_t> choices(states.size(), 0);
  if (product <= kStatesMax && product <= sampled * 42) {
    // Each of them more than once, because the callers choose at random too.
    for (uint64_t n = 0; n < std::max(product, sampled); ++n) {
      uint64_t rest = n % product;
      for (size_t i = 0; i < states.size(); ++i) {
        choices[i] = static_cast<uint32_t>(rest % states[i]);
        rest /= states[i];
      }
      each(choices);
    }
    return;
  }
  for (uint64_t n = 0; n < sampled; ++n) {
    for (size_t i = 0; i < states.size(); ++i) {
      choices[i] = static_cast<uint32_t>(random() % states[i]);
    }
    each(choices);
  }
}

std::string dump(const SimulatedFileSystem& system) {
  std::string text;
  for (const std::string& path : system.paths()) {
    text +=
        " " + path + "(" + std::to_string(system.contents(path).size()) + ")";
  }
  return text;
}

// Runs until the power goes at operation `at`; false when it never went.
bool run_until(SimulatedFileSystem& system, WalScript& script,
               const std::string& operations, uint64_t at,
               uint64_t space_seed) {
  system.fail_at(at, Fault::kPowerOff);
  bool is_up = script.open(system);
  if (is_up && space_seed != 0) {
    system.set_space_random(space_seed);
    script.allow_lack_of_space();
  }
  for (size_t i = 0; is_up && i < operations.size(); ++i) {
    is_up = script.run(operations[i]);
  }
  script.drop();
  return !system.has_power();
}

// What a reader of the intact tail sees while no writer has the log.
WalSight see_tail(const SimulatedFileSystem& system) {
  // Its reads are not the log's own operations.
  WalSight seen = see_wal(*system.kill(), durable::WalTailMode::kIntact);
  REQUIRE(seen.outcome == durable::Outcome::kOk);
  REQUIRE(seen.proved_lsn < seen.contents.next_lsn);
  return seen;
}

// What was proved is there, unless it was dropped.
bool keeps_proved(const WalSight& seen, const WalContents& left) {
  for (const auto& [lsn, data] : seen.contents.entries) {
    if (lsn > seen.proved_lsn || lsn < left.first_lsn) continue;
    const auto found = left.entries.find(lsn);
    if (found == left.entries.end() || found->second != data) return false;
  }
  return true;
}

// Opening keeps what a reader of the intact tail sees, no more and no less.
bool keeps_all(const WalSight& seen, const WalContents& left) {
  // A log that is not there yet has no first LSN.
  if (seen.contents.next_lsn == 1 && seen.contents.entries.empty()) {
    return left.entries.empty();
  }
  return seen.contents == left;
}

// Crashes the script at every operation, opens each disk that may be left, and
// crashes that opening too. With a space_seed there is no room now and then.
void crash_everywhere(const std::string& operations, uint64_t seed,
                      uint64_t sampled, uint64_t space_seed = 0) {
  std::mt19937_64 random(seed);
  for (uint64_t at = 0;; ++at) {
    SimulatedFileSystem system;
    WalScript before;
    const bool was_cut = run_until(system, before, operations, at, space_seed);
    INFO("script ", operations, ", cut at ", at);
    REQUIRE(before.wrong() == "");
    const WalSight alive = see_tail(system);
    for_each_crash(system, random, sampled, [&](const auto& choices) {
      ++g_states;
      auto disk = system.crash(choices);
      WalScript script = WalScript::copy_of(before);
      WalSight seen = see_tail(*disk);
      // Across this crash, and those that come.
      const auto check_seen = [&](const SimulatedFileSystem& opened) {
        const WalContents left = wal_contents(*opened.kill());
        REQUIRE(keeps_proved(alive, left));
        REQUIRE(keeps_proved(seen, left));
      };
      const bool crashes_again = random() % 4 == 0;
      if (crashes_again) {
        disk->fail_at(random() % 40, Fault::kPowerOff);
        std::string wrong = script.check_restart(*disk);
        INFO("script ", operations, ", cut at ", at, ", second crash");
        REQUIRE(wrong == "");
        script.drop();
        std::vector<uint32_t> second;
        for (const uint32_t count : disk->dirty_states()) {
          second.push_back(static_cast<uint32_t>(random() % count));
        }
        const WalSight cut = see_tail(*disk);
        disk = disk->crash(second);
        seen = see_tail(*disk);
        REQUIRE(keeps_proved(cut, seen.contents));
      }
      if (random() % 3 == 0) {
        // A sync fails while it is being opened, and the process tries again;
        // later the power goes.
        disk->count_only(random() % 2 == 0 ? "sync_all" : "sync_data");
        disk->fail_at(random() % 3, Fault::kOnce);
        INFO("script ", operations, ", cut at ", at, ", failing sync");
        const std::string failed = script.check_restart(*disk, true);
        REQUIRE(failed == "");
        script.drop();
        disk = disk->kill();
        if (random() % 2 == 0) {
          std::vector<uint32_t> second;
          for (const uint32_t count : disk->dirty_states()) {
            second.push_back(static_cast<uint32_t>(random() % count));
          }
          disk = disk->crash(second);
        }
      }
      const WalSight last = see_tail(*disk);
      const std::string wrong = script.check_restart(*disk);
      INFO("script ", operations, ", cut at ", at, ":", dump(*disk));
      REQUIRE(wrong == "");
      REQUIRE(keeps_all(last, script.latest()));
      check_seen(*disk);
      // G6, G8: what was reported is durable, and stays.
      script.drop();
      const std::vector<uint32_t> nothing(disk->dirty_states().size(), 0);
      const auto again = disk->crash(nothing);
      if (!script.quarantine_path().empty()) {
        REQUIRE(again->contents(script.quarantine_path()) ==
                script.quarantined());
      }
      const std::string lost = script.check_restart(*again);
      REQUIRE(lost == "");
      if (random() % 8 == 0) {
        REQUIRE(script.run('A'));
        REQUIRE(script.run('w'));
        script.drop();
        const std::vector<uint32_t> none(again->dirty_states().size(), 0);
        const std::string later = script.check_restart(*again->crash(none));
        REQUIRE(later == "");
      }
    });
    const auto stopped = system.kill();
    const std::string killed = before.check_restart(*stopped);
    INFO("script ", operations, ", killed at ", at);
    REQUIRE(killed == "");
    REQUIRE(keeps_all(alive, before.latest()));
    if (!was_cut) break;
  }
}

// Fails the sync number `at`, then kills or crashes; false when there was none.
bool fail_sync(const std::string& operations, const char* name, uint64_t at,
               std::mt19937_64& random, uint64_t sampled) {
  SimulatedFileSystem system;
  WalScript before;
  system.count_only(name);
  system.fail_at(at, Fault::kOnce);
  bool is_up = before.open(system);
  for (size_t i = 0; is_up && i < operations.size(); ++i) {
    is_up = before.run(operations[i]);
  }
  before.drop();
  const bool has_failed = system.operations() > at;
  INFO("script ", operations, ", ", name, " fails at ", at);
  {
    // The process opens the log again and goes on, and later the power goes.
    auto alive = system.kill();
    WalScript script = WalScript::copy_of(before);
    const WalSight seen = see_tail(*alive);
    const std::string wrong = script.check_restart(*alive);
    REQUIRE(wrong == "");
    REQUIRE(keeps_all(seen, script.latest()));
    REQUIRE(script.run('a'));
    script.drop();
    for_each_crash(*alive, random, 8, [&](const auto& choices) {
      ++g_states;
      WalScript later = WalScript::copy_of(script);
      const std::string lost = later.check_restart(*alive->crash(choices));
      REQUIRE(lost == "");
    });
  }
  // The same with a crash at every step of opening again.
  for (uint64_t step = 0;; ++step) {
    auto cut = system.kill();
    cut->fail_at(step, Fault::kPowerOff);
    WalScript half = WalScript::copy_of(before);
    const std::string none = half.check_restart(*cut);
    INFO("opening again is cut at ", step);
    REQUIRE(none == "");
    half.drop();
    for_each_crash(*cut, random, 8, [&](const auto& choices) {
      ++g_states;
      WalScript later = WalScript::copy_of(half);
      const std::string lost = later.check_restart(*cut->crash(choices));
      REQUIRE(lost == "");
    });
    if (cut->has_power()) break;
  }
  for_each_crash(system, random, sampled, [&](const auto& choices) {
    ++g_states;
    WalScript script = WalScript::copy_of(before);
    const std::string wrong = script.check_restart(*system.crash(choices));
    REQUIRE(wrong == "");
  });
  return has_failed;
}

TEST_SUITE_BEGIN("wal crashes");

TEST_CASE("the shortest scripts that break each rule, crashed everywhere") {
  uint64_t seed = 1;
  for (const char* const operations :
       {"",      "a",     "w",      "x",      "wb",     "ww",     "wwf",
        "fwfx",  "wbxs",  "wa",     "wfa",    "bbc",    "bxc",    "wbc",
        "wt",    "at",    "wk",     "wwkw",   "wxxa",   "BxTw",   "aaiw",
        "xxkkk", "AtwTx", "bCwfbc", "wwaiwf", "wwaiwf", "wwaiwf", "aaaiwfwf"}) {
    crash_everywhere(operations, ++seed, kStatesSampled * effort());
  }
}

TEST_CASE("scripts at random, crashed everywhere") {
  std::mt19937_64 random(20250101 + seed_offset());
  const std::string letters = "wwxxbaABsfcCtTik";
  for (uint64_t n = 0; n < 160 * effort(); ++n) {
    std::string operations;
    const uint64_t length = 3 + random() % 7;
    for (uint64_t i = 0; i < length; ++i) {
      operations += letters[random() % letters.size()];
    }
    crash_everywhere(operations, random(), 12 * effort());
  }
}

// Opening never fails for want of space, nor does what frees files.
TEST_CASE("a full disk: the shortest scripts, crashed everywhere") {
  uint64_t seed = 1000;
  for (const char* const operations :
       {"akF",         "Fx",         "Fkc",
        "aFC",         "kFc",        "kca",
        "aka",         "AAFkkC",     "AAwFkkCUa",
        "AAwwFcCC",    "AABFkwUw",   "wwFwUw",
        "FwPw",        "AAFaUawt",   "AAFtCUt",
        "AFxkkCUxA",   "xxFxCxUx",   "AAaaFkcwkcwkUa",
        "AAaFCFaCUaC", "AAAAFkkc",   "AAAAFKekcUa",
        "AkCFxCxUx",   "AAkCFACAkUA"}) {
    crash_everywhere(operations, ++seed, 24 * effort());
  }
}

TEST_CASE("a full disk: scripts at random, crashed everywhere") {
  std::mt19937_64 random(20260101 + seed_offset());
  const std::string letters = "wwxxbzaABsfcCetTikFFUkK";
  for (uint64_t n = 0; n < 120 * effort(); ++n) {
    std::string operations;
    const uint64_t length = 3 + random() % 10;
    for (uint64_t i = 0; i < length; ++i) {
      operations += letters[random() % letters.size()];
    }
    const uint64_t seed = random();
    crash_everywhere(operations, seed, 6 * effort(), n % 2 == 0 ? 0 : seed);
  }
}

TEST_CASE("every sync fails once, then the process or the machine goes") {
  std::mt19937_64 random(7 + seed_offset());
  for (const char* const operations :
       {"", "a", "wa", "wwfa", "bbc", "at", "wk", "xxaxa", "wfwfsaTkw", "xxxc",
        "axxxCw"}) {
    for (const char* const name :
         {"sync_data", "sync_all", "sync_directory", "write"}) {
      for (uint64_t at = 0;
           fail_sync(operations, name, at, random, 16 * effort()); ++at) {
      }
    }
  }
}

// Damage to what is provably durable is loud or harmless, never a silent loss.
TEST_CASE("every single bit of a small log is flipped") {
  std::mt19937_64 random(3);
  for (const char* const operations :
       {"wwsAi", "wwsAk", "awxxbaCbk", "BaTwk"}) {
    SimulatedFileSystem system;
    WalScript script;
    REQUIRE(script.open(system));
    for (const char* at = operations; *at != 0; ++at) REQUIRE(script.run(*at));
    script.drop();
    for (const std::string& path : system.paths()) {
      if (!path.ends_with(".log")) continue;
      const Bytes good = system.contents(path);
      for (size_t bit = 0; bit < good.size() * 8; ++bit) {
        // The header's padding is all alike.
        if (bit > 160 * 8 && bit < 4092 * 8 && bit % 97 != 0) continue;
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
        const auto disk = system.kill();
        disk->put(path, std::move(bad));
        auto options = small_wal();
        options.verifies = true;
        const auto killed = disk->kill();
        const OpenedWal opened = open_wal(*disk, options);
        INFO("script ", operations, ", ", path, " bit ", bit);
        if (opened.outcome != durable::Outcome::kOk) {
          CHECK(disk->contents(path) == killed->contents(path));
          continue;
        }
        CHECK(wal_contents(*disk) == script.latest());
      }
      // Whole sectors that were lost or filled with nonsense; but the last one,
      // whose proof would be lost with it.
      size_t end = good.size();
      while (good[end - 1] == 0) --end;
      for (size_t sector = 0; sector < (end - 1) / 512; ++sector) {
        for (const int fill : {0, 0xA5}) {
          Bytes bad = good;
          std::fill_n(bad.begin() + static_cast<ptrdiff_t>(sector * 512), 512,
                      static_cast<uint8_t>(fill));
          const auto disk = system.kill();
          disk->put(path, std::move(bad));
          auto options = small_wal();
          options.verifies = true;
          const OpenedWal opened = open_wal(*disk, options);
          INFO("script ", operations, ", ", path, " sector ", sector);
          if (opened.outcome != durable::Outcome::kOk) continue;
          CHECK(wal_contents(*disk) == script.latest());
        }
      }
    }
  }
}

TEST_CASE("so many states were tried") {
  MESSAGE("crash states: ", g_states);
  CHECK(g_states > 100'000);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
