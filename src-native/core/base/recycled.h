// Storage for objects that are aligned to a cache line and come and go with
// every log. Any thread.
//
// glibc cuts an aligned block from a larger one, small allocations take the
// rest, and the next aligned block of that size does not fit there any more: a
// loop that makes and destroys logs would grow by 700 bytes with each of them.
// So the storage of a few is kept. With a sanitizer none is, because it would
// hide a use after the end.
#ifndef ATOMIC_LOG_CORE_BASE_RECYCLED_H_
#define ATOMIC_LOG_CORE_BASE_RECYCLED_H_

#include <cstddef>
#include <mutex>
#include <new>

namespace atomic_log {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr size_t kRecycledMax = 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr size_t kRecycledMax = 0;
#else
inline constexpr size_t kRecycledMax = 64;
#endif
#else
inline constexpr size_t kRecycledMax = 64;
#endif

// A base of T that has `new T` and `delete` use kept storage.
template <typename T>
class Recycled {
 public:
  static void* operator new(size_t bytes, std::align_val_t alignment,
                            const std::nothrow_t& nothrow) noexcept {
    void* const kept = store().take();
    return kept != nullptr ? kept : ::operator new(bytes, alignment, nothrow);
  }
  static void* operator new(size_t bytes, std::align_val_t alignment) {
    void* const kept = store().take();
    return kept != nullptr ? kept : ::operator new(bytes, alignment);
  }
  static void operator delete(void* object,
                              std::align_val_t alignment) noexcept {
    if (!store().keep(object)) ::operator delete(object, alignment);
  }
  static void operator delete(void* object, std::align_val_t alignment,
                              const std::nothrow_t&) noexcept {
    ::operator delete(object, alignment);
  }

 private:
  class Store {
   public:
    void* take() {
      const std::lock_guard<std::mutex> lock(mutex_);
      return count_ == 0 ? nullptr : kept_[--count_];
    }
    bool keep(void* object) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (count_ == kRecycledMax) return false;
      kept_[count_++] = object;
      return true;
    }

   private:
    std::mutex mutex_;
    size_t count_ = 0;
    void* kept_[kRecycledMax + 1] = {};
  };

  // Never destroyed: finalizers run late.
  static Store& store() {
    static Store* const store = new Store();
    return *store;
  }
};

}  // namespace atomic_log

#endif  // ATOMIC_LOG_CORE_BASE_RECYCLED_H_
