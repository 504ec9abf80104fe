// Every operation of the file system that a segment file needs, with every error
// that the system may give: what becomes of the call that meets it.
// FAULT_MATRIX is a path: the table is written to what it is with ".segment".
#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/fault_matrix.h"
#include "support/segment_script.h"

namespace atomic_log::test {
namespace {

using durable::Outcome;
using platform::IoCode;
using Fault = SimulatedFileSystem::Fault;

// The call that a letter of a script is.
const char* call_of(char letter) {
  switch (letter) {
    case 's':
      return "sync";
    case 't':
    case 'T':
      return "setLength";
    case 'h':
    case 'H':
      return "replaceHeader";
    case 'o':
      return "close and open";
    default:
      return "append and flush";
  }
}

// The disk works again: the file opens after a kill and after power failures,
// and has all that was synced.
void check_what_is_left(const SimulatedFileSystem& system,
                        const Expectation& expectation, std::mt19937& random,
                        FaultMatrix* matrix) {
  for (int sample = 0; sample < 3; ++sample) {
    std::vector<uint32_t> choices;
    for (const uint32_t states : system.dirty_states()) {
      choices.push_back(sample == 0 ? 0
                                    : static_cast<uint32_t>(random() % states));
    }
    REQUIRE(check_disk(*system.crash(choices), expectation, random) == "");
    matrix->add_disk();
  }
  REQUIRE(check_disk(*system.kill(), expectation, random) == "");
  matrix->add_disk();
}

// Lets the operation `at` fail; false when there are not so many.
bool fail_operation(const std::string& steps, uint64_t at, Fault fault,
                    IoCode code, std::mt19937& random, FaultMatrix* matrix) {
  SimulatedFileSystem system;
  std::string met;
  uint64_t number = 0;
  system.on_operation = [&](const char* name) {
    if (number++ == at) met = name;
  };
  system.fail_at(at, fault, code);
  INFO("script ", steps, ", operation ", at, ", code ", static_cast<int>(code),
       fault == Fault::kOnce ? ", once" : ", forever");
  SegmentScript script(system);
  std::string call = "create";
  bool is_up = script.create();
  size_t done = 0;
  while (is_up && met.empty() && done < steps.size()) {
    call = call_of(steps[done]);
    is_up = script.perform(steps[done++]);
  }
  system.on_operation = nullptr;
  system.fail_at(UINT64_MAX, Fault::kNone);
  if (met.empty()) return false;
  FaultResult result = FaultResult::kDone;
  if (!is_up && script.writer() == nullptr) {
    result = FaultResult::kNotOpened;
  } else if (!is_up) {
    uint64_t flushed = 0;
    const Outcome outcome = script.writer()->sync(&flushed);
    result = outcome == Outcome::kPoisoned ? FaultResult::kPoisoned
                                           : FaultResult::kRefused;
    // It did nothing: the same call works now.
    if (result == FaultResult::kRefused) {
      INFO(met, " in ", call, ": ", static_cast<int>(outcome));
      REQUIRE(outcome == Outcome::kOk);
      script.take_back();
      REQUIRE(script.perform(steps[done - 1]));
      is_up = true;
    }
  }
  INFO(met, " in ", call, ": ", name_of(result));
  for (; is_up && done < steps.size(); ++done) {
    INFO("then ", done);
    REQUIRE(script.perform(steps[done]));
  }
  matrix->add({met, call, code, result});
  script.drop();
  check_what_is_left(system, script.expectation(), random, matrix);
  return true;
}

TEST_SUITE_BEGIN("segment faults");

TEST_CASE("every operation with every error: nothing synced is lost") {
  std::mt19937 random(23);
  FaultMatrix matrix;
  // In the last one, what a failed sync loses is in sectors that the change that
  // asked for it does not write again.
  for (const char* const steps : {"", "as", "aAsao", "aasats", "aashAso",
                                  "AbsTao", "asHbstao", "bahso", "AAAAts"}) {
    for (const IoCode code : kFaultCodes) {
      for (const Fault fault : {Fault::kOnce, Fault::kForEver}) {
        for (uint64_t at = 0;
             fail_operation(steps, at, fault, code, random, &matrix); ++at) {
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
    if (is_of_data && key.call == "sync") {
      CHECK(key.result == FaultResult::kPoisoned);
    }
  }
  CHECK(operations.size() > 8);
  matrix.write_if_asked(".segment");
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
