// For engines whose ArrayBuffers show their own memory only: the pages of a
// file that have the blocks of a log, or the copies of one that is only read.
#include <algorithm>

#include "core/platform/memory.h"
#include "core/shared_memory/segment_copies.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::shared_memory {

platform::IoStatus CopyFile::make(const SharedFormat& format,
                                  CopyFile* copies) {
  const uint64_t block_bytes = format.layout.block_bytes();
  // A window that is too large for an engine is refused later, by the engine.
  const uint64_t needed = uint64_t{format.retained_segments} * block_bytes;
  const uint64_t wanted = std::min(kWindowsInFile * needed, kBytesMax);
  const uint64_t bytes = platform::whole_pages(std::max(needed, wanted));
  const platform::IoStatus io =
      platform::SharedFile::create_unnamed(bytes, &copies->file);
  return io.ok() ? copies->file->map(bytes, &copies->mapping) : io;
}

SharedLog::ShownPages SharedLog::shown_pages() const {
  if (copies_ != nullptr) {
    const auto& mapping = copies_->file().mapping;
    return {0, mapping == nullptr ? 0 : mapping->bytes(), 0};
  }
  const uint64_t block_at = format_.data_offset % platform::page_bytes();
  const uint64_t offset = format_.data_offset - block_at;
  return {offset, platform::whole_pages(format_.stamps_offset - offset),
          block_at};
}

platform::IoStatus SharedLog::lay_over(
    void* memory, std::unique_ptr<platform::SharedMapping>* over) {
  const ShownPages pages = shown_pages();
  platform::SharedFile* const file =
      copies_ != nullptr ? copies_->file().file.get() : file_.get();
  if (pages.bytes == 0) return {platform::IoCode::kUnsupported, 0, "mmap"};
  return file->map_over(pages.offset, memory, pages.bytes, over);
}

}  // namespace atomic_log::shared_memory
