// What does an append cost that goes to memory and to disk, next to one to each? And does a
// follower that comes from the disk to what is in memory pause there?
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AtomicLog, Wal } from '../../dist/index.mjs';
import { figure, median, report, roundsOf, warmupOf } from '../measure.mjs';

const ROUNDS = 15;
/** Appends of a round, in turns of so many each; all of them are durable at its end. */
const ENTRIES = 20_000;
const TURN = 100;
const WINDOW = { retainedCapacity: 100_000, segmentCapacity: 10_000 };

const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'atomic-log-bench-'));
const now = () => Number(process.hrtime.bigint());
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Nanoseconds per entry until all are appended and durable. */
async function timed(append, durable) {
  const begin = now();
  for (let i = 0; i < ENTRIES; ++i) {
    append(i);
    if (i % TURN === TURN - 1) await turn();
  }
  await durable();
  return (now() - begin) / ENTRIES;
}

async function appendRow() {
  const wal = await Wal.open(join(directory, 'wal'));
  const { writer, log: memory } = AtomicLog.claimed(WINDOW);
  const log = await AtomicLog.open({ wal: join(directory, 'journal'), ...WINDOW });
  // As many bytes as the frame of an f64 has.
  const data = Buffer.alloc(16, 7);
  let last;
  const samples = [];
  for (let round = -warmupOf(3); round < roundsOf(ROUNDS); ++round) {
    const alone = await timed(
      (i) => {
        last = wal.append(data);
        writer.append(i);
      },
      () => last,
    );
    const both = await timed(
      (i) => log.append(i),
      () => log.sync(),
    );
    if (round >= 0) samples.push({ alone, both });
  }
  await Promise.all([wal.close(), log.close()]);
  writer.close();
  memory.close();
  return {
    operation: 'journaled append of an f64, until all are durable, per entry',
    ...figure(
      samples.map(({ both }) => both),
      samples.map(({ alone, both }) => both / alone),
      'x Wal.append + append',
    ),
    target: 1.3,
  };
}

const RATE_PER_MS = 100;
const HISTORY = 200_000;
const LIVE_MS = 1500;

/** The longest time before a batch of a follower that begins 200,000 entries ago, while 100,000 come in a second. */
async function longestPause(path) {
  const log = await AtomicLog.open({ wal: path, ...WINDOW, retainedCapacity: 20_000 });
  for (let i = 0; i < HISTORY; i += 1000) log.appendBatch(new Float64Array(1000));
  await log.sync();
  const begin = now();
  let appended = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((now() - begin) / 1e6) * RATE_PER_MS);
    for (; appended < due; ++appended) log.append(appended);
  }, 1);
  let longest = 0;
  let before = now();
  for await (const batch of log.follow({ from: log.endIndex - HISTORY })) {
    const at = now();
    longest = Math.max(longest, at - before);
    before = at;
    if (batch.lost > 0) throw new Error(`${batch.lost} entries are lost`);
    if (at - begin > LIVE_MS * 1e6) break;
  }
  clearInterval(timer);
  await log.close();
  return longest;
}

async function handoverRow() {
  const pauses = [];
  for (let round = 0; round < roundsOf(5); ++round)
    pauses.push(await longestPause(join(directory, `handover-${round}`)));
  return {
    operation:
      'follower of a journaled log, from the disk to memory at 100,000 entries a second: longest pause',
    ...figure(
      pauses,
      pauses.map((pause) => pause / 20e6),
      'x 20 ms',
    ),
    target: 1,
    note: `median ${(median(pauses) / 1e6).toFixed(1)} ms`,
  };
}

report([await appendRow(), await handoverRow()]);
rmSync(directory, { recursive: true, force: true });
