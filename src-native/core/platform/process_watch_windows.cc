#if defined(_WIN32)

#include "core/platform/handle_windows.h"
#include "core/platform/process_watch.h"

namespace atomic_log::platform {
namespace {

HANDLE to_handle(intptr_t value) { return reinterpret_cast<HANDLE>(value); }

intptr_t to_value(HANDLE handle) {
  return handle == nullptr ? -1 : reinterpret_cast<intptr_t>(handle);
}

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

bool internal::ProcessEnd::open(uint32_t number) {
  process_ = to_value(OpenProcess(SYNCHRONIZE, FALSE, number));
  if (process_ != -1) {
    cancel_ = to_value(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  }
  return cancel_ != -1;
}

bool internal::ProcessEnd::wait() {
  const HANDLE both[] = {to_handle(cancel_), to_handle(process_)};
  return WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0 + 1;
}

void internal::ProcessEnd::cancel() { SetEvent(to_handle(cancel_)); }

void internal::ProcessEnd::close() {
  close_and_forget(&process_);
  close_and_forget(&cancel_);
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
