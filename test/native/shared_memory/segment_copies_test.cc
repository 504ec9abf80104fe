#if defined(__linux__)

#include "core/shared_memory/segment_copies.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "support/faults.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log;
using namespace atomic_log::test;
using shared_memory::SharedFormat;

namespace {

std::shared_ptr<SharedLog> open_read_only(const std::string& path) {
  return open_log(path, {}, SharedOpenMode::kReadOnly);
}

const uint64_t* shown_column(SharedLog& log, uint32_t block, size_t column) {
  return reinterpret_cast<const uint64_t*>(
      log.shown(block).data + log.format().layout.column_offsets()[column]);
}

// As is_right() of the fixture, for copies.
bool are_right(SharedLog& log, const List<PinnedBlock>& pinned, uint64_t* end) {
  if (pinned.empty()) return false;
  *end = pinned.front().first_index;
  for (const PinnedBlock& segment : pinned) {
    if (segment.first_index != *end) return false;
    for (uint32_t i = 0; i < segment.count; ++i) {
      if (shown_column(log, segment.block, 0)[i] != *end + i ||
          shown_column(log, segment.block, 1)[i] != entry_of(*end + i)) {
        return false;
      }
    }
    *end += segment.count;
  }
  return true;
}

// The entries that a copy has; no one reads on from them (kSealBit).
uint32_t copied(SharedLog& log, const PinnedBlock& pinned) {
  const uint32_t word = reinterpret_cast<const memory::PublishedWord*>(
                            log.shown(pinned.block).data)
                            ->acquire();
  CHECK(memory::PublishedWord::is_sealed(word));
  return memory::PublishedWord::count_of(word);
}

void unpin_all(SharedLog& log, List<PinnedBlock>* pinned) {
  for (const PinnedBlock& segment : *pinned) {
    log.unpin(segment.block, segment.sequence);
  }
  pinned->clear();
}

// Bytes of the file, read from its beginning to its end.
void copy_file(const std::string& from, const std::string& to) {
  const int source = open(from.c_str(), O_RDONLY);
  const int target = open(to.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
  char bytes[512];
  for (ssize_t read; (read = ::read(source, bytes, sizeof(bytes))) > 0;) {
    REQUIRE(write(target, bytes, static_cast<size_t>(read)) == read);
  }
  close(source);
  close(target);
}

}  // namespace

TEST_CASE("segment copies: what is published is read, and nothing is changed") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options();
  options.readers_max = 1;
  const auto log = open_log(path, options);
  REQUIRE(claim(*log));
  for (int i = 0; i < 30; ++i) REQUIRE(append(*log) == Status::kOk);
  REQUIRE(chmod(path.c_str(), 0400) == 0);
  // No slot is free.
  const auto reader = open_read_only(path);
  REQUIRE(reader != nullptr);
  CHECK(reader->is_read_only());
  CHECK(reader != log);
  CHECK(open_read_only(path) == reader);
  CHECK(SharedLog::find(reader->id(), reader->token()) == reader);
  CHECK(reader->is_claimed());
  CHECK_FALSE(claim(*reader));
  REQUIRE(reader->living_slots().size() == 1);
  CHECK(reader->living_slots()[0].slot == 0);
  CHECK(reader->living_slots()[0].pinned == 0);

  List<PinnedBlock> pinned;
  uint64_t end = 0;
  REQUIRE(reader->pin_window(0, &pinned) == SharedOutcome::kOk);
  CHECK(are_right(*reader, pinned, &end));
  CHECK(end == 30);
  CHECK(pinned.size() == log->format().retained_segments);

  // The copies stay as they are while the writer laps them.
  List<PinnedBlock> first = std::move(pinned);
  for (int i = 0; i < 100; ++i) REQUIRE(append(*log) == Status::kOk);
  CHECK(are_right(*reader, first, &end));
  CHECK(end == 30);
  REQUIRE(reader->pin_window(0, &pinned) == SharedOutcome::kOk);
  CHECK(are_right(*reader, pinned, &end));
  CHECK(end == 130);
  unpin_all(*reader, &pinned);
  unpin_all(*reader, &first);
}

