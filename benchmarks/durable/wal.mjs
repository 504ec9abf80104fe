// What does a durable append cost? appendSync beside the bare system calls, and
// many appends under way beside the databases that Node programs use as a log.
// All write to the same disk, in turns.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wal } from '../../dist/index.mjs';
import { bareFile, recordBytes } from '../bare-file.mjs';
import { figure, report, roundsOf, warmupOf } from '../measure.mjs';

const ROUNDS = 9;
const BYTES = 128;
const SYNCS = 300;
const IN_FLIGHT = 10_000;
const FILE_BYTES = 64 << 20;
const data = Buffer.alloc(BYTES, 7);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'atomic-log-bench-'));

/** A peer that is not installed, or not built for this machine, is left out. */
async function optional(name, open) {
  try {
    return await open(await import(name));
  } catch (error) {
    console.error(`without ${name}: ${error.message.split('\n')[0]}`);
    return undefined;
  }
}

const wal = await Wal.open(join(directory, 'wal'), { segmentBytes: FILE_BYTES });
const bare = bareFile(join(directory, 'bare'));
let key = 0;

const asynchronous = {
  wal: () => Promise.all(Array.from({ length: IN_FLIGHT }, () => wal.append(data))),
  walBatch: () => wal.appendBatch(Array.from({ length: IN_FLIGHT }, () => data)),
  lmdb: await optional('lmdb', ({ open }) => {
    const database = open(join(directory, 'lmdb'), { keyEncoding: 'uint32', encoding: 'binary' });
    return async () => {
      for (let i = 0; i < IN_FLIGHT; ++i) void database.put(++key, data);
      await database.flushed;
    };
  }),
  'classic-level': await optional('classic-level', async ({ ClassicLevel }) => {
    const database = new ClassicLevel(join(directory, 'level'), { valueEncoding: 'buffer' });
    await database.open();
    return () => {
      const puts = Array.from({ length: IN_FLIGHT }, () => {
        const name = String(++key).padStart(12, '0');
        return { type: 'put', key: name, value: data };
      });
      return database.batch(puts, { sync: true });
    };
  }),
  'better-sqlite3': await optional('better-sqlite3', ({ default: Database }) => {
    const database = new Database(join(directory, 'sqlite'));
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.exec('CREATE TABLE log (lsn INTEGER PRIMARY KEY, data BLOB)');
    const insert = database.prepare('INSERT INTO log (data) VALUES (?)');
    const all = database.transaction(() => {
      for (let i = 0; i < IN_FLIGHT; ++i) insert.run(data);
    });
    return () => all();
  }),
};

async function nanoseconds(run, operations) {
  const begin = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - begin) / operations;
}

const ways = Object.entries(asynchronous).filter(([, run]) => run !== undefined);
const samples = [];
for (let round = -warmupOf(1); round < roundsOf(ROUNDS); ++round) {
  const sample = {};
  sample.F = await nanoseconds(() => bare.run(SYNCS, recordBytes(BYTES)), SYNCS);
  sample.appendSync = await nanoseconds(() => {
    for (let i = 0; i < SYNCS; ++i) wal.appendSync(data);
  }, SYNCS);
  for (const [name, run] of ways) sample[name] = await nanoseconds(run, IN_FLIGHT);
  if (round >= 0) samples.push(sample);
}
const figureOf = (name, unit, inverse = false) =>
  figure(
    samples.map((sample) => sample[name]),
    samples.map((sample) => (inverse ? sample[unit] / sample[name] : sample[name] / sample[unit])),
    unit,
  );

const inFlight = `of ${BYTES} B, ${IN_FLIGHT} under way`;
report([
  { operation: `Wal.appendSync of ${BYTES} B`, ...figureOf('appendSync', 'F'), target: 1.1 },
  ...ways.map(([name]) => ({
    operation: `${{ wal: 'Wal.append', walBatch: 'Wal.appendBatch' }[name] ?? name} ${inFlight}, each`,
    ...figureOf(name, 'wal'),
    target: null,
    note: `${Math.round(1e9 / figureOf(name, 'wal').ns).toLocaleString('en')} entries a second`,
  })),
]);
bare.close();
await wal.close();
rmSync(directory, { recursive: true, force: true });
process.exit(0);
