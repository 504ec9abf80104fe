// Linked into the thread sanitizer's stress only, where the linker sends every
// instrumented atomic operation here first (--wrap). Three things are added:
//
//  1. Noise: now and then the thread spins, yields or sleeps before an
//     operation. The interesting interleavings need a thread to stop between
//     two particular instructions, which hardly happens by itself on a few
//     cores.
//  2. Relaxed stores end a release sequence, as C++20 says. The sanitizer
//     itself keeps what an earlier release store made visible, and so misses a
//     store that should have been a release. Such a store is made here as a
//     release by a fiber that has seen and done nothing: it replaces what the
//     location made visible by nothing.
//  3. Every operation is preceded by a relaxed load of the same place. An
//     atomic object must be constructed before anyone loads it, in whatever order;
//     the sanitizer lets an acquire load excuse itself by what it acquires.
//
// Nothing here is instrumented, and nothing here orders the threads.
#include <sanitizer/tsan_interface.h>
#include <sched.h>
#include <time.h>

#include <cstdint>

#define NOT_INSTRUMENTED __attribute__((no_sanitize("thread")))

extern "C" {
void AnnotateIgnoreWritesBegin(const char* file, int line);
}

namespace {

// Threads alive at the same time; the stress has fewer.
constexpr int kFibersMax = 32;
// The compilers pass __ATOMIC_RELAXED and so on.
constexpr int kRelaxed = __ATOMIC_RELAXED;
constexpr int kRelease = __ATOMIC_RELEASE;

void* fibers[kFibersMax];
unsigned char fiber_taken[kFibersMax];

// Made before main(), because a new fiber knows what its maker knows. Its own
// accesses are ignored, or its stores would be reported as races with the
// next user of the memory; the clock it leaves is not ignored.
__attribute__((constructor)) NOT_INSTRUMENTED void make_fibers() {
  void* const self = __tsan_get_current_fiber();
  for (void*& fiber : fibers) {
    fiber = __tsan_create_fiber(0);
    __tsan_switch_to_fiber(fiber, __tsan_switch_to_fiber_no_sync);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    __tsan_switch_to_fiber(self, __tsan_switch_to_fiber_no_sync);
  }
}

class ThreadState {
 public:
  NOT_INSTRUMENTED ThreadState() {
    for (slot_ = 0; slot_ < kFibersMax; ++slot_) {
      if (__atomic_exchange_n(&fiber_taken[slot_], 1, __ATOMIC_RELAXED) == 0) {
        break;
      }
    }
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    random_ = reinterpret_cast<uintptr_t>(this) ^
              static_cast<uint64_t>(now.tv_nsec) * 0x9E3779B97F4A7C15u;
    random_ |= 1;
  }

  NOT_INSTRUMENTED ~ThreadState() {
    if (slot_ < kFibersMax) {
      __atomic_store_n(&fiber_taken[slot_], 0, __ATOMIC_RELAXED);
    }
    slot_ = kFibersMax;
  }

  // Null when there are more threads than fibers, or at a thread's very end.
  NOT_INSTRUMENTED void* fiber() const {
    return slot_ < kFibersMax ? fibers[slot_] : nullptr;
  }

  NOT_INSTRUMENTED void make_noise() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    const uint64_t dice = random_ >> 40;
    // As long as the writer takes for a part of a roll, on another core.
    if (dice % 8 == 0) spin(random_ % 2048);
    if (dice % 64 == 1) sched_yield();
    // Long enough for the others to go around the ring.
    if (dice % 2048 == 2) {
      const timespec pause = {0, 20000};
      nanosleep(&pause, nullptr);
    }
  }

 private:
  NOT_INSTRUMENTED static void spin(uint64_t rounds) {
    for (uint64_t i = 0; i < rounds; ++i) __asm__ volatile("");
  }

  int slot_;
  uint64_t random_;
};

thread_local ThreadState state;

}  // namespace

#define WRAP_LOAD(type, bits)                                        \
  type __real___tsan_atomic##bits##_load(const volatile type*, int); \
  NOT_INSTRUMENTED type __wrap___tsan_atomic##bits##_load(           \
      const volatile type* at, int order) {                          \
    state.make_noise();                                              \
    __real___tsan_atomic##bits##_load(at, kRelaxed);                 \
    return __real___tsan_atomic##bits##_load(at, order);             \
  }

#define WRAP_STORE(type, bits)                                        \
  void __real___tsan_atomic##bits##_store(volatile type*, type, int); \
  NOT_INSTRUMENTED void __wrap___tsan_atomic##bits##_store(           \
      volatile type* at, type value, int order) {                     \
    state.make_noise();                                               \
    void* const fiber = order == kRelaxed ? state.fiber() : nullptr;  \
    if (fiber == nullptr) {                                           \
      __real___tsan_atomic##bits##_store(at, value, order);           \
      return;                                                         \
    }                                                                 \
    void* const self = __tsan_get_current_fiber();                    \
    __tsan_switch_to_fiber(fiber, __tsan_switch_to_fiber_no_sync);    \
    __real___tsan_atomic##bits##_store(at, value, kRelease);          \
    __tsan_switch_to_fiber(self, __tsan_switch_to_fiber_no_sync);     \
  }

#define WRAP_UPDATE(type, bits, operation)                                  \
  type __real___tsan_atomic##bits##_##operation(volatile type*, type, int); \
  NOT_INSTRUMENTED type __wrap___tsan_atomic##bits##_##operation(           \
      volatile type* at, type value, int order) {                           \
    state.make_noise();                                                     \
    __real___tsan_atomic##bits##_load(at, kRelaxed);                        \
    return __real___tsan_atomic##bits##_##operation(at, value, order);      \
  }

#define WRAP_EXCHANGE_IF(type, bits, strength)                        \
  int __real___tsan_atomic##bits##_compare_exchange_##strength(       \
      volatile type*, type*, type, int, int);                         \
  NOT_INSTRUMENTED int                                                \
      __wrap___tsan_atomic##bits##_compare_exchange_##strength(       \
          volatile type* at, type* expected, type value, int success, \
          int failure) {                                              \
    state.make_noise();                                               \
    __real___tsan_atomic##bits##_load(at, kRelaxed);                  \
    return __real___tsan_atomic##bits##_compare_exchange_##strength(  \
        at, expected, value, success, failure);                       \
  }

#define WRAP_ALL(type, bits)           \
  WRAP_LOAD(type, bits)                \
  WRAP_STORE(type, bits)               \
  WRAP_UPDATE(type, bits, exchange)    \
  WRAP_UPDATE(type, bits, fetch_add)   \
  WRAP_UPDATE(type, bits, fetch_sub)   \
  WRAP_EXCHANGE_IF(type, bits, strong) \
  WRAP_EXCHANGE_IF(type, bits, weak)

extern "C" {
WRAP_ALL(uint8_t, 8)
WRAP_ALL(uint16_t, 16)
WRAP_ALL(uint32_t, 32)
WRAP_ALL(uint64_t, 64)
}
