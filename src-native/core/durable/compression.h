// The data of compressed records: the original size (u32) and one zstd frame.
// Any thread may call anything here; each thread keeps a context of its own.
#ifndef ATOMIC_LOG_CORE_DURABLE_COMPRESSION_H_
#define ATOMIC_LOG_CORE_DURABLE_COMPRESSION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atomic_log::durable {

// Data that is shorter is stored as it is, as the Rust crate does.
inline constexpr size_t kCompressedBytesMin = 128;

// Whether zstd was built in. Without it nothing is compressed or decompressed.
bool has_compression();

// Compresses into `stored`, the original size first. False when that would not
// be shorter, and the data is better stored as it is.
bool compress(const uint8_t* data, size_t bytes, std::vector<uint8_t>* stored);

// Decompresses the frame of `stored` into exactly `bytes` bytes; false when it
// is none, or of another size.
bool decompress(const uint8_t* stored, size_t stored_bytes, uint8_t* data,
                size_t bytes);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_COMPRESSION_H_
