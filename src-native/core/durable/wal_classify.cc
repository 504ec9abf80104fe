#include "core/durable/wal_classify.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/durable/record_scanner.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

// The first that is met decides.
constexpr WalRule kRules[] = {
    // row, writer, reader,
    //   all of, any of, none of
    {WalRow::kNoFiles, WalAction::kCreate, WalReading::kWait, kFactNoFile, 0, 0,
     "no file of a log is there"},
    {WalRow::kForeignFile, WalAction::kRefuse, WalReading::kRefuse,
     kFactNoMagic, 0, 0, "this is not a file of a write-ahead log"},
    {WalRow::kNewerVersion, WalAction::kRefuse, WalReading::kRefuse,
     kFactNewerVersion, 0, 0,
     "the file has a version or a feature that this release does not know"},
    {WalRow::kUnfinishedFile, WalAction::kRecreate, WalReading::kWait,
     kFactNewest | kFactBlank, kFactBadHeader | kFactTooShort, kFactTooLong,
     "the newest file is empty and its header or length is unfinished"},
    {WalRow::kDamagedHeader, WalAction::kCorrupt, WalReading::kCorrupt,
     kFactBadHeader, 0, 0,
     "the header of a file that holds records is damaged"},
    {WalRow::kBrokenChain, WalAction::kCorrupt, WalReading::kCorrupt, 0,
     kFactNumberTwice | kFactMissing | kFactOtherNumber | kFactOtherLog |
         kFactOtherBase | kFactSealOutside | kFactOtherSeal |
         kFactOldestOutside,
     0,
     "the files do not follow one another: one is missing, twice there, from "
     "another log, or not the successor of the one before"},
    {WalRow::kWrongLength, WalAction::kCorrupt, WalReading::kCorrupt, 0,
     kFactTooShort | kFactTooLong, 0,
     "the file is not as long as its header says"},
    {WalRow::kWrongLsn, WalAction::kCorrupt, WalReading::kCorrupt,
     kFactOtherLsn, 0, 0,
     "an intact record has another LSN than must come there"},
    {WalRow::kDamagedOlderFile, WalAction::kCorrupt, WalReading::kCorrupt,
     kFactNoSeal, 0, 0, "a record is damaged in a file that has a successor"},
    {WalRow::kSealedEnd, WalAction::kAdoptAndRoll, WalReading::kWait,
     kFactScanned | kFactSealed, 0, 0,
     "the newest file is sealed, its successor was never made"},
    {WalRow::kProvenDamage, WalAction::kCorrupt, WalReading::kCorrupt,
     kFactScanned | kFactProofAfterEnd, 0, kFactSealed,
     "a record is damaged, and one after it says that it was durable"},
    {WalRow::kTornTail, WalAction::kSetAside, WalReading::kWait,
     kFactScanned | kFactBytesAfterEnd, 0, kFactSealed,
     "the newest file ends in a torn record, and nothing after it proves that "
     "it was durable"},
    {WalRow::kCleanEnd, WalAction::kAdopt, WalReading::kRead, kFactScanned, 0,
     kFactSealed, "zeros follow the last record of the newest file"},
};

class Classifier {
 public:
  Classifier(FileSystem& system, const WalClassifyRequest& request,
             WalClassification* found, Failure* failure)
      : system_(system), request_(request), found_(*found), failure_(failure) {}

  Outcome run() {
    const IoStatus status =
        list_wal_files(system_, request_.directory, &found_.listing);
    if (!status.ok()) return fail(status, request_.directory, 0);
    if (found_.listing.has_duplicate) {
      return decide(kFactNumberTwice, found_.listing.numbers.back(), 0);
    }
    if (found_.listing.numbers.empty()) {
      found_.top_number = 0;
      return decide(kFactNoFile, 0, 0);
    }
    bool is_unfinished = false;
    Outcome outcome = find_top(&is_unfinished);
    if (outcome != Outcome::kOk || found_.top_number == 0) return outcome;
    outcome = check_unproven();
    if (outcome == Outcome::kOk) outcome = scan_top();
    if (outcome == Outcome::kOk && is_unfinished && !found_.is_sealed) {
      outcome = decide(kFactNoSeal, found_.top_number, found_.end.offset);
    }
    if (outcome == Outcome::kOk) outcome = link_files();
    if (outcome == Outcome::kOk && request_.verifies) outcome = verify_older();
    if (outcome != Outcome::kOk || is_unfinished) return outcome;
    return classify_end();
  }

 private:
  struct OpenedFile {
    std::shared_ptr<File> file;
    WalHeader header;
    uint64_t bytes = 0;
  };

  Outcome fail(const IoStatus& io, const std::string& path, uint64_t offset) {
    *failure_ = {Outcome::kIo, io, path, offset, 0, ""};
    return Outcome::kIo;
  }

