#if defined(_WIN32)

#include "core/platform/file.h"
#include "core/platform/handle_windows.h"
#include "core/platform/io_loop.h"

namespace atomic_log::platform {
namespace {

constexpr int kLockAttempts = 8;
// Of a millisecond or more each: what has the target open reads a few bytes.
constexpr int kRenameAttempts = 60;

std::string narrow(const wchar_t* text) {
  const int length =
      WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr);
  if (length <= 0) return {};
  std::string result(static_cast<size_t>(length), '\0');
  WideCharToMultiByte(CP_UTF8, 0, text, -1, result.data(), length, nullptr,
                      nullptr);
  result.pop_back();
  return result;
}

// Replaces a target that someone has open, as POSIX does; not every Windows and
// file system can.
bool replace_open_file(const std::wstring& from, const std::wstring& to) {
  const HANDLE handle =
      CreateFileW(from.c_str(), DELETE, kShareAll, nullptr, OPEN_EXISTING,
                  FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return false;
  const bool is_done =
      rename_handle(handle, to, kReplaceIfExists | kPosixSemantics);
  CloseHandle(handle);
  return is_done;
}

class WindowsFileMapping final : public FileMapping {
 public:
  WindowsFileMapping(void* data, size_t bytes) : data_(data), bytes_(bytes) {}
  ~WindowsFileMapping() override { UnmapViewOfFile(data_); }
  uint8_t* data() const override { return static_cast<uint8_t*>(data_); }
  size_t bytes() const override { return bytes_; }
  // Windows can put other memory in a view's place only when the view was made
  // in an address range reserved for that (MEM_REPLACE_PLACEHOLDER). This one
  // was not: the file stays mapped until the last view of it is gone.
  IoStatus release_file() override {
    return {IoCode::kUnsupported, 0, "UnmapViewOfFile"};
  }

 private:
  void* const data_;
  const size_t bytes_;
};

// NTFS writes names to its journal, in order with what FlushFileBuffers writes;
// there is no call for a directory.
class WindowsDirectory final : public Directory {
 public:
  IoStatus sync() override { return {}; }
};

class WindowsFile final : public File {
 public:
  explicit WindowsFile(HANDLE handle)
      : handle_(handle), identity_status_(identity_of(handle, &identity_)) {}
  ~WindowsFile() override { CloseHandle(handle_); }

  IoStatus read_at(uint64_t offset, void* data, size_t bytes,
                   size_t* read) override {
    return read_fully(
        offset, data, bytes, read,
        [this](uint64_t from, uint8_t* to, size_t count) -> IoStep {
          OVERLAPPED position = at_offset(from);
          DWORD moved = 0;
          if (ReadFile(handle_, to, static_cast<DWORD>(count), &moved,
                       &position)) {
            return {moved, false, {}};
          }
          const DWORD error = GetLastError();
          if (error == ERROR_HANDLE_EOF) return {};
          return {0, false, failure(error, "ReadFile")};
        });
  }

  IoStatus write_at(uint64_t offset, const void* data, size_t bytes) override {
    return write_fully(
        offset, data, bytes,
        [this](uint64_t to, const uint8_t* from, size_t count) -> IoStep {
          OVERLAPPED position = at_offset(to);
          DWORD moved = 0;
          if (WriteFile(handle_, from, static_cast<DWORD>(count), &moved,
                        &position)) {
            return {moved, false, {}};
          }
          return {0, false, failure(GetLastError(), "WriteFile")};
        });
  }

  IoStatus size(uint64_t* bytes) override {
    LARGE_INTEGER size;
    if (!GetFileSizeEx(handle_, &size)) {
      return failure(GetLastError(), "GetFileSizeEx");
    }
    *bytes = static_cast<uint64_t>(size.QuadPart);
    return {};
  }

  // Written zeros: beyond its valid data length NTFS would write them later,
  // before the first append after a gap.
  IoStatus preallocate(uint64_t bytes) override {
    FILE_END_OF_FILE_INFO end;
    end.EndOfFile.QuadPart = static_cast<LONGLONG>(bytes);
    if (!SetFileInformationByHandle(handle_, FileEndOfFileInfo, &end,
                                    sizeof(end))) {
      return failure(GetLastError(), "SetFileInformationByHandle");
    }
    return zero_range(0, bytes);
  }

  IoStatus sync_data() override { return sync_all(); }
  IoStatus sync_all() override {
    return check(FlushFileBuffers(handle_), "FlushFileBuffers");
  }

  IoStatus lock() override {
    // is_locked() of a reader may have it for a moment.
    IoStatus status;
    for (int attempt = 0; attempt < kLockAttempts; ++attempt) {
      if (attempt > 0) Sleep(1);
      status = try_lock(LOCKFILE_EXCLUSIVE_LOCK);
      if (status.code != IoCode::kLocked) break;
    }
    return status;
  }

  // There is no query; a shared lock is taken and released at once.
  IoStatus is_locked(bool* is_locked) override {
    const IoStatus status = try_lock(0);
    *is_locked = status.code == IoCode::kLocked;
    if (!status.ok()) return *is_locked ? IoStatus{} : status;
    OVERLAPPED position = at_offset(kLockOffset);
    return check(UnlockFileEx(handle_, 0, 1, 0, &position), "UnlockFileEx");
  }

  IoStatus identity(FileIdentity* identity) override {
    *identity = identity_;
    return identity_status_;
  }

  IoStatus map(size_t bytes, std::unique_ptr<FileMapping>* mapping) override {
    const uint64_t wide_bytes = bytes;
    const HANDLE section = CreateFileMappingW(
        handle_, nullptr, PAGE_WRITECOPY, static_cast<DWORD>(wide_bytes >> 32),
        static_cast<DWORD>(wide_bytes), nullptr);
    if (section == nullptr) {
      return failure(GetLastError(), "CreateFileMappingW");
    }
    void* const data = MapViewOfFile(section, FILE_MAP_COPY, 0, 0, bytes);
    const DWORD error = GetLastError();
    // The view keeps the section alive.
    CloseHandle(section);
    if (data == nullptr) return failure(error, "MapViewOfFile");
    *mapping = std::make_unique<WindowsFileMapping>(data, bytes);
    return {};
  }

  IoStatus renew(FileMapping&) override {
    return {IoCode::kUnsupported, 0, "MapViewOfFile"};
  }

  // The system reads ahead by itself.
  void will_read(uint64_t, uint64_t) override {}

 private:
  IoStatus try_lock(DWORD flags) {
    OVERLAPPED position = at_offset(kLockOffset);
    return check(LockFileEx(handle_, flags | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
                            &position),
                 "LockFileEx");
  }

  const HANDLE handle_;
  // Asked when the file was opened: Wine tells the volume by the name that the
  // file had then, and finds none when it has another.
  FileIdentity identity_;
  const IoStatus identity_status_;
};

class WindowsFileSystem final : public FileSystem {
 public:
  IoStatus open(const std::string& path, OpenMode mode,
                std::unique_ptr<File>* file) override {
    const std::wstring name = wide(path);
    const DWORD access =
        GENERIC_READ | (mode == OpenMode::kRead ? 0 : GENERIC_WRITE);
    const HANDLE handle =
        CreateFileW(name.c_str(), access, kShareAll, nullptr,
                    mode == OpenMode::kCreateNew ? CREATE_NEW : OPEN_EXISTING,
                    FILE_ATTRIBUTE_NORMAL, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
      const DWORD error = GetLastError();
      const DWORD attributes = GetFileAttributesW(name.c_str());
      if (attributes != INVALID_FILE_ATTRIBUTES &&
          (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 &&
          mode != OpenMode::kCreateNew) {
        return {IoCode::kNotAFile, static_cast<int32_t>(error), "CreateFileW"};
      }
      return failure(error, "CreateFileW");
    }
    auto opened = std::make_unique<WindowsFile>(handle);
    if (GetFileType(handle) != FILE_TYPE_DISK) {
      return {IoCode::kNotAFile, 0, "CreateFileW"};
    }
    *file = std::move(opened);
    return {};
  }

  IoStatus remove(const std::string& path) override {
    return check(DeleteFileW(wide(path).c_str()), "DeleteFileW");
  }

  IoStatus rename(const std::string& from, const std::string& to) override {
    const std::wstring source = wide(from);
    const std::wstring target = wide(to);
    for (int attempt = 1;; ++attempt) {
      if (MoveFileExW(source.c_str(), target.c_str(),
                      MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
        return {};
      }
      const DWORD error = GetLastError();
      // Both are said of a target that is open, as a cursor's file is while a
      // checkpoint or another process looks at it.
      const bool may_be_open =
          error == ERROR_ACCESS_DENIED || error == ERROR_SHARING_VIOLATION;
      if (!may_be_open || attempt == kRenameAttempts) {
        return failure(error, "MoveFileExW");
      }
      if (replace_open_file(source, target)) return {};
      Sleep(1);
    }
  }

  IoStatus link(const std::string& from, const std::string& to) override {
    return check(CreateHardLinkW(wide(to).c_str(), wide(from).c_str(), nullptr),
                 "CreateHardLinkW");
  }

  IoStatus remove_directory(const std::string& path) override {
    return check(RemoveDirectoryW(wide(path).c_str()), "RemoveDirectoryW");
  }

  IoStatus list(const std::string& directory,
                List<std::string>* names) override {
    WIN32_FIND_DATAW entry;
    const HANDLE search =
        FindFirstFileW(wide(directory + "\\*").c_str(), &entry);
    if (search == INVALID_HANDLE_VALUE) {
      return failure(GetLastError(), "FindFirstFileW");
    }
    names->clear();
    bool has_memory = true;
    do {
      std::string name = narrow(entry.cFileName);
      if (name == "." || name == "..") continue;
      has_memory = names->try_push_back(std::move(name));
    } while (has_memory && FindNextFileW(search, &entry));
    const DWORD error = GetLastError();
    FindClose(search);
    if (!has_memory) return kNoMemory;
    if (error == ERROR_NO_MORE_FILES) return {};
    return failure(error, "FindNextFileW");
  }

  IoStatus make_directory(const std::string& path) override {
    return check(CreateDirectoryW(wide(path).c_str(), nullptr),
                 "CreateDirectoryW");
  }

  IoStatus check_writable(const std::string& directory) override {
    // Asked for the right to add a file to it, which is what its list of rights
    // names; the read-only attribute of a directory means nothing.
    const HANDLE handle =
        CreateFileW(wide(directory).c_str(), FILE_ADD_FILE, kShareAll, nullptr,
                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
      return failure(GetLastError(), "CreateFileW");
    }
    CloseHandle(handle);
    return {};
  }

  IoStatus open_directory(const std::string&,
                          std::unique_ptr<Directory>* directory) override {
    *directory = std::make_unique<WindowsDirectory>();
    return {};
  }

  IoStatus identity(const std::string& path, FileIdentity* identity) override {
    // Without any right, so that it disturbs no one; the flag is for
    // directories.
    const HANDLE handle =
        CreateFileW(wide(path).c_str(), 0, kShareAll, nullptr, OPEN_EXISTING,
                    FILE_FLAG_BACKUP_SEMANTICS, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
      return failure(GetLastError(), "CreateFileW");
    }
    const IoStatus status = identity_of(handle, identity);
    CloseHandle(handle);
    return status;
  }
};

}  // namespace

FileSystem& native_file_system() {
  // Never destroyed: threads may outlive static destructors.
  static FileSystem* const system = new WindowsFileSystem();
  return *system;
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
