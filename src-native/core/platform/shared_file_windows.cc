#if defined(_WIN32)

#include <algorithm>
#include <cstring>
#include <cwchar>

#include "core/platform/handle_windows.h"
#include "core/platform/permissions_windows.h"
#include "core/platform/random.h"
#include "core/platform/shared_file.h"
#include "core/platform/shared_locks_windows.h"
#include "core/platform/shared_mapping_windows.h"

namespace atomic_log::platform {
namespace {

// Of a millisecond or more each: what looks at a lock, or has the file open for
// itself, as a scanner does, is done by then.
constexpr int kAttempts = 20;

// Files that have no name, or none any more, are called this meanwhile. Not
// made of the log's own name, which may be as long as names can be.
constexpr wchar_t kNewPrefix[] = L".atomic-log-new-";
constexpr wchar_t kOldPrefix[] = L".atomic-log-old-";

std::wstring directory_of(const std::string& path) {
  return wide(parent_of(path)) + L"\\";
}

std::wstring random_name(const wchar_t* prefix) {
  wchar_t text[24];
  swprintf(text, sizeof(text) / sizeof(text[0]), L"%08x%08x", random_word(),
           random_word());
  return prefix + std::wstring(text);
}

// Whether the file goes when its last handle is closed.
void set_deletion(HANDLE handle, bool goes) {
  FILE_DISPOSITION_INFO info = {goes};
  (void)SetFileInformationByHandle(handle, FileDispositionInfo, &info,
                                   sizeof(info));
}

// The file goes when the last handle is closed, and its name at once where the
// system can. It can neither while a process has it mapped.
void delete_handle(HANDLE handle) {
  DWORD flags = kDelete | kPosixSemantics;
  if (!SetFileInformationByHandle(handle, kDispositionInfoEx, &flags,
                                  sizeof(flags))) {
    set_deletion(handle, true);
  }
}

// What has the file open for itself is waited for, as a scanner of viruses.
// Returns the error, or 0.
DWORD rename_patiently(HANDLE handle, const std::wstring& to) {
  for (int attempt = 1;; ++attempt) {
    if (rename_handle(handle, to, 0)) return ERROR_SUCCESS;
    const DWORD error = GetLastError();
    const bool may_pass =
        error == ERROR_ACCESS_DENIED || error == ERROR_SHARING_VIOLATION;
    if (!may_pass || attempt == kAttempts) return error;
    Sleep(1);
  }
}

void delete_file(const std::wstring& name) {
  const HANDLE handle =
      CreateFileW(name.c_str(), DELETE, kShareAll, nullptr, OPEN_EXISTING,
                  FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return;
  delete_handle(handle);
  CloseHandle(handle);
}

// Those whose name was taken away while a process had them mapped.
void delete_old_files(const std::wstring& directory) {
  WIN32_FIND_DATAW entry;
  const HANDLE search =
      FindFirstFileW((directory + kOldPrefix + L"*").c_str(), &entry);
  if (search == INVALID_HANDLE_VALUE) return;
  do {
    delete_file(directory + entry.cFileName);
  } while (FindNextFileW(search, &entry));
  FindClose(search);
}

bool is_full(DWORD error) {
  return error == ERROR_DISK_FULL || error == ERROR_HANDLE_DISK_FULL;
}

// A file that is neither sparse nor compressed has the space of all its bytes.
// Where the file system knows neither, nothing is to be done.
IoStatus fill_holes(HANDLE handle) {
  DWORD bytes = 0;
  FILE_SET_SPARSE_BUFFER sparse = {FALSE};
  if (!DeviceIoControl(handle, FSCTL_SET_SPARSE, &sparse, sizeof(sparse),
                       nullptr, 0, &bytes, nullptr)) {
    const DWORD error = GetLastError();
    if (is_full(error)) return failure(error, "FSCTL_SET_SPARSE");
  }
  USHORT format = COMPRESSION_FORMAT_NONE;
  if (!DeviceIoControl(handle, FSCTL_SET_COMPRESSION, &format, sizeof(format),
                       nullptr, 0, &bytes, nullptr)) {
    const DWORD error = GetLastError();
    if (is_full(error)) return failure(error, "FSCTL_SET_COMPRESSION");
  }
  return {};
}

class WindowsSharedFile final : public SharedFile {
 public:
  WindowsSharedFile(HANDLE handle, SharedAccess access)
      : handle_(handle),
        access_(access),
        identity_status_(identity_of(handle, &identity_)),
        locks_(handle) {}
  ~WindowsSharedFile() override {
    const std::wstring name = final_name();
    CloseHandle(handle_);
    // Its own memory may have been what kept it, or the file system knows no
    // deletion that is set beforehand.
    if (name.find(kOldPrefix) != std::wstring::npos ||
        name.find(kNewPrefix) != std::wstring::npos) {
      delete_file(name);
    }
  }

  IoStatus link(const std::string& path) override {
    // Deleted when it is closed, until here.
    set_deletion(handle_, false);
    const DWORD error = rename_patiently(handle_, wide(path));
    if (error == ERROR_SUCCESS) return {};
    // Should the memory keep it, it is found by its name.
    (void)rename_handle(handle_, directory_of(path) + random_name(kOldPrefix),
                        0);
    delete_handle(handle_);
    const IoStatus status = failure(error, "SetFileInformationByHandle");
    // The directory is there, or the file would not be: it is the name.
    return status.code == IoCode::kNotFound
               ? failure(ERROR_INVALID_NAME, status.operation)
               : status;
  }

  IoStatus size(uint64_t* bytes) override {
    LARGE_INTEGER size;
    if (!GetFileSizeEx(handle_, &size)) {
      return failure(GetLastError(), "GetFileSizeEx");
    }
    *bytes = static_cast<uint64_t>(size.QuadPart);
    return {};
  }

  IoStatus secure_space(uint64_t bytes) override {
    FILE_STANDARD_INFO info;
    if (GetFileInformationByHandleEx(handle_, FileStandardInfo, &info,
                                     sizeof(info)) &&
        static_cast<uint64_t>(info.AllocationSize.QuadPart) >= bytes) {
      return {};
    }
    return fill_holes(handle_);
  }

  IoStatus identity(FileIdentity* identity) override {
    *identity = identity_;
    return identity_status_;
  }

  IoStatus is_own(bool* is_own) override {
    return is_own_file(handle_, is_own);
  }

  IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                   size_t* read) override {
    for (*read = 0; *read < bytes;) {
      OVERLAPPED position = at_offset(offset + *read);
      const size_t wanted = std::min<size_t>(bytes - *read, size_t{1} << 30);
      DWORD moved = 0;
      if (!ReadFile(handle_, static_cast<char*>(data) + *read,
                    static_cast<DWORD>(wanted), &moved, &position)) {
        const DWORD error = GetLastError();
        return error == ERROR_HANDLE_EOF ? IoStatus{}
                                         : failure(error, "ReadFile");
      }
      if (moved == 0) return {};
      *read += moved;
    }
    return {};
  }

  IoStatus map(size_t bytes, std::shared_ptr<SharedMapping>* mapping) override {
    return map_shared(handle_, identity_, access_ == SharedAccess::kReadWrite,
                      bytes, mapping);
  }

  bool try_lock(uint32_t number) override { return locks_.try_lock(number); }
  void unlock(uint32_t number) override { locks_.unlock(number); }
  bool is_locked_elsewhere(uint32_t number) override {
    return locks_.is_locked_elsewhere(number);
  }

 private:
  // What the file is called now; empty where the system does not say.
  std::wstring final_name() const {
    std::wstring name(MAX_PATH, L'\0');
    for (int i = 0; i < 2; ++i) {
      const DWORD length = GetFinalPathNameByHandleW(
          handle_, name.data(), static_cast<DWORD>(name.size()), 0);
      if (length < name.size()) return name.substr(0, length);
      name.resize(length);
    }
    return {};
  }

  const HANDLE handle_;
  const SharedAccess access_;
  // Asked when the file was opened: Wine tells the volume by the name that the
  // file had then, and finds none when it has another.
  FileIdentity identity_;
  const IoStatus identity_status_;
  SharedLocks locks_;
};

}  // namespace

IoStatus SharedFile::create(const std::string& path, uint32_t mode,
                            uint64_t bytes, std::unique_ptr<SharedFile>* file) {
  const std::wstring directory = directory_of(path);
  delete_old_files(directory);
  const std::wstring name = directory + random_name(kNewPrefix);
  Permissions permissions(mode);
  const HANDLE handle = CreateFileW(
      name.c_str(), GENERIC_READ | GENERIC_WRITE | DELETE, kShareAll,
      permissions.get(), CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) {
    return failure(GetLastError(), "CreateFileW");
  }
  auto made =
      std::make_unique<WindowsSharedFile>(handle, SharedAccess::kReadWrite);
  // So that it goes with its maker. Not by the other kind of deletion, which
  // takes the name away for good.
  set_deletion(handle, true);
  IoStatus status = fill_holes(handle);
  FILE_END_OF_FILE_INFO end;
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(bytes);
  if (status.ok()) {
    status = check(SetFileInformationByHandle(handle, FileEndOfFileInfo, &end,
                                              sizeof(end)),
                   "SetFileInformationByHandle");
  }
  if (!status.ok()) return status;
  *file = std::move(made);
  return {};
}

IoStatus SharedFile::open(const std::string& path, SharedAccess access,
                          std::unique_ptr<SharedFile>* file) {
  const std::wstring name = wide(path);
  const HANDLE handle = CreateFileW(
      name.c_str(),
      GENERIC_READ | (access == SharedAccess::kReadOnly ? 0 : GENERIC_WRITE),
      kShareAll, nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) {
    const DWORD error = GetLastError();
    const DWORD attributes = GetFileAttributesW(name.c_str());
    // A directory, or a link that leads nowhere: it is not followed to make the
    // file, and its name is taken.
    if (attributes != INVALID_FILE_ATTRIBUTES &&
        (attributes &
         (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) != 0) {
      return {IoCode::kNotAFile, static_cast<int32_t>(error), "CreateFileW"};
    }
    return failure(error, "CreateFileW");
  }
  auto opened = std::make_unique<WindowsSharedFile>(handle, access);
  if (GetFileType(handle) != FILE_TYPE_DISK) {
    return {IoCode::kNotAFile, 0, "CreateFileW"};
  }
  *file = std::move(opened);
  return {};
}

IoStatus SharedFile::create_unnamed(uint64_t, std::unique_ptr<SharedFile>*) {
  return {IoCode::kUnsupported, 0, "CreateFileW"};
}

IoStatus SharedFile::follow_links(const std::string& path, std::string* file) {
  *file = path;
  return {};
}

// Windows keeps a file, and its name, for as long as a process has it mapped.
// So the file gets another name first.
IoStatus SharedFile::unlink(const std::string& path) {
  const std::wstring name = wide(path);
  IoStatus status;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) Sleep(1);
    const HANDLE handle =
        CreateFileW(name.c_str(), DELETE, kShareAll, nullptr, OPEN_EXISTING,
                    FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    status = check(handle != INVALID_HANDLE_VALUE, "CreateFileW");
    if (status.code == IoCode::kNotFound) return status;
    if (!status.ok()) continue;
    const DWORD error =
        rename_patiently(handle, directory_of(path) + random_name(kOldPrefix));
    if (error == ERROR_SUCCESS) delete_handle(handle);
    CloseHandle(handle);
    return error == ERROR_SUCCESS
               ? IoStatus{}
               : failure(error, "SetFileInformationByHandle");
  }
  return status;
}

// The time at which the system was started, by a clock that no one sets: its
// time of day would be another one after each setting.
IoStatus boot_id(BootId* id) {
  *id = {};
  // SystemTimeOfDayInformation, in units of 100 ns.
  struct TimeOfDay {
    int64_t booted;
    int64_t now;
    int64_t zone;
    uint32_t zone_id;
    uint32_t reserved;
    // By how much `booted` was moved since.
    int64_t booted_moved;
    int64_t slept;
  } times = {};
  using QueryCall = LONG(WINAPI*)(int, void*, ULONG, ULONG*);
  const HMODULE system = GetModuleHandleW(L"ntdll.dll");
  const auto query =
      system == nullptr
          ? nullptr
          : reinterpret_cast<QueryCall>(reinterpret_cast<void*>(
                GetProcAddress(system, "NtQuerySystemInformation")));
  if (query == nullptr || query(3, &times, sizeof(times), nullptr) < 0)
    return {};
  const int64_t started = times.booted - times.booted_moved;
  std::memcpy(id->bytes, &started, sizeof(started));
  return {};
}

uint64_t process_id() { return GetCurrentProcessId(); }

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