  std::string path_of(uint64_t number) const {
    return wal_file_path(request_.directory, number);
  }

  Outcome outcome_of(const WalRule& rule) const {
    if (request_.role == WalRole::kReader) {
      if (rule.reading == WalReading::kCorrupt) return Outcome::kCorrupt;
      if (rule.reading == WalReading::kRefuse) return Outcome::kFormat;
      return Outcome::kOk;
    }
    if (rule.action == WalAction::kCorrupt) return Outcome::kCorrupt;
    if (rule.action == WalAction::kRefuse) return Outcome::kFormat;
    const bool is_torn = rule.action == WalAction::kSetAside;
    return is_torn && request_.is_tail_strict ? Outcome::kTornTail
                                              : Outcome::kOk;
  }

  // Refuses when the row that the facts meet says so; where they meet none,
  // there is nothing to say.
  Outcome decide(WalFacts facts, uint64_t number, uint64_t offset) {
    const WalRule* const rule = find_wal_rule(facts);
    if (rule == nullptr) return Outcome::kOk;
    found_.row = rule->row;
    const Outcome outcome = outcome_of(*rule);
    if (outcome != Outcome::kOk) {
      *failure_ = {outcome, {}, path_of(number), offset, 0, rule->condition};
    }
    return outcome;
  }

  // Gathers the facts of header and length. What is wrong is told at the offset
  // where it stands.
  Outcome examine(uint64_t number, bool is_newest, OpenedFile* opened) {
    std::unique_ptr<File> file;
    const bool writes = is_newest && request_.role == WalRole::kWriter;
    WalHeaderVerdict verdict = WalHeaderVerdict::kBad;
    IoStatus status =
        system_.open(path_of(number),
                     writes ? OpenMode::kReadWrite : OpenMode::kRead, &file);
    if (status.code == IoCode::kNotFound) {
      return decide(kFactMissing, number, 0);
    }
    if (status.ok()) status = file->size(&opened->bytes);
    if (status.ok()) status = read_wal_header(*file, &opened->header, &verdict);
    if (!status.ok()) return fail(status, path_of(number), 0);
    opened->file = std::move(file);

    const uint64_t bytes = opened->bytes;
    const uint64_t file_bytes = opened->header.file_bytes;
    WalFacts facts = is_newest ? kFactNewest : 0;
    uint64_t offset = 0;
    if (verdict == WalHeaderVerdict::kForeign) facts |= kFactNoMagic;
    if (verdict == WalHeaderVerdict::kNewer) {
      facts |= kFactNewerVersion;
      offset = 8;
    }
    if (verdict == WalHeaderVerdict::kBad) facts |= kFactBadHeader;
    if (verdict == WalHeaderVerdict::kGood) {
      if (bytes != file_bytes) {
        facts |= bytes < file_bytes ? kFactTooShort : kFactTooLong;
        offset = bytes;
      }
      if (opened->header.file_number != number) {
        facts |= kFactOtherNumber;
        offset = 32;
      }
    }
    if (is_newest &&
        (facts & (kFactBadHeader | kFactTooShort | kFactTooLong)) != 0) {
      uint64_t nonzero_end = kWalHeaderBytes;
      if (bytes > kWalHeaderBytes) {
        status = find_nonzero_end(*opened->file, kWalHeaderBytes, bytes,
                                  &nonzero_end);
      }
      if (!status.ok()) return fail(status, path_of(number), kWalHeaderBytes);
      if (nonzero_end == kWalHeaderBytes) facts |= kFactBlank;
    }
    return decide(facts, number, offset);
  }

  // The newest file with a header.
  Outcome find_top(bool* is_unfinished) {
    const uint64_t newest = found_.listing.numbers.back();
    found_.row = WalRow::kCleanEnd;
    found_.newest_number = newest;
    if (found_.top_number == newest) return Outcome::kOk;
    OpenedFile opened;
    Outcome outcome = examine(newest, true, &opened);
    if (outcome != Outcome::kOk) return outcome;
    found_.newest = opened.file;
    found_.newest_bytes = opened.bytes;
    *is_unfinished = found_.row == WalRow::kUnfinishedFile;
    if (!*is_unfinished) {
      begin(newest, std::move(opened));
      return Outcome::kOk;
    }
    if (newest == 1) found_.top_number = 0;
    if (found_.top_number == newest - 1) return Outcome::kOk;
    OpenedFile older;
    outcome = examine(newest - 1, false, &older);
    if (outcome == Outcome::kOk) begin(newest - 1, std::move(older));
    return outcome;
  }

