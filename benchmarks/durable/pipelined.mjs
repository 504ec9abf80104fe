// How long do 64 appenders wait, each with one entry under way at a time, and how
// many entries become durable in a second?
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wal } from '../../dist/index.mjs';
import { bareFile, recordBytes } from '../bare-file.mjs';
import { figure, median, quantile, report, roundsOf, warmupOf } from '../measure.mjs';

const ROUNDS = 9;
const BYTES = 128;
const APPENDERS = 64;
/** Entries of each appender in a round. */
const ENTRIES = 60;
const SYNCS = 100;

const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'atomic-log-bench-'));
const data = Buffer.alloc(BYTES, 7);
const wal = await Wal.open(join(directory, 'wal'));
const bare = bareFile(join(directory, 'bare'));
const now = () => Number(process.hrtime.bigint());

/** Nanoseconds of one write of so many entries that is durable. */
function bareTime(entries) {
  const begin = now();
  bare.run(SYNCS, entries * recordBytes(BYTES));
  return (now() - begin) / SYNCS;
}

/** Each appender appends its next entry when the last one is as durable as asked for. */
async function closedLoop(options) {
  const latencies = [];
  const appender = async () => {
    for (let i = 0; i < ENTRIES; ++i) {
      const begin = now();
      await wal.append(data, options);
      latencies.push(now() - begin);
    }
  };
  const { commits } = wal.stats();
  const begin = now();
  await Promise.all(Array.from({ length: APPENDERS }, appender));
  const each = (now() - begin) / (APPENDERS * ENTRIES);
  const group = (APPENDERS * ENTRIES) / (wal.stats().commits - commits);
  return { p50: median(latencies), p99: quantile(latencies, 0.99), each, group };
}

const samples = [];
for (let round = -warmupOf(1); round < roundsOf(ROUNDS); ++round) {
  const F = bareTime(1);
  const together = bareTime(APPENDERS) / APPENDERS;
  const { p50: handover } = await closedLoop({ durability: 'os' });
  const sample = { F, together, handover, ...(await closedLoop()) };
  if (round >= 0) samples.push(sample);
}
const figureOf = (name, unit, unitText) =>
  figure(
    samples.map((sample) => sample[name]),
    samples.map((sample) => sample[name] / sample[unit]),
    unitText,
  );

const togetherInF = median(samples.map(({ together, F }) => (together * APPENDERS) / F));
const reason =
  `all ${APPENDERS} wait for one write and sync, which they share: a bare one of so many entries takes ` +
  `${togetherInF.toFixed(2)} F (F is that of one entry); the way there and back takes ` +
  `${figureOf('handover', 'F', 'F').ratio.toFixed(2)} F, which is what the same appends take with durability 'os', where they ` +
  `wait for no sync: the thread that writes is woken and wakes this one, and ${APPENDERS} promises settle and append again; ` +
  `${median(samples.map(({ group }) => group)).toFixed(0)} entries shared a sync`;
const who = `${APPENDERS} appenders of ${BYTES} B, one entry each under way`;
const each = figureOf('each', 'together', `bare write of ${APPENDERS} entries, per entry`);
report([
  {
    operation: `Wal.append, ${who}: until it is durable, median`,
    ...figureOf('p50', 'F', 'F'),
    target: 1.2,
    reason,
  },
  {
    operation: `Wal.append, ${who}: until it is durable, 99 of 100`,
    ...figureOf('p99', 'F', 'F'),
    target: null,
  },
  {
    operation: `Wal.append, ${who}: time per entry`,
    ...each,
    target: null,
    note: `${Math.round(1e9 / each.ns).toLocaleString('en')} entries a second`,
  },
]);
bare.close();
await wal.close();
rmSync(directory, { recursive: true, force: true });
