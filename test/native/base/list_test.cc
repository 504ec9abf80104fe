#include "core/base/list.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>

#include "support/faults.h"

namespace atomic_log {
namespace {

TEST_SUITE_BEGIN("list");

TEST_CASE("does what a deque does") {
  std::mt19937 random(1);
  List<std::string> list;
  std::deque<std::string> model;
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t choice = random() % 16;
    const std::string value = "a text that needs memory " + std::to_string(i);
    if (choice < 9) {
      REQUIRE(list.try_push_back(value));
      model.push_back(value);
    } else if (choice < 12) {
      const size_t count = std::min<size_t>(random() % 3, model.size());
      list.drop_front(count);
      model.erase(model.begin(), model.begin() + static_cast<ptrdiff_t>(count));
    } else if (choice == 12 && !model.empty()) {
      list.pop_back();
      model.pop_back();
    } else if (choice == 13 && !model.empty()) {
      const size_t at = random() % model.size();
      list.remove(at);
      model.erase(model.begin() + static_cast<ptrdiff_t>(at));
    } else if (choice == 14) {
      const size_t count = model.size() + random() % 5 - 2;
      if (count > model.size() + 5) continue;
      REQUIRE(list.try_resize(count));
      model.resize(count);
    } else if (random() % 64 == 0) {
      List<std::string> copy;
      REQUIRE(copy.try_assign(list));
      list = std::move(copy);
    }
    REQUIRE(list.size() == model.size());
    REQUIRE(std::equal(list.begin(), list.end(), model.begin(), model.end()));
  }
}

TEST_CASE("memory of what is dropped at the front is used again") {
  List<uint64_t> list;
  REQUIRE(list.try_reserve(64));
  // As many are there as it has room for half of.
  test::refuse_memory_after(0);
  for (uint64_t i = 0; i < 100'000; ++i) {
    REQUIRE(list.try_push_back(i));
    if (list.size() > 32) list.drop_front(1);
    REQUIRE(list.front() + list.size() == i + 1);
  }
  CHECK(test::refuse_memory_after(-1) == 0);
}

TEST_CASE("what is refused changes nothing") {
  List<std::unique_ptr<int>> list;
  REQUIRE(list.try_push_back(std::make_unique<int>(5)));
  const size_t counts[] = {1'000, SIZE_MAX / sizeof(void*), SIZE_MAX};
  for (const size_t count : counts) {
    test::refuse_memory_after(0);
    CHECK(!list.try_reserve(count));
    test::refuse_memory_after(-1);
    REQUIRE(list.size() == 1);
    CHECK(*list.front() == 5);
  }
  Buffer bytes;
  REQUIRE(bytes.try_resize(3));
  CHECK(!bytes.try_append(bytes.data(), SIZE_MAX));
  CHECK(!bytes.try_resize(SIZE_MAX));
  CHECK(!bytes.try_resize_for_overwrite(SIZE_MAX / 2));
  CHECK(bytes.size() == 3);
  CHECK(bytes[2] == 0);
  CHECK(bytes.try_append(nullptr, 0));
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log