  void begin(uint64_t number, OpenedFile opened) {
    if (found_.header.log_id != opened.header.log_id) found_.files.clear();
    found_.top_number = number;
    found_.top = std::move(opened.file);
    found_.header = std::move(opened.header);
    found_.kept.begin(found_.header);
    found_.end = wal_begin(found_.header);
    found_.records = 0;
    found_.proven_offset = kWalHeaderBytes;
    found_.proven_end = found_.end;
    found_.unproven.clear();
    found_.epochs = {found_.end};
    found_.is_sealed = false;
    found_.is_end_known = false;
  }

  // What is not proved may have been cut, and the log written on below it. Then
  // the scan goes on from what is proved, which stays.
  Outcome check_unproven() {
    if (found_.unproven.empty()) return Outcome::kOk;
    uint8_t bytes[kWalHeadBytes];
    size_t read = 0;
    const IoStatus status =
        found_.top->read_at(found_.last_offset, bytes, sizeof(bytes), &read);
    if (!status.ok()) {
      return fail(status, path_of(found_.top_number), found_.last_offset);
    }
    WalHead head;
    if (read == sizeof(bytes) &&
        codec_of_top().decode_head(found_.last_offset, bytes, &head) &&
        head.checksum == found_.last_checksum) {
      return Outcome::kOk;
    }
    ++found_.rewinds;
    found_.end = found_.proven_end;
    found_.unproven.clear();
    while (found_.epochs.back().offset > found_.end.offset) {
      found_.epochs.pop_back();
    }
    found_.is_sealed = false;
    found_.is_end_known = false;
    return Outcome::kOk;
  }

  WalCodec codec_of_top() const {
    return WalCodec(found_.header.log_id, found_.top_number);
  }

  Outcome scan_top() {
    WalScanner scanner(*found_.top, codec_of_top(), found_.end,
                       found_.header.file_bytes);
    WalVerdict verdict = WalVerdict::kNone;
    while (!found_.is_sealed &&
           (verdict = scanner.next()) == WalVerdict::kRecord) {
      const WalHead& head = scanner.head();
      ++found_.records;
      found_.end = scanner.position();
      found_.last_offset = scanner.offset();
      found_.last_checksum = head.checksum;
      found_.proven_offset =
          std::max(found_.proven_offset, head.durable_offset);
      found_.kept.apply(scanner);
      if (head.type == WalType::kOpen) found_.epochs.push_back(found_.end);
      if (head.type == WalType::kSeal) {
        found_.is_sealed = true;
        found_.next_base = scanner.control_value(0);
        found_.seal_checksum = head.checksum;
      }
      found_.unproven.push_back(found_.end);
      while (!found_.unproven.empty() &&
             found_.unproven.front().offset <= found_.proven_offset) {
        found_.proven_end = found_.unproven.front();
        found_.unproven.pop_front();
      }
    }
    if (verdict == WalVerdict::kReadFailed) {
      return fail(scanner.io(), path_of(found_.top_number), found_.end.offset);
    }
    return verdict == WalVerdict::kWrongLsn
               ? decide(kFactOtherLsn, found_.top_number, found_.end.offset)
               : Outcome::kOk;
  }

  // What was linked before stays so; but where the newest file of then ended,
  // its successor says.
  bool is_linked(uint64_t number) const {
    return !found_.files.empty() && number >= found_.files.front().number &&
           number < found_.files.back().number;
  }

  // From the newest file with a header back to the oldest that is kept.
  Outcome link_files() {
    const uint64_t top = found_.top_number;
    const uint64_t oldest = found_.kept.oldest_file;
    if (oldest > top || oldest == 0) {
      return decide(kFactOldestOutside, top, 72);
    }
    const Outcome begun = check_base(top, found_.header);
    if (begun != Outcome::kOk) return begun;
    WalHeader next = found_.header;
    std::vector<WalFileInfo> infos = {{top, next.base_lsn, next.epoch,
                                       next.branch, next.file_bytes,
                                       found_.end.offset}};
    for (uint64_t number = top - 1; number >= oldest; --number) {
      if (is_linked(number)) {
        infos.push_back(found_.files[number - found_.files.front().number]);
        continue;
      }
      OpenedFile older;
      Outcome outcome = examine(number, false, &older);
      if (outcome == Outcome::kOk) outcome = check_link(number, older, next);
      if (outcome == Outcome::kOk) outcome = check_base(number, older.header);
      if (outcome != Outcome::kOk) return outcome;
      infos.push_back({number, older.header.base_lsn, older.header.epoch,
                       older.header.branch, older.header.file_bytes,
                       next.previous_end});
      next = std::move(older.header);
    }
    std::reverse(infos.begin(), infos.end());
    found_.files = std::move(infos);
    return Outcome::kOk;
  }

