// What the threads of one episode of the stress share: the log, what is asked
// of them, and how a violation ends the program.
//
// The threads must not be ordered by anything but the log under test, or the
// thread sanitizer would take an ordering of ours for one of the log's. So all
// that is shared here is relaxed, and where a test needs an ordering, only some
// readers use it.
#ifndef ATOMIC_LOG_TEST_NATIVE_STRESS_EPISODE_H_
#define ATOMIC_LOG_TEST_NATIVE_STRESS_EPISODE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/memory/rolling_log.h"
#include "support/columns.h"

namespace atomic_log::test {

struct Configuration {
  uint32_t segment_capacity;
  uint64_t retained_capacity;
  bool early_seals;    // the writer also rolls before the head is full
  bool out_of_memory;  // allocations fail now and then

  std::string describe() const;
};

// Prints what was violated, with the seed and the configuration, and ends the
// program. Any thread.
[[noreturn]] void fail(const char* what, uint64_t got, uint64_t expected);

inline void require(bool holds, const char* what, uint64_t got = 0,
                    uint64_t expected = 0) {
  if (!holds) fail(what, got, expected);
}

// xorshift64*; a generator per thread.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(mix(seed) | 1) {}

  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }
  uint64_t below(uint64_t limit) { return (next() >> 16) % limit; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

class Snapshot;

struct Episode {
  static constexpr int kMailboxes = 2;

  Configuration configuration;
  std::shared_ptr<memory::RollingLog> log;

  // Relaxed: the threads see it in time.
  std::atomic<bool> stop{false};
  // Operations of all readers so far; relaxed.
  std::atomic<uint64_t> reads{0};
  // Windows that a lapping writer shortened, which pin_window allows.
  std::atomic<uint64_t> short_windows{0};

  // The end of the log after the last append that finished. The writer's store
  // is a release, but only the readers that check it acquire.
  std::atomic<uint64_t> finished{0};

  // Plain on purpose: written by the writer before it begins a segment, by
  // sequence, and read by those who saw that sequence or a later one. Nothing
  // but the log orders the two. Later segments are not announced.
  static constexpr uint64_t kAnnouncedMax = 4096;
  std::vector<uint64_t> announced = std::vector<uint64_t>(kAnnouncedMax);

  // Snapshots on their way from one reader to another.
  std::atomic<Snapshot*> mailboxes[kMailboxes] = {};
};

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_STRESS_EPISODE_H_
