// The system's own wait on a word (WaitOnAddress) knows one process only. A
// word in the memory of a file has an event instead, which is named after its
// place in the file; where it is refused, as to a process in another sandbox,
// the sleeper looks every millisecond.
#if defined(_WIN32)

#include <algorithm>

#include "core/platform/futex.h"
#include "core/platform/shared_mapping_windows.h"

namespace atomic_log::platform {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Sleeps that are shorter go by a timer of their own: the system looks at
// others 64 times a second.
constexpr milliseconds kShort{50};
constexpr milliseconds kLook{1};
// CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, since Windows 10 1803.
constexpr DWORD kHighResolution = 2;

using WaitOnAddressCall = BOOL(WINAPI*)(volatile void*, void*, SIZE_T, DWORD);
using WakeByAddressCall = void(WINAPI*)(void*);

template <typename Call>
Call look_up(const char* name) {
  const HMODULE base = GetModuleHandleW(L"kernelbase.dll");
  return base == nullptr ? nullptr
                         : reinterpret_cast<Call>(reinterpret_cast<void*>(
                               GetProcAddress(base, name)));
}

DWORD rounded_up(nanoseconds time) {
  const auto wait_ms = std::chrono::ceil<milliseconds>(time).count();
  return static_cast<DWORD>(std::clamp<int64_t>(wait_ms, 1, 0x7FFFFFFF));
}

// Until the event is set, where there is one, or the time is over.
void sleep_short(HANDLE event, nanoseconds time) {
  const HANDLE timer = CreateWaitableTimerExW(nullptr, nullptr, kHighResolution,
                                              SYNCHRONIZE | TIMER_MODIFY_STATE);
  // Relative, in units of 100 ns.
  LARGE_INTEGER due;
  due.QuadPart = -std::max<int64_t>(1, time.count() / 100);
  if (timer != nullptr &&
      SetWaitableTimer(timer, &due, 0, nullptr, nullptr, FALSE)) {
    const HANDLE both[] = {timer, event};
    WaitForMultipleObjects(event == nullptr ? 1 : 2, both, FALSE, INFINITE);
  } else if (event == nullptr ||
             WaitForSingleObject(event, rounded_up(time)) == WAIT_FAILED) {
    Sleep(rounded_up(time));
  }
  if (timer != nullptr) CloseHandle(timer);
}

}  // namespace

void futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                nanoseconds time) {
  if (time.count() <= 0) return;
  // Made before the word is looked at: a thread that changes the word after
  // that finds the event. Acquire: pairs with the change.
  const SharedWord shared = find_shared_word(&word, EventUse::kMake);
  if (word.load(std::memory_order_acquire) != expected) return;
  const bool looks = shared.is_in_file && shared.event == nullptr;
  if (looks) time = std::min<nanoseconds>(time, kLook);
  if (time < kShort) return sleep_short(shared.event, time);
  if (shared.event != nullptr) {
    if (WaitForSingleObject(shared.event, rounded_up(time)) == WAIT_FAILED) {
      Sleep(1);
    }
    return;
  }
  static const auto wait = look_up<WaitOnAddressCall>("WaitOnAddress");
  if (wait == nullptr) return sleep_short(nullptr, kLook);
  wait(const_cast<std::atomic<uint32_t>*>(&word), &expected, sizeof(expected),
       rounded_up(time));
}

void futex_wake_all(const std::atomic<uint32_t>& word) {
  const SharedWord shared = find_shared_word(&word, EventUse::kFind);
  if (shared.event != nullptr) SetEvent(shared.event);
  if (shared.is_in_file) return;
  static const auto wake = look_up<WakeByAddressCall>("WakeByAddressAll");
  if (wake != nullptr) wake(const_cast<std::atomic<uint32_t>*>(&word));
}

// But for a process that may not use the event.
bool wakes_across_processes() { return true; }

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
