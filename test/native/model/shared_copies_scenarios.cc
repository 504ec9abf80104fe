// Processes that may only read: copies of segments that no pin keeps, proved by
// the block's stamp. Nothing that they do stops the writer, which has no block to
// spare here.
#include "shared_scenarios.h"

namespace atomic_log::shared_memory {
namespace {

// One of them, and what its threads read of it. A thread has the snapshots that
// it takes to itself.
class CopyReader {
 public:
  CopyReader(SharedScenario& scenario, std::unique_ptr<SharedLog> log)
      : scenario_(scenario), log_(std::move(log)) {}

  SharedLog& log() { return *log_; }
  void take(Snapshot* snapshot, uint64_t at_least);
  // As a snapshot's refresh does for copies.
  void refresh(Snapshot* snapshot, uint64_t at_least);
  // What was copied stays.
  void check(const Snapshot& snapshot, uint64_t at_least);
  void release(Snapshot* snapshot);

 private:
  // As JavaScript, which asks for each block once.
  const char* data_of(const PinnedBlock& pinned) {
    const char*& data = data_[pinned.block];
    if (data == nullptr) data = log_->shown(pinned.block).data;
    return data;
  }
  uint32_t count_of(const PinnedBlock& pinned) {
    return log_->readable(model::own<model::atomic<uint32_t>>(data_of(pinned))
                              .load(model::memory_order_acquire));
  }

  SharedScenario& scenario_;
  const std::unique_ptr<SharedLog> log_;
  std::map<uint32_t, const char*> data_;
};

void CopyReader::take(Snapshot* snapshot, uint64_t at_least) {
  model::check(log_->pin_window(0, snapshot) == SharedOutcome::kOk, "damaged");
  check(*snapshot, at_least);
}

void CopyReader::refresh(Snapshot* snapshot, uint64_t at_least) {
  log_->catch_up();
  PinnedBlock& head = snapshot->back();
  head.count = std::max(head.count, count_of(head));
  Snapshot newer;
  model::check(
      log_->pin_window(head.sequence + 1, &newer) == SharedOutcome::kOk,
      "damaged");
  if (newer.empty()) return check(*snapshot, at_least);
  const uint64_t count = newer.front().first_index - head.first_index;
  if (newer.front().sequence != head.sequence + 1 || count_of(head) < count) {
    release(snapshot);
    *snapshot = std::move(newer);
    return check(*snapshot, at_least);
  }
  head.count = static_cast<uint32_t>(count);
  model::check(snapshot->try_append(newer.data(), newer.size()), "no memory");
  check(*snapshot, at_least);
}

void CopyReader::check(const Snapshot& snapshot, uint64_t at_least) {
  model::check(!snapshot.empty(), "no segment in a snapshot");
  uint64_t sequence = snapshot.front().sequence;
  const uint64_t first = snapshot.front().first_index;
  uint64_t end = first;
  for (const PinnedBlock& pinned : snapshot) {
    model::check(pinned.sequence == sequence++, "a segment left out");
    model::check(pinned.first_index == end, "a hole in a snapshot");
    // Another thread may have added to it.
    const uint32_t count = count_of(pinned);
    model::check(count >= pinned.count, "not copied, but given out");
    const char* const entries =
        data_of(pinned) + log_->format().layout.column_offsets()[0];
    for (uint32_t i = 0; i < count; ++i) {
      scenario_.check_entry(
          end + i, model::own<model::Plain<uint64_t>>(entries + i * 8));
    }
    end += pinned.count;
  }
  scenario_.check_window(first, end, at_least);
}

void CopyReader::release(Snapshot* snapshot) {
  for (const PinnedBlock& pinned : *snapshot) {
    log_->unpin(pinned.block, pinned.sequence);
  }
  snapshot->clear();
}

class CopyScenario : public SharedScenario {
 public:
  explicit CopyScenario(const SharedSetup& setup) : SharedScenario(setup) {}

  void finish() override {
    for (const auto& reader : readers_) {
      Snapshot snapshot;
      reader->take(&snapshot, told());
      reader->release(&snapshot);
    }
    readers_.clear();
    SharedScenario::finish();
  }

 protected:
  CopyReader& add_reader() {
    readers_.push_back(
        std::make_unique<CopyReader>(*this, machine().join_read_only()));
    return *readers_.back();
  }
  CopyReader& reader(uint32_t number) { return *readers_[number]; }

