// The owner of a file, and the rights to one that is made. Any thread.
#ifndef ATOMIC_LOG_CORE_PLATFORM_PERMISSIONS_WINDOWS_H_
#define ATOMIC_LOG_CORE_PLATFORM_PERMISSIONS_WINDOWS_H_

#if defined(_WIN32)

#include "core/platform/handle_windows.h"

namespace atomic_log::platform {

// Of a file to be made, by a mode as of POSIX: without rights for group and
// others, this user, the system and its administrators may do anything with it;
// otherwise the rules of the directory hold.
class Permissions {
 public:
  explicit Permissions(uint32_t mode);
  ~Permissions() { LocalFree(descriptor_); }
  Permissions(const Permissions&) = delete;
  Permissions& operator=(const Permissions&) = delete;

  // Null for the rules of the directory.
  SECURITY_ATTRIBUTES* get() {
    return descriptor_ == nullptr ? nullptr : &attributes_;
  }

 private:
  PSECURITY_DESCRIPTOR descriptor_ = nullptr;
  SECURITY_ATTRIBUTES attributes_ = {};
};

// Whether a file belongs to this user, or to the owner that the system gives to
// what this process makes, which for administrators is their group.
IoStatus is_own_file(HANDLE handle, bool* is_own);

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)

#endif  // ATOMIC_LOG_CORE_PLATFORM_PERMISSIONS_WINDOWS_H_
