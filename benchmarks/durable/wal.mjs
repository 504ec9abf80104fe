// What does a durable append cost? appendSync beside the bare system calls, and
// many appends under way beside the databases that Node programs use as a log.
// All write to the same disk, in turns.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wal } from '../../dist/index.mjs';
import { bareFile, recordBytes } from '../bare-file.mjs';
import { BYTES, IN_FLIGHT, ways } from '../durable-ways.mjs';
import { figure, report, roundsOf, warmupOf } from '../measure.mjs';

const ROUNDS = 9;
const SYNCS = 300;
const data = Buffer.alloc(BYTES, 7);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'atomic-log-bench-'));
const wal = await Wal.open(join(directory, 'wal'));
const bare = bareFile(join(directory, 'bare'));

/** Ways whose package is installed, and built for this machine. */
const present = [];
for (const name of ['Wal.append', 'Wal.appendBatch', 'lmdb', 'classic-level', 'better-sqlite3']) {
  try {
    present.push([name, await ways[name].open(mkdtempSync(join(directory, 'way-')))]);
  } catch (error) {
    console.error(`without ${name}: ${error.message.split('\n')[0]}`);
  }
}

async function nanoseconds(run, operations) {
  const begin = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - begin) / operations;
}

const samples = [];
for (let round = -warmupOf(1); round < roundsOf(ROUNDS); ++round) {
  const sample = {};
  sample.F = await nanoseconds(() => bare.run(SYNCS, recordBytes(BYTES)), SYNCS);
  sample.appendSync = await nanoseconds(() => {
    for (let i = 0; i < SYNCS; ++i) wal.appendSync(data);
  }, SYNCS);
  for (const [name, run] of present) sample[name] = await nanoseconds(run, IN_FLIGHT);
  if (round >= 0) samples.push(sample);
}
const figureOf = (name, unit, unitText) =>
  figure(
    samples.map((sample) => sample[name]),
    samples.map((sample) => sample[name] / sample[unit]),
    unitText,
  );

report([
  { operation: `Wal.appendSync of ${BYTES} B`, ...figureOf('appendSync', 'F', 'F'), target: 1.1 },
  ...present.map(([name]) => {
    const each = figureOf(name, 'Wal.append', 'wal');
    return {
      operation: `${name} of ${BYTES} B, ${IN_FLIGHT} under way, each`,
      ...each,
      target: null,
      note: `${Math.round(1e9 / each.ns).toLocaleString('en')} entries a second; durable ${ways[name].durable}`,
    };
  }),
]);
bare.close();
await wal.close();
rmSync(directory, { recursive: true, force: true });
process.exit(0);
