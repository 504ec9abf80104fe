#include "core/memory/reader_list.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace atomic_log::memory {
namespace {

TEST_SUITE_BEGIN("reader_list");

TEST_CASE("readers join and leave in any order") {
  ReaderList list;
  CHECK(list.all().empty());
  const auto first = std::make_shared<Reader>(0);
  const auto second = std::make_shared<Reader>(Reader::kNative);
  list.add(first);
  list.add(second);
  CHECK(list.all() ==
        std::vector<std::shared_ptr<const Reader>>{first, second});
  list.remove(first.get());
  list.remove(first.get());
  REQUIRE(list.all().size() == 1);
  CHECK(list.all()[0]->thread_id() == Reader::kNative);
}

TEST_CASE("a reader that leaves stays valid for who looks at it") {
  ReaderList list;
  auto reader = std::make_shared<Reader>(7);
  list.add(reader);
  const auto seen = list.all();
  list.remove(reader.get());
  reader.reset();
  CHECK(seen[0]->thread_id() == 7);
}

TEST_CASE("what a reader tells") {
  Reader reader(3);
  CHECK(reader.name().empty());
  reader.set_name("first");
  reader.set_name("statistics");
  CHECK(reader.name() == "statistics");
  reader.pinned(5);
  reader.pinned(-2);
  CHECK(reader.pinned_segments() == 3);
  reader.follow(9, 100);
  reader.follow(4, 50);
  reader.follow(9, 101);
  CHECK(reader.followers() == std::vector<uint64_t>{50, 101});
  reader.unfollow(4);
  reader.unfollow(4);
  CHECK(reader.followers() == std::vector<uint64_t>{101});
}

TEST_CASE("a segment that is held in several ways counts once") {
  const auto reader = std::make_shared<Reader>(3);
  HeldSegment first(reader);
  HeldSegment second(reader);
  first.hold();
  first.hold();
  second.hold();
  CHECK(reader->pinned_segments() == 2);
  first.drop();
  CHECK(reader->pinned_segments() == 2);
  first.drop();
  CHECK(reader->pinned_segments() == 1);
  first.hold();
  CHECK(reader->pinned_segments() == 2);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
