#include "core/durable/wal_recovery.h"

#include <algorithm>
#include <utility>

#include "core/durable/copy_range.h"
#include "core/durable/record_scanner.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

constexpr WalRule kRules[] = {
    {WalRow::kNoFiles, WalAction::kCreate, "no file of a log is there"},
    {WalRow::kCleanEnd, WalAction::kAdopt,
     "zeros follow the last record of the newest file"},
    {WalRow::kSealedEnd, WalAction::kAdoptAndRoll,
     "the newest file is sealed, its successor was never made"},
    {WalRow::kTornTail, WalAction::kSetAside,
     "the newest file ends in a torn record, which nothing behind it proves to "
     "have been durable"},
    {WalRow::kUnfinishedFile, WalAction::kRecreate,
     "the newest file is empty and its header or length is unfinished"},
    {WalRow::kProvenDamage, WalAction::kCorrupt,
     "a record is damaged, and one behind it says that it was durable"},
    {WalRow::kDamagedOlderFile, WalAction::kCorrupt,
     "a record is damaged in a file that has a successor"},
    {WalRow::kBrokenChain, WalAction::kCorrupt,
     "the files do not follow one another: one is missing, twice there, from "
     "another log, or not the successor of the one before"},
    {WalRow::kDamagedHeader, WalAction::kCorrupt,
     "the header of a file that holds records is damaged"},
    {WalRow::kForeignFile, WalAction::kRefuse,
     "this is not a file of a write-ahead log"},
    {WalRow::kNewerVersion, WalAction::kRefuse,
     "the file has a version or a feature that this release does not know"},
    {WalRow::kWrongLength, WalAction::kCorrupt,
     "the file is not as long as its header says"},
    {WalRow::kWrongLsn, WalAction::kCorrupt,
     "an intact record has another LSN than must come there"},
};

constexpr int kSetAsideNamesMax = 100'000;

class Judge {
 public:
  Judge(FileSystem& system, const WalOptions& options, OpenMode mode,
        WalJudgement* found, Failure* failure)
      : system_(system),
        options_(options),
        mode_(mode),
        found_(*found),
        failure_(failure) {}

  Outcome run() {
    found_ = {};
    const IoStatus status =
        list_wal_files(system_, options_.directory, &found_.listing);
    if (!status.ok()) return fail(status, options_.directory, 0);
    if (found_.listing.has_duplicate) {
      return decide(WalRow::kBrokenChain, found_.listing.numbers.back(), 0);
    }
    if (found_.listing.numbers.empty()) return Outcome::kOk;
    const uint64_t newest = found_.listing.numbers.back();
    found_.newest_number = newest;

    bool is_unfinished = false;
    Outcome outcome = open_newest(newest, &is_unfinished);
    if (outcome != Outcome::kOk) return outcome;
    if (is_unfinished && newest == 1) {
      return decide(WalRow::kUnfinishedFile, newest, 0);
    }
    // The newest file with a header.
    const uint64_t top = is_unfinished ? newest - 1 : newest;
    std::shared_ptr<File> file = found_.newest;
    if (is_unfinished) {
      outcome = open_older(top, &file, &found_.header);
      if (outcome != Outcome::kOk) return outcome;
    }
    bool is_sealed = false;
    outcome = scan_top(top, *file, &is_sealed);
    if (outcome == Outcome::kOk && is_unfinished && !is_sealed) {
      outcome = decide(WalRow::kDamagedOlderFile, top, found_.end.offset);
    }
    if (outcome == Outcome::kOk) outcome = check_chain(top);
    if (outcome != Outcome::kOk) return outcome;
    if (is_unfinished) return decide(WalRow::kUnfinishedFile, newest, 0);
    return judge_end(newest, *file, is_sealed);
  }

 private:
  Outcome fail(const IoStatus& io, const std::string& path, uint64_t offset) {
    *failure_ = {Outcome::kIo, io, path, offset, 0, ""};
    return Outcome::kIo;
  }

