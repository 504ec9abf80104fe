#include "support/wal_fixture.h"

#include <doctest/doctest.h>

#include <utility>

#include "core/base/little_endian.h"
#include "core/durable/wal/wal_reader.h"
#include "core/durable/wal/wal_scanner.h"
#include "support/faults.h"

namespace atomic_log::test {

using durable::Outcome;
using durable::WalOptions;
using durable::WalType;
using durable::WalWriter;

WalOptions small_wal() {
  WalOptions options;
  options.directory = kWalDirectory;
  options.segment_bytes = durable::kWalHeaderBytes + 1536;
  options.new_log_id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  options.zero_ahead_bytes = 0;
  // Shorter than the others, so that it is known by its length.
  options.spare_bytes =
      durable::kWalHeaderBytes + 6 * durable::kWalControlBytes;
  options.process_id = 4711;
  // Not by the clock.
  options.place_check_ms = uint64_t{1} << 40;
  return options;
}

namespace {

uint64_t entry_bytes_max_of_small_wal() {
  return (small_wal().segment_bytes - durable::kWalHeaderBytes -
          durable::kWalRoomAfterEntry - durable::kWalHeadBytes) &
         ~uint64_t{durable::kWalAlignment - 1};
}

}  // namespace

OpenedWal open_wal(SimulatedFileSystem& system, const WalOptions& options) {
  OpenedWal result;
  result.outcome = WalWriter::open(system, options, &result.writer,
                                   &result.recovery, &result.failure);
  return result;
}

namespace {

void add_entries(const durable::WalScanner& scanner, WalContents* contents) {
  const durable::WalHead& head = scanner.head();
  if (head.type == WalType::kData) {
    contents->entries[head.lsn] =
        Bytes(scanner.body(), scanner.body() + head.body_bytes);
  } else if (head.type == WalType::kBatch) {
    const uint8_t* data = scanner.body() + size_t{8} * head.count;
    for (uint32_t i = 0; i < head.count; ++i) {
      const uint32_t length = load_u32(scanner.body() + size_t{8} * i);
      contents->entries[head.lsn + i] = Bytes(data, data + length);
      data += length;
    }
  }
}

}  // namespace

WalContents wal_contents(SimulatedFileSystem& system,
                         const WalOptions& options) {
  WalContents contents;
  durable::WalListing listing;
  REQUIRE(durable::list_wal_files(system, options.directory, &listing).ok());
  uint64_t oldest_file = 0;
  // The newest header and its checkpoints say where the log begins.
  for (size_t pass = 0; pass < 2; ++pass) {
    contents.entries.clear();
    for (const uint64_t number : listing.numbers) {
      if (number < oldest_file) continue;
      std::unique_ptr<platform::File> file;
      REQUIRE(system
                  .open(durable::wal_file_path(options.directory, number),
                        platform::OpenMode::kRead, &file)
                  .ok());
      durable::WalHeader header;
      durable::WalHeaderVerdict verdict;
      REQUIRE(durable::read_wal_header(*file, &header, &verdict).ok());
      if (verdict != durable::WalHeaderVerdict::kGood) continue;
      contents.entries.erase(contents.entries.lower_bound(header.base_lsn),
                             contents.entries.end());
      contents.first_lsn = header.oldest_lsn;
      oldest_file = header.oldest_file;
      durable::WalScanner scanner(
          *file, durable::WalCodec(header.log_id, number),
          durable::wal_begin(header), header.file_bytes);
      while (scanner.next() == durable::WalVerdict::kRecord) {
        if (scanner.head().type == WalType::kCheckpoint) {
          contents.first_lsn = scanner.control_value(0);
          oldest_file = scanner.control_value(1);
        }
        add_entries(scanner, &contents);
      }
      contents.next_lsn = scanner.position().lsn;
    }
  }
  contents.entries.erase(contents.entries.begin(),
                         contents.entries.lower_bound(contents.first_lsn));
  return contents;
}

WalSight see_wal(durable::WalReader& reader) {
  WalSight seen;
  seen.outcome = reader.refresh(&seen.failure);
  if (seen.outcome != Outcome::kOk) return seen;
  WalContents& contents = seen.contents;
  contents.first_lsn = reader.first_lsn();
  contents.next_lsn = reader.last_lsn() + 1;
  seen.proved_lsn = reader.proved_lsn();
  for (uint64_t from = contents.first_lsn; from < contents.next_lsn;) {
    durable::WalChunk chunk;
    seen.outcome = reader.read(from, UINT64_MAX, 400, &chunk, &seen.failure);
    if (seen.outcome != Outcome::kOk) return seen;
    REQUIRE(!chunk.entries.empty());
    for (const durable::WalEntry& entry : chunk.entries) {
      REQUIRE(entry.lsn == from++);
      const auto begin =
          chunk.data.begin() + static_cast<ptrdiff_t>(entry.begin);
      contents.entries[entry.lsn] =
          Bytes(begin, begin + static_cast<ptrdiff_t>(entry.bytes));
    }
  }
  return seen;
}

WalSight see_wal(SimulatedFileSystem& system, durable::WalTailMode tail) {
  durable::WalReader reader(system, kWalDirectory, tail);
  return see_wal(reader);
}

bool WalScript::open(SimulatedFileSystem& system) {
  system_ = &system;
  OpenedWal opened = open_wal(system);
  writer_ = std::move(opened.writer);
  failure_ = opened.failure;
  return opened.outcome == Outcome::kOk;
}

// Of an operation that has put the state it leads to into the history.
bool WalScript::done(Outcome outcome) {
  // Nothing was written: that state will never be found.
  if (outcome == Outcome::kIo) history_.pop_back();
  return outcome == Outcome::kOk;
}

bool WalScript::append(size_t count, size_t bytes, bool is_batch) {
  Bytes data;
  std::vector<uint32_t> lengths;
  WalContents after = latest();
  for (size_t i = 0; i < count; ++i) {
    ++seed_;
    Bytes entry(bytes + i);
    for (size_t at = 0; at < entry.size(); ++at) {
      entry[at] = static_cast<uint8_t>(17 * seed_ + 3 * at + 1);
    }
    data.insert(data.end(), entry.begin(), entry.end());
    lengths.push_back(static_cast<uint32_t>(entry.size()));
    after.entries[after.next_lsn++] = std::move(entry);
  }
  // It may be on disk even when the call fails.
  history_.push_back(std::move(after));
  uint64_t lsn = 0;
  const Outcome outcome =
      is_batch ? writer_->append_batch(data.data(), lengths.data(), count, &lsn)
               : writer_->append(data.data(), data.size(), &lsn);
  if (!done(outcome)) return false;
  CHECK(lsn + count == latest().next_lsn);
  for (; lsn < latest().next_lsn; ++lsn) {
    note_position(lsn, latest().entries.at(lsn));
  }
  return true;
}

void WalScript::note_position(uint64_t lsn, const Bytes& entry) {
  const auto [at, is_new] =
      positions_.emplace(std::make_pair(lsn, writer_->epoch()), entry);
  if (!is_new && at->second != entry) {
    wrong_ = "two entries have LSN " + std::to_string(lsn) + " and epoch " +
             std::to_string(writer_->epoch());
  }
}

// Of an operation that has failed: it may, and nothing has happened.
bool WalScript::lacks_space() const {
  return may_lack_space_ && writer_ != nullptr && wrong_.empty() &&
         writer_->failure().outcome == Outcome::kIo &&
         writer_->failure().io.code == platform::IoCode::kNoSpace;
}

bool WalScript::checkpoint(uint64_t lsn) {
  WalContents after = latest();
  after.first_lsn = lsn + 1;
  after.entries.erase(after.entries.begin(),
                      after.entries.lower_bound(lsn + 1));
  history_.push_back(std::move(after));
  const std::vector<durable::WalFileInfo> files(writer_->files().begin(),
                                                writer_->files().end());
  const uint64_t newest_base = files.back().base_lsn;
  for (const auto& file : files) {
    was_spare_used_ |= file.bytes == small_wal().spare_bytes;
  }
  // All of the log, or at least its oldest file.
  const bool frees = lsn + 1 == writer_->next_lsn() ||
                     (files.size() > 1 && files[1].base_lsn <= lsn + 1);
  if (!done(writer_->checkpoint(lsn))) {
    if (frees && !was_spare_used_ && lacks_space()) {
      wrong_ = "a checkpoint that frees files fails for want of space";
    }
    return false;
  }
  const auto& kept = writer_->files();
  if (frees && newest_base <= lsn && kept.size() >= files.size() &&
      kept.front().number == files.front().number && files.size() > 1) {
    wrong_ = "a checkpoint frees nothing";
  }
  acknowledge();
  return true;
}

// After close() readers see all of it.
void WalScript::check_reader() {
  const auto disk = system_->kill();
  if (!disk->has_power()) return;
  // It is the writer's memory that is refused.
  const int64_t granted = refuse_memory_after(-1);
  durable::WalReader reader(*disk, kWalDirectory);
  durable::Failure failure;
  if (reader.refresh(&failure) != Outcome::kOk ||
      reader.last_lsn() + 1 != latest().next_lsn) {
    wrong_ = "after close() readers do not see all of it";
  }
  refuse_memory_after(granted);
}

bool WalScript::run(char operation) {
  if (operation == 'F' || operation == 'U') {
    system_->set_full(operation == 'F');
    may_lack_space_ = true;
    return true;
  }
  if (step(operation) || lacks_space()) return wrong_.empty();
  if (writer_ != nullptr) {
    failure_ = writer_->failure();
    if (failure_.outcome != Outcome::kIo) writer_.reset();
  }
  return false;
}

bool WalScript::step(char operation) {
  const auto synced = [this](bool ok) {
    if (!ok || writer_->sync() != Outcome::kOk) return false;
    acknowledge();
    return true;
  };
  const uint64_t last = latest().next_lsn - 1;
  switch (operation) {
    case 'z':
      return append(1, 8, false);
    case 'w':
      return append(1, 90, false);
    case 'x':
      return append(1, 600, false);
    case 'b':
      return append(2, 300, true);
    case 'a':
      return synced(append(1, 90, false));
    case 'A':
      return synced(append(1, 600, false));
    case 'B':
      return synced(append(2, 300, true));
    case 's':
      return synced(true);
    case 'f':
      return writer_->flush() == Outcome::kOk;
    case 'i':
      return synced(true) && writer_->mark() == Outcome::kOk;
    case 'c':
    case 'C': {
      const uint64_t lsn = operation == 'C' ? last : last - 1;
      // Of an empty log a checkpoint may still free the file.
      const uint64_t first = latest().first_lsn - (operation == 'C' ? 1 : 0);
      if (last == 0 || lsn < first) return true;
      return checkpoint(lsn);
    }
    case 'e': {
      const uint64_t lsn = latest().first_lsn;
      const auto& files = writer_->files();
      const uint64_t next =
          files.size() > 1 ? files[1].base_lsn : writer_->next_lsn();
      return lsn + 1 >= next || checkpoint(lsn);
    }
    case 't':
    case 'T': {
      const uint64_t back = operation == 't' ? 1 : 2;
      if (last + 1 < latest().first_lsn + back) return true;
      WalContents after = latest();
      after.next_lsn = last + 1 - back;
      after.entries.erase(after.entries.lower_bound(after.next_lsn),
                          after.entries.end());
      history_.push_back(std::move(after));
      if (!done(writer_->truncate_after(last - back))) return false;
      acknowledge();
      return true;
    }
    case 'k':
      if (writer_->close() != Outcome::kOk) return false;
      acknowledge();
      writer_.reset();
      check_reader();
      if (open(*system_)) return true;
      if (may_lack_space_ && failure_.io.code == platform::IoCode::kNoSpace) {
        wrong_ = "opening fails for want of space";
      }
      return false;
    case 'K':
      wrong_ += check_restart(*system_);
      return writer_ != nullptr;
    default:
      return false;
  }
}

std::string WalScript::check_restart(SimulatedFileSystem& system,
                                     bool may_fail) {
  writer_.reset();
  system_ = &system;
  const auto before = system.kill();
  WalOptions options = small_wal();
  // A log of which something was acknowledged knows how long its files are.
  if (acknowledged_ > 0) options.segment_bytes = 0;
  OpenedWal opened = open_wal(system, options);
  quarantined_.clear();
  quarantine_path_ = opened.recovery.quarantine_path;
  if (!quarantine_path_.empty()) {
    const std::string path =
        quarantine_path_.substr(0, quarantine_path_.find(".torn-"));
    const Bytes bytes = before->contents(path);
    const auto from =
        bytes.begin() + static_cast<ptrdiff_t>(opened.recovery.end_offset);
    quarantined_.assign(
        from, from + static_cast<ptrdiff_t>(opened.recovery.quarantined_bytes));
  }
  // The test takes the power away again.
  if (!system.has_power()) return wrong_;
  if (!wrong_.empty()) return wrong_;
  if (may_fail && opened.outcome == Outcome::kIo) return "";
  if (may_fail && opened.outcome == Outcome::kPoisoned) return "";
  if (opened.outcome != Outcome::kOk) {
    return std::string("G4: a legal image is refused: ") +
           opened.failure.detail + opened.failure.io.operation + " " +
           opened.failure.path;
  }
  if (opened.writer->entry_bytes_max() != entry_bytes_max_of_small_wal()) {
    return "the log has forgotten how long its files are";
  }
  // Read from a copy: these reads are not the log's own operations.
  const WalContents found = wal_contents(*system.kill());
  if (found.next_lsn != opened.writer->next_lsn()) {
    return "G2: the writer and the files differ";
  }
  size_t state = history_.size();
  while (state-- > 0) {
    if (history_[state] == found) break;
  }
  if (state == SIZE_MAX) return "G2/G7: what is found was never the log";
  if (state < acknowledged_) return "G1/G6: what was acknowledged is lost";
  history_.resize(state + 1);
  acknowledged_ = state;
  writer_ = std::move(opened.writer);
  return "";
}

}  // namespace atomic_log::test
