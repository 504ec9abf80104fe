#include "core/memory/storage.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "core/memory/rolling_log.h"
#include "core/platform/memory.h"
#include "support/log_fixture.h"

namespace atomic_log::memory {
namespace {

using test::FailingAllocations;
using test::log_options;

// What a SharedArrayBuffer would own.
class Range {
 public:
  explicit Range(uint64_t bytes)
      : bytes_(bytes), base_(platform::map_pages(bytes)) {}
  ~Range() { platform::unmap_pages(base_, bytes_); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
  char* base() const { return static_cast<char*>(base_); }

 private:
  const uint64_t bytes_;
  void* const base_;
};

TEST_SUITE_BEGIN("storage");

TEST_CASE("blocks of shared storage follow one another, in lines or pages") {
  const uint64_t page = platform::page_bytes();
  CHECK(SharedStorage::stride_of(1) == 64);
  CHECK(SharedStorage::stride_of(64) == 64);
  CHECK(SharedStorage::stride_of(65) == 128);
  CHECK(SharedStorage::stride_of(page) == page);
  CHECK(SharedStorage::stride_of(page + 1) == 2 * page);

  const Range range(4 * page);
  SharedStorage storage(range.base(), 100, 4 * page);
  storage.commit(page);
  for (uint32_t id = 0; id < 5; ++id) {
    CHECK(storage.take(id) == range.base() + id * 128);
  }
}

TEST_CASE(
    "what is not committed is not given out; what never can be, neither") {
  const uint64_t page = platform::page_bytes();
  const Range range(4 * page);
  SharedStorage storage(range.base(), page, 2 * page);
  CHECK(storage.take(0) == nullptr);
  CHECK(storage.refusal() == Status::kUncommitted);
  storage.commit(page);
  CHECK(storage.take(0) == range.base());
  CHECK(storage.take(1) == nullptr);
  CHECK(storage.refusal() == Status::kUncommitted);

  // Neither less nor more than the range can be committed.
  storage.commit(0);
  CHECK(storage.take(0) == range.base());
  storage.commit(3 * page);
  CHECK(storage.take(1) == nullptr);
  storage.commit(2 * page);
  CHECK(storage.take(1) == range.base() + page);
  CHECK(storage.take(2) == nullptr);
  CHECK(storage.refusal() == Status::kOutOfMemory);
}

TEST_CASE("a decommitted block of shared storage can be used again") {
  const uint64_t page = platform::page_bytes();
  const Range range(2 * page);
  SharedStorage storage(range.base(), page, 2 * page);
  storage.commit(2 * page);
  auto* const block = static_cast<char*>(storage.take(1));
  block[0] = 1;
  storage.decommit(block);
  block[0] = 2;
  CHECK(block[0] == 2);
}

TEST_CASE("a log whose storage must be committed first is unchanged") {
  const RollingLogOptions options = log_options(4, 4);
  RollingLog::Shape shape;
  REQUIRE(RollingLog::check(options, &shape) == Status::kOk);
  const uint64_t stride = SharedStorage::stride_of(shape.layout.block_bytes());
  const Range range(platform::page_bytes());
  std::shared_ptr<RollingLog> log;
  CHECK(RollingLog::create(options,
                           std::make_unique<SharedStorage>(
                               range.base(), shape.layout.block_bytes(),
                               platform::page_bytes()),
                           &log) == Status::kUncommitted);

  auto storage = std::make_unique<SharedStorage>(
      range.base(), shape.layout.block_bytes(), platform::page_bytes());
  storage->commit(stride);
  REQUIRE(RollingLog::create(options, std::move(storage), &log) == Status::kOk);
  REQUIRE(log->try_claim());
  log->publish(3);
  CHECK(log->roll(4) == Status::kUncommitted);
  CHECK(log->published_count() == 3);
  CHECK(log->head_sequence() == 0);

  log->storage().as_shared()->commit(2 * stride);
  {
    const FailingAllocations failing(0);
    CHECK(log->roll(4) == Status::kOutOfMemory);
  }
  CHECK(log->roll(4) == Status::kOk);
  CHECK(log->head_sequence() == 1);
  CHECK(log->head_segment().block() == range.base() + stride);
  log->release_claim();
}

TEST_CASE("pooled storage cannot be committed") {
  PooledStorage storage(64);
  CHECK(storage.as_shared() == nullptr);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
