// One file: its header and length, and its place in the chain.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/durable/record_scanner.h"
#include "core/durable/wal/wal_classifier.h"
#include "core/durable/wal/wal_verify.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

}  // namespace

// Gathers the facts of header and length. What is wrong is told at the offset
// where it stands.
Outcome WalClassifier::examine(uint64_t number, bool is_newest,
                               OpenedFile* opened) {
  std::unique_ptr<File> file;
  const bool writes = is_newest && request_.role == WalRole::kWriter;
  WalHeaderVerdict verdict = WalHeaderVerdict::kBad;
  IoStatus status = system_.open(
      path_of(number), writes ? OpenMode::kReadWrite : OpenMode::kRead, &file);
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
      status =
          find_nonzero_end(*opened->file, kWalHeaderBytes, bytes, &nonzero_end);
    }
    if (!status.ok()) return fail(status, path_of(number), kWalHeaderBytes);
    if (nonzero_end == kWalHeaderBytes) facts |= kFactBlank;
  }
  return decide(facts, number, offset);
}

WalFileInfo WalClassifier::info_of(uint64_t number, const WalHeader& header,
                                   uint64_t end_offset) {
  return {number,        header.base_lsn,   header.epoch,
          header.branch, header.file_bytes, end_offset};
}

// From the newest file with a header back to the newest of last time, or to
// the oldest that is kept. What was linked before stays so; but where the
// newest file of then ended, its successor says.
Outcome WalClassifier::link_files() {
  const uint64_t top = found_.top_number;
  const uint64_t oldest = found_.kept.oldest_file;
  if (oldest > top || oldest == 0) {
    return decide(kFactOldestOutside, top, 72);
  }
  List<WalFileInfo>& files = found_.files;
  if (!files.empty() && files.back().number > top) files.clear();
  const uint64_t known = files.empty() ? 0 : files.back().number;
  if (known == top) {
    files.back().end_offset = found_.end.offset;
  } else {
    WalHeader next = found_.header;
    // The newest first.
    List<WalFileInfo> infos;
    if (!infos.try_push_back(info_of(top, next, found_.end.offset))) {
      return fail(platform::kNoMemory, path_of(top), 0);
    }
    for (uint64_t number = top - 1; number >= std::max(oldest, known);
         --number) {
      OpenedFile older;
      Outcome outcome = examine(number, false, &older);
      if (outcome == Outcome::kOk) outcome = check_link(number, older, next);
      if (outcome != Outcome::kOk) return outcome;
      if (!infos.try_push_back(
              info_of(number, older.header, next.previous_end))) {
        return fail(platform::kNoMemory, path_of(number), 0);
      }
      next = std::move(older.header);
    }
    if (infos.back().number == known) {
      files.pop_back();
    } else {
      files.clear();
    }
    std::reverse(infos.begin(), infos.end());
    if (!files.try_append(infos.data(), infos.size())) {
      files.clear();
      return fail(platform::kNoMemory, path_of(top), 0);
    }
  }
  CORE_CHECK(files.back().number == top);
  CORE_CHECK(top - files.front().number + 1 == files.size());
  if (files.front().number < oldest) {
    files.drop_front(static_cast<size_t>(oldest - files.front().number));
  }
  CORE_CHECK(!files.empty());
  return check_base(files.front());
}

// That the oldest file begins with, or before, the first entry that is kept.
Outcome WalClassifier::check_base(const WalFileInfo& oldest) {
  const bool is_late = oldest.base_lsn > found_.kept.oldest_lsn;
  return is_late ? decide(kFactOtherBase, oldest.number, 48) : Outcome::kOk;
}

// That a SEAL is where the successor says, and leads to it.
Outcome WalClassifier::check_link(uint64_t number, const OpenedFile& older,
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
Outcome WalClassifier::verify_older() {
  const List<WalFileInfo>& files = found_.files;
  const WalVerifyRequest request = {request_.directory, found_.header.log_id,
                                    files, request_.verify_threads};
  WalFileFault fault;
  const size_t newest = files.size() - 1;
  const size_t at = find_wal_fault(system_, request, 0, newest, &fault);
  if (at == newest) return Outcome::kOk;
  const uint64_t number = files[at].number;
  return fault.io.ok() ? decide(fault.facts, number, fault.offset)
                       : fail(fault.io, path_of(number), fault.offset);
}

}  // namespace atomic_log::durable
