// What every system does alike of shared_file.h and futex.h, as far as one process
// can see: two handles of it are to each other what those of two processes are.
#if defined(__linux__) || defined(__APPLE__) || defined(_WIN32)

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>

#include "core/platform/futex.h"
#include "core/platform/shared_file.h"
#include "support/shared_file_fixture.h"

namespace atomic_log::platform {
namespace {

using test::map_all;

constexpr char kPath[] = "./shared_file_portable_test.bin";
constexpr size_t kBytes = 3 * 4096;

std::unique_ptr<SharedFile> make_file() {
  std::unique_ptr<SharedFile> file;
  REQUIRE(SharedFile::create(kPath, 0600, kBytes, &file).ok());
  return file;
}

std::unique_ptr<SharedFile> make_named_file() {
  (void)SharedFile::unlink(kPath);
  return test::make_shared_file(kPath, kBytes);
}

std::unique_ptr<SharedFile> open_file(
    SharedAccess access = SharedAccess::kReadWrite) {
  return test::open_shared_file(kPath, access);
}

FileIdentity identity_of(SharedFile& file) {
  FileIdentity identity;
  REQUIRE(file.identity(&identity).ok());
  return identity;
}

// Files of this test, with a name or without.
size_t count_files() {
  List<std::string> names;
  REQUIRE(native_file_system().list(".", &names).ok());
  size_t count = 0;
  for (const std::string& name : names) {
    count += name.starts_with(".atomic-log") || name == kPath + 2;
  }
  return count;
}

TEST_SUITE_BEGIN("shared file");

TEST_CASE("a new file has the name that it is given, and goes without one") {
  (void)SharedFile::unlink(kPath);
  // What other tests have left goes with the next that is made.
  make_file().reset();
  const size_t before = count_files();
  auto file = make_file();
  CHECK_FALSE(native_file_system().may_exist(kPath));
  file.reset();
  CHECK(count_files() == before);

  file = make_file();
  auto late = make_file();
  REQUIRE(file->link(kPath).ok());
  CHECK(late->link(kPath).code == IoCode::kExists);
  FileIdentity named;
  REQUIRE(native_file_system().identity(kPath, &named).ok());
  CHECK((named == identity_of(*file)));
  late.reset();
  file.reset();
  CHECK(count_files() == before + 1);

  file = open_file();
  CHECK((named == identity_of(*file)));
  uint64_t size = 0;
  REQUIRE(file->size(&size).ok());
  CHECK(size == kBytes);
  CHECK(file->secure_space(kBytes).ok());
  bool is_own = false;
  REQUIRE(file->is_own(&is_own).ok());
  CHECK(is_own);
  file.reset();
  CHECK(SharedFile::unlink(kPath).ok());
  CHECK(SharedFile::unlink(kPath).code == IoCode::kNotFound);
  CHECK(SharedFile::open(kPath, SharedAccess::kReadWrite, &file).code ==
        IoCode::kNotFound);
  CHECK(SharedFile::open(".", SharedAccess::kReadWrite, &file).code ==
        IoCode::kNotAFile);
  CHECK(count_files() == before);
}

TEST_CASE("every mapping of a file is the same memory, and so is the file") {
  const auto file = make_named_file();
  const auto other = open_file();
  const auto reader = open_file(SharedAccess::kReadOnly);
  const auto one = map_all(*file);
  const auto two = map_all(*other);
  const auto three = map_all(*reader);
  CHECK(one->bytes() == kBytes);
  CHECK(one->data() != two->data());
  std::memcpy(one->data() + 5000, "text", 4);
  CHECK(std::memcmp(two->data() + 5000, "text", 4) == 0);
  CHECK(std::memcmp(three->data() + 5000, "text", 4) == 0);
  char text[8] = {};
  size_t read = 0;
  REQUIRE(reader->read_at(5000, text, sizeof(text), &read).ok());
  CHECK(read == sizeof(text));
  CHECK(std::string(text) == "text");
  REQUIRE(reader->read_at(kBytes - 3, text, sizeof(text), &read).ok());
  CHECK(read == 3);
  CHECK(SharedFile::unlink(kPath).ok());
}

TEST_CASE("a lock is one handle's, until it is released or closed") {
  const auto file = make_named_file();
  auto other = open_file();
  const auto reader = open_file(SharedAccess::kReadOnly);
  REQUIRE(other->try_lock(7));
  CHECK(other->try_lock(7));
  CHECK_FALSE(other->is_locked_elsewhere(7));
  CHECK(file->is_locked_elsewhere(7));
  CHECK(reader->is_locked_elsewhere(7));
  CHECK_FALSE(file->try_lock(7));
  // Of another's lock, nothing.
  file->unlock(7);
  CHECK(file->is_locked_elsewhere(7));
  for (const uint32_t number : {6u, 8u}) {
    CHECK_FALSE(reader->is_locked_elsewhere(number));
    CHECK(file->try_lock(number));
    CHECK(reader->is_locked_elsewhere(number));
  }
  other->unlock(7);
  CHECK_FALSE(reader->is_locked_elsewhere(7));
  CHECK(file->try_lock(7));
  file->unlock(7);
  REQUIRE(other->try_lock(7));
  other.reset();
  CHECK_FALSE(reader->is_locked_elsewhere(7));
  CHECK(file->try_lock(7));
  CHECK(SharedFile::unlink(kPath).ok());
}

TEST_CASE("who looks at a lock keeps no one from it") {
  const auto file = make_named_file();
  const auto reader = open_file(SharedAccess::kReadOnly);
  std::atomic<bool> is_done{false};
  std::thread watcher([&] {
    while (!is_done.load()) (void)reader->is_locked_elsewhere(3);
  });
  bool is_right = true;
  for (int i = 0; i < 2000; ++i) {
    is_right = is_right && file->try_lock(3);
    file->unlock(3);
  }
  is_done.store(true);
  watcher.join();
  CHECK(is_right);
  CHECK(SharedFile::unlink(kPath).ok());
}

TEST_CASE("who has a file open, or mapped, keeps it without its name") {
  const auto file = make_named_file();
  const auto mapping = map_all(*file);
  std::memcpy(mapping->data(), "old", 3);
  REQUIRE(SharedFile::unlink(kPath).ok());
  CHECK_FALSE(native_file_system().may_exist(kPath));
  auto next = make_file();
  REQUIRE(next->link(kPath).ok());
  CHECK((identity_of(*next) != identity_of(*file)));
  const auto fresh = map_all(*next);
  CHECK(fresh->data()[0] == 0);
  CHECK(std::memcmp(mapping->data(), "old", 3) == 0);
  CHECK(file->try_lock(1));
  CHECK(next->try_lock(1));
  CHECK(SharedFile::unlink(kPath).ok());
}

TEST_CASE("memory can be touched when its file has gone from it") {
  const auto file = make_named_file();
  char* data = nullptr;
  for (int round = 0; round < 20; ++round) {
    auto mapping = map_all(*file);
    // The addresses are used again, and only by another mapping.
    if (round > 0) CHECK(mapping->data() == data);
    data = mapping->data();
    std::atomic<bool> is_done{false};
    std::atomic<int> touches{0};
    std::thread carrier([&] {
      auto* const bytes =
          reinterpret_cast<volatile std::atomic<char>*>(mapping->data());
      for (size_t i = 0; !is_done.load(); i = (i + 4096) % kBytes) {
        bytes[i].store(1);
        touches.fetch_add(bytes[i].load() == 1);
      }
    });
    while (touches.load() < 100) std::this_thread::yield();
    REQUIRE(mapping->release_file().ok());
    REQUIRE(mapping->release_file().ok());
    const int before = touches.load();
    while (touches.load() < before + 100) std::this_thread::yield();
    is_done.store(true);
    carrier.join();
    std::memset(mapping->data(), round, kBytes);
#if defined(__linux__)
    // Nothing of that is in the file. Not every Windows can do so.
    mapping.reset();
    mapping = map_all(*file);
    CHECK(mapping->data()[1] == 0);
#endif
  }
  CHECK(SharedFile::unlink(kPath).ok());
}

TEST_CASE("a sleeper is woken through another mapping of the same file") {
  const auto file = make_named_file();
  const auto one = map_all(*file);
  const auto two = map_all(*file);
  constexpr size_t kAt = 4096 + 64;
  auto& here = *reinterpret_cast<std::atomic<uint32_t>*>(one->data() + kAt);
  auto& there = *reinterpret_cast<std::atomic<uint32_t>*>(two->data() + kAt);
  for (int round = 0; round < 100; ++round) {
    std::thread sleeper([&] {
      const auto seen = static_cast<uint32_t>(round);
      // Longer than any test may take: it must be woken.
      while (here.load() == seen) {
        futex_wait(here, seen, std::chrono::hours(1));
      }
    });
    if (round % 2 == 0) std::this_thread::yield();
    there.fetch_add(1);
    futex_wake_all(there);
    sleeper.join();
  }
  // Of another value, or for a time that is over.
  futex_wait(here, 0, std::chrono::hours(1));
  futex_wait(here, 100, std::chrono::milliseconds(1));
  futex_wait(here, 100, std::chrono::nanoseconds(-1));
  CHECK(SharedFile::unlink(kPath).ok());
}

TEST_CASE("a sleeper is woken by a word of this process alone") {
  std::atomic<uint32_t> word{0};
  std::thread sleeper([&] {
    while (word.load() == 0) futex_wait(word, 0, std::chrono::hours(1));
  });
  word.store(1);
  futex_wake_all(word);
  sleeper.join();
  futex_wait(word, 1, std::chrono::milliseconds(1));
}

TEST_CASE("a run of the system has one name") {
  BootId id;
  BootId again;
  REQUIRE(boot_id(&id).ok());
  REQUIRE(boot_id(&again).ok());
  const BootId none;
  CHECK(std::memcmp(id.bytes, again.bytes, sizeof(id.bytes)) == 0);
  CHECK(std::memcmp(id.bytes, none.bytes, sizeof(id.bytes)) != 0);
  CHECK(process_id() != 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::platform

#endif  // defined(__linux__) || defined(__APPLE__) || defined(_WIN32)
