// The native half of a WalReader: a log that is read without its writer.
#ifndef ATOMIC_LOG_BINDING_WAL_READER_HANDLE_H_
#define ATOMIC_LOG_BINDING_WAL_READER_HANDLE_H_

#include <node_api.h>

#include <string>
#include <utility>

#include "core/durable/wal/wal_reader.h"

namespace atomic_log::binding {

class WalReaderHandle final {
 public:
  // (path, isIntact) => NativeWalReader
  static napi_value open(napi_env env, napi_callback_info info);
  // (path) => the condition of wal_recovery.h that a writer would meet, with
  // all records read: NativeFailure, or its row
  static napi_value verify(napi_env env, napi_callback_info info);
  // What can be read of a damaged log.
  static napi_value remains(napi_env env, napi_callback_info info);
  static napi_value salvage(napi_env env, napi_callback_info info);

 private:
  WalReaderHandle(std::string directory, durable::WalTailMode tail)
      : reader_(platform::native_file_system(), std::move(directory), tail) {}

  static napi_value refresh(napi_env env, napi_callback_info info);
  static napi_value files(napi_env env, napi_callback_info info);
  static napi_value metadata(napi_env env, napi_callback_info info);
  static napi_value read(napi_env env, napi_callback_info info);
  static napi_value seek_point(napi_env env, napi_callback_info info);
  static napi_value check_past(napi_env env, napi_callback_info info);
  static napi_value files_after(napi_env env, napi_callback_info info);
  static napi_value log_id(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  durable::WalReader reader_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_WAL_READER_HANDLE_H_
