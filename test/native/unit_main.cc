// The test runner of all unit tests. Tests in the suite "threads" are those
// that the thread sanitizer has something to say about.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
