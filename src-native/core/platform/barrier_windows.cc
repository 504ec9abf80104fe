#if defined(_WIN32)

#include <windows.h>

#include "core/platform/barrier.h"

namespace atomic_log::platform {

bool has_process_barrier() { return true; }

void heavy_barrier() { FlushProcessWriteBuffers(); }

}  // namespace atomic_log::platform

#endif  // defined(_WIN32)
