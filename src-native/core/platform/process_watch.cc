#include "core/platform/process_watch.h"

#include <utility>

#include "core/platform/shared_file.h"

namespace atomic_log::platform {

bool ProcessWatch::start(ProcessName name, std::function<void()> ended) {
  stop();
  const uint32_t number = process_number(name);
  if (number == 0 || number == process_id()) return false;
  is_watching_.store(true, std::memory_order_relaxed);
  if (!end_.open(number) ||
      !thread_.start([this, ended = std::move(ended)] { run(ended); }).ok()) {
    stop();
    return false;
  }
  return true;
}

void ProcessWatch::stop() {
  if (thread_.is_started()) {
    end_.cancel();
    thread_.join();
  }
  end_.close();
  is_watching_.store(false, std::memory_order_relaxed);
}

void ProcessWatch::run(const std::function<void()>& ended) {
  const bool has_ended = end_.wait();
  is_watching_.store(false, std::memory_order_relaxed);
  if (has_ended) ended();
}

}  // namespace atomic_log::platform
