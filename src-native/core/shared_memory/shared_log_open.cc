// How a process comes to a log: by making its file, or by joining one. Any
// thread.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "core/base/faults.h"
#include "core/platform/random.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::shared_memory {
namespace {

using platform::IoCode;
using platform::IoStatus;
using platform::SharedAccess;
using platform::SharedFile;

// Others make, replace and unlink the file meanwhile; each try ends with what
// one of them has done.
constexpr int kTriesMax = 100;
// Looks for a free slot, and the time between two.
constexpr int kSlotRounds = 50;
constexpr std::chrono::milliseconds kSlotPause{1};
// Looks for the lock of a name, and the time between two.
constexpr int kNameRounds = 200;
constexpr std::chrono::milliseconds kNamePause{5};
// Apart from the numbers of logs in the memory of one process.
constexpr uint64_t kFirstId = uint64_t{1} << 40;

// The logs of this process. Never destroyed: threads may outlive static
// destructors.
struct OpenLogs {
  struct Known {
    std::weak_ptr<SharedLog> log;
    uint64_t process;
  };
  // The file, and the mode that it was joined with: a process may have a file
  // once in each.
  using Key = std::pair<platform::FileIdentity, SharedOpenMode>;
  std::mutex mutex;
  // Guarded by mutex, all.
  std::map<Key, Known> by_identity;
  uint64_t last_id = kFirstId;

  static OpenLogs& instance() {
    static OpenLogs* const logs = new OpenLogs();
    return *logs;
  }
  void drop_expired() {
    std::erase_if(by_identity,
                  [](const auto& known) { return known.second.log.expired(); });
  }
};

OpenResult failed(const IoStatus& io) { return {SharedOutcome::kIo, io}; }
OpenResult refused(Mismatch mismatch, uint64_t found = 0) {
  return {SharedOutcome::kMismatch, {}, mismatch, found};
}
bool is_ok(const OpenResult& result) {
  return result.outcome == SharedOutcome::kOk;
}

std::string hexadecimal(const uint8_t (&bytes)[16]) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0xF]);
  }
  return text;
}

// Also true where the system does not tell one of them: the log may be in use,
// and is not replaced.
bool is_same_run(const platform::BootId& a, const platform::BootId& b) {
  static constexpr platform::BootId kUnsaid;
  const auto is = [](const platform::BootId& one, const platform::BootId& two) {
    return std::memcmp(one.bytes, two.bytes, sizeof(one.bytes)) == 0;
  };
  return is(a, b) || is(a, kUnsaid) || is(b, kUnsaid);
}

// A writer has the lock of a dead process's slot while it clears that: where no
// slot is free, one of them may be just so. It may be stopped meanwhile, so
// this looks for a while before it refuses.
bool lock_any_slot(SharedFile& file, uint32_t count, uint32_t* slot) {
  for (int round = 0; round < kSlotRounds; ++round) {
    if (round > 0) std::this_thread::sleep_for(kSlotPause);
    for (*slot = 0; *slot < count; ++*slot) {
      if (file.try_lock(slot_lock(*slot))) return true;
    }
  }
  return false;
}

// For the moment in which a name is taken away or given to another file. A
// process that is stopped just then does not stop others forever.
IoStatus lock_name(SharedFile& file) {
  for (int round = 0; round < kNameRounds; ++round) {
    if (file.try_lock(kNameLock)) return {};
    std::this_thread::sleep_for(kNamePause);
  }
  return {IoCode::kLocked, 0, "lock"};
}

enum class Named : uint8_t { kThis, kOther, kUnknown };

// What `path` leads to: the file that is open, another one or none, or what the
// system does not tell.
Named named_by(const std::string& path, SharedFile& file) {
  platform::FileIdentity ours;
  platform::FileIdentity named;
  if (!file.identity(&ours).ok()) return Named::kUnknown;
  const IoStatus io = platform::native_file_system().identity(path, &named);
  if (io.code == IoCode::kNotFound) return Named::kOther;
  if (!io.ok()) return Named::kUnknown;
  return ours == named ? Named::kThis : Named::kOther;
}

