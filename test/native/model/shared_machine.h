// Stands in for what processes share: the memory of one log and the kernel's
// locks of its file.
//
//  1. The memory is addresses that no one touches. Each place of it that holds
//     an atomic has that atomic as a cell here (model::shared).
//     So has the memory of copies (model::own), when it is first used.
//  2. A lock belongs to a handle, and does not conflict with itself. Taking one
//     sees the newest state, and everything before its release.
//  3. A process that is killed stops between two operations. Its locks become
//     free after that, one by one, in any order, while others go on. Then those
//     are told who watch it.
#ifndef ATOMIC_LOG_TEST_NATIVE_MODEL_SHARED_MACHINE_H_
#define ATOMIC_LOG_TEST_NATIVE_MODEL_SHARED_MACHINE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "checked.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::shared_memory {

// A handle of a file: its locks, and no more of it unless the scenario is about
// files.
class Handle : public platform::SharedFile {
 public:
  Handle(std::vector<model::atomic<uint32_t>>& locks, uint32_t number)
      : locks_(locks), number_(number) {}

  bool try_lock(uint32_t number) override {
    uint32_t holder = 0;
    if (locks_[number].compare_exchange_strong(holder, number_,
                                               model::memory_order_acq_rel,
                                               model::memory_order_relaxed)) {
      held_.push_back(number);
      return true;
    }
    return holder == number_;
  }
  // Of a lock that it does not have: nothing, as of the kernel's.
  void unlock(uint32_t number) override {
    if (std::find(held_.begin(), held_.end(), number) == held_.end()) return;
    locks_[number].store(0, model::memory_order_release);
    held_.erase(std::find(held_.begin(), held_.end(), number));
  }
  bool is_locked_elsewhere(uint32_t number) override {
    const uint32_t holder =
        locks_[number].fetch_add(0, model::memory_order_relaxed);
    return holder != 0 && holder != number_;
  }
  void release_all() {
    while (!held_.empty()) {
      unlock(held_[rl::rand(static_cast<unsigned>(held_.size()))]);
    }
  }

  platform::IoStatus link(const std::string&) override { return {}; }
  platform::IoStatus size(uint64_t*) override { return {}; }
  platform::IoStatus secure_space(uint64_t) override { return {}; }
  platform::IoStatus identity(platform::FileIdentity*) override { return {}; }
  platform::IoStatus is_own(bool*) override { return {}; }
  platform::IoStatus read_at(uint64_t, void*, size_t, size_t*) override {
    return {};
  }
  platform::IoStatus map(size_t,
                         std::shared_ptr<platform::SharedMapping>*) override {
    return {};
  }

 protected:
  // Of the process's own; kept by the order of its operations.
  std::vector<uint32_t> held_;

 private:
  std::vector<model::atomic<uint32_t>>& locks_;
  const uint32_t number_;
};

// All files have the same cells: no scenario uses two of them as logs.
class Mapping final : public platform::SharedMapping {
 public:
  explicit Mapping(char* data) : data_(data) {}
  char* data() const override { return data_; }
  size_t bytes() const override;
  platform::IoStatus release_file() override { return {}; }

 private:
  char* const data_;
};

class SharedMachine {
 public:
  static constexpr uint32_t kFilesMax = 8;
  static constexpr size_t kFileBytesMax = 1 << 16;

  // A log with one empty segment. The entries have no places unless copies are
  // made of them.
  SharedMachine(const SharedFormat& format, bool has_copies);
  ~SharedMachine();

  // The log of one more process; null when there is no slot for it.
  std::unique_ptr<SharedLog> join();
  // The log of one more process that may only read.
  std::unique_ptr<SharedLog> join_read_only();
  // Those of a process that is dead.
  void release_locks(const SharedLog& log);

  // The name of the process that this thread is of, from now on.
  void is_of(uint32_t process);
  platform::ProcessName name_of_caller() const;
  // Calls each who watches the process.
  void tell_of_end(uint32_t process);
  void watch(platform::ProcessName name, const platform::ProcessWatch* watch,
             std::function<void()> ended);
  void forget(const platform::ProcessWatch* watch);
  bool has_ended(platform::ProcessName name) const;

  void* cell(const void* address) const;
  void* own_memory(size_t bytes);
  std::shared_ptr<void>& own_cell(const void* address);
  std::shared_ptr<void>& process_cell();
  static char* memory_of(uint32_t file);
  static SharedMachine* current;

 private:
  template <typename T>
  T& add(uint64_t offset);
  void add_word(uint64_t offset, uint64_t value);

  const SharedFormat format_;
  std::vector<void*> cells_;  // by offset, in units of four bytes
  std::vector<std::function<void()>> deletes_;
  // Of the memory of copies, which is taken from its beginning, and not given back.
  size_t own_bytes_ = 0;
  std::map<const void*, std::shared_ptr<void>> own_cells_;
  std::shared_ptr<void> process_cells_[model::kThreadsMax];
  std::vector<model::atomic<uint32_t>> locks_;
  uint32_t handles_ = 0;

  // Beside the model.
  struct Watcher {
    platform::ProcessName name;
    const platform::ProcessWatch* watch;
    std::function<void()> ended;
  };
  platform::ProcessName caller_[model::kThreadsMax] = {};
  std::vector<platform::ProcessName> ended_;
  std::vector<Watcher> watchers_;
};

}  // namespace atomic_log::shared_memory

#endif  // ATOMIC_LOG_TEST_NATIVE_MODEL_SHARED_MACHINE_H_
