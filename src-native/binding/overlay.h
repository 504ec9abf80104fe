// The blocks of a log that processes share, laid over a SharedArrayBuffer, for
// engines whose ArrayBuffers show no other memory than their own (V8's
// sandbox).
//
//  1. An environment has one of its own for each log that it is attached to.
//     The core does not know of it: it uses its own mapping of the same file.
//  2. The engine returns the addresses when the last SharedArrayBuffer over
//     them is collected, in whatever thread, and tells no one. So this keeps
//     one alive until zeroed pages are in place of the file again: for as long
//     as its environment lives when the system refuses them, because an engine
//     may use addresses again without mapping them (JavaScriptCore does).
//  3. After that it is a SharedArrayBuffer as any other: views of it, in
//     workers too, show zeros or what is stored there, and reach no log.
//
// It goes with the last attachment, writer, or mapping that owns pins, of its
// environment, or when the environment ends. Only the environment's thread uses
// it.
#ifndef ATOMIC_LOG_BINDING_OVERLAY_H_
#define ATOMIC_LOG_BINDING_OVERLAY_H_

#include <node_api.h>

#include <memory>

#include "binding/environment.h"
#include "core/platform/io_status.h"
#include "core/platform/shared_file.h"

namespace atomic_log::shared_memory {
class SharedLog;
}

namespace atomic_log::binding {

class Overlay final : public Holder {
 public:
  // Its owner drops it so. What cannot be given back then is the environment's.
  struct Drop {
    void operator()(Overlay* overlay) const;
  };
  using Owned = std::unique_ptr<Overlay, Drop>;

  // `array` is a Uint8Array over all of a SharedArrayBuffer, which has as many
  // bytes as shown_pages() says and begins on a page: kUnsupported otherwise.
  static platform::IoStatus make(napi_env env, napi_value array,
                                 shared_memory::SharedLog& log, Owned* overlay);
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  void give_back() override;

 private:
  Overlay(napi_env env, napi_ref memory,
          std::unique_ptr<platform::SharedMapping> pages);
  ~Overlay() override = default;

  const napi_env env_;
  const std::shared_ptr<Environment> environment_;
  // Both null after give_back().
  napi_ref memory_;
  std::unique_ptr<platform::SharedMapping> pages_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_OVERLAY_H_
