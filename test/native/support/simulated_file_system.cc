#include "support/simulated_file_system.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/platform/io_loop.h"

namespace atomic_log::test {

using platform::IoCode;
using platform::IoStatus;
using platform::IoStep;
using platform::OpenMode;
using platform::parent_of;

namespace {

constexpr uint64_t kUnit = SimulatedFileSystem::kUnitBytes;

Bytes unit_of(const Bytes& bytes, uint64_t unit) {
  const size_t begin = std::min<size_t>(unit * kUnit, bytes.size());
  const size_t end = std::min<size_t>(begin + kUnit, bytes.size());
  Bytes result(bytes.begin() + static_cast<ptrdiff_t>(begin),
               bytes.begin() + static_cast<ptrdiff_t>(end));
  result.resize(kUnit);
  return result;
}

bool changes_something(std::string_view operation) {
  static constexpr std::string_view kChanges[] = {
      "write", "preallocate",    "remove",           "rename",
      "link",  "make_directory", "remove_directory", "check_writable"};
  return std::find(std::begin(kChanges), std::end(kChanges), operation) !=
         std::end(kChanges);
}

void put_unit(Bytes& bytes, uint64_t unit, const Bytes& value) {
  const size_t begin = unit * kUnit;
  if (begin >= bytes.size()) return;
  std::memcpy(bytes.data() + begin, value.data(),
              std::min<size_t>(kUnit, bytes.size() - begin));
}

}  // namespace

class SimulatedFile final : public platform::File {
 public:
  SimulatedFile(SimulatedFileSystem& system,
                std::shared_ptr<SimulatedFileSystem::Inode> inode,
                bool is_writable)
      : system_(system),
        open_files_(system.open_files_),
        inode_(std::move(inode)),
        is_writable_(is_writable) {
    ++*open_files_;
  }
  ~SimulatedFile() override {
    --*open_files_;
    if (holds_lock_) inode_->is_locked = false;
  }

  IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                   size_t* read) override {
    return platform::read_fully(
        offset, data, bytes, read,
        [this](uint64_t from, uint8_t* to, size_t count) -> IoStep {
          if (is_interrupted()) return {0, true, {}};
          const IoStatus status = system_.begin("read");
          if (!status.ok()) return {0, false, status};
          const size_t size = inode_->seen.size();
          if (from >= size) return {};
          count = std::min({count, size - from, system_.step_bytes_});
          std::memcpy(to, inode_->seen.data() + from, count);
          return {count, false, {}};
        });
  }

  IoStatus write_at(uint64_t offset, const void* data, size_t bytes) override {
    if (!is_writable_) return {IoCode::kDenied, 0, "write"};
    return platform::write_fully(
        offset, data, bytes,
        [this](uint64_t to, const uint8_t* from, size_t count) -> IoStep {
          if (is_interrupted()) return {0, true, {}};
          bool is_last = false;
          IoStatus status = system_.begin("write", &is_last);
          count = std::min(count, system_.step_bytes_);
          if (status.ok()) {
            status = system_.check_space(*inode_, to + count, "write");
          }
          if (status.ok() || is_last) {
            system_.write_unit_states(*inode_, to, from, count);
          }
          if (!status.ok()) return {0, false, status};
          return {count, false, {}};
        });
  }

  IoStatus size(uint64_t* bytes) override {
    const IoStatus status = system_.begin("size");
    if (status.ok()) *bytes = inode_->seen.size();
    return status;
  }

  IoStatus preallocate(uint64_t bytes) override {
    IoStatus status = system_.begin("preallocate");
    if (status.ok()) {
      status = system_.check_space(*inode_, bytes, "preallocate");
    }
    if (!status.ok()) return status;
    inode_->seen.resize(bytes);
    inode_->is_length_dirty = true;
    return {};
  }

  IoStatus sync_data() override { return sync("sync_data"); }
  IoStatus sync_all() override { return sync("sync_all"); }

