// Reads records of a segment file at random or one after the other.
//
//  1. Every record is checked before it is returned. Nothing at or beyond the
//     flushed offset is looked at, where there is one.
//  2. In the mapped mode records are returned where they lie in the mapping.
//     Only whole pages below the limit are used so: the page with the live tail
//     is read.
//  3. A record that fails its checksum in the mapping or in the read-ahead is
//     read once more from the file before it is called bad.
//  4. What was read while the writer truncated or replaced a header is read
//     again (FlushedOffset).
// One thread at a time. Clones share the file and the mapping.
#ifndef ATOMIC_LOG_CORE_DURABLE_SEGMENT_READER_H_
#define ATOMIC_LOG_CORE_DURABLE_SEGMENT_READER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/list.h"
#include "core/durable/outcome.h"
#include "core/durable/record_format.h"
#include "core/durable/segment/flushed_offset.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

// The open file of a reader and its clones.
class SegmentSource {
 public:
  static Outcome open(platform::FileSystem& system, const std::string& path,
                      const SegmentFormat& format, bool is_mapped,
                      std::shared_ptr<SegmentSource>* source, Failure* failure);
  // For the writer's own reads.
  SegmentSource(std::string path, const SegmentFormat& format,
                std::shared_ptr<platform::File> file, uint64_t size);

  const std::string& path() const { return path_; }
  const SegmentFormat& format() const { return format_; }
  uint64_t size() const { return size_; }
  platform::File& file() const { return *file_; }
  // Null when it is not mapped.
  const std::shared_ptr<platform::FileMapping>& mapping() const {
    return mapping_;
  }

  // kReplaced when the path names another file by now, or none.
  Outcome check_place(platform::FileSystem& system, Failure* failure) const;

  // Called by each reader when it begins and when it is closed. With the last
  // one the mapping releases the file, and its views show zeros.
  void add_reader();
  void remove_reader();

 private:
  const std::string path_;
  const SegmentFormat format_;
  const std::shared_ptr<platform::File> file_;
  const uint64_t size_;
  std::shared_ptr<platform::FileMapping> mapping_;
  // Readers of one source may be closed by finalizers of several threads.
  std::atomic<int> readers_{0};
};

enum class ReadHint : uint8_t { kRandom = 0, kSequential = 1 };

class SegmentReader {
 public:
  // Records that follow one another, at `bytes`, from `offset` on. Not in
  // the mapping: they stay there until the next call.
  struct Run {
    uint64_t offset = 0;
    const uint8_t* bytes = nullptr;
    size_t count = 0;
    uint64_t total_bytes = 0;
    bool is_mapped = false;
  };

  explicit SegmentReader(std::shared_ptr<SegmentSource> source);
  ~SegmentReader();

  // The cells must outlive the reader's use; without them the whole file may be
  // read.
  void attach(FlushedCells* cells) { flushed_ = FlushedOffset(cells); }
  void detach() { flushed_ = FlushedOffset(); }

  const std::shared_ptr<SegmentSource>& source() const { return source_; }
  const Failure& failure() const { return failure_; }

  // Where reading ends at present.
  uint64_t limit() const;

  // Finds at least one record at `offset`, and with the sequential hint as many
  // of those after it as are at hand, up to `count_max`. Their length words go
  // to `length_words`. kOutOfRange, kNoRecord, kChecksum, kIo; with kNoMemory
  // where the record is larger than the memory that the system gives.
  Outcome read(uint64_t offset, ReadHint hint, uint32_t* length_words,
               size_t count_max, Run* run);

  // Bytes of the file as they are, from anywhere below the limit.
  Outcome read_bytes(uint64_t offset, uint8_t* bytes, size_t count);

  // Has the system fetch what is at `offset`; a hint.
  void prefetch(uint64_t offset);

 private:
  Outcome try_read(uint64_t offset, uint64_t limit, ReadHint hint,
                   uint32_t* length_words, size_t count_max, Run* run);
  // Collects intact records from [bytes, bytes + available).
  Verdict collect(const uint8_t* bytes, uint64_t available,
                  uint32_t* length_words, size_t count_max, Run* run) const;
  // Makes the buffer hold at least `bytes` from `offset`, where the limit
  // allows, and up to `wanted`.
  Outcome fill(uint64_t offset, uint64_t limit, size_t wanted);
  Outcome refuse(Outcome outcome, uint64_t offset, uint64_t value);
  Outcome io_failure(const platform::IoStatus& io, uint64_t offset);
  void look_at_generation(uint64_t generation);

  const std::shared_ptr<SegmentSource> source_;
  const RecordCodec codec_;
  FlushedOffset flushed_;
  Failure failure_;
  bool uses_mapping_;
  // Of what the mapping and the buffer show.
  uint64_t generation_ = 0;
  Buffer buffer_;
  uint64_t buffer_begin_ = 0;
  size_t buffered_ = 0;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_SEGMENT_READER_H_