TEST_CASE("segment copies: where memory is refused, nothing is pinned") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options();
  options.retained_capacity = 60;
  const auto log = open_log(path, options);
  REQUIRE(claim(*log));
  for (int i = 0; i < 100; ++i) REQUIRE(append(*log) == Status::kOk);
  SharedOutcome outcome = SharedOutcome::kNoMemory;
  int64_t granted = 0;
  for (; outcome != SharedOutcome::kOk; ++granted) {
    // None of its copies is there yet.
    const auto reader = open_read_only(path);
    List<PinnedBlock> pinned;
    refuse_memory_after(granted);
    outcome = reader->pin_window(0, &pinned);
    const bool was_met = refuse_memory_after(-1) < 0;
    if (outcome == SharedOutcome::kOk) {
      CHECK_FALSE(was_met);
    } else {
      CHECK(outcome == SharedOutcome::kNoMemory);
      CHECK(was_met);
      CHECK(pinned.empty());
      REQUIRE(reader->pin_window(0, &pinned) == SharedOutcome::kOk);
    }
    CHECK(pinned.size() == log->format().retained_segments);
    uint64_t end = 0;
    CHECK(are_right(*reader, pinned, &end));
    CHECK(end == 100);
    unpin_all(*reader, &pinned);
  }
  // The list, three lists of copies that grow, and each copy.
  CHECK(granted > log->format().retained_segments);
}

TEST_CASE(
    "segment copies: the head's copy grows, and a lapped one stays short") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path);
  REQUIRE(claim(*log));
  REQUIRE(append(*log) == Status::kOk);
  const auto reader = open_read_only(path);
  List<PinnedBlock> head;
  REQUIRE(reader->pin_window(0, &head) == SharedOutcome::kOk);
  REQUIRE(head.size() == 1);
  REQUIRE(append(*log) == Status::kOk);
  reader->catch_up();
  CHECK(copied(*reader, head[0]) == 2);
  // Completed by the one who asks for its successor.
  for (int i = 2; i < 5; ++i) REQUIRE(append(*log) == Status::kOk);
  List<PinnedBlock> next;
  REQUIRE(reader->pin_window(1, &next) == SharedOutcome::kOk);
  REQUIRE(next.size() == 1);
  CHECK(next[0].sequence == 1);
  CHECK(copied(*reader, head[0]) == 4);
  CHECK(shown_column(*reader, head[0].block, 1)[3] == entry_of(3));
  // Segment 1 has one of its entries here when it leaves the window. Who asks for
  // what follows finds that by its count, and has all of the window nevertheless.
  while (log->cursor().sequence < 4) REQUIRE(append(*log) == Status::kOk);
  List<PinnedBlock> later;
  REQUIRE(reader->pin_window(2, &later) == SharedOutcome::kOk);
  REQUIRE(later.size() == 3);
  CHECK(later[0].sequence == 2);
  CHECK(later[0].first_index == 8);
  CHECK(copied(*reader, next[0]) == 1);
  for (auto* const pinned : {&head, &next, &later}) unpin_all(*reader, pinned);
}

// A stray process can say of one block that it is any segment, and the newest.
TEST_CASE("segment copies: a head that jumps takes no more than a window") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path);
  REQUIRE(claim(*log));
  REQUIRE(append(*log) == Status::kOk);
  const auto reader = open_read_only(path);
  const SharedFormat& format = log->format();
  const uint64_t retained = format.retained_segments;
  const auto store = [&](uint64_t offset, auto value) {
    std::memcpy(log->mapping()->data() + offset, &value, sizeof(value));
  };
  std::minstd_rand random;
  uint32_t copies = 0;
  const auto read_head = [&](uint64_t sequence) {
    store(format.ring_offset + sequence % retained * 4, uint32_t{0});
    store(format.table_offset, sequence);
    store(format.stamps_offset, sequence);
    store(format.control_offset + shared_memory::kHeadOffset, sequence);
    List<PinnedBlock> pinned;
    // One alone is short of a window.
    REQUIRE(reader->pin_window(sequence, &pinned) == SharedOutcome::kOk);
    REQUIRE(pinned.size() == 1);
    copies = std::max(copies, pinned[0].block + 1);
    unpin_all(*reader, &pinned);
  };
  for (uint64_t i = 0; i < 500; ++i) read_head(1'000'000 - i);
  for (uint64_t i = 0; i < 500; ++i) read_head(2'000'000 - i * 2 * retained);
  for (uint64_t i = 0; i < 500; ++i) read_head(random() % 1'000'000);
  CHECK(copies <= retained);
}

