// Would several syncs at once give 64 appenders, each with one entry under way,
// more than one sync that takes all of them? The system calls alone: every lane
// writes its share to its own part of a file, and syncs it through a descriptor
// of its own. No lane waits for another, so a log that acknowledges its entries
// in order could not be quicker.
import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareFile, FILE_BYTES, recordBytes } from '../bare-file.mjs';
import { figure, report, roundsOf, warmupOf } from '../measure.mjs';

const ROUNDS = 15;
const BYTES = 128;
const APPENDERS = 64;
/** Of all lanes together, in a round. */
const ENTRIES = APPENDERS * 200;
const LANES = [1, 2, 4];

const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'atomic-log-bench-'));
const path = join(directory, 'bare');
bareFile(path).close();

/** Writes and syncs `groups` groups of `bytes` bytes, one after the other. */
async function lane(begin, end, groups, bytes) {
  const file = openSync(path, 'r+');
  const data = Buffer.alloc(bytes, 7);
  let at = begin;
  for (let i = 0; i < groups; ++i) {
    if (at + bytes > end) at = begin;
    // Into the system's memory; what takes the time is the sync.
    writeSync(file, data, 0, bytes, at);
    at += bytes;
    await new Promise((resolve, reject) => fdatasync(file, (error) => (error ? reject(error) : resolve())));
  }
  closeSync(file);
}

/** Nanoseconds for each entry, and for each write of one group. */
async function timesOf(lanes, entriesInGroup) {
  const groups = ENTRIES / APPENDERS;
  const part = FILE_BYTES / lanes;
  const begin = process.hrtime.bigint();
  await Promise.all(
    Array.from({ length: lanes }, (_, i) =>
      lane(i * part, (i + 1) * part, groups, entriesInGroup * recordBytes(BYTES)),
    ),
  );
  const ns = Number(process.hrtime.bigint() - begin);
  return { entry: ns / (groups * lanes * entriesInGroup), group: ns / (groups * lanes) };
}

const samples = [];
for (let round = -warmupOf(1); round < roundsOf(ROUNDS); ++round) {
  const sample = {};
  for (const lanes of LANES) {
    sample[`share${lanes}`] = (await timesOf(lanes, APPENDERS / lanes)).entry;
    sample[`write${lanes}`] = (await timesOf(lanes, 1)).group;
  }
  if (round >= 0) samples.push(sample);
}
const figureOf = (name, lanes) =>
  figure(
    samples.map((sample) => sample[`${name}${lanes}`]),
    samples.map((sample) => sample[`${name}${lanes}`] / sample[`${name}1`]),
    'one sync at a time',
  );
report(
  LANES.filter((lanes) => lanes > 1).flatMap((lanes) => [
    {
      operation: `bare writes of one entry of ${BYTES} B, ${lanes} syncs at once, each`,
      ...figureOf('write', lanes),
      target: null,
    },
    {
      operation: `${APPENDERS} entries in ${lanes} bare writes and ${lanes} syncs at once, per entry`,
      ...figureOf('share', lanes),
      target: null,
      note: 'several groups in flight would be worth it below 0.67',
    },
  ]),
);
rmSync(directory, { recursive: true, force: true });
