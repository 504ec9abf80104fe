// The one writer of a segment file.
//
//  1. The file's length never changes: its space is secured when it is created,
//     and truncation only moves the end of the log.
//  2. After the end of the log all bytes of the file are zero, on disk too,
//     except those of appends that were not synced yet.
//  3. An append is durable when a sync() that began after it has returned kOk,
//     and only then the flushed offset covers it.
//  4. After a write or a sync has failed the writer is poisoned: nothing is
//     written any more, the flushed offset stays. What is on disk is found out
//     by opening the file again.
//  5. start offset <= flushed offset <= write offset <= length of the file; the
//     buffer, memory of the owner's, holds complete records: what is before the
//     write offset and the system has not got.
//  6. The file is locked against other writers for as long as the writer lives.
//  7. Where the system refuses memory (kIo with kNoMemory), or a descriptor,
//     nothing was done and the writer can go on.
//
// One thread at a time, the owner's; except sync_file(), which may run on one
// other thread between begin_sync() and finish_sync().
#ifndef ATOMIC_LOG_CORE_DURABLE_SEGMENT_WRITER_H_
#define ATOMIC_LOG_CORE_DURABLE_SEGMENT_WRITER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "core/base/list.h"
#include "core/durable/outcome.h"
#include "core/durable/record_format.h"
#include "core/durable/redo_file.h"
#include "core/durable/segment/flushed_offset.h"
#include "core/durable/segment/segment_recovery.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

class SegmentWriter {
 public:
  // What is appended is collected in this many bytes of the owner's. A write
  // that does not end with a page costs Linux as much as tens of KiB more, so
  // there should be few of them.
  static constexpr size_t kBufferBytes = size_t{1} << 18;

  // Makes a file of `size` bytes that must not be there yet, and its name
  // durable. kFormat when `size` leaves no room after the start offset.
  static Outcome create(platform::FileSystem& system, const std::string& path,
                        const SegmentFormat& format, uint64_t size,
                        std::unique_ptr<SegmentWriter>* writer,
                        Failure* failure);

  // Opens a file as segment_recovery.h says.
  static Outcome open(platform::FileSystem& system, const std::string& path,
                      const SegmentFormat& format, const OpenOptions& options,
                      std::unique_ptr<SegmentWriter>* writer,
                      Recovery* recovery, Failure* failure);

  // Releases the lock; what was not flushed is dropped.
  ~SegmentWriter();

  // From here on the cells say what is durable.
  void attach(FlushedCells* cells);
  // Has appends collected there. To be called once, before the first.
  void collect_in(uint8_t* buffer) { buffer_ = buffer; }
  // The cells and the buffer may go away: no call but the destructor follows,
  // and a sync_file() that runs.
  void detach() {
    flushed_ = FlushedOffset();
    buffer_ = nullptr;
    buffered_ = 0;
  }

  // Appends one record to the buffer. `header` has header_bytes of the format;
  // compressed data is as compression.h makes it. *offset is the record's.
  // kFull when the file has no room for it.
  Outcome append(const uint8_t* header, const uint8_t* data, size_t bytes,
                 bool is_compressed, uint64_t* offset);

  // Appends records that the owner has put into the buffer itself, from
  // buffered() to `end`: each begins with the length of what comes after its
  // head, and the rest of the head is filled in here.
  Outcome complete(size_t end);

  // Appends count records; record i is the next lengths[i] bytes, header
  // included. All or none: kFull when they do not fit.
  Outcome append_packed(const uint8_t* bytes, const uint32_t* lengths,
                        size_t count, uint64_t* offset);

  // Hands everything to the system: a process that is killed loses nothing.
  Outcome flush();

  // flush(), then to the disk. *flushed_offset is what is durable then.
  Outcome sync(uint64_t* flushed_offset);

  // The same in three steps, the second on any thread.
  struct SyncTicket {
    uint64_t offset = 0;
    uint64_t truncations = 0;
  };
  Outcome begin_sync(SyncTicket* ticket);
  Outcome sync_file();
  // With what sync_file() has returned.
  Outcome finish_sync(const SyncTicket& ticket, Outcome synced,
                      uint64_t* flushed_offset);

  // Ends the log at `offset`, where a record begins or the log ends, durably:
  // what is cut off never comes back.
  Outcome set_length(uint64_t offset);

  // Replaces the header of the record at `offset`, durably.
  Outcome replace_header(uint64_t offset, const uint8_t* header);

  // The bytes before the start offset, the application's own.
  Outcome read_application_header(uint8_t* bytes);
  // Durable with the next sync.
  Outcome write_application_header(uint64_t at, const uint8_t* bytes,
                                   size_t count);

  const SegmentFormat& format() const { return format_; }
  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  uint64_t write_offset() const { return buffer_offset_ + buffered_; }
  // How far the buffer is filled with records.
  size_t buffered() const { return buffered_; }
  uint64_t remaining() const { return size_ - write_offset(); }
  uint64_t flushed_offset() const { return durable_offset_; }
  // Of the last operation that did not return kOk.
  const Failure& failure() const { return failure_; }
  // The system has refused memory to the caller: as if it had done so here.
  Outcome refuse_memory() {
    return io_failure(platform::kNoMemory, write_offset());
  }
  // For a reader on the same file.
  const std::shared_ptr<platform::File>& file() const { return file_; }

 private:
  SegmentWriter(platform::FileSystem& system, std::string path,
                const SegmentFormat& format,
                std::shared_ptr<platform::File> file,
                const platform::FileIdentity& identity, uint64_t size,
                uint64_t end_offset);

  Outcome full(uint64_t wanted);
  Outcome poisoned();
  Outcome poison(const platform::IoStatus& io, uint64_t offset);
  Outcome refuse(Outcome outcome, uint64_t offset, uint64_t value);
  // What put() needs for a record that the buffer is too small for.
  bool make_room(uint64_t record_bytes, Buffer* large) const;
  // Appends one record, for which there is room in the file.
  Outcome put(const uint8_t* header, const uint8_t* data, size_t bytes,
              bool is_compressed, Buffer& large, uint64_t* offset);
  // Nothing was done.
  Outcome io_failure(const platform::IoStatus& io, uint64_t offset);
  // Whether an intact record begins at `offset`, below the end; *length_word is
  // its own then.
  Outcome find_record(uint64_t offset, uint32_t* length_word);
  platform::IoStatus cut_off(uint64_t offset, uint64_t end);
  Outcome change_in_place(const RedoChange& change);
  void advance(uint64_t offset);

  // Immutable after construction.
  platform::FileSystem& system_;
  const std::string path_;
  const SegmentFormat format_;
  const RecordCodec codec_;
  const std::shared_ptr<platform::File> file_;
  const platform::FileIdentity identity_;
  const uint64_t size_;

  // Owner only.
  Failure failure_;
  FlushedOffset flushed_;
  uint64_t durable_offset_;
  uint64_t truncations_ = 0;
  // Records that the system does not have yet, and their place in the file.
  uint8_t* buffer_ = nullptr;
  uint64_t buffer_offset_;
  size_t buffered_ = 0;

  // Shared with the thread of sync_file(). One sync at a time: the system
  // reports an error to one of those that wait for it.
  std::mutex sync_mutex_;
  // Written under sync_mutex_, or by the owner.
  std::atomic<bool> is_poisoned_{false};
  // Guarded by sync_mutex_: why.
  platform::IoStatus poison_;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_SEGMENT_WRITER_H_