  // The row is found; refuses when its rule says so.
  Outcome decide(WalRow row, uint64_t number, uint64_t offset) {
    found_.row = row;
    const WalRule& rule = wal_rule(row);
    Outcome outcome = Outcome::kOk;
    if (rule.action == WalAction::kCorrupt) outcome = Outcome::kCorrupt;
    if (rule.action == WalAction::kRefuse) outcome = Outcome::kFormat;
    if (rule.action == WalAction::kSetAside && options_.is_tail_strict) {
      outcome = Outcome::kTornTail;
    }
    if (outcome != Outcome::kOk) {
      *failure_ = {outcome, {}, path_of(number), offset, 0, rule.condition};
    }
    return outcome;
  }

  std::string path_of(uint64_t number) const {
    return wal_file_path(options_.directory, number);
  }

  // Opens a file and reads header and length.
  Outcome open_file(uint64_t number, OpenMode mode, std::shared_ptr<File>* file,
                    WalHeader* header, WalHeaderVerdict* verdict,
                    uint64_t* bytes) {
    std::unique_ptr<File> opened;
    IoStatus status = system_.open(path_of(number), mode, &opened);
    if (status.code == IoCode::kNotFound) {
      return decide(WalRow::kBrokenChain, number, 0);
    }
    if (status.ok()) status = opened->size(bytes);
    if (status.ok()) status = read_wal_header(*opened, header, verdict);
    if (!status.ok()) return fail(status, path_of(number), 0);
    *file = std::move(opened);
    if (*verdict == WalHeaderVerdict::kForeign) {
      return decide(WalRow::kForeignFile, number, 0);
    }
    if (*verdict == WalHeaderVerdict::kNewer) {
      return decide(WalRow::kNewerVersion, number, 8);
    }
    return Outcome::kOk;
  }

  Outcome open_newest(uint64_t number, bool* is_unfinished) {
    WalHeaderVerdict verdict = WalHeaderVerdict::kBad;
    Outcome outcome = open_file(number, mode_, &found_.newest, &found_.header,
                                &verdict, &found_.newest_bytes);
    if (outcome != Outcome::kOk) return outcome;
    const uint64_t bytes = found_.newest_bytes;
    const bool is_good = verdict == WalHeaderVerdict::kGood;
    if (is_good && bytes == found_.header.file_bytes) {
      return found_.header.file_number == number
                 ? Outcome::kOk
                 : decide(WalRow::kBrokenChain, number, 32);
    }
    uint64_t nonzero_end = kWalHeaderBytes;
    if (bytes > kWalHeaderBytes) {
      const IoStatus status = find_nonzero_end(*found_.newest, kWalHeaderBytes,
                                               bytes, &nonzero_end);
      if (!status.ok()) return fail(status, path_of(number), kWalHeaderBytes);
    }
    const bool is_empty = nonzero_end == kWalHeaderBytes;
    if (is_good && (!is_empty || bytes > found_.header.file_bytes)) {
      return decide(WalRow::kWrongLength, number, bytes);
    }
    if (!is_empty) return decide(WalRow::kDamagedHeader, number, 0);
    *is_unfinished = true;
    return Outcome::kOk;
  }

  Outcome open_older(uint64_t number, std::shared_ptr<File>* file,
                     WalHeader* header) {
    WalHeaderVerdict verdict = WalHeaderVerdict::kBad;
    uint64_t bytes = 0;
    const Outcome outcome =
        open_file(number, OpenMode::kRead, file, header, &verdict, &bytes);
    if (outcome != Outcome::kOk) return outcome;
    if (verdict != WalHeaderVerdict::kGood) {
      return decide(WalRow::kDamagedHeader, number, 0);
    }
    if (header->file_number != number) {
      return decide(WalRow::kBrokenChain, number, 32);
    }
    if (bytes != header->file_bytes) {
      return decide(WalRow::kWrongLength, number, bytes);
    }
    return Outcome::kOk;
  }

