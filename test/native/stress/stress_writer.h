// The writing side of the stress. Several of these compete for the claim; the
// one that holds it appends in every way there is.
#ifndef ATOMIC_LOG_TEST_NATIVE_STRESS_STRESS_WRITER_H_
#define ATOMIC_LOG_TEST_NATIVE_STRESS_STRESS_WRITER_H_

#include <algorithm>
#include <thread>

#include "stress/episode.h"
#include "support/faults.h"
#include "support/log_fixture.h"

namespace atomic_log::test {

class StressWriter {
 public:
  StressWriter(Episode& episode, uint64_t seed)
      : episode_(episode), log_(*episode.log), random_(seed) {}

  void run() {
    while (!episode_.stop.load(std::memory_order_relaxed)) {
      if (try_claim(log_)) {
        write_for_a_while();
        release_claim(log_);
      }
      std::this_thread::yield();
    }
  }

 private:
  // Everything known here comes from the log: what the last holder staged and
  // did not publish is overwritten.
  void write_for_a_while() {
    count_ = log_.published_count();
    for (uint64_t turns = 1 + random_.below(40); turns > 0; --turns) {
      const uint64_t dice = random_.below(16);
      if (dice < 6) {
        append_one_by_one(1 + random_.below(4));
      } else if (dice < 13) {
        write_then_publish(1 + random_.below(burst_max()));
      } else if (dice < 15 && episode_.configuration.early_seals) {
        if (count_ > 0) roll();
      } else {
        std::this_thread::yield();
      }
    }
    if (random_.one_in(2)) write_and_abandon();
  }

  uint64_t burst_max() const {
    return std::min<uint64_t>(3 * uint64_t{log_.segment_capacity()}, 6000);
  }

  void append_one_by_one(uint64_t entries) {
    for (; entries > 0; --entries) {
      stage();
      publish();
    }
  }

  // Rolling publishes what is staged.
  void write_then_publish(uint64_t entries) {
    for (; entries > 0; --entries) stage();
    publish();
  }

  void stage() {
    if (count_ == log_.segment_capacity()) roll();
    memory::SegmentControl& head = log_.head_segment();
    Columns(log_.layout(), head).store(count_, head.first_index() + count_);
    ++count_;
  }

  void publish() {
    log_.publish(count_);
    episode_.finished.store(log_.head_segment().first_index() + count_,
                            std::memory_order_release);
  }

  // What is written and never published must not be seen by anyone.
  void write_and_abandon() {
    memory::SegmentControl& head = log_.head_segment();
    Columns columns(log_.layout(), head);
    const uint32_t published = log_.published_count();
    const uint32_t end = std::min(published + 4, log_.segment_capacity());
    for (uint32_t slot = published; slot < end; ++slot) {
      columns.poison(slot, head.first_index() + slot);
    }
  }

  void roll() {
    const uint64_t successor = log_.head_segment().sequence() + 1;
    if (successor < Episode::kAnnouncedMax) {
      episode_.announced[successor] = mix(successor);
    }
    if (episode_.configuration.out_of_memory && random_.one_in(4)) {
      roll_without_memory();
    }
    if (count_ == 0) return;
    const Status status = log_.roll(count_);
    require(status == Status::kOk, "a roll failed");
    count_ = 0;
  }

  // The next block the log has to make is refused; a recycled one is not.
  void roll_without_memory() {
    const uint64_t head = log_.head_sequence();
    const uint32_t published = log_.published_count();
    refuse_memory_after(0);
    const Status status = log_.roll(count_);
    refuse_memory_after(-1);
    if (status == Status::kOk) {
      count_ = 0;
      return;
    }
    require(status == Status::kOutOfMemory, "a roll failed strangely");
    require(log_.head_sequence() == head, "a failed roll moved the head");
    require(log_.published_count() == published, "a failed roll published");
  }

  Episode& episode_;
  memory::RollingLog& log_;
  Random random_;
  uint32_t count_ = 0;  // entries in the head, staged ones included
};

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_STRESS_STRESS_WRITER_H_
