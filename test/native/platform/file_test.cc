// The files of the system and the simulated ones behave alike, as far as tests
// without a power failure can see.
#include "core/platform/file.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/platform/io_loop.h"
#include "core/platform/memory.h"
#include "support/simulated_file_system.h"

namespace atomic_log::platform {
namespace {

using test::Bytes;
using test::SimulatedFileSystem;
using Fault = SimulatedFileSystem::Fault;

constexpr char kName[] = "./file_test.bin";

std::vector<FileSystem*> systems() {
  static SimulatedFileSystem simulated;
  std::vector<FileSystem*> result = {&native_file_system(), &simulated};
  for (FileSystem* const system : result) (void)system->remove(kName);
  return result;
}

Bytes read_all(File& file, uint64_t offset, size_t bytes) {
  Bytes result(bytes);
  size_t read = 0;
  REQUIRE(file.read_at(offset, result.data(), bytes, &read).ok());
  result.resize(read);
  return result;
}

TEST_SUITE_BEGIN("file");

TEST_CASE("bytes are read where they were written, up to the end") {
  for (FileSystem* const system : systems()) {
    std::unique_ptr<File> file;
    REQUIRE(system->open(kName, OpenMode::kCreateNew, &file).ok());
    REQUIRE(file->preallocate(10'000).ok());
    uint64_t size = 0;
    REQUIRE(file->size(&size).ok());
    CHECK(size == 10'000);
    CHECK(read_all(*file, 0, 10'000) == Bytes(10'000));
    const Bytes bytes = {1, 2, 3};
    REQUIRE(file->write_at(9'998, bytes.data(), 2).ok());
    CHECK(read_all(*file, 9'997, 50) == Bytes{0, 1, 2});
    CHECK(read_all(*file, 20'000, 5).empty());
    REQUIRE(file->write_at(100, bytes.data(), 3).ok());
    REQUIRE(file->zero_range(101, 9'898).ok());
    CHECK(read_all(*file, 99, 4) == Bytes{0, 1, 0, 0});
    CHECK(read_all(*file, 9'998, 9) == Bytes{0, 2});
    CHECK(file->sync_data().ok());
    CHECK(file->sync_all().ok());
    CHECK(system->sync_parent(kName).ok());
    CHECK(system->remove(kName).ok());
  }
}

TEST_CASE("a lock is the handle's, and other handles do not carry it away") {
  for (FileSystem* const system : systems()) {
    std::unique_ptr<File> first, second;
    REQUIRE(system->open(kName, OpenMode::kCreateNew, &first).ok());
    REQUIRE(system->open(kName, OpenMode::kReadWrite, &second).ok());
    FileIdentity one, two;
    REQUIRE(first->identity(&one).ok());
    REQUIRE(second->identity(&two).ok());
    CHECK((one == two));
    CHECK(first->lock().ok());
    CHECK(second->lock().code == IoCode::kLocked);
    second.reset();
    REQUIRE(system->open(kName, OpenMode::kReadWrite, &second).ok());
    CHECK(second->lock().code == IoCode::kLocked);
    first.reset();
    CHECK(second->lock().ok());
    CHECK(system->remove(kName).ok());
  }
}

TEST_CASE("names: created once, renamed, listed, removed") {
  for (FileSystem* const system : systems()) {
    std::unique_ptr<File> file;
    REQUIRE(system->open(kName, OpenMode::kCreateNew, &file).ok());
    CHECK(system->open(kName, OpenMode::kCreateNew, &file).code ==
          IoCode::kExists);
    List<std::string> names;
    REQUIRE(system->list(".", &names).ok());
    CHECK(std::count(names.begin(), names.end(), "file_test.bin") == 1);
    const std::string other = std::string(kName) + ".renamed";
    CHECK(system->rename(kName, other).ok());
    CHECK(system->open(kName, OpenMode::kRead, &file).code ==
          IoCode::kNotFound);
    CHECK(system->remove(other).ok());
    CHECK(system->remove(other).code == IoCode::kNotFound);
  }
}

#if !defined(_WIN32)
TEST_CASE("a mapping shows what is written, and keeps stores to itself") {
  FileSystem& system = *systems().front();
  const size_t bytes = 4 * page_bytes();
  std::unique_ptr<File> file;
  REQUIRE(system.open(kName, OpenMode::kCreateNew, &file).ok());
  REQUIRE(file->preallocate(bytes).ok());
  std::unique_ptr<FileMapping> mapping;
  REQUIRE(file->map(bytes, &mapping).ok());
  uint8_t* const data = mapping->data();
  const uint8_t one = 1;
  REQUIRE(file->write_at(5, &one, 1).ok());
  CHECK(data[5] == 1);
  data[6] = 7;
  CHECK(read_all(*file, 6, 1) == Bytes{0});
  const uint8_t two = 2;
  REQUIRE(file->write_at(5, &two, 1).ok());
  CHECK(data[5] == 1);  // The page has a copy of its own now,
  REQUIRE(file->renew(*mapping).ok());
  CHECK(data[5] == 2);  // and not any more.
  CHECK(data[6] == 0);
  REQUIRE(mapping->release_file().ok());
  CHECK(data[5] == 0);
  data[5] = 9;
  CHECK(read_all(*file, 5, 1) == Bytes{2});
  mapping.reset();
  // The address is kept for the next mapping of that size.
  CHECK(data[5] == 0);
  REQUIRE(file->map(bytes, &mapping).ok());
  CHECK(mapping->data() == data);
  CHECK(data[5] == 2);
  CHECK(system.remove(kName).ok());
}

TEST_CASE("what is not a regular file is refused") {
  std::unique_ptr<File> file;
  for (const char* const path : {".", "/dev/null"}) {
    for (const OpenMode mode : {OpenMode::kRead, OpenMode::kReadWrite}) {
      CHECK(native_file_system().open(path, mode, &file).code ==
            IoCode::kNotAFile);
    }
  }
}
#endif

TEST_CASE("loops: short steps, interrupts, and calls that do nothing") {
  Bytes target;
  bool is_interrupted = false;
  const auto step = [&](uint64_t offset, const uint8_t* from,
                        size_t count) -> IoStep {
    is_interrupted = !is_interrupted;
    if (is_interrupted) return {0, true, {}};
    CHECK(offset == 7 + target.size());
    count = std::min<size_t>(count, 3);
    target.insert(target.end(), from, from + count);
    return {count, false, {}};
  };
  const Bytes source = {1, 2, 3, 4, 5, 6, 7, 8};
  REQUIRE(write_fully(7, source.data(), source.size(), step).ok());
  CHECK(target == source);
  // It does not spin forever.
  const IoStatus status = write_fully(
      0, source.data(), 8,
      [](uint64_t, const uint8_t*, size_t) -> IoStep { return {}; });
  CHECK(status.code == IoCode::kFailed);
}

// --- The simulated disk itself.

TEST_CASE("a power failure forgets what was not synced, in any combination") {
  SimulatedFileSystem system;
  std::unique_ptr<File> file;
  REQUIRE(system.open("d/a", OpenMode::kCreateNew, &file).ok());
  REQUIRE(file->preallocate(2048).ok());
  CHECK(system.dirty_states() == std::vector<uint32_t>{2, 2});
  CHECK(!system.crash({1, 0})->exists("d/a"));
  CHECK(system.crash({0, 1})->contents("d/a").empty());
  REQUIRE(file->sync_all().ok());
  REQUIRE(system.sync_parent("d/a").ok());
  CHECK(system.dirty_states().empty());
  const Bytes ones(1024, 1), twos(512, 2);
  REQUIRE(file->write_at(0, ones.data(), 1024).ok());
  REQUIRE(file->write_at(512, twos.data(), 512).ok());
  CHECK(system.dirty_states() == std::vector<uint32_t>{2, 3});
  CHECK(system.crash({0, 0})->contents("d/a") == Bytes(2048));
  CHECK(system.crash({0, 1})->contents("d/a")[512] == 1);
  CHECK(system.crash({0, 2})->contents("d/a")[512] == 2);
  CHECK(system.crash({1, 0})->contents("d/a")[0] == 1);
  CHECK(system.kill()->contents("d/a")[512] == 2);
}

TEST_CASE("a sync that fails loses pages for good, and shows them") {
  SimulatedFileSystem system;
  std::unique_ptr<File> file;
  REQUIRE(system.open("d/a", OpenMode::kCreateNew, &file).ok());
  REQUIRE(file->preallocate(512).ok());
  REQUIRE(file->sync_all().ok());
  REQUIRE(system.sync_parent("d/a").ok());
  const uint8_t one = 1;
  REQUIRE(file->write_at(0, &one, 1).ok());
  system.count_only("sync_data");
  system.fail_at(0, Fault::kOnce);
  CHECK(!file->sync_data().ok());
  CHECK(file->sync_data().ok());
  CHECK(system.contents("d/a")[0] == 1);
  CHECK(system.crash({})->contents("d/a")[0] == 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::platform
