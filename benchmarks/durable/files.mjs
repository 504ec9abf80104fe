// Does what a reader does depend on the number of files? An idle refresh and a
// read of the last entry, of a log of 10,000 files beside one of 10.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wal, WalReader } from '../../dist/index.mjs';
import { figure, report, roundsOf, warmupOf } from '../measure.mjs';

const ROUNDS = 9;
const CALLS = 2000;
const FEW = 10;
const MANY = process.env.BENCH_QUICK ? 100 : 10_000;
/** Fills a file of the smallest size. */
const entry = Buffer.alloc(3800, 7);

// The disk is not asked here, and making so many files durable would take minutes.
const place = process.env.BENCH_DIR ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
const directory = mkdtempSync(join(place, 'atomic-log-bench-'));

function logOf(files) {
  const path = join(directory, String(files));
  const wal = Wal.openSync(path, { segmentBytes: 8192 });
  while (wal.lastLsn < files) wal.write(entry);
  wal.syncSync();
  const reader = WalReader.open(path);
  return { wal, reader, last: wal.lastLsn };
}

const operations = {
  'WalReader.refresh, idle': ({ reader }) => reader.refresh(),
  'WalReader.get of the last entry': ({ reader }) => reader.get(reader.lastLsn),
  'Wal.get of the last entry': ({ wal, last }) => wal.get(last),
};

function nanoseconds(run, log) {
  const begin = process.hrtime.bigint();
  for (let i = 0; i < CALLS; ++i) run(log);
  return Number(process.hrtime.bigint() - begin) / CALLS;
}

const [few, many] = [logOf(FEW), logOf(MANY)];
const samples = [];
for (let round = -warmupOf(1); round < roundsOf(ROUNDS); ++round) {
  const sample = Object.values(operations).map((run) => [nanoseconds(run, few), nanoseconds(run, many)]);
  if (round >= 0) samples.push(sample);
}
report(
  Object.keys(operations).map((operation, i) => ({
    operation: `${operation}, of ${MANY.toLocaleString('en')} files`,
    ...figure(
      samples.map((sample) => sample[i][1]),
      samples.map((sample) => sample[i][1] / sample[i][0]),
      `of ${FEW} files`,
    ),
    target: 2,
  })),
);
for (const { wal, reader } of [few, many]) {
  reader.close();
  wal.closeSync();
}
rmSync(directory, { recursive: true, force: true });
