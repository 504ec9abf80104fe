// How fast are records checked: when a file is opened for writing, when a log is
// verified, and alone? Beside reading the same bytes without looking at them,
// and "cold": when the system has dropped them from its memory.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SegmentWriter, Wal, parseRecord, salvage } from '../../dist/index.mjs';
import { compare, report } from '../measure.mjs';

const FILE_BYTES = 1 << 26;
const WAL_FILES = 8;
const WAL_ENTRY_BYTES = 64;
const RECORD_BYTES = 1 << 20;

const folder = mkdtempSync(join(tmpdir(), 'atomic-log-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const pathOf = (bytes) => join(folder, String(bytes));

/** A full file of such records; it is in the system's memory, and proved durable. */
function makeFile(bytes) {
  const writer = SegmentWriter.createSync(pathOf(bytes), { size: FILE_BYTES });
  const data = Buffer.alloc(bytes, 7);
  while (writer.remaining >= bytes + 8) writer.append(data);
  writer.closeSync();
}

/** Opens the file, and closes it. */
const scanOf = (bytes, before) => ({
  operations: 1,
  per: FILE_BYTES,
  before,
  run: () => SegmentWriter.openSync(pathOf(bytes), { sealed: true }).closeSync(),
});

/** A log with as many bytes, in several files; returns its directory. */
function makeWal() {
  const directory = join(folder, 'wal');
  const wal = Wal.openSync(directory, { segmentBytes: FILE_BYTES / WAL_FILES });
  const entry = Buffer.alloc(WAL_ENTRY_BYTES, 7);
  while (wal.stats().files <= WAL_FILES) {
    for (let i = 0; i < 1000; ++i) wal.write(entry);
    wal.syncSync();
  }
  wal.closeSync();
  return directory;
}

/** Has the system drop a file from its memory. */
const dropOf = (path) => () => execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);

/** Checks one record over and over, which lies in the processor's cache. */
function checkOf(checksum) {
  const path = join(folder, checksum);
  const writer = SegmentWriter.createSync(path, { size: RECORD_BYTES + 8, checksum });
  writer.append(Buffer.alloc(RECORD_BYTES, 7));
  writer.closeSync();
  const record = readFileSync(path);
  return {
    operations: 60,
    per: RECORD_BYTES,
    run(operations) {
      for (let i = 0; i < operations; ++i) parseRecord(record, 0, { checksum });
    },
  };
}

const source = Buffer.alloc(RECORD_BYTES, 7);
const target = Buffer.alloc(RECORD_BYTES);
/** Reading the same file without looking at it. */
function readOf(bytes, before) {
  const piece = Buffer.alloc(1 << 18);
  const descriptor = openSync(pathOf(bytes), 'r');
  return {
    operations: FILE_BYTES / piece.length,
    per: piece.length,
    before,
    run(operations) {
      for (let i = 0; i < operations; ++i) readSync(descriptor, piece, 0, piece.length, i * piece.length);
    },
  };
}

makeFile(64);
makeFile(4096);
const wal = makeWal();
const candidates = {
  read: readOf(64),
  // The system keeps each file in pieces of its own size.
  read4096: readOf(4096),
  memcpy: {
    operations: 60,
    per: RECORD_BYTES,
    run(operations) {
      for (let i = 0; i < operations; ++i) source.copy(target);
    },
  },
  scan64: scanOf(64),
  scan4096: scanOf(4096),
  verify: {
    operations: 1,
    per: FILE_BYTES,
    run() {
      if (salvage(wal).damage !== undefined) throw new Error('the log is sound');
    },
  },
  crc32c: checkOf('crc32c'),
  crc32: checkOf('crc32'),
};
if (process.platform === 'linux') {
  const drop = dropOf(pathOf(64));
  candidates.coldRead = readOf(64, drop);
  candidates.coldScan = scanOf(64, drop);
}
const figure = compare(candidates);

const perByte = (absolute) => `${absolute.ns.toFixed(3)} ns per byte, ${(1 / absolute.ns).toFixed(1)} GB/s`;
const checksums = figure('crc32c', 'read').ratio;
const reason =
  `as many bytes are read in 1.00 and their checksums alone take ${checksums.toFixed(2)} (a row below), one after the other ` +
  `in one thread: less than ${(1 + checksums).toFixed(2)} is out of reach without a second one`;
const beside = (operation, name, unit, what, target) => ({
  operation,
  ...figure(name, unit),
  unit: what,
  target,
  reason,
  note: perByte(figure(name)),
});
const SAME = 'x fs.readSync of as many bytes';
const rows = [
  beside('recovery scan, records of 64 B', 'scan64', 'read', SAME, 1.11),
  beside('recovery scan, records of 4 KiB', 'scan4096', 'read4096', SAME, 1),
  beside(
    `verification of a log of ${WAL_FILES} files, entries of ${WAL_ENTRY_BYTES} B`,
    'verify',
    'read',
    SAME,
    null,
  ),
  beside('checksum alone, 1 MiB, Castagnoli', 'crc32c', 'memcpy', 'x memcpy', null),
  beside('checksum alone, 1 MiB, ISO-HDLC', 'crc32', 'memcpy', 'x memcpy', null),
];
if ('coldScan' in candidates) {
  rows.splice(
    3,
    0,
    beside('recovery scan, records of 64 B, cold', 'coldScan', 'coldRead', `${SAME}, cold`, 1.11),
  );
}
report(rows);
