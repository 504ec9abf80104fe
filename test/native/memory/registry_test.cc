#include "core/memory/registry.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/log_fixture.h"

namespace atomic_log::memory {
namespace {

using test::make_log;

Registry& registry() { return Registry::instance(); }

bool is_hexadecimal_128_bits(const std::string& text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status find(const LogHandle& handle) {
  std::shared_ptr<RollingLog> log;
  return registry().find(handle, &log);
}

// Shared, because the registry may forget after the test that counts.
using FreedCount = std::shared_ptr<std::atomic<int>>;

FreedCount make_counter() { return std::make_shared<std::atomic<int>>(0); }

// Counts the deallocations of what it allocated: a shared_ptr's control block
// goes when the last weak pointer does, which shows when the registry forgets.
template <typename T>
struct CountingAllocator {
  using value_type = T;
  explicit CountingAllocator(FreedCount count) : freed(std::move(count)) {}
  template <typename U>
  CountingAllocator(const CountingAllocator<U>& other) : freed(other.freed) {}
  T* allocate(size_t n) { return std::allocator<T>().allocate(n); }
  void deallocate(T* memory, size_t n) {
    ++*freed;
    std::allocator<T>().deallocate(memory, n);
  }
  template <typename U>
  bool operator==(const CountingAllocator<U>& other) const {
    return freed == other.freed;
  }
  FreedCount freed;
};

// Adds a presence of `log` that is gone at once.
LogHandle add_and_drop(const std::shared_ptr<RollingLog>& log,
                       const FreedCount& freed) {
  const auto owner = std::allocate_shared<int>(CountingAllocator<int>(freed));
  return registry().add(std::shared_ptr<RollingLog>(owner, log.get()));
}

TEST_SUITE_BEGIN("registry");

TEST_CASE("the nonce and the tokens are 128 random bits in hexadecimal") {
  CHECK(is_hexadecimal_128_bits(registry().nonce()));
  const auto log = make_log(4, 2);
  std::set<std::string> tokens = {registry().nonce()};
  for (int i = 0; i < 50; ++i) {
    const LogHandle handle = registry().add(log);
    CHECK(is_hexadecimal_128_bits(handle.token));
    tokens.insert(handle.token);
  }
  CHECK(tokens.size() == 51);
}

TEST_CASE("a handle finds its log") {
  const auto first = make_log(4, 2);
  const auto second = make_log(4, 2);
  const LogHandle first_handle = registry().add(first);
  const LogHandle second_handle = registry().add(second);
  CHECK(first_handle.id > 0);
  CHECK(first_handle.id != second_handle.id);
  std::shared_ptr<RollingLog> found;
  REQUIRE(registry().find(first_handle, &found) == Status::kOk);
  CHECK(found == first);
  REQUIRE(registry().find(second_handle, &found) == Status::kOk);
  CHECK(found == second);
}

TEST_CASE("the registry keeps no log alive, a found log is") {
  auto log = make_log(4, 2);
  const LogHandle handle = registry().add(log);
  std::shared_ptr<RollingLog> found;
  REQUIRE(registry().find(handle, &found) == Status::kOk);
  log.reset();
  CHECK(find(handle) == Status::kOk);
  found.reset();
  CHECK(find(handle) == Status::kGone);
}

TEST_CASE("what died is forgotten, what lives is kept") {
  const auto log = make_log(4, 2);
  const LogHandle kept = registry().add(log);
  const FreedCount freed = make_counter();
  const LogHandle gone = add_and_drop(log, freed);
  CHECK(find(gone) == Status::kGone);
  CHECK(*freed == 0);
  constexpr int kMany = 2000;
  const FreedCount many_freed = make_counter();
  for (int i = 0; i < kMany; ++i) add_and_drop(log, many_freed);
  CHECK(*freed == 1);
  // Of the rest only those since the last sweep wait for the next one.
  CHECK(*many_freed > kMany - 300);
  CHECK(find(gone) == Status::kGone);
  CHECK(find(kept) == Status::kOk);
}

TEST_CASE("ids are not used again") {
  const auto log = make_log(4, 2);
  std::set<uint64_t> ids;
  const FreedCount freed = make_counter();
  for (int i = 0; i < 500; ++i) ids.insert(add_and_drop(log, freed).id);
  CHECK(ids.size() == 500);
}

TEST_CASE("logs come, are found and go on several threads" *
          doctest::test_suite("threads")) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        auto log = make_log(4, 2);
        const LogHandle handle = registry().add(log);
        std::shared_ptr<RollingLog> found;
        wrong += registry().find(handle, &found) != Status::kOk;
        wrong += found != log;
        found.reset();
        log.reset();
        wrong += find(handle) != Status::kGone;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

// --- Error paths.

TEST_CASE("a token that differs is foreign") {
  const auto log = make_log(4, 2);
  LogHandle handle = registry().add(log);
  const LogHandle right = handle;
  handle.token[0] = handle.token[0] == '0' ? '1' : '0';
  CHECK(find(handle) == Status::kForeign);
  handle.token.clear();
  CHECK(find(handle) == Status::kForeign);
  handle.token = right.token + "0";
  CHECK(find(handle) == Status::kForeign);
  CHECK(find(right) == Status::kOk);
}

TEST_CASE("an id that was never given out is foreign") {
  const auto log = make_log(4, 2);
  const LogHandle last = registry().add(log);
  CHECK(find({0, last.token}) == Status::kForeign);
  CHECK(find({last.id + 1, last.token}) == Status::kForeign);
  CHECK(find({UINT64_MAX, last.token}) == Status::kForeign);
}

TEST_CASE("a log of another id does not open with this token") {
  const auto log = make_log(4, 2);
  const LogHandle first = registry().add(log);
  const LogHandle second = registry().add(log);
  CHECK(find({first.id, second.token}) == Status::kForeign);
}

TEST_CASE("a foreign handle leaves the caller's pointer as it was") {
  const auto log = make_log(4, 2);
  LogHandle handle = registry().add(log);
  handle.token = std::string(32, '0');
  std::shared_ptr<RollingLog> found = log;
  REQUIRE(registry().find(handle, &found) == Status::kForeign);
  CHECK(found == log);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
