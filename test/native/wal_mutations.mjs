// Changes one rule of the write-ahead log at a time, and expects the tests to
// notice: node test/native/wal_mutations.mjs [name ...]
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const core = join(here, '../../src-native/core');

// [what is left out or changed, file, text, replacement]
const mutations = [
  [
    'acknowledge before sync',
    'wal_writer.cc',
    'const IoStatus status = file_->sync_data();',
    'const IoStatus status;',
  ],
  [
    'try a failed sync again',
    'wal_writer.cc',
    'const IoStatus status = file_->sync_data();',
    'IoStatus status = file_->sync_data();\n  if (!status.ok()) status = file_->sync_data();',
  ],
  [
    'no directory sync after a new name',
    'wal_files.cc',
    'if (status.ok()) status = system.sync_directory(directory);\n  return status;\n}\n\nIoStatus write_wal_header',
    'return status;\n}\n\nIoStatus write_wal_header',
  ],
  [
    'new file not synced',
    'wal_files.cc',
    'if (status.ok()) status = file.sync_all();\n  if (status.ok()) status = system.rename',
    'if (status.ok()) status = system.rename',
  ],
  [
    'next name before the sync of SEAL',
    'wal_writer.cc',
    'const Outcome outcome = sync();\n  if (outcome != Outcome::kOk) return outcome;\n  WalHeader header',
    'const Outcome outcome = flush();\n  if (outcome != Outcome::kOk) return outcome;\n  WalHeader header',
  ],
  [
    'durable offset is what was written',
    'wal_writer.cc',
    'head.durable_offset = durable_offset_;',
    'head.durable_offset = tail_;',
  ],
  [
    'durable offset is what the system has',
    'wal_writer.cc',
    'head.durable_offset = durable_offset_;',
    'head.durable_offset = buffer_offset_;',
  ],
  [
    'durable offset ignored',
    'wal_recovery.cc',
    'decide(proof != 0 ? WalRow::kProvenDamage',
    'decide(false ? WalRow::kProvenDamage',
  ],
  ['any later head is a proof', 'wal_scanner.cc', '(above == 0 || head.durable_offset > above)) {', 'true) {'],
  [
    'a SEAL is a proof',
    'wal_scanner.cc',
    '(above == 0 || head.durable_offset > above)) {',
    '(above == 0 || head.durable_offset > above || head.type == WalType::kSeal)) {',
  ],
  ['epoch ignored', 'wal_scanner.cc', 'found.epoch != position_.epoch ||', ''],
  ['epoch not advanced', 'wal_writer.cc', 'uint64_t{epoch_} + 1, 0);', 'uint64_t{epoch_}, 0);\n  --epoch_;'],
  ['log id not in the checksum', 'wal_format.cc', 'file_seed_ = crc_(0, seed, sizeof(seed));', 'file_seed_ = 0;'],
  [
    'no sync of what was found',
    'wal_recovery.cc',
    'if (status.ok()) status = file.sync_all();\n  if (status.ok()) status = system.sync_directory',
    'if (status.ok()) status = system.sync_directory',
  ],
  [
    'no directory sync when opening',
    'wal_recovery.cc',
    'if (status.ok()) status = system.sync_directory(options.directory);\n  if (status.ok()) return',
    'if (status.ok()) return',
  ],
  [
    'unproven records not written again',
    'wal_recovery.cc',
    'status = copy_range(file, found.proven_offset, end, rewrite);',
    '',
  ],
  [
    'header not written again',
    'wal_recovery.cc',
    'if (status.ok()) status = copy_range(file, 0, kWalHeaderBytes, rewrite);',
    '',
  ],
  [
    'deletes before CHECKPOINT is synced',
    'wal_writer.cc',
    'put_control(WalType::kCheckpoint, lsn + 1, oldest_file);\n  outcome = sync();',
    'put_control(WalType::kCheckpoint, lsn + 1, oldest_file);\n  outcome = flush();',
  ],
  [
    'recovery deletes before its sync',
    'wal_writer.cc',
    'if (outcome == Outcome::kOk) {\n    outcome = repair_wal(',
    'if (outcome == Outcome::kOk) {\n    remove_wal_garbage(system, options.directory, found.oldest_file,\n                       found.listing);\n    outcome = repair_wal(',
  ],
  [
    'no CHECKPOINT record',
    'wal_writer.cc',
    'put_control(WalType::kCheckpoint, lsn + 1, oldest_file);',
    '',
  ],
  [
    'checkpoint one file too far',
    'wal_writer.cc',
    'keep == files_.rend() ? oldest_file_ : keep->number;',
    'std::min(keep->number + 1, file_number_);',
  ],
  ['header without the oldest LSN', 'wal_writer.cc', 'header.oldest_lsn = oldest_lsn_;', 'header.oldest_lsn = 1;'],
  ['header without the oldest file', 'wal_writer.cc', 'header.oldest_file = oldest_file_;', 'header.oldest_file = 1;'],
  [
    'body checksum not compared',
    'wal_scanner.cc',
    'codec_.body_checksum(offset, body, found.body_bytes) !=\n      found.body_checksum',
    'codec_.body_checksum(offset, body, found.body_bytes) == 0 &&\n      found.body_checksum == 0',
  ],
  [
    'a zero head is the end',
    'wal_recovery.cc',
    'if (found_.nonzero_end > end) {\n      uint64_t proof',
    'uint64_t first = 0;\n    size_t got = 0;\n    (void)file.read_at(end, &first, 8, &got);\n    if (first != 0 && found_.nonzero_end > end) {\n      uint64_t proof',
  ],
  [
    'made again over records',
    'wal_recovery.cc',
    'if (!is_empty) return decide(WalRow::kDamagedHeader, number, 0);',
    '',
  ],
  ['unfinished files refused', 'wal_recovery.cc', '*is_unfinished = true;\n    return Outcome::kOk;', 'return decide(WalRow::kDamagedHeader, number, 0);'],
  ['set-aside file not synced', 'wal_recovery.cc', 'if (status.ok()) status = aside->sync_all();', ''],
  ['set-aside name not synced', 'wal_recovery.cc', 'if (status.ok()) status = system.sync_parent(path);', ''],
  ['torn bytes not zeroed', 'wal_recovery.cc', 'if (status.ok()) status = file.zero_range(from, to - from);', ''],
  [
    'OPEN takes the space of SEAL',
    'wal_writer.cc',
    'const Outcome outcome = make_room(kWalControlBytes);\n  if (outcome != Outcome::kOk) return outcome;\n  put_control(WalType::kOpen',
    'const Outcome outcome =\n      tail_ + kWalControlBytes <= file_bytes_ ? Outcome::kOk : make_room(4096);\n  if (outcome != Outcome::kOk) return outcome;\n  put_control(WalType::kOpen',
  ],
  ['no sync of OPEN', 'wal_writer.cc', '++epoch_;\n  return sync();', '++epoch_;\n  durable_offset_ = tail_;\n  return flush();'],
  ['poison forgotten', 'wal_writer.cc', 'is_poisoned_ = true;', 'is_poisoned_ = false;'],
  ['the next file is not reserved first', 'wal_writer.cc', '// Nothing was written: this can be tried again.\n  if (!status.ok()) return io_failure(status);', 'if (!status.ok()) return poison(status);'],
  ['base LSN of the successor not checked', 'wal_recovery.cc', 'if (checksum != next.previous_seal_checksum)', 'if (false)'],
  ['no lock', 'wal_writer.cc', 'status = is_registered_ ? lock_file_->lock()', 'status = true ? IoStatus{}'],
  [
    'follower reads what is not proved',
    'wal_reader.cc',
    'probe_.unproven.front().first <= probe_.proven_offset',
    'probe_.unproven.front().first <= scanner.position().offset',
  ],
  [
    'follower trusts SEAL',
    'wal_reader.cc',
    '// It is looked at again until the successor is there.',
    'probe_.end_offset = scanner.position().offset;\n      probe_.next_lsn = scanner.position().lsn;',
  ],
  ['follower takes damage for the end', 'wal_reader.cc', 'if (proof == 0) return Outcome::kOk;', 'return Outcome::kOk;'],
  ['follower does not link files', 'wal_reader.cc', 'if (checksum != next.previous_seal_checksum) {', 'if (false) {'],
  ['batch read in part', 'wal_reader.cc', 'add(head.lsn + i, body + at, bytes);', 'if (i + 1 < head.count) add(head.lsn + i, body + at, bytes);'],
  ['answered before the sync', 'wal_log.cc', 'const Outcome outcome = reach(level);', 'const Outcome outcome = reach(std::min(level, WalLevel::kSystem));'],
  ['waiters of a failed commit are told of success', 'wal_log.cc', 'if (outcome != Outcome::kOk) {\n      // Whoever', 'if (false) {\n      // Whoever'],
  ['expected LSN ignored', 'wal_log.cc', 'if (submission.expected_lsn != 0 &&', 'if (false &&'],
  ['not all are answered', 'wal_log.cc', 'for (WalAnswer& answer : answers) answers_.push_back(std::move(answer));', 'if (answers.size() > 40) answers.pop_back();\n  for (WalAnswer& answer : answers) answers_.push_back(std::move(answer));'],
  ['followers are never told of the last batch', 'wal_log.cc', 'if (!is_closed_) (void)writer_->mark();', ''],
  ['a truncated LSN is read from the older file', 'wal_reader.cc', 'files_.rbegin(), files_.rend(),\n      [lsn](const LogFile& file) { return file.info.base_lsn <= lsn; });\n  return found == files_.rend() ? nullptr : &*found;', 'files_.begin(), files_.end(),\n      [lsn](const LogFile& file) { return file.info.base_lsn <= lsn; });\n  return found == files_.end() ? nullptr : &*found;'],
];

