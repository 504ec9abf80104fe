// What the classes of write-ahead logs have in common on their way to
// JavaScript.
#ifndef ATOMIC_LOG_BINDING_WAL_VALUES_H_
#define ATOMIC_LOG_BINDING_WAL_VALUES_H_

#include <node_api.h>

#include "core/durable/wal/wal_files.h"
#include "core/durable/wal/wal_reader.h"

namespace atomic_log::binding {

// types/native.d.ts NativeWalChunk, or NativeFailure where the runtime has no
// memory for it.
napi_value chunk_object(napi_env env, const durable::WalChunk& chunk);
// For each file, its FileFields. Or NativeFailure.
napi_value files_array(napi_env env, const List<durable::WalFileInfo>& files);
napi_value files_array(napi_env env, const durable::WalFileList& files);
// (from, to, bytesMax) => NativeWalChunk | NativeFailure
napi_value read_chunk(napi_env env, durable::WalReader& reader,
                      const napi_value* arguments);
// (lsn, epoch, branch) => NativeFailure | undefined
napi_value check_past(napi_env env, durable::WalReader& reader,
                      const napi_value* arguments);
// (number, into) => undefined
void files_after(napi_env env, const durable::WalReader& reader,
                 const napi_value* arguments);
// (lsn) => LSN | NativeFailure
napi_value read_seek_point(napi_env env, durable::WalReader& reader,
                           napi_value lsn);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_WAL_VALUES_H_
