#include "core/base/check.h"

#if defined(ATOMIC_LOG_CHECKS)

#include <cstdio>
#include <cstdlib>

namespace atomic_log {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace atomic_log

#endif
