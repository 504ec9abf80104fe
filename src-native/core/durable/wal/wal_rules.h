// The decision table of what the directory of a write-ahead log holds, as data:
// facts in, a row out, and what a writer and a reader do then.
//
//  1. Every set of facts meets one row at most: the first whose conditions it
//     meets.
//  2. The same damage is the same row for everyone. Where a writer repairs, a
//     reader waits for it; where one refuses, so does the other.
//
// Any thread: the table never changes.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_RULES_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_RULES_H_

#include <cstdint>

namespace atomic_log::durable {

// TypeScript knows them: lib/base/codes.ts.
enum class WalRow : uint8_t {
  kNoFiles = 0,
  kCleanEnd = 1,
  kSealedEnd = 2,
  kTornTail = 3,
  kUnfinishedFile = 4,
  kProvenDamage = 5,
  kDamagedOlderFile = 6,
  kBrokenChain = 7,
  kDamagedHeader = 8,
  kForeignFile = 9,
  kNewerVersion = 10,
  kWrongLength = 11,
  kWrongLsn = 12,
};

// What opening for writing does.
enum class WalAction : uint8_t {
  kCreate,
  kAdopt,
  kAdoptAndRoll,
  kQuarantine,
  kRecreate,
  kCorrupt,
  kRefuse,
};

// What a reader does. kWait: it shows what is whole, and looks again.
enum class WalReading : uint8_t { kRead, kWait, kCorrupt, kRefuse };

using WalFacts = uint32_t;

// Of the directory.
inline constexpr WalFacts kFactNoFile = 1u << 0;
inline constexpr WalFacts kFactNumberTwice = 1u << 1;
// Of a file's header and length.
inline constexpr WalFacts kFactMissing = 1u << 2;
inline constexpr WalFacts kFactNoMagic = 1u << 3;
inline constexpr WalFacts kFactNewerVersion = 1u << 4;
inline constexpr WalFacts kFactBadHeader = 1u << 5;
inline constexpr WalFacts kFactOtherNumber = 1u << 6;
inline constexpr WalFacts kFactTooShort = 1u << 7;
inline constexpr WalFacts kFactTooLong = 1u << 8;
inline constexpr WalFacts kFactNewest = 1u << 9;
// Nothing but zeros after the header block.
inline constexpr WalFacts kFactBlank = 1u << 10;
// Of its place in the chain. kFactNoSeal: its records do not lead to a SEAL.
inline constexpr WalFacts kFactOtherLog = 1u << 11;
inline constexpr WalFacts kFactOtherBase = 1u << 12;
inline constexpr WalFacts kFactSealOutside = 1u << 13;
inline constexpr WalFacts kFactNoSeal = 1u << 14;
inline constexpr WalFacts kFactOtherSeal = 1u << 15;
inline constexpr WalFacts kFactOldestOutside = 1u << 16;
// Of where the records of the newest file end.
inline constexpr WalFacts kFactScanned = 1u << 17;
inline constexpr WalFacts kFactSealed = 1u << 18;
inline constexpr WalFacts kFactBytesAfterEnd = 1u << 19;
inline constexpr WalFacts kFactProofAfterEnd = 1u << 20;
inline constexpr WalFacts kFactOtherLsn = 1u << 21;
inline constexpr int kWalFactCount = 22;

// A row of the table. It is met when all of `all`, one of `any` (where there
// are such) and none of `none` are facts.
struct WalRule {
  WalRow row;
  WalAction action;
  WalReading reading;
  WalFacts all;
  WalFacts any;
  WalFacts none;
  const char* condition;
};

const WalRule& wal_rule(WalRow row);
// Null: nothing is to be said about these facts yet.
const WalRule* find_wal_rule(WalFacts facts);

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_RULES_H_
