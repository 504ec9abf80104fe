// The C interface of include/atomic_log/abi.h, implemented on the memory log.
// Any thread may call anything here.
#ifndef ATOMIC_LOG_CORE_ABI_API_H_
#define ATOMIC_LOG_CORE_ABI_API_H_

#include "core/memory/registry.h"
#include "include/atomic_log/abi.h"

namespace atomic_log::abi {

// The one table; it lives as long as this library, which is pinned.
const atomic_log_api& table();

// What native code attaches with. It keeps the log no more alive than the
// handle for JavaScript does.
atomic_log_handle make_handle(const memory::LogHandle& handle);

}  // namespace atomic_log::abi

#endif  // ATOMIC_LOG_CORE_ABI_API_H_
