#if defined(_WIN32)

#include "core/platform/handle_windows.h"

#include <cstring>

#include "core/base/list.h"

namespace atomic_log::platform {

IoStatus failure(DWORD error, const char* operation) {
  IoCode code = IoCode::kFailed;
  switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
      code = IoCode::kNotFound;
      break;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
    case ERROR_DIR_NOT_EMPTY:
      code = IoCode::kExists;
      break;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
    case ERROR_WRITE_PROTECT:
      code = IoCode::kDenied;
      break;
    case ERROR_TOO_MANY_OPEN_FILES:
    case ERROR_NO_SYSTEM_RESOURCES:
      code = IoCode::kNoDescriptor;
      break;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_FILE_TOO_LARGE:
      code = IoCode::kNoSpace;
      break;
    case ERROR_LOCK_VIOLATION:
      code = IoCode::kLocked;
      break;
    default:
      break;
  }
  return {code, static_cast<int32_t>(error), operation};
}

IoStatus check(BOOL result, const char* operation) {
  return result ? IoStatus{} : failure(GetLastError(), operation);
}

std::wstring wide(const std::string& text) {
  const int length = MultiByteToWideChar(
      CP_UTF8, 0, text.data(), static_cast<int>(text.size()), nullptr, 0);
  std::wstring result(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()),
                      result.data(), length);
  return result;
}

OVERLAPPED at_offset(uint64_t offset) {
  OVERLAPPED overlapped = {};
  overlapped.Offset = static_cast<DWORD>(offset);
  overlapped.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return overlapped;
}

IoStatus identity_of(HANDLE handle, FileIdentity* identity) {
  BY_HANDLE_FILE_INFORMATION info;
  if (!GetFileInformationByHandle(handle, &info)) {
    return failure(GetLastError(), "GetFileInformationByHandle");
  }
  *identity = {
      info.dwVolumeSerialNumber,
      static_cast<uint64_t>(info.nFileIndexHigh) << 32 | info.nFileIndexLow};
  return {};
}

BOOL rename_handle(HANDLE handle, const std::wstring& to, DWORD flags) {
  // FILE_RENAME_INFO, whose first member is that of FILE_RENAME_INFO_EX in newer
  // headers only.
  struct RenameInfo {
    DWORD flags;
    HANDLE root;
    DWORD name_bytes;
    wchar_t name[1];
  };
  const size_t name_bytes = to.size() * sizeof(wchar_t);
  // Of words, so that it is aligned; the zero at the end is in RenameInfo.
  List<uint64_t> words;
  if (!words.try_resize((sizeof(RenameInfo) + name_bytes) / 8 + 1)) {
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return FALSE;
  }
  auto* const info = reinterpret_cast<RenameInfo*>(words.data());
  *info = {flags, nullptr, static_cast<DWORD>(name_bytes), {}};
  std::memcpy(info->name, to.c_str(), name_bytes + sizeof(wchar_t));
  return SetFileInformationByHandle(handle,
                                    flags == 0 ? FileRenameInfo : kRenameInfoEx,
                                    info, static_cast<DWORD>(words.size() * 8));
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