  IoStatus lock() override {
    const IoStatus status = system_.begin("lock");
    if (!status.ok()) return status;
    if (inode_->is_locked) return {IoCode::kLocked, 0, "lock"};
    inode_->is_locked = true;
    holds_lock_ = true;
    return {};
  }

  IoStatus is_locked(bool* is_locked) override {
    const IoStatus status = system_.begin("is_locked");
    if (status.ok()) *is_locked = inode_->is_locked && !holds_lock_;
    return status;
  }

  IoStatus identity(platform::FileIdentity* identity) override {
    // Apart from every other simulated disk.
    *identity = {reinterpret_cast<uintptr_t>(&system_), inode_->id};
    return {};
  }

  IoStatus map(size_t, std::unique_ptr<platform::FileMapping>*) override {
    return {IoCode::kUnsupported, 0, "map"};
  }
  void will_read(uint64_t, uint64_t) override {}
  IoStatus renew(platform::FileMapping&) override {
    return {IoCode::kUnsupported, 0, "map"};
  }

 private:
  bool is_interrupted() {
    if (!system_.interrupts_) return false;
    system_.interrupt_next_ = !system_.interrupt_next_;
    return system_.interrupt_next_;
  }

  IoStatus sync(const char* name) {
    const IoStatus status = system_.begin(name);
    if (!system_.has_power_) return status;
    ++system_.syncs_;
    if (status.ok()) {
      if (inode_->is_length_dirty) inode_->on_disk.resize(inode_->seen.size());
      inode_->is_length_dirty = false;
      for (const auto& [unit, states] : inode_->dirty) {
        put_unit(inode_->on_disk, unit, states.back());
      }
    }
    // After a failure the pages count as clean although they never reached the
    // disk: the next sync "succeeds" without them. Seen on ext4.
    inode_->dirty.clear();
    return status;
  }

  SimulatedFileSystem& system_;
  const std::shared_ptr<int64_t> open_files_;
  const std::shared_ptr<SimulatedFileSystem::Inode> inode_;
  const bool is_writable_;
  bool holds_lock_ = false;
};

class SimulatedDirectory final : public platform::Directory {
 public:
  SimulatedDirectory(SimulatedFileSystem& system, std::string path)
      : system_(system), path_(std::move(path)) {}

  IoStatus sync() override { return system_.sync_names(path_); }

 private:
  SimulatedFileSystem& system_;
  const std::string path_;
};

IoStatus SimulatedFileSystem::begin(const char* name, bool* is_last) {
  if (on_operation) on_operation(name);
  if (!has_power_) return {IoCode::kFailed, 0, name};
  if (is_read_only_ && changes_something(name)) {
    return {IoCode::kDenied, 0, name};
  }
  if (!counted_.empty() && counted_ != name) return {};
  const uint64_t number = operations_++;
  if (number < fault_at_ || fault_ == Fault::kNone) return {};
  if (fault_ == Fault::kPowerOff) {
    has_power_ = false;
    if (is_last != nullptr) *is_last = true;
    return {IoCode::kFailed, 0, name};
  }
  if (fault_ == Fault::kOnce && number > fault_at_) return {};
  return {fault_code_, 5, name};
}

IoStatus SimulatedFileSystem::check_space(const Inode& inode, uint64_t bytes,
                                          const char* name) {
  if (bytes <= inode.seen.size()) return {};
  bool has_room = !is_full_;
  if (space_state_ != 0) {
    space_state_ ^= space_state_ << 13;
    space_state_ ^= space_state_ >> 7;
    space_state_ ^= space_state_ << 17;
    has_room = has_room && (space_state_ >> 20) % 2 == 0;
  }
  return has_room ? IoStatus{} : IoStatus{IoCode::kNoSpace, 28, name};
}

void SimulatedFileSystem::copy_space(SimulatedFileSystem& to) const {
  to.is_full_ = is_full_;
  to.space_state_ = space_state_;
}

