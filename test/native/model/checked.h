// What the checked copy of the core uses in place of <atomic> and <mutex>: the
// same names in namespace `model`, each operation handed to Relacy, which keeps
// the histories that the memory orders allow and picks one at random.
//
//  1. Plain<T> stands for a field without atomics. Relacy reports two accesses
//     of which one writes and neither happens before the other.
//  2. Every operation on an atomic is a point where another thread may go on,
//     but not each one is used (see Step): a bug that needs one thread to stand
//     still while another makes thirty steps would never be seen otherwise.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_CHECKED_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_CHECKED_H_

#include <algorithm>
#include <bit>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <source_location>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Relacy names its macros as the language names these.
#include <relacy/relacy.hpp>
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst

#define assert(condition) ::model::check((condition), #condition)

namespace model {

using memory_order = rl::memory_order;
inline constexpr memory_order memory_order_relaxed = rl::mo_relaxed;
inline constexpr memory_order memory_order_acquire = rl::mo_acquire;
inline constexpr memory_order memory_order_release = rl::mo_release;
inline constexpr memory_order memory_order_acq_rel = rl::mo_acq_rel;
inline constexpr memory_order memory_order_seq_cst = rl::mo_seq_cst;

// Where an operation stands in the source, for the history of a failed run.
using Where = std::source_location;

inline rl::debug_info info_of(const Where& where) {
  return {where.function_name(), where.file_name(), where.line()};
}

// Fails the run.
inline void check(bool condition, const char* what,
                  const Where& where = Where::current()) {
  if (!condition) {
    rl::ctx().fail_test(what, rl::test_result_user_assert_failed,
                        info_of(where));
  }
}

// What ends a thread whose process is killed. From the throw to the handler no
// other thread goes on; the handler lets them (survive()).
struct Killed {};

// Operations that each thread has before it is killed, where any is to be.
inline constexpr uint32_t kForEver = UINT32_MAX;
inline constexpr uint32_t kThreadsMax = 8;
inline uint32_t steps_to_live[kThreadsMax];
inline bool is_anyone_doomed = false;

inline void live() {
  if (!is_anyone_doomed) return;
  uint32_t& left = steps_to_live[rl::ctx().threadx_->index_];
  if (left == kForEver || left-- > 0) return;
  left = kForEver;
  rl::ctx().disable_preemption();
  throw Killed();
}

// This thread is not killed any more.
inline void spare() {
  if (is_anyone_doomed) steps_to_live[rl::ctx().threadx_->index_] = kForEver;
}

inline void survive() { rl::ctx().enable_preemption(); }

// One in this many operations lets another thread go on. Chosen anew for each
// run.
inline uint32_t steps_per_switch = 1;

class Step {
 public:
  Step()
      : is_switch_(steps_per_switch == 1 || rl::rand(steps_per_switch) == 0) {
    live();
    if (!is_switch_) rl::ctx().disable_preemption();
  }
  ~Step() {
    if (!is_switch_) rl::ctx().enable_preemption();
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  const bool is_switch_;
};

template <typename T>
class atomic {
 public:
  static constexpr bool is_always_lock_free = true;

  atomic() : atomic(T()) {}
  atomic(T value) : value_(value) {}

  T load(memory_order order, Where where = Where::current()) const {
    const Step step;
    return value_(info_of(where)).load(order);
  }

  void store(T value, memory_order order, Where where = Where::current()) {
    const Step step;
    value_(info_of(where)).store(value, order);
  }

  T exchange(T value, memory_order order, Where where = Where::current()) {
    const Step step;
    return value_(info_of(where)).exchange(value, order);
  }

  T fetch_add(T value, memory_order order, Where where = Where::current()) {
    const Step step;
    return value_(info_of(where)).fetch_add(value, order);
  }

  T fetch_sub(T value, memory_order order, Where where = Where::current()) {
    const Step step;
    return value_(info_of(where)).fetch_sub(value, order);
  }

