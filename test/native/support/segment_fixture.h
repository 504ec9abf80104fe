// Writers, readers and bytes for the tests of segment files.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_SEGMENT_FIXTURE_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_SEGMENT_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/durable/segment/segment_reader.h"
#include "core/durable/segment/segment_writer.h"
#include "support/simulated_file_system.h"

namespace atomic_log::test {

inline const std::string kPath = "dir/a.seg";

// `bytes` bytes that tell record `seed` from others.
inline Bytes payload(uint32_t seed, size_t bytes) {
  Bytes result(bytes);
  for (size_t i = 0; i < bytes; ++i) {
    result[i] = static_cast<uint8_t>(31 * seed + 7 * i + 1);
  }
  return result;
}

struct Stored {
  Bytes header;
  Bytes data;
  bool operator==(const Stored&) const = default;
};

struct Opened {
  durable::Outcome outcome = durable::Outcome::kOk;
  // The writer's, which goes first.
  std::unique_ptr<uint8_t[]> buffer;
  std::unique_ptr<durable::SegmentWriter> writer;
  durable::Recovery recovery;
  durable::Failure failure;
};

inline void collect(Opened& opened) {
  if (opened.writer == nullptr) return;
  opened.buffer.reset(new uint8_t[durable::SegmentWriter::kBufferBytes]);
  opened.writer->collect_in(opened.buffer.get());
}

inline Opened create_segment(platform::FileSystem& system,
                             const durable::SegmentFormat& format,
                             uint64_t size) {
  Opened result;
  result.outcome = durable::SegmentWriter::create(
      system, kPath, format, size, &result.writer, &result.failure);
  collect(result);
  return result;
}

inline Opened open_segment(platform::FileSystem& system,
                           const durable::SegmentFormat& format,
                           const durable::OpenOptions& options = {}) {
  Opened result;
  result.outcome = durable::SegmentWriter::open(
      system, kPath, format, options, &result.writer, &result.recovery,
      &result.failure);
  collect(result);
  return result;
}

inline durable::Outcome append_record(durable::SegmentWriter& writer,
                                      const Stored& record,
                                      uint64_t* offset = nullptr) {
  uint64_t ignored = 0;
  return writer.append(record.header.data(), record.data.data(),
                       record.data.size(), false,
                       offset == nullptr ? &ignored : offset);
}

// What an independent reading of the bytes finds: this walks the file without
// any code of the core but the checksum's.
inline std::vector<Stored> parse_independently(
    const Bytes& file, const durable::SegmentFormat& format) {
  std::vector<Stored> records;
  size_t at = format.start_offset;
  const auto word = [&](size_t from) {
    return uint32_t{file[from]} | uint32_t{file[from + 1]} << 8 |
           uint32_t{file[from + 2]} << 16 | uint32_t{file[from + 3]} << 24;
  };
  while (at + 8 <= file.size()) {
    const uint32_t length = word(at) & 0x7FFFFFFF;
    const uint32_t checksum = word(at + 4);
    if (word(at) == 0 && checksum == 0) break;
    const uint32_t least = format.header_bytes + (word(at) >> 31) * 4;
    if (length > file.size() - at - 8 || length < least) break;
    Bytes checked(file.begin() + static_cast<ptrdiff_t>(at),
                  file.begin() + static_cast<ptrdiff_t>(at + 4));
    const auto body = file.begin() + static_cast<ptrdiff_t>(at + 8);
    checked.insert(checked.end(), body, body + length);
    if (crc32(format.checksum, 0, checked.data(), checked.size()) != checksum) {
      break;
    }
    records.push_back({Bytes(body, body + format.header_bytes),
                       Bytes(body + format.header_bytes, body + length)});
    at += 8 + length;
  }
  return records;
}

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_SEGMENT_FIXTURE_H_
