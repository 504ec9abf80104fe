// Neither the writer nor a reader in a synchronous loop, which runs no
// finalizer, makes the process's memory grow.
import { AtomicLog, type CodecLogOptions } from 'atomic-log';
import { sized } from '../support/sizes';
import { testOfSharedMappings } from '../support/strict';
import { addon } from '../support/internals';
import { ended, firstMessage, runScript, startWorker } from './helpers';
import { sorts } from './sorts.cjs';

/** In one step, each half takes more than the slack if none of it comes back; eight are over 10^8 numbers. */
const STEPS = sized('MEMORY_STEPS', { small: 1, long: 8 });
const ENTRIES = STEPS * 200 * 64 * 1024;
const SLACK_BYTES = 32 << 20;

/** Runs the producer, while resident memory is sampled in both halves of its work. */
async function peaksWhile(producer: Promise<number>, progress: Int32Array): Promise<Peaks> {
  const peaks = { first: 0, second: 0 };
  const sampler = setInterval(() => {
    const part = Atomics.load(progress, 0) === 0 ? 'first' : 'second';
    peaks[part] = Math.max(peaks[part], process.memoryUsage.rss());
    Atomics.add(progress, 3, 1);
  }, 5);
  expect(await producer).toBe(0);
  clearInterval(sampler);
  return peaks;
}

interface Peaks {
  first: number;
  second: number;
}

/** Starts both workers, and expects that memory has its peak in the first half of the producer's work. */
async function expectPlateau(
  log: AtomicLog<unknown>,
  { poll, produce, entries, pollsMin, ...data }: Workload,
): Promise<void> {
  const progress = new Int32Array(new SharedArrayBuffer(16));
  const reader = startWorker(poll, { handle: log.handle, progress, ...data });
  expect(await firstMessage(reader)).toBe('polling');
  // The producer need not wait for a reader that has failed.
  const readerEnded = ended(reader).finally(() => Atomics.store(progress, 1, 1));
  const writer = startWorker(produce, { handle: log.handle, entries, pollsMin, progress, ...data });
  const peaks = await peaksWhile(ended(writer), progress);

  Atomics.store(progress, 1, 1);
  expect(await readerEnded).toBe(0);

  expect(peaks.first).toBeGreaterThan(0);
  expect(peaks.second).toBeLessThan(peaks.first + SLACK_BYTES);
  // Each environment pins at most a window and holds back at most another.
  expect(log.stats().fresh).toBeLessThan(17 * 6);
}

interface Workload {
  /** The roles of the workers, in worker.cjs. */
  readonly poll: string;
  readonly produce: string;
  readonly entries: number;
  /** However slow the reader is: the producer goes on until it has polled so often. */
  readonly pollsMin: number;
  readonly how?: string;
  readonly sort?: string;
}

for (const segmentCapacity of [64, 4096]) {
  for (const how of ['refresh', 'snapshot']) {
    testOfSharedMappings(
      `resident memory reaches a plateau: segments of ${segmentCapacity}, polling by ${how}`,
      async () => {
        const log = new AtomicLog({ retainedCapacity: 16 * segmentCapacity, segmentCapacity });
        const workers = { poll: 'poll', produce: 'produce', how };
        await expectPlateau(log as AtomicLog<unknown>, { ...workers, entries: ENTRIES, pollsMin: 1000 });
      },
      600_000,
    );
  }
}

for (const [sort, entries] of [
  ['lines', STEPS * 625_000],
  ['codec', STEPS * 500_000],
] as const) {
  testOfSharedMappings(
    `resident memory reaches a plateau: ${sort}, segments sealed early`,
    async () => {
      const capacities = { retainedCapacity: 4096, segmentCapacity: 256 };
      const log: AtomicLog<unknown> = new AtomicLog<unknown>({
        ...capacities,
        ...sorts[sort]!.options,
        dataBytes: 160,
      } as CodecLogOptions<unknown>);
      const workers = { poll: 'pollEntries', produce: 'produceEntries', sort };
      await expectPlateau(log, { ...workers, entries, pollsMin: 100 });
      expect(log.stats().earlySeals).toBeGreaterThan(1000);
    },
    600_000,
  );
}

/** What a process has at most, in MiB, while it makes, fills, reads and closes so many logs in one turn; and before. */
function peakOfLogs(count: number, segmentCapacity: number, mapping: string): { base: number; peak: number } {
  const output = runScript(`
    const { AtomicLog } = require('./dist/index.js');
    const size = { retainedCapacity: ${segmentCapacity}, segmentCapacity: ${segmentCapacity}, mapping: '${mapping}' };
    const entries = new Float64Array(2 * ${segmentCapacity}).fill(1);
    const one = () => {
      const { log, writer } = AtomicLog.claimed(size);
      writer.appendBatch(entries);
      const snapshot = log.snapshot();
      for (const { values } of snapshot.chunks()) if (values[0] !== 1) throw new Error('not what was appended');
      snapshot.close();
      writer.close();
      log.close();
    };
    for (let i = 0; i < 100; ++i) one();
    const rss = () => process.memoryUsage.rss() / 2 ** 20;
    const base = rss();
    let peak = base;
    for (let i = 0; i < ${count}; ++i) {
      one();
      if (i % 16 === 0) peak = Math.max(peak, rss());
    }
    console.log(JSON.stringify({ base, peak }));
  `);
  return JSON.parse(output) as { base: number; peak: number };
}

describe.each(addon.canMapExternal() ? ['external', 'shared'] : ['shared'])(
  'logs made, filled, read and closed in one synchronous turn, %s mapping',
  (mapping) => {
    testOfSharedMappings('keep no entries', () => {
      // A segment of half a MiB each, 300 MiB in all.
      const { base, peak } = peakOfLogs(600, 65536, mapping);
      expect(peak - base).toBeLessThan(100);
    });
  },
);
