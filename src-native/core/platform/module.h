// The loaded shared library that this code lives in.
#ifndef ATOMIC_LOG_CORE_PLATFORM_MODULE_H_
#define ATOMIC_LOG_CORE_PLATFORM_MODULE_H_

namespace atomic_log::platform {

// Keeps this library loaded until the process ends. Node unloads an addon when
// the last worker that loaded it exits, even while another thread, a queued
// finalizer or a mapped ArrayBuffer still needs its code. Call it at load; a
// second call does nothing. False when the system refused.
bool pin_module();

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_MODULE_H_
