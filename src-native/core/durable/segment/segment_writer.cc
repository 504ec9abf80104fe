#include "core/durable/segment/segment_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "core/durable/open_files.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileIdentity;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

Outcome open_failure(const IoStatus& io, const std::string& path,
                     Failure* failure) {
  const Outcome outcome =
      io.code == IoCode::kLocked ? Outcome::kLocked : Outcome::kIo;
  *failure = {outcome, io, path, 0, 0, ""};
  return outcome;
}

// Locks the file against writers of any process and of this one.
Outcome claim(File& file, const std::string& path, FileIdentity* identity,
              Failure* failure) {
  IoStatus status = file.identity(identity);
  if (status.ok()) status = file.lock();
  if (!status.ok()) return open_failure(status, path, failure);
  if (!OpenFiles::instance().add(*identity)) {
    return open_failure({IoCode::kLocked, 0, "lock"}, path, failure);
  }
  return Outcome::kOk;
}

}  // namespace

SegmentWriter::SegmentWriter(FileSystem& system, std::string path,
                             const SegmentFormat& format,
                             std::shared_ptr<File> file,
                             const FileIdentity& identity, uint64_t size,
                             uint64_t end_offset)
    : system_(system),
      path_(std::move(path)),
      format_(format),
      codec_(format),
      file_(std::move(file)),
      identity_(identity),
      size_(size),
      durable_offset_(end_offset),
      buffer_offset_(end_offset) {
  CORE_CHECK(end_offset >= format.start_offset && end_offset <= size);
}

SegmentWriter::~SegmentWriter() { OpenFiles::instance().remove(identity_); }

Outcome SegmentWriter::create(FileSystem& system, const std::string& path,
                              const SegmentFormat& format, uint64_t size,
                              std::unique_ptr<SegmentWriter>* writer,
                              Failure* failure) {
  if (size <= format.start_offset) {
    *failure = {Outcome::kFormat,
                {},
                path,
                size,
                format.start_offset,
                "size is not beyond startOffset"};
    return Outcome::kFormat;
  }
  std::unique_ptr<File> file;
  IoStatus status = system.open(path, OpenMode::kCreateNew, &file);
  if (!status.ok()) return open_failure(status, path, failure);
  FileIdentity identity;
  Outcome outcome = claim(*file, path, &identity, failure);
  if (outcome == Outcome::kOk) {
    // What may stand next to it belongs to a file that was deleted.
    status = remove_redo(system, path);
    if (status.ok()) status = file->preallocate(size);
    if (status.ok()) status = file->sync_all();
    if (status.ok()) status = system.sync_parent(path);
    if (!status.ok()) {
      OpenFiles::instance().remove(identity);
      outcome = open_failure(status, path, failure);
    }
  }
  if (outcome != Outcome::kOk) {
    // The name is free again for another attempt; if not even this works, the
    // first failure is the one to report.
    (void)system.remove(path);
    return outcome;
  }
  writer->reset(new SegmentWriter(system, path, format, std::move(file),
                                  identity, size, format.start_offset));
  return Outcome::kOk;
}

Outcome SegmentWriter::open(FileSystem& system, const std::string& path,
                            const SegmentFormat& format,
                            const OpenOptions& options,
                            std::unique_ptr<SegmentWriter>* writer,
                            Recovery* recovery, Failure* failure) {
  std::unique_ptr<File> file;
  const IoStatus status = system.open(path, OpenMode::kReadWrite, &file);
  if (!status.ok()) return open_failure(status, path, failure);
  FileIdentity identity;
  Outcome outcome = claim(*file, path, &identity, failure);
  if (outcome != Outcome::kOk) return outcome;
  uint64_t size = 0;
  outcome =
      recover(system, *file, path, format, options, &size, recovery, failure);
  if (outcome != Outcome::kOk) {
    OpenFiles::instance().remove(identity);
    return outcome;
  }
  writer->reset(new SegmentWriter(system, path, format, std::move(file),
                                  identity, size, recovery->end_offset));
  return Outcome::kOk;
}

void SegmentWriter::attach(FlushedCells* cells) {
  flushed_ = FlushedOffset(cells);
  flushed_.publish(durable_offset_);
}

Outcome SegmentWriter::refuse(Outcome outcome, uint64_t offset,
                              uint64_t value) {
  failure_ = {outcome, {}, path_, offset, value, ""};
  return outcome;
}

Outcome SegmentWriter::io_failure(const IoStatus& io, uint64_t offset) {
  failure_ = {Outcome::kIo, io, path_, offset, 0, ""};
  return Outcome::kIo;
}

Outcome SegmentWriter::full(uint64_t wanted) {
  return refuse(Outcome::kFull, wanted, remaining());
}

