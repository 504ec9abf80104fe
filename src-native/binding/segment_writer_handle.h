// The native half of a SegmentWriter.
//
// Records are collected in one buffer, JavaScript's memory: TypeScript puts small
// ones there itself, and the core completes their heads, puts there what comes
// in other ways, and writes it to the file from where it lies. The
// lock is released by close(), when the environment ends, or when the
// functions are collected, whichever is first. What was not flushed by then is
// dropped.
#ifndef ATOMIC_LOG_BINDING_SEGMENT_WRITER_HANDLE_H_
#define ATOMIC_LOG_BINDING_SEGMENT_WRITER_HANDLE_H_

#include <node_api.h>

#include <memory>
#include <vector>

#include "binding/environment.h"
#include "core/durable/segment/segment_writer.h"

namespace atomic_log::binding {

class SegmentChange;
class SegmentSync;

class SegmentWriterHandle final
    : public Holder,
      public std::enable_shared_from_this<SegmentWriterHandle> {
 public:
  // (NativeSegmentCreation) => NativeSegmentWriter | NativeFailure
  static napi_value create_sync(napi_env env, napi_callback_info info);
  // (NativeSegmentOpening) => NativeSegmentWriter | NativeFailure
  static napi_value open_sync(napi_env env, napi_callback_info info);
  // The same on the thread pool: promises, or undefined when the runtime
  // refuses.
  static napi_value create_async(napi_env env, napi_callback_info info);
  static napi_value open_async(napi_env env, napi_callback_info info);

  ~SegmentWriterHandle() override;
  void give_back() override;

 private:
  struct Opening;

  SegmentWriterHandle(std::shared_ptr<Environment> environment,
                      std::shared_ptr<durable::SegmentWriter> writer);
  // Null when the options are refused.
  static std::unique_ptr<Opening> read_creation(napi_env env,
                                                napi_callback_info info);
  static std::unique_ptr<Opening> read_opening(napi_env env,
                                               napi_callback_info info);

  napi_value to_object(napi_env env);
  bool is_header(size_t count) const;
  napi_value change_later(napi_env env, uint64_t offset, Buffer header);
  void finish_change();
  durable::Outcome take(napi_env env, napi_value filled);
  static napi_value append(napi_env env, napi_callback_info info);
  static napi_value append_packed(napi_env env, napi_callback_info info);
  static napi_value flush(napi_env env, napi_callback_info info);
  static napi_value sync_sync(napi_env env, napi_callback_info info);
  static napi_value sync(napi_env env, napi_callback_info info);
  static napi_value set_length(napi_env env, napi_callback_info info);
  static napi_value set_length_later(napi_env env, napi_callback_info info);
  static napi_value replace_header(napi_env env, napi_callback_info info);
  static napi_value replace_header_later(napi_env env, napi_callback_info info);
  static napi_value read_application_header(napi_env env,
                                            napi_callback_info info);
  static napi_value write_application_header(napi_env env,
                                             napi_callback_info info);
  static napi_value write_offset(napi_env env, napi_callback_info info);
  static napi_value buffered(napi_env env, napi_callback_info info);
  static napi_value reader(napi_env env, napi_callback_info info);
  static napi_value failure(napi_env env, napi_callback_info info);
  static napi_value close_sync(napi_env env, napi_callback_info info);
  static napi_value release(napi_env env, napi_callback_info info);

  const std::shared_ptr<Environment> environment_;
  // Null once closed.
  std::shared_ptr<durable::SegmentWriter> writer_;
  // The writer's last one, once it is closed.
  durable::Failure failure_;
  // Syncs that are under way, or were.
  std::vector<std::weak_ptr<SegmentSync>> syncs_;
  // The change that is under way, or was.
  std::weak_ptr<SegmentChange> change_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_SEGMENT_WRITER_HANDLE_H_
