// What shared_file.h promises besides what shared_file_portable_test.cc has: between
// processes, and of files as POSIX has them; with the implementation of Linux, and
// with the one for all POSIX systems.
#if !defined(_WIN32)

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#if defined(__linux__)
#include <sys/vfs.h>
#endif
#include <unistd.h>

#include <cstring>

#include "core/platform/shared_file.h"
#include "core/platform/shared_file_system.h"
#include "support/shared_file_fixture.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log::platform;
using atomic_log::test::in_child;
using atomic_log::test::kill_child;
using atomic_log::test::make_shared_file;
using atomic_log::test::map_all;
using atomic_log::test::open_shared_file;
using atomic_log::test::Pipe;
using atomic_log::test::status_of;
using atomic_log::test::TemporaryDirectory;

namespace {

#if defined(__linux__)
constexpr long kTmpfs = 0x01021994;
#endif
// Not whole pages.
constexpr uint64_t kBytes = 200'001;

std::unique_ptr<SharedFile> make(const std::string& path,
                                 uint32_t mode = 0600) {
  return make_shared_file(path, kBytes, mode);
}

// Dead processes' locks are free, but not at once.
bool lock_soon(SharedFile& file, uint32_t number) {
  for (int i = 0; i < 20'000; ++i) {
    if (file.try_lock(number)) return true;
    usleep(1000);
  }
  return false;
}

bool is_mapped(void* address) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  unsigned char is_resident = 0;
  return mincore(reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(address) /
                                         page * page),
                 1, &is_resident) == 0;
}

}  // namespace

TEST_CASE("shared file: a new one has its space, zeros and permissions") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto mask = umask(077);
  auto file = make(path, 0644);
  umask(mask);
  struct stat info;
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0644);
  CHECK(static_cast<uint64_t>(info.st_blocks) * 512 >= kBytes);
  CHECK(info.st_nlink == 1);
  uint64_t bytes = 0;
  REQUIRE(file->size(&bytes).ok());
  CHECK(bytes == kBytes);
  const auto mapping = map_all(*file);
  CHECK(mapping->bytes() == kBytes);
  CHECK(mapping->data()[0] == 0);
  CHECK(std::memcmp(mapping->data(), mapping->data() + 1, kBytes - 1) == 0);
}

TEST_CASE("shared file: what a dead maker has left goes, and nothing else") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  // None of them is a name that is given here.
  for (const char* const name :
       {".atomic-log-0123456789abcdeg", ".atomic-log-0123456789abcde",
        ".atomic-log-0123456789abcdef0", "atomic-log-0123456789abcdef"}) {
    close(::open(directory.file(name).c_str(), O_CREAT | O_RDWR, 0600));
  }
  REQUIRE(mkdir(directory.file(".atomic-log-00000000000000aa").c_str(), 0700) ==
          0);
  std::unique_ptr<SharedFile> living;
  REQUIRE(SharedFile::create(path, 0600, kBytes, &living).ok());
  CHECK(status_of(in_child([&] {
          std::unique_ptr<SharedFile> left;
          if (!SharedFile::create(path, 0600, kBytes, &left).ok()) return 1;
          (void)left.release();
          return 0;
        })) == 0);
  const auto file = make(path);
  CHECK(living->link(path).code == IoCode::kExists);
  CHECK(living->link(directory.file("living")).ok());
  CHECK(directory.names() == 7);
}

TEST_CASE("shared file: makers at once do not take each other's away") {
  const TemporaryDirectory directory;
  pid_t children[4];
  for (int i = 0; i < 4; ++i) {
    children[i] = in_child([&] {
      for (int k = 0; k < 50; ++k) {
        const std::string name = std::to_string(i) + "-" + std::to_string(k);
        std::unique_ptr<SharedFile> file;
        const std::string path = directory.file(name.c_str());
        if (!SharedFile::create(path, 0600, 100, &file).ok()) return 1;
        if (!file->link(path).ok()) return 2;
      }
      return 0;
    });
  }
  for (const pid_t child : children) CHECK(status_of(child) == 0);
  CHECK(directory.names() == 200);
}

TEST_CASE("shared file: a name may be as long as names can be") {
  const TemporaryDirectory directory;
  const std::string name(255, 'x');
  make(directory.file(name.c_str()));
  CHECK(directory.names() == 1);
}

TEST_CASE("shared file: what is no file is refused, and where none can be") {
  const TemporaryDirectory directory;
  std::unique_ptr<SharedFile> file;
  const auto code_of = [&](const std::string& path) {
    return SharedFile::open(path, SharedAccess::kReadWrite, &file).code;
  };
  CHECK(code_of(directory.file("none")) == IoCode::kNotFound);
  CHECK(code_of(directory.path()) == IoCode::kNotAFile);
  REQUIRE(mkfifo(directory.file("pipe").c_str(), 0600) == 0);
  CHECK(code_of(directory.file("pipe")) == IoCode::kNotAFile);
  REQUIRE(symlink("none", directory.file("link").c_str()) == 0);
  CHECK(code_of(directory.file("link")) == IoCode::kNotAFile);
  CHECK(SharedFile::create(directory.file("none/log"), 0600, kBytes, &file)
            .code == IoCode::kNotFound);
  CHECK(file == nullptr);
}

TEST_CASE("shared file: another process has the same memory") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto mapping = map_all(*make(path));
  mapping->data()[kBytes - 1] = 5;
  CHECK(status_of(in_child([&] {
          const auto mine = map_all(*open_shared_file(path));
          const bool is_seen = mine->data()[kBytes - 1] == 5;
          mine->data()[7] = 9;
          return is_seen ? 0 : 1;
        })) == 0);
  CHECK(mapping->data()[7] == 9);
}

