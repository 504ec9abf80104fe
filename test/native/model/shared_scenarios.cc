#include "shared_scenarios.h"

namespace atomic_log::memory {

const std::vector<ScenarioKind>& scenarios() {
  using namespace shared_memory;
  static const std::vector<ScenarioKind> all = [] {
    std::vector<ScenarioKind> kinds;
    for (const auto topic :
         {pin_scenarios, roll_scenarios, slot_scenarios, takeover_scenarios,
          claim_scenarios, wakeup_scenarios, copy_scenarios,
          creation_scenarios}) {
      for (const ScenarioKind& kind : topic()) kinds.push_back(kind);
    }
    return kinds;
  }();
  return all;
}

}  // namespace atomic_log::memory
