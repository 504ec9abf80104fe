#include "shared_scenario.h"

#include <algorithm>

namespace atomic_log::shared_memory {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

}  // namespace

void Flag::wake() {
  is_woken_ = true;
  if (stops_ == nullptr) return;
  stops_->is_stopped_.store(true, model::memory_order_relaxed);
  stops_->wake(stops_->place_.own_slot);
}

SharedFormat SharedScenario::format_of(const SharedSetup& setup) {
  SharedLogOptions options;
  options.retained_capacity =
      uint64_t{setup.full_segments} * setup.segment_capacity;
  options.segment_capacity = setup.segment_capacity;
  options.element_bytes = {8};
  options.readers_max = setup.readers_max;
  options.extra_segments = setup.extra_segments;
  SharedFormat format;
  model::check(SharedFormat::make(options, &format), "no log");
  return format;
}

SharedScenario::SharedScenario(const SharedSetup& setup)
    : setup_(setup),
      format_(format_of(setup)),
      machine_(new SharedMachine(format_, setup.has_copies)),
      entries_(new Entry[format_.blocks * setup.segment_capacity]),
      may_refuse_(setup.may_refuse) {
  model::has_process_barrier = false;
  model::is_anyone_doomed = false;
  std::fill_n(doomed_process_, memory::kThreads, kNone);
  for (uint32_t i = 0; i < setup.processes; ++i) join();
  claim(0);
  while (published_ < setup.initial) append(0, 1);
}

SharedScenario::~SharedScenario() { model::is_anyone_doomed = false; }

SharedLog* SharedScenario::join() {
  std::unique_ptr<SharedLog> log = machine_->join();
  if (log == nullptr) return nullptr;
  processes_.push_back({std::move(log)});
  return processes_.back().log.get();
}

void SharedScenario::leave(uint32_t process) {
  // Not while it destroys the log: a destructor cannot be left.
  model::spare();
  processes_[process].log.reset();
  processes_[process].is_dead = true;
}

void SharedScenario::doom(uint32_t thread, uint32_t process,
                          uint32_t operations) {
  doomed_process_[thread] = process;
  operations_[thread] = rl::rand(operations);
}

void SharedScenario::thread(uint32_t index) {
  const uint32_t process = doomed_process_[index];
  model::steps_to_live[index] =
      process == kNone ? model::kForEver : operations_[index];
  if (process != kNone) model::is_anyone_doomed = true;
  try {
    run(index);
    model::steps_to_live[index] = model::kForEver;
  } catch (const model::Killed&) {
    // Its claim is not counted any more before anyone else can have it.
    processes_[process].is_dead = true;
    processes_[process].is_writer = false;
    model::survive();
    machine_->release_locks(log(process));
    machine_->tell_of_end(process);
  }
}

void SharedScenario::kill(uint32_t process) {
  processes_[process].is_dead = true;
  processes_[process].is_writer = false;
  machine_->release_locks(log(process));
  machine_->tell_of_end(process);
}

// --- The claim.

bool SharedScenario::try_claim(uint32_t process) {
  SharedLog& log = this->log(process);
  machine_->is_of(process);
  bool is_claimed = false;
  const SharedOutcome outcome = log.try_claim(&is_claimed);
  model::check(outcome == SharedOutcome::kOk, "damaged");
  if (!is_claimed) return false;
  for (Process& other : processes_) {
    model::check(!other.is_writer, "two writers");
  }
  processes_[process].is_writer = true;
  model::check(end_of(log) >= published_, "what was published is missing");
  model::check(end_of(log) >= seen_, "what was seen is missing");
  return true;
}

void SharedScenario::claim(uint32_t process) {
  while (!try_claim(process)) rl::yield(1, RL_INFO);
}

void SharedScenario::release_claim(uint32_t process) {
  processes_[process].is_writer = false;
  log(process).release_claim();
}

// --- The holder of the claim.

void SharedScenario::stage(const SharedLog& log, uint32_t staged) {
  const SharedLog::Cursor& head = log.cursor();
  const uint64_t index = head.first_index + staged;
  if (values_.size() <= index) values_.resize(index + 1);
  values_[index] = ++last_value_;
  entry(head.block, staged) = last_value_;
  if (!setup_.has_copies) return;
  // Who copies it may come too early, and finds that out afterwards.
  const char* const entries =
      log.block_data(head.block) + format_.layout.column_offsets()[0];
  model::shared<model::atomic<uint64_t>>(entries + staged * 8)
      .store(last_value_, model::memory_order_relaxed);
}

void SharedScenario::roll(uint32_t process, uint32_t staged) {
  for (;;) {
    const Status status = log(process).roll(staged);
    if (status == Status::kOk) return;
    model::check(status == Status::kPinned, "roll failed");
    model::check(may_refuse_, "refused, though no one holds a block");
    rl::yield(1, RL_INFO);
  }
}

void SharedScenario::append(uint32_t process, uint32_t publications) {
  SharedLog& log = this->log(process);
  uint32_t staged = log.cursor().published;
  for (uint32_t i = 0; i < publications; ++i) {
    for (uint32_t j = 0; j < setup_.batch; ++j) {
      if (staged == setup_.segment_capacity) {
        roll(process, staged);
        staged = 0;
      }
      stage(log, staged++);
    }
    log.publish(staged);
    published_ = end_of(log);
    told_.store(published_, model::memory_order_release);
  }
}

// --- Readers.

