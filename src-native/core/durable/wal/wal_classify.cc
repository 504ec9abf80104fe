#include "core/durable/wal/wal_classify.h"

#include <utility>

#include "core/base/check.h"
#include "core/durable/wal/wal_classifier.h"

namespace atomic_log::durable {
namespace {

using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;

}  // namespace

Outcome WalClassifier::run() {
  bool is_current = false;
  if (found_.seen.number != 0) {
    const Outcome outcome = look_again(&is_current);
    if (outcome != Outcome::kOk || is_current) return outcome;
  }
  return list();
}

Outcome WalClassifier::list() {
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

Outcome WalClassifier::examine_top(bool is_unfinished) {
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

// The newest file with a header.
Outcome WalClassifier::find_top(bool* is_unfinished) {
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

Outcome WalClassifier::begin(uint64_t number, OpenedFile opened) {
  if (is_of_another_log(number, opened)) return replaced();
  if (request_.role == WalRole::kReader) {
    found_.seen = {number, opened.file, opened.identity, opened.header};
  }
  CORE_CHECK(opened.file != nullptr && opened.header.file_number == number);
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
  found_.epochs.clear();
  if (!found_.epochs.try_push_back(found_.end)) {
    return fail(platform::kNoMemory, path_of(number), 0);
  }
  found_.is_sealed = false;
  found_.is_end_known = false;
  return Outcome::kOk;
}

// Without a list of the directory. It is needed when the newest file has lost
// its name, when its successor is being made, and when a SEAL has none: that
// one is about to come, or it came and went by a checkpoint, and the sealed
// file could not be deleted.
Outcome WalClassifier::look_again(bool* is_current) {
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

// Whether the newest file of last time still has its name. Without it, it was
// dropped by a checkpoint, or the whole directory is another one.
Outcome WalClassifier::check_place(bool* is_there) {
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
bool WalClassifier::is_of_another_log(uint64_t number,
                                      const OpenedFile& opened) const {
  const WalSeen& seen = found_.seen;
  if (seen.number == 0) return false;
  return opened.header.log_id != seen.header.log_id || number < seen.number ||
         (number == seen.number && opened.identity != seen.identity) ||
         opened.header.epoch < seen.header.epoch;
}

// Enters the files that have come after the newest one.
Outcome WalClassifier::go_on(bool* is_unfinished) {
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
    outcome = check_link(
        top, {found_.top, found_.seen.identity, found_.header, 0}, next.header);
    if (outcome != Outcome::kOk) return outcome;
    if (!found_.files.try_reserve(found_.files.size() + 1)) {
      return fail(platform::kNoMemory, path_of(top + 1), 0);
    }
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

Outcome WalClassifier::replaced() {
  *failure_ = {Outcome::kReplaced, {}, request_.directory, 0, 0, ""};
  return Outcome::kReplaced;
}

Outcome WalClassifier::fail(const IoStatus& io, const std::string& path,
                            uint64_t offset) {
  *failure_ = {Outcome::kIo, io, path, offset, 0, ""};
  return Outcome::kIo;
}

std::string WalClassifier::path_of(uint64_t number) const {
  return wal_file_path(request_.directory, number);
}

WalCodec WalClassifier::codec_of_top() const {
  return WalCodec(found_.header.log_id, found_.top_number);
}

Outcome WalClassifier::outcome_of(const WalRule& rule) const {
  if (request_.role == WalRole::kReader) {
    if (rule.reading == WalReading::kCorrupt) return Outcome::kCorrupt;
    if (rule.reading == WalReading::kRefuse) return Outcome::kFormat;
    return Outcome::kOk;
  }
  if (rule.action == WalAction::kCorrupt) return Outcome::kCorrupt;
  if (rule.action == WalAction::kRefuse) return Outcome::kFormat;
  const bool is_torn = rule.action == WalAction::kQuarantine;
  return is_torn && request_.is_tail_strict ? Outcome::kTornTail : Outcome::kOk;
}

// Refuses when the row that the facts meet says so; where they meet none,
// there is nothing to say.
Outcome WalClassifier::decide(WalFacts facts, uint64_t number,
                              uint64_t offset) {
  const WalRule* const rule = find_wal_rule(facts);
  if (rule == nullptr) return Outcome::kOk;
  found_.row = rule->row;
  const Outcome outcome = outcome_of(*rule);
  if (outcome != Outcome::kOk) {
    *failure_ = {outcome, {}, path_of(number), offset, 0, rule->condition};
  }
  return outcome;
}

Outcome classify_wal(FileSystem& system, const WalClassifyRequest& request,
                     WalClassification* found, Failure* failure) {
  return WalClassifier(system, request, found, failure).run();
}

}  // namespace atomic_log::durable