Outcome SegmentWriter::poisoned() {
  const std::lock_guard<std::mutex> lock(sync_mutex_);
  failure_ = {Outcome::kPoisoned, poison_, path_, durable_offset_, 0, ""};
  return Outcome::kPoisoned;
}

Outcome SegmentWriter::poison(const IoStatus& io, uint64_t offset) {
  const std::lock_guard<std::mutex> lock(sync_mutex_);
  if (!is_poisoned_.load(std::memory_order_relaxed)) poison_ = io;
  // Release: a thread that sees it finds the reason, though only under the mutex.
  is_poisoned_.store(true, std::memory_order_release);
  failure_ = {Outcome::kIo, io, path_, offset, 0, ""};
  return Outcome::kIo;
}

Outcome SegmentWriter::append(const uint8_t* header, const uint8_t* data,
                              size_t data_bytes, bool is_compressed,
                              uint64_t* offset) {
  if (is_poisoned_.load(std::memory_order_acquire)) return poisoned();
  const uint32_t header_bytes = format_.header_bytes;
  const uint64_t body = uint64_t{header_bytes} + data_bytes;
  if (body > kBodyBytesMax || kHeadBytes + body > remaining()) {
    return full(kHeadBytes + body);
  }
  Buffer large;
  if (!make_room(kHeadBytes + body, &large)) return refuse_memory();
  return put(header, data, data_bytes, is_compressed, large, offset);
}

bool SegmentWriter::make_room(uint64_t record_bytes, Buffer* large) const {
  return record_bytes <= kBufferBytes ||
         large->try_resize_for_overwrite(static_cast<size_t>(record_bytes));
}

Outcome SegmentWriter::put(const uint8_t* header, const uint8_t* data,
                           size_t data_bytes, bool is_compressed, Buffer& large,
                           uint64_t* offset) {
  const uint32_t header_bytes = format_.header_bytes;
  const size_t body = header_bytes + data_bytes;
  const size_t bytes = kHeadBytes + body;
  if (bytes > kBufferBytes - buffered_) {
    const Outcome outcome = flush();
    if (outcome != Outcome::kOk) return outcome;
  }
  *offset = write_offset();
  const bool is_large = bytes > kBufferBytes;
  uint8_t* const record = is_large ? large.data() : buffer_ + buffered_;
  const auto word = static_cast<uint32_t>(body);
  store_u32(record, is_compressed ? word | kCompressedBit : word);
  uint8_t* const to = record + kHeadBytes;
  if (header_bytes > 0) std::memcpy(to, header, header_bytes);
  if (data_bytes > 0) std::memcpy(to + header_bytes, data, data_bytes);
  codec_.seal(record);
  if (!is_large) {
    buffered_ += bytes;
    CORE_CHECK(buffered_ <= kBufferBytes && write_offset() <= size_);
    return Outcome::kOk;
  }
  CORE_CHECK(buffered_ == 0 && buffer_offset_ + bytes <= size_);
  const IoStatus status = file_->write_at(buffer_offset_, record, bytes);
  if (!status.ok()) return poison(status, buffer_offset_);
  buffer_offset_ += bytes;
  return Outcome::kOk;
}

Outcome SegmentWriter::complete(size_t end) {
  if (is_poisoned_.load(std::memory_order_acquire)) return poisoned();
  if (end < buffered_ || end > kBufferBytes) {
    return refuse(Outcome::kOutOfRange, end, kBufferBytes);
  }
  if (end - buffered_ > remaining()) return full(end - buffered_);
  for (size_t at = buffered_; at < end;) {
    uint8_t* const record = buffer_ + at;
    const Verdict verdict = codec_.classify_head(record, end - at);
    // An empty record has no checksum yet, and looks like the end.
    const bool is_empty = verdict == Verdict::kEnd && end - at >= kHeadBytes;
    if (verdict != Verdict::kRecord &&
        !(is_empty && format_.header_bytes == 0)) {
      return refuse(Outcome::kOutOfRange, at, end);
    }
    at += static_cast<size_t>(record_bytes_of(load_u32(record)));
    CORE_CHECK(at <= end);
  }
  codec_.seal_all(buffer_ + buffered_, end - buffered_);
  buffered_ = end;
  CORE_CHECK(write_offset() <= size_);
  return Outcome::kOk;
}

