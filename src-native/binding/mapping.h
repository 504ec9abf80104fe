// Blocks as ArrayBuffers of one environment, without copying.
#ifndef ATOMIC_LOG_BINDING_MAPPING_H_
#define ATOMIC_LOG_BINDING_MAPPING_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "core/memory/rolling_log.h"

namespace atomic_log::binding {

// Owned by the ArrayBuffer. It keeps the log's memory with the log for as long
// as the ArrayBuffer lives, and it can take over pins: those of snapshots that
// were dropped without close(), which must last as long as any view does.
//
// The ArrayBuffer may give it up on any thread: Deno frees ArrayBuffers on V8's
// sweeper threads, Bun frees a transferred one on the thread that it went to.
// So it knows nothing of its environment, and whoever wants to hand it a pin
// must own it meanwhile (std::weak_ptr::lock).
class Mapping {
 public:
  // Maps the whole block of `segment`. *mapping expires when the ArrayBuffer
  // has been collected.
  static napi_status create(napi_env env,
                            const std::shared_ptr<memory::RollingLog>& log,
                            memory::SegmentControl* segment, napi_value* buffer,
                            std::weak_ptr<Mapping>* mapping);

  Mapping(std::shared_ptr<memory::RollingLog> log,
          memory::SegmentControl* segment)
      : log_(std::move(log)), segment_(segment) {}
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // Takes over one pin of the segment. Only the environment's own thread.
  void adopt_pin() { ++adopted_pins_; }

 private:
  static void on_finalize(napi_env env, void* block, void* owner);

  const std::shared_ptr<memory::RollingLog> log_;
  memory::SegmentControl* const segment_;
  // Plain, because the last owner's release of the shared pointer orders
  // adopt_pin() before the destructor.
  uint32_t adopted_pins_ = 0;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_MAPPING_H_
