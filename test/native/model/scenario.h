// One bounded program of three threads over one log. A run of it constructs it,
// calls thread(0..2) on threads of their own, then finish() alone.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_SCENARIO_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_SCENARIO_H_

#include <cstdint>
#include <memory>
#include <vector>

namespace atomic_log::memory {

inline constexpr uint32_t kThreads = 3;

class Scenario {
 public:
  virtual ~Scenario() = default;
  virtual void thread(uint32_t index) = 0;
  virtual void finish() = 0;
};

struct ScenarioKind {
  const char* name;
  const char* what;
  // Share of the runs, in percent of the count given on the command line.
  uint32_t share;
  std::unique_ptr<Scenario> (*make)();
};

template <typename T>
std::unique_ptr<Scenario> make_scenario() {
  return std::make_unique<T>();
}

// In the order in which they run.
const std::vector<ScenarioKind>& scenarios();

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_SCENARIO_H_
