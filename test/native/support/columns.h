// What the tests put into a segment, and how they recognise it again.
//
// Every value is a pure function of the entry's absolute index, so that a
// reader on any thread can tell a right value from a stale, torn or unpublished
// one without asking the writer.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_COLUMNS_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_COLUMNS_H_

#include <cstdint>
#include <vector>

#include "core/memory/block_layout.h"
#include "core/memory/segment.h"

namespace atomic_log::test {

// The finalizer of splitmix64: neighbours differ in about half their bits.
inline uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

inline uint64_t wide_value(uint64_t index) { return mix(index); }
inline uint16_t narrow_value(uint64_t index) {
  return static_cast<uint16_t>(mix(~index) >> 48);
}

// The two columns every test log has: uint64 and uint16.
inline std::vector<uint32_t> column_element_bytes() { return {8, 2}; }

// A segment's columns as the plain arrays that JavaScript would map.
class Columns {
 public:
  Columns(const memory::BlockLayout& layout,
          const memory::SegmentControl& segment)
      : wide_(at<uint64_t>(segment.block(), layout.column_offsets()[0])),
        narrow_(at<uint16_t>(segment.block(), layout.column_offsets()[1])) {}

  void store(uint32_t slot, uint64_t index) {
    wide_[slot] = wide_value(index);
    narrow_[slot] = narrow_value(index);
  }

  // What no index has at this place: for entries that are never published.
  void poison(uint32_t slot, uint64_t index) {
    wide_[slot] = ~wide_value(index);
    narrow_[slot] = static_cast<uint16_t>(~narrow_value(index));
  }

  bool holds(uint32_t slot, uint64_t index) const {
    return wide_[slot] == wide_value(index) &&
           narrow_[slot] == narrow_value(index);
  }

 private:
  template <typename T>
  static T* at(void* block, uint64_t offset) {
    return reinterpret_cast<T*>(static_cast<char*>(block) + offset);
  }

  uint64_t* wide_;
  uint16_t* narrow_;
};

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_COLUMNS_H_
