#if defined(_WIN32)

#include "core/platform/shared_mapping_windows.h"

#include <cwchar>
#include <unordered_map>
#include <vector>

#include "core/platform/memory.h"

namespace atomic_log::platform {
namespace {

// What older headers do not have.
constexpr DWORD kReplacePlaceholder = 0x4000;
constexpr DWORD kReservePlaceholder = 0x40000;
constexpr DWORD kPreservePlaceholder = 2;

using VirtualAlloc2Call = PVOID(WINAPI*)(HANDLE, PVOID, SIZE_T, ULONG, ULONG,
                                         void*, ULONG);
using MapViewOfFile3Call = PVOID(WINAPI*)(HANDLE, HANDLE, PVOID, ULONG64,
                                          SIZE_T, ULONG, ULONG, void*, ULONG);
using UnmapViewOfFile2Call = BOOL(WINAPI*)(HANDLE, PVOID, ULONG);

// Looked up at run time: Windows Server 2016 lacks them.
struct PlaceholderCalls {
  VirtualAlloc2Call allocate = nullptr;
  MapViewOfFile3Call map = nullptr;
  UnmapViewOfFile2Call unmap = nullptr;

  bool are_there() const {
    return allocate != nullptr && map != nullptr && unmap != nullptr;
  }
  static PlaceholderCalls look_up() {
    const HMODULE base = GetModuleHandleW(L"kernelbase.dll");
    if (base == nullptr) return {};
    const auto find = [base](const char* name) {
      return reinterpret_cast<void*>(GetProcAddress(base, name));
    };
    return {reinterpret_cast<VirtualAlloc2Call>(find("VirtualAlloc2")),
            reinterpret_cast<MapViewOfFile3Call>(find("MapViewOfFile3")),
            reinterpret_cast<UnmapViewOfFile2Call>(find("UnmapViewOfFile2"))};
  }
};

class Exclusive {
 public:
  explicit Exclusive(SRWLOCK* lock) : lock_(lock) {
    AcquireSRWLockExclusive(lock_);
  }
  ~Exclusive() { ReleaseSRWLockExclusive(lock_); }
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;

 private:
  SRWLOCK* const lock_;
};

enum class RangeState : uint8_t {
  // Nothing is there, and the addresses are kept.
  kReserved,
  // A file is, in a placeholder.
  kMapped,
  // A file is, and cannot be replaced.
  kStays,
};

struct Range {
  char* data = nullptr;
  size_t bytes = 0;
  RangeState state = RangeState::kReserved;
  // Whether a mapping object has it, with a file or without.
  bool is_taken = false;
  // Of what is mapped there, unless it is only reserved.
  FileIdentity file = {};
  bool is_writable = false;
  // By offset in the file.
  std::unordered_map<uint64_t, HANDLE> events = {};

  bool has(const void* address) const {
    const auto place = reinterpret_cast<uintptr_t>(address);
    const auto begin = reinterpret_cast<uintptr_t>(data);
    return place >= begin && place - begin < bytes;
  }
};

// The ranges of this process. Never destroyed: threads may outlive static
// destructors.
class Ranges {
 public:
  static Ranges& instance() {
    static Ranges* const ranges = new Ranges();
    return *ranges;
  }

  // Null where the system has no room.
  char* map(HANDLE section, const FileIdentity& file, bool is_writable,
            size_t bytes);
  void release(char* data);
  // Nothing of the file is there any more; the range is for another mapping.
  void give_back(char* data);
  SharedWord find(const void* word, EventUse use);

 private:
  // Before any range there is: its handler must be there for the first.
  Ranges() : calls_(PlaceholderCalls::look_up()) {
    AddVectoredExceptionHandler(1, &Ranges::at_exception);
  }

  static LONG CALLBACK at_exception(EXCEPTION_POINTERS* raised);
  bool mends(void* address, bool is_write);
  Range* range_of(const void* address);
  Range* placeholder(size_t bytes);
  bool reserve(const Range& range);
  Range* map_in_placeholder(HANDLE section, bool is_writable, size_t bytes);
  Range* map_to_stay(HANDLE section, const FileIdentity& file, bool is_writable,
                     size_t bytes);