  bool compare_exchange_weak(T& expected, T value, memory_order success,
                             memory_order failure,
                             Where where = Where::current()) {
    const Step step;
    return value_(info_of(where))
        .compare_exchange_weak(expected, value, success, failure);
  }

  bool compare_exchange_strong(T& expected, T value, memory_order success,
                               memory_order failure,
                               Where where = Where::current()) {
    const Step step;
    return value_(info_of(where))
        .compare_exchange_strong(expected, value, success, failure);
  }

  // As the kernel's futex: the look at the value and falling asleep are one
  // step, fenced on both sides. A sleep that `may_end` ends at some time.
  void sleep_while(T expected, bool may_end,
                   Where where = Where::current()) const {
    { const Step step; }
    rl::context& context = rl::ctx();
    context.disable_preemption();
    context.atomic_thread_fence_seq_cst();
    if (value_(info_of(where)).load(memory_order_acquire) == expected) {
      value_.wait(context, may_end, false, info_of(where));
    }
    context.enable_preemption();
  }
  void wake_all(Where where = Where::current()) const {
    const Step step;
    rl::ctx().sched();
    rl::ctx().atomic_thread_fence_seq_cst();
    value_.wake(rl::ctx(), kThreadsMax, info_of(where));
  }

 private:
  mutable rl::atomic<T> value_;
};

inline void atomic_thread_fence(memory_order order,
                                Where where = Where::current()) {
  const Step step;
  rl::atomic_thread_fence(order, info_of(where));
}

// Nothing is reordered by a compiler here.
inline void atomic_signal_fence(memory_order) {}

class mutex {
 public:
  void lock(Where where = Where::current()) { mutex_.lock(info_of(where)); }
  void unlock(Where where = Where::current()) { mutex_.unlock(info_of(where)); }

 private:
  rl::mutex mutex_;
};

template <typename T>
class Plain {
 public:
  Plain() : Plain(T()) {}
  Plain(T value) : value_(value) {}
  Plain(const Plain& other) : Plain(static_cast<T>(other)) {}
  Plain& operator=(const Plain& other) { return *this = static_cast<T>(other); }
  Plain& operator=(T value) {
    value_(here()) = value;
    return *this;
  }
  operator T() const { return value_(here()).load(); }
  T operator->() const { return *this; }
  Plain& operator++() { return *this = static_cast<T>(*this) + 1; }
  Plain& operator--() { return *this = static_cast<T>(*this) - 1; }

 private:
  static rl::debug_info here() { return {"a plain field", "", 0}; }

  rl::var<T> value_;
};

// The system's process-wide barrier: whether there is one in this run, and the
// system call in front of it.
inline bool has_process_barrier = false;
long membarrier(int command);

// What stands at an address of the memory that processes share.
void* shared_cell(const void* address);

template <typename T>
T& shared(const void* address) {
  return *static_cast<T*>(shared_cell(address));
}

// Memory of a process's own that is asked about by address, too: what stands
// there begins as T(), and each address has the same T always.
void* own_memory(size_t bytes);
std::shared_ptr<void>& own_cell(const void* address);

// The one of its process.
std::shared_ptr<void>& process_cell();

template <typename T>
T& made(std::shared_ptr<void>& cell) {
  if (cell == nullptr) {
    rl::ctx().disable_preemption();
    cell = std::make_shared<T>();
    rl::ctx().enable_preemption();
  }
  return *static_cast<T*>(cell.get());
}
template <typename T>
T& own(const void* address) {
  return made<T>(own_cell(address));
}
template <typename T>
T& of_process() {
  return made<T>(process_cell());
}

// The mutation that is tried, where all of them are compiled in; 0 for none.
inline uint32_t mutation = 0;

inline memory_order order(uint32_t number, memory_order mutated,
                          memory_order as_is) {
  return mutation == number ? mutated : as_is;
}

}  // namespace model

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_CHECKED_H_
