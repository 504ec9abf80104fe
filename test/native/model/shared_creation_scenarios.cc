// How processes come to a log: the real opening, replacing and unlinking, over
// files that stand for the system's. Each operation on a name or a lock is a step
// before which its process can be killed.
//
//  1. One name. A file is made without it; link() gives it to the file unless
//     another has it.
//  2. The header of a file is memory of its own, and zeros until it is filled.
//  3. The locks of a killed process become free after it stopped, while others go
//     on.
#include <cstring>
#include <exception>
#include <utility>

#include "core/platform/file.h"
#include "shared_scenarios.h"

namespace atomic_log::shared_memory {
namespace {

using platform::IoCode;
using platform::IoStatus;

enum class Act : uint8_t { kOpen, kMake, kReplaceEnded, kUnlink, kNothing };
enum class Found : uint8_t { kNothing, kLog, kOld, kEnded };

constexpr uint32_t kProcesses = memory::kThreads + 1;

struct Inode {
  explicit Inode(uint32_t number, uint32_t maker)
      : number(number), maker(maker), locks(slot_lock(kProcesses)) {}

  const uint32_t number;  // from 1
  const uint32_t maker;
  std::vector<model::atomic<uint32_t>> locks;
  // Of an earlier run, or ended: it may give way.
  bool is_over = false;
  bool is_unlinked = false;
};

uint32_t caller() { return rl::ctx().threadx_->index_; }

class Files {
 public:
  Files() { current = this; }

  Inode& make(uint32_t maker) {
    // Atomics are made, in steps.
    rl::ctx().disable_preemption();
    const auto number = static_cast<uint32_t>(inodes_.size()) + 1;
    std::memset(memory_of(number), 0, SharedMachine::kFileBytesMax);
    inodes_.push_back(std::make_unique<Inode>(number, maker));
    rl::ctx().enable_preemption();
    return *inodes_.back();
  }
  char* memory_of(uint32_t number) {
    return SharedMachine::memory_of(number - 1);
  }
  Inode& inode(uint32_t number) { return *inodes_[number - 1]; }
  // The system has one order of what happens to a name.
  uint32_t named() { return name.fetch_add(0, model::memory_order_acq_rel); }

  model::atomic<uint32_t> name;  // of the file that has it, or 0
  uint32_t handles = 0;
  Act acts[kProcesses] = {};
  // Locks of the dead.
  std::vector<model::atomic<uint32_t>*> orphans;
  static Files* current;

 private:
  std::vector<std::unique_ptr<Inode>> inodes_;
};

Files* Files::current = nullptr;

class FileHandle final : public Handle {
 public:
  FileHandle(Inode& inode)
      : Handle(inode.locks, ++Files::current->handles), inode_(inode) {}
  // The dead get no further than this; a destructor cannot be left.
  ~FileHandle() override {
    if (std::uncaught_exceptions() > 0) {
      for (const uint32_t lock : held_) {
        Files::current->orphans.push_back(&inode_.locks[lock]);
      }
      return;
    }
    uint32_t& left = model::steps_to_live[caller()];
    const uint32_t before = std::exchange(left, model::kForEver);
    release_all();
    left = before;
  }

  IoStatus link(const std::string&) override {
    uint32_t none = 0;
    const bool is_linked = Files::current->name.compare_exchange_strong(
        none, inode_.number, model::memory_order_acq_rel,
        model::memory_order_acquire);
    return is_linked ? IoStatus{} : IoStatus{IoCode::kExists, 0, "link"};
  }
  IoStatus size(uint64_t* bytes) override {
    *bytes = SharedMachine::kFileBytesMax;
    return {};
  }
  IoStatus identity(platform::FileIdentity* identity) override {
    identity->file = inode_.number;
    return {};
  }
  IoStatus is_own(bool* is_own) override {
    *is_own = true;
    return {};
  }
  IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                   size_t* read) override {
    const model::Step step;
    std::memcpy(data, Files::current->memory_of(inode_.number) + offset, bytes);
    *read = bytes;
    return {};
  }
  IoStatus map(size_t,
               std::shared_ptr<platform::SharedMapping>* mapping) override {
    const model::Step step;
    *mapping =
        std::make_shared<Mapping>(Files::current->memory_of(inode_.number));
    return {};
  }

  Inode& inode() const { return inode_; }

