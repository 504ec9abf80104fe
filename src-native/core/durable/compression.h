// The data of compressed records: the original size (u32) and one zstd frame.
// Any thread may call anything here; each thread keeps a context of its own.
#ifndef ATOMIC_LOG_CORE_DURABLE_COMPRESSION_H_
#define ATOMIC_LOG_CORE_DURABLE_COMPRESSION_H_

#include <cstddef>
#include <cstdint>

#include "core/base/list.h"

namespace atomic_log::durable {

// Data that is shorter is stored as it is, as the Rust crate does.
inline constexpr size_t kCompressedBytesMin = 128;

// Whether zstd was built in. Without it nothing is compressed or decompressed.
bool has_compression();

enum class Compression : uint8_t {
  kDone = 0,
  // It would not be shorter, and the data is better stored as it is; or there is
  // no frame of that size.
  kNot = 1,
  kNoMemory = 2,
};

// Compresses into `stored`, the original size first.
Compression compress(const uint8_t* data, size_t bytes, Buffer* stored);

// Decompresses the frame of `stored` into exactly `bytes` bytes.
Compression decompress(const uint8_t* stored, size_t stored_bytes,
                       uint8_t* data, size_t bytes);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_COMPRESSION_H_
