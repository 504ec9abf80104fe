// Blocks as ArrayBuffers of one environment, without copying.
#ifndef ATOMIC_LOG_BINDING_MAPPING_H_
#define ATOMIC_LOG_BINDING_MAPPING_H_

#include <napi.h>

#include <cstdint>
#include <memory>

#include "core/memory/rolling_log.h"

namespace atomic_log::binding {

// Owned by the ArrayBuffer. It keeps the log's memory with the log for as long
// as the ArrayBuffer lives, and it can take over pins: those of snapshots that
// were dropped without close(), which must last as long as any view does.
class Mapping {
 public:
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void on_collected(Mapping* mapping) = 0;
  };

  // Maps the whole block of `segment` as *buffer. *mapping stays valid until
  // the ArrayBuffer is collected; the observer is told then.
  static napi_status create(napi_env env,
                            const std::shared_ptr<memory::RollingLog>& log,
                            memory::SegmentControl* segment, uint32_t key,
                            std::shared_ptr<Observer> observer,
                            napi_value* buffer, Mapping** mapping);

  // The same for a SharedArrayBuffer that holds the block already.
  static napi_status adopt(napi_env env,
                           const std::shared_ptr<memory::RollingLog>& log,
                           memory::SegmentControl* segment, uint32_t key,
                           std::shared_ptr<Observer> observer,
                           napi_value buffer, Mapping** mapping);

  memory::SegmentControl* segment() const { return segment_; }
  // What the observer knows it by.
  uint32_t key() const { return key_; }
  // Takes over one pin of the segment.
  void adopt_pin() { ++adopted_pins_; }
  bool owns_pins() const { return adopted_pins_ > 0; }

 private:
  Mapping(std::shared_ptr<memory::RollingLog> log,
          memory::SegmentControl* segment, uint32_t key,
          std::shared_ptr<Observer> observer)
      : log_(std::move(log)),
        segment_(segment),
        key_(key),
        observer_(std::move(observer)) {}
  ~Mapping();
  static void on_finalize(napi_env env, void* data, void* hint);

  const std::shared_ptr<memory::RollingLog> log_;
  memory::SegmentControl* const segment_;
  const uint32_t key_;
  const std::shared_ptr<Observer> observer_;
  uint32_t adopted_pins_ = 0;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_MAPPING_H_
