// What the files of Windows have in common: names as the system takes them, and
// what its calls return. Any thread.
#ifndef ATOMIC_LOG_CORE_PLATFORM_HANDLE_WINDOWS_H_
#define ATOMIC_LOG_CORE_PLATFORM_HANDLE_WINDOWS_H_

#if defined(_WIN32)

#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <winioctl.h>

#include <cstdint>
#include <string>

#include "core/platform/file.h"
#include "core/platform/io_status.h"

namespace atomic_log::platform {

// No one is kept from anything by what this library has open.
constexpr DWORD kShareAll =
    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
// Windows locks are mandatory: one on the data would stop the readers. From this
// byte on they are beyond every file.
constexpr uint64_t kLockOffset = uint64_t{1} << 62;

IoStatus failure(DWORD error, const char* operation);
// Of a call that returns whether it succeeded.
IoStatus check(BOOL result, const char* operation);

std::wstring wide(const std::string& text);
OVERLAPPED at_offset(uint64_t offset);
IoStatus identity_of(HANDLE handle, FileIdentity* identity);

// FILE_RENAME_INFO_EX::Flags and FILE_DISPOSITION_INFO_EX::Flags, which older
// headers do not have.
constexpr auto kRenameInfoEx = static_cast<FILE_INFO_BY_HANDLE_CLASS>(22);
constexpr DWORD kReplaceIfExists = 1;
constexpr auto kDispositionInfoEx = static_cast<FILE_INFO_BY_HANDLE_CLASS>(21);
constexpr DWORD kDelete = 1;
// Of both: also where someone has the file open.
constexpr DWORD kPosixSemantics = 2;

// Gives another name to a file that was opened with DELETE. Without flags, never
// one that is taken: ERROR_ALREADY_EXISTS.
BOOL rename_handle(HANDLE handle, const std::wstring& to, DWORD flags);

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)

#endif  // ATOMIC_LOG_CORE_PLATFORM_HANDLE_WINDOWS_H_
