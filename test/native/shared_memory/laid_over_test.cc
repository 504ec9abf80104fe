// Logs, and copies of them, in place of memory that someone else has.
#if defined(__linux__)

#include <memory>

#include "core/platform/memory.h"
#include "core/shared_memory/shared_log.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log;
using namespace atomic_log::test;

namespace {

void unpin_all(SharedLog& log, List<PinnedBlock>* pinned) {
  for (const PinnedBlock& segment : *pinned) {
    log.unpin(segment.block, segment.sequence);
  }
  pinned->clear();
}

// As an engine has it that shows its own memory only.
struct EngineMemory {
  explicit EngineMemory(SharedLog& log)
      : bytes(log.shown_pages().bytes),
        data(static_cast<char*>(platform::map_pages(bytes))) {
    REQUIRE(bytes % platform::page_bytes() == 0);
    REQUIRE(log.lay_over(data, &over).ok());
  }
  ~EngineMemory() {
    over.reset();
    platform::unmap_pages(data, bytes);
  }
  const uint64_t* column(SharedLog& log, uint32_t block) const {
    return reinterpret_cast<const uint64_t*>(
        data + log.shown_pages().block_at +
        block * log.format().layout.block_bytes() +
        log.format().layout.column_offsets()[0]);
  }

  const uint64_t bytes;
  char* const data;
  std::unique_ptr<platform::SharedMapping> over;
};

}  // namespace

TEST_CASE("laid over: copies in a file are laid over other memory") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  REQUIRE(claim(*log));
  for (int i = 0; i < 10; ++i) REQUIRE(append(*log) == Status::kOk);
  const auto reader =
      open_log(directory.file(), {}, SharedOpenMode::kReadOnlyInFile);
  REQUIRE(reader != nullptr);
  const EngineMemory memory(*reader);
  List<PinnedBlock> pinned;
  REQUIRE(reader->pin_window(0, &pinned) == SharedOutcome::kOk);
  uint64_t index = pinned.front().first_index;
  for (const PinnedBlock& segment : pinned) {
    for (uint32_t i = 0; i < segment.count; ++i) {
      CHECK(memory.column(*reader, segment.block)[i] == index++);
    }
  }
  CHECK(index == 10);
  unpin_all(*reader, &pinned);
  log->release_claim();
}

TEST_CASE("laid over: a file has room for some windows of copies") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  REQUIRE(claim(*log));
  const auto reader =
      open_log(directory.file(), {}, SharedOpenMode::kReadOnlyInFile);
  List<PinnedBlock> pinned;
  SharedOutcome outcome = SharedOutcome::kOk;
  // A page has room for more than eight windows of such short blocks.
  const size_t most =
      reader->shown_pages().bytes / reader->format().layout.block_bytes();
  for (size_t i = 0; outcome == SharedOutcome::kOk && i <= most; ++i) {
    for (int j = 0; j < 4; ++j) REQUIRE(append(*log) == Status::kOk);
    outcome = reader->pin_window(0, &pinned);
  }
  CHECK(outcome == SharedOutcome::kNoMemory);
  unpin_all(*reader, &pinned);
  REQUIRE(append(*log) == Status::kOk);
  CHECK(reader->pin_window(0, &pinned) == SharedOutcome::kOk);
  unpin_all(*reader, &pinned);
  log->release_claim();
}

TEST_CASE("laid over: copies in no file are laid over nothing") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  const auto reader = open_log(directory.file(), {}, SharedOpenMode::kReadOnly);
  CHECK(reader->shown_pages().bytes == 0);
  std::unique_ptr<platform::SharedMapping> over;
  CHECK(reader->lay_over(nullptr, &over).code ==
        platform::IoCode::kUnsupported);
}

TEST_CASE(
    "shared log: its blocks are laid over other memory, and nothing else of "
    "it") {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.file());
  REQUIRE(claim(*log));
  for (int i = 0; i < 3; ++i) REQUIRE(append(*log) == Status::kOk);
  const EngineMemory memory(*log);
  CHECK(memory.column(*log, 0)[2] == 2);
  REQUIRE(append(*log) == Status::kOk);
  CHECK(memory.column(*log, 0)[3] == 3);
  const SharedLog::ShownPages pages = log->shown_pages();
  CHECK(pages.offset + pages.block_at == log->format().data_offset);
  CHECK(pages.offset + pages.bytes >= log->format().stamps_offset);
  log->release_claim();
}

#endif  // defined(__linux__)