void SharedScenario::pin_downwards(SharedLog& log) {
  const uint64_t head = log.head().load(model::memory_order_acquire);
  for (uint64_t sequence = head;; --sequence) {
    const uint32_t block = log.try_pin(sequence);
    if (block == kNoBlock) {
      // The ring names its successor one step before the head is stored.
      model::check(sequence + log.format().retained_segments - 1 <=
                       log.head().load(model::memory_order_acquire),
                   "gone, but never replaced");
      return;
    }
    log.unpin(block, sequence);
    if (sequence == 0) return;
  }
}

void SharedScenario::saw(uint64_t end) {
  model::check(end <= values_.size(), "entries that no one has staged");
  seen_ = std::max(seen_, end);
}

void SharedScenario::take(SharedLog& log, Snapshot* snapshot,
                          uint64_t at_least) {
  model::check(log.pin_window(0, snapshot) == SharedOutcome::kOk, "damaged");
  check(log, *snapshot, at_least);
}

// As a snapshot's refresh does: keeps what it holds when the new segments
// follow without a gap.
void SharedScenario::refresh(SharedLog& log, Snapshot* snapshot,
                             uint64_t at_least) {
  PinnedBlock& head = snapshot->back();
  const uint32_t word = log.word(head.block).acquire();
  head.count = log.readable(word);
  if (memory::PublishedWord::is_sealed(word)) {
    Snapshot newer;
    model::check(
        log.pin_window(head.sequence + 1, &newer) == SharedOutcome::kOk,
        "damaged");
    model::check(!newer.empty(), "sealed, but the successor is not there");
    if (newer.front().sequence == head.sequence + 1) {
      const uint64_t newest = newer.back().sequence;
      size_t lost = 0;
      for (const PinnedBlock& pinned : *snapshot) {
        if (pinned.sequence + setup_.full_segments >= newest) break;
        log.unpin(pinned.block, pinned.sequence);
        ++lost;
      }
      snapshot->drop_front(lost);
      model::check(snapshot->try_append(newer.data(), newer.size()),
                   "no memory");
    } else {
      release(log, snapshot);
      *snapshot = std::move(newer);
    }
  }
  check(log, *snapshot, at_least);
}

void SharedScenario::check(SharedLog& log, const Snapshot& snapshot,
                           uint64_t at_least) {
  model::check(!snapshot.empty(), "no segment in a snapshot");
  uint64_t sequence = snapshot.front().sequence;
  const uint64_t first = snapshot.front().first_index;
  uint64_t end = first;
  for (const PinnedBlock& pinned : snapshot) {
    model::check(pinned.sequence == sequence++, "a segment left out");
    model::check(pinned.first_index == end, "a hole in a snapshot");
    const uint64_t stands =
        log.sequence_of(pinned.block).load(model::memory_order_relaxed);
    model::check((stands & ~kRetired) == pinned.sequence,
                 "used again while held");
    const uint64_t held =
        log.entry(log.slot(), pinned.block).load(model::memory_order_relaxed);
    model::check(shared_memory::Entry::holders_of(held) > 0 &&
                     shared_memory::Entry::sequence_of(held) == pinned.sequence,
                 "a pin that was taken away");
    for (uint32_t i = 0; i < pinned.count; ++i) {
      check_entry(end + i, entry(pinned.block, i));
    }
    end += pinned.count;
  }
  check_window(first, end, at_least);
}

void SharedScenario::check_window(uint64_t first, uint64_t end,
                                  uint64_t at_least) {
  model::check(end >= at_least, "misses an append that was over before");
  model::check(end > first || setup_.initial == 0,
               "empty, although the log never was");
  model::check(first == 0 || end - first >= format_.options.retained_capacity,
               "less than the retained capacity");
  saw(end);
}

void SharedScenario::check_bounds(SharedLog& log, uint64_t at_least) {
  memory::WindowBounds bounds = {};
  model::check(log.bounds(&bounds) == SharedOutcome::kOk, "damaged");
  model::check(
      bounds.end_index - bounds.first_index <=
          uint64_t{format_.retained_segments} * setup_.segment_capacity,
      "more than the window");
  check_window(bounds.first_index, bounds.end_index, at_least);
}

void SharedScenario::release(SharedLog& log, Snapshot* snapshot) {
  for (const PinnedBlock& pinned : *snapshot) {
    log.unpin(pinned.block, pinned.sequence);
  }
  snapshot->clear();
}

void SharedScenario::finish() {
  model::is_anyone_doomed = false;
  for (uint32_t i = 0; i < processes_.size(); ++i) {
    if (processes_[i].is_writer) release_claim(i);
    if (processes_[i].is_dead) continue;
    SharedLog& log = this->log(i);
    for (uint32_t block = 0; block < format_.blocks; ++block) {
      const uint64_t held =
          log.entry(log.slot(), block).load(model::memory_order_relaxed);
      model::check(shared_memory::Entry::holders_of(held) == 0,
                   "a pin of no one");
    }
  }
  SharedLog* const last = join();
  model::check(last != nullptr, "a slot of a dead process is not free");
  const uint32_t number = static_cast<uint32_t>(processes_.size()) - 1;
  if (!last->has_ended()) {
    claim(number);
    may_refuse_ = false;
    const uint64_t head = last->cursor().sequence;
    while (last->cursor().sequence <= head + format_.blocks) append(number, 1);
  }
  Snapshot snapshot;
  take(*last, &snapshot, published_);
  model::check(last->stats().pinned == 0, "a pin of the dead is counted");
  release(*last, &snapshot);
}

}  // namespace atomic_log::shared_memory