TEST_CASE("shared file: released memory can be touched, and is used again") {
  const TemporaryDirectory directory;
  auto file = make(directory.file());
  auto mapping = map_all(*file);
  char* const address = mapping->data();
  address[3] = 1;
  REQUIRE(mapping->release_file().ok());
  CHECK(address[3] == 0);
  address[3] = 2;
  mapping.reset();
  CHECK(address[3] == 2);
  const auto next = map_all(*file);
  CHECK(next->data() == address);
  CHECK(address[3] == 1);
}

TEST_CASE("shared file: no child process has the mapping") {
  const TemporaryDirectory directory;
  auto file = make(directory.file());
  const auto mapping = map_all(*file);
  CHECK(is_mapped(mapping->data()));
  CHECK(status_of(in_child([&] { return is_mapped(mapping->data()); })) == 0);
}

TEST_CASE("shared file: holes are no reason to refuse it") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const int descriptor = ::open(path.c_str(), O_CREAT | O_RDWR, 0600);
  REQUIRE(ftruncate(descriptor, 1 << 20) == 0);
  close(descriptor);
  auto file = open_shared_file(path);
  CHECK(file->secure_space(1 << 20).ok());
  CHECK(make(directory.file("whole"))->secure_space(kBytes).ok());
}

#if defined(__linux__) && !defined(ATOMIC_LOG_PORTABLE)
// The system counts blocks that were taken beyond the end of a file, too, as some
// file systems do by themselves.
TEST_CASE("shared file: a hole is filled that the count of blocks hides") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  constexpr off_t kHole = 1 << 20;
  const int descriptor = ::open(path.c_str(), O_CREAT | O_RDWR, 0600);
  REQUIRE(ftruncate(descriptor, kHole) == 0);
  // Not everywhere; and of a file in memory the count is believed.
  struct statfs system;
  if (fstatfs(descriptor, &system) == 0 &&
      static_cast<long>(system.f_type) != kTmpfs &&
      fallocate(descriptor, FALLOC_FL_KEEP_SIZE, kHole, kHole) == 0) {
    struct stat before;
    struct stat after;
    REQUIRE(fstat(descriptor, &before) == 0);
    REQUIRE(before.st_blocks * 512 >= kHole);
    CHECK(open_shared_file(path)->secure_space(kHole).ok());
    REQUIRE(fstat(descriptor, &after) == 0);
    CHECK((after.st_blocks - before.st_blocks) * 512 >= kHole);
    CHECK(after.st_size == kHole);
  }
  close(descriptor);
}
#endif

TEST_CASE("shared file: closing another handle of the file frees no lock") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  auto mine = make(path);
  REQUIRE(mine->try_lock(3));
  open_shared_file(path).reset();
  open_shared_file(path, SharedAccess::kReadOnly).reset();
  close(::open(path.c_str(), O_RDWR));
  CHECK(open_shared_file(path)->is_locked_elsewhere(3));
}

TEST_CASE("shared file: to look takes no lock, and needs no right to write") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  auto mine = make(path);
  auto reader = open_shared_file(path, SharedAccess::kReadOnly);
  CHECK(!reader->is_locked_elsewhere(5));
  CHECK(mine->try_lock(5));
  CHECK(reader->is_locked_elsewhere(5));
  CHECK(!reader->try_lock(5));
  CHECK(!reader->try_lock(6));
  CHECK(mine->try_lock(6));
}

TEST_CASE("shared file: locks are the file's, whatever it is called") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  auto first = make(path);
  REQUIRE(first->try_lock(0));
  REQUIRE(::link(path.c_str(), directory.file("same").c_str()) == 0);
  CHECK(open_shared_file(directory.file("same"))->is_locked_elsewhere(0));
  REQUIRE(rename(path.c_str(), directory.file("moved").c_str()) == 0);
  CHECK(open_shared_file(directory.file("moved"))->is_locked_elsewhere(0));
  // Another one of that name has its own.
  auto second = make(path);
  CHECK(second->try_lock(0));
  CHECK(!open_shared_file(directory.file("moved"))->try_lock(0));
}

TEST_CASE("shared file: the locks of a process that is killed are free") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  auto file = make(path);
  const Pipe locked;
  const pid_t child = in_child([&] {
    auto mine = open_shared_file(path);
    if (!mine->try_lock(0) || !mine->try_lock(20) || !locked.tell()) return 1;
    for (;;) pause();
  });
  REQUIRE(locked.hear());
  CHECK(file->is_locked_elsewhere(0));
  CHECK(!file->try_lock(20));
  kill_child(child);
  CHECK(lock_soon(*file, 0));
  CHECK(lock_soon(*file, 20));
}

TEST_CASE("shared file: the run of the system has a number") {
  BootId id;
  REQUIRE(boot_id(&id).ok());
  const BootId none;
  CHECK(std::memcmp(id.bytes, none.bytes, sizeof(id.bytes)) != 0);
  BootId again;
  REQUIRE(boot_id(&again).ok());
  CHECK(std::memcmp(id.bytes, again.bytes, sizeof(id.bytes)) == 0);
  const BootId read =
      internal::boot_id_of("0123456F-89AB-cdef-0011-2233445566ff\n");
  const uint8_t expected[16] = {0x01, 0x23, 0x45, 0x6F, 0x89, 0xAB, 0xCD, 0xEF,
                                0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0xFF};
  CHECK(std::memcmp(read.bytes, expected, sizeof(expected)) == 0);
  CHECK(internal::boot_id_of("").bytes[0] == 0);
  CHECK(process_id() == static_cast<uint64_t>(getpid()));
}

#endif  // !defined(_WIN32)