  Outcome scan_top(uint64_t number, File& file, bool* is_sealed) {
    const WalHeader& header = found_.header;
    found_.oldest_lsn = header.oldest_lsn;
    found_.oldest_file = header.oldest_file;
    WalScanner scanner(file, WalCodec(header.log_id, number), wal_begin(header),
                       header.file_bytes);
    WalVerdict verdict = WalVerdict::kNone;
    while (!*is_sealed && (verdict = scanner.next()) == WalVerdict::kRecord) {
      ++found_.records;
      found_.proven_offset =
          std::max(found_.proven_offset, scanner.head().durable_offset);
      if (scanner.head().type == WalType::kCheckpoint) {
        found_.oldest_lsn = scanner.control_value(0);
        found_.oldest_file = scanner.control_value(1);
      } else if (scanner.head().type == WalType::kSeal) {
        *is_sealed = true;
        found_.next_base = scanner.control_value(0);
        found_.seal_checksum = scanner.head().checksum;
      }
    }
    found_.end = scanner.position();
    if (verdict == WalVerdict::kReadFailed) {
      return fail(scanner.io(), path_of(number), found_.end.offset);
    }
    if (verdict == WalVerdict::kWrongLsn) {
      return decide(WalRow::kWrongLsn, number, found_.end.offset);
    }
    return Outcome::kOk;
  }

  // From the newest file with a header back to the oldest that is kept.
  Outcome check_chain(uint64_t top) {
    WalHeader next = found_.header;
    found_.files.push_back({top, next.base_lsn, next.epoch, next.branch,
                            next.file_bytes, found_.end.offset});
    if (found_.oldest_file > top || found_.oldest_file == 0) {
      return decide(WalRow::kBrokenChain, top, 72);
    }
    for (uint64_t number = top - 1; number >= found_.oldest_file; --number) {
      std::shared_ptr<File> file;
      WalHeader header;
      Outcome outcome = open_older(number, &file, &header);
      if (outcome != Outcome::kOk) return outcome;
      if (header.log_id != next.log_id ||
          next.previous_next_base != next.base_lsn) {
        return decide(WalRow::kBrokenChain, number, 16);
      }
      outcome = check_seal(number, *file, header, next);
      if (outcome == Outcome::kOk && options_.verifies) {
        outcome = verify(number, *file, header, next);
      }
      if (outcome != Outcome::kOk) return outcome;
      found_.files.push_back({number, header.base_lsn, header.epoch,
                              header.branch, header.file_bytes,
                              next.previous_end});
      next = std::move(header);
    }
    std::reverse(found_.files.begin(), found_.files.end());
    return Outcome::kOk;
  }

  // That a SEAL is where the successor says, and leads to it.
  Outcome check_seal(uint64_t number, File& file, const WalHeader& header,
                     const WalHeader& next) {
    if (next.previous_end < kWalHeaderBytes + kWalControlBytes ||
        next.previous_end > header.file_bytes) {
      return decide(WalRow::kBrokenChain, number + 1, 80);
    }
    const uint64_t offset = next.previous_end - kWalControlBytes;
    uint32_t checksum = 0;
    const IoStatus status =
        read_wal_seal(file, WalCodec(header.log_id, number), offset, &checksum);
    if (!status.ok()) return fail(status, path_of(number), offset);
    if (checksum == 0) return decide(WalRow::kDamagedOlderFile, number, offset);
    if (checksum != next.previous_seal_checksum) {
      return decide(WalRow::kBrokenChain, number, offset);
    }
    return Outcome::kOk;
  }

  // That the records lead from the header to the SEAL.
  Outcome verify(uint64_t number, File& file, const WalHeader& header,
                 const WalHeader& next) {
    WalScanner scanner(file, WalCodec(header.log_id, number), wal_begin(header),
                       next.previous_end);
    WalVerdict verdict;
    do {
      verdict = scanner.next();
    } while (verdict == WalVerdict::kRecord);
    const uint64_t offset = scanner.position().offset;
    if (verdict == WalVerdict::kReadFailed) {
      return fail(scanner.io(), path_of(number), offset);
    }
    if (verdict == WalVerdict::kWrongLsn) {
      return decide(WalRow::kWrongLsn, number, offset);
    }
    return offset == next.previous_end
               ? Outcome::kOk
               : decide(WalRow::kDamagedOlderFile, number, offset);
  }

