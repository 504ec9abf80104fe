// The files that writers of this process have open. The system's lock does the
// same between processes, and on some network file systems nothing within one.
#ifndef ATOMIC_LOG_CORE_DURABLE_OPEN_FILES_H_
#define ATOMIC_LOG_CORE_DURABLE_OPEN_FILES_H_

#include <mutex>
#include <set>

#include "core/base/check.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// Any thread.
class OpenFiles {
 public:
  static OpenFiles& instance() {
    // Never destroyed: threads may outlive static destructors.
    static OpenFiles* const files = new OpenFiles();
    return *files;
  }

  // False: a writer has it.
  bool add(const platform::FileIdentity& file) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return files_.insert(file).second;
  }

  void remove(const platform::FileIdentity& file) {
    const std::lock_guard<std::mutex> lock(mutex_);
    [[maybe_unused]] const size_t erased = files_.erase(file);
    CORE_CHECK(erased == 1);
  }

 private:
  OpenFiles() = default;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::set<platform::FileIdentity> files_;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_OPEN_FILES_H_
