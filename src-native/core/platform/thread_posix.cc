#if !defined(_WIN32)

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include <utility>

#include "core/base/check.h"
#include "core/base/faults.h"
#include "core/platform/thread.h"

namespace atomic_log::platform {

struct Thread::Native {
  std::function<void()> run;
  pthread_t handle = {};
};

Thread::Thread() = default;
Thread::~Thread() { CORE_CHECK(!is_started()); }

IoStatus Thread::start(std::function<void()> run) {
  auto native = std::make_unique<Native>();
  native->run = std::move(run);
  const auto entry = [](void* data) -> void* {
    static_cast<Native*>(data)->run();
    return nullptr;
  };
  const int error =
      thread_is_refused()
          ? EAGAIN
          : pthread_create(&native->handle, nullptr, entry, native.get());
  if (error != 0) return {IoCode::kNoThread, error, "pthread_create"};
  native_ = std::move(native);
  return {};
}

void Thread::join() {
  if (native_ == nullptr) return;
  pthread_join(native_->handle, nullptr);
  native_.reset();
}

size_t concurrent_threads() {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count < 1 ? 1 : static_cast<size_t>(count);
}

}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
