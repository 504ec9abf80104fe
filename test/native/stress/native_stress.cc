// The whole of the C++ wrapper, and the C interface under it, on many threads:
// writers that compete for the claim, readers that hold snapshots, readers that
// block, and an owner who releases the log in the middle of it.
//
// What may happen: entries leave the window before a reader sees them, and it
// is told how many. What may not: a wrong value, a hole, an index that goes
// back, a reader that sleeps through the end, or a segment that no one gives
// back.
//
//   native_stress [--seconds S] [--seed N]
//
// As in rolling_log_stress.cc the threads are ordered by nothing but the log.
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "atomic_log/atomic_log.h"
#include "support/handle_fixture.h"

namespace atomic_log::test {
namespace {

using native::Batch;
using native::Change;
using native::Chunks;
using native::Log;
using native::Reader;
using native::Snapshot;
using NativeStatus = native::Status;
using RecordWriter = native::Writer<uint64_t, uint16_t>;

constexpr auto kOk = NativeStatus::kOk;
constexpr int kWriters = 2;
constexpr int kSnapshotReaders = 2;
constexpr int kBlockingReaders = 2;
constexpr auto kEpisode = std::chrono::milliseconds(150);

uint64_t seed = 0;

void require(bool holds, const char* what, uint64_t got = 0,
             uint64_t expected = 0) {
  if (holds) return;
  std::fprintf(stderr,
               "FAILED: %s (%" PRIu64 ", %" PRIu64 "), --seed %" PRIu64 "\n",
               what, got, expected, seed);
  std::_Exit(1);
}

struct Totals {
  std::atomic<uint64_t> appended{0};
  std::atomic<uint64_t> refreshes{0};
  std::atomic<uint64_t> batches{0};
  std::atomic<uint64_t> waits{0};
};

void add(std::atomic<uint64_t>& total, uint64_t n) {
  total.fetch_add(n, std::memory_order_relaxed);
}

// Every value from `first` on, without a hole; returns the index after the
// last.
uint64_t check(const Chunks& chunks, uint64_t first) {
  uint64_t next = first;
  for (const auto& chunk : chunks) {
    require(chunk.first_index() == next, "a hole", chunk.first_index(), next);
    const auto wide = chunk.column<uint64_t>(0);
    const auto narrow = chunk.column<uint16_t>(1);
    require(wide.size() == chunk.length() && narrow.size() == chunk.length(),
            "columns of another length");
    for (size_t i = 0; i < wide.size(); ++i, ++next) {
      require(wide[i] == wide_value(next) && narrow[i] == narrow_value(next),
              "a wrong value", next);
    }
  }
  return next;
}

class Episode {
 public:
  Episode(HandledLog handled, Totals* totals)
      : handled_(std::move(handled)), totals_(*totals) {}

