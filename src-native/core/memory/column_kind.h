// What a column of a log holds. The core only hands it on, to JavaScript and to
// native producers and consumers.
//
//  1. The numbers of the fixed sizes are those of include/atomic_log/abi.h
//     (abi/api.cc asserts it), and never change.
//  2. kUtf8 and kBytes are not in abi.h, because native code reads no values of
//     variable size; it reserves their numbers.
//  3. A new kind gets the next free number, whatever it is: nothing may depend
//     on the order.
#ifndef ATOMIC_LOG_CORE_MEMORY_COLUMN_KIND_H_
#define ATOMIC_LOG_CORE_MEMORY_COLUMN_KIND_H_

#include <cstdint>

namespace atomic_log::memory {

enum class ColumnKind : uint32_t {
  kF64 = 0,
  kF32 = 1,
  kI8 = 2,
  kU8 = 3,
  kI16 = 4,
  kU16 = 5,
  kI32 = 6,
  kU32 = 7,
  kI64 = 8,
  kU64 = 9,
  kUtf8 = 10,
  kBytes = 11
};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_COLUMN_KIND_H_
