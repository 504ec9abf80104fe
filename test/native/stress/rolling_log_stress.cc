// Stress of the rolling log: writers that take turns by the claim, and readers
// that snapshot, refresh, copy, exchange and release next to them. Short
// episodes with a log of its own each, in changing shapes; after each one every
// segment must be accounted for.
//
//   rolling_log_stress [--seed N] [--seconds S] [--episodes N]
//
// It ends after S seconds (10 unless told) or N episodes, whichever is first.
// A violation prints the seed and ends with status 1. The seed repeats the
// choices of every thread, not how the threads interleave.
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "core/memory/block_pool.h"
#include "stress/episode.h"
#include "stress/stress_reader.h"
#include "stress/stress_writer.h"

#if defined(__has_feature)
#define ATOMIC_LOG_HAS_FEATURE(feature) __has_feature(feature)
#else
#define ATOMIC_LOG_HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || \
    ATOMIC_LOG_HAS_FEATURE(thread_sanitizer) ||                      \
    ATOMIC_LOG_HAS_FEATURE(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define ATOMIC_LOG_SANITIZED 1
#endif

namespace atomic_log::test {
namespace {

using memory::BlockPool;
using memory::RollingLog;
using memory::SegmentControl;
using Clock = std::chrono::steady_clock;

constexpr int kWriters = 2;
constexpr int kReaders = 3;
constexpr uint64_t kReadsMin = 150;

// What fail() prints. Written between episodes only, when one thread runs.
uint64_t current_seed = 0;
uint64_t current_episode = 0;
Configuration current_configuration = {};

struct Totals {
  uint64_t episodes = 0;
  uint64_t rolls = 0;
  uint64_t reads = 0;
  uint64_t short_windows = 0;
  uint64_t decommitted = 0;
};

void print_context() {
  std::fprintf(
      stderr,
      "rolling_log_stress: --seed %" PRIu64 ", episode %" PRIu64 ", %s\n",
      current_seed, current_episode, current_configuration.describe().c_str());
}

// Enough to go around the ring many times, whatever it is made of.
uint64_t rolls_min(const Configuration& configuration) {
  if (configuration.segment_capacity >= 4096) return 30;
  return configuration.segment_capacity >= 64 ? 300 : 1500;
}

// Every capacity with every length of ring, in random order.
std::vector<Configuration> shuffled_configurations(Random& random) {
  std::vector<Configuration> result;
  for (const uint32_t segment_capacity : {1u, 3u, 64u, 4096u}) {
    for (uint64_t segments = 1; segments <= 8; ++segments) {
      const uint64_t least = (segments - 1) * segment_capacity + 1;
      result.push_back({segment_capacity,
                        least + random.below(segment_capacity),
                        random.one_in(3), random.one_in(6)});
    }
  }
  for (size_t i = result.size() - 1; i > 0; --i) {
    std::swap(result[i], result[random.below(i + 1)]);
  }
  return result;
}

std::shared_ptr<RollingLog> make_log(const Configuration& configuration) {
  memory::RollingLogOptions options;
  options.retained_capacity = configuration.retained_capacity;
  options.segment_capacity = configuration.segment_capacity;
  options.element_bytes = column_element_bytes();
  std::shared_ptr<RollingLog> log;
  require(RollingLog::create(options, &log) == Status::kOk, "no log");
  return log;
}

// Writers and readers of one episode, each on a thread of its own.
class Crew {
 public:
  Crew(Episode& episode, Random& random) {
    writers_.reserve(kWriters);
    readers_.reserve(kReaders);
    for (int i = 0; i < kWriters; ++i) {
      writers_.emplace_back(episode, random.next());
    }
    for (int i = 0; i < kReaders; ++i) {
      readers_.emplace_back(episode, random.next(), i == 0);
    }
    for (StressReader& reader : readers_) {
      threads_.emplace_back([&reader] { reader.run(); });
    }
    for (StressWriter& writer : writers_) {
      threads_.emplace_back([&writer] { writer.run(); });
    }
  }

  void join() {
    for (std::thread& thread : threads_) thread.join();
  }

  // Every segment that any reader met, by its number.
  std::vector<SegmentControl*> segments_seen(uint64_t segments) const {
    std::vector<SegmentControl*> result(segments, nullptr);
    for (const StressReader& reader : readers_) {
      for (size_t id = 0; id < reader.seen().size(); ++id) {
        SegmentControl* const segment = reader.seen()[id];
        if (segment == nullptr) continue;
        require(id < segments, "a number beyond the segments", id, segments);
        require(result[id] == nullptr || result[id] == segment,
                "two segments with one number", id);
        result[id] = segment;
      }
    }
    return result;
  }

 private:
  std::vector<StressWriter> writers_;
  std::vector<StressReader> readers_;
  std::vector<std::thread> threads_;
};

// With every pin returned, a segment of the window has the log's one
// reference, and every other one is free. Only one thread runs.
void check_conservation(RollingLog& log,
                        const std::vector<SegmentControl*>& seen) {
  const RollingLog::Stats stats = log.stats();
  require(stats.pool.idle + stats.retained == stats.pool.segments,
          "segments lost", stats.pool.idle + stats.retained,
          stats.pool.segments);
  require(stats.pool.decommitted <= stats.pool.idle, "too many decommitted",
          stats.pool.decommitted, stats.pool.idle);
  std::vector<bool> in_ring(stats.pool.segments, false);
  const uint64_t head = log.head_sequence();
  for (uint64_t s = head + 1 - stats.retained; s <= head; ++s) {
    SegmentControl* const segment = log.try_pin(s);
    require(segment != nullptr, "missing in the window", s, head);
    require(segment->id() < stats.pool.segments, "numbered too high",
            segment->id(), stats.pool.segments);
    in_ring[segment->id()] = true;
    require(!segment->release(), "in the window without a reference", s);
    require(segment->is_held_once(), "a reference leaked", s);
  }
  for (size_t id = 0; id < seen.size(); ++id) {
    require(seen[id] == nullptr || in_ring[id] || seen[id]->is_free(),
            "a reference leaked outside the window", id);
  }
}

// Counts what a writer can take without a new block: all that is idle.
void check_reuse(RollingLog& log) {
  const RollingLog::Stats before = log.stats();
  std::vector<SegmentControl*> pins;
  for (uint64_t i = 0; i < before.pool.idle; ++i) {
    pins.push_back(log.try_pin(log.head_sequence()));
    require(log.roll(log.segment_capacity()) == Status::kOk, "a roll failed");
  }
  require(log.stats().pool.segments == before.pool.segments,
          "idle segments were not found", log.stats().pool.segments,
          before.pool.segments);
  for (SegmentControl* const segment : pins) log.unpin(segment);
}

// A dead log's blocks wait in the process's pool, all of them.
void check_death(std::shared_ptr<RollingLog> log) {
  const uint64_t segments = log->stats().pool.segments;
  const uint64_t block_bytes =
      BlockPool::class_bytes(log->layout().block_bytes());
  const uint64_t before = BlockPool::instance().usage().idle_bytes;
  require(log.use_count() == 1, "someone keeps the log");
  log.reset();
  const uint64_t after = BlockPool::instance().usage().idle_bytes;
  require(after - before == segments * block_bytes, "blocks leaked",
          after - before, segments * block_bytes);
}

void run_episode(const Configuration& configuration, Random& random,
                 Totals* totals) {
  Episode episode;
  episode.configuration = configuration;
  episode.log = make_log(configuration);
  Crew crew(episode, random);
  while (episode.log->stats().rolls < rolls_min(configuration) ||
         episode.reads.load(std::memory_order_relaxed) < kReadsMin) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  episode.stop.store(true, std::memory_order_relaxed);
  crew.join();
  for (auto& mailbox : episode.mailboxes) {
    delete mailbox.exchange(nullptr, std::memory_order_relaxed);
  }

  const RollingLog::Stats stats = episode.log->stats();
  check_conservation(*episode.log, crew.segments_seen(stats.pool.segments));
  check_reuse(*episode.log);
  check_death(std::move(episode.log));
  ++totals->episodes;
  totals->rolls += stats.rolls;
  totals->reads += episode.reads.load(std::memory_order_relaxed);
  totals->short_windows +=
      episode.short_windows.load(std::memory_order_relaxed);
  totals->decommitted += stats.pool.decommitted;
}

struct Arguments {
  uint64_t seed = std::random_device()();
  uint64_t seconds = 10;
  uint64_t episodes = UINT64_MAX;
};

bool parse(int count, char** values, Arguments* arguments) {
  for (int i = 1; i < count; i += 2) {
    if (i + 1 == count) return false;
    char* end = nullptr;
    const uint64_t value = std::strtoull(values[i + 1], &end, 10);
    if (end == values[i + 1] || *end != '\0') return false;
    if (std::strcmp(values[i], "--seed") == 0) {
      arguments->seed = value;
    } else if (std::strcmp(values[i], "--seconds") == 0) {
      arguments->seconds = value;
    } else if (std::strcmp(values[i], "--episodes") == 0) {
      arguments->episodes = value;
    } else {
      return false;
    }
  }
  return true;
}

void run(const Arguments& arguments) {
  const auto end = Clock::now() + std::chrono::seconds(arguments.seconds);
  Random random(arguments.seed);
  Totals totals;
  std::vector<Configuration> waiting;
  while (totals.episodes < arguments.episodes && Clock::now() < end) {
    if (waiting.empty()) waiting = shuffled_configurations(random);
    current_episode = totals.episodes;
    current_configuration = waiting.back();
    waiting.pop_back();
    run_episode(current_configuration, random, &totals);
  }
  std::printf("passed: %" PRIu64 " episodes, %" PRIu64 " rolls, %" PRIu64
              " reads, %" PRIu64
              " windows shortened by lapping (allowed), "
              "%" PRIu64 " blocks decommitted\n",
              totals.episodes, totals.rolls, totals.reads, totals.short_windows,
              totals.decommitted);
}

}  // namespace

std::string Configuration::describe() const {
  return "segment capacity " + std::to_string(segment_capacity) +
         ", retained capacity " + std::to_string(retained_capacity) +
         (early_seals ? ", early seals" : "") +
         (out_of_memory ? ", out of memory" : "");
}

void fail(const char* what, uint64_t got, uint64_t expected) {
  std::fprintf(stderr, "FAILED: %s (%" PRIu64 ", %" PRIu64 ")\n", what, got,
               expected);
  print_context();
  std::_Exit(1);
}

}  // namespace atomic_log::test

int main(int count, char** values) {
  using namespace atomic_log::test;
  Arguments arguments;
  if (!parse(count, values, &arguments)) {
    std::fprintf(stderr, "usage: %s [--seed N] [--seconds S] [--episodes N]\n",
                 values[0]);
    return 2;
  }
#if defined(ATOMIC_LOG_SANITIZED)
  // A report that ends the program does not say how to repeat it.
  __sanitizer_set_death_callback(print_context);
#endif
  current_seed = arguments.seed;
  std::printf("rolling_log_stress: --seed %" PRIu64 "\n", arguments.seed);
  std::fflush(stdout);
  run(arguments);
  return 0;
}
