// What is known of the other end of a pipe. Any thread.
#ifndef ATOMIC_LOG_CORE_PLATFORM_PIPE_H_
#define ATOMIC_LOG_CORE_PLATFORM_PIPE_H_

namespace atomic_log::platform {

// Whether no one will read any more what is written to `descriptor`: the other
// end of the pipe or socket was closed. False for anything else, and where the
// system does not tell before something is written (Windows). Does not wait.
bool is_reader_gone(int descriptor);

}  // namespace atomic_log::platform

#endif  // ATOMIC_LOG_CORE_PLATFORM_PIPE_H_
