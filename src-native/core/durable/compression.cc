#include "core/durable/compression.h"

#include "core/base/little_endian.h"
#include "core/durable/record_format.h"

// The functions of zstd's stable interface that are used: its header is not
// on the include path, so that a build without the sources works too.
#if defined(ATOMIC_LOG_HAS_ZSTD)
extern "C" {
size_t ZSTD_compress(void* target, size_t target_bytes, const void* source,
                     size_t source_bytes, int level);
size_t ZSTD_decompress(void* target, size_t target_bytes, const void* source,
                       size_t source_bytes);
size_t ZSTD_compressBound(size_t source_bytes);
unsigned ZSTD_isError(size_t code);
int ZSTD_getErrorCode(size_t code);
}
#endif

namespace atomic_log::durable {

#if defined(ATOMIC_LOG_HAS_ZSTD)

namespace {

// zstd's own default.
constexpr int kLevel = 3;
// ZSTD_error_memory_allocation of its zstd_errors.h, whose numbers are stable.
constexpr int kErrorNoMemory = 64;

// Of a result that is an error.
Compression refusal(size_t result) {
  return ZSTD_getErrorCode(result) == kErrorNoMemory ? Compression::kNoMemory
                                                     : Compression::kNot;
}

}  // namespace

bool has_compression() { return true; }

Compression compress(const uint8_t* data, size_t bytes, Buffer* stored) {
  if (bytes < kCompressedBytesMin || bytes > kBodyBytesMax) {
    return Compression::kNot;
  }
  // zstd takes memory of its own, too.
  if (!stored->try_resize_for_overwrite(kOriginalSizeBytes +
                                        ZSTD_compressBound(bytes)) ||
      memory_is_refused()) {
    return Compression::kNoMemory;
  }
  const size_t frame =
      ZSTD_compress(stored->data() + kOriginalSizeBytes,
                    stored->size() - kOriginalSizeBytes, data, bytes, kLevel);
  if (ZSTD_isError(frame) != 0) return refusal(frame);
  if (kOriginalSizeBytes + frame >= bytes) return Compression::kNot;
  store_u32(stored->data(), static_cast<uint32_t>(bytes));
  // It becomes shorter: nothing is refused.
  (void)stored->try_resize(kOriginalSizeBytes + frame);
  return Compression::kDone;
}

Compression decompress(const uint8_t* stored, size_t stored_bytes,
                       uint8_t* data, size_t bytes) {
  if (stored_bytes < kOriginalSizeBytes || load_u32(stored) != bytes) {
    return Compression::kNot;
  }
  if (memory_is_refused()) return Compression::kNoMemory;
  const size_t result =
      ZSTD_decompress(data, bytes, stored + kOriginalSizeBytes,
                      stored_bytes - kOriginalSizeBytes);
  if (ZSTD_isError(result) != 0) return refusal(result);
  return result == bytes ? Compression::kDone : Compression::kNot;
}

#else

bool has_compression() { return false; }
Compression compress(const uint8_t*, size_t, Buffer*) {
  return Compression::kNot;
}
Compression decompress(const uint8_t*, size_t, uint8_t*, size_t) {
  return Compression::kNot;
}

#endif

}  // namespace atomic_log::durable
