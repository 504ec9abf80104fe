#if defined(_WIN32)

#include <process.h>
#include <windows.h>

#include <utility>

#include "core/base/check.h"
#include "core/base/faults.h"
#include "core/platform/thread.h"

namespace atomic_log::platform {

struct Thread::Native {
  std::function<void()> run;
  HANDLE handle = nullptr;
};

Thread::Thread() = default;
Thread::~Thread() { CORE_CHECK(!is_started()); }

IoStatus Thread::start(std::function<void()> run) {
  auto native = std::make_unique<Native>();
  native->run = std::move(run);
  struct Entry {
    static unsigned __stdcall enter(void* data) {
      static_cast<Native*>(data)->run();
      return 0;
    }
  };
  // Not CreateThread: the C runtime keeps state for each thread.
  native->handle =
      thread_is_refused()
          ? nullptr
          : reinterpret_cast<HANDLE>(_beginthreadex(nullptr, 0, &Entry::enter,
                                                    native.get(), 0, nullptr));
  if (native->handle == nullptr) {
    return {IoCode::kNoThread, static_cast<int32_t>(GetLastError()),
            "_beginthreadex"};
  }
  native_ = std::move(native);
  return {};
}

void Thread::join() {
  if (native_ == nullptr) return;
  WaitForSingleObject(native_->handle, INFINITE);
  CloseHandle(native_->handle);
  native_.reset();
}

size_t concurrent_threads() {
  const DWORD count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
  return count < 1 ? 1 : count;
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