void SimulatedFileSystem::fail_at(uint64_t number, Fault fault, IoCode code) {
  operations_ = 0;
  fault_at_ = number;
  fault_ = fault;
  fault_code_ = code;
}

void SimulatedFileSystem::write_unit_states(Inode& inode, uint64_t offset,
                                            const uint8_t* data, size_t bytes) {
  if (inode.seen.size() < offset + bytes) {
    inode.seen.resize(offset + bytes);
    inode.is_length_dirty = true;
  }
  std::memcpy(inode.seen.data() + offset, data, bytes);
  if (bytes == 0) return;
  for (uint64_t unit = offset / kUnit; unit <= (offset + bytes - 1) / kUnit;
       ++unit) {
    Bytes state = unit_of(inode.seen, unit);
    // What the disk has already cannot be lost.
    if (inode.dirty.count(unit) == 0 && state == unit_of(inode.on_disk, unit)) {
      continue;
    }
    std::vector<Bytes>& states = inode.dirty[unit];
    if (states.empty() || states.back() != state) {
      states.push_back(std::move(state));
    }
  }
}

void SimulatedFileSystem::change_names(NameOperation operation) {
  apply(operation, &names_);
  dirty_names_.push_back(std::move(operation));
}

void SimulatedFileSystem::apply(const NameOperation& operation, Names* names) {
  for (const NameChange& change : operation) {
    if (!change.moved_from.empty()) {
      const std::string prefix = change.moved_from + "/";
      Names moved;
      for (auto it = names->lower_bound(prefix);
           it != names->end() &&
           it->first.compare(0, prefix.size(), prefix) == 0;
           it = names->erase(it)) {
        moved[change.path + "/" + it->first.substr(prefix.size())] = it->second;
      }
      names->merge(moved);
    } else if (change.inode == nullptr) {
      names->erase(change.path);
    } else {
      (*names)[change.path] = change.inode;
    }
  }
}

bool SimulatedFileSystem::is_directory(const std::string& path) const {
  const auto inside = names_.lower_bound(path + "/");
  return made_directories_.count(path) > 0 ||
         (inside != names_.end() &&
          inside->first.compare(0, path.size() + 1, path + "/") == 0);
}

IoStatus SimulatedFileSystem::open(const std::string& path, OpenMode mode,
                                   std::unique_ptr<platform::File>* file) {
  const IoStatus status = begin("open");
  if (!status.ok()) return status;
  if (is_read_only_ && mode != OpenMode::kRead) {
    return {IoCode::kDenied, 0, "open"};
  }
  const auto found = names_.find(path);
  InodePointer inode;
  if (mode == OpenMode::kCreateNew) {
    if (found != names_.end()) return {IoCode::kExists, 0, "open"};
    inode = std::make_shared<Inode>();
    inode->id = next_id_++;
    inodes_.push_back(inode);
    change_names({{path, inode}});
  } else {
    if (is_directory(path)) return {IoCode::kNotAFile, 0, "open"};
    if (found == names_.end()) return {IoCode::kNotFound, 0, "open"};
    inode = found->second;
  }
  *file =
      std::make_unique<SimulatedFile>(*this, inode, mode != OpenMode::kRead);
  return {};
}

IoStatus SimulatedFileSystem::remove(const std::string& path) {
  IoStatus status = begin("remove");
  // Of a file that is there a server says so when it gets a request twice, and
  // has done the first.
  if (status.ok() && !exists(path)) status = {IoCode::kNotFound, 0, "remove"};
  const bool is_gone = status.code == IoCode::kNotFound && exists(path);
  if (status.ok() || is_gone) change_names({{path, nullptr}});
  return status;
}

IoStatus SimulatedFileSystem::rename(const std::string& from,
                                     const std::string& to) {
  const IoStatus status = begin("rename");
  if (!status.ok()) return status;
  if (is_directory(from)) {
    if (exists(to) || is_directory(to)) return {IoCode::kExists, 0, "rename"};
    if (made_directories_.erase(from) > 0) made_directories_.insert(to);
    change_names({{to, nullptr, from}});
    return {};
  }
  if (!exists(from)) return {IoCode::kNotFound, 0, "rename"};
  change_names({{to, names_[from]}, {from, nullptr}});
  return {};
}

