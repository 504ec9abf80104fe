// CORE_CHECK(condition): what this code takes for granted, written down where it
// can fail a test.
//
//  1. It is for programmer errors only: an invariant of a header, or what a
//     caller inside the core must have made sure of. What a file, a user, a
//     stray store in JavaScript or another process can bring about gets a
//     status instead.
//  2. With ATOMIC_LOG_CHECKS (unit tests, sanitizers, fuzzing, simulated
//     crashes, mutations, the model) a condition that is false prints itself
//     with its file and line to stderr, and aborts.
//  3. Without it, in every build that users get, nothing is left of it: the
//     condition is compiled, so that it cannot rot, and never evaluated.
//  4. A condition changes nothing, takes no lock, and orders nothing: it reads
//     what its thread owns, or loads relaxed.
//
// The name is not CHECK, which doctest has.
#ifndef ATOMIC_LOG_CORE_BASE_CHECK_H_
#define ATOMIC_LOG_CORE_BASE_CHECK_H_

namespace atomic_log {

#if defined(ATOMIC_LOG_CHECKS)

inline constexpr bool kHasChecks = true;

[[noreturn]] void check_failed(const char* condition, const char* file,
                               int line);

#define CORE_CHECK(condition)   \
  (static_cast<bool>(condition) \
       ? static_cast<void>(0)   \
       : ::atomic_log::check_failed(#condition, __FILE__, __LINE__))

#else

inline constexpr bool kHasChecks = false;

#define CORE_CHECK(condition) \
  static_cast<void>(sizeof(static_cast<bool>(condition)))

#endif

}  // namespace atomic_log

#endif  // ATOMIC_LOG_CORE_BASE_CHECK_H_
