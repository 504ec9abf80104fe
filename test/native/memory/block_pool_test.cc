#include "core/memory/block_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "core/memory/block_layout.h"
#include "core/platform/memory.h"
#include "support/faults.h"
#include "support/log_fixture.h"
#include "support/resident.h"

namespace atomic_log::memory {
namespace {

using test::FailingAllocations;
using test::kCanAskResidency;
using test::resident_pages;

// The pool is the process's: every test returns what it took and looks at
// usage by differences.
BlockPool& pool() { return BlockPool::instance(); }

TEST_SUITE_BEGIN("block_pool");

TEST_CASE("a class is at least the size asked for, and its own class") {
  size_t last = 0;
  for (size_t bytes = 1; bytes < (size_t{1} << 26); bytes += bytes / 7 + 1) {
    const size_t size = BlockPool::class_bytes(bytes);
    CHECK(size >= bytes);
    CHECK(size >= last);
    CHECK(BlockPool::class_bytes(size) == size);
    last = size;
  }
}

TEST_CASE("below a page a class wastes less than half, above an eighth") {
  const size_t page = platform::page_bytes();
  for (size_t bytes = 2 * kCacheLineBytes; bytes < page; bytes += 61) {
    CHECK(BlockPool::class_bytes(bytes) < 2 * bytes);
  }
  for (size_t bytes = 8 * page; bytes < 4096 * page; bytes += 3 * page + 11) {
    const size_t size = BlockPool::class_bytes(bytes);
    CHECK(size % page == 0);
    CHECK((size - bytes) * 8 <= size);
  }
}

TEST_CASE("the largest block a layout allows is a class of its own") {
  CHECK(BlockPool::class_bytes(BlockLayout::kBlockBytesMax) ==
        BlockLayout::kBlockBytesMax);
}

TEST_CASE("blocks are aligned, writable over their length, and disjoint") {
  const size_t page = platform::page_bytes();
  for (const size_t bytes : {size_t{64}, size_t{128}, size_t{200}, page - 64,
                             page, page + 64, 9 * page}) {
    std::vector<char*> blocks;
    for (int i = 0; i < 20; ++i) {
      blocks.push_back(static_cast<char*>(pool().take(bytes)));
      REQUIRE(blocks.back() != nullptr);
      const size_t alignment = bytes >= page ? page : kCacheLineBytes;
      CHECK(reinterpret_cast<uintptr_t>(blocks.back()) % alignment == 0);
      std::memset(blocks.back(), i, bytes);
    }
    for (size_t i = 0; i < blocks.size(); ++i) {
      CHECK(std::all_of(blocks[i], blocks[i] + bytes, [&](char byte) {
        return byte == static_cast<char>(i);
      }));
      pool().give_back(blocks[i], bytes);
    }
  }
}

TEST_CASE("a returned block serves the next one of its class") {
  const size_t bytes = 5 * platform::page_bytes();
  void* const block = pool().take(bytes);
  pool().give_back(block, bytes);
  const BlockPool::Usage before = pool().usage();
  // One byte less is the same class.
  CHECK(pool().take(bytes - 1) == block);
  const BlockPool::Usage after = pool().usage();
  CHECK(after.mapped_bytes == before.mapped_bytes);
  CHECK(before.idle_bytes - after.idle_bytes == BlockPool::class_bytes(bytes));
  pool().give_back(block, bytes - 1);
  CHECK(pool().usage().idle_bytes == before.idle_bytes);
}

TEST_CASE("a small returned block is reused as well") {
  void* const block = pool().take(300);
  pool().give_back(block, 300);
  CHECK(pool().take(300) == block);
  pool().give_back(block, 300);
}

TEST_CASE("a block is not given to another class") {
  const size_t page = platform::page_bytes();
  void* const block = pool().take(3 * page);
  pool().give_back(block, 3 * page);
  void* const other = pool().take(4 * page);
  CHECK(other != block);
  pool().give_back(other, 4 * page);
}

TEST_CASE("a returned block holds no memory, and is usable when reused") {
  const size_t bytes = 32 * platform::page_bytes();
  void* const block = pool().take(bytes);
  std::memset(block, 1, bytes);
  if (kCanAskResidency) CHECK(resident_pages(block, bytes) == 32);
  pool().give_back(block, bytes);
  if (kCanAskResidency) CHECK(resident_pages(block, bytes) == 0);
  REQUIRE(pool().take(bytes) == block);
  std::memset(block, 2, bytes);
  CHECK(static_cast<char*>(block)[bytes - 1] == 2);
  pool().give_back(block, bytes);
}

TEST_CASE("decommit keeps the block with its owner") {
  const size_t bytes = 8 * platform::page_bytes();
  auto* const block = static_cast<char*>(pool().take(bytes));
  std::memset(block, 1, bytes);
  const BlockPool::Usage before = pool().usage();
  BlockPool::decommit(block, bytes);
  if (kCanAskResidency) CHECK(resident_pages(block, bytes) == 0);
  CHECK(pool().usage().idle_bytes == before.idle_bytes);
  void* const other = pool().take(bytes);
  CHECK(other != block);
  block[0] = 3;
  CHECK(block[0] == 3);
  pool().give_back(other, bytes);
  pool().give_back(block, bytes);
}

TEST_CASE("decommit of a small block leaves its page's other blocks alone") {
  auto* const block = static_cast<char*>(pool().take(256));
  auto* const other = static_cast<char*>(pool().take(256));
  std::memset(other, 7, 256);
  BlockPool::decommit(block, 256);
  pool().give_back(block, 256);
  CHECK(std::all_of(other, other + 256, [](char byte) { return byte == 7; }));
  pool().give_back(other, 256);
}

// Takes, fills, checks and returns; false when another wrote there.
bool churn(unsigned char mark) {
  for (int round = 0; round < 200; ++round) {
    const size_t bytes = 128 + static_cast<size_t>(round % 5) * 3000;
    auto* const block = static_cast<unsigned char*>(pool().take(bytes));
    if (block == nullptr) return false;
    std::memset(block, mark, bytes);
    std::this_thread::yield();
    if (!std::all_of(block, block + bytes,
                     [&](unsigned char byte) { return byte == mark; })) {
      return false;
    }
    pool().give_back(block, bytes);
  }
  return true;
}

TEST_CASE("threads never share a block" * doctest::test_suite("threads")) {
  std::vector<char> passed(4, 0);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < passed.size(); ++i) {
    threads.emplace_back(
        [&, i] { passed[i] = churn(static_cast<unsigned char>(i + 1)); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const char result : passed) CHECK(result == 1);
}

// --- Error paths.

TEST_CASE("a refused block changes nothing, and the next one is served") {
  const size_t bytes = 2 * platform::page_bytes();
  void* const idle = pool().take(bytes);
  pool().give_back(idle, bytes);
  const BlockPool::Usage before = pool().usage();
  const FailingAllocations failing(0);
  CHECK(pool().take(bytes) == nullptr);
  CHECK(pool().usage().mapped_bytes == before.mapped_bytes);
  CHECK(pool().usage().idle_bytes == before.idle_bytes);
  CHECK(pool().take(bytes) == idle);
  pool().give_back(idle, bytes);
}

TEST_CASE("the failure comes after as many blocks as were asked for, once") {
  const FailingAllocations failing(2);
  std::vector<void*> blocks;
  for (int i = 0; i < 5; ++i) blocks.push_back(pool().take(500));
  CHECK(blocks[0] != nullptr);
  CHECK(blocks[1] != nullptr);
  CHECK(blocks[2] == nullptr);
  CHECK(blocks[3] != nullptr);
  CHECK(blocks[4] != nullptr);
  for (void* const block : blocks) {
    if (block != nullptr) pool().give_back(block, 500);
  }
}

TEST_CASE(
    "where the list of idle blocks is refused room, nothing else is lost") {
  // Of a class that no other test has.
  const size_t bytes = 37 * platform::page_bytes();
  const BlockPool::Usage before = pool().usage();
  std::vector<void*> blocks;
  for (int i = 0; i < 40; ++i) blocks.push_back(pool().take(bytes));
  test::refuse_memory_after(0);
  for (void* const block : blocks) pool().give_back(block, bytes);
  CHECK(test::refuse_memory_after(-1) < 0);
  const BlockPool::Usage after = pool().usage();
  CHECK(after.mapped_bytes - after.idle_bytes ==
        before.mapped_bytes - before.idle_bytes);
  // The first was the one that had no room.
  std::set<void*> again;
  for (size_t i = 1; i < blocks.size(); ++i) again.insert(pool().take(bytes));
  CHECK(pool().usage().mapped_bytes == after.mapped_bytes);
  CHECK(again == std::set<void*>(blocks.begin() + 1, blocks.end()));
  for (void* const block : again) pool().give_back(block, bytes);
}

TEST_CASE("a failure can be called off") {
  { const FailingAllocations failing(0); }
  void* const block = pool().take(500);
  CHECK(block != nullptr);
  pool().give_back(block, 500);
}

TEST_CASE("what the system refuses is null, and is not counted") {
  if (sizeof(size_t) < 8) return;
  const BlockPool::Usage before = pool().usage();
  CHECK(pool().take(size_t{1} << (sizeof(size_t) * 8 - 8)) == nullptr);
  CHECK(pool().usage().mapped_bytes == before.mapped_bytes);
  CHECK(pool().usage().idle_bytes == before.idle_bytes);
}

TEST_CASE("a block that is held goes to no one else, and shows zeros") {
  const size_t bytes = 3 * platform::page_bytes();
  auto* const block = static_cast<char*>(pool().take(bytes));
  REQUIRE(block != nullptr);
  pool().hold(block);
  pool().hold(block);
  std::memset(block, 7, bytes);
  const uint64_t idle = pool().usage().idle_bytes;
  pool().give_back(block, bytes);
  CHECK(pool().usage().idle_bytes == idle + BlockPool::class_bytes(bytes));
  CHECK(block[0] == 0);
  CHECK(block[bytes - 1] == 0);
  const auto is_next = [bytes, block] {
    std::vector<void*> taken;
    bool is_found = false;
    for (int i = 0; i < 64 && !is_found; ++i) {
      taken.push_back(pool().take(bytes));
      is_found = taken.back() == block;
    }
    for (void* const other : taken) pool().give_back(other, bytes);
    return is_found;
  };
  CHECK_FALSE(is_next());
  pool().release_hold(block, bytes);
  CHECK_FALSE(is_next());
  // A view that is still there may be stored to.
  block[0] = 9;
  pool().release_hold(block, bytes);
  CHECK(is_next());
  CHECK(block[0] == 0);
}

TEST_CASE("a block that is let go before it is returned is idle then") {
  const size_t bytes = 5 * platform::page_bytes();
  void* const block = pool().take(bytes);
  REQUIRE(block != nullptr);
  pool().hold(block);
  pool().release_hold(block, bytes);
  pool().give_back(block, bytes);
  CHECK(pool().take(bytes) == block);
  pool().give_back(block, bytes);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
