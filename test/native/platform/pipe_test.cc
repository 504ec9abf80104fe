#include "core/platform/pipe.h"

#include <doctest/doctest.h>

#if !defined(_WIN32)

#include <unistd.h>

namespace atomic_log::platform {
namespace {

TEST_CASE("a pipe has a reader until its other end is closed") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK(!is_reader_gone(ends[1]));
  // Full or not, someone may read it.
  REQUIRE(write(ends[1], "text", 4) == 4);
  CHECK(!is_reader_gone(ends[1]));
  close(ends[0]);
  CHECK(is_reader_gone(ends[1]));
  close(ends[1]);
}

TEST_CASE("what is not a pipe has no reader that could go") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  close(ends[0]);
  close(ends[1]);
  CHECK(!is_reader_gone(ends[1]));
  CHECK(!is_reader_gone(-1));
}

}  // namespace
}  // namespace atomic_log::platform

#endif  // !defined(_WIN32)
