#include "shared_machine.h"

#include <numeric>
#include <utility>

#include "core/platform/futex.h"
#include "core/platform/thread.h"

namespace atomic_log {

// Any would do.
Crc32Function crc32_function(Crc32Kind) {
  return [](uint32_t sum, const void* data, size_t bytes) {
    const auto* const begin = static_cast<const uint8_t*>(data);
    return std::accumulate(begin, begin + bytes, sum + 1);
  };
}

}  // namespace atomic_log

namespace atomic_log::platform {

// The thread that sleeps for a process is one of the scenario's.
struct Thread::Native {};
Thread::Thread() = default;
Thread::~Thread() = default;
IoStatus Thread::start(std::function<void()>) {
  native_ = std::make_unique<Native>();
  return {};
}
void Thread::join() { native_.reset(); }

// Only the look for the claim goes by time. Were a sleep of the others to end,
// no lost wake-up would be noticed.
void futex_wait(const model::atomic<uint32_t>& word, uint32_t expected,
                std::chrono::nanoseconds time) {
  word.sleep_while(expected, time < std::chrono::milliseconds(10));
}

void futex_wake_all(const model::atomic<uint32_t>& word) { word.wake_all(); }

bool wakes_across_processes() { return true; }

// The thread that dies calls who watches its process, in place of a thread of
// theirs.
ProcessName own_process_name() {
  return shared_memory::SharedMachine::current->name_of_caller();
}
bool ProcessWatch::start(ProcessName name, std::function<void()> ended) {
  auto& machine = *shared_memory::SharedMachine::current;
  stop();
  if (name == kNoProcess) return false;
  const auto tell = [this, ended = std::move(ended)] {
    is_watching_.store(false, model::memory_order_relaxed);
    ended();
  };
  is_watching_.store(true, model::memory_order_relaxed);
  // No other thread goes on between the two.
  if (machine.has_ended(name)) {
    tell();
  } else {
    machine.watch(name, this, tell);
  }
  return true;
}
void ProcessWatch::stop() {
  shared_memory::SharedMachine::current->forget(this);
  is_watching_.store(false, model::memory_order_relaxed);
}

}  // namespace atomic_log::platform

void* model::shared_cell(const void* address) {
  return atomic_log::shared_memory::SharedMachine::current->cell(address);
}

void* model::own_memory(size_t bytes) {
  return atomic_log::shared_memory::SharedMachine::current->own_memory(bytes);
}

std::shared_ptr<void>& model::own_cell(const void* address) {
  return atomic_log::shared_memory::SharedMachine::current->own_cell(address);
}

std::shared_ptr<void>& model::process_cell() {
  return atomic_log::shared_memory::SharedMachine::current->process_cell();
}

