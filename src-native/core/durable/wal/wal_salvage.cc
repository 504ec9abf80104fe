#include "core/durable/wal/wal_salvage.h"

#include <algorithm>
#include <memory>

#include "core/base/check.h"
#include "core/durable/wal/wal_classify.h"
#include "core/durable/wal/wal_files.h"
#include "core/durable/wal/wal_scanner.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoStatus;
using platform::OpenMode;

Outcome fail(const IoStatus& io, const std::string& path, uint64_t offset,
             Failure* failure) {
  *failure = {Outcome::kIo, io, path, offset, 0, ""};
  return Outcome::kIo;
}

// The head at `offset`, or else the next intact one; *offset is the file's end
// when there is none.
IoStatus seek_head(File& file, const WalCodec& codec, uint64_t end,
                   uint64_t* offset, WalHead* head) {
  uint8_t bytes[kWalHeadBytes];
  const auto read_head = [&](bool* is_good) {
    size_t read = 0;
    const IoStatus status = file.read_at(*offset, bytes, sizeof(bytes), &read);
    *is_good = status.ok() && read == sizeof(bytes) &&
               codec.decode_head(*offset, bytes, head);
    return status;
  };
  bool is_good = false;
  IoStatus status = read_head(&is_good);
  if (!status.ok() || is_good) return status;
  uint64_t found = 0;
  status = find_wal_head(file, codec, *offset, end, 0, &found);
  if (!status.ok()) return status;
  *offset = found == 0 ? end : found;
  return found == 0 ? IoStatus{} : read_head(&is_good);
}

}  // namespace

Outcome salvage_wal_file(FileSystem& system, const std::string& directory,
                         const WalLogId& log_id, uint64_t number, uint64_t from,
                         size_t bytes_max, WalSalvaged* salvaged,
                         Failure* failure) {
  *salvaged = {};
  const std::string path = wal_file_path(directory, number);
  std::unique_ptr<File> file;
  uint64_t end = 0;
  IoStatus status = system.open(path, OpenMode::kRead, &file);
  if (status.ok()) status = file->size(&end);
  if (!status.ok()) return fail(status, path, 0, failure);
  const WalCodec codec(log_id, number);
  uint64_t offset = std::max<uint64_t>(from, kWalHeaderBytes);
  while (offset < end && salvaged->chunk.data.size() < bytes_max) {
    WalHead head;
    status = seek_head(*file, codec, end, &offset, &head);
    if (!status.ok()) return fail(status, path, offset, failure);
    if (offset >= end) break;
    WalScanner scanner(*file, codec, {offset, head.lsn, head.epoch, 0}, end);
    WalVerdict verdict = WalVerdict::kNone;
    while (salvaged->chunk.data.size() < bytes_max &&
           (verdict = scanner.next()) == WalVerdict::kRecord) {
      WalKept kept;
      kept.apply(scanner);
      salvaged->oldest_lsn = std::max(salvaged->oldest_lsn, kept.oldest_lsn);
      if (scanner.head().type == WalType::kSync &&
          scanner.control_value(1) != 0) {
        salvaged->told_file_bytes = scanner.control_value(1);
      }
      // A batch whose parts do not fit is left out.
      const WalAdded added =
          add_wal_entries(scanner, 0, UINT64_MAX, &salvaged->chunk);
      if (added == WalAdded::kNoMemory) {
        return fail(platform::kNoMemory, path, scanner.offset(), failure);
      }
    }
    if (verdict == WalVerdict::kReadFailed) {
      return fail(scanner.io(), path, scanner.position().offset, failure);
    }
    // An intact head with a damaged body is passed by.
    CORE_CHECK(scanner.position().offset >= offset);
    offset = std::max(scanner.position().offset, offset + kWalAlignment);
  }
  salvaged->next_offset = offset < end ? offset : 0;
  return Outcome::kOk;
}

Outcome find_wal_remains(FileSystem& system, const std::string& directory,
                         WalRemains* remains, Failure* failure) {
  *remains = {};
  WalListing listing;
  const IoStatus status = list_wal_files(system, directory, &listing);
  if (!status.ok()) return fail(status, directory, 0, failure);
  bool is_known = false;
  uint64_t newest = 0;
  for (const uint64_t number : listing.numbers) {
    const std::string path = wal_file_path(directory, number);
    std::unique_ptr<File> file;
    WalHeader header;
    WalHeaderVerdict verdict = WalHeaderVerdict::kBad;
    uint64_t bytes = 0;
    IoStatus io = system.open(path, OpenMode::kRead, &file);
    // Another name of the same number, or deleted meanwhile.
    if (io.code == platform::IoCode::kNotFound) continue;
    if (io.ok()) io = file->size(&bytes);
    if (io.ok()) io = read_wal_header(*file, &header, &verdict);
    if (!io.ok()) return fail(io, path, 0, failure);
    const bool is_good = verdict == WalHeaderVerdict::kGood;
    if (!remains->files.try_push_back({number, is_good ? header.base_lsn : 0,
                                       header.epoch, header.branch, bytes,
                                       bytes})) {
      return fail(platform::kNoMemory, path, 0, failure);
    }
    if (!is_good) continue;
    is_known = true;
    newest = number;
    remains->log_id = header.log_id;
    remains->metadata = header.metadata;
    remains->file_bytes = std::max(remains->file_bytes, header.file_bytes);
    remains->oldest_lsn = header.oldest_lsn;
  }
  if (!is_known && !listing.numbers.empty()) {
    // Whether this is damage, or a log that was being made.
    WalClassification found;
    return classify_wal(system, {directory, WalRole::kReader}, &found, failure);
  }
  // What was dropped after the header was written.
  for (uint64_t from = kWalHeaderBytes; is_known && from > 0;) {
    WalSalvaged part;
    const Outcome outcome =
        salvage_wal_file(system, directory, remains->log_id, newest, from,
                         size_t{1} << 20, &part, failure);
    if (outcome != Outcome::kOk) return outcome;
    remains->oldest_lsn = std::max(remains->oldest_lsn, part.oldest_lsn);
    remains->file_bytes = std::max(remains->file_bytes, part.told_file_bytes);
    from = part.next_offset;
  }
  return Outcome::kOk;
}

}  // namespace atomic_log::durable