template <typename T>
void store(char* base, uint64_t offset, T value) {
  reinterpret_cast<std::atomic<T>*>(base + offset)
      ->store(value, std::memory_order_relaxed);
}

// The memory of a log that has one empty segment. Relaxed: the file has no name
// yet, and link() gives it one after all of this.
void fill(const SharedFormat& format, char* base) {
  store<uint64_t>(base, format.control_offset + kWakeOffset, kNoIndex);
  for (uint32_t i = 0; i < format.retained_segments; ++i) {
    store<uint32_t>(base, format.ring_offset + uint64_t{i} * 4,
                    i == 0 ? 0 : kNoBlock);
  }
  for (uint32_t block = 0; block < format.blocks; ++block) {
    const uint64_t sequence = block == 0 ? 0 : kNoSequence | kRetired;
    store(base, format.table_offset + uint64_t{block} * 16, sequence);
    store(base, format.stamps_offset + uint64_t{block} * 8, sequence);
  }
  store<uint64_t>(base, format.table_offset + 8, format.options.first_index);
  for (uint32_t slot = 0; slot < format.options.readers_max; ++slot) {
    store<uint64_t>(
        base, format.slots_offset + slot * format.slot_bytes + kWaitedOffset,
        kNoIndex);
  }
  format.encode(reinterpret_cast<uint8_t*>(base));
}

}  // namespace

OpenResult SharedLog::read_format(SharedFile& file, const Accepted& accepted,
                                  SharedFormat* format) {
  uint64_t file_bytes = 0;
  bool is_own = false;
  IoStatus io = file.is_own(&is_own);
  if (io.ok()) io = file.size(&file_bytes);
  if (!io.ok()) return failed(io);
  if (!is_own && !accepted.other_owner) return refused(Mismatch::kOwner);
  Buffer header;
  if (!header.try_resize(kHeaderFixedBytes)) return {SharedOutcome::kNoMemory};
  size_t read = 0;
  io = file.read_at(0, header.data(), header.size(), &read);
  if (!io.ok()) return failed(io);
  if (read < header.size()) return refused(Mismatch::kMagic);
  const size_t bytes = SharedFormat::header_bytes_of(header.data());
  if (bytes > 0 && bytes <= file_bytes) {
    if (!header.try_resize(bytes)) return {SharedOutcome::kNoMemory};
    io = file.read_at(0, header.data(), bytes, &read);
    if (!io.ok()) return failed(io);
  }
  uint64_t found = 0;
  const Mismatch mismatch =
      SharedFormat::decode(header, file_bytes, format, &found);
  if (mismatch != Mismatch::kNone) return refused(mismatch, found);
  if (!accepted.other_than.empty() &&
      hexadecimal(format->random_id) == accepted.other_than) {
    return refused(Mismatch::kSame);
  }
  platform::BootId own;
  io = platform::boot_id(&own);
  if (!io.ok()) return failed(io);
  if (!is_same_run(format->boot_id, own)) {
    return refused(Mismatch::kBoot);
  }
  return {};
}

OpenResult SharedLog::create(const std::string& path,
                             const SharedLogOptions& options,
                             uint32_t permissions, bool replaces,
                             std::unique_ptr<SharedFile>* file) {
  SharedFormat format;
  if (!SharedFormat::make(options, &format)) {
    return {SharedOutcome::kOutOfRange};
  }
  IoStatus io = platform::boot_id(&format.boot_id);
  if (!io.ok()) return failed(io);
  for (uint8_t& byte : format.random_id) {
    byte = static_cast<uint8_t>(platform::random_word());
  }
  std::unique_ptr<SharedFile> made;
  io = SharedFile::create(path, permissions, format.file_bytes, &made);
  if (!io.ok()) return failed(io);
  std::shared_ptr<platform::SharedMapping> mapping;
  io = made->map(format.file_bytes, &mapping);
  if (!io.ok()) return failed(io);
  fill(format, mapping->data());
  mapping.reset();
  if (replaces) {
    io = SharedFile::unlink(path);
    writer_step("unnamed");
  }
  if (io.ok() || io.code == IoCode::kNotFound) io = made->link(path);
  if (!io.ok()) return failed(io);
  *file = std::move(made);
  return {};
}

