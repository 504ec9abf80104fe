// What an operation of the core returns. The core throws nothing and knows no
// JavaScript; the binding turns these into errors with a code.
#ifndef ATOMIC_LOG_CORE_BASE_STATUS_H_
#define ATOMIC_LOG_CORE_BASE_STATUS_H_

#include <cstdint>

namespace atomic_log {

enum class [[nodiscard]] Status : uint8_t{
    kOk = 0,
    // The system refused memory for a block, a control block or a ring.
    kOutOfMemory = 1,
    // A count, capacity or index is outside what the operation allows.
    kOutOfRange = 2,
    // The log that a handle names is not alive any more.
    kGone = 3,
    // The handle names a log, but does not carry that log's token.
    kForeign = 4,
    // Readers pin more memory than the log's limit allows.
    kPinned = 5,
    // The log's storage must be committed further first.
    kUncommitted = 6,
    // The memory that processes share holds what none of them may have stored.
    kDamaged = 7,
};

}  // namespace atomic_log

#endif  // ATOMIC_LOG_CORE_BASE_STATUS_H_