TEST_CASE("segment copies: never wrong while a writer goes round") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path);
  const auto reader = open_read_only(path);
  std::atomic<bool> is_over{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      uint64_t floor = 0;
      uint64_t last_end = 0;
      List<PinnedBlock> held;
      while (!is_over.load()) {
        List<PinnedBlock> pinned;
        if (reader->pin_window(floor, &pinned) != SharedOutcome::kOk) ++wrong;
        uint64_t end = 0;
        if (!pinned.empty() && !are_right(*reader, pinned, &end)) ++wrong;
        if (!pinned.empty() && end < last_end) ++wrong;
        // Those that follow what is held continue it, unless it is short.
        if (!pinned.empty() && !held.empty() &&
            pinned[0].sequence == held.back().sequence + 1) {
          PinnedBlock& last = held.back();
          last.count = static_cast<uint32_t>(std::min<uint64_t>(
              pinned[0].first_index - last.first_index, copied(*reader, last)));
          if (!are_right(*reader, held, &end)) ++wrong;
          if (end > pinned[0].first_index) ++wrong;
        }
        if (!pinned.empty()) {
          last_end = end;
          unpin_all(*reader, &held);
          held = std::move(pinned);
          floor = held.back().sequence + 1;
        }
        reader->catch_up();
      }
      unpin_all(*reader, &held);
    });
  }
  REQUIRE(claim(*log));
  for (int i = 0; i < 60'000; ++i) REQUIRE(append(*log) == Status::kOk);
  is_over = true;
  for (std::thread& thread : readers) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE(
    "segment copies: a copy of the file that was made meanwhile is right or "
    "refused") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options(3);
  options.retained_capacity = 64;
  open_log(path, options);
  const pid_t writer = in_child([&] {
    const auto log = open_log(path, {}, SharedOpenMode::kJoin);
    if (!claim(*log)) return 1;
    while (append(*log) == Status::kOk) {
    }
    return 2;
  });
  int read = 0;
  int refused = 0;
  for (int i = 0; i < 150; ++i) {
    const std::string copy = directory.file("copy");
    copy_file(path, copy);
    for (const auto mode : {SharedOpenMode::kReadOnly, SharedOpenMode::kJoin}) {
      const auto log = open_log(copy, {}, mode);
      REQUIRE(log != nullptr);
      List<PinnedBlock> pinned;
      const SharedOutcome outcome = log->pin_window(0, &pinned);
      if (outcome == SharedOutcome::kDamaged) {
        ++refused;
        continue;
      }
      REQUIRE(outcome == SharedOutcome::kOk);
      uint64_t end = 0;
      CHECK(are_right(*log, pinned, &end));
      unpin_all(*log, &pinned);
      ++read;
    }
  }
  kill_child(writer);
  MESSAGE("read " << read << ", refused " << refused);
  CHECK(read + refused == 300);
}

TEST_CASE("segment copies: whatever stands in the file leads nowhere") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options();
  options.data_bytes = {100};
  const auto log = open_log(path, options);
  REQUIRE(claim(*log));
  for (int i = 0; i < 30; ++i) REQUIRE(append(*log) == Status::kOk);
  const SharedFormat& format = log->format();
  const auto reader = open_read_only(path);
  const int file = open(path.c_str(), O_RDWR);
  auto* const bytes = static_cast<char*>(mmap(
      nullptr, format.file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  REQUIRE(bytes != MAP_FAILED);
  const std::vector<char> good(bytes, bytes + format.file_bytes);
  std::mt19937_64 random(1);
  List<PinnedBlock> held;
  for (int round = 0; round < 3000; ++round) {
    for (int store = 0; store < 3; ++store) {
      const uint64_t at =
          format.control_offset +
          random() % (format.file_bytes - format.control_offset) / 8 * 8;
      const uint64_t value = random() % 3 == 0   ? random()
                             : random() % 2 == 0 ? random() % 64
                                                 : UINT64_MAX - random() % 4;
      std::memcpy(bytes + std::min(at, format.file_bytes - 8), &value, 8);
    }
    List<PinnedBlock> pinned;
    reader->catch_up();
    memory::WindowBounds bounds = {};
    (void)reader->bounds(&bounds);
    (void)reader->stats();
    if (reader->pin_window(random() % 12, &pinned) == SharedOutcome::kOk) {
      for (const PinnedBlock& segment : pinned) {
        CHECK(segment.count <= format.options.segment_capacity);
        (void)shown_column(*reader, segment.block, 1)[0];
      }
    }
    unpin_all(*reader, &held);
    held = std::move(pinned);
    if (round % 20 == 19) std::memcpy(bytes, good.data(), good.size());
  }
  unpin_all(*reader, &held);
  munmap(bytes, format.file_bytes);
  close(file);
}

#endif  // defined(__linux__)
