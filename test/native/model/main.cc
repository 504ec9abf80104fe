// Runs the scenarios under Relacy's random scheduler.
//
//   model [--runs n] [--history] [--mutation number] [scenario ...]
//
// Repeatable: run number i of a scenario makes the same choices every time.
// Ends with 1 at the first run that breaks a property, and prints which; with
// --history also every step of that run.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>

#include "checked.h"
#include "scenario.h"

namespace atomic_log::memory {
namespace {

using Clock = std::chrono::steady_clock;

const ScenarioKind* current = nullptr;

// The threads that began, and those that must pass a barrier before they do.
rl::thread_info_base* begun[kThreads];
bool has_barrier_due[kThreads];

struct Test : rl::test_suite<Test, kThreads> {
  std::unique_ptr<Scenario> scenario;

  void before() {
    for (uint32_t i = 0; i < kThreads; ++i) {
      begun[i] = nullptr;
      has_barrier_due[i] = false;
    }
    model::steps_per_switch = 1u << rl::rand(6);
    scenario = current->make();
  }

  void thread(unsigned index) {
    begun[index] = rl::ctx().threadx_;
    if (has_barrier_due[index]) {
      model::atomic_thread_fence(model::memory_order_seq_cst);
    }
    scenario->thread(index);
  }

  void after() {
    scenario->finish();
    scenario.reset();
  }
};

struct Outcome {
  bool is_good;
  uint64_t runs;
  double seconds;
  std::string what;
};

Outcome run(const ScenarioKind& kind, uint64_t runs, bool with_history) {
  current = &kind;
  rl::ostringstream output;
  rl::test_params params;
  params.iteration_count = runs;
  params.search_type = rl::random_scheduler_type;
  params.execution_depth_limit = 20000;
  params.output_stream = &output;
  params.progress_stream = &output;
  params.test_name = kind.name;
  const auto start = Clock::now();
  using Scheduler = rl::random_scheduler<kThreads>;
  rl::ostringstream state;
  const bool is_good = rl::run_test<Test, Scheduler>(params, state, false) ==
                       rl::test_result_success;
  const std::chrono::duration<double> elapsed = Clock::now() - start;
  Outcome outcome{is_good, params.stop_iteration, elapsed.count(), ""};
  if (is_good) return outcome;

  // The same run again, with its history.
  params.initial_state = rl::string(state.str());
  params.collect_history = true;
  output.str("");
  rl::ostringstream ignored;
  rl::run_test<Test, Scheduler>(params, ignored, true);
  const std::string text(output.str().c_str());
  outcome.what = text.substr(0, text.find('\n'));
  if (with_history) std::cout << text << '\n';
  return outcome;
}

int main(int argc, char** argv) {
  uint64_t runs = 100000;
  bool with_history = false;
  std::vector<std::string> wanted;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
      runs = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--mutation") == 0 && i + 1 < argc) {
      model::mutation = static_cast<uint32_t>(std::atoi(argv[++i]));
    } else if (std::strcmp(argv[i], "--history") == 0) {
      with_history = true;
    } else {
      wanted.emplace_back(argv[i]);
    }
  }
  for (const std::string& name : wanted) {
    const auto& all = scenarios();
    if (std::none_of(all.begin(), all.end(),
                     [&](const auto& kind) { return kind.name == name; })) {
      std::fprintf(stderr, "no scenario is called %s\n", name.c_str());
      return 2;
    }
  }
  double total = 0;
  for (const ScenarioKind& kind : scenarios()) {
    if (!wanted.empty() &&
        std::find(wanted.begin(), wanted.end(), kind.name) == wanted.end()) {
      continue;
    }
    const Outcome outcome = run(kind, runs * kind.share / 100, with_history);
    total += outcome.seconds;
    std::printf("%-16s %9llu runs %6.1f s  %s\n", kind.name,
                static_cast<unsigned long long>(outcome.runs), outcome.seconds,
                outcome.is_good ? "good" : outcome.what.c_str());
    std::fflush(stdout);
    if (!outcome.is_good) return 1;
  }
  std::printf("%-16s %24.1f s\n", "all", total);
  return 0;
}

}  // namespace
}  // namespace atomic_log::memory

// Relacy replaces some of the operators, inline; these make the others go with
// them. Taking its address makes the compiler emit the one that the standard
// library needs, too.
[[gnu::used]] void (*const emitted)(void*) = &::operator delete;
void operator delete(void* p, size_t) noexcept { ::operator delete(p); }
void operator delete[](void* p, size_t) noexcept { ::operator delete[](p); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return ::operator new(bytes);
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  return ::operator new[](bytes);
}

// As the kernel gives it: somewhere inside the call every other thread executes
// a full fence between two of its steps, and the caller one before and after.
long model::membarrier(int command) {
  constexpr int kQuery = 0;
  constexpr int kPrivateExpedited = 1 << 3;
  constexpr int kRegisterPrivateExpedited = 1 << 4;
  if (!has_process_barrier) return -1;
  if (command == kQuery) return kPrivateExpedited | kRegisterPrivateExpedited;
  if (command != kPrivateExpedited) return 0;
  rl::context& context = rl::ctx();
  rl::thread_info_base* const caller = context.threadx_;
  atomic_thread_fence(memory_order_seq_cst);
  for (uint32_t i = 0; i < atomic_log::memory::kThreads; ++i) {
    context.sched();
    rl::thread_info_base* const other = atomic_log::memory::begun[i];
    if (other == caller) continue;
    if (other == nullptr) {
      atomic_log::memory::has_barrier_due[i] = true;
      continue;
    }
    context.disable_preemption();
    context.threadx_ = other;
    context.atomic_thread_fence_seq_cst();
    context.threadx_ = caller;
    context.enable_preemption();
  }
  atomic_thread_fence(memory_order_seq_cst);
  return 0;
}

int main(int argc, char** argv) { return atomic_log::memory::main(argc, argv); }