const chosen = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), 'wal-mutations-'));
const flags = ['-std=c++20', '-O1', '-fno-exceptions', '-fno-rtti', '-pthread'];
const cxx = process.env.CXX ?? 'g++';
const sources = (directory, pattern) =>
  readdirSync(join(core, directory))
    .filter((name) => pattern.test(name))
    .map((name) => join(core, directory, name));

function compile(source, object, extra = []) {
  execFileSync(cxx, [...extra, '-c', source, '-o', object]);
  return object;
}

let survived = 0;
try {
  mkdirSync(join(work, 'o'));
  const include = [`-I${join(here, '../../src-native')}`, `-I${here}`];
  const objects = new Map();
  const natives = [
    ...sources('durable', /^(wal_|record_scanner).*\.cc$/),
    ...sources('base', /\.cc$/),
    ...sources('platform', /^(file|barrier|wait).*\.cc$/),
  ];
  for (const source of natives) {
    const name = source.split('/').at(-1);
    objects.set(name, compile(source, join(work, 'o', `${name}.o`), [...flags, ...include]));
  }
  const tests = [
    'unit_main.cc',
    'support/simulated_file_system.cc',
    'support/wal_fixture.cc',
    ...readdirSync(join(here, 'durable'))
      .filter((name) => /^wal_.*_test\.cc$/.test(name))
      .map((name) => `durable/${name}`),
  ];
  for (const name of tests) {
    objects.set(name, compile(join(here, name), join(work, 'o', `${name.replace('/', '_')}.o`), ['-std=c++20', '-O1', '-pthread', ...include]));
  }
  const program = join(work, 'tests');
  const run = (replaced) => {
    execFileSync(cxx, ['-pthread', ...[...objects].map(([name, object]) => replaced.get(name) ?? object), '-o', program]);
    return spawnSync(program, ['--test-suite=wal*,threads', '--abort-after=1'], { encoding: 'utf8', timeout: 600_000 });
  };
  if (run(new Map()).status !== 0) throw new Error('the tests fail without any mutation');
  for (const [what, file, text, replacement] of mutations) {
    if (chosen.length > 0 && !chosen.some((word) => what.includes(word))) continue;
    const original = readFileSync(join(core, 'durable', file), 'utf8');
    if (original.split(text).length !== 2) throw new Error(`${what}: the text is not there once`);
    const mutated = join(work, 'mutated');
    cpSync(join(core, 'durable'), join(mutated, 'core/durable'), { recursive: true });
    const path = join(mutated, 'core/durable', file);
    writeFileSync(path, original.replace(text, () => replacement));
    const object = compile(path, join(work, 'mutated.o'), [...flags, ...include]);
    const result = run(new Map([[file, object]]));
    const line = /TEST CASE:\s*(.*)(?:(?!TEST CASE)[\s\S])*?(?:ERROR|FATAL)/.exec(result.stdout)?.[1] ?? `signal ${result.signal}`;
    if (result.status === 0) ++survived;
    console.log(`${result.status === 0 ? 'SURVIVED' : 'caught  '}  ${what}${result.status === 0 ? '' : `: ${line}`}`);
    rmSync(mutated, { recursive: true });
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (survived > 0) {
  console.error(`${survived} mutations survived`);
  process.exitCode = 1;
}
