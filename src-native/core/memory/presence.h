// Who is attached to a log. The registry watches a count of its own: the log is
// gone when the last attachment and writer have been closed, and its memory goes
// with them, although an ArrayBuffer over it may wait to be collected.
#ifndef ATOMIC_LOG_CORE_MEMORY_PRESENCE_H_
#define ATOMIC_LOG_CORE_MEMORY_PRESENCE_H_

#include <memory>

#include "core/memory/rolling_log.h"

namespace atomic_log::memory {

// While it lives, this thread may touch the shared storage that begins at
// `base`, because it holds what owns that memory. Null: none.
class TouchScope {
 public:
  explicit TouchScope(const void* base);
  ~TouchScope();
  TouchScope(const TouchScope&) = delete;
  TouchScope& operator=(const TouchScope&) = delete;

 private:
  const void* const outer_;
};

// A second owner of the log. The last one to drop it retires the log, on any
// thread; what pins that were left to ArrayBuffers keep stays until those go.
std::shared_ptr<RollingLog> make_presence(std::shared_ptr<RollingLog> log);

}  // namespace atomic_log::memory

#endif  // ATOMIC_LOG_CORE_MEMORY_PRESENCE_H_
