#include "support/segment_script.h"

#include <algorithm>
#include <cstddef>

namespace atomic_log::test {

using durable::OpenOptions;
using durable::Outcome;
using Fault = SimulatedFileSystem::Fault;
using Disk = std::unique_ptr<SimulatedFileSystem>;

bool is_allowed(const Records& found, const Expectation& expectation) {
  const auto is_beginning = [&](const Records& of, const Records& whole) {
    if (of.size() > whole.size()) return false;
    for (size_t i = 0; i < of.size(); ++i) {
      const bool is_old =
          i == expectation.replaced && of[i] == expectation.before;
      if (of[i] != whole[i] && !is_old) return false;
    }
    return true;
  };
  if (found.size() < expectation.durable) return false;
  return is_beginning(found, expectation.now) ||
         is_beginning(found, expectation.untruncated);
}

bool SegmentScript::create() {
  Opened opened = create_segment(disk_, kScriptFormat, kScriptSize);
  if (opened.outcome != Outcome::kOk) return false;
  expectation_.must_exist = true;
  writer_ = std::move(opened.writer);
  buffer_ = std::move(opened.buffer);
  return true;
}

void SegmentScript::run(const std::string& steps) {
  bool is_up = create();
  for (size_t i = 0; is_up && i < steps.size(); ++i) is_up = perform(steps[i]);
  drop();
}

void SegmentScript::take_back() {
  if (!expectation_.untruncated.empty()) {
    expectation_.now = std::move(expectation_.untruncated);
    expectation_.untruncated.clear();
  }
  if (expectation_.replaced != SIZE_MAX) {
    expectation_.now[expectation_.replaced] = expectation_.before;
    expectation_.replaced = SIZE_MAX;
  }
}

bool SegmentScript::perform(char step) {
  switch (step) {
    case 'a':
      return append(30 + 17 * (serial_ % 7));
    case 'A':
      return append(900);
    case 'b':
      return append((1015 - (writer_->write_offset() + 15) % 512) % 512);
    case 's':
      return sync();
    case 't':
      return truncate(std::max<size_t>(expectation_.now.size(), 2) - 2);
    case 'T':
      return truncate(0);
    case 'h':
      return replace(expectation_.now.size() - 1);
    case 'H':
      return replace(0);
    default:
      return reopen();
  }
}

bool SegmentScript::append(size_t bytes) {
  ++serial_;
  const Stored record{payload(serial_, 8), payload(serial_ + 7, bytes)};
  expectation_.now.push_back(record);
  uint64_t offset = 0;
  if (append_record(*writer_, record, &offset) != Outcome::kOk) return false;
  offsets_.push_back(offset);
  // Half of the time the system gets it before the next sync.
  return serial_ % 2 == 0 || writer_->flush() == Outcome::kOk;
}

bool SegmentScript::sync() {
  uint64_t flushed = 0;
  if (writer_->sync(&flushed) != Outcome::kOk) return false;
  expectation_.durable = expectation_.now.size();
  return true;
}

bool SegmentScript::truncate(size_t kept) {
  if (kept >= expectation_.now.size()) return true;
  expectation_.untruncated = expectation_.now;
  expectation_.now.resize(kept);
  expectation_.durable = std::min(expectation_.durable, kept);
  if (writer_->set_length(offsets_[kept]) != Outcome::kOk) return false;
  offsets_.resize(kept);
  expectation_.untruncated.clear();
  expectation_.durable = kept;
  return true;
}

bool SegmentScript::replace(size_t which) {
  if (which >= expectation_.now.size()) return true;
  ++serial_;
  expectation_.replaced = which;
  expectation_.before = expectation_.now[which];
  expectation_.now[which].header = payload(serial_, 8);
  if (writer_->replace_header(offsets_[which],
                              expectation_.now[which].header.data()) !=
      Outcome::kOk) {
    return false;
  }
  expectation_.replaced = SIZE_MAX;
  expectation_.durable = expectation_.now.size();
  return true;
}

bool SegmentScript::reopen() {
  // What was not flushed is dropped with the writer.
  const bool is_handed_over = writer_->flush() == Outcome::kOk;
  writer_.reset();
  Opened opened = open_segment(disk_, kScriptFormat);
  if (opened.outcome != Outcome::kOk) return false;
  const uint64_t found = opened.recovery.records;
  const uint64_t least =
      is_handed_over ? expectation_.now.size() : expectation_.durable;
  if (found < least || found > expectation_.now.size()) return false;
  writer_ = std::move(opened.writer);
  buffer_ = std::move(opened.buffer);
  expectation_.now.resize(found);
  offsets_.resize(found);
  // G6: opening has made it durable.
  expectation_.durable = found;
  return true;
}

Records records_on(const SimulatedFileSystem& disk) {
  return parse_independently(disk.contents(kPath), kScriptFormat);
}

Opened open_after_crash(SimulatedFileSystem& disk) {
  OpenOptions options;
  options.size = kScriptSize;
  Opened opened = open_segment(disk, kScriptFormat, options);
  if (opened.outcome == Outcome::kFormat) {
    options.discard_unreadable = true;
    opened = open_segment(disk, kScriptFormat, options);
  }
  return opened;
}

std::string check_disk(SimulatedFileSystem& disk,
                       const Expectation& expectation, std::mt19937& random) {
  if (!disk.exists(kPath)) {
    return expectation.must_exist ? "G1: the file is gone" : "";
  }
  const bool had_first = !records_on(disk).empty();
  {
    // G8: a recovery that is cut anywhere, and any disk it leaves.
    const Disk again = disk.kill();
    again->fail_at(random() % 24, Fault::kPowerOff);
    open_after_crash(*again).writer.reset();
    std::vector<uint32_t> choices;
    for (const uint32_t states : again->dirty_states()) {
      choices.push_back(random() % states);
    }
    const Disk after = again->crash(choices);
    if (after->exists(kPath)) {
      const Opened opened = open_after_crash(*after);
      if (opened.outcome != Outcome::kOk)
        return "G8: recovery cut, then no open";
      if (!is_allowed(records_on(*after), expectation)) {
        return "G8: recovery cut, then other records";
      }
    }
  }
  if (had_first &&
      open_segment(*disk.kill(), kScriptFormat).outcome != Outcome::kOk) {
    return "G4: a disk with a first record does not open";
  }
  Opened opened = open_after_crash(disk);
  if (opened.outcome != Outcome::kOk) return "G4: does not open";
  const Records found = records_on(disk);
  if (found.size() != opened.recovery.records)
    return "G2: reports another count";
  if (!is_allowed(found, expectation)) {
    return found.size() < expectation.durable ? "G1: acknowledged records lost"
                                              : "G2/G7: other records";
  }
  // G7 and G12: nothing but zeros after the end.
  const Bytes file = disk.contents(kPath);
  if (!std::all_of(
          file.begin() + static_cast<ptrdiff_t>(opened.recovery.end_offset),
          file.end(), [](uint8_t byte) { return byte == 0; })) {
    return "G7: bytes after the end";
  }
  // G6, G8: whatever the next crash does, opening again finds the same.
  std::vector<uint32_t> choices;
  for (const uint32_t states : disk.dirty_states()) {
    choices.push_back(random() % states);
  }
  const Disk next = disk.crash(choices);
  // G7: a shorter record in the place of a longer one, torn again.
  uint64_t offset = 0;
  const Stored shorter{payload(250, 8), payload(251, 3)};
  if (append_record(*opened.writer, shorter, &offset) != Outcome::kOk) {
    return "";  // The file is full.
  }
  uint64_t flushed = 0;
  if (opened.writer->sync(&flushed) != Outcome::kOk) return "cannot sync";
  opened.writer.reset();
  Records expected = found;
  const Opened second = open_segment(*next, kScriptFormat);
  if (second.outcome != Outcome::kOk || records_on(*next) != expected) {
    return "G6: what was reported is gone after the next power failure";
  }
  if (second.recovery.quarantined_bytes > 0) return "G6: the tail came back";
  expected.push_back(shorter);
  if (records_on(disk) != expected) return "G7: old records after a new one";
  return "";
}

}  // namespace atomic_log::test
