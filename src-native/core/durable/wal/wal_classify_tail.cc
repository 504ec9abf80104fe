// The newest file: its records, and what follows the last intact one.
#include <algorithm>

#include "core/base/check.h"
#include "core/durable/record_scanner.h"
#include "core/durable/wal/wal_classifier.h"

namespace atomic_log::durable {
namespace {

using platform::IoStatus;

}  // namespace

// What is not proved may have been cut, and the log written on below it. Then
// the scan goes on from what is proved, which stays.
Outcome WalClassifier::check_unproven() {
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
  CORE_CHECK(found_.proven_end.offset <= found_.end.offset);
  found_.end = found_.proven_end;
  found_.unproven.clear();
  while (found_.epochs.back().offset > found_.end.offset) {
    found_.epochs.pop_back();
  }
  found_.is_sealed = false;
  found_.is_end_known = false;
  return Outcome::kOk;
}

Outcome WalClassifier::scan_top() {
  // Most often there is little new, or nothing.
  WalScanner scanner(*found_.top, codec_of_top(), found_.end,
                     found_.header.file_bytes, WalScanner::kReadBytesMin);
  WalVerdict verdict = WalVerdict::kNone;
  while (!found_.is_sealed &&
         (verdict = scanner.next()) == WalVerdict::kRecord) {
    const WalHead& head = scanner.head();
    // Before anything is noted, so that the scan can go on from here.
    if (!found_.epochs.try_reserve(found_.epochs.size() + 1) ||
        !found_.unproven.try_reserve(found_.unproven.size() + 1)) {
      return fail(platform::kNoMemory, path_of(found_.top_number),
                  found_.end.offset);
    }
    ++found_.records;
    found_.end = scanner.position();
    found_.last_offset = scanner.offset();
    found_.last_checksum = head.checksum;
    found_.proven_offset = std::max(found_.proven_offset, head.durable_offset);
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
      found_.unproven.drop_front(1);
    }
    CORE_CHECK(found_.proven_end.offset <= found_.proven_offset);
    CORE_CHECK(found_.epochs.back().offset <= found_.end.offset);
  }
  if (verdict == WalVerdict::kReadFailed) {
    return fail(scanner.io(), path_of(found_.top_number), found_.end.offset);
  }
  return verdict == WalVerdict::kWrongLsn
             ? decide(kFactOtherLsn, found_.top_number, found_.end.offset)
             : Outcome::kOk;
}

Outcome WalClassifier::classify_end() {
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
  CORE_CHECK(found_.nonzero_end >= end || !status.ok());
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

}  // namespace atomic_log::durable
