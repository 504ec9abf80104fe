#include "core/durable/segment/segment_recovery.h"

#include <algorithm>
#include <memory>

#include "core/base/check.h"
#include "core/durable/copy_range.h"
#include "core/durable/record_scanner.h"
#include "core/durable/redo_file.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

constexpr int kQuarantineNamesMax = 100'000;

// Steps of one recovery; the decisions are in recover().
class SegmentRecovery {
 public:
  SegmentRecovery(FileSystem& system, File& file, const std::string& path,
                  const SegmentFormat& format, Failure* failure)
      : system_(system),
        file_(file),
        path_(path),
        format_(format),
        failure_(failure) {}

  Outcome refuse(Outcome outcome, uint64_t offset, uint64_t value,
                 const char* detail) {
    *failure_ = {outcome, {}, path_, offset, value, detail};
    return outcome;
  }

  Outcome fail(const IoStatus& io, uint64_t offset) {
    *failure_ = {Outcome::kIo, io, path_, offset, 0, ""};
    return Outcome::kIo;
  }

  // Row R1.
  Outcome check_size(const OpenOptions& options, uint64_t* size) {
    IoStatus status = file_.size(size);
    if (!status.ok()) return fail(status, 0);
    if (options.size.has_value() && *options.size != *size) {
      if (*size > *options.size) {
        return refuse(Outcome::kFormat, *size, *options.size,
                      "the file is longer than the size given");
      }
      uint64_t end = 0;
      status = find_nonzero_end(file_, 0, *size, &end);
      if (!status.ok()) return fail(status, 0);
      if (end != 0) {
        return refuse(Outcome::kFormat, *size, *options.size,
                      "the file is shorter than the size given");
      }
      *size = *options.size;
      status = file_.preallocate(*size);
      if (!status.ok()) return fail(status, 0);
    }
    if (*size <= format_.start_offset) {
      return refuse(Outcome::kFormat, *size, format_.start_offset,
                    "the file ends before its startOffset; if its creation was "
                    "interrupted, give its size");
    }
    return Outcome::kOk;
  }

  Outcome scan(uint64_t size, Recovery* recovery, Verdict* verdict) {
    RecordScanner scanner(file_, format_, format_.start_offset, size);
    do {
      recovery->records += scanner.pass_checked();
      *verdict = scanner.next();
      if (*verdict == Verdict::kRecord) ++recovery->records;
    } while (*verdict == Verdict::kRecord);
    recovery->end_offset = scanner.offset();
    CORE_CHECK(recovery->end_offset <= size);
    if (*verdict == Verdict::kReadFailed) {
      return fail(scanner.io(), scanner.offset());
    }
    return Outcome::kOk;
  }

  // Row R6.
  Outcome quarantine(uint64_t from, uint64_t to, Recovery* recovery) {
    CORE_CHECK(from >= format_.start_offset && from < to);
    IoStatus status = count_valid_bytes(file_, format_, from + 1, to,
                                        &recovery->valid_bytes_after);
    if (!status.ok()) return fail(status, from);
    std::unique_ptr<File> quarantined;
    for (int n = 1; n <= kQuarantineNamesMax; ++n) {
      recovery->quarantine_path = path_ + ".torn-" + std::to_string(n);
      status = system_.open(recovery->quarantine_path, OpenMode::kCreateNew,
                            &quarantined);
      if (status.code != IoCode::kExists) break;
    }
    if (status.ok()) {
      status =
          copy_range(file_, from, to,
                     [&](uint64_t offset, const uint8_t* data, size_t bytes) {
                       return quarantined->write_at(offset - from, data, bytes);
                     });
    }
    if (status.ok()) status = quarantined->sync_all();
    if (status.ok()) status = system_.sync_parent(path_);
    if (!status.ok()) return fail(status, from);
    status = zero_durably(system_, file_, path_, from, to);
    if (!status.ok()) return fail(status, from);
    recovery->quarantined_bytes = to - from;
    return Outcome::kOk;
  }

