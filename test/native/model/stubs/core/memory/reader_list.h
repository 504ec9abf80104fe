// Stands in for the statistics about readers, on which nothing in the log
// depends.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_MEMORY_READER_LIST_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_MEMORY_READER_LIST_H_

namespace atomic_log::memory {

class ReaderList {};

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_STUBS_CORE_MEMORY_READER_LIST_H_
