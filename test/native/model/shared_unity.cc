// The checked copy of the log that processes share and the scenarios over it, as
// one unit, with every mutation of it compiled in: model --mutation <number>.
#include "core/memory/wait_list.cc"
#include "core/platform/barrier_posix.cc"
#include "core/shared_memory/segment_copies.cc"
#include "core/shared_memory/shared_format.cc"
#include "core/shared_memory/shared_log.cc"
#include "core/shared_memory/shared_log_open.cc"
#include "core/shared_memory/shared_log_writer.cc"
#include "core/shared_memory/shared_waits.cc"
#include "shared_claims_scenarios.cc"
#include "shared_copies_scenarios.cc"
#include "shared_creation_scenarios.cc"
#include "shared_machine.cc"
#include "shared_pins_scenarios.cc"
#include "shared_roll_scenarios.cc"
#include "shared_scenario.cc"
#include "shared_scenarios.cc"
#include "shared_slots_scenarios.cc"
#include "shared_takeover_scenarios.cc"
#include "shared_wakeups_scenarios.cc"

namespace atomic_log {

// Fails the run, and never comes back to the thread whose condition it was.
void check_failed(const char* condition, const char* file, int line) {
  rl::ctx().fail_test(condition, rl::test_result_user_assert_failed,
                      rl::debug_info("", file, static_cast<unsigned>(line)));
  std::abort();
}

}  // namespace atomic_log
