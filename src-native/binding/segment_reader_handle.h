// The native half of a SegmentReader.
//
// A reader that is closed, by close(), by the end of its environment or because
// its functions were collected, takes its mapping's file with it: the memory
// stays, as zeros, for as long as an ArrayBuffer over it lives.
#ifndef ATOMIC_LOG_BINDING_SEGMENT_READER_HANDLE_H_
#define ATOMIC_LOG_BINDING_SEGMENT_READER_HANDLE_H_

#include <node_api.h>

#include <memory>

#include "binding/environment.h"
#include "core/durable/segment/segment_reader.h"

namespace atomic_log::binding {

class SegmentReaderHandle final
    : public Holder,
      public std::enable_shared_from_this<SegmentReaderHandle> {
 public:
  // The object of types/native.d.ts NativeSegmentReader. `cells` is kept alive
  // by lib/durable/segment/reader.ts.
  static napi_value create(napi_env env,
                           std::shared_ptr<durable::SegmentSource> source,
                           durable::FlushedCells* cells);
  // (NativeSegmentReading) => NativeSegmentReader | NativeFailure
  static napi_value open(napi_env env, napi_callback_info info);

  // (NativeSegmentFormat & { path }) => NativeSegmentScan | NativeFailure
  static napi_value scan(napi_env env, napi_callback_info info);

  ~SegmentReaderHandle() override;
  void give_back() override;

 private:
  SegmentReaderHandle(std::shared_ptr<Environment> environment,
                      std::shared_ptr<durable::SegmentSource> source);

  napi_value to_object(napi_env env);
  static napi_value read(napi_env env, napi_callback_info info);
  static napi_value copy(napi_env env, napi_callback_info info);
  static napi_value read_bytes(napi_env env, napi_callback_info info);
  static napi_value prefetch(napi_env env, napi_callback_info info);
  static napi_value check_place(napi_env env, napi_callback_info info);
  static napi_value limit(napi_env env, napi_callback_info info);
  static napi_value mapping(napi_env env, napi_callback_info info);
  static napi_value clone(napi_env env, napi_callback_info info);
  static napi_value failure(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  const std::shared_ptr<Environment> environment_;
  // Both null once closed: what is left of the source keeps its file open.
  std::shared_ptr<durable::SegmentSource> source_;
  std::unique_ptr<durable::SegmentReader> reader_;
  // What the last read() has found.
  durable::SegmentReader::Run run_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_SEGMENT_READER_HANDLE_H_
