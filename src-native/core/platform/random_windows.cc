#if defined(_WIN32)

// Before any header: it has <stdlib.h> declare rand_s().
#define _CRT_RAND_S

#include <stdlib.h>

#include "core/platform/random.h"

namespace atomic_log::platform {

// The system's generator needs no file, and fails for a null pointer only.
uint32_t random_word() {
  unsigned int word = 0;
  (void)rand_s(&word);
  return word;
}

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