bool SharedLog::has_ended(SharedFile& file, const SharedFormat& format) {
  uint32_t ended = 0;
  size_t read = 0;
  const IoStatus io = file.read_at(format.control_offset + kEndedOffset, &ended,
                                   sizeof(ended), &read);
  return io.ok() && read == sizeof(ended) && ended != 0;
}

// A file of an earlier run of the system, or whose log has ended, gives way to
// a new one; a link that leads to it stays. This takes the lock of its name and
// looks again, because two processes would make two logs. *file stays null when
// another has done so. For a moment no file has the name: a process that is
// killed then leaves nothing behind, and one that opens the path then makes the
// log.
OpenResult SharedLog::replace_old(const std::string& path, SharedFile& old,
                                  const SharedLogOptions& options,
                                  uint32_t permissions,
                                  std::unique_ptr<SharedFile>* file) {
  std::string name;
  IoStatus io = SharedFile::follow_links(path, &name);
  // Its name has gone since it was opened.
  if (io.code == IoCode::kNotFound) return {};
  if (io.ok()) io = lock_name(old);
  if (!io.ok()) return failed(io);
  OpenResult result;
  if (named_by(name, old) == Named::kThis) {
    result = create(name, options, permissions, true, file);
  }
  old.unlock(kNameLock);
  return result.io.code == IoCode::kExists ? OpenResult{} : result;
}

OpenResult SharedLog::open(const std::string& path, SharedOpenMode mode,
                           const SharedLogOptions* options,
                           uint32_t permissions, const Accepted& accepted,
                           std::shared_ptr<SharedLog>* log) {
  const bool is_read_only = reads_only(mode);
  const bool creates = !is_read_only && mode != SharedOpenMode::kJoin;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    std::unique_ptr<SharedFile> file;
    const IoStatus io = SharedFile::open(
        path, is_read_only ? SharedAccess::kReadOnly : SharedAccess::kReadWrite,
        &file);
    if (io.code == IoCode::kNotFound && creates) {
      const OpenResult made = create(path, *options, permissions, false, &file);
      if (made.io.code == IoCode::kExists) continue;
      return is_ok(made) ? join(path, std::move(file), SharedOpenMode::kJoin,
                                accepted, log)
                         : made;
    }
    if (!io.ok()) return failed(io);
    if (is_read_only) {
      return join(path, std::move(file), mode, accepted, log);
    }
    SharedFormat format;
    const OpenResult found = read_format(*file, accepted, &format);
    const bool is_over = found.mismatch == Mismatch::kBoot ||
                         (mode == SharedOpenMode::kReplaceEnded &&
                          is_ok(found) && has_ended(*file, format));
    if (is_over && creates) {
      std::unique_ptr<SharedFile> made;
      const OpenResult replaced =
          replace_old(path, *file, *options, permissions, &made);
      if (!is_ok(replaced)) return replaced;
      if (made == nullptr) continue;
      return join(path, std::move(made), SharedOpenMode::kJoin, accepted, log);
    }
    if (mode == SharedOpenMode::kCreate) {
      return failed({IoCode::kExists, 0, "open"});
    }
    if (!is_ok(found)) return found;
    return join(path, std::move(file), SharedOpenMode::kJoin, accepted, log);
  }
  return failed({IoCode::kFailed, 0, "open"});
}

