#include "core/durable/compression.h"

#include "core/base/little_endian.h"
#include "core/durable/record_format.h"

// The four functions of zstd's stable interface that are used: its header is
// not on the include path, so that a build without the sources works too.
#if defined(ATOMIC_LOG_HAS_ZSTD)
extern "C" {
size_t ZSTD_compress(void* target, size_t target_bytes, const void* source,
                     size_t source_bytes, int level);
size_t ZSTD_decompress(void* target, size_t target_bytes, const void* source,
                       size_t source_bytes);
size_t ZSTD_compressBound(size_t source_bytes);
unsigned ZSTD_isError(size_t code);
}
#endif

namespace atomic_log::durable {

#if defined(ATOMIC_LOG_HAS_ZSTD)

namespace {

// zstd's own default.
constexpr int kLevel = 3;

}  // namespace

bool has_compression() { return true; }

bool compress(const uint8_t* data, size_t bytes, std::vector<uint8_t>* stored) {
  if (bytes < kCompressedBytesMin || bytes > kBodyBytesMax) return false;
  stored->resize(kOriginalSizeBytes + ZSTD_compressBound(bytes));
  const size_t frame =
      ZSTD_compress(stored->data() + kOriginalSizeBytes,
                    stored->size() - kOriginalSizeBytes, data, bytes, kLevel);
  if (ZSTD_isError(frame) != 0 || kOriginalSizeBytes + frame >= bytes) {
    return false;
  }
  store_u32(stored->data(), static_cast<uint32_t>(bytes));
  stored->resize(kOriginalSizeBytes + frame);
  return true;
}

bool decompress(const uint8_t* stored, size_t stored_bytes, uint8_t* data,
                size_t bytes) {
  if (stored_bytes < kOriginalSizeBytes || load_u32(stored) != bytes) {
    return false;
  }
  const size_t result =
      ZSTD_decompress(data, bytes, stored + kOriginalSizeBytes,
                      stored_bytes - kOriginalSizeBytes);
  return ZSTD_isError(result) == 0 && result == bytes;
}

#else

bool has_compression() { return false; }
bool compress(const uint8_t*, size_t, std::vector<uint8_t>*) { return false; }
bool decompress(const uint8_t*, size_t, uint8_t*, size_t) { return false; }

#endif

}  // namespace atomic_log::durable
