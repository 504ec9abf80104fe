#include "core/durable/wal/wal_recovery.h"

#include "core/base/check.h"
#include "core/durable/copy_range.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoCode;
using platform::IoStatus;
using platform::OpenMode;

constexpr int kQuarantineNamesMax = 100'000;

// Copies the bytes after the end of the log into a file of their own. When this
// fails, nothing is left.
IoStatus quarantine(FileSystem& system, File& file, const std::string& path,
                    uint64_t from, uint64_t to, std::string* quarantine_path) {
  std::unique_ptr<File> quarantined;
  IoStatus status;
  for (int n = 1; n <= kQuarantineNamesMax; ++n) {
    *quarantine_path = path + ".torn-" + std::to_string(n);
    status = system.open(*quarantine_path, OpenMode::kCreateNew, &quarantined);
    if (status.code != IoCode::kExists) break;
  }
  if (!status.ok()) return status;
  status = copy_range(
      file, from, to, [&](uint64_t offset, const uint8_t* data, size_t bytes) {
        return quarantined->write_at(offset - from, data, bytes);
      });
  if (status.ok()) status = quarantined->sync_all();
  if (status.ok()) status = system.sync_parent(path);
  if (!status.ok()) {
    quarantined.reset();
    // The first failure is the one to report.
    (void)system.remove(*quarantine_path);
  }
  return status;
}

}  // namespace

Outcome repair_wal(FileSystem& system, const WalOptions& options,
                   const WalClassification& found, WalRecovery* recovery,
                   Failure* failure) {
  *recovery = {};
  recovery->row = found.row;
  recovery->records = found.records;
  const WalAction action = wal_rule(found.row).action;
  if (action == WalAction::kCreate || action == WalAction::kRecreate) {
    return Outcome::kOk;
  }
  const std::string path =
      wal_file_path(options.directory, found.newest_number);
  File& file = *found.newest;
  const uint64_t end = found.end.offset;
  IoStatus status;
  CORE_CHECK(found.proven_offset <= end && end <= found.header.file_bytes);
  recovery->end_offset = end;
  recovery->end_lsn =
      action == WalAction::kAdoptAndRoll ? found.next_base : found.end.lsn;
  if (action == WalAction::kQuarantine) {
    CORE_CHECK(found.nonzero_end > end);
    const uint64_t torn_bytes = found.nonzero_end - end;
    status = quarantine(system, file, path, end, found.nonzero_end,
                        &recovery->quarantine_path);
    if (status.ok()) {
      recovery->quarantined_bytes = torn_bytes;
    } else if (status.code == IoCode::kNoSpace) {
      recovery->quarantine_path.clear();
      recovery->discarded_bytes = torn_bytes;
      status = {};
    }
    if (status.ok()) status = file.zero_range(end, torn_bytes);
  }
  const auto rewrite = [&file](uint64_t offset, const uint8_t* data,
                               size_t bytes) {
    return file.write_at(offset, data, bytes);
  };
  if (status.ok()) status = copy_range(file, 0, kWalHeaderBytes, rewrite);
  if (status.ok()) {
    status = copy_range(file, found.proven_offset, end, rewrite);
  }
  if (status.ok()) status = file.sync_all();
  if (status.ok()) status = system.sync_directory(options.directory);
  if (status.ok()) return Outcome::kOk;
  *failure = {Outcome::kIo, status, path, end, 0, ""};
  return Outcome::kIo;
}

void remove_wal_garbage(FileSystem& system, const std::string& directory,
                        uint64_t oldest_file, List<uint64_t>* numbers) {
  size_t left = 0;
  for (const uint64_t number : *numbers) {
    if (number < oldest_file && !remove_wal_file(system, directory, number)) {
      (*numbers)[left++] = number;
    }
  }
  while (numbers->size() > left) numbers->pop_back();
}

}  // namespace atomic_log::durable