  void run(std::minstd_rand& random) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kSnapshotReaders; ++i) {
      threads.emplace_back([this, n = random()] { hold_snapshots(n); });
    }
    for (int i = 0; i < kBlockingReaders; ++i) {
      threads.emplace_back([this, log = attach()] { block(log); });
    }
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([this, n = random()] { write(n); });
    }
    // From now on only the threads' own attachments keep the log.
    const Log last = attach();
    std::weak_ptr<memory::RollingLog> watched = handled_.log;
    handled_.log.reset();
    std::this_thread::sleep_for(kEpisode);
    stop_.store(true, std::memory_order_relaxed);
    for (std::thread& writer : writers) writer.join();
    end(last);
    for (std::thread& thread : threads) thread.join();
    add(totals_.appended, last.end_index());
    const auto stats = watched.lock()->stats();
    require(stats.pool.idle + stats.retained == stats.pool.segments,
            "a segment was not returned", stats.pool.idle);
  }

  // After run(): no one has the log any more.
  void check_gone() const {
    Log log;
    require(Log::attach(&handled_.handle, &log) == NativeStatus::kGone,
            "the log is still there");
  }

 private:
  Log attach() const {
    Log log;
    require(Log::attach(&handled_.handle, &log) == kOk, "attach");
    return log;
  }

  bool is_stopping() const { return stop_.load(std::memory_order_relaxed); }

  static void end(const Log& log) {
    RecordWriter writer;
    require(writer.claim(log) == kOk, "the claim was not released");
    require(writer.end() == kOk, "the end");
  }

  void write(uint32_t number) {
    std::minstd_rand random(number);
    const Log log = attach();
    while (!is_stopping()) {
      RecordWriter writer;
      if (writer.claim(log) == kOk) {
        for (int turns = 1 + random() % 40; turns > 0; --turns) {
          write_something(writer, random);
        }
        if (random() % 2 == 0) abandon(writer, random() % 4);
      }
      std::this_thread::yield();
    }
  }

  void write_something(RecordWriter& writer, std::minstd_rand& random) {
    const uint32_t count = 1 + random() % 100;
    switch (random() % 4) {
      case 0:
        for (uint32_t i = 0; i < count; ++i) {
          const uint64_t index = writer.next_index();
          require(writer.append(wide_value(index), narrow_value(index)) == kOk,
                  "append");
        }
        break;
      case 1:
        for (uint32_t i = 0; i < count; ++i) {
          const uint64_t index = writer.next_index();
          require(writer.write(wide_value(index), narrow_value(index)) == kOk,
                  "write");
        }
        writer.publish();
        break;
      case 2: {
        std::vector<uint64_t> wide;
        std::vector<uint16_t> narrow;
        for (uint64_t i = 0; i < count; ++i) {
          wide.push_back(wide_value(writer.next_index() + i));
          narrow.push_back(narrow_value(writer.next_index() + i));
        }
        require(writer.append_batch(count, wide.data(), narrow.data()) == kOk,
                "append_batch");
        break;
      }
      default: {
        RecordWriter::Room room;
        require(writer.reserve(count, &room) == kOk, "reserve");
        for (uint32_t i = 0; i < room.length; ++i) {
          room.column<0>()[i] = wide_value(room.first_index + i);
          room.column<1>()[i] = narrow_value(room.first_index + i);
        }
        require(writer.commit(random() % (room.length + 1)) == kOk, "commit");
      }
    }
  }

  // What is reserved and not committed must not be seen by anyone.
  static void abandon(RecordWriter& writer, uint32_t count) {
    RecordWriter::Room room;
    if (count == 0 || writer.reserve(count, &room) != kOk) return;
    for (uint32_t i = 0; i < room.length; ++i) room.column<0>()[i] = 0;
  }

  void hold_snapshots(uint32_t number) {
    std::minstd_rand random(number);
    const Log log = attach();
    uint64_t end = 0;
    while (!log.has_ended()) {
      Snapshot snapshot;
      require(snapshot.open(log) == kOk, "snapshot");
      require(snapshot.end_index() >= end, "the end went back",
              snapshot.end_index(), end);
      for (int turns = random() % 20; turns >= 0; --turns) {
        require(check(snapshot.chunks(), snapshot.first_index()) ==
                    snapshot.end_index(),
                "a snapshot that is shorter than it says");
        if (random() % 4 == 0) std::this_thread::yield();
        const uint64_t before = snapshot.end_index();
        Change change;
        require(snapshot.refresh(&change) == kOk, "refresh");
        require(snapshot.end_index() - before == change.appended + change.lost,
                "a refresh that does not add up");
        add(totals_.refreshes, 1);
      }
      end = snapshot.end_index();
    }
  }

  // To the very end, asleep in between.
  void block(const Log& log) {
    Reader reader(log);
    Batch batch;
    uint64_t next = 0;
    NativeStatus status;
    while ((status = reader.next(&batch)) == kOk) {
      require(batch.first_index == next + batch.lost, "lost does not add up");
      require(batch.length > 0, "an empty batch");
      next = check(batch.chunks, batch.first_index);
      require(next == reader.next_index(), "a batch that is too short");
      add(totals_.batches, 1);
      if (log.end_index() == next) add(totals_.waits, 1);
    }
    require(status == NativeStatus::kEnded, "a reader that failed");
    require(next == log.end_index(), "a reader that missed the end", next);
  }

  HandledLog handled_;
  Totals& totals_;
  std::atomic<bool> stop_{false};
};

}  // namespace
}  // namespace atomic_log::test

int main(int count, char** values) {
  using namespace atomic_log::test;
  uint64_t seconds = 10;
  seed = std::random_device()();
  for (int i = 1; i + 1 < count; i += 2) {
    const uint64_t value = std::strtoull(values[i + 1], nullptr, 10);
    if (std::strcmp(values[i], "--seed") == 0) seed = value;
    if (std::strcmp(values[i], "--seconds") == 0) seconds = value;
  }
  std::printf("native_stress: --seed %" PRIu64 "\n", seed);
  std::fflush(stdout);
  std::minstd_rand random(static_cast<uint32_t>(seed));
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  Totals totals;
  int episodes = 0;
  for (; std::chrono::steady_clock::now() < end; ++episodes) {
    const uint32_t segment_capacities[] = {1, 3, 16, 256};
    const uint32_t segment_capacity = segment_capacities[episodes % 4];
    const uint64_t retained = segment_capacity * (1 + random() % 8);
    Episode episode(make_record_log(retained, segment_capacity), &totals);
    episode.run(random);
    episode.check_gone();
  }
  std::printf("passed: %d episodes, %" PRIu64 " entries, %" PRIu64
              " refreshes, %" PRIu64 " batches, %" PRIu64
              " of them up to date\n",
              episodes, totals.appended.load(), totals.refreshes.load(),
              totals.batches.load(), totals.waits.load());
  return 0;
}
