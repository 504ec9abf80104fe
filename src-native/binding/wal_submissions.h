// What JavaScript hands to the committer of a write-ahead log, and what comes
// back.
#ifndef ATOMIC_LOG_BINDING_WAL_SUBMISSIONS_H_
#define ATOMIC_LOG_BINDING_WAL_SUBMISSIONS_H_

#include <node_api.h>

#include <memory>

#include "binding/functions.h"
#include "core/durable/wal/wal_log.h"

namespace atomic_log::binding {

// Whether `count` lengths are those of `byte_count` bytes, and all of them are
// there. TypeScript made them, so that they agree; were they to disagree, nothing
// is written rather than what is not there.
bool do_lengths_agree(Elements<uint8_t> bytes, uint64_t byte_count,
                      Elements<uint32_t> lengths, uint64_t count);

// (level, isBatch, expectedLsn, bytes, byteCount, lengths, count)
std::unique_ptr<durable::WalSubmission> to_submission(
    napi_env env, const napi_value* arguments);

// CompletionFields of each submission that is done.
napi_value completions_array(napi_env env, const durable::WalSubmissions& done);

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_WAL_SUBMISSIONS_H_
