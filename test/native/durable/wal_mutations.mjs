// Rules of the write-ahead log, each left out or changed alone.
import { mutation } from './mutation.mjs';

const WRITER = 'durable/wal_writer.cc';
const FILES = 'durable/wal_files.cc';
const RECOVERY = 'durable/wal_recovery.cc';
const CLASSIFY = 'durable/wal_classify.cc';
const SCANNER = 'durable/wal_scanner.cc';
const FORMAT = 'durable/wal_format.cc';
const READER = 'durable/wal_reader.cc';
const POSIX = 'platform/file_posix.cc';
const LOG = 'durable/wal_log.cc';
const BACKUP = 'durable/wal_backup.cc';

export const mutations = [
  mutation('WAL', 'acknowledge before sync', [WRITER, 'const IoStatus status = file_->sync_data();', 'const IoStatus status;']),
  mutation('WAL', 'try a failed sync again', [WRITER, 'const IoStatus status = file_->sync_data();', 'IoStatus status = file_->sync_data();\n  if (!status.ok()) status = file_->sync_data();']),
  mutation('WAL', 'no directory sync after a new name', [FILES, 'if (status.ok()) status = names.sync();\n  return status;\n}\n\nIoStatus write_wal_header', 'return status;\n}\n\nIoStatus write_wal_header']),
  mutation('WAL', 'new file not synced', [FILES, 'if (status.ok()) status = file.sync_all();\n  if (status.ok()) status = system.rename', 'if (status.ok()) status = system.rename']),
  mutation('WAL', 'next name before the sync of SEAL', [WRITER, 'const Outcome outcome = sync();\n  if (outcome != Outcome::kOk) return outcome;\n  WalHeader header', 'const Outcome outcome = flush();\n  if (outcome != Outcome::kOk) return outcome;\n  WalHeader header']),
  mutation('WAL', 'durable offset is what was written', [WRITER, 'head.durable_offset = durable_offset_;', 'head.durable_offset = tail_;']),
  mutation('WAL', 'durable offset is what the system has', [WRITER, 'head.durable_offset = durable_offset_;', 'head.durable_offset = buffer_offset_;']),
  mutation('WAL', 'durable offset ignored', [CLASSIFY, 'if (found_.end.offset == end) facts |= kFactProofAfterEnd;', '']),
  mutation('WAL', 'any later head is a proof', [SCANNER, '(above == 0 || head.durable_offset > above)) {', 'true) {']),
  mutation('WAL', 'a SEAL is a proof', [SCANNER, '(above == 0 || head.durable_offset > above)) {', '(above == 0 || head.durable_offset > above || head.type == WalType::kSeal)) {']),
  mutation('WAL', 'epoch ignored', [SCANNER, 'found.epoch != position_.epoch ||', '']),
  mutation('WAL', 'epoch not advanced', [WRITER, 'uint64_t{epoch_} + 1, branch);', 'uint64_t{epoch_}, branch);\n  --epoch_;']),
  mutation('WAL', 'a truncation keeps the epoch', [WRITER, 'if (next_base < next_lsn_) begin_epoch(draw_branch());', '']),
  mutation('WAL', 'an epoch without a branch', [WRITER, 'branch_ = branch;', '']),
  mutation('WAL', 'a branch that is not read', [SCANNER, 'position_.branch = static_cast<uint32_t>(control_value(1));', '']),
  mutation('WAL', 'a copy is not synced', [BACKUP, 'return to_->sync_all();', 'return {};']),
  mutation('WAL', 'names of a copy are not synced', [BACKUP, 'if (status.ok()) status = system_.sync_directory(partial_);', '']),
  mutation('WAL', 'the name of a copy is not synced', [BACKUP, 'status = system_.sync_parent(target_);', '']),
  mutation('WAL', 'a copy is not read back', [BACKUP, 'if (checksum_read_ != checksum_)', 'if (false)']),
  mutation('WAL', 'a copy without SYNC', [LOG, 'outcome = writer_->mark();\n    source->directory', 'source->directory']),
  mutation('WAL', 'copies in the making are deleted', [BACKUP, 'marker->lock().ok() && marker->identity', 'marker->identity']),
  mutation('WAL', 'a copy that failed stays', [BACKUP, 'remove_copy(system_, partial_, std::move(marker_));', '']),
  mutation('WAL', 'log id not in the checksum', [FORMAT, 'file_seed_ = crc_(0, seed, sizeof(seed));', 'file_seed_ = 0;']),
  mutation('WAL', 'no sync of what was found', [RECOVERY, 'if (status.ok()) status = file.sync_all();\n  if (status.ok()) status = system.sync_directory', 'if (status.ok()) status = system.sync_directory']),
  mutation('WAL', 'no directory sync when opening', [RECOVERY, 'if (status.ok()) status = system.sync_directory(options.directory);\n  if (status.ok()) return', 'if (status.ok()) return']),
  mutation('WAL', 'unproven records not written again', [RECOVERY, 'status = copy_range(file, found.proven_offset, end, rewrite);', '']),
  mutation('WAL', 'header not written again', [RECOVERY, 'if (status.ok()) status = copy_range(file, 0, kWalHeaderBytes, rewrite);', '']),
  mutation('WAL', 'deletes before CHECKPOINT is synced', [WRITER, 'put_control(WalType::kCheckpoint, lsn + 1, oldest_file);\n  outcome = sync();', 'put_control(WalType::kCheckpoint, lsn + 1, oldest_file);\n  outcome = flush();']),
  mutation('WAL', 'recovery deletes before its sync', [WRITER, 'if (outcome == Outcome::kOk) {\n    outcome = repair_wal(', 'if (outcome == Outcome::kOk) {\n    remove_wal_garbage(system, options.directory, found.oldest_file,\n                       found.listing);\n    outcome = repair_wal(']),
  mutation('WAL', 'no CHECKPOINT record', [WRITER, 'put_control(WalType::kCheckpoint, lsn + 1, oldest_file);', '']),
  mutation('WAL', 'checkpoint one file too far', [WRITER, 'keep == files_.rend() ? oldest_file_ : keep->number;', 'std::min(keep->number + 1, file_number_);']),
  mutation('WAL', 'header without the oldest LSN', [WRITER, 'header.oldest_lsn = oldest_lsn_;', 'header.oldest_lsn = 1;']),
  mutation('WAL', 'header without the oldest file', [WRITER, 'header.oldest_file = oldest_file_;', 'header.oldest_file = 1;']),
  mutation('WAL', 'body checksum not compared', [SCANNER, 'codec_.body_checksum(offset, body, found.body_bytes) !=\n      found.body_checksum', 'codec_.body_checksum(offset, body, found.body_bytes) == 0 &&\n      found.body_checksum == 0']),
  mutation('WAL', 'a zero head is the end', [CLASSIFY, 'uint64_t proof = 0;\n    if (status.ok() && found_.nonzero_end > end) {', 'uint64_t proof = 0;\n    uint64_t first = 0;\n    size_t got = 0;\n    (void)found_.top->read_at(end, &first, 8, &got);\n    if (first != 0 && found_.nonzero_end > end) {']),
  mutation('WAL', 'made again over records', [CLASSIFY, 'if (nonzero_end == kWalHeaderBytes) facts |= kFactBlank;', 'facts |= kFactBlank;']),
  mutation('WAL', 'unfinished files refused', [CLASSIFY, 'if (nonzero_end == kWalHeaderBytes) facts |= kFactBlank;', '']),
  mutation('WAL', 'set-aside file not synced', [RECOVERY, 'if (status.ok()) status = aside->sync_all();', '']),
  mutation('WAL', 'set-aside name not synced', [RECOVERY, 'if (status.ok()) status = system.sync_parent(path);', '']),
  mutation('WAL', 'torn bytes not zeroed', [RECOVERY, 'if (status.ok()) status = file.zero_range(from, to - from);', '']),
  mutation('WAL', 'OPEN takes the space of SEAL', [WRITER, 'const Outcome outcome = make_room(kWalControlBytes);\n  if (outcome != Outcome::kOk) return outcome;\n  put_control(WalType::kOpen', 'const Outcome outcome =\n      tail_ + kWalControlBytes <= file_bytes_ ? Outcome::kOk : make_room(4096);\n  if (outcome != Outcome::kOk) return outcome;\n  put_control(WalType::kOpen']),
  mutation('WAL', 'no sync of OPEN', [WRITER, 'begin_epoch(branch);\n  return sync();', 'begin_epoch(branch);\n  durable_offset_ = tail_;\n  return flush();']),
  mutation('WAL', 'poison forgotten', [WRITER, 'is_poisoned_ = true;', 'is_poisoned_ = false;']),
  mutation('WAL', 'the next file is not reserved first', [WRITER, '// Nothing was written: this can be tried again.\n  if (!status.ok()) return io_failure(status);', 'if (!status.ok()) return poison(status);']),
  mutation('WAL', 'base LSN of the successor not checked', [CLASSIFY, 'if (checksum != 0 && checksum != next.previous_seal_checksum) {', 'if (false) {']),
  mutation('WAL', 'no lock', [WRITER, 'status = is_registered_ ? lock_file_->lock()', 'status = true ? IoStatus{}']),
  mutation('WAL', 'a read-only directory is opened', [WRITER, 'if (status.ok()) status = system.check_writable(options.directory);', '']),
  mutation('WAL', 'rotates in a directory that was replaced', [WRITER, 'const Outcome place = check_directory();', 'const Outcome place = Outcome::kOk;']),
  mutation('WAL', 'checkpoint in a directory that was replaced', [WRITER, 'Outcome outcome = check_directory();\n  if (outcome', 'Outcome outcome = Outcome::kOk;\n  if (outcome']),
  mutation('WAL', 'any LOCK will do', [WRITER, 'if (status.ok() && identity != lock_identity_) {', 'if (false) {']),
  mutation('WAL', 'all files are read when opening', [CLASSIFY, 'if (outcome == Outcome::kOk && request_.verifies) {', 'if (outcome == Outcome::kOk) {']),
  mutation('WAL', 'no index of where entries are', [READER, 'if (position.offset - file.index.back().offset >= kIndexBytes) {', 'if (false) {']),
  mutation('WAL', 'a forked child keeps the lock', [POSIX, 'if (locked_by_ == getpid()) {\n      show_lock', 'if (false) {\n      show_lock']),
  mutation('WAL', 'a forked child gives the lock away', [POSIX, 'if (locked_by_ == getpid()) {\n      show_lock', 'if (true) {\n      show_lock']),
  mutation('WAL', 'lock not given back', [WRITER, 'if (is_registered_) OpenFiles::instance().remove(lock_identity_);', '']),
  mutation('WAL', 'the failed reservation stays', [FILES, '(void)system.remove(path);\n  }\n  return status;', '}\n  return status;']),
  mutation('WAL', 'a refused committer is waited for', [LOG, 'if (!status.ok()) {\n    WalAnswer', 'if (false) {\n    WalAnswer']),
  mutation('WAL', 'follower reads what is not proved', [CLASSIFY, 'found_.unproven.front().offset <= found_.proven_offset', 'found_.unproven.front().offset <= found_.end.offset']),
  mutation('WAL', 'follower trusts SEAL', [CLASSIFY, 'found_.is_sealed = true;', 'found_.is_sealed = true;\n        found_.proven_offset = found_.end.offset;']),
  mutation('WAL', 'follower takes damage for the end', [CLASSIFY, 'if (rule.reading == WalReading::kCorrupt) return Outcome::kCorrupt;', '']),
  mutation('WAL', 'follower does not link files', [CLASSIFY, 'if (checksum == 0) facts |= kFactNoSeal;', '']),
  mutation('WAL', 'batch read in part', [READER, 'add(head.lsn + i, body + at, bytes);', 'if (i + 1 < head.count) add(head.lsn + i, body + at, bytes);']),
  mutation('WAL', 'answered before the sync', [LOG, 'const Outcome outcome = reach(level);', 'const Outcome outcome = reach(std::min(level, WalLevel::kSystem));']),
  mutation('WAL', 'waiters of a failed commit are told of success', [LOG, 'if (outcome != Outcome::kOk) {\n      // Whoever', 'if (false) {\n      // Whoever']),
  mutation('WAL', 'expected LSN ignored', [LOG, 'if (submission.expected_lsn != 0 &&', 'if (false &&']),
  mutation('WAL', 'not all are answered', [LOG, 'for (WalAnswer& answer : answers) answers_.push_back(std::move(answer));', 'if (answers.size() > 40) answers.pop_back();\n  for (WalAnswer& answer : answers) answers_.push_back(std::move(answer));']),
  mutation('WAL', 'followers are never told of the last batch', [LOG, 'if (!is_closed_) (void)writer_->mark();', '']),
  mutation('WAL', 'a truncated LSN is read from the older file', [READER, 'files_.rbegin(), files_.rend(),\n      [lsn](const LogFile& file) { return file.info.base_lsn <= lsn; });\n  return found == files_.rend() ? nullptr : &*found;', 'files_.begin(), files_.end(),\n      [lsn](const LogFile& file) { return file.info.base_lsn <= lsn; });\n  return found == files_.end() ? nullptr : &*found;']),
];
