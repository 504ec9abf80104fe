#include "core/durable/wal/wal_classify.h"

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
    bool is_current = false;
    if (found_.seen.number != 0) {
      const Outcome outcome = look_again(&is_current);
      if (outcome != Outcome::kOk || is_current) return outcome;
    }
    return list();
  }

 private:
  struct OpenedFile {
    std::shared_ptr<File> file;
    platform::FileIdentity identity;
    WalHeader header;
    uint64_t bytes = 0;
  };

  Outcome list() {
    const IoStatus status =
        list_wal_files(system_, request_.directory, &found_.listing);
    const bool is_gone = status.code == IoCode::kNotFound ||
                         (status.ok() && found_.listing.numbers.empty());
    if (is_gone && found_.seen.number != 0) return replaced();
    if (!status.ok()) return fail(status, request_.directory, 0);
    if (found_.listing.has_duplicate) {
      return decide(kFactNumberTwice, found_.listing.numbers.back(), 0);
    }
    if (found_.listing.numbers.empty()) {
      found_.top_number = 0;
      return decide(kFactNoFile, 0, 0);
    }
    bool is_unfinished = false;
    const Outcome outcome = find_top(&is_unfinished);
    if (outcome != Outcome::kOk || found_.top_number == 0) return outcome;
    return examine_top(is_unfinished);
  }

  Outcome examine_top(bool is_unfinished) {
    Outcome outcome = check_unproven();
    if (outcome == Outcome::kOk) outcome = scan_top();
    if (outcome == Outcome::kOk && is_unfinished && !found_.is_sealed) {
      outcome = decide(kFactNoSeal, found_.top_number, found_.end.offset);
    }
    if (outcome == Outcome::kOk) outcome = link_files();
    if (outcome == Outcome::kOk && request_.verifies) outcome = verify_older();
    if (outcome != Outcome::kOk || is_unfinished) return outcome;
    return classify_end();
  }

  // Without a list of the directory. It is needed when the newest file has lost
  // its name, when its successor is being made, and when a SEAL has none: that
  // one is about to come, or it came and went by a checkpoint, and the sealed
  // file could not be deleted.
  Outcome look_again(bool* is_current) {
    bool is_there = false;
    Outcome outcome = check_place(&is_there);
    if (outcome != Outcome::kOk || !is_there || found_.files.empty() ||
        found_.files.back().number != found_.top_number) {
      return outcome;
    }
    bool is_unfinished = false;
    outcome = go_on(&is_unfinished);
    if (outcome != Outcome::kOk || is_unfinished) return outcome;
    outcome = examine_top(false);
    *is_current = !found_.is_sealed;
    return outcome;
  }

  Outcome replaced() {
    *failure_ = {Outcome::kReplaced, {}, request_.directory, 0, 0, ""};
    return Outcome::kReplaced;
  }

  // Whether the newest file of last time still has its name. Without it, it was
  // let go of by a checkpoint, or the whole directory is another one.
  Outcome check_place(bool* is_there) {
    const WalSeen& seen = found_.seen;
    platform::FileIdentity identity;
    IoStatus status = system_.identity(path_of(seen.number), &identity);
    if (status.code == IoCode::kNotFound) return Outcome::kOk;
    if (status.ok() && identity != seen.identity) return replaced();
    // A copy may have been written over it.
    WalHeader header;
    WalHeaderVerdict verdict = WalHeaderVerdict::kBad;
    if (status.ok()) status = read_wal_header(*seen.file, &header, &verdict);
    if (!status.ok()) return fail(status, path_of(seen.number), 0);
    if (verdict != WalHeaderVerdict::kGood || header != seen.header) {
      return replaced();
    }
    *is_there = true;
    return Outcome::kOk;
  }

  // Numbers and epochs of a log only rise, and files keep their identity.
  bool is_of_another_log(uint64_t number, const OpenedFile& opened) const {
    const WalSeen& seen = found_.seen;
    if (seen.number == 0) return false;
    return opened.header.log_id != seen.header.log_id || number < seen.number ||
           (number == seen.number && opened.identity != seen.identity) ||
           opened.header.epoch < seen.header.epoch;
  }

  // Enters the files that have come after the newest one.
  Outcome go_on(bool* is_unfinished) {
    for (;;) {
      const uint64_t top = found_.top_number;
      platform::FileIdentity identity;
      const IoStatus status = system_.identity(path_of(top + 1), &identity);
      if (status.code == IoCode::kNotFound) break;
      if (!status.ok()) return fail(status, path_of(top + 1), 0);
      OpenedFile next;
      Outcome outcome = examine(top + 1, true, &next);
      if (outcome != Outcome::kOk) return outcome;
      *is_unfinished = found_.row == WalRow::kUnfinishedFile;
      if (*is_unfinished) return Outcome::kOk;
      outcome =
          check_link(top, {found_.top, found_.seen.identity, found_.header, 0},
                     next.header);
      if (outcome != Outcome::kOk) return outcome;
      found_.files.back().end_offset = next.header.previous_end;
      found_.newest_bytes = next.bytes;
      outcome = begin(top + 1, std::move(next));
      if (outcome != Outcome::kOk) return outcome;
      found_.files.push_back(
          info_of(found_.top_number, found_.header, kWalHeaderBytes));
    }
    found_.row = WalRow::kCleanEnd;
    found_.newest_number = found_.top_number;
    found_.newest = found_.top;
    return Outcome::kOk;
  }

  static WalFileInfo info_of(uint64_t number, const WalHeader& header,
                             uint64_t end_offset) {
    return {number,        header.base_lsn,   header.epoch,
            header.branch, header.file_bytes, end_offset};
  }

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
    if (status.ok()) status = file->identity(&opened->identity);
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
    if (!*is_unfinished) return begin(newest, std::move(opened));
    if (newest == 1) {
      found_.top_number = 0;
      return found_.seen.number == 0 ? Outcome::kOk : replaced();
    }
    if (found_.top_number == newest - 1) return Outcome::kOk;
    OpenedFile older;
    outcome = examine(newest - 1, false, &older);
    return outcome == Outcome::kOk ? begin(newest - 1, std::move(older))
                                   : outcome;
  }

  Outcome begin(uint64_t number, OpenedFile opened) {
    if (is_of_another_log(number, opened)) return replaced();
    if (request_.role == WalRole::kReader) {
      found_.seen = {number, opened.file, opened.identity, opened.header};
    }
    found_.top_number = number;
    found_.top = std::move(opened.file);
    found_.header = std::move(opened.header);
    found_.kept.begin(found_.header);
    found_.told_file_bytes = 0;
    found_.end = wal_begin(found_.header);
    found_.records = 0;
    found_.proven_offset = kWalHeaderBytes;
    found_.proven_end = found_.end;
    found_.unproven.clear();
    found_.epochs = {found_.end};
    found_.is_sealed = false;
    found_.is_end_known = false;
    return Outcome::kOk;
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
      if (head.type == WalType::kSync && scanner.control_value(1) != 0) {
        found_.told_file_bytes = scanner.control_value(1);
      }
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

  // From the newest file with a header back to the newest of last time, or to
  // the oldest that is kept. What was linked before stays so; but where the
  // newest file of then ended, its successor says.
  Outcome link_files() {
    const uint64_t top = found_.top_number;
    const uint64_t oldest = found_.kept.oldest_file;
    if (oldest > top || oldest == 0) {
      return decide(kFactOldestOutside, top, 72);
    }
    std::vector<WalFileInfo>& files = found_.files;
    if (!files.empty() && files.back().number > top) files.clear();
    const uint64_t known = files.empty() ? 0 : files.back().number;
    if (known == top) {
      files.back().end_offset = found_.end.offset;
    } else {
      WalHeader next = found_.header;
      std::vector<WalFileInfo> infos = {info_of(top, next, found_.end.offset)};
      for (uint64_t number = top - 1; number >= std::max(oldest, known);
           --number) {
        OpenedFile older;
        Outcome outcome = examine(number, false, &older);
        if (outcome == Outcome::kOk) outcome = check_link(number, older, next);
        if (outcome != Outcome::kOk) return outcome;
        infos.push_back(info_of(number, older.header, next.previous_end));
        next = std::move(older.header);
      }
      if (infos.back().number == known) {
        files.pop_back();
      } else {
        files.clear();
      }
      files.insert(files.end(), infos.rbegin(), infos.rend());
    }
    if (files.front().number < oldest) {
      files.erase(files.begin(),
                  files.begin() +
                      static_cast<ptrdiff_t>(oldest - files.front().number));
    }
    return check_base(files.front());
  }

  // That the oldest file begins with, or before, the first entry that is kept.
  Outcome check_base(const WalFileInfo& oldest) {
    const bool is_late = oldest.base_lsn > found_.kept.oldest_lsn;
    return is_late ? decide(kFactOtherBase, oldest.number, 48) : Outcome::kOk;
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
