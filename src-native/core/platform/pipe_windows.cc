#if defined(_WIN32)

#include "core/platform/pipe.h"

namespace atomic_log::platform {

bool is_reader_gone(int) { return false; }

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
