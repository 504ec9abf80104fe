// A file that several processes map as one memory, and the kernel's locks of
// its bytes. Where a system or its file system lacks what is promised here,
// create() and open() say kUnsupported.
//
//  1. A lock belongs to the handle, not to the thread or the process: it is
//     free when the handle is closed, and when the process is dead, before
//     anyone has reaped it. It does not conflict with itself: threads that
//     share a handle need a lock of their own.
//  2. What was stored before a lock was released, also by the death of its
//     holder, is there for the next holder.
//  3. The space of a new file is secured before it can be mapped: a full file
//     system is a status, and no store ends the process for want of space.
//  4. No child process has the mapping, and none keeps the handle when it
//     executes another program.
//  5. The address space of a mapping is not returned to the system, only used
//     again for mappings of the same size: JavaScript can carry a view of it
//     past every owner we know.
//
// Any thread may call anything, unless it says otherwise.
#ifndef ATOMIC_LOG_CORE_PLATFORM_SHARED_FILE_H_
#define ATOMIC_LOG_CORE_PLATFORM_SHARED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/platform/file.h"
#include "core/platform/io_status.h"

namespace atomic_log::platform {

// The file as memory, the same for every process; writable where the file was
// opened so.
class SharedMapping {
 public:
  virtual ~SharedMapping() = default;
  virtual char* data() const = 0;
  virtual size_t bytes() const = 0;
  // Puts anonymous zeroed pages in place of the file, at the same address: the
  // memory stays touchable for as long as this object lives. When the system
  // refuses them the file stays mapped, and this can be tried again. One thread.
  virtual IoStatus release_file() = 0;
};

enum class SharedAccess : uint8_t {
  kReadWrite,
  // Needs no permission to write, and no lock can be had, only looked at.
  kReadOnly,
};

class SharedFile {
 public:
  virtual ~SharedFile() = default;

  // A new file of `bytes` zeros, near `path`, which has no name yet: should its
  // maker die, nothing is left. Where there are no files without a name it has
  // a random one, ".atomic-log-" and 16 digits; what a dead maker left so, the
  // next one takes away. `mode` is as chmod() takes it, without umask.
  static IoStatus create(const std::string& path, uint32_t mode, uint64_t bytes,
                         std::unique_ptr<SharedFile>* file);
  static IoStatus open(const std::string& path, SharedAccess access,
                       std::unique_ptr<SharedFile>* file);
  // `bytes` zeros that no path leads to: memory of this process which is to be
  // mapped at several places. Space is taken as it is stored to.
  static IoStatus create_unnamed(uint64_t bytes,
                                 std::unique_ptr<SharedFile>* file);

  // Takes a file's name away; processes that have it open keep the file.
  static IoStatus unlink(const std::string& path);
  // The path that a symbolic link leads to; of anything else, and on Windows,
  // `path` itself.
  static IoStatus follow_links(const std::string& path, std::string* file);

  // Gives a new file its name: kExists when another has it. One thread.
  virtual IoStatus link(const std::string& path) = 0;

  virtual IoStatus size(uint64_t* bytes) = 0;
  // Secures the space of a file that has holes, as a copy can have them: where
  // the file system is full, a store into one would end the process. Where the
  // file system copies what is written, or compresses it, a store can still
  // fail so.
  virtual IoStatus secure_space(uint64_t bytes) = 0;
  virtual IoStatus identity(FileIdentity* identity) = 0;
  // Whether the file is this user's.
  virtual IoStatus is_own(bool* is_own) = 0;
  // *read is less than `bytes` only where the file ends.
  virtual IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                           size_t* read) = 0;
  virtual IoStatus map(size_t bytes,
                       std::shared_ptr<SharedMapping>* mapping) = 0;
  // The `bytes` from `offset` on, writable, in place of memory that is there
  // and that someone else has; all three are whole pages. The mapping returns
  // no addresses, and is to be released before their owner returns them. That
  // memory may be zeros afterwards also when this fails. Should it be gone,
  // this fails with a *mapping, whose release puts it there again. kUnsupported
  // where the system maps nothing over other memory.
  virtual IoStatus map_over(uint64_t offset, void* address, size_t bytes,
                            std::unique_ptr<SharedMapping>* mapping) {
    (void)offset, (void)address, (void)bytes, (void)mapping;
    return {IoCode::kUnsupported, 0, "mmap"};
  }

  // The exclusive lock of byte `number`; the numbers have nothing to do with
  // what is in the file. False: another handle has it, or the system refused.
  virtual bool try_lock(uint32_t number) = 0;
  virtual void unlock(uint32_t number) = 0;
  // Whether another handle has it. Takes no lock.
  virtual bool is_locked_elsewhere(uint32_t number) = 0;
};

// Tells one run of the system from the next; zeros where the system does not
// say.
struct BootId {
  uint8_t bytes[16] = {};
};
// A shortage is a status: zeros in its place would look like a system that does
// not say.
IoStatus boot_id(BootId* id);

// Of the process that calls; it is another one after fork().
uint64_t process_id();

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_SHARED_FILE_H_
