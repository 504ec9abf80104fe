// An array that grows, and whose growth the system may refuse: for everything
// whose size a user, a file or a directory decides. std::vector and std::deque
// throw when memory is refused, which ends a process that is built without
// exceptions.
//
//  1. What may be refused begins with try_, returns false then, and has changed
//     nothing; the caller returns platform::kNoMemory.
//  2. Nothing else takes memory. push_back() needs room that try_reserve() has
//     made.
//  3. Elements stay where they are until the next try_.
//
// What the core takes in other ways is small and bounded, whatever users ask
// for and files say: one object of a class, one path (kPathBytesMax and a name
// after it), the metadata of one log (kWalMetadataBytesMax, kFieldCountMax,
// kDescriptorBytesMax), a message. Where the system refuses even that, the
// process ends.
//
// One thread at a time.
#ifndef ATOMIC_LOG_CORE_BASE_LIST_H_
#define ATOMIC_LOG_CORE_BASE_LIST_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "core/base/check.h"
#include "core/base/faults.h"

namespace atomic_log {

template <typename T>
class List {
  static_assert(std::is_nothrow_move_constructible_v<T>);
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

 public:
  List() = default;
  List(List&& other) noexcept { swap(other); }
  List& operator=(List&& other) noexcept {
    List moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~List() {
    clear();
    ::operator delete(memory_);
  }

  T* data() { return memory_ + first_; }
  const T* data() const { return memory_ + first_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* begin() { return data(); }
  const T* begin() const { return data(); }
  T* end() { return data() + size_; }
  const T* end() const { return data() + size_; }
  T& operator[](size_t at) {
    CORE_CHECK(at < size_);
    return data()[at];
  }
  const T& operator[](size_t at) const {
    CORE_CHECK(at < size_);
    return data()[at];
  }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  // Room for `count` elements in all.
  [[nodiscard]] bool try_reserve(size_t count) {
    return count <= capacity_ - first_ || grow(count);
  }
  [[nodiscard]] bool try_push_back(T value) {
    if (!try_reserve(size_ + 1)) return false;
    push_back(std::move(value));
    return true;
  }
  // New elements are zero, or as T() makes them.
  [[nodiscard]] bool try_resize(size_t count) {
    if (count <= size_) {
      truncate(count);
      return true;
    }
    if (!try_reserve(count)) return false;
    std::uninitialized_value_construct(end(), data() + count);
    size_ = count;
    return true;
  }
  // New elements have any value, and must be written before they are read.
  [[nodiscard]] bool try_resize_for_overwrite(size_t count) {
    static_assert(std::is_trivial_v<T>);
    if (!try_reserve(count)) return false;
    size_ = count;
    return true;
  }
  // Adds copies of `count` elements, which are not its own.
  [[nodiscard]] bool try_append(const T* from, size_t count) {
    if (count > SIZE_MAX - size_ || !try_reserve(size_ + count)) return false;
    append(from, count);
    return true;
  }
  // Becomes a copy.
  [[nodiscard]] bool try_assign(const T* from, size_t count) {
    List copy;
    if (!copy.try_append(from, count)) return false;
    swap(copy);
    return true;
  }
  [[nodiscard]] bool try_assign(const List& other) {
    return try_assign(other.data(), other.size());
  }

  // There is room.
  void push_back(T value) {
    CORE_CHECK(size_ < capacity_ - first_);
    ::new (static_cast<void*>(end())) T(std::move(value));
    ++size_;
  }
  void append(const T* from, size_t count) {
    CORE_CHECK(count <= capacity_ - first_ - size_);
    // Null is the data of no elements.
    if (count > 0) std::uninitialized_copy_n(from, count, end());
    size_ += count;
  }

  void clear() {
    std::destroy(begin(), end());
    first_ = size_ = 0;
  }
  // Keeps the first `count`.
  void truncate(size_t count) {
    CORE_CHECK(count <= size_);
    std::destroy(data() + count, end());
    size_ = count;
  }
  void pop_back() {
    CORE_CHECK(size_ > 0);
    --size_;
    std::destroy_at(end());
  }
  // Takes constant time for each, however many there are after it.
  void drop_front(size_t count) {
    CORE_CHECK(count <= size_);
    std::destroy_n(begin(), count);
    first_ += count;
    size_ -= count;
    if (size_ == 0) first_ = 0;
  }
  // Removes the element at `at`; those after it move.
  void remove(size_t at) {
    std::move(begin() + at + 1, end(), begin() + at);
    pop_back();
  }

  bool operator==(const List& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

  void swap(List& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(capacity_, other.capacity_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }

 private:
  static constexpr size_t kCountMax = SIZE_MAX / 2 / sizeof(T);
  static constexpr size_t kCountMin = std::max<size_t>(1, 64 / sizeof(T));

  // Moves the elements to the beginning of memory with room for `count`.
  bool grow(size_t count) {
    // Half of it is free at the beginning: it is large enough for as many again
    // as have come since it was moved last.
    if (count <= capacity_ && first_ >= size_) {
      move_to(memory_);
      return true;
    }
    if (count > kCountMax) return false;
    const size_t capacity =
        std::max({count, std::min(2 * size_, kCountMax), kCountMin});
    if (memory_is_refused()) return false;
    auto* const memory =
        static_cast<T*>(::operator new(capacity * sizeof(T), std::nothrow));
    if (memory == nullptr) return false;
    move_to(memory);
    ::operator delete(std::exchange(memory_, memory));
    capacity_ = capacity;
    return true;
  }

  // Does not overlap with the elements, unless it begins below them and they
  // are trivial.
  void move_to(T* memory) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      if (size_ > 0) std::memmove(memory, data(), size_ * sizeof(T));
    } else {
      std::uninitialized_move(begin(), end(), memory);
      std::destroy(begin(), end());
    }
    first_ = 0;
  }

  T* memory_ = nullptr;
  size_t capacity_ = 0;
  // Dropped at the beginning.
  size_t first_ = 0;
  size_t size_ = 0;
};

using Buffer = List<uint8_t>;

}  // namespace atomic_log

#endif  // ATOMIC_LOG_CORE_BASE_LIST_H_
