#if !defined(_WIN32)

#include "core/platform/random.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <set>

namespace atomic_log::test {
namespace {

TEST_SUITE_BEGIN("random");

size_t different_of_1000() {
  std::set<uint32_t> words;
  for (int i = 0; i < 1000; ++i) words.insert(platform::random_word());
  return words.size();
}

TEST_CASE("random words differ") { CHECK(different_of_1000() > 990); }

TEST_CASE("random words differ where no file can be opened") {
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const size_t different = different_of_1000();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(descriptor < 0);
  CHECK(different > 990);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test

#endif  // !defined(_WIN32)
