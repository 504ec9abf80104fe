#include "abi/clients.h"
#include "atomic_log/atomic_log.h"

static_assert(__cplusplus < 202000L, "this file must be compiled as C++17");

using atomic_log::native::Log;
using atomic_log::native::Snapshot;
using atomic_log::native::Status;
using atomic_log::native::Writer;

atomic_log_status cxx17_produce(const atomic_log_handle* handle,
                                uint32_t count) {
  Log log;
  Writer<double> writer;
  Status status = Log::attach(handle, &log);
  if (status == Status::kOk) status = writer.claim(log);
  for (uint32_t i = 0; i < count && status == Status::kOk; ++i) {
    status = writer.append(static_cast<double>(writer.next_index()));
  }
  if (status == Status::kOk) status = writer.end();
  return static_cast<atomic_log_status>(status);
}

atomic_log_status cxx17_sum(const atomic_log_handle* handle, double* sum) {
  Log log;
  Snapshot snapshot;
  Status status = Log::attach(handle, &log);
  if (status == Status::kOk) status = log.wait(uint64_t{1} << 52);
  if (status == Status::kEnded) status = snapshot.open(log);
  *sum = 0;
  for (const auto& chunk : snapshot) {
    for (const double value : chunk.column<double>()) *sum += value;
  }
  return static_cast<atomic_log_status>(status);
}