 private:
  Inode& inode_;
};

// Only which file has the name is asked.
class Names final : public platform::FileSystem {
 public:
  IoStatus identity(const std::string&,
                    platform::FileIdentity* identity) override {
    identity->file = Files::current->named();
    if (identity->file == 0) return {IoCode::kNotFound, 0, "stat"};
    return {};
  }

  IoStatus open(const std::string&, platform::OpenMode,
                std::unique_ptr<platform::File>*) override {
    return {};
  }
  IoStatus remove(const std::string&) override { return {}; }
  IoStatus rename(const std::string&, const std::string&) override {
    return {};
  }
  IoStatus link(const std::string&, const std::string&) override { return {}; }
  IoStatus list(const std::string&, List<std::string>*) override { return {}; }
  IoStatus make_directory(const std::string&) override { return {}; }
  IoStatus remove_directory(const std::string&) override { return {}; }
  IoStatus check_writable(const std::string&) override { return {}; }
  IoStatus open_directory(const std::string&,
                          std::unique_ptr<platform::Directory>*) override {
    return {};
  }
};

// Three processes, each of which does one thing with the name; some are killed
// anywhere. In the end one more opens the log.
class Creation : public memory::Scenario {
 public:
  Creation(Found found, Act first, Act second, Act third, uint32_t doomed)
      : format_(format()), machine_(format_, false), doomed_(doomed) {
    model::has_process_barrier = false;
    model::is_anyone_doomed = false;
    files_.acts[0] = first;
    files_.acts[1] = second;
    files_.acts[2] = third;
    if (found == Found::kNothing) return;
    Inode& inode = files_.make(memory::kThreads);
    inode.is_over = found != Found::kLog;
    SharedFormat header = format_;
    (void)platform::boot_id(&header.boot_id);
    if (found == Found::kOld) ++header.boot_id.bytes[0];
    char* const memory = files_.memory_of(inode.number);
    header.encode(reinterpret_cast<uint8_t*>(memory));
    memory[format_.control_offset + kEndedOffset] = found == Found::kEnded;
    files_.name.store(inode.number, model::memory_order_release);
  }
  ~Creation() override { model::is_anyone_doomed = false; }

  void thread(uint32_t index) override {
    const bool is_doomed = (doomed_ >> index & 1) != 0;
    model::steps_to_live[index] = is_doomed ? rl::rand(60) : model::kForEver;
    if (is_doomed) model::is_anyone_doomed = true;
    try {
      act(index, files_.acts[index]);
      model::steps_to_live[index] = model::kForEver;
    } catch (const model::Killed&) {
      model::survive();
      if (logs_[index] != nullptr) {
        static_cast<FileHandle&>(*logs_[index]->file_).release_all();
        dead_ = std::move(logs_[index]);
      }
      std::vector<model::atomic<uint32_t>*> orphans;
      orphans.swap(files_.orphans);
      for (auto* const lock : orphans) {
        lock->store(0, model::memory_order_release);
      }
    }
  }

  void finish() override {
    model::is_anyone_doomed = false;
    const uint32_t last = memory::kThreads;
    act(last, Act::kOpen);
    Inode& named = files_.inode(files_.named());
    model::check(inode_of(last).number == named.number,
                 "not what has the name");
    model::check(!named.is_over, "not replaced");
    for (uint32_t i = 0; i < last; ++i) {
      if (logs_[i] == nullptr) continue;
      const Inode& inode = inode_of(i);
      model::check(
          inode.number == named.number || inode.is_over || inode.is_unlinked,
          "two logs");
      for (uint32_t j = 0; j < i; ++j) {
        model::check(logs_[j] == nullptr ||
                         inode_of(j).number != inode.number ||
                         logs_[j]->slot() != logs_[i]->slot(),
                     "two processes in a slot");
      }
    }
    for (auto& log : logs_) log.reset();
    dead_.reset();
  }

 private:
  static SharedLogOptions options() {
    SharedLogOptions options;
    options.retained_capacity = 1;
    options.segment_capacity = 1;
    options.element_bytes = {8};
    options.readers_max = kProcesses;
    return options;
  }
  static SharedFormat format() {
    SharedFormat format;
    model::check(SharedFormat::make(options(), &format), "no log");
    return format;
  }
  Inode& inode_of(uint32_t process) const {
    return static_cast<FileHandle&>(*logs_[process]->file_).inode();
  }