  Outcome judge_end(uint64_t number, File& file, bool is_sealed) {
    const uint64_t end = found_.end.offset;
    // Nothing is ever written behind a SEAL.
    if (is_sealed) return decide(WalRow::kSealedEnd, number, end);
    IoStatus status = find_nonzero_end(file, end, found_.header.file_bytes,
                                       &found_.nonzero_end);
    if (!status.ok()) return fail(status, path_of(number), end);
    if (found_.nonzero_end > end) {
      uint64_t proof = 0;
      status = find_wal_proof(file, WalCodec(found_.header.log_id, number), end,
                              found_.header.file_bytes, &proof);
      if (!status.ok()) return fail(status, path_of(number), end);
      return decide(proof != 0 ? WalRow::kProvenDamage : WalRow::kTornTail,
                    number, end);
    }
    return decide(WalRow::kCleanEnd, number, end);
  }

  FileSystem& system_;
  const WalOptions& options_;
  const OpenMode mode_;
  WalJudgement& found_;
  Failure* const failure_;
};

// Copies the bytes behind the end of the log into a file of their own, then
// zeroes them.
IoStatus set_aside(FileSystem& system, File& file, const std::string& path,
                   uint64_t from, uint64_t to, std::string* aside_path) {
  std::unique_ptr<File> aside;
  IoStatus status;
  for (int n = 1; n <= kSetAsideNamesMax; ++n) {
    *aside_path = path + ".torn-" + std::to_string(n);
    status = system.open(*aside_path, OpenMode::kCreateNew, &aside);
    if (status.code != IoCode::kExists) break;
  }
  if (!status.ok()) return status;
  status = copy_range(file, from, to,
                      [&](uint64_t offset, const uint8_t* data, size_t bytes) {
                        return aside->write_at(offset - from, data, bytes);
                      });
  if (status.ok()) status = aside->sync_all();
  if (status.ok()) status = system.sync_parent(path);
  if (status.ok()) status = file.zero_range(from, to - from);
  return status;
}

}  // namespace

const WalRule& wal_rule(WalRow row) { return kRules[static_cast<size_t>(row)]; }

static_assert([] {
  for (size_t i = 0; i < std::size(kRules); ++i) {
    if (kRules[i].row != static_cast<WalRow>(i)) return false;
  }
  return true;
}());

Outcome judge_wal(FileSystem& system, const WalOptions& options, OpenMode mode,
                  WalJudgement* judgement, Failure* failure) {
  return Judge(system, options, mode, judgement, failure).run();
}

Outcome repair_wal(FileSystem& system, const WalOptions& options,
                   const WalJudgement& found, WalRecovery* recovery,
                   Failure* failure) {
  *recovery = {};
  recovery->row = found.row;
  recovery->records = found.records;
  const WalAction action = wal_rule(found.row).action;
  if (action == WalAction::kCreate || action == WalAction::kRecreate) {
    return Outcome::kOk;
  }
  const std::string path =
      wal_file_path(options.directory, found.newest_number);
  File& file = *found.newest;
  const uint64_t end = found.end.offset;
  IoStatus status;
  recovery->end_offset = end;
  recovery->end_lsn =
      action == WalAction::kAdoptAndRoll ? found.next_base : found.end.lsn;
  if (action == WalAction::kSetAside) {
    recovery->set_aside_bytes = found.nonzero_end - end;
    status = set_aside(system, file, path, end, found.nonzero_end,
                       &recovery->set_aside_path);
  }
  const auto rewrite = [&file](uint64_t offset, const uint8_t* data,
                               size_t bytes) {
    return file.write_at(offset, data, bytes);
  };
  if (status.ok()) status = copy_range(file, 0, kWalHeaderBytes, rewrite);
  if (status.ok()) {
    status = copy_range(file, found.proven_offset, end, rewrite);
  }
  if (status.ok()) status = file.sync_all();
  if (status.ok()) status = system.sync_directory(options.directory);
  if (status.ok()) return Outcome::kOk;
  *failure = {Outcome::kIo, status, path, end, 0, ""};
  return Outcome::kIo;
}

void remove_wal_garbage(FileSystem& system, const std::string& directory,
                        uint64_t oldest_file, const WalListing& listing) {
  for (const uint64_t number : listing.numbers) {
    if (number < oldest_file) {
      (void)system.remove(wal_file_path(directory, number));
    }
  }
  for (const std::string& path : listing.unfinished_paths) {
    (void)system.remove(path);
  }
}

}  // namespace atomic_log::durable
