// Small programs that use the installed headers as a stranger would, each in
// the oldest language that the headers promise. Linked into the tests.
#ifndef ATOMIC_LOG_TEST_NATIVE_ABI_CLIENTS_H_
#define ATOMIC_LOG_TEST_NATIVE_ABI_CLIENTS_H_

#include "atomic_log/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

// C11: appends `count` entries to a log of f64 through the table, the values
// being their indexes, and ends the log.
atomic_log_status c11_produce(const atomic_log_handle* handle, uint32_t count);

// C11: adds up the f64 entries of the window, after waiting for the end.
atomic_log_status c11_sum(const atomic_log_handle* handle, double* sum);

// C++17, without exceptions and type information: the same with the wrapper.
atomic_log_status cxx17_produce(const atomic_log_handle* handle,
                                uint32_t count);
atomic_log_status cxx17_sum(const atomic_log_handle* handle, double* sum);

#ifdef __cplusplus
}
#endif

#endif  // ATOMIC_LOG_TEST_NATIVE_ABI_CLIENTS_H_
