// os_sync_wait_on_address(), which macOS has from 14.4 on and older ones have not.
// Compiled elsewhere for its tests.
#if defined(__APPLE__) || defined(ATOMIC_LOG_PORTABLE)

#include <dlfcn.h>
#include <errno.h>

#include <algorithm>

#include "core/platform/futex.h"

namespace atomic_log::platform {
namespace {

// From os/os_sync_wait_on_address.h and os/clock.h.
constexpr uint32_t kShared = 1;
constexpr uint32_t kMachAbsoluteTime = 32;

// Whatever it was that the system refused must not keep a processor busy.
constexpr std::chrono::milliseconds kRefused{1};

void* address_of(const std::atomic<uint32_t>& word) {
  return const_cast<std::atomic<uint32_t>*>(&word);
}

}  // namespace

void internal::AddressWaits::wait_for(const std::atomic<uint32_t>& word,
                                      uint32_t expected,
                                      std::chrono::nanoseconds time) const {
  // No time at all would be refused.
  if (time.count() <= 0) return;
  if (wait(address_of(word), expected, sizeof(word), kShared, kMachAbsoluteTime,
           static_cast<uint64_t>(time.count())) >= 0 ||
      errno == ETIMEDOUT || errno == EINTR) {
    return;
  }
  local_wait(word, expected,
             std::min<std::chrono::nanoseconds>(time, kRefused));
}

void internal::AddressWaits::wake(const std::atomic<uint32_t>& word) const {
  // That no one sleeps is an error, too.
  (void)wake_all(address_of(word), sizeof(word), kShared);
}

#if defined(__APPLE__)

namespace {

const internal::AddressWaits& address_waits() {
  static const internal::AddressWaits waits = {
      reinterpret_cast<internal::AddressWaits::Wait>(
          dlsym(RTLD_DEFAULT, "os_sync_wait_on_address_with_timeout")),
      reinterpret_cast<internal::AddressWaits::WakeAll>(
          dlsym(RTLD_DEFAULT, "os_sync_wake_by_address_all"))};
  return waits;
}

}  // namespace

void futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                std::chrono::nanoseconds time) {
  if (wakes_across_processes()) {
    address_waits().wait_for(word, expected, time);
  } else {
    internal::local_wait(word, expected, time);
  }
}

void futex_wake_all(const std::atomic<uint32_t>& word) {
  if (wakes_across_processes()) {
    address_waits().wake(word);
  } else {
    internal::local_wake_all();
  }
}

bool wakes_across_processes() {
  return address_waits().wait != nullptr && address_waits().wake_all != nullptr;
}

#endif  // defined(__APPLE__)

}  // namespace atomic_log::platform

#endif  // defined(__APPLE__) || defined(ATOMIC_LOG_PORTABLE)
