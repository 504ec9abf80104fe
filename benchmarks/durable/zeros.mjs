// What do zeros that are written ahead gain one appender that waits for each entry?
// The system calls alone: into space that is only secured, with zeros written
// ahead of the entries a mebibyte at a time, as the write-ahead log does, and into a
// file that was all zeros before the first of them.
import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordBytes } from '../bare-file.mjs';
import { figure, report, roundsOf, warmupOf } from '../measure.mjs';

const ROUNDS = 9;
const BYTES = 128;
const ENTRIES = 1000;
const AHEAD_BYTES = 1 << 20;
const FILE_BYTES = 64 << 20;
/** What a file begins with. */
const HEADER_BYTES = 4096;

const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'atomic-log-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const path = join(directory, 'file');

/** A file with its space; `isZeroed`: and with zeros written to all of it. */
function openFile(isZeroed) {
  rmSync(path, { force: true });
  const file = openSync(path, 'w+');
  execFileSync('fallocate', ['-l', String(FILE_BYTES), path]);
  const zeros = Buffer.alloc(AHEAD_BYTES);
  for (let at = 0; isZeroed && at < FILE_BYTES; at += zeros.length)
    writeSync(file, zeros, 0, zeros.length, at);
  fsyncSync(file);
  return file;
}

/** Nanoseconds of an entry that is written and synced. */
function timeOf({ isZeroed, isAhead }) {
  const file = openFile(isZeroed);
  const record = Buffer.alloc(recordBytes(BYTES), 7);
  const withZeros = Buffer.concat([record, Buffer.alloc(AHEAD_BYTES)]);
  let at = HEADER_BYTES;
  let zeroedEnd = isZeroed ? FILE_BYTES : at;
  const begin = process.hrtime.bigint();
  for (let i = 0; i < ENTRIES; ++i) {
    const bytes = isAhead && at + record.length > zeroedEnd ? withZeros : record;
    writeSync(file, bytes, 0, bytes.length, at);
    fdatasyncSync(file);
    zeroedEnd = Math.max(zeroedEnd, at + bytes.length);
    at += record.length;
  }
  const ns = Number(process.hrtime.bigint() - begin) / ENTRIES;
  closeSync(file);
  return ns;
}

const ways = { secured: {}, ahead: { isAhead: true }, whole: { isZeroed: true } };

function main() {
  const samples = [];
  for (let round = -warmupOf(1); round < roundsOf(ROUNDS); ++round) {
    const sample = Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, timeOf(way)]));
    if (round >= 0) samples.push(sample);
  }
  const row = (operation, name) => ({
    operation,
    ...figure(
      samples.map((sample) => sample[name]),
      samples.map((sample) => sample[name] / sample.ahead),
      'zeros ahead',
    ),
    target: null,
  });
  const what = `bare write and sync of one entry of ${BYTES} B`;
  report([
    row(`${what}, the space secured and nothing more`, 'secured'),
    row(`${what}, into a file of zeros`, 'whole'),
  ]);
}

if (process.platform === 'linux') main();
