// Finding out what there is to read, and why something is not there any more.
#include <utility>

#include "core/durable/wal/wal_reader.h"

namespace atomic_log::durable {
namespace {

using platform::IoStatus;

// A checkpoint may delete files while they are looked at.
constexpr int kRefreshAttempts = 4;

}  // namespace

Outcome WalReader::classify(Failure* failure) {
  Outcome outcome = Outcome::kOk;
  for (int attempt = 0; attempt < kRefreshAttempts; ++attempt) {
    outcome =
        classify_wal(system_, {directory_, WalRole::kReader}, &found_, failure);
    if (outcome == Outcome::kOk || outcome == Outcome::kReplaced) break;
    // The writer may have been at work: look at everything afresh.
    const uint64_t rewinds = found_.rewinds + 1;
    WalSeen seen = std::move(found_.seen);
    found_ = {};
    found_.rewinds = rewinds;
    found_.seen = std::move(seen);
  }
  return outcome;
}

// Whether the newest file's name is another file's by now.
bool WalReader::is_newest_changed() const {
  platform::FileIdentity before;
  platform::FileIdentity now;
  const bool is_known =
      found_.newest != nullptr && found_.newest->identity(&before).ok() &&
      system_.identity(wal_file_path(directory_, found_.newest_number), &now)
          .ok();
  return !is_known || before != now;
}

Outcome WalReader::find_writer(bool* has_writer, Failure* failure) {
  const IoStatus status =
      find_wal_writer(system_, directory_, found_, has_writer);
  if (status.ok()) return Outcome::kOk;
  *failure = {Outcome::kIo, status, directory_, 0, 0, ""};
  return Outcome::kIo;
}

// What is there. The tail is shown when no writer has the log open, before it
// was looked at and after that.
Outcome WalReader::look(bool* shows_tail, Failure* failure) {
  for (int attempt = 0; attempt < kRefreshAttempts; ++attempt) {
    bool has_writer = true;
    Outcome outcome = Outcome::kOk;
    if (tail_ == WalTailMode::kIntact)
      outcome = find_writer(&has_writer, failure);
    if (outcome == Outcome::kOk) outcome = classify(failure);
    if (outcome != Outcome::kOk || has_writer) return outcome;
    outcome = find_writer(&has_writer, failure);
    if (outcome != Outcome::kOk) return outcome;
    *shows_tail = !has_writer && !is_newest_changed();
    if (*shows_tail) break;
  }
  return Outcome::kOk;
}

Outcome WalReader::refresh(Failure* failure) {
  bool shows_tail = false;
  const Outcome outcome = look(&shows_tail, failure);
  // Without a file with a header there is no log yet.
  if (outcome != Outcome::kOk || found_.top_number == 0) return outcome;
  if (found_.rewinds != rewinds_) {
    // What an index says of the tail is of no use any more.
    files_.forget_indexes();
    hint_number_ = 0;
    rewinds_ = found_.rewinds;
  }
  metadata_ = found_.header.metadata;
  const IoStatus settled = shown_.settle(system_, directory_, found_);
  if (!settled.ok()) {
    *failure = {Outcome::kIo, settled, directory_, 0, 0, ""};
    return Outcome::kIo;
  }
  const IoStatus shown = shows_tail ? shown_.show(found_) : IoStatus{};
  if (!shown.ok()) return fail(shown, newest_file(), 0, failure);
  const uint64_t proven_next = proven_next_lsn(found_);
  const uint64_t next_lsn = shows_tail ? intact_next_lsn(found_) : proven_next;
  const IoStatus updated =
      update(found_.header.log_id, found_.files,
             shows_tail ? found_.end.offset : found_.proven_end.offset,
             found_.kept.oldest_lsn, next_lsn - 1);
  if (!updated.ok()) return fail(updated, found_.top_number, 0, failure);
  proved_lsn_ = proven_next - 1;
  return Outcome::kOk;
}

// What is gone or damaged may be another log's by now, may have been dropped
// by a checkpoint or, when it was not proved, cut.
Outcome WalReader::explain(uint64_t from, Outcome outcome, Failure* failure) {
  const bool is_gone = outcome == Outcome::kCheckpointed;
  if (!is_gone && outcome != Outcome::kCorrupt) return outcome;
  // In the writer's process nothing was classified: it knows what there is.
  if (found_.seen.number == 0) {
    return is_gone ? explain_missing(from, failure) : outcome;
  }
  const bool was_proved = proved_lsn_ >= last_lsn_ || from <= proved_lsn_;
  const uint64_t before = shown_.takebacks();
  Failure now;
  const Outcome refreshed = refresh(&now);
  if (refreshed == Outcome::kReplaced ||
      (refreshed != Outcome::kOk && !was_proved)) {
    *failure = now;
    return refreshed;
  }
  if (is_gone) return explain_missing(from, failure);
  if (was_proved) return outcome;
  if (shown_.takebacks() == before && from <= last_lsn_) return outcome;
  const uint64_t lsn =
      shown_.takebacks() == before ? last_lsn_ + 1 : shown_.taken_back_from();
  *failure = {Outcome::kTakenBack, {}, directory_, lsn, last_lsn_, ""};
  return Outcome::kTakenBack;
}

// The file of an entry is not there.
Outcome WalReader::explain_missing(uint64_t lsn, Failure* failure) {
  const LogFile* const file = lsn < first_lsn_ ? nullptr : files_.find(lsn);
  if (file != nullptr) return damaged(*file, 0, kFactMissing, failure);
  *failure = {Outcome::kCheckpointed, {}, directory_, lsn, first_lsn_, ""};
  return Outcome::kCheckpointed;
}

}  // namespace atomic_log::durable
