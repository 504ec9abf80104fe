// The checked copy of the core and the scenarios over it, as one unit: it is
// compiled anew for every mutation.
#include "core/memory/rolling_log.cc"
#include "core/memory/segment_pool.cc"
#include "core/memory/storage.cc"
#include "core/memory/wait_list.cc"
#include "core/memory/window.cc"
#include "core/platform/barrier_posix.cc"
#include "core/platform/memory_posix.cc"
#include "log_scenario.cc"
#include "scenarios.cc"
