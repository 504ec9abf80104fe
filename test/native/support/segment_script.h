// Scripts of operations on a segment file, and what may be on the disk when they
// were cut: for the tests of crashes and of faults.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_SEGMENT_SCRIPT_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_SEGMENT_SCRIPT_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/segment_fixture.h"

namespace atomic_log::test {

// Records cross sectors, headers too; the file is small, so that the tail is
// never far.
constexpr durable::SegmentFormat kScriptFormat{40, 8, Crc32Kind::kCastagnoli};
constexpr uint64_t kScriptSize = 8192;

using Records = std::vector<Stored>;

// What must and what may be found after a crash.
struct Expectation {
  bool must_exist = false;
  // Records that were acknowledged, or a sync would have: at least so many of
  // `now` must be found.
  size_t durable = 0;
  Records now;
  // Of a record whose header is being replaced: the one before.
  size_t replaced = SIZE_MAX;
  Stored before;
  // Of a truncation under way: the records before it. A beginning of them with
  // at least `durable` may be found too.
  Records untruncated;
};

bool is_allowed(const Records& found, const Expectation& expectation);

// Runs operations on a disk. Letters:
//   a, A  append a short, a long record      s  sync
//   b  append one such that the next header crosses a sector
//   t  truncate to the last record but two   T  truncate to the start
//   h  replace the header of the last record, H of the first
//   o  close (no sync) and open
class SegmentScript {
 public:
  explicit SegmentScript(SimulatedFileSystem& disk) : disk_(disk) {}

  bool create();
  // False when it failed: then nothing but take_back() may follow, where
  // the writer says that it did nothing.
  bool perform(char step);
  // Creates the file, and performs each, up to one that fails.
  void run(const std::string& steps);
  // The step that failed has changed nothing.
  void take_back();
  // As the end of the process does.
  void drop() { writer_.reset(); }

  durable::SegmentWriter* writer() { return writer_.get(); }
  const Expectation& expectation() const { return expectation_; }

 private:
  bool append(size_t bytes);
  bool sync();
  bool truncate(size_t kept);
  bool replace(size_t which);
  bool reopen();

  SimulatedFileSystem& disk_;
  Expectation expectation_;
  std::unique_ptr<uint8_t[]> buffer_;
  std::unique_ptr<durable::SegmentWriter> writer_;
  std::vector<uint64_t> offsets_;
  uint32_t serial_ = 0;
};

// What the script's records on a disk are, read independently.
Records records_on(const SimulatedFileSystem& disk);

// Opens as an application does after a crash; discards only a first record.
Opened open_after_crash(SimulatedFileSystem& disk);

// Empty, or what is wrong with a disk that a crash has left.
std::string check_disk(SimulatedFileSystem& disk,
                       const Expectation& expectation, std::mt19937& random);

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_SEGMENT_SCRIPT_H_
