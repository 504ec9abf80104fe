#include "core/durable/wal/wal_reader.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/little_endian.h"

namespace atomic_log::durable {
namespace {

using platform::IoCode;
using platform::IoStatus;

constexpr uint64_t kIndexBytes = uint64_t{1} << 16;

}  // namespace

WalAdded add_wal_entries(const WalScanner& scanner, uint64_t from, uint64_t to,
                         WalChunk* chunk) {
  const WalHead& head = scanner.head();
  const uint8_t* const body = scanner.body();
  if (!chunk->data.try_reserve(chunk->data.size() + head.body_bytes) ||
      !chunk->entries.try_reserve(chunk->entries.size() + head.count) ||
      !chunk->pasts.try_reserve(chunk->pasts.size() + 1)) {
    return WalAdded::kNoMemory;
  }
  const auto add = [&](uint64_t lsn, const uint8_t* data, uint32_t bytes) {
    if (lsn < from || lsn > to) return;
    const bool is_batch = head.type == WalType::kBatch;
    const WalPast past = {lsn, head.epoch, scanner.branch()};
    if (chunk->pasts.empty() || chunk->pasts.back().epoch != past.epoch ||
        chunk->pasts.back().branch != past.branch) {
      chunk->pasts.push_back(past);
    }
    chunk->entries.push_back({lsn, chunk->data.size(), bytes,
                              is_batch ? head.lsn : 0,
                              is_batch ? uint64_t{head.count} : 0});
    chunk->data.append(data, bytes);
  };
  if (head.type == WalType::kData) add(head.lsn, body, head.body_bytes);
  if (head.type != WalType::kBatch) return WalAdded::kAll;
  uint64_t at = kWalBatchItemBytes * uint64_t{head.count};
  for (uint32_t i = 0; i < head.count; ++i) {
    const uint32_t bytes = load_u32(body + kWalBatchItemBytes * i);
    if (bytes > head.body_bytes - at) return WalAdded::kBadParts;
    add(head.lsn + i, body + at, bytes);
    at += bytes;
  }
  return WalAdded::kAll;
}

Outcome WalReader::fail(const IoStatus& io, uint64_t number, uint64_t offset,
                        Failure* failure) const {
  *failure = {Outcome::kIo, io, wal_file_path(directory_, number),
              offset,       0,  ""};
  return Outcome::kIo;
}

// What is read was whole when its place was found out.
Outcome WalReader::damaged(const LogFile& file, uint64_t offset, WalFacts facts,
                           Failure* failure) const {
  const bool has_successor = file.info.number != newest_file();
  if (facts == 0) {
    facts = has_successor ? kFactNoSeal : kFactScanned | kFactProofAfterEnd;
  }
  *failure = {Outcome::kCorrupt,
              {},
              wal_file_path(directory_, file.info.number),
              offset,
              0,
              find_wal_rule(facts)->condition};
  return Outcome::kCorrupt;
}

IoStatus WalReader::update(const WalLogId& log_id,
                           const List<WalFileInfo>& files, uint64_t newest_end,
                           uint64_t first_lsn, uint64_t last_lsn) {
  CORE_CHECK(!files.empty());
  const uint64_t oldest = files.front().number;
  CORE_CHECK(files.back().number - oldest + 1 == files.size());
  // Not for all of them: a list that has room for twice as many as it holds
  // would be moved whenever a file comes and another one goes.
  const uint64_t last_known = std::max(newest_file(), oldest - 1);
  CORE_CHECK(last_known <= files.back().number);
  if (!files_.try_reserve(
          static_cast<size_t>(files.back().number - last_known))) {
    return platform::kNoMemory;
  }
  files_.drop_below(oldest);
  uint64_t next = oldest;
  if (!files_.is_empty()) {
    WalFileInfo& known = files_.newest().info;
    CORE_CHECK(known.number <= files.back().number);
    known = files[static_cast<size_t>(known.number - oldest)];
    next = known.number + 1;
  }
  for (; next - oldest < files.size(); ++next) {
    files_.add(files[static_cast<size_t>(next - oldest)], log_id);
  }
  CORE_CHECK(newest_end <= files.back().bytes);
  files_.newest().info.end_offset = newest_end;
  first_lsn_ = first_lsn;
  last_lsn_ = last_lsn;
  return {};
}

void WalReader::close() {
  files_.clear();
  found_ = {};
  shown_ = {};
  last_lsn_ = first_lsn_ - 1;
}

// A file of the same name in another directory is another file, of a copy of the
// same log perhaps.
Outcome WalReader::check_place(Failure* failure) {
  if (!lock_.has_value()) return Outcome::kOk;
  const IoStatus status = check_wal_place(system_, directory_, *lock_);
  if (status.ok()) return Outcome::kOk;
  const Outcome outcome =
      status.code == IoCode::kNotFound ? Outcome::kReplaced : Outcome::kIo;
  *failure = {outcome, status, directory_, 0, 0, ""};
  return outcome;
}

Outcome WalReader::open(LogFile& file, Failure* failure) {
  if (file.file == nullptr) {
    const Outcome place = check_place(failure);
    if (place != Outcome::kOk) return place;
  }
  const IoStatus status = files_.open(system_, directory_, file);
  if (status.code == IoCode::kNotFound) {
    *failure = {Outcome::kCheckpointed, status,     directory_,
                file.info.base_lsn,     first_lsn_, ""};
    return Outcome::kCheckpointed;
  }
  if (!status.ok()) return fail(status, file.info.number, 0, failure);
  return Outcome::kOk;
}

void WalReader::note(LogFile& file, const WalPosition& position) {
  if (position.offset <= file.scanned.offset) return;
  CORE_CHECK(position.lsn >= file.scanned.lsn);
  const WalPosition& last = file.index.empty() ? file.begin : file.index.back();
  CORE_CHECK(last.offset <= file.scanned.offset);
  file.scanned = position;
  if (position.offset - last.offset < kIndexBytes) return;
  // Without it, reading begins further back.
  (void)file.index.try_push_back(position);
}

Outcome WalReader::scan_failure(const LogFile& file, const WalScanner& scanner,
                                WalVerdict verdict, Failure* failure) {
  const uint64_t offset = scanner.position().offset;
  if (verdict == WalVerdict::kReadFailed) {
    return fail(scanner.io(), file.info.number, offset, failure);
  }
  return damaged(file, offset,
                 verdict == WalVerdict::kWrongLsn ? kFactOtherLsn : 0, failure);
}

// Scans on until the index covers `lsn`.
Outcome WalReader::extend_index(LogFile& file, uint64_t lsn, Failure* failure) {
  if (file.scanned.lsn > lsn || file.scanned.offset >= file.info.end_offset) {
    return Outcome::kOk;
  }
  WalScanner scanner(*file.file, WalCodec(file.log_id, file.info.number),
                     file.scanned, file.info.end_offset);
  while (file.scanned.lsn <= lsn &&
         file.scanned.offset < file.info.end_offset) {
    const WalVerdict verdict = scanner.next();
    if (verdict != WalVerdict::kRecord) {
      return scan_failure(file, scanner, verdict, failure);
    }
    note(file, scanner.position());
  }
  return Outcome::kOk;
}

Outcome WalReader::read_file(LogFile& file, uint64_t from, uint64_t to,
                             size_t bytes_max, WalChunk* chunk,
                             Failure* failure) {
  Outcome outcome = open(file, failure);
  if (outcome == Outcome::kOk) outcome = extend_index(file, from, failure);
  if (outcome != Outcome::kOk) return outcome;
  WalPosition position = file.nearest(from);
  if (hint_number_ == file.info.number && hint_.lsn <= from &&
      hint_.offset > position.offset && hint_.offset <= file.info.end_offset) {
    position = hint_;
  }
  CORE_CHECK(position.lsn <= from);
  WalScanner scanner(*file.file, WalCodec(file.log_id, file.info.number),
                     position, file.info.end_offset, bytes_max);
  while (scanner.position().lsn <= to && chunk->data.size() < bytes_max &&
         scanner.position().offset < file.info.end_offset) {
    const WalVerdict verdict = scanner.next();
    if (verdict != WalVerdict::kRecord) {
      return scan_failure(file, scanner, verdict, failure);
    }
    note(file, scanner.position());
    const WalAdded added = add_wal_entries(scanner, from, to, chunk);
    if (added == WalAdded::kNoMemory) {
      return fail(platform::kNoMemory, file.info.number, scanner.offset(),
                  failure);
    }
    if (added == WalAdded::kBadParts) {
      return damaged(file, scanner.offset(), 0, failure);
    }
  }
  hint_number_ = file.info.number;
  hint_ = scanner.position();
  return Outcome::kOk;
}

Outcome WalReader::read(uint64_t from, uint64_t to, size_t bytes_max,
                        WalChunk* chunk, Failure* failure) {
  const Outcome outcome = try_read(from, to, bytes_max, chunk, failure);
  return explain(from, outcome, failure);
}

Outcome WalReader::try_read(uint64_t from, uint64_t to, size_t bytes_max,
                            WalChunk* chunk, Failure* failure) {
  chunk->data.clear();
  chunk->entries.clear();
  chunk->pasts.clear();
  to = std::min(to, last_lsn_);
  if (from < first_lsn_) {
    *failure = {Outcome::kCheckpointed, {}, directory_, from, first_lsn_, ""};
    return Outcome::kCheckpointed;
  }
  while (from <= to && chunk->data.size() < bytes_max) {
    LogFile* const file = files_.find(from);
    if (file == nullptr) {
      return damaged(files_.oldest(), 48, kFactOtherBase, failure);
    }
    const uint64_t end = files_.end_lsn(*file);
    CORE_CHECK(file->info.base_lsn <= from && from < end);
    const size_t before = chunk->entries.size();
    const Outcome outcome = read_file(*file, from, std::min(to, end - 1),
                                      bytes_max, chunk, failure);
    // What was read before the trouble is good.
    if (outcome != Outcome::kOk) {
      return chunk->entries.empty() ? outcome : Outcome::kOk;
    }
    if (chunk->entries.size() == before) {
      return damaged(*file, hint_.offset, 0, failure);
    }
    CORE_CHECK(chunk->entries.back().lsn >= from &&
               chunk->entries.back().lsn <= to);
    from = chunk->entries.back().lsn + 1;
  }
  return Outcome::kOk;
}

Outcome WalReader::check_past(const WalPast& past, Failure* failure) {
  return explain(past.lsn, try_check_past(past, failure), failure);
}

Outcome WalReader::try_check_past(const WalPast& past, Failure* failure) {
  const uint64_t lsn = past.lsn;
  // A truncation that was cut short takes effect when the log is opened.
  const bool is_taken_back = found_.is_sealed && lsn >= found_.next_base;
  if (files_.is_empty() || is_taken_back) {
    *failure = {Outcome::kTruncated, {}, directory_, lsn, last_lsn_, ""};
    return Outcome::kTruncated;
  }
  // Whether or not it is the same one, what follows it is gone.
  const bool is_too_old = lsn + 1 < first_lsn_;
  LogFile* const file = is_too_old ? nullptr : files_.find(lsn);
  if (file != nullptr) return find_past(*file, past, failure);
  // Its file is gone; the header of the next one says what came before.
  const WalFileInfo& oldest = files_.oldest().info;
  if (!is_too_old && oldest.base_lsn == lsn + 1 && oldest.epoch == past.epoch &&
      oldest.branch == past.branch) {
    return Outcome::kOk;
  }
  *failure = {Outcome::kCheckpointed, {}, directory_, lsn, first_lsn_, ""};
  return Outcome::kCheckpointed;
}

// In the newest file, what is intact counts too: the writer's own process gives
// entries out before a record proves to others that they are on disk.
Outcome WalReader::find_past(LogFile& file, const WalPast& past,
                             Failure* failure) {
  const Outcome opened = open(file, failure);
  if (opened != Outcome::kOk) return opened;
  const bool is_newest = file.info.number == newest_file();
  const WalPosition from = file.nearest(past.lsn);
  WalScanner scanner(*file.file, WalCodec(file.log_id, file.info.number), from,
                     is_newest ? file.info.bytes : file.info.end_offset,
                     WalScanner::kReadBytesMin);
  bool is_same = false;
  while (scanner.position().lsn <= past.lsn) {
    const WalVerdict verdict = scanner.next();
    if (verdict != WalVerdict::kRecord) {
      const bool is_end = verdict == WalVerdict::kNone &&
                          scanner.position().offset >= file.info.end_offset;
      if (is_end) break;
      return scan_failure(file, scanner, verdict, failure);
    }
    if (scanner.head().type == WalType::kSeal) break;
    is_same = scanner.position().lsn > past.lsn &&
              scanner.head().epoch == past.epoch &&
              scanner.branch() == past.branch;
  }
  if (is_same) return Outcome::kOk;
  *failure = {Outcome::kTruncated, {}, directory_, past.lsn, last_lsn_, ""};
  return Outcome::kTruncated;
}

Outcome WalReader::seek_point(uint64_t lsn, uint64_t* point, Failure* failure) {
  return explain(lsn, try_seek_point(lsn, point, failure), failure);
}

Outcome WalReader::try_seek_point(uint64_t lsn, uint64_t* point,
                                  Failure* failure) {
  LogFile* const file = files_.find(lsn);
  if (file == nullptr || lsn < first_lsn_) {
    *failure = {Outcome::kCheckpointed, {}, directory_, lsn, first_lsn_, ""};
    return Outcome::kCheckpointed;
  }
  Outcome outcome = open(*file, failure);
  if (outcome == Outcome::kOk) outcome = extend_index(*file, lsn, failure);
  if (outcome != Outcome::kOk) return outcome;
  *point = file->nearest(lsn).lsn;
  return Outcome::kOk;
}

}  // namespace atomic_log::durable
