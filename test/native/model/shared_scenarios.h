// The scenarios of the log that processes share, by what is modelled. main.cc runs
// them in the order of shared_scenarios.cc.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_SHARED_SCENARIOS_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_SHARED_SCENARIOS_H_

#include <vector>

#include "scenario.h"
#include "shared_scenario.h"

namespace atomic_log::shared_memory {

using memory::make_scenario;
using memory::ScenarioKind;

std::vector<ScenarioKind> pin_scenarios();
std::vector<ScenarioKind> roll_scenarios();
std::vector<ScenarioKind> slot_scenarios();
std::vector<ScenarioKind> takeover_scenarios();
std::vector<ScenarioKind> claim_scenarios();
std::vector<ScenarioKind> wakeup_scenarios();
std::vector<ScenarioKind> copy_scenarios();
std::vector<ScenarioKind> creation_scenarios();

}  // namespace atomic_log::shared_memory

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_SHARED_SCENARIOS_H_
