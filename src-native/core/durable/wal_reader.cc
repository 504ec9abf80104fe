#include "core/durable/wal_reader.h"

#include <algorithm>
#include <tuple>

#include "core/base/little_endian.h"
#include "core/durable/record_scanner.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

constexpr uint64_t kIndexBytes = uint64_t{1} << 16;
// A checkpoint may delete files while they are looked at.
constexpr int kRefreshAttempts = 4;

constexpr const char* kDamaged =
    "a record is damaged that was durable, or was written by a later release";
constexpr const char* kBroken =
    "the files do not follow one another, or one is missing";

}  // namespace

bool add_wal_entries(const WalScanner& scanner, uint64_t from, uint64_t to,
                     WalChunk* chunk) {
  const WalHead& head = scanner.head();
  const uint8_t* const body = scanner.body();
  const auto add = [&](uint64_t lsn, const uint8_t* data, uint32_t bytes) {
    if (lsn < from || lsn > to) return;
    const bool is_batch = head.type == WalType::kBatch;
    chunk->entries.push_back({lsn, chunk->data.size(), bytes,
                              is_batch ? head.lsn : 0,
                              is_batch ? uint64_t{head.count} : 0});
    chunk->data.insert(chunk->data.end(), data, data + bytes);
  };
  if (head.type == WalType::kData) add(head.lsn, body, head.body_bytes);
  if (head.type != WalType::kBatch) return true;
  uint64_t at = kWalBatchItemBytes * uint64_t{head.count};
  for (uint32_t i = 0; i < head.count; ++i) {
    const uint32_t bytes = load_u32(body + kWalBatchItemBytes * i);
    if (bytes > head.body_bytes - at) return false;
    add(head.lsn + i, body + at, bytes);
    at += bytes;
  }
  return true;
}

Outcome WalReader::fail(const IoStatus& io, uint64_t number, uint64_t offset,
                        Failure* failure) const {
  *failure = {Outcome::kIo, io, wal_file_path(directory_, number),
              offset,       0,  ""};
  return Outcome::kIo;
}

Outcome WalReader::corrupt(uint64_t number, uint64_t offset, const char* detail,
                           Failure* failure) const {
  *failure = {Outcome::kCorrupt,
              {},
              wal_file_path(directory_, number),
              offset,
              0,
              detail};
  return Outcome::kCorrupt;
}

void WalReader::update(const WalLogId& log_id,
                       const std::vector<WalFileInfo>& files,
                       uint64_t first_lsn, uint64_t last_lsn) {
  std::vector<LogFile> updated;
  for (const WalFileInfo& info : files) {
    LogFile* const known = find_number(info.number);
    if (known != nullptr) {
      known->info = info;
      updated.push_back(std::move(*known));
      known->info.number = 0;
    } else {
      LogFile added;
      added.info = info;
      added.log_id = log_id;
      added.scanned = {kWalHeaderBytes, info.base_lsn, info.epoch, info.branch};
      added.index.push_back(added.scanned);
      updated.push_back(std::move(added));
    }
  }
  files_ = std::move(updated);
  first_lsn_ = first_lsn;
  last_lsn_ = last_lsn;
}

std::vector<WalFileInfo> WalReader::files() const {
  std::vector<WalFileInfo> infos;
  for (const LogFile& file : files_) infos.push_back(file.info);
  return infos;
}

void WalReader::close() {
  files_.clear();
  top_file_.reset();
  probe_ = {};
  last_lsn_ = first_lsn_ - 1;
}

WalReader::LogFile* WalReader::find(uint64_t lsn) {
  const auto found = std::find_if(
      files_.rbegin(), files_.rend(),
      [lsn](const LogFile& file) { return file.info.base_lsn <= lsn; });
  return found == files_.rend() ? nullptr : &*found;
}

WalReader::LogFile* WalReader::find_number(uint64_t number) {
  const auto found = std::find_if(
      files_.begin(), files_.end(),
      [number](const LogFile& file) { return file.info.number == number; });
  return found == files_.end() ? nullptr : &*found;
}

uint64_t WalReader::end_lsn(const LogFile& file) const {
  uint64_t end = last_lsn_ + 1;
  for (const LogFile& later : files_) {
    if (later.info.number > file.info.number) {
      end = std::min(end, later.info.base_lsn);
    }
  }
  return end;
}

