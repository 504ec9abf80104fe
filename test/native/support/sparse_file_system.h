// The system's files, without space for the zeros in them and without syncs, so
// that a test can make logs of many gigabytes; counts the bytes that are read.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_SPARSE_FILE_SYSTEM_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_SPARSE_FILE_SYSTEM_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/platform/file.h"

namespace atomic_log::test {

class SparseFileSystem final : public platform::FileSystem {
 public:
  using IoStatus = platform::IoStatus;

  // By path: what was read since the last clear_reads().
  uint64_t bytes_read(const std::string& path) const {
    const auto found = reads_.find(path);
    return found == reads_.end() ? 0 : found->second;
  }
  uint64_t bytes_read() const {
    uint64_t sum = 0;
    for (const auto& [path, bytes] : reads_) sum += bytes;
    return sum;
  }
  void clear_reads() { reads_.clear(); }

  IoStatus open(const std::string& path, platform::OpenMode mode,
                std::unique_ptr<platform::File>* file) override {
    std::unique_ptr<platform::File> opened;
    const IoStatus status = system_.open(path, mode, &opened);
    if (status.ok()) {
      *file = std::make_unique<SparseFile>(std::move(opened), reads_, path);
    }
    return status;
  }
  IoStatus remove(const std::string& path) override {
    return system_.remove(path);
  }
  IoStatus rename(const std::string& from, const std::string& to) override {
    return system_.rename(from, to);
  }
  IoStatus link(const std::string& from, const std::string& to) override {
    return system_.link(from, to);
  }
  IoStatus remove_directory(const std::string& path) override {
    return system_.remove_directory(path);
  }
  IoStatus list(const std::string& directory,
                List<std::string>* names) override {
    return system_.list(directory, names);
  }
  IoStatus make_directory(const std::string& path) override {
    return system_.make_directory(path);
  }
  IoStatus check_writable(const std::string& directory) override {
    return system_.check_writable(directory);
  }
  IoStatus open_directory(
      const std::string&,
      std::unique_ptr<platform::Directory>* directory) override {
    *directory = std::make_unique<SparseDirectory>();
    return {};
  }
  IoStatus identity(const std::string& path,
                    platform::FileIdentity* identity) override {
    return system_.identity(path, identity);
  }

 private:
  using Reads = std::map<std::string, uint64_t>;

  class SparseDirectory final : public platform::Directory {
   public:
    IoStatus sync() override { return {}; }
  };

  class SparseFile final : public platform::File {
   public:
    SparseFile(std::unique_ptr<platform::File> file, Reads& reads,
               std::string path)
        : file_(std::move(file)), reads_(reads), path_(std::move(path)) {}

    IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                     size_t* read) override {
      const IoStatus status = file_->read_at(offset, data, bytes, read);
      reads_[path_] += *read;
      return status;
    }
    // The files are only written where they are zeros still.
    IoStatus write_at(uint64_t offset, const void* data,
                      size_t bytes) override {
      const auto* at = static_cast<const uint8_t*>(data);
      while (bytes > 0) {
        const size_t count =
            std::min<size_t>(bytes, kBlockBytes - offset % kBlockBytes);
        const bool is_zero =
            std::all_of(at, at + count, [](uint8_t byte) { return byte == 0; });
        if (!is_zero) {
          const IoStatus status = file_->write_at(offset, at, count);
          if (!status.ok()) return status;
        }
        offset += count;
        at += count;
        bytes -= count;
      }
      return {};
    }
    IoStatus size(uint64_t* bytes) override { return file_->size(bytes); }
    IoStatus preallocate(uint64_t bytes) override {
      const uint8_t zero = 0;
      return file_->write_at(bytes - 1, &zero, 1);
    }
    IoStatus sync_data() override { return {}; }
    IoStatus sync_all() override { return {}; }
    IoStatus lock() override { return file_->lock(); }
    IoStatus is_locked(bool* is_locked) override {
      return file_->is_locked(is_locked);
    }
    IoStatus identity(platform::FileIdentity* identity) override {
      return file_->identity(identity);
    }
    IoStatus map(size_t bytes,
                 std::unique_ptr<platform::FileMapping>* mapping) override {
      return file_->map(bytes, mapping);
    }
    IoStatus renew(platform::FileMapping& mapping) override {
      return file_->renew(mapping);
    }
    void will_read(uint64_t offset, uint64_t bytes) override {
      file_->will_read(offset, bytes);
    }

   private:
    static constexpr size_t kBlockBytes = 4096;
    const std::unique_ptr<platform::File> file_;
    Reads& reads_;
    const std::string path_;
  };

  platform::FileSystem& system_ = platform::native_file_system();
  Reads reads_;
};

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_SPARSE_FILE_SYSTEM_H_
