#include "core/memory/storage.h"

#include "core/base/faults.h"

namespace atomic_log::memory {

// Apart from the header: tests compile every user of faults.h a second time.
void* SharedStorage::take(uint32_t id) {
  const uint64_t end = (uint64_t{id} + 1) * stride_;
  if (end > bytes_max_ || memory_is_refused()) {
    refusal_ = Status::kOutOfMemory;
    return nullptr;
  }
  refusal_ = Status::kUncommitted;
  return end > committed_ ? nullptr : base_ + id * stride_;
}

}  // namespace atomic_log::memory