  // That the oldest file begins with, or before, the first entry that is kept.
  Outcome check_base(uint64_t number, const WalHeader& header) {
    const bool is_late = number == found_.kept.oldest_file &&
                         header.base_lsn > found_.kept.oldest_lsn;
    return is_late ? decide(kFactOtherBase, number, 48) : Outcome::kOk;
  }

  // That a SEAL is where the successor says, and leads to it.
  Outcome check_link(uint64_t number, const OpenedFile& older,
                     const WalHeader& next) {
    WalFacts facts = 0;
    if (older.header.log_id != next.log_id) facts |= kFactOtherLog;
    if (next.previous_next_base != next.base_lsn) facts |= kFactOtherBase;
    if (facts != 0) return decide(facts, number, 16);
    if (next.previous_end < kWalHeaderBytes + kWalControlBytes ||
        next.previous_end > older.header.file_bytes) {
      return decide(kFactSealOutside, number + 1, 80);
    }
    const uint64_t offset = next.previous_end - kWalControlBytes;
    uint32_t checksum = 0;
    const IoStatus status = read_wal_seal(
        *older.file, WalCodec(next.log_id, number), offset, &checksum);
    if (!status.ok()) return fail(status, path_of(number), offset);
    if (checksum == 0) facts |= kFactNoSeal;
    if (checksum != 0 && checksum != next.previous_seal_checksum) {
      facts |= kFactOtherSeal;
    }
    return decide(facts, number, offset);
  }

  // That the records of each older file lead from its header to its SEAL.
  Outcome verify_older() {
    for (size_t i = 0; i + 1 < found_.files.size(); ++i) {
      const Outcome outcome = verify(found_.files[i]);
      if (outcome != Outcome::kOk) return outcome;
    }
    return Outcome::kOk;
  }

  Outcome verify(const WalFileInfo& info) {
    const std::string path = path_of(info.number);
    std::unique_ptr<File> file;
    const IoStatus status = system_.open(path, OpenMode::kRead, &file);
    if (!status.ok()) return fail(status, path, 0);
    WalScanner scanner(
        *file, WalCodec(found_.header.log_id, info.number),
        {kWalHeaderBytes, info.base_lsn, info.epoch, info.branch},
        info.end_offset);
    WalVerdict verdict;
    do {
      verdict = scanner.next();
    } while (verdict == WalVerdict::kRecord);
    const uint64_t offset = scanner.position().offset;
    if (verdict == WalVerdict::kReadFailed) {
      return fail(scanner.io(), path, offset);
    }
    WalFacts facts = verdict == WalVerdict::kWrongLsn ? kFactOtherLsn : 0;
    if (facts == 0 && offset != info.end_offset) facts = kFactNoSeal;
    return decide(facts, info.number, offset);
  }

  Outcome classify_end() {
    const uint64_t top = found_.top_number;
    WalFacts facts = kFactScanned;
    // Nothing is ever written after a SEAL.
    if (found_.is_sealed) facts |= kFactSealed;
    if (found_.is_sealed || found_.is_end_known) {
      return decide(facts, top, found_.end.offset);
    }
    found_.is_end_known = true;
    const uint64_t end = found_.end.offset;
    const uint64_t file_bytes = found_.header.file_bytes;
    IoStatus status =
        find_nonzero_end(*found_.top, end, file_bytes, &found_.nonzero_end);
    uint64_t proof = 0;
    if (status.ok() && found_.nonzero_end > end) {
      facts |= kFactBytesAfterEnd;
      status =
          find_wal_proof(*found_.top, codec_of_top(), end, file_bytes, &proof);
    }
    if (!status.ok()) return fail(status, path_of(top), end);
    if (proof != 0) {
      // A writer may have written both meanwhile: then a record is there now.
      const Outcome outcome = scan_top();
      if (outcome != Outcome::kOk) return outcome;
      found_.files.back().end_offset = found_.end.offset;
      if (found_.end.offset == end) facts |= kFactProofAfterEnd;
    }
    return decide(facts, top, end);
  }

  FileSystem& system_;
  const WalClassifyRequest& request_;
  WalClassification& found_;
  Failure* const failure_;
};

}  // namespace

const WalRule* find_wal_rule(WalFacts facts) {
  for (const WalRule& rule : kRules) {
    if ((facts & rule.all) == rule.all && (facts & rule.none) == 0 &&
        (rule.any == 0 || (facts & rule.any) != 0)) {
      return &rule;
    }
  }
  return nullptr;
}

const WalRule& wal_rule(WalRow row) {
  return *std::find_if(std::begin(kRules), std::end(kRules),
                       [row](const WalRule& rule) { return rule.row == row; });
}

Outcome classify_wal(FileSystem& system, const WalClassifyRequest& request,
                     WalClassification* found, Failure* failure) {
  return Classifier(system, request, found, failure).run();
}

}  // namespace atomic_log::durable
