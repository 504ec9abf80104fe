#if defined(_WIN32)

#include <utility>

#include "core/platform/handle_windows.h"
#include "core/platform/process_watch.h"

namespace atomic_log::platform {
namespace {

HANDLE to_handle(intptr_t value) { return reinterpret_cast<HANDLE>(value); }

void close_and_forget(intptr_t* value) {
  if (*value != -1) CloseHandle(to_handle(*value));
  *value = -1;
}

}  // namespace

// Numbers are one system's, whatever session or container a process is in.
ProcessName own_process_name() { return GetCurrentProcessId(); }

uint32_t process_number(ProcessName name) {
  return name >> 32 == 0 ? static_cast<uint32_t>(name) : 0;
}

bool ProcessWatch::start(ProcessName name, std::function<void()> ended) {
  stop();
  const uint32_t number = process_number(name);
  if (number == 0 || number == GetCurrentProcessId()) return false;
  const HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, number);
  if (process == nullptr) return false;
  process_ = reinterpret_cast<intptr_t>(process);
  const HANDLE cancel = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  if (cancel != nullptr) cancel_ = reinterpret_cast<intptr_t>(cancel);
  is_watching_.store(true, std::memory_order_relaxed);
  if (cancel == nullptr ||
      !thread_.start([this, ended = std::move(ended)] { run(ended); }).ok()) {
    stop();
    return false;
  }
  return true;
}

void ProcessWatch::stop() {
  if (thread_.is_started()) {
    SetEvent(to_handle(cancel_));
    thread_.join();
  }
  close_and_forget(&process_);
  close_and_forget(&cancel_);
  is_watching_.store(false, std::memory_order_relaxed);
}

void ProcessWatch::run(const std::function<void()>& ended) {
  const HANDLE both[] = {to_handle(cancel_), to_handle(process_)};
  const DWORD ready = WaitForMultipleObjects(2, both, FALSE, INFINITE);
  is_watching_.store(false, std::memory_order_relaxed);
  if (ready == WAIT_OBJECT_0 + 1) ended();
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
