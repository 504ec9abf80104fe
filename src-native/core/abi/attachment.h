// What the opaque pointers of include/atomic_log/abi.h point to.
#ifndef ATOMIC_LOG_CORE_ABI_ATTACHMENT_H_
#define ATOMIC_LOG_CORE_ABI_ATTACHMENT_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/base/list.h"
#include "core/base/status.h"
#include "core/memory/rolling_log.h"
#include "core/memory/window.h"
#include "include/atomic_log/abi.h"

// Counted by hand, because its references cross the C interface.
struct atomic_log_log {
 public:
  // `presence` is what the registry watches: an attachment keeps the log one
  // that can be attached to.
  explicit atomic_log_log(
      std::shared_ptr<atomic_log::memory::RollingLog> presence);
  ~atomic_log_log();

  atomic_log_log(const atomic_log_log&) = delete;
  atomic_log_log& operator=(const atomic_log_log&) = delete;

  // Once, before info(). False when the system refuses memory.
  [[nodiscard]] bool describe();

  // Relaxed: the caller has a reference already.
  void retain() { refs_.fetch_add(1, std::memory_order_relaxed); }
  // Acquire-release: the last one destroys what the others have used.
  void release() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  atomic_log::memory::RollingLog& log() const { return *presence_; }
  atomic_log::memory::Reader& reader() const { return *reader_; }
  const atomic_log_info& info() const { return info_; }

 private:
  std::atomic<uint32_t> refs_{1};
  // Immutable after construction.
  const std::shared_ptr<atomic_log::memory::RollingLog> presence_;
  const std::shared_ptr<atomic_log::memory::Reader> reader_;
  atomic_log::List<atomic_log_column> columns_;
  atomic_log_info info_ = {};
};

namespace atomic_log::abi {

// A reference to an attachment.
class LogReference {
 public:
  explicit LogReference(atomic_log_log* log) : log_(log) { log_->retain(); }
  ~LogReference() { log_->release(); }
  LogReference(const LogReference&) = delete;
  LogReference& operator=(const LogReference&) = delete;
  atomic_log_log* operator->() const { return log_; }

 private:
  atomic_log_log* const log_;
};

// A held claim. The public part describes the head.
struct Writer : atomic_log_writer {
  explicit Writer(atomic_log_log* log);
  void describe_head();

  const LogReference log;
};

// A pinned window. The public part describes it, chunk by segment.
struct Snapshot : atomic_log_snapshot {
  explicit Snapshot(atomic_log_log* log);
  ~Snapshot();

  // Once, before anything else: pins the window. kOutOfMemory.
  Status open();
  // kOutOfMemory, with nothing changed.
  Status refresh();

  const LogReference log;

 private:
  // Makes the public part describe segments_.
  void describe();
  // The first `count` segments.
  void drop(size_t count);
  void update_head();

  List<memory::PinnedSegment> segments_;
  List<memory::PinnedSegment> newer_;
  // Has room for all segments.
  List<atomic_log_chunk> described_;
};

}  // namespace atomic_log::abi

#endif  // ATOMIC_LOG_CORE_ABI_ATTACHMENT_H_