 private:
  std::vector<std::unique_ptr<CopyReader>> readers_;
};

// Two processes take a snapshot and refresh it, each with copies of its own.
template <uint32_t kFullSegments, uint32_t kSegmentCapacity, uint32_t kBatch,
          uint32_t kAppends>
class Copies final : public CopyScenario {
 public:
  Copies()
      : CopyScenario({.processes = 1,
                      .full_segments = kFullSegments,
                      .segment_capacity = kSegmentCapacity,
                      .initial = kFullSegments + 1,
                      .batch = kBatch,
                      .may_refuse = false,
                      .has_copies = true}) {
    add_reader();
    add_reader();
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, kAppends);
    CopyReader& reader = this->reader(index - 1);
    Snapshot snapshot;
    reader.take(&snapshot, told());
    reader.refresh(&snapshot, told());
    reader.check(snapshot, 0);
    reader.release(&snapshot);
  }
};

// Two threads of one: what one holds stays as it is while the other takes what is
// newer, and releases it again.
template <uint32_t kSegmentCapacity, uint32_t kAppends>
class CopyThreads final : public CopyScenario {
 public:
  CopyThreads()
      : CopyScenario({.processes = 1,
                      .segment_capacity = kSegmentCapacity,
                      .initial = 2,
                      .may_refuse = false,
                      .has_copies = true}) {
    add_reader().take(&held_, setup().initial);
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, kAppends);
    CopyReader& reader = this->reader(0);
    if (index == 1) {
      reader.refresh(&held_, told());
      reader.refresh(&held_, told());
      return reader.release(&held_);
    }
    for (uint32_t i = 0; i < 2; ++i) {
      Snapshot snapshot;
      reader.take(&snapshot, told());
      reader.check(snapshot, 0);
      reader.check(snapshot, 0);
      reader.release(&snapshot);
    }
  }

 private:
  Snapshot held_;
};

// One sees what another, which pins, has seen and told it of.
class CopyRelay final : public CopyScenario {
 public:
  CopyRelay()
      : CopyScenario({.processes = 2, .initial = 2, .has_copies = true}) {
    add_reader().take(&held_, setup().initial);
  }

  void run(uint32_t index) override {
    if (index == 0) return append(0, 2);
    if (index == 1) {
      Snapshot snapshot;
      take(log(1), &snapshot, setup().initial);
      seen_.store(end_of(snapshot), model::memory_order_release);
      return release(log(1), &snapshot);
    }
    reader(0).refresh(&held_, seen_.load(model::memory_order_acquire));
    reader(0).release(&held_);
  }

 private:
  Snapshot held_;
  model::atomic<uint64_t> seen_;
};

// The writer is killed at any operation, and the next one stages anew.
template <uint32_t kSegmentCapacity, uint32_t kBatch>
class KilledCopies final : public CopyScenario {
 public:
  KilledCopies()
      : CopyScenario({.processes = 2,
                      .segment_capacity = kSegmentCapacity,
                      .initial = 2,
                      .batch = kBatch,
                      .may_refuse = false,
                      .has_copies = true}) {
    doom(0, 0, 50);
    add_reader().take(&held_, setup().initial);
  }

  void run(uint32_t index) override {
    if (index == 2) {
      reader(0).refresh(&held_, told());
      reader(0).refresh(&held_, told());
      return reader(0).release(&held_);
    }
    if (index == 1) claim(1);
    append(index, 2);
    release_claim(index);
  }

 private:
  Snapshot held_;
};

}  // namespace

std::vector<ScenarioKind> copy_scenarios() {
  return {
      {"copies-2", "two processes that copy, a ring of two, 4 rolls", 100,
       make_scenario<Copies<1, 1, 1, 4>>},
      {"copies-3", "the same, a ring of three, 4 rolls", 100,
       make_scenario<Copies<2, 1, 1, 4>>},
      {"copies-batches", "the same in batches of two, segments of three", 100,
       make_scenario<Copies<1, 3, 2, 3>>},
      {"copy-threads", "two threads of one that copies, 4 rolls", 100,
       make_scenario<CopyThreads<1, 4>>},
      {"copy-heads", "the same while heads are filled, 4 rolls", 100,
       make_scenario<CopyThreads<2, 8>>},
      {"copy-relay", "a copy after another reader's snapshot, 2 rolls", 100,
       make_scenario<CopyRelay>},
      {"killed-copies", "the writer is killed, the next goes on", 100,
       make_scenario<KilledCopies<1, 1>>},
      {"killed-copies-batches", "the same in batches, segments of three", 100,
       make_scenario<KilledCopies<3, 2>>},
  };
}

}  // namespace atomic_log::shared_memory
