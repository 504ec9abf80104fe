#include "core/memory/free_list.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace atomic_log::memory {
namespace {

struct alignas(kCacheLineBytes) Storage {
  unsigned char bytes[kCacheLineBytes];
};

// Free segments with a block each.
class Segments {
 public:
  explicit Segments(uint32_t count) : storage_(count) {
    for (uint32_t id = 0; id < count; ++id) {
      segments_.push_back(std::make_unique<SegmentControl>(id, &storage_[id]));
    }
  }
  SegmentControl* operator[](uint32_t id) { return segments_[id].get(); }

 private:
  std::vector<Storage> storage_;
  std::vector<std::unique_ptr<SegmentControl>> segments_;
};

std::vector<uint32_t> ids_of(SegmentControl* chain) {
  std::vector<uint32_t> ids;
  while (chain != nullptr) {
    ids.push_back(chain->id());
    chain = OwnedList::next_of(chain);
  }
  return ids;
}

TEST_SUITE_BEGIN("free_list");

TEST_CASE("take_all takes everything, the last pushed first") {
  Segments segments(3);
  FreeList list;
  for (uint32_t id = 0; id < 3; ++id) list.push(segments[id]);
  CHECK(ids_of(list.take_all()) == std::vector<uint32_t>{2, 1, 0});
  CHECK(list.take_all() == nullptr);
}

TEST_CASE("the list works again after it was emptied") {
  Segments segments(2);
  FreeList list;
  list.push(segments[0]);
  REQUIRE(list.take_all() == segments[0]);
  list.push(segments[1]);
  list.push(segments[0]);
  CHECK(ids_of(list.take_all()) == std::vector<uint32_t>{0, 1});
}

TEST_CASE("the writer's own list is a stack that knows its length") {
  Segments segments(3);
  OwnedList list;
  CHECK(list.length() == 0);
  for (uint32_t id = 0; id < 3; ++id) list.push(segments[id]);
  CHECK(list.length() == 3);
  CHECK(list.pop() == segments[2]);
  CHECK(list.pop() == segments[1]);
  CHECK(list.length() == 1);
  list.push(segments[2]);
  CHECK(list.pop() == segments[2]);
  CHECK(list.pop() == segments[0]);
  CHECK(list.length() == 0);
}

TEST_CASE("a chain can be moved to the writer's list while it is walked") {
  Segments segments(4);
  FreeList returned;
  OwnedList owned;
  for (uint32_t id = 0; id < 4; ++id) returned.push(segments[id]);
  SegmentControl* chain = returned.take_all();
  while (chain != nullptr) {
    SegmentControl* const next = OwnedList::next_of(chain);
    owned.push(chain);
    chain = next;
  }
  CHECK(owned.length() == 4);
  CHECK(owned.pop() == segments[0]);
}

// Several threads return what they hold, one takes; every segment arrives
// exactly as often as it was pushed, and with what its holder wrote.
TEST_CASE("nothing is lost or doubled between threads" *
          doctest::test_suite("threads")) {
  constexpr uint32_t kThreads = 3;
  constexpr uint32_t kPerThread = 400;
  Segments segments(kThreads * kPerThread);
  std::vector<uint32_t> written(kThreads * kPerThread, 0);
  FreeList list;
  std::vector<std::thread> threads;
  for (uint32_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (uint32_t i = 0; i < kPerThread; ++i) {
        const uint32_t id = thread * kPerThread + i;
        written[id] = id + 1;
        list.push(segments[id]);
      }
    });
  }
  std::vector<uint32_t> arrivals(kThreads * kPerThread, 0);
  uint32_t wrong = 0;
  for (uint32_t taken = 0; taken < kThreads * kPerThread;) {
    SegmentControl* chain = list.take_all();
    if (chain == nullptr) std::this_thread::yield();
    for (const uint32_t id : ids_of(chain)) {
      ++arrivals[id];
      ++taken;
      wrong += written[id] != id + 1;
    }
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(list.take_all() == nullptr);
  for (const uint32_t count : arrivals) wrong += count != 1;
  CHECK(wrong == 0);
}

// --- Error paths.

TEST_CASE("empty lists give null") {
  FreeList returned;
  OwnedList owned;
  CHECK(returned.take_all() == nullptr);
  CHECK(owned.pop() == nullptr);
  CHECK(owned.length() == 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