Outcome WalReader::open(LogFile& file, Failure* failure) {
  if (file.file != nullptr) return Outcome::kOk;
  std::unique_ptr<File> opened;
  const IoStatus status = system_.open(
      wal_file_path(directory_, file.info.number), OpenMode::kRead, &opened);
  if (status.code == IoCode::kNotFound) {
    *failure = {Outcome::kCheckpointed, status,     directory_,
                file.info.base_lsn,     first_lsn_, ""};
    return Outcome::kCheckpointed;
  }
  if (!status.ok()) return fail(status, file.info.number, 0, failure);
  file.file = std::move(opened);
  return Outcome::kOk;
}

void WalReader::note(LogFile& file, const WalPosition& position) {
  if (position.offset <= file.scanned.offset) return;
  file.scanned = position;
  if (position.offset - file.index.back().offset >= kIndexBytes) {
    file.index.push_back(position);
  }
}

Outcome WalReader::scan_failure(const LogFile& file, const WalScanner& scanner,
                                WalVerdict verdict, Failure* failure) {
  const uint64_t offset = scanner.position().offset;
  if (verdict == WalVerdict::kReadFailed) {
    return fail(scanner.io(), file.info.number, offset, failure);
  }
  return corrupt(file.info.number, offset, kDamaged, failure);
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
  WalPosition position = *std::prev(std::upper_bound(
      file.index.begin(), file.index.end(), from,
      [](uint64_t lsn, const WalPosition& at) { return lsn < at.lsn; }));
  if (hint_number_ == file.info.number && hint_.lsn <= from &&
      hint_.offset > position.offset && hint_.offset <= file.info.end_offset) {
    position = hint_;
  }
  WalScanner scanner(*file.file, WalCodec(file.log_id, file.info.number),
                     position, file.info.end_offset);
  while (scanner.position().lsn <= to && chunk->data.size() < bytes_max &&
         scanner.position().offset < file.info.end_offset) {
    const WalVerdict verdict = scanner.next();
    if (verdict != WalVerdict::kRecord) {
      return scan_failure(file, scanner, verdict, failure);
    }
    note(file, scanner.position());
    if (!add_wal_entries(scanner, from, to, chunk)) {
      return corrupt(file.info.number, scanner.offset(), kDamaged, failure);
    }
  }
  hint_number_ = file.info.number;
  hint_ = scanner.position();
  return Outcome::kOk;
}

Outcome WalReader::read(uint64_t from, uint64_t to, size_t bytes_max,
                        WalChunk* chunk, Failure* failure) {
  chunk->data.clear();
  chunk->entries.clear();
  to = std::min(to, last_lsn_);
  if (from < first_lsn_) {
    *failure = {Outcome::kCheckpointed, {}, directory_, from, first_lsn_, ""};
    return Outcome::kCheckpointed;
  }
  while (from <= to && chunk->data.size() < bytes_max) {
    LogFile* const file = find(from);
    if (file == nullptr) return corrupt(0, 0, kBroken, failure);
    const uint64_t end = end_lsn(*file);
    const size_t before = chunk->entries.size();
    const Outcome outcome = read_file(*file, from, std::min(to, end - 1),
                                      bytes_max, chunk, failure);
    // What was read before the trouble is good.
    if (outcome != Outcome::kOk) {
      return chunk->entries.empty() ? outcome : Outcome::kOk;
    }
    if (chunk->entries.size() == before) {
      return corrupt(file->info.number, hint_.offset, kDamaged, failure);
    }
    from = chunk->entries.back().lsn + 1;
  }
  return Outcome::kOk;
}

Outcome WalReader::seek_point(uint64_t lsn, uint64_t* point, Failure* failure) {
  LogFile* const file = find(lsn);
  if (file == nullptr || lsn < first_lsn_) {
    *failure = {Outcome::kCheckpointed, {}, directory_, lsn, first_lsn_, ""};
    return Outcome::kCheckpointed;
  }
  Outcome outcome = open(*file, failure);
  if (outcome == Outcome::kOk) outcome = extend_index(*file, lsn, failure);
  if (outcome != Outcome::kOk) return outcome;
  *point =
      std::prev(std::upper_bound(file->index.begin(), file->index.end(), lsn,
                                 [](uint64_t wanted, const WalPosition& at) {
                                   return wanted < at.lsn;
                                 }))
          ->lsn;
  return Outcome::kOk;
}

