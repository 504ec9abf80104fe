// Every operation of the file system that the log does, with every error that
// the system may give: what becomes of the call that meets it. FAULT_MATRIX
// names a file that the table is written to, as JSON.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using platform::IoCode;
using Fault = SimulatedFileSystem::Fault;

// Of core/platform/io_status.h, but for kNoThread: no file has to do with it.
constexpr IoCode kCodes[] = {IoCode::kNotFound,    IoCode::kExists,
                             IoCode::kDenied,      IoCode::kNotAFile,
                             IoCode::kNoSpace,     IoCode::kLocked,
                             IoCode::kFailed,      IoCode::kNoDescriptor,
                             IoCode::kUnsupported, IoCode::kNoMemory};

enum class Result {
  // The call did what it was asked for all the same.
  kDone,
  // It failed, and did nothing: the same call works once the disk does.
  kRefused,
  // Opening failed: nothing is open, and a later opening works.
  kNotOpened,
  // It failed, and so does everything until the log is opened again.
  kPoisoned,
};

const char* name_of(Result result) {
  switch (result) {
    case Result::kDone:
      return "done";
    case Result::kRefused:
      return "refused";
    case Result::kNotOpened:
      return "not opened";
    default:
      return "poisoned";
  }
}

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

struct Key {
  std::string operation;
  std::string call;
  IoCode code;
  Result result;
  bool operator<(const Key& other) const {
    return std::tie(operation, call, code, result) <
           std::tie(other.operation, other.call, other.code, other.result);
  }
};

class Matrix {
 public:
  void add(const Key& key) { ++cases_[key]; }
  void add_disk() { ++disks_; }
  const std::map<Key, uint64_t>& cases() const { return cases_; }

  void write(const char* path) const {
    std::FILE* const file = std::fopen(path, "w");
    REQUIRE(file != nullptr);
    std::fprintf(file, "{\"disks\":%llu,\"cases\":[",
                 static_cast<unsigned long long>(disks_));
    const char* separator = "\n";
    for (const auto& [key, count] : cases_) {
      std::fprintf(file,
                   "%s{\"operation\":\"%s\",\"call\":\"%s\",\"error\":%d,"
                   "\"result\":\"%s\",\"count\":%llu}",
                   separator, key.operation.c_str(), key.call.c_str(),
                   static_cast<int>(key.code), name_of(key.result),
                   static_cast<unsigned long long>(count));
      separator = ",\n";
    }
    std::fprintf(file, "\n]}\n");
    REQUIRE(std::fclose(file) == 0);
  }

 private:
  std::map<Key, uint64_t> cases_;
  uint64_t disks_ = 0;
};

// The disk works again: the log opens after a kill and after power failures, and
// has all that was acknowledged.
void check_what_is_left(WalScript& script, SimulatedFileSystem& system,
                        std::mt19937_64& random, Matrix* matrix) {
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
                    IoCode code, std::mt19937_64& random, Matrix* matrix) {
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
  Result result = Result::kDone;
  if (!is_up && script.writer() != nullptr) {
    result = Result::kRefused;
    while (done < operations.size()) REQUIRE(script.run(operations[done++]));
    REQUIRE(script.run('s'));
    REQUIRE(wal_contents(*system.kill()) == script.latest());
  } else if (!is_up) {
    result = is_opening ? Result::kNotOpened : Result::kPoisoned;
  }
  matrix->add({met, call, code, result});
  check_what_is_left(script, system, random, matrix);
  return true;
}

TEST_SUITE_BEGIN("wal faults");

TEST_CASE("every operation with every error: nothing acknowledged is lost") {
  std::mt19937_64 random(22);
  Matrix matrix;
  for (const char* const operations :
       {"", "wa", "wfbk", "xxaxxA", "xxxCwk", "waTwtk", "xxkxxCxik"}) {
    for (const IoCode code : kCodes) {
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
      CHECK(key.result != Result::kDone);
    }
  }
  CHECK(operations.size() > 12);
  if (const char* const path = std::getenv("FAULT_MATRIX")) matrix.write(path);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