  Outcome make_durable(uint64_t from, uint64_t to) {
    IoStatus status =
        copy_range(file_, from, std::max(from, to),
                   [this](uint64_t offset, const uint8_t* data, size_t bytes) {
                     return file_.write_at(offset, data, bytes);
                   });
    if (status.ok()) status = file_.sync_all();
    if (status.ok()) status = system_.sync_parent(path_);
    return status.ok() ? Outcome::kOk : fail(status, from);
  }

  Outcome find_end(uint64_t from, uint64_t to, uint64_t* end) {
    const IoStatus status = find_nonzero_end(file_, from, to, end);
    return status.ok() ? Outcome::kOk : fail(status, from);
  }

 private:
  FileSystem& system_;
  File& file_;
  const std::string& path_;
  const SegmentFormat& format_;
  Failure* const failure_;
};

}  // namespace

Outcome recover(FileSystem& system, File& file, const std::string& path,
                const SegmentFormat& format, const OpenOptions& options,
                uint64_t* size, Recovery* recovery, Failure* failure) {
  SegmentRecovery step(system, file, path, format, failure);
  *recovery = {};
  Outcome outcome = step.check_size(options, size);
  if (outcome == Outcome::kOk) {
    outcome = finish_redo(system, file, path, *size, failure);
  }
  Verdict verdict = Verdict::kEnd;
  if (outcome == Outcome::kOk) outcome = step.scan(*size, recovery, &verdict);
  const uint64_t end = recovery->end_offset;
  uint64_t nonzero_end = end;
  if (outcome == Outcome::kOk) {
    outcome = step.find_end(end, *size, &nonzero_end);
  }
  if (outcome != Outcome::kOk) return outcome;

  if (end < options.durable_offset) {  // R3
    return step.refuse(Outcome::kCorrupt, end, options.durable_offset,
                       "a record below durableOffset is damaged or missing");
  }
  if (options.is_sealed && nonzero_end > end) {  // R3
    return step.refuse(Outcome::kCorrupt, end, nonzero_end,
                       "the segment is sealed, and a record is damaged");
  }
  if (recovery->records == 0 && nonzero_end > end &&
      !options.discard_unreadable) {  // R4
    return step.refuse(Outcome::kFormat, end, nonzero_end,
                       "no record is at startOffset, but the file is not "
                       "empty; check startOffset, headerSize and checksum, or "
                       "pass discardUnreadable");
  }
  if (nonzero_end > end) {  // R6
    outcome = step.quarantine(end, nonzero_end, recovery);
    if (outcome != Outcome::kOk) return outcome;
  }
  const uint64_t proven =
      options.is_sealed ? end
                        : std::max(format.start_offset, options.durable_offset);
  return step.make_durable(proven, end);
}

Outcome scan_segment(FileSystem& system, const std::string& path,
                     const SegmentFormat& format, SegmentScan* scan,
                     Failure* failure) {
  *scan = {};
  std::unique_ptr<File> file;
  IoStatus status = system.open(path, OpenMode::kRead, &file);
  if (!status.ok()) {
    *failure = {Outcome::kIo, status, path, 0, 0, ""};
    return Outcome::kIo;
  }
  SegmentRecovery step(system, *file, path, format, failure);
  Recovery found;
  Verdict verdict = Verdict::kEnd;
  Outcome outcome = step.check_size({}, &scan->size);
  if (outcome == Outcome::kOk) {
    outcome = step.scan(scan->size, &found, &verdict);
  }
  const uint64_t end = found.end_offset;
  if (outcome == Outcome::kOk) {
    outcome = step.find_end(end, scan->size, &scan->nonzero_end);
  }
  if (outcome != Outcome::kOk) return outcome;
  scan->records = found.records;
  scan->end_offset = end;
  if (scan->nonzero_end == end) return Outcome::kOk;
  status = count_valid_bytes(*file, format, end + 1, scan->nonzero_end,
                             &scan->valid_bytes_after);
  return status.ok() ? Outcome::kOk : step.fail(status, end);
}

}  // namespace atomic_log::durable