  void act(uint32_t process, Act act) {
    if (act == Act::kNothing) return;
    // Whoever is killed has its handles closed by the system.
    OpenResult result;
    do {
      result = act == Act::kUnlink ? SharedLog::unlink("log")
                                   : open(act, &logs_[process]);
      // One that was slow had the lock.
    } while (result.io.code == IoCode::kLocked);
    if (act == Act::kUnlink && result.io.code == IoCode::kNotFound) return;
    if (act == Act::kMake && result.io.code == IoCode::kExists) return;
    model::check(result.outcome == SharedOutcome::kOk, "refused");
    if (act == Act::kMake) {
      model::check(inode_of(process).maker == process, "made by another");
    }
  }

  OpenResult open(Act act, std::shared_ptr<SharedLog>* log) {
    const SharedLogOptions options = this->options();
    const SharedOpenMode mode = act == Act::kMake ? SharedOpenMode::kCreate
                                : act == Act::kReplaceEnded
                                    ? SharedOpenMode::kReplaceEnded
                                    : SharedOpenMode::kCreateOrJoin;
    return SharedLog::open("log", mode, &options, 0600, {}, log);
  }

  const SharedFormat format_;
  SharedMachine machine_;
  Files files_;
  const uint32_t doomed_;  // threads, as bits
  std::shared_ptr<SharedLog> logs_[kProcesses];
  std::shared_ptr<SharedLog> dead_;  // of the one that was killed
};

template <Found kFound, Act kFirst, Act kSecond, Act kThird, uint32_t kDoomed>
class CreationOf final : public Creation {
 public:
  CreationOf() : Creation(kFound, kFirst, kSecond, kThird, kDoomed) {}
};

}  // namespace

std::vector<ScenarioKind> creation_scenarios() {
  constexpr Act kOpen = Act::kOpen;
  return {
      {"makers", "three make or join it, one is killed", 100,
       make_scenario<CreationOf<Found::kNothing, kOpen, kOpen, kOpen, 1>>},
      {"exclusive", "two make it, each a new one, one is killed", 100,
       make_scenario<
           CreationOf<Found::kNothing, Act::kMake, Act::kMake, kOpen, 1>>},
      {"replaces", "one of an earlier run is replaced, one is killed", 100,
       make_scenario<CreationOf<Found::kOld, kOpen, kOpen, kOpen, 1>>},
      {"replaces-ended", "one that has ended is replaced, one is killed", 100,
       make_scenario<CreationOf<Found::kEnded, Act::kReplaceEnded,
                                Act::kReplaceEnded, kOpen, 1>>},
      {"unlinks-old", "one is replaced and unlinked, one is killed", 100,
       make_scenario<CreationOf<Found::kOld, Act::kUnlink, kOpen, kOpen, 1>>},
      {"unlinks", "one is unlinked twice, and made again", 100,
       make_scenario<
           CreationOf<Found::kLog, Act::kUnlink, Act::kUnlink, kOpen, 2>>},
  };
}

}  // namespace atomic_log::shared_memory

namespace atomic_log::platform {

using shared_memory::FileHandle;
using shared_memory::Files;

IoStatus boot_id(BootId* id) {
  *id = {{1}};
  return {};
}
uint64_t process_id() { return shared_memory::caller() + 1; }

FileSystem& native_file_system() {
  static shared_memory::Names names;
  return names;
}

IoStatus SharedFile::create(const std::string&, uint32_t, uint64_t,
                            std::unique_ptr<SharedFile>* file) {
  *file = std::make_unique<FileHandle>(
      Files::current->make(shared_memory::caller()));
  return {};
}

IoStatus SharedFile::open(const std::string&, SharedAccess,
                          std::unique_ptr<SharedFile>* file) {
  const uint32_t named = Files::current->named();
  if (named == 0) return {IoCode::kNotFound, 0, "open"};
  *file = std::make_unique<FileHandle>(Files::current->inode(named));
  return {};
}

IoStatus SharedFile::follow_links(const std::string& path, std::string* file) {
  *file = path;
  return {};
}

IoStatus SharedFile::unlink(const std::string&) {
  Files& files = *Files::current;
  const uint32_t named = files.name.exchange(0, model::memory_order_acq_rel);
  if (named == 0) return {IoCode::kNotFound, 0, "unlink"};
  shared_memory::Inode& inode = files.inode(named);
  if (files.acts[shared_memory::caller()] == shared_memory::Act::kUnlink) {
    inode.is_unlinked = true;
  } else {
    model::check(inode.is_over, "a log that is used has lost its name");
  }
  return {};
}

}  // namespace atomic_log::platform
