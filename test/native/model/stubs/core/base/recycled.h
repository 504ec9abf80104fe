// Stands in for the store of kept storage: Relacy watches the heap for leaks,
// and for accesses after the end.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_BASE_RECYCLED_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_BASE_RECYCLED_H_

namespace atomic_log {

template <typename T>
class Recycled {};

}  // namespace atomic_log

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_BASE_RECYCLED_H_