IoStatus SimulatedFileSystem::link(const std::string& from,
                                   const std::string& to) {
  const IoStatus status = begin("link");
  if (!status.ok()) return status;
  if (!has_links_) return {IoCode::kFailed, 0, "link"};
  if (!exists(from)) return {IoCode::kNotFound, 0, "link"};
  if (exists(to)) return {IoCode::kExists, 0, "link"};
  change_names({{to, names_[from]}});
  return {};
}

IoStatus SimulatedFileSystem::list(const std::string& directory,
                                   List<std::string>* names) {
  const IoStatus status = begin("list");
  if (!status.ok()) return status;
  names->clear();
  for (const auto& [path, inode] : names_) {
    if (parent_of(path) == directory) {
      if (!names->try_push_back(path.substr(path.find_last_of('/') + 1))) {
        return platform::kNoMemory;
      }
      continue;
    }
    // A directory in it, by the files that it has.
    const std::string prefix = directory + "/";
    if (path.compare(0, prefix.size(), prefix) != 0) continue;
    std::string name = path.substr(prefix.size());
    name.resize(name.find('/'));
    const bool is_new = names->empty() || names->back() != name;
    if (is_new && !names->try_push_back(std::move(name))) {
      return platform::kNoMemory;
    }
  }
  return {};
}

IoStatus SimulatedFileSystem::make_directory(const std::string& path) {
  if (!makes_directories_ || is_directory(path) || exists(path)) {
    return {IoCode::kExists, 0, "make_directory"};
  }
  const IoStatus status = begin("make_directory");
  if (status.ok()) made_directories_.insert(path);
  return status;
}

IoStatus SimulatedFileSystem::remove_directory(const std::string& path) {
  const IoStatus status = begin("remove_directory");
  if (!status.ok()) return status;
  const bool was_made = made_directories_.erase(path) > 0;
  if (!is_directory(path)) {
    return was_made ? IoStatus{}
                    : IoStatus{IoCode::kNotFound, 0, "remove_directory"};
  }
  if (was_made) made_directories_.insert(path);
  return {IoCode::kExists, 0, "remove_directory"};
}

IoStatus SimulatedFileSystem::check_writable(const std::string&) {
  return begin("check_writable");
}

IoStatus SimulatedFileSystem::open_directory(
    const std::string& path, std::unique_ptr<platform::Directory>* directory) {
  const IoStatus status = begin("open_directory");
  if (status.ok()) {
    *directory = std::make_unique<SimulatedDirectory>(*this, path);
  }
  return status;
}

IoStatus SimulatedFileSystem::identity(const std::string& path,
                                       platform::FileIdentity* identity) {
  const IoStatus status = begin("identity");
  if (!status.ok()) return status;
  if (is_directory(path)) {
    // Apart from every file.
    *identity = {reinterpret_cast<uintptr_t>(this) + 1,
                 std::hash<std::string>{}(path)};
    return {};
  }
  const auto found = names_.find(path);
  if (found == names_.end()) return {IoCode::kNotFound, 0, "identity"};
  *identity = {reinterpret_cast<uintptr_t>(this), found->second->id};
  return {};
}

IoStatus SimulatedFileSystem::sync_names(const std::string& directory) {
  const IoStatus status = begin("sync_directory");
  if (!has_power_) return status;
  std::vector<NameOperation> kept;
  for (NameOperation& operation : dirty_names_) {
    const bool is_here = std::any_of(
        operation.begin(), operation.end(), [&](const auto& change) {
          return parent_of(change.path) == directory;
        });
    // Names of a failed sync wait for the next one: unlike bytes, nothing could
    // write them again.
    if (!is_here || !status.ok()) {
      kept.push_back(std::move(operation));
      continue;
    }
    apply(operation, &names_on_disk_);
  }
  dirty_names_ = std::move(kept);
  return status;
}

