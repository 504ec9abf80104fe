// Every operation of the file system that a log does, with every error that the
// system may give: what becomes of the call that meets it, counted.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_FAULT_MATRIX_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_FAULT_MATRIX_H_

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <tuple>

#include "core/platform/io_status.h"

namespace atomic_log::test {

// Of core/platform/io_status.h, but for kNoThread: no file has to do with it.
constexpr platform::IoCode kFaultCodes[] = {
    platform::IoCode::kNotFound,    platform::IoCode::kExists,
    platform::IoCode::kDenied,      platform::IoCode::kNotAFile,
    platform::IoCode::kNoSpace,     platform::IoCode::kLocked,
    platform::IoCode::kFailed,      platform::IoCode::kNoDescriptor,
    platform::IoCode::kUnsupported, platform::IoCode::kNoMemory};

enum class FaultResult {
  // The call did what it was asked for all the same.
  kDone,
  // It failed, and did nothing: the same call works once the disk does.
  kRefused,
  // Opening failed: nothing is open, and a later opening works.
  kNotOpened,
  // It failed, and so does everything until the log is opened again.
  kPoisoned,
};

inline const char* name_of(FaultResult result) {
  switch (result) {
    case FaultResult::kDone:
      return "done";
    case FaultResult::kRefused:
      return "refused";
    case FaultResult::kNotOpened:
      return "not opened";
    default:
      return "poisoned";
  }
}

struct FaultCase {
  std::string operation;
  std::string call;
  platform::IoCode code;
  FaultResult result;
  bool operator<(const FaultCase& other) const {
    return std::tie(operation, call, code, result) <
           std::tie(other.operation, other.call, other.code, other.result);
  }
};

class FaultMatrix {
 public:
  void add(const FaultCase& key) { ++cases_[key]; }
  void add_disk() { ++disks_; }
  const std::map<FaultCase, uint64_t>& cases() const { return cases_; }

  // As JSON to the path that FAULT_MATRIX is, with `suffix` after it.
  void write_if_asked(const char* suffix) const {
    const char* const path = std::getenv("FAULT_MATRIX");
    if (path == nullptr) return;
    std::FILE* const file =
        std::fopen((std::string(path) + suffix).c_str(), "w");
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
  std::map<FaultCase, uint64_t> cases_;
  uint64_t disks_ = 0;
};

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_FAULT_MATRIX_H_
