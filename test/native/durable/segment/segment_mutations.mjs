// Protections of the segment files, each taken out alone, and the promise that
// this breaks (the list is in segment_crash_test.cc and DURABILITY's table).
import { mutation } from '../mutation.mjs';

const WRITER = 'durable/segment/segment_writer.cc';
const CHANGE = 'durable/segment/segment_writer_change.cc';
const READER = 'durable/segment/segment_reader.cc';
const RECOVERY = 'durable/segment/segment_recovery.cc';
const REDO = 'durable/redo_file.cc';
const SCANNER = 'durable/record_scanner.cc';
const LANES = 'durable/record_lanes.cc';
const FLUSHED = 'durable/segment/flushed_offset.h';

export const mutations = [
  mutation('G1', 'acknowledge without a sync', [
    WRITER,
    '  const IoStatus status = file_->sync_data();\n  if (status.ok()) return Outcome::kOk;',
    '  const IoStatus status;\n  if (status.ok()) return Outcome::kOk;',
  ]),
  mutation('G1', "the new file's name is not synced", [
    WRITER,
    '    if (status.ok()) status = system.sync_parent(path);\n',
  ]),
  mutation('G4', 'the new file is not synced', [WRITER, '    if (status.ok()) status = file->sync_all();\n']),
  mutation('G4', 'an unfinished creation is refused', [RECOVERY, 'if (end != 0) {', 'if (true) {']),
  mutation('G4', 'a header across sectors is replaced without a redo file', [
    CHANGE,
    'if (status.ok() && !is_atomic) {\n      // The old',
    'if (false) {\n      // The old',
  ]),
  mutation('G4', 'the redo file is written before the old bytes are on disk', [
    CHANGE,
    '      status = of_change(file_->sync_data());\n      if (status.ok()) status = store_redo',
    '      if (status.ok()) status = store_redo',
  ]),
  mutation('G4', 'a redo file is not replayed', [
    RECOVERY,
    'outcome = finish_redo(system, file, path, *size, failure);',
  ]),
  mutation('G4', 'a torn redo file is refused', [
    REDO,
    '  if (decode(contents, &change)) {',
    '  if (!decode(contents, &change)) return Outcome::kFormat;\n  {',
  ]),
  mutation('G5', 'damage below durableOffset is cut off', [RECOVERY, 'if (end < options.durable_offset) {', 'if (false) {']),
  mutation('G5', 'damage of a sealed file is cut off', [RECOVERY, 'if (options.is_sealed && nonzero_end > end) {', 'if (false) {']),
  mutation('G5', 'a file without a first record is emptied', [
    RECOVERY,
    '!options.discard_unreadable) {  // R4',
    'false) {  // R4',
  ]),
  mutation('G5', 'a checksum is not looked at', [
    SCANNER,
    'if (!codec_.is_intact(record)) return Verdict::kBad;',
  ]),
  mutation('G5', 'of several checksums one is not looked at', [
    LANES,
    '||\n        third.end(taken, crc) != third.stored()',
  ]),
  mutation('G6', 'opening does not sync', [RECOVERY, '    if (status.ok()) status = file_.sync_all();\n']),
  mutation('G6', 'opening does not write the records again', [
    RECOVERY,
    'return file_.write_at(offset, data, bytes);',
    'return IoStatus{};',
  ]),
  mutation('G7', 'the torn tail is not zeroed', [
    RECOVERY,
    '    status = zero_durably(system_, file_, path_, from, to);\n',
  ]),
  mutation('G7', 'a truncation zeroes the first eight bytes only', [
    CHANGE,
    'return zero_durably(system_, *file_, path_, offset, end);',
    'return zero_durably(system_, *file_, path_, offset, std::min<uint64_t>(end, offset + 8));',
  ]),
  mutation('G7', 'a truncation is not written down first', [
    REDO,
    '  if (status.ok()) status = store_redo(system, path, change, &names);\n  if (status.ok()) status = apply',
    '  if (status.ok()) status = apply',
  ]),
  mutation('G7', 'a change is not synced before the redo file goes', [
    REDO,
    '  if (status.ok()) status = file.sync_data();\n  return of_change(status);',
    '  return of_change(status);',
  ]),
  mutation('G8', 'the quarantined bytes are not synced', [
    RECOVERY,
    '    if (status.ok()) status = quarantined->sync_all();\n',
  ]),
  mutation(
    'G8',
    'the name of the quarantine file is not synced',
    [
      RECOVERY,
      '    if (status.ok()) status = system_.sync_parent(path_);\n    if (!status.ok()) return fail(status, from);\n    status = zero',
      '    if (!status.ok()) return fail(status, from);\n    status = zero',
    ],
    // It would be synced with that of the redo file.
    [
      REDO,
      '  if (status.ok()) status = file->sync_all();\n  if (status.ok()) status = (*names)->sync();\n',
      '  if (status.ok()) status = file->sync_all();\n',
    ],
  ),
  mutation('G8', 'a redo file is replayed before it is durable itself', [
    REDO,
    '    if (status.ok()) status = redo->sync_all();\n',
  ]),
  mutation('G8', 'a read error is the end of the log', [
    RECOVERY,
    'if (*verdict == Verdict::kReadFailed) {',
    'if (false) {',
  ]),
  mutation('G9', 'a failed sync of a change is a shortage, where the system says so', [
    REDO,
    '  if (status.ok()) status = of_change(file.sync_data());\n',
    '  if (status.ok()) status = file.sync_data();\n',
  ]),
  mutation('G9', 'a failed change is a shortage, where the system says so', [
    REDO,
    '  if (status.ok()) status = file.sync_data();\n  return of_change(status);',
    '  if (status.ok()) status = file.sync_data();\n  return status;',
  ]),
  mutation('G9', 'a failed sync may be tried again', [
    WRITER,
    "  // Release: pairs with the owner's acquire loads.\n  is_poisoned_.store(true, std::memory_order_release);\n",
  ]),
  mutation('G9', 'a failed write may be tried again', [
    WRITER,
    '  // Release: a thread that sees it finds the reason, though only under the mutex.\n  is_poisoned_.store(true, std::memory_order_release);\n',
  ]),
  mutation('G9', 'the flushed offset moves although the sync failed', [
    WRITER,
    '    failure_ = {synced, poison_, path_, durable_offset_, 0, ""};\n    return synced;',
    '    failure_ = {synced, poison_, path_, durable_offset_, 0, ""};\n    advance(ticket.offset);\n    return synced;',
  ]),
  mutation('G9', 'an old sync proves what came after a truncation', [
    WRITER,
    'if (ticket.truncations == truncations_) advance',
    'advance',
  ]),
  mutation(
    'G11',
    'no one locks',
    [WRITER, '  if (status.ok()) status = file.lock();\n'],
    [WRITER, 'if (!OpenFiles::instance().add(*identity)) {', 'if (false) {'],
  ),
  mutation('G12', 'readers look beyond the flushed offset', [
    READER,
    'return std::min(flushed_.acquire(), source_->size());',
    'return source_->size();',
  ]),
  mutation('G12', 'what was read ahead survives a truncation', [READER, '  buffered_ = 0;\n  if (!uses_mapping_) return;', '  if (!uses_mapping_) return;']),
  mutation('G12', 'readers do not look at the generation again', [
    READER,
    'if (flushed_.is_unchanged(generation)) break;',
    'break;',
  ]),
  mutation('G12', 'a truncation leaves the offset where it was', [
    FLUSHED,
    'cells_->offset.store(offset_max, std::memory_order_release);',
    '',
  ]),
  mutation('G15', 'a truncation for which memory is refused poisons', [CHANGE, 'if (status.is_shortage()) {', 'if (false) {']),
  mutation('G15', 'the redo file is made before there is memory for its contents', [
    REDO,
    '  if (!encode(change, &bytes)) return platform::kNoMemory;\n',
    '  std::unique_ptr<File> empty;\n  (void)system.open(redo_path(path), OpenMode::kCreateNew, &empty);\n  if (!encode(change, &bytes)) return platform::kNoMemory;\n  empty.reset();\n  (void)system.remove(redo_path(path));\n',
  ]),
];