namespace atomic_log::shared_memory {
namespace {

// Of each file one after the other. What has cells is never touched.
alignas(memory::kCacheLineBytes) char region[SharedMachine::kFilesMax]
                                            [SharedMachine::kFileBytesMax];
alignas(memory::kCacheLineBytes) char own_region[1 << 16];

}  // namespace

SharedMachine* SharedMachine::current = nullptr;

// Copies are in memory that can be shown where it is.
platform::IoStatus CopyFile::make(const SharedFormat&, CopyFile*) { return {}; }

// Relaxed: a hint.
void SharedLog::store_process_name() {
  process_name(slot_).store(platform::own_process_name(),
                            model::memory_order_relaxed);
}

SharedMachine::SharedMachine(const SharedFormat& format, bool has_copies)
    : format_(format),
      cells_(format.file_bytes / 4),
      locks_(slot_lock(format.options.readers_max)) {
  CORE_CHECK(format.file_bytes <= kFileBytesMax);
  // A run that has failed ends without its destructors, and is then repeated.
  model::is_anyone_doomed = false;
  current = this;
  for (const uint64_t at : {kHeadOffset, kEarlySealsOffset}) {
    add_word(format.control_offset + at, 0);
  }
  add<model::atomic<uint32_t>>(format.control_offset + kEndedOffset);
  add_word(format.control_offset + kWriterProcessOffset, 0);
  add_word(format.control_offset + kWakeOffset, kNoIndex);
  for (uint32_t i = 0; i < format.retained_segments; ++i) {
    add<model::atomic<uint32_t>>(format.ring_offset + uint64_t{i} * 4)
        .store(i == 0 ? 0 : kNoBlock, model::memory_order_relaxed);
  }
  for (uint32_t block = 0; block < format.blocks; ++block) {
    const uint64_t at = format.table_offset + uint64_t{block} * 16;
    const uint64_t sequence = block == 0 ? 0 : kNoSequence | kRetired;
    add_word(at, sequence);
    add_word(at + 8, 0);
    add_word(format.stamps_offset + uint64_t{block} * 8, sequence);
    const uint64_t data =
        format.data_offset + block * format.layout.block_bytes();
    add<memory::PublishedWord>(data);
    if (!has_copies) continue;
    const uint64_t entries = data + format.layout.column_offsets()[0];
    for (uint32_t i = 0; i < format.options.segment_capacity; ++i) {
      add_word(entries + uint64_t{i} * 8, 0);
    }
  }
  for (uint32_t slot = 0; slot < format.options.readers_max; ++slot) {
    const uint64_t at = format.slots_offset + slot * format.slot_bytes;
    add_word(at + kWaitedOffset, kNoIndex);
    add_word(at + kProcessOffset, 0);
    add<model::atomic<uint32_t>>(at + kEpochOffset);
    for (uint32_t block = 0; block < format.blocks; ++block) {
      add_word(at + kEntriesOffset + uint64_t{block} * 8, 0);
    }
  }
}

SharedMachine::~SharedMachine() {
  for (const auto& remove : deletes_) remove();
}

template <typename T>
T& SharedMachine::add(uint64_t offset) {
  T* const cell = new T();
  cells_[offset / 4] = cell;
  deletes_.push_back([cell] { delete cell; });
  return *cell;
}

void SharedMachine::add_word(uint64_t offset, uint64_t value) {
  add<model::atomic<uint64_t>>(offset).store(value,
                                             model::memory_order_relaxed);
}

void* SharedMachine::cell(const void* address) const {
  const auto offset =
      static_cast<size_t>(static_cast<const char*>(address) - region[0]);
  model::check(offset < sizeof(region), "outside of what is shared");
  void* const cell = cells_[offset % kFileBytesMax / 4];
  model::check(cell != nullptr, "outside of what is shared");
  return cell;
}

char* SharedMachine::memory_of(uint32_t file) {
  CORE_CHECK(file < kFilesMax);
  return region[file];
}

size_t Mapping::bytes() const { return SharedMachine::kFileBytesMax; }

std::shared_ptr<void>& SharedMachine::process_cell() {
  return process_cells_[rl::ctx().threadx_->index_];
}

// As a block is: from the beginning of a cache line on.
void* SharedMachine::own_memory(size_t bytes) {
  char* const memory = own_region + own_bytes_;
  const size_t line = memory::kCacheLineBytes;
  own_bytes_ += (bytes + line - 1) / line * line;
  CORE_CHECK(own_bytes_ <= sizeof(own_region));
  return memory;
}

std::shared_ptr<void>& SharedMachine::own_cell(const void* address) {
  const auto* const place = static_cast<const char*>(address);
  model::check(place >= own_region && place < own_region + own_bytes_,
               "outside of what is its own");
  return own_cells_[address];
}

std::unique_ptr<SharedLog> SharedMachine::join_read_only() {
  return std::unique_ptr<SharedLog>(new SharedLog(
      format_, std::make_unique<Handle>(locks_, ++handles_),
      std::make_shared<Mapping>(memory_of(0)), SharedLog::kNoSlot));
}

std::unique_ptr<SharedLog> SharedMachine::join() {
  auto handle = std::make_unique<Handle>(locks_, ++handles_);
  uint32_t slot = 0;
  while (slot < format_.options.readers_max &&
         !handle->try_lock(slot_lock(slot))) {
    ++slot;
  }
  if (slot == format_.options.readers_max) return nullptr;
  return std::unique_ptr<SharedLog>(
      new SharedLog(format_, std::move(handle),
                    std::make_shared<Mapping>(memory_of(0)), slot));
}

void SharedMachine::is_of(uint32_t process) {
  caller_[rl::ctx().threadx_->index_] = process + 1;
}

platform::ProcessName SharedMachine::name_of_caller() const {
  return caller_[rl::ctx().threadx_->index_];
}

bool SharedMachine::has_ended(platform::ProcessName name) const {
  return std::find(ended_.begin(), ended_.end(), name) != ended_.end();
}

void SharedMachine::watch(platform::ProcessName name,
                          const platform::ProcessWatch* watch,
                          std::function<void()> ended) {
  watchers_.push_back({name, watch, std::move(ended)});
}

void SharedMachine::forget(const platform::ProcessWatch* watch) {
  std::erase_if(watchers_,
                [&](const Watcher& other) { return other.watch == watch; });
}

void SharedMachine::tell_of_end(uint32_t process) {
  const platform::ProcessName name = process + 1;
  ended_.push_back(name);
  for (;;) {
    const auto found =
        std::find_if(watchers_.begin(), watchers_.end(),
                     [&](const Watcher& other) { return other.name == name; });
    if (found == watchers_.end()) return;
    const Watcher watcher = std::move(*found);
    watchers_.erase(found);
    watcher.ended();
  }
}

void SharedMachine::release_locks(const SharedLog& log) {
  static_cast<Handle&>(*log.file_).release_all();
}

}  // namespace atomic_log::shared_memory
