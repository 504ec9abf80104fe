// Every operation of the file system that the log does, with every error that
// the system may give: what becomes of the call that meets it. FAULT_MATRIX
// is a path: the table is written to what it is with ".wal", as JSON.
#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/fault_matrix.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using platform::IoCode;
using Fault = SimulatedFileSystem::Fault;

// The call of the log that a letter of a script is.
const char* call_of(char letter) {
  switch (letter) {
    case 'c':
    case 'C':
      return "checkpoint";
    case 't':
    case 'T':
      return "truncateAfter";
    case 'a':
    case 'A':
    case 'B':
    case 's':
    case 'i':
      return "append and sync";
    case 'f':
      return "flush";
    case 'k':
      return "close and open";
    case 'o':
      return "open";
    default:
      return "append";
  }
}

// The disk works again: the log opens after a kill and after power failures, and
// has all that was acknowledged.
void check_what_is_left(WalScript& script, SimulatedFileSystem& system,
                        std::mt19937_64& random, FaultMatrix* matrix) {
  script.drop();
  for (int sample = 0; sample < 3; ++sample) {
    std::vector<uint32_t> choices;
    for (const uint32_t states : system.dirty_states()) {
      choices.push_back(sample == 0 ? 0
                                    : static_cast<uint32_t>(random() % states));
    }
    WalScript after = WalScript::copy_of(script);
    REQUIRE(after.check_restart(*system.crash(choices)) == "");
    matrix->add_disk();
  }
  REQUIRE(script.check_restart(system) == "");
  REQUIRE(script.run('A'));
  matrix->add_disk();
}

// Lets the operation `at` fail; false when there are not so many.
bool fail_operation(const std::string& operations, uint64_t at, Fault fault,
                    IoCode code, std::mt19937_64& random, FaultMatrix* matrix) {
  SimulatedFileSystem system;
  std::string met;
  uint64_t number = 0;
  system.on_operation = [&](const char* name) {
    if (number++ == at) met = name;
  };
  system.fail_at(at, fault, code);
  WalScript script;
  INFO("script ", operations, ", operation ", at, ", code ",
       static_cast<int>(code), fault == Fault::kOnce ? ", once" : ", forever");
  bool is_up = script.open(system);
  std::string call = met.empty() ? "" : "open";
  size_t done = 0;
  const bool is_over = !met.empty() && fault == Fault::kForEver;
  while (is_up && !is_over && done < operations.size()) {
    is_up = script.run(operations[done]);
    const bool is_first = call.empty() && !met.empty();
    if (is_first) call = call_of(operations[done]);
    if (is_up) ++done;
    // The calls after it meet errors of their own.
    if (is_first && fault == Fault::kForEver) break;
  }
  system.on_operation = nullptr;
  system.fail_at(UINT64_MAX, Fault::kNone);
  if (met.empty()) return false;
  const bool is_opening = call == "open" || call == "close and open";
  FaultResult result = FaultResult::kDone;
  if (!is_up && script.writer() != nullptr) {
    result = FaultResult::kRefused;
    while (done < operations.size()) REQUIRE(script.run(operations[done++]));
    REQUIRE(script.run('s'));
    REQUIRE(wal_contents(*system.kill()) == script.latest());
  } else if (!is_up) {
    result = is_opening ? FaultResult::kNotOpened : FaultResult::kPoisoned;
  }
  matrix->add({met, call, code, result});
  check_what_is_left(script, system, random, matrix);
  return true;
}

TEST_SUITE_BEGIN("wal faults");

TEST_CASE("every operation with every error: nothing acknowledged is lost") {
  std::mt19937_64 random(22);
  FaultMatrix matrix;
  for (const char* const operations :
       {"", "wa", "wfbk", "xxaxxA", "xxxCwk", "waTwtk", "xxkxxCxik"}) {
    for (const IoCode code : kFaultCodes) {
      for (const Fault fault : {Fault::kOnce, Fault::kForEver}) {
        for (uint64_t at = 0;
             fail_operation(operations, at, fault, code, random, &matrix);
             ++at) {
        }
      }
    }
  }
  std::set<std::string> operations;
  for (const auto& [key, count] : matrix.cases()) {
    operations.insert(key.operation);
    INFO(key.operation, " in ", key.call, ", code ", static_cast<int>(key.code),
         ": ", name_of(key.result));
    // A write or sync that failed may have lost what was written before.
    const bool is_of_data =
        key.operation == "write" || key.operation == "sync_data";
    if (is_of_data && key.call == "append and sync") {
      CHECK(key.result != FaultResult::kDone);
    }
  }
  CHECK(operations.size() > 12);
  matrix.write_if_asked(".wal");
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