std::vector<uint32_t> SimulatedFileSystem::dirty_states() const {
  std::vector<uint32_t> states;
  for (const InodePointer& inode : inodes_) {
    if (inode->is_length_dirty) states.push_back(2);
    for (const auto& [unit, versions] : inode->dirty) {
      states.push_back(static_cast<uint32_t>(versions.size()) + 1);
    }
  }
  states.insert(states.end(), dirty_names_.size(), 2);
  return states;
}

std::unique_ptr<SimulatedFileSystem> SimulatedFileSystem::crash(
    const std::vector<uint32_t>& choices) const {
  auto result = std::make_unique<SimulatedFileSystem>();
  std::map<const Inode*, InodePointer> copies;
  size_t next = 0;
  for (const InodePointer& inode : inodes_) {
    auto copy = std::make_shared<Inode>();
    copy->id = inode->id;
    copy->on_disk = inode->on_disk;
    if (inode->is_length_dirty && choices[next++] == 1) {
      copy->on_disk.resize(inode->seen.size());
    }
    for (const auto& [unit, versions] : inode->dirty) {
      const uint32_t choice = choices[next++];
      if (choice > 0) put_unit(copy->on_disk, unit, versions[choice - 1]);
    }
    copy->seen = copy->on_disk;
    copies[inode.get()] = copy;
    result->inodes_.push_back(copy);
  }
  for (const auto& [path, inode] : names_on_disk_) {
    result->names_[path] = copies[inode.get()];
  }
  for (const NameOperation& operation : dirty_names_) {
    if (choices[next++] == 0) continue;
    NameOperation copied = operation;
    for (NameChange& change : copied) {
      if (change.inode != nullptr) change.inode = copies[change.inode.get()];
    }
    apply(copied, &result->names_);
  }
  result->names_on_disk_ = result->names_;
  result->next_id_ = next_id_;
  copy_space(*result);
  return result;
}

std::unique_ptr<SimulatedFileSystem> SimulatedFileSystem::kill() const {
  auto result = std::make_unique<SimulatedFileSystem>();
  std::map<const Inode*, InodePointer> copies;
  for (const InodePointer& inode : inodes_) {
    auto copy = std::make_shared<Inode>(*inode);
    copy->is_locked = false;
    copies[inode.get()] = copy;
    result->inodes_.push_back(copy);
  }
  for (const auto& [path, inode] : names_) {
    result->names_[path] = copies[inode.get()];
  }
  for (const auto& [path, inode] : names_on_disk_) {
    result->names_on_disk_[path] = copies[inode.get()];
  }
  for (NameOperation operation : dirty_names_) {
    for (NameChange& change : operation) {
      if (change.inode != nullptr) change.inode = copies[change.inode.get()];
    }
    result->dirty_names_.push_back(std::move(operation));
  }
  result->next_id_ = next_id_;
  copy_space(*result);
  return result;
}

bool SimulatedFileSystem::exists(const std::string& path) const {
  return names_.find(path) != names_.end();
}

std::vector<std::string> SimulatedFileSystem::paths() const {
  std::vector<std::string> result;
  for (const auto& [path, inode] : names_) result.push_back(path);
  return result;
}

Bytes SimulatedFileSystem::contents(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? Bytes{} : found->second->seen;
}

void SimulatedFileSystem::damage(const std::string& path, uint64_t offset) {
  names_.at(path)->seen.at(offset) ^= 1;
}

void SimulatedFileSystem::put(const std::string& path, Bytes contents) {
  auto inode = std::make_shared<Inode>();
  inode->id = next_id_++;
  inode->on_disk = contents;
  inode->seen = std::move(contents);
  inodes_.push_back(inode);
  names_[path] = inode;
  names_on_disk_[path] = inode;
}

}  // namespace atomic_log::test
