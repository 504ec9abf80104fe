// A log as native code gets it: a handle, and the log that JavaScript would
// hold.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_HANDLE_FIXTURE_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_HANDLE_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "core/abi/api.h"
#include "core/memory/registry.h"
#include "support/log_fixture.h"

namespace atomic_log::test {

struct HandledLog {
  std::shared_ptr<memory::RollingLog> log;
  atomic_log_handle handle;
};

inline HandledLog make_handled_log(const memory::RollingLogOptions& options) {
  HandledLog result;
  if (memory::RollingLog::create(options, &result.log) != Status::kOk) {
    return result;
  }
  result.handle =
      abi::make_handle(memory::Registry::instance().add(result.log));
  return result;
}

// A log of f64.
inline HandledLog make_number_log(uint64_t retained_capacity,
                                  uint32_t segment_capacity) {
  auto options = log_options(retained_capacity, segment_capacity);
  options.element_bytes = {8};
  options.labels = {{ATOMIC_LOG_F64, ""}};
  return make_handled_log(options);
}

// The columns of support/columns.h: wide (u64) and narrow (u16).
inline HandledLog make_record_log(uint64_t retained_capacity,
                                  uint32_t segment_capacity) {
  auto options = log_options(retained_capacity, segment_capacity);
  options.labels = {{ATOMIC_LOG_U64, "wide"}, {ATOMIC_LOG_U16, "narrow"}};
  return make_handled_log(options);
}

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_HANDLE_FIXTURE_H_
