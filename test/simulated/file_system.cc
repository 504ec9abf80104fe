#include "simulated/file_system.h"

#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

// The system's own stays in the addon under another name.
#define native_file_system posix_file_system
#include "core/platform/file_posix.cc"
#undef native_file_system

namespace atomic_log::test {
namespace {

using platform::Directory;
using platform::File;
using platform::FileIdentity;
using platform::FileMapping;
using platform::FileSystem;
using platform::IoStatus;
using platform::OpenMode;

// One at a time: the committer, the pool and JavaScript are different threads.
std::mutex& disk_mutex() {
  static auto* const mutex = new std::mutex();
  return *mutex;
}

using Disk = std::shared_ptr<SimulatedFileSystem>;

Disk& disk() {
  static auto* const disk = new Disk(std::make_shared<SimulatedFileSystem>());
  return *disk;
}

// A file, or a directory, of the disk that it was opened on.
class LockedFile final : public File {
 public:
  LockedFile(Disk disk, std::unique_ptr<File> file)
      : disk_(std::move(disk)), file_(std::move(file)) {}
  ~LockedFile() override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    file_.reset();
    disk_.reset();
  }
  IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                   size_t* read) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->read_at(offset, data, bytes, read);
  }
  IoStatus write_at(uint64_t offset, const void* data, size_t bytes) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->write_at(offset, data, bytes);
  }
  IoStatus size(uint64_t* bytes) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->size(bytes);
  }
  IoStatus preallocate(uint64_t bytes) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->preallocate(bytes);
  }
  IoStatus sync_data() override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->sync_data();
  }
  IoStatus sync_all() override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->sync_all();
  }
  IoStatus lock() override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->lock();
  }
  IoStatus is_locked(bool* is_locked) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->is_locked(is_locked);
  }
  IoStatus identity(FileIdentity* identity) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->identity(identity);
  }
  IoStatus map(size_t bytes, std::unique_ptr<FileMapping>* mapping) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->map(bytes, mapping);
  }
  IoStatus renew(FileMapping& mapping) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return file_->renew(mapping);
  }
  void will_read(uint64_t offset, uint64_t bytes) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    file_->will_read(offset, bytes);
  }

 private:
  Disk disk_;
  std::unique_ptr<File> file_;
};

class LockedDirectory final : public Directory {
 public:
  LockedDirectory(Disk disk, std::unique_ptr<Directory> directory)
      : disk_(std::move(disk)), directory_(std::move(directory)) {}
  ~LockedDirectory() override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    directory_.reset();
    disk_.reset();
  }
  IoStatus sync() override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return directory_->sync();
  }

 private:
  Disk disk_;
  std::unique_ptr<Directory> directory_;
};

// Whatever disk there is now.
class LockedFileSystem final : public FileSystem {
 public:
  IoStatus open(const std::string& path, OpenMode mode,
                std::unique_ptr<File>* file) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    std::unique_ptr<File> opened;
    const IoStatus status = disk()->open(path, mode, &opened);
    if (status.ok()) {
      *file = std::make_unique<LockedFile>(disk(), std::move(opened));
    }
    return status;
  }
  IoStatus remove(const std::string& path) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return disk()->remove(path);
  }
  IoStatus rename(const std::string& from, const std::string& to) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return disk()->rename(from, to);
  }
  IoStatus link(const std::string& from, const std::string& to) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return disk()->link(from, to);
  }
  IoStatus list(const std::string& directory,
                List<std::string>* names) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return disk()->list(directory, names);
  }
  IoStatus make_directory(const std::string& path) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return disk()->make_directory(path);
  }
  IoStatus remove_directory(const std::string& path) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return disk()->remove_directory(path);
  }
  IoStatus check_writable(const std::string& directory) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return disk()->check_writable(directory);
  }
  IoStatus open_directory(const std::string& path,
                          std::unique_ptr<Directory>* directory) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    std::unique_ptr<Directory> opened;
    const IoStatus status = disk()->open_directory(path, &opened);
    if (status.ok()) {
      *directory = std::make_unique<LockedDirectory>(disk(), std::move(opened));
    }
    return status;
  }
  IoStatus identity(const std::string& path, FileIdentity* identity) override {
    const std::lock_guard<std::mutex> lock(disk_mutex());
    return disk()->identity(path, identity);
  }
};

}  // namespace

void begin_disk() {
  const std::lock_guard<std::mutex> lock(disk_mutex());
  disk()->fail_at(0, SimulatedFileSystem::Fault::kPowerOff);
  disk() = std::make_shared<SimulatedFileSystem>();
}

void fail_disk_at(uint64_t number, SimulatedFileSystem::Fault fault) {
  const std::lock_guard<std::mutex> lock(disk_mutex());
  disk()->fail_at(number, fault);
}

uint64_t disk_operations() {
  const std::lock_guard<std::mutex> lock(disk_mutex());
  return disk()->operations();
}

bool disk_has_power() {
  const std::lock_guard<std::mutex> lock(disk_mutex());
  return disk()->has_power();
}

void set_disk_full(bool is_full) {
  const std::lock_guard<std::mutex> lock(disk_mutex());
  disk()->set_full(is_full);
}

void restart_disk(uint64_t seed, bool loses) {
  const std::lock_guard<std::mutex> lock(disk_mutex());
  std::unique_ptr<SimulatedFileSystem> next;
  if (loses) {
    std::mt19937_64 random(seed);
    std::vector<uint32_t> choices = disk()->dirty_states();
    for (uint32_t& choice : choices) {
      choice = static_cast<uint32_t>(random() % choice);
    }
    next = disk()->crash(choices);
  } else {
    next = disk()->kill();
  }
  disk()->fail_at(0, SimulatedFileSystem::Fault::kPowerOff);
  disk() = std::move(next);
}

}  // namespace atomic_log::test

namespace atomic_log::platform {

FileSystem& native_file_system() {
  static auto* const system = new test::LockedFileSystem();
  return *system;
}

}  // namespace atomic_log::platform
