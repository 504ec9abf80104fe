// The checked copy of the log of threads and the scenarios over it, as one unit,
// with every mutation of it compiled in: model --mutation <number>.
#include "core/memory/rolling_log.cc"
#include "core/memory/segment_pool.cc"
#include "core/memory/storage.cc"
#include "core/memory/wait_list.cc"
#include "core/memory/window.cc"
#include "core/platform/barrier_posix.cc"
#include "core/platform/memory_posix.cc"
#include "log_scenario.cc"
#include "scenarios.cc"

namespace atomic_log {

// Fails the run, and never comes back to the thread whose condition it was.
void check_failed(const char* condition, const char* file, int line) {
  rl::ctx().fail_test(condition, rl::test_result_user_assert_failed,
                      rl::debug_info("", file, static_cast<unsigned>(line)));
  std::abort();
}

}  // namespace atomic_log