Outcome WalReader::refresh(Failure* failure) {
  Outcome outcome = Outcome::kOk;
  for (int attempt = 0; attempt < kRefreshAttempts; ++attempt) {
    outcome = try_refresh(failure);
    if (outcome == Outcome::kOk) break;
    // The writer may have been at work: look at everything afresh.
    probe_ = {};
  }
  return outcome;
}

Outcome WalReader::try_refresh(Failure* failure) {
  WalListing listing;
  const IoStatus status = list_wal_files(system_, directory_, &listing);
  if (!status.ok()) {
    *failure = {Outcome::kIo, status, directory_, 0, 0, ""};
    return Outcome::kIo;
  }
  uint64_t top = 0;
  Outcome outcome = find_top(listing, &top, failure);
  // Nothing there yet.
  if (outcome != Outcome::kOk || top == 0) return outcome;
  outcome = probe_top(top, failure);
  if (outcome == Outcome::kOk) outcome = link_files(top, failure);
  return outcome;
}

Outcome WalReader::load_header(uint64_t number, WalHeader* header,
                               WalHeaderVerdict* verdict, uint64_t* bytes,
                               std::shared_ptr<File>* file, Failure* failure) {
  std::unique_ptr<File> opened;
  IoStatus status =
      system_.open(wal_file_path(directory_, number), OpenMode::kRead, &opened);
  if (status.code == IoCode::kNotFound) {
    return corrupt(number, 0, kBroken, failure);
  }
  if (status.ok()) status = opened->size(bytes);
  if (status.ok()) status = read_wal_header(*opened, header, verdict);
  if (!status.ok()) return fail(status, number, 0, failure);
  *file = std::move(opened);
  if (*verdict == WalHeaderVerdict::kForeign ||
      *verdict == WalHeaderVerdict::kNewer) {
    *failure = {Outcome::kFormat,
                {},
                wal_file_path(directory_, number),
                0,
                0,
                "this is not a file of a write-ahead log, or of a newer "
                "version"};
    return Outcome::kFormat;
  }
  if (*verdict == WalHeaderVerdict::kGood && header->file_number != number) {
    return corrupt(number, 32, kBroken, failure);
  }
  return Outcome::kOk;
}

// The newest file with a header; 0 when there is none yet. One that is being
// made, or will be made again, is waited for.
Outcome WalReader::find_top(const WalListing& listing, uint64_t* top,
                            Failure* failure) {
  if (listing.has_duplicate) {
    return corrupt(listing.numbers.back(), 0, kBroken, failure);
  }
  for (size_t back = 0; back < 2 && back < listing.numbers.size(); ++back) {
    const uint64_t number = listing.numbers[listing.numbers.size() - 1 - back];
    if (number == probe_.number) {
      *top = number;
      return Outcome::kOk;
    }
    WalHeaderVerdict verdict = WalHeaderVerdict::kBad;
    uint64_t bytes = 0;
    const Outcome outcome = load_header(number, &top_header_, &verdict, &bytes,
                                        &top_file_, failure);
    if (outcome != Outcome::kOk) return outcome;
    if (verdict == WalHeaderVerdict::kGood && bytes == top_header_.file_bytes) {
      *top = number;
      probe_ = {};
      probe_.number = number;
      probe_.position = wal_begin(top_header_);
      probe_.proven_offset = probe_.end_offset = kWalHeaderBytes;
      probe_.next_lsn = top_header_.base_lsn;
      oldest_lsn_ = top_header_.oldest_lsn;
      oldest_file_ = top_header_.oldest_file;
      metadata_ = top_header_.metadata;
      return Outcome::kOk;
    }
    uint64_t nonzero_end = kWalHeaderBytes;
    if (bytes > kWalHeaderBytes) {
      const IoStatus status =
          find_nonzero_end(*top_file_, kWalHeaderBytes, bytes, &nonzero_end);
      if (!status.ok()) return fail(status, number, kWalHeaderBytes, failure);
    }
    if (back > 0 || nonzero_end > kWalHeaderBytes) {
      return corrupt(number, 0,
                     "the header of a file that holds records is damaged",
                     failure);
    }
  }
  return Outcome::kOk;
}