OpenResult SharedLog::join(const std::string& path,
                           std::unique_ptr<SharedFile> file,
                           SharedOpenMode mode, const Accepted& accepted,
                           std::shared_ptr<SharedLog>* log) {
  const bool is_read_only = reads_only(mode);
  SharedFormat format;
  const OpenResult found = read_format(*file, accepted, &format);
  const bool is_of_earlier_run = found.mismatch == Mismatch::kBoot;
  if (!is_ok(found) && !(is_of_earlier_run && is_read_only)) return found;
  platform::FileIdentity identity;
  IoStatus io = file->identity(&identity);
  if (!io.ok()) return failed(io);

  OpenLogs& logs = OpenLogs::instance();
  const std::lock_guard<std::mutex> lock(logs.mutex);
  logs.drop_expired();
  const uint64_t process = platform::process_id();
  const OpenLogs::Key key = {identity, mode};
  const auto known = logs.by_identity.find(key);
  if (known != logs.by_identity.end() && known->second.process == process) {
    *log = known->second.log.lock();
    if (*log != nullptr) return {};
  }
  uint32_t slot = kNoSlot;
  if (!is_read_only) {
    if (!lock_any_slot(*file, format.options.readers_max, &slot)) {
      return {SharedOutcome::kNoSlot};
    }
    io = file->secure_space(format.file_bytes);
  }
  std::shared_ptr<platform::SharedMapping> mapping;
  if (io.ok()) io = file->map(format.file_bytes, &mapping);
  CopyFile copies;
  if (io.ok() && mode == SharedOpenMode::kReadOnlyInFile) {
    io = CopyFile::make(format, &copies);
  }
  if (!io.ok()) return failed(io);
  log->reset(new SharedLog(std::move(format), std::move(file),
                           std::move(mapping), slot, std::move(copies)));
  if (!is_read_only) (*log)->store_process_name();
  (*log)->path_ = path;
  (*log)->is_of_earlier_run_ = is_of_earlier_run;
  (*log)->id_ = ++logs.last_id;
  (*log)->token_ = hexadecimal((*log)->format_.random_id);
  logs.by_identity[key] = {*log, process};
  return {};
}

std::shared_ptr<SharedLog> SharedLog::find(uint64_t id,
                                           const std::string& token) {
  OpenLogs& logs = OpenLogs::instance();
  const std::lock_guard<std::mutex> lock(logs.mutex);
  for (const auto& [key, known] : logs.by_identity) {
    std::shared_ptr<SharedLog> log = known.log.lock();
    if (log != nullptr && log->id_ == id && log->token_ == token) return log;
  }
  return nullptr;
}

bool SharedLog::is_replaced() const {
  return named_by(path_, *file_) == Named::kOther;
}

OpenResult SharedLog::unlink(const std::string& path) {
  for (int tries = 0; tries < kTriesMax; ++tries) {
    std::unique_ptr<SharedFile> file;
    IoStatus io = SharedFile::open(path, SharedAccess::kReadWrite, &file);
    if (!io.ok()) return failed(io);
    SharedFormat format;
    const OpenResult found = read_format(*file, {}, &format);
    // One that is damaged, or of another layout or run, is one nevertheless.
    if (found.outcome == SharedOutcome::kIo ||
        found.outcome == SharedOutcome::kNoMemory ||
        found.mismatch == Mismatch::kMagic ||
        found.mismatch == Mismatch::kOwner) {
      return found;
    }
    io = lock_name(*file);
    if (!io.ok()) return failed(io);
    const bool is_there = named_by(path, *file) == Named::kThis;
    if (is_there) io = SharedFile::unlink(path);
    file->unlock(kNameLock);
    if (is_there) return io.ok() ? OpenResult{} : failed(io);
  }
  return failed({IoCode::kFailed, 0, "unlink"});
}

}  // namespace atomic_log::shared_memory
