// Blocks as ArrayBuffers of one environment, without copying.
#ifndef ATOMIC_LOG_BINDING_MAPPING_H_
#define ATOMIC_LOG_BINDING_MAPPING_H_

#include <napi.h>

#include <memory>

#include "core/memory/rolling_log.h"

namespace atomic_log::binding {

// Owned by the ArrayBuffer. It keeps the log's memory with the log for as long
// as the ArrayBuffer lives, and it can take over pins: those of snapshots that
// were dropped without close(), which must last as long as any view does.
class Mapping {
 public:
  // Maps the whole block of `segment`. *mapping stays valid until the
  // ArrayBuffer is collected; `on_collected` is told then.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void on_collected(Mapping* mapping) = 0;
  };
  static napi_status create(napi_env env,
                            const std::shared_ptr<memory::RollingLog>& log,
                            memory::SegmentControl* segment,
                            std::shared_ptr<Observer> observer,
                            napi_value* buffer, Mapping** mapping);

  memory::SegmentControl* segment() const { return segment_; }
  // Takes over one pin of the segment.
  void adopt_pin() { ++adopted_pins_; }
  bool owns_pins() const { return adopted_pins_ > 0; }

 private:
  Mapping(std::shared_ptr<memory::RollingLog> log,
          memory::SegmentControl* segment, std::shared_ptr<Observer> observer)
      : log_(std::move(log)),
        segment_(segment),
        observer_(std::move(observer)) {}
  ~Mapping();
  static void on_finalize(napi_env env, void* block, void* mapping);

  const std::shared_ptr<memory::RollingLog> log_;
  memory::SegmentControl* const segment_;
  const std::shared_ptr<Observer> observer_;
  uint32_t adopted_pins_ = 0;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_MAPPING_H_
