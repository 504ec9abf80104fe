// Processes that share one log, as scenarios need them: writers that append as
// the binding does, readers that take, refresh and check snapshots as the
// TypeScript layer does, processes that are killed, and the properties of all
// of them.
//
// What an entry must hold is not its index: each that is staged gets a value of
// its own, so that one which was published and is written again is noticed,
// whoever does it. What was published, and what was seen, is kept beside the
// model, in the order in which the run made its steps.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_SHARED_SCENARIO_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_SHARED_SCENARIO_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "checked.h"
#include "core/shared_memory/shared_log.h"
#include "scenario.h"
#include "shared_machine.h"

namespace atomic_log::shared_memory {

struct SharedSetup {
  uint32_t processes;             // from the beginning
  uint32_t full_segments = 1;     // retained besides the head
  uint32_t segment_capacity = 1;  // entries
  uint64_t initial = 0;           // entries appended before the threads begin
  uint32_t batch = 1;             // entries per publication
  uint32_t extra_segments = 0;    // that readers may keep
  uint32_t readers_max = 4;       // slots
  // Whether readers keep more than that, or are dead and not yet gone.
  bool may_refuse = true;
  // Whether any process reads copies.
  bool has_copies = false;
};

// Pinned segments, ascending; empty before it is taken and after release().
using Snapshot = List<PinnedBlock>;

// Is woken once, and then has the sleeper of its process end.
class Flag final : public memory::Waiter {
 public:
  explicit Flag(SharedWaits* stops = nullptr) : stops_(stops) {}
  void wake() override;
  bool is_woken() const { return is_woken_; }

 private:
  SharedWaits* const stops_;
  model::Plain<bool> is_woken_;
};

class SharedScenario : public memory::Scenario {
 public:
  explicit SharedScenario(const SharedSetup& setup);
  ~SharedScenario() override;

  void thread(uint32_t index) final;
  // Nothing that was published is missing; no one holds anything; a process that
  // joins claims the log and uses every block once more.
  void finish() override;

  // --- Properties, of whoever reads.
  // The entry that `index` has must be `value`.
  void check_entry(uint64_t index, uint64_t value) const {
    model::check(index < values_.size() && value == values_[index],
                 "an entry that is not the published one");
  }
  // What holds of every window.
  void check_window(uint64_t first, uint64_t end, uint64_t at_least);

 protected:
  virtual void run(uint32_t index) = 0;

  SharedMachine& machine() { return *machine_; }
  SharedLog& log(uint32_t process) { return *processes_[process].log; }
  const SharedSetup& setup() const { return setup_; }

  // The thread is all there is of that process, which is killed before one of
  // its next `operations`, or survives.
  void doom(uint32_t thread, uint32_t process, uint32_t operations);
  // Of a process with no thread of its own: it is dead when the threads begin.
  void kill(uint32_t process);
  // Null when there is no slot left.
  SharedLog* join();
  // The process closes the log.
  void leave(uint32_t process);

  // --- Any thread.
  // Claims, unless another has it or the log has ended.
  bool try_claim(uint32_t process);
  // Until it has the claim.
  void claim(uint32_t process);
  void release_claim(uint32_t process);

  // --- The holder of the claim.
  void append(uint32_t process, uint32_t publications);
  // Publishes what is staged in the head, then begins a segment.
  void roll(uint32_t process, uint32_t staged);
  uint64_t end_of(const SharedLog& log) const {
    return log.cursor().first_index + log.cursor().published;
  }

  // --- Readers. What was appended before the call must be in what it takes.
  // Single segments, from the head downwards. What is reported gone must have
  // been replaced, and whoever is told so must find the newer head.
  void pin_downwards(SharedLog& log);
  uint64_t told() const { return told_.load(model::memory_order_acquire); }
  void take(SharedLog& log, Snapshot* snapshot, uint64_t at_least);
  void refresh(SharedLog& log, Snapshot* snapshot, uint64_t at_least);
  void check(SharedLog& log, const Snapshot& snapshot, uint64_t at_least);
  void release(SharedLog& log, Snapshot* snapshot);
  uint64_t end_of(const Snapshot& snapshot) const {
    return snapshot.back().first_index + snapshot.back().count;
  }
  void check_bounds(SharedLog& log, uint64_t at_least);

 private:
  using Entry = model::Plain<uint64_t>;
  struct Process {
    std::unique_ptr<SharedLog> log;
    bool is_dead = false;
    bool is_writer = false;
  };

  static SharedFormat format_of(const SharedSetup& setup);
  void stage(const SharedLog& log, uint32_t staged);
  void saw(uint64_t end);
  Entry& entry(uint32_t block, uint32_t i) {
    return entries_[block * setup_.segment_capacity + i];
  }

  const SharedSetup setup_;
  const SharedFormat format_;
  const std::unique_ptr<SharedMachine> machine_;
  const std::unique_ptr<Entry[]> entries_;
  std::vector<Process> processes_;
  model::atomic<uint64_t> told_;

  // Beside the model.
  bool may_refuse_;
  std::vector<uint64_t> values_;  // by index, of the last entry staged there
  uint64_t last_value_ = 100;
  uint64_t published_ = 0;  // entries whose publish() is over
  uint64_t seen_ = 0;       // entries that anyone has seen
  uint32_t doomed_process_[memory::kThreads];
  uint32_t operations_[memory::kThreads];
};

}  // namespace atomic_log::shared_memory

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_SHARED_SCENARIO_H_