// Looks on where the last refresh stopped.
Outcome WalReader::probe_top(uint64_t top, Failure* failure) {
  const WalCodec codec(top_header_.log_id, top);
  WalScanner scanner(*top_file_, codec, probe_.position,
                     top_header_.file_bytes);
  WalVerdict verdict = WalVerdict::kRecord;
  bool is_sealed = false;
  while (!is_sealed && (verdict = scanner.next()) == WalVerdict::kRecord) {
    const WalHead& head = scanner.head();
    probe_.proven_offset = std::max(probe_.proven_offset, head.durable_offset);
    // Whether it is proved or not: the files may be gone already.
    if (head.type == WalType::kCheckpoint) {
      oldest_lsn_ = scanner.control_value(0);
      oldest_file_ = scanner.control_value(1);
    }
    if (head.type == WalType::kSeal) {
      // It is looked at again until the successor is there.
      is_sealed = true;
      break;
    }
    probe_.unproven.emplace_back(scanner.position().offset,
                                 scanner.position().lsn);
    while (!probe_.unproven.empty() &&
           probe_.unproven.front().first <= probe_.proven_offset) {
      std::tie(probe_.end_offset, probe_.next_lsn) = probe_.unproven.front();
      probe_.unproven.pop_front();
    }
    probe_.position = scanner.position();
  }
  if (verdict == WalVerdict::kReadFailed) {
    return fail(scanner.io(), top, scanner.position().offset, failure);
  }
  if (verdict == WalVerdict::kWrongLsn) {
    return corrupt(top, scanner.position().offset, kDamaged, failure);
  }
  if (is_sealed || probe_.was_checked) return Outcome::kOk;
  probe_.was_checked = true;
  return check_stop(*top_file_, codec, scanner, failure);
}

// Whether what stopped the scan is damage: seen once for each file that is
// followed, and whenever something goes wrong.
Outcome WalReader::check_stop(File& file, const WalCodec& codec,
                              WalScanner& scanner, Failure* failure) {
  uint64_t proof = 0;
  const uint64_t offset = scanner.position().offset;
  const IoStatus status =
      find_wal_proof(file, codec, offset, top_header_.file_bytes, &proof);
  if (!status.ok()) return fail(status, probe_.number, offset, failure);
  if (proof == 0) return Outcome::kOk;
  // The writer may have written both meanwhile.
  scanner.set_end(top_header_.file_bytes);
  return scanner.next() == WalVerdict::kRecord
             ? Outcome::kOk
             : corrupt(probe_.number, offset, kDamaged, failure);
}

// Makes files_ what there is, from the oldest kept to the newest.
Outcome WalReader::link_files(uint64_t top, Failure* failure) {
  std::vector<WalFileInfo> infos = {
      {top, top_header_.base_lsn, top_header_.epoch, top_header_.branch,
       top_header_.file_bytes, probe_.end_offset}};
  WalHeader next = top_header_;
  for (uint64_t number = top - 1; number >= oldest_file_ && number > 0;
       --number) {
    const LogFile* const known = find_number(number);
    // Files before one that was linked already were linked too.
    if (known != nullptr && number + 1 < top && find_number(number + 1)) {
      infos.push_back(known->info);
      continue;
    }
    WalHeader header;
    WalHeaderVerdict verdict = WalHeaderVerdict::kBad;
    uint64_t bytes = 0;
    std::shared_ptr<File> file;
    const Outcome outcome =
        load_header(number, &header, &verdict, &bytes, &file, failure);
    if (outcome != Outcome::kOk) return outcome;
    if (verdict != WalHeaderVerdict::kGood || bytes != header.file_bytes ||
        header.log_id != next.log_id ||
        next.previous_next_base != next.base_lsn || next.previous_end > bytes) {
      return corrupt(number, 0, kBroken, failure);
    }
    if (next.previous_end < kWalHeaderBytes + kWalControlBytes) {
      return corrupt(number + 1, 80, kBroken, failure);
    }
    const uint64_t seal = next.previous_end - kWalControlBytes;
    uint32_t checksum = 0;
    const IoStatus status =
        read_wal_seal(*file, WalCodec(header.log_id, number), seal, &checksum);
    if (!status.ok()) return fail(status, number, seal, failure);
    if (checksum != next.previous_seal_checksum) {
      return corrupt(number, seal, kBroken, failure);
    }
    infos.push_back({number, header.base_lsn, header.epoch, header.branch,
                     header.file_bytes, next.previous_end});
    next = std::move(header);
  }
  std::reverse(infos.begin(), infos.end());
  update(top_header_.log_id, infos, oldest_lsn_, probe_.next_lsn - 1);
  return Outcome::kOk;
}

}  // namespace atomic_log::durable
