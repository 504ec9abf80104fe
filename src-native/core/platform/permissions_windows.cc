#if defined(_WIN32)

#include "core/platform/permissions_windows.h"

#include <aclapi.h>
#include <sddl.h>

#include <cstring>
#include <string>

namespace atomic_log::platform {
namespace {

// Of this process: its user, or the owner of what it makes.
class TokenSid {
 public:
  explicit TokenSid(TOKEN_INFORMATION_CLASS kind) {
    HANDLE token = nullptr;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return;
    DWORD bytes = 0;
    is_known_ =
        GetTokenInformation(token, kind, buffer_, sizeof(buffer_), &bytes);
    CloseHandle(token);
  }
  // Both kinds begin with a pointer to the identifier.
  PSID get() const {
    PSID sid = nullptr;
    if (is_known_) std::memcpy(&sid, buffer_, sizeof(sid));
    return sid;
  }
  bool is(PSID other) const {
    return is_known_ && other != nullptr && EqualSid(get(), other);
  }

 private:
  alignas(TOKEN_USER) char buffer_[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  bool is_known_ = false;
};

}  // namespace

Permissions::Permissions(uint32_t mode) {
  const TokenSid user(TokenUser);
  LPWSTR text = nullptr;
  if ((mode & 077) != 0 || user.get() == nullptr ||
      !ConvertSidToStringSidW(user.get(), &text)) {
    return;
  }
  const std::wstring name(text);
  LocalFree(text);
  const std::wstring rules =
      L"O:" + name + L"D:P(A;;FA;;;" + name + L")(A;;FA;;;SY)(A;;FA;;;BA)";
  if (ConvertStringSecurityDescriptorToSecurityDescriptorW(
          rules.c_str(), SDDL_REVISION_1, &descriptor_, nullptr)) {
    attributes_ = {sizeof(attributes_), descriptor_, FALSE};
  }
}

IoStatus is_own_file(HANDLE handle, bool* is_own) {
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD error =
      GetSecurityInfo(handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION,
                      &owner, nullptr, nullptr, nullptr, &descriptor);
  // Some file systems know no owners.
  *is_own = error == ERROR_NOT_SUPPORTED || error == ERROR_INVALID_FUNCTION;
  if (*is_own) return {};
  if (error != ERROR_SUCCESS) return failure(error, "GetSecurityInfo");
  *is_own = TokenSid(TokenUser).is(owner) || TokenSid(TokenOwner).is(owner);
  LocalFree(descriptor);
  return {};
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
