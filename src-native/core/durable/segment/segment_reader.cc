#include "core/durable/segment/segment_reader.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "core/base/check.h"
#include "core/durable/record_scanner.h"
#include "core/platform/memory.h"

namespace atomic_log::durable {
namespace {

using platform::IoCode;
using platform::IoStatus;

// A random read asks for the head and this much: most records are shorter, and
// cost one system call.
constexpr size_t kOptimisticBytes = 2048 + kHeadBytes;
constexpr size_t kReadAheadBytes = size_t{1} << 16;
// A longer record is checked piece by piece before it is read.
constexpr uint64_t kTrustedBytes = uint64_t{1} << 20;
// A change in place takes microseconds, or as long as a disk takes to cut the log
// off; one that never ends is a damaged cell, which costs about 0.1 s. The first
// tries only yield. Then the thread sleeps: a writer of lower priority on the
// same processor would not go on for all the yielding (SCHED_FIFO).
constexpr int kYieldsMax = 32;
constexpr int kRetriesMax = kYieldsMax + 100;
constexpr std::chrono::microseconds kPauseMax(1000);

void pause_before(int retry) {
  if (retry < kYieldsMax) {
    std::this_thread::yield();
    return;
  }
  const int doublings = std::min(retry - kYieldsMax, 10);
  const std::chrono::microseconds pause(int64_t{1} << doublings);
  std::this_thread::sleep_for(std::min(pause, kPauseMax));
}

}  // namespace

SegmentSource::SegmentSource(std::string path, const SegmentFormat& format,
                             std::shared_ptr<platform::File> file,
                             uint64_t size)
    : path_(std::move(path)),
      format_(format),
      file_(std::move(file)),
      size_(size) {}

Outcome SegmentSource::check_place(platform::FileSystem& system,
                                   Failure* failure) const {
  platform::FileIdentity opened;
  platform::FileIdentity named;
  IoStatus status = file_->identity(&opened);
  if (status.ok()) status = system.identity(path_, &named);
  if (status.ok() && opened == named) return Outcome::kOk;
  const bool is_replaced = status.ok() || status.code == IoCode::kNotFound;
  *failure = {
      is_replaced ? Outcome::kReplaced : Outcome::kIo, status, path_, 0, 0, ""};
  return failure->outcome;
}

Outcome SegmentSource::open(platform::FileSystem& system,
                            const std::string& path,
                            const SegmentFormat& format, bool is_mapped,
                            std::shared_ptr<SegmentSource>* source,
                            Failure* failure) {
  std::unique_ptr<platform::File> file;
  uint64_t size = 0;
  IoStatus status = system.open(path, platform::OpenMode::kRead, &file);
  if (status.ok()) status = file->size(&size);
  if (!status.ok()) {
    *failure = {Outcome::kIo, status, path, 0, 0, ""};
    return Outcome::kIo;
  }
  if (size <= format.start_offset) {
    *failure = {Outcome::kFormat,
                {},
                path,
                size,
                format.start_offset,
                "the file ends before its startOffset"};
    return Outcome::kFormat;
  }
  auto result =
      std::make_shared<SegmentSource>(path, format, std::move(file), size);
  // Whole pages only: a store into the rest of the last one would go unnoticed.
  const uint64_t mapped = size - size % platform::page_bytes();
  if (is_mapped && mapped > 0 && mapped <= SIZE_MAX) {
    std::unique_ptr<platform::FileMapping> mapping;
    // Without a mapping everything is read.
    if (result->file_->map(static_cast<size_t>(mapped), &mapping).ok()) {
      result->mapping_ = std::move(mapping);
    }
  }
  *source = std::move(result);
  return Outcome::kOk;
}

void SegmentSource::add_reader() {
  readers_.fetch_add(1, std::memory_order_relaxed);
}

void SegmentSource::remove_reader() {
  // Acquire and release: the last one comes after all reads.
  if (readers_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // Where the system cannot, the file stays open until the last view is gone.
  if (mapping_ != nullptr) (void)mapping_->release_file();
}

SegmentReader::SegmentReader(std::shared_ptr<SegmentSource> source)
    : source_(std::move(source)),
      codec_(source_->format()),
      uses_mapping_(source_->mapping() != nullptr) {
  source_->add_reader();
}

SegmentReader::~SegmentReader() { source_->remove_reader(); }

uint64_t SegmentReader::limit() const {
  if (!flushed_.is_there()) return source_->size();
  return std::min(flushed_.acquire(), source_->size());
}

Outcome SegmentReader::io_failure(const IoStatus& io, uint64_t offset) {
  failure_ = {Outcome::kIo, io, source_->path(), offset, 0, ""};
  return Outcome::kIo;
}

Outcome SegmentReader::refuse(Outcome outcome, uint64_t offset,
                              uint64_t value) {
  failure_ = {outcome, {}, source_->path(), offset, value, ""};
  return outcome;
}

// Records were cut off or changed since: what was read ahead is worth nothing,
// and pages with a copy of their own would show the old ones forever.
void SegmentReader::look_at_generation(uint64_t generation) {
  if (generation == generation_) return;
  generation_ = generation;
  buffered_ = 0;
  if (!uses_mapping_) return;
  uses_mapping_ = source_->file().renew(*source_->mapping()).ok();
}

Outcome SegmentReader::read(uint64_t offset, ReadHint hint,
                            uint32_t* length_words, size_t count_max,
                            Run* run) {
  Outcome outcome = Outcome::kOk;
  for (int retry = 0; retry < kRetriesMax; ++retry) {
    const uint64_t generation = flushed_.generation();
    look_at_generation(generation);
    const uint64_t end = limit();
    if (offset < source_->format().start_offset || offset >= end) {
      return refuse(Outcome::kOutOfRange, offset, end);
    }
    outcome = try_read(offset, end, hint, length_words, count_max, run);
    if (flushed_.is_unchanged(generation)) break;
    pause_before(retry);
  }
  return outcome;
}

Verdict SegmentReader::collect(const uint8_t* bytes, uint64_t available,
                               uint32_t* length_words, size_t count_max,
                               Run* run) const {
  uint64_t at = 0;
  Verdict verdict = Verdict::kRecord;
  while (run->count < count_max) {
    verdict = codec_.classify(bytes + at, available - at);
    if (verdict != Verdict::kRecord) break;
    const uint32_t word = load_u32(bytes + at);
    length_words[run->count++] = word;
    at += record_bytes_of(word);
  }
  CORE_CHECK(run->count <= count_max && at <= available);
  run->bytes = bytes;
  run->total_bytes = at;
  return verdict;
}

Outcome SegmentReader::fill(uint64_t offset, uint64_t limit, size_t wanted) {
  const auto count =
      static_cast<size_t>(std::min<uint64_t>(wanted, limit - offset));
  buffered_ = 0;
  if (!buffer_.try_resize_for_overwrite(count)) {
    return io_failure(platform::kNoMemory, offset);
  }
  size_t read = 0;
  const IoStatus status =
      source_->file().read_at(offset, buffer_.data(), count, &read);
  if (!status.ok()) return io_failure(status, offset);
  CORE_CHECK(read <= count && count <= buffer_.size());
  buffer_begin_ = offset;
  buffered_ = read;
  return Outcome::kOk;
}

Outcome SegmentReader::try_read(uint64_t offset, uint64_t limit, ReadHint hint,
                                uint32_t* length_words, size_t count_max,
                                Run* run) {
  CORE_CHECK(offset >= source_->format().start_offset && offset < limit);
  CORE_CHECK(limit <= source_->size() && count_max > 0);
  *run = {};
  run->offset = offset;
  const bool is_sequential = hint == ReadHint::kSequential;
  if (!is_sequential) count_max = 1;

  if (uses_mapping_) {
    const platform::FileMapping& mapping = *source_->mapping();
    uint64_t end = std::min<uint64_t>(limit, mapping.bytes());
    end -= end % platform::page_bytes();
    if (offset < end) {
      run->is_mapped = true;
      (void)collect(mapping.data() + offset, end - offset, length_words,
                    count_max, run);
      if (run->count > 0) return Outcome::kOk;
      run->is_mapped = false;
    }
  }

  // What was read ahead, as far as it goes: the record may have grown since.
  if (offset >= buffer_begin_ && offset < buffer_begin_ + buffered_) {
    const uint64_t skipped = offset - buffer_begin_;
    const uint64_t available =
        std::min<uint64_t>(buffered_ - skipped, limit - offset);
    (void)collect(buffer_.data() + skipped, available, length_words, count_max,
                  run);
    if (run->count > 0) return Outcome::kOk;
  }

  Outcome outcome =
      fill(offset, limit, is_sequential ? kReadAheadBytes : kOptimisticBytes);
  if (outcome != Outcome::kOk) return outcome;
  Verdict verdict = codec_.classify_head(buffer_.data(), limit - offset);
  if (buffered_ < std::min<uint64_t>(kHeadBytes, limit - offset)) {
    verdict = Verdict::kBad;  // The file was shortened.
  }
  if (verdict == Verdict::kRecord) {
    const uint64_t bytes = record_bytes_of(load_u32(buffer_.data()));
    if (bytes > kTrustedBytes) {
      // A length that no one has checked must not decide how much memory is
      // taken.
      RecordScanner scanner(source_->file(), source_->format(), offset, limit);
      verdict = scanner.next();
      if (verdict == Verdict::kReadFailed) {
        return io_failure(scanner.io(), offset);
      }
      if (verdict != Verdict::kRecord) {
        return refuse(Outcome::kChecksum, offset, limit);
      }
    }
    if (bytes > buffered_) {
      outcome = fill(offset, limit, static_cast<size_t>(bytes));
      if (outcome != Outcome::kOk) return outcome;
    }
    verdict = bytes > buffered_ ? Verdict::kBad
                                : collect(buffer_.data(), buffered_,
                                          length_words, count_max, run);
  }
  if (run->count > 0) return Outcome::kOk;
  return refuse(
      verdict == Verdict::kEnd ? Outcome::kNoRecord : Outcome::kChecksum,
      offset, limit);
}

Outcome SegmentReader::read_bytes(uint64_t offset, uint8_t* bytes,
                                  size_t count) {
  const uint64_t end = limit();
  if (offset > end || count > end - offset) {
    return refuse(Outcome::kOutOfRange, offset, end);
  }
  size_t read = 0;
  IoStatus status = source_->file().read_at(offset, bytes, count, &read);
  if (status.ok() && read < count) status = {IoCode::kFailed, 0, "read"};
  return status.ok() ? Outcome::kOk : io_failure(status, offset);
}

void SegmentReader::prefetch(uint64_t offset) {
  if (offset >= source_->size()) return;
  source_->file().will_read(
      offset, std::min<uint64_t>(kReadAheadBytes, source_->size() - offset));
}

}  // namespace atomic_log::durable
