#if defined(__linux__)

#include "core/platform/shared_file.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstring>
#include <memory>

#include "core/platform/memory.h"

using namespace atomic_log::platform;

namespace {

struct Pages {
  explicit Pages(size_t count)
      : bytes(count * page_bytes()),
        data(static_cast<char*>(map_pages(bytes))) {
    REQUIRE(data != nullptr);
    std::memset(data, 7, bytes);
  }
  ~Pages() { unmap_pages(data, bytes); }
  const size_t bytes;
  char* const data;
};

// While it lives, the system refuses memory that is writable and not shared.
class NoMemory {
 public:
  NoMemory() {
    REQUIRE(getrlimit(RLIMIT_DATA, &before_) == 0);
    // None at all would mean the opposite.
    const rlimit limit = {1, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_DATA, &limit) == 0);
  }
  ~NoMemory() { (void)setrlimit(RLIMIT_DATA, &before_); }

 private:
  rlimit before_ = {};
};

}  // namespace

TEST_CASE(
    "shared file: one without a name is zeros, and mapped as often as one "
    "likes") {
  const size_t page = page_bytes();
  std::unique_ptr<SharedFile> file;
  REQUIRE(SharedFile::create_unnamed(3 * page, &file).ok());
  std::shared_ptr<SharedMapping> first;
  std::shared_ptr<SharedMapping> second;
  REQUIRE(file->map(3 * page, &first).ok());
  REQUIRE(file->map(3 * page, &second).ok());
  CHECK(first->data() != second->data());
  CHECK(second->data()[page] == 0);
  first->data()[page] = 3;
  CHECK(second->data()[page] == 3);
}

TEST_CASE(
    "shared file: a part of it is mapped over other memory, which is zeros "
    "afterwards") {
  const size_t page = page_bytes();
  std::unique_ptr<SharedFile> file;
  REQUIRE(SharedFile::create_unnamed(3 * page, &file).ok());
  std::shared_ptr<SharedMapping> whole;
  REQUIRE(file->map(3 * page, &whole).ok());
  const Pages pages(4);
  std::unique_ptr<SharedMapping> over;
  REQUIRE(file->map_over(page, pages.data + page, 2 * page, &over).ok());
  CHECK(over->data() == pages.data + page);
  CHECK(over->bytes() == 2 * page);

  SUBCASE("what is around it stays") {
    CHECK(pages.data[page - 1] == 7);
    CHECK(pages.data[3 * page] == 7);
  }
  SUBCASE("both are one memory") {
    whole->data()[page] = 1;
    whole->data()[3 * page - 1] = 2;
    CHECK(pages.data[page] == 1);
    CHECK(pages.data[3 * page - 1] == 2);
    pages.data[page] = 3;
    CHECK(whole->data()[page] == 3);
  }
  SUBCASE("released, the memory is its owner's again") {
    whole->data()[page] = 1;
    REQUIRE(over->release_file().ok());
    CHECK(pages.data[page] == 0);
    pages.data[page] = 5;
    over.reset();
    CHECK(pages.data[page] == 5);
    CHECK(whole->data()[page] == 1);
  }
  SUBCASE("so it is when the mapping goes") {
    over.reset();
    CHECK(pages.data[page] == 0);
    CHECK(pages.data[3 * page - 1] == 0);
  }
}

TEST_CASE(
    "shared file: where it cannot be mapped over memory, that can be touched") {
  const size_t page = page_bytes();
  std::unique_ptr<SharedFile> file;
  REQUIRE(SharedFile::create_unnamed(page, &file).ok());
  const Pages pages(1);
  std::unique_ptr<SharedMapping> over;
  const IoStatus status = file->map_over(page / 2, pages.data, page, &over);
  CHECK(!status.ok());
  CHECK(over == nullptr);
  pages.data[0] = 1;
  CHECK(pages.data[0] == 1);
}

TEST_CASE(
    "shared file: laid over memory, it stays there while the system refuses "
    "other pages") {
  const size_t page = page_bytes();
  std::unique_ptr<SharedFile> file;
  REQUIRE(SharedFile::create_unnamed(page, &file).ok());
  const Pages pages(1);
  std::unique_ptr<SharedMapping> over;
  REQUIRE(file->map_over(0, pages.data, page, &over).ok());
  pages.data[0] = 1;
  IoStatus status;
  {
    const NoMemory limited;
    status = over->release_file();
  }
  CHECK(status.code == IoCode::kNoMemory);
  CHECK(pages.data[0] == 1);
  CHECK(over->release_file().ok());
  CHECK(pages.data[0] == 0);
}

TEST_CASE(
    "shared file: where memory may be gone that it was to be laid over, that "
    "is "
    "said") {
  const size_t page = page_bytes();
  std::unique_ptr<SharedFile> file;
  REQUIRE(SharedFile::create_unnamed(page, &file).ok());
  const Pages pages(1);
  std::unique_ptr<SharedMapping> over;
  IoStatus status;
  {
    const NoMemory limited;
    status = file->map_over(page / 2, pages.data, page, &over);
  }
  CHECK(!status.ok());
  REQUIRE(over != nullptr);
  CHECK(over->release_file().ok());
  pages.data[0] = 1;
  CHECK(pages.data[0] == 1);
}

#endif  // defined(__linux__)