Outcome SegmentWriter::append_packed(const uint8_t* bytes,
                                     const uint32_t* lengths, size_t count,
                                     uint64_t* offset) {
  if (is_poisoned_.load(std::memory_order_acquire)) return poisoned();
  uint64_t total = 0;
  uint32_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    if (lengths[i] < format_.header_bytes || lengths[i] > kBodyBytesMax) {
      return refuse(Outcome::kOutOfRange, i, lengths[i]);
    }
    total += kHeadBytes + uint64_t{lengths[i]};
    largest = std::max(largest, lengths[i]);
  }
  if (total > remaining()) return full(total);
  // Before the first of them is appended.
  Buffer large;
  if (!make_room(kHeadBytes + uint64_t{largest}, &large)) {
    return refuse_memory();
  }
  const uint64_t first = write_offset();
  const uint32_t header = format_.header_bytes;
  for (size_t i = 0; i < count;) {
    // As put(), but all that the buffer has room for in one go: these are many
    // and short.
    const size_t begin = buffered_;
    for (; i < count &&
           kHeadBytes + uint64_t{lengths[i]} <= kBufferBytes - buffered_;
         ++i) {
      const uint32_t length = lengths[i];
      uint8_t* const record = buffer_ + buffered_;
      store_u32(record, length);
      if (length > 0) std::memcpy(record + kHeadBytes, bytes, length);
      bytes += length;
      buffered_ += kHeadBytes + length;
    }
    codec_.seal_all(buffer_ + begin, buffered_ - begin);
    if (i == count) break;
    const uint32_t length = lengths[i++];
    uint64_t ignored = 0;
    const Outcome outcome =
        put(bytes, bytes + header, length - header, false, large, &ignored);
    if (outcome != Outcome::kOk) return outcome;
    bytes += length;
  }
  CORE_CHECK(write_offset() == first + total);
  *offset = first;
  return Outcome::kOk;
}

Outcome SegmentWriter::flush() {
  if (is_poisoned_.load(std::memory_order_acquire)) return poisoned();
  if (buffered_ == 0) return Outcome::kOk;
  CORE_CHECK(buffered_ <= kBufferBytes && write_offset() <= size_);
  const IoStatus status = file_->write_at(buffer_offset_, buffer_, buffered_);
  // What could not be written is dropped: nothing is written any more.
  const size_t bytes = std::exchange(buffered_, 0);
  if (!status.ok()) return poison(status, buffer_offset_);
  buffer_offset_ += bytes;
  return Outcome::kOk;
}

Outcome SegmentWriter::begin_sync(SyncTicket* ticket) {
  const Outcome outcome = flush();
  *ticket = {buffer_offset_, truncations_};
  return outcome;
}

Outcome SegmentWriter::sync_file() {
  const std::lock_guard<std::mutex> lock(sync_mutex_);
  if (is_poisoned_.load(std::memory_order_relaxed)) return Outcome::kPoisoned;
  const IoStatus status = file_->sync_data();
  if (status.ok()) return Outcome::kOk;
  CORE_CHECK(!status.ok());
  poison_ = status;
  // Release: pairs with the owner's acquire loads.
  is_poisoned_.store(true, std::memory_order_release);
  return Outcome::kIo;
}

Outcome SegmentWriter::finish_sync(const SyncTicket& ticket, Outcome synced,
                                   uint64_t* flushed_offset) {
  if (synced != Outcome::kOk) {
    const std::lock_guard<std::mutex> lock(sync_mutex_);
    failure_ = {synced, poison_, path_, durable_offset_, 0, ""};
    return synced;
  }
  // Offsets from before a truncation mean other records now, and the truncation
  // was a sync itself.
  CORE_CHECK(ticket.truncations <= truncations_);
  if (ticket.truncations == truncations_) advance(ticket.offset);
  *flushed_offset = durable_offset_;
  return Outcome::kOk;
}

Outcome SegmentWriter::sync(uint64_t* flushed_offset) {
  SyncTicket ticket;
  const Outcome outcome = begin_sync(&ticket);
  if (outcome != Outcome::kOk) return outcome;
  return finish_sync(ticket, sync_file(), flushed_offset);
}

void SegmentWriter::advance(uint64_t offset) {
  CORE_CHECK(offset <= buffer_offset_ && durable_offset_ <= buffer_offset_);
  if (offset <= durable_offset_) return;
  durable_offset_ = offset;
  flushed_.publish(offset);
}

Outcome SegmentWriter::read_application_header(uint8_t* bytes) {
  size_t read = 0;
  const IoStatus status = file_->read_at(
      0, bytes, static_cast<size_t>(format_.start_offset), &read);
  return status.ok() ? Outcome::kOk : io_failure(status, 0);
}

Outcome SegmentWriter::write_application_header(uint64_t at,
                                                const uint8_t* bytes,
                                                size_t count) {
  if (is_poisoned_.load(std::memory_order_acquire)) return poisoned();
  if (at > format_.start_offset || count > format_.start_offset - at) {
    return refuse(Outcome::kOutOfRange, at + count, format_.start_offset);
  }
  const IoStatus status = file_->write_at(at, bytes, count);
  return status.ok() ? Outcome::kOk : poison(status, at);
}

}  // namespace atomic_log::durable
