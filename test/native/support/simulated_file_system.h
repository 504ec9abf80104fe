// A file system in memory that loses power.
//
// It keeps apart what the process sees and what is on disk. Whatever is written
// becomes a dirty unit: 512 bytes of a file, a file's length, or a name in a
// directory. A sync puts the units of its file on disk, a directory sync the
// names. crash() makes the file system that the machine finds afterwards: each
// dirty unit is there or is not, independently of the others, and a unit that
// was written several times since the last sync shows any of its states.
//
// Every operation has a number, so that a test can let the Nth one fail, or
// take the power away at it.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_SIMULATED_FILE_SYSTEM_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_SIMULATED_FILE_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/platform/file.h"

namespace atomic_log::test {

using Bytes = std::vector<uint8_t>;

class SimulatedFileSystem final : public platform::FileSystem {
 public:
  static constexpr uint64_t kUnitBytes = 512;

  enum class Fault : uint8_t { kNone, kOnce, kForEver, kPowerOff };

  // --- platform::FileSystem.
  platform::IoStatus open(const std::string& path, platform::OpenMode mode,
                          std::unique_ptr<platform::File>* file) override;
  platform::IoStatus remove(const std::string& path) override;
  platform::IoStatus rename(const std::string& from,
                            const std::string& to) override;
  platform::IoStatus link(const std::string& from,
                          const std::string& to) override;
  platform::IoStatus list(const std::string& directory,
                          List<std::string>* names) override;
  // Directories are there without being made, but for those that were.
  platform::IoStatus make_directory(const std::string& path) override;
  platform::IoStatus remove_directory(const std::string& path) override;
  platform::IoStatus check_writable(const std::string& directory) override;
  platform::IoStatus open_directory(
      const std::string& path,
      std::unique_ptr<platform::Directory>* directory) override;
  platform::IoStatus identity(const std::string& path,
                              platform::FileIdentity* identity) override;

  // --- Faults.

  // The operation number `number` (from 0, counted from now) fails with `code`,
  // once or with all that follow. kPowerOff: a write still reaches the cache,
  // and nothing works any more.
  void fail_at(uint64_t number, Fault fault,
               platform::IoCode code = platform::IoCode::kFailed);
  // Operations since the last fail_at(), or since the beginning.
  uint64_t operations() const { return operations_; }
  // Only operations whose name is this one are counted; empty for all.
  void count_only(std::string name) { counted_ = std::move(name); }
  bool has_power() const { return has_power_; }
  // No write moves more than this.
  void set_step_bytes(size_t bytes) { step_bytes_ = bytes; }
  // make_directory() makes one where there is none.
  void set_makes_directories(bool on) { makes_directories_ = on; }
  // No file gets a second name.
  void set_links(bool on) { has_links_ = on; }
  // Whatever would change files or names is denied.
  void set_read_only(bool on) { is_read_only_ = on; }
  // There is no room for a file to grow, until there is again.
  void set_full(bool on) { is_full_ = on; }
  // For half of what would grow there is no room.
  void set_space_random(uint64_t seed) { space_state_ = seed | 1; }
  // Every second system call is interrupted.
  void set_interrupts(bool on) { interrupts_ = on; }

  // --- Crashes.

  // How many states each dirty unit can be in; empty when all is on disk.
  std::vector<uint32_t> dirty_states() const;
  // The disk after a power failure; choices[i] < dirty_states()[i], 0 is what
  // was there at the last sync.
  std::unique_ptr<SimulatedFileSystem> crash(
      const std::vector<uint32_t>& choices) const;
  // The disk after the process was killed: nothing is lost.
  std::unique_ptr<SimulatedFileSystem> kill() const;

  // --- For the tests' own eyes and hands; not operations.
  bool exists(const std::string& path) const;
  std::vector<std::string> paths() const;
  Bytes contents(const std::string& path) const;
  // Puts a file on disk.
  void put(const std::string& path, Bytes contents);
  // Changes a byte of a file, as a disk does that lies.
  void damage(const std::string& path, uint64_t offset);
  uint64_t syncs() const { return syncs_; }
  // Files that are open.
  int64_t open_files() const { return *open_files_; }
  // Called before every operation, with its name.
  std::function<void(const char*)> on_operation;

 private:
  friend class SimulatedFile;
  friend class SimulatedDirectory;

  struct Inode {
    Bytes seen;
    Bytes on_disk;
    // Of each dirty unit, the states since the last sync, oldest first.
    std::map<uint64_t, std::vector<Bytes>> dirty;
    bool is_length_dirty = false;
    bool is_locked = false;
    uint64_t id = 0;
  };
  using InodePointer = std::shared_ptr<Inode>;
  // Null: no such name. With `moved_from`, everything in that directory has
  // become `path` and what is in it.
  struct NameChange {
    std::string path;
    InodePointer inode;
    std::string moved_from = {};
  };
  // The changes of one operation are atomic.
  using NameOperation = std::vector<NameChange>;
  using Names = std::map<std::string, InodePointer>;
  static void apply(const NameOperation& operation, Names* names);
  bool is_directory(const std::string& path) const;

  // Counts an operation. kOk: go on.
  platform::IoStatus begin(const char* name, bool* is_last = nullptr);
  void write_unit_states(Inode& inode, uint64_t offset, const uint8_t* data,
                         size_t bytes);
  void change_names(NameOperation operation);
  // kNoSpace where it would grow and may not.
  platform::IoStatus check_space(const Inode& inode, uint64_t bytes,
                                 const char* name);
  void copy_space(SimulatedFileSystem& to) const;
  platform::IoStatus sync_names(const std::string& directory);

  Names names_;
  Names names_on_disk_;
  std::set<std::string> made_directories_;
  std::vector<NameOperation> dirty_names_;
  // Every inode that may have dirty units, in order of creation.
  std::vector<InodePointer> inodes_;
  uint64_t next_id_ = 1;

  uint64_t operations_ = 0;
  uint64_t syncs_ = 0;
  // Shared with the files: one may be closed after its disk is gone.
  std::shared_ptr<int64_t> open_files_ = std::make_shared<int64_t>(0);
  std::string counted_;
  uint64_t fault_at_ = UINT64_MAX;
  Fault fault_ = Fault::kNone;
  platform::IoCode fault_code_ = platform::IoCode::kFailed;
  bool has_power_ = true;
  bool is_read_only_ = false;
  bool makes_directories_ = false;
  bool has_links_ = true;
  bool is_full_ = false;
  // 0: there is always room.
  uint64_t space_state_ = 0;
  size_t step_bytes_ = SIZE_MAX;
  bool interrupts_ = false;
  bool interrupt_next_ = false;
};

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_SIMULATED_FILE_SYSTEM_H_
