#include "core/durable/wal/wal_rules.h"

#include <algorithm>
#include <iterator>

namespace atomic_log::durable {
namespace {

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
    {WalRow::kTornTail, WalAction::kQuarantine, WalReading::kWait,
     kFactScanned | kFactBytesAfterEnd, 0, kFactSealed,
     "the newest file ends in a torn record, and nothing after it proves that "
     "it was durable"},
    {WalRow::kCleanEnd, WalAction::kAdopt, WalReading::kRead, kFactScanned, 0,
     kFactSealed, "zeros follow the last record of the newest file"},
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
}  // namespace atomic_log::durable
