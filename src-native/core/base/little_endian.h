// Numbers as bytes on disk: little-endian, whatever the machine is. Compilers
// turn each of these into one load or store where they can.
#ifndef ATOMIC_LOG_CORE_BASE_LITTLE_ENDIAN_H_
#define ATOMIC_LOG_CORE_BASE_LITTLE_ENDIAN_H_

#include <bit>
#include <cstdint>
#include <cstring>

namespace atomic_log {

template <typename T>
T load_little_endian(const uint8_t* bytes) {
  T value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, bytes, sizeof(T));
  } else {
    for (size_t i = sizeof(T); i-- > 0;) {
      value = static_cast<T>(value << 8) | bytes[i];
    }
  }
  return value;
}

template <typename T>
void store_little_endian(uint8_t* bytes, T value) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(bytes, &value, sizeof(T));
  } else {
    for (size_t i = 0; i < sizeof(T); ++i) {
      bytes[i] = static_cast<uint8_t>(value >> (8 * i));
    }
  }
}

inline uint32_t load_u32(const uint8_t* bytes) {
  return load_little_endian<uint32_t>(bytes);
}
inline uint64_t load_u64(const uint8_t* bytes) {
  return load_little_endian<uint64_t>(bytes);
}
inline void store_u32(uint8_t* bytes, uint32_t value) {
  store_little_endian(bytes, value);
}
inline void store_u64(uint8_t* bytes, uint64_t value) {
  store_little_endian(bytes, value);
}

}  // namespace atomic_log

#endif  // ATOMIC_LOG_CORE_BASE_LITTLE_ENDIAN_H_