  const PlaceholderCalls calls_;
  SRWLOCK lock_ = SRWLOCK_INIT;
  // Guarded by lock_, which is held exclusively while one thing is put in place
  // of another.
  std::vector<Range> ranges_;
};

// Called when a thread has touched what it must not. Where the memory is one of
// these ranges and can be touched now, the thread goes on.
LONG CALLBACK Ranges::at_exception(EXCEPTION_POINTERS* raised) {
  const EXCEPTION_RECORD& record = *raised->ExceptionRecord;
  if (record.ExceptionCode != EXCEPTION_ACCESS_VIOLATION ||
      record.NumberParameters < 2) {
    return EXCEPTION_CONTINUE_SEARCH;
  }
  const bool is_write = record.ExceptionInformation[0] == 1;
  void* const address = reinterpret_cast<void*>(record.ExceptionInformation[1]);
  return instance().mends(address, is_write) ? EXCEPTION_CONTINUE_EXECUTION
                                             : EXCEPTION_CONTINUE_SEARCH;
}

bool Ranges::mends(void* address, bool is_write) {
  AcquireSRWLockShared(&lock_);
  bool is_mended = false;
  const Range* const range = range_of(address);
  if (range != nullptr && range->state != RangeState::kReserved) {
    // It was just being replaced; or it is a store into what is read only.
    MEMORY_BASIC_INFORMATION info;
    is_mended = VirtualQuery(address, &info, sizeof(info)) != 0 &&
                info.State == MEM_COMMIT &&
                (info.Protect == PAGE_READWRITE ||
                 (info.Protect == PAGE_READONLY && !is_write));
  } else if (range != nullptr) {
    is_mended = VirtualAlloc(address, 1, MEM_COMMIT, PAGE_READWRITE) != nullptr;
  }
  ReleaseSRWLockShared(&lock_);
  return is_mended;
}

Range* Ranges::range_of(const void* address) {
  for (Range& range : ranges_) {
    if (range.has(address)) return &range;
  }
  return nullptr;
}

// For a view of that size; null when there is none to be had.
Range* Ranges::placeholder(size_t bytes) {
  if (!calls_.are_there()) return nullptr;
  for (Range& range : ranges_) {
    if (range.is_taken || range.bytes != bytes ||
        range.state != RangeState::kReserved) {
      continue;
    }
    if (VirtualFree(range.data, bytes, MEM_RELEASE | kPreservePlaceholder)) {
      return &range;
    }
  }
  void* const data = calls_.allocate(GetCurrentProcess(), nullptr, bytes,
                                     MEM_RESERVE | kReservePlaceholder,
                                     PAGE_NOACCESS, nullptr, 0);
  if (data == nullptr) return nullptr;
  ranges_.push_back({static_cast<char*>(data), bytes});
  return &ranges_.back();
}

// Of a placeholder.
bool Ranges::reserve(const Range& range) {
  return calls_.allocate(GetCurrentProcess(), range.data, range.bytes,
                         MEM_RESERVE | kReplacePlaceholder, PAGE_READWRITE,
                         nullptr, 0) != nullptr;
}

Range* Ranges::map_in_placeholder(HANDLE section, bool is_writable,
                                  size_t bytes) {
  Range* const range = placeholder(bytes);
  if (range == nullptr) return nullptr;
  if (calls_.map(section, GetCurrentProcess(), range->data, 0, bytes,
                 kReplacePlaceholder,
                 is_writable ? PAGE_READWRITE : PAGE_READONLY, nullptr,
                 0) == nullptr) {
    (void)reserve(*range);
    return nullptr;
  }
  range->state = RangeState::kMapped;
  return range;
}

// A view that was made before is used again: it keeps its file from giving its
// identity to another.
Range* Ranges::map_to_stay(HANDLE section, const FileIdentity& file,
                           bool is_writable, size_t bytes) {
  for (Range& range : ranges_) {
    if (!range.is_taken && range.state == RangeState::kStays &&
        range.bytes == bytes && range.file == file &&
        range.is_writable == is_writable) {
      return &range;
    }
  }
  void* const data = MapViewOfFile(
      section, is_writable ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ, 0,
      0, bytes);
  if (data == nullptr) return nullptr;
  ranges_.push_back({static_cast<char*>(data), bytes, RangeState::kStays});
  return &ranges_.back();
}

char* Ranges::map(HANDLE section, const FileIdentity& file, bool is_writable,
                  size_t bytes) {
  const Exclusive lock(&lock_);
  Range* range = map_in_placeholder(section, is_writable, bytes);
  if (range == nullptr) {
    range = map_to_stay(section, file, is_writable, bytes);
  }
  if (range == nullptr) return nullptr;
  range->is_taken = true;
  range->file = file;
  range->is_writable = is_writable;
  return range->data;
}

void Ranges::release(char* data) {
  const Exclusive lock(&lock_);
  Range* const range = range_of(data);
  if (range == nullptr || range->state != RangeState::kMapped ||
      !calls_.unmap(GetCurrentProcess(), data, kPreservePlaceholder)) {
    return;
  }
  range->state = RangeState::kReserved;
  for (const auto& [offset, event] : range->events) CloseHandle(event);
  range->events.clear();
  (void)reserve(*range);
}

void Ranges::give_back(char* data) {
  release(data);
  const Exclusive lock(&lock_);
  Range* const range = range_of(data);
  if (range != nullptr) range->is_taken = false;
}

SharedWord Ranges::find(const void* word, EventUse use) {
  const Exclusive lock(&lock_);
  Range* const range = range_of(word);
  if (range == nullptr || range->state == RangeState::kReserved) return {};
  const auto offset =
      static_cast<uint64_t>(static_cast<const char*>(word) - range->data);
  const auto known = range->events.find(offset);
  if (known != range->events.end()) return {true, known->second};
  wchar_t name[96];
  swprintf(name, sizeof(name) / sizeof(name[0]),
           L"Global\\atomic-log-%llx-%llx-%llx",
           static_cast<unsigned long long>(range->file.device),
           static_cast<unsigned long long>(range->file.file),
           static_cast<unsigned long long>(offset));
  // It wakes one sleeper: one thread of one process sleeps there.
  HANDLE event = nullptr;
  if (use == EventUse::kMake) event = CreateEventW(nullptr, FALSE, FALSE, name);
  // Also where another user's process has made it, and lets others use it.
  if (event == nullptr) {
    event = OpenEventW(EVENT_MODIFY_STATE | SYNCHRONIZE, FALSE, name);
  }
  if (event != nullptr) range->events.emplace(offset, event);
  return {true, event};
}

class WindowsMapping final : public SharedMapping {
 public:
  WindowsMapping(char* data, size_t bytes) : data_(data), bytes_(bytes) {}
  ~WindowsMapping() override { Ranges::instance().give_back(data_); }
  char* data() const override { return data_; }
  size_t bytes() const override { return bytes_; }
  // Where the system refuses, the view stays.
  IoStatus release_file() override {
    Ranges::instance().release(data_);
    return {};
  }

 private:
  char* const data_;
  const size_t bytes_;
};

}  // namespace

IoStatus map_shared(HANDLE file, const FileIdentity& identity, bool is_writable,
                    size_t bytes, std::shared_ptr<SharedMapping>* mapping) {
  const uint64_t wide_bytes = bytes;
  const HANDLE section = CreateFileMappingW(
      file, nullptr, is_writable ? PAGE_READWRITE : PAGE_READONLY,
      static_cast<DWORD>(wide_bytes >> 32), static_cast<DWORD>(wide_bytes),
      nullptr);
  if (section == nullptr) return failure(GetLastError(), "CreateFileMappingW");
  // A view and a placeholder are whole pages.
  const size_t page = page_bytes();
  const size_t viewed = (bytes + page - 1) / page * page;
  char* const data =
      Ranges::instance().map(section, identity, is_writable, viewed);
  const DWORD error = GetLastError();
  // The view keeps the section alive.
  CloseHandle(section);
  if (data == nullptr) return failure(error, "MapViewOfFile");
  *mapping = std::make_shared<WindowsMapping>(data, bytes);
  return {};
}

SharedWord find_shared_word(const void* word, EventUse use) {
  return Ranges::instance().find(word, use);
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
