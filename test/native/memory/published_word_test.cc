#include "core/memory/published_word.h"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace atomic_log::memory {
namespace {

TEST_SUITE_BEGIN("published_word");

TEST_CASE("the top bit is the seal, the rest is the count") {
  CHECK(PublishedWord::kSealBit == 0x80000000u);
  CHECK(PublishedWord::kCountMax == 0x7FFFFFFFu);
  CHECK(PublishedWord::count_of(0x80000005u) == 5);
  CHECK(PublishedWord::count_of(0x00000005u) == 5);
  CHECK(PublishedWord::is_sealed(0x80000000u));
  CHECK_FALSE(PublishedWord::is_sealed(0x7FFFFFFFu));
}

TEST_CASE("a new word is empty and open") {
  PublishedWord word;
  CHECK(word.acquire() == 0);
}

TEST_CASE("publish shows the count, seal keeps it and closes") {
  PublishedWord word;
  word.publish(3);
  CHECK(word.acquire() == 3);
  word.publish(7);
  CHECK(word.acquire() == 7);
  word.seal(7);
  CHECK(PublishedWord::is_sealed(word.acquire()));
  CHECK(PublishedWord::count_of(word.acquire()) == 7);
  word.reset();
  CHECK(word.acquire() == 0);
}

TEST_CASE("the largest count does not touch the seal") {
  PublishedWord word;
  word.publish(PublishedWord::kCountMax);
  CHECK_FALSE(PublishedWord::is_sealed(word.acquire()));
  word.seal(PublishedWord::kCountMax);
  CHECK(PublishedWord::is_sealed(word.acquire()));
  CHECK(PublishedWord::count_of(word.acquire()) == PublishedWord::kCountMax);
}

TEST_CASE("JavaScript sees the word as one int32, negative once sealed") {
  PublishedWord word;
  int32_t seen = 0;
  word.publish(9);
  std::memcpy(&seen, static_cast<const void*>(&word), sizeof seen);
  CHECK(seen == 9);
  word.seal(9);
  std::memcpy(&seen, static_cast<const void*>(&word), sizeof seen);
  CHECK(seen < 0);
}

TEST_CASE("entries below the count are complete" *
          doctest::test_suite("threads")) {
  constexpr uint32_t kEntries = 20000;
  PublishedWord word;
  std::vector<uint64_t> entries(kEntries);
  uint64_t wrong = 0;
  std::thread reader([&] {
    uint32_t done = 0;
    for (uint32_t seen = 0; !PublishedWord::is_sealed(seen);) {
      seen = word.acquire();
      const uint32_t count = PublishedWord::count_of(seen);
      for (; done < count; ++done) wrong += entries[done] != done * 3u + 1;
    }
    wrong += done != kEntries;
  });
  for (uint32_t i = 0; i < kEntries; ++i) {
    entries[i] = i * 3u + 1;
    word.publish(i + 1);
  }
  word.seal(kEntries);
  reader.join();
  CHECK(wrong == 0);
}

// --- Error paths. The word cannot refuse anything; it can only be damaged by a
// stray store from JavaScript.

TEST_CASE("whatever a damaged word says, the count stays an int32 >= 0") {
  for (const uint32_t damaged : {0xFFFFFFFFu, 0x80000000u, 0xDEADBEEFu}) {
    PublishedWord word;
    std::memcpy(static_cast<void*>(&word), &damaged, sizeof damaged);
    CHECK(PublishedWord::count_of(word.acquire()) <= PublishedWord::kCountMax);
    word.publish(4);
    CHECK(word.acquire() == 4);
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::memory
