// Logs of numbers through the C++ wrapper: entry i holds i.
#ifndef ATOMIC_LOG_TEST_NATIVE_ABI_NATIVE_LOG_H_
#define ATOMIC_LOG_TEST_NATIVE_ABI_NATIVE_LOG_H_

#include <doctest/doctest.h>

#include <chrono>
#include <numeric>
#include <vector>

#include "atomic_log/atomic_log.h"
#include "support/handle_fixture.h"

namespace atomic_log::test {

inline constexpr auto kOk = native::Status::kOk;
inline constexpr std::chrono::milliseconds kSoon(5);

inline native::Log attach(const HandledLog& handled) {
  native::Log log;
  REQUIRE(native::Log::attach(&handled.handle, &log) == kOk);
  return log;
}

inline native::Writer<double> claim(const native::Log& log) {
  native::Writer<double> writer;
  REQUIRE(writer.claim(log) == kOk);
  return writer;
}

inline void append_indexes(native::Writer<double>& writer, int count) {
  for (int i = 0; i < count; ++i) {
    REQUIRE(writer.append(static_cast<double>(writer.next_index())) == kOk);
  }
}

inline std::vector<double> values_of(const native::Snapshot& snapshot) {
  std::vector<double> values;
  for (const auto& chunk : snapshot) {
    for (const double value : chunk.column<double>()) values.push_back(value);
  }
  return values;
}

inline std::vector<double> window_of(const native::Log& log) {
  native::Snapshot snapshot;
  REQUIRE(snapshot.open(log) == kOk);
  return values_of(snapshot);
}

inline std::vector<double> indexes(uint64_t begin, uint64_t end) {
  std::vector<double> values(end - begin);
  std::iota(values.begin(), values.end(), static_cast<double>(begin));
  return values;
}

inline double sum_of_indexes(uint64_t begin, uint64_t end) {
  const auto values = indexes(begin, end);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_ABI_NATIVE_LOG_H_
