// Neither the writer nor a reader in a synchronous loop, which runs no
// finalizer, makes the process's memory grow.
import { AtomicLog, type CodecLogOptions } from 'atomic-log';
import { testOfSharedMappings } from '../support/strict';
import { ended, firstMessage, startWorker } from './helpers';
import { sorts } from './sorts.cjs';

const ENTRIES = 64 * 1024 * 1600; // over 10^8
const SLACK_BYTES = 32 << 20;

/** Runs the producer, while resident memory is sampled in both halves of its work. */
async function peaksWhile(producer: Promise<number>, progress: Int32Array, entries: number): Promise<Peaks> {
  const half = entries / 1024 / 2;
  const peaks = { first: 0, second: 0 };
  const sampler = setInterval(() => {
    const part = Atomics.load(progress, 0) < half ? 'first' : 'second';
    peaks[part] = Math.max(peaks[part], process.memoryUsage.rss());
  }, 5);
  expect(await producer).toBe(0);
  clearInterval(sampler);
  return peaks;
}

interface Peaks {
  first: number;
  second: number;
}

for (const segmentCapacity of [64, 4096]) {
  for (const how of ['refresh', 'snapshot']) {
    testOfSharedMappings(
      `resident memory reaches a plateau: segments of ${segmentCapacity}, polling by ${how}`,
      async () => {
        const log = new AtomicLog({ retainedCapacity: 16 * segmentCapacity, segmentCapacity });
        const progress = new Int32Array(new SharedArrayBuffer(8));
        const reader = startWorker('poll', { handle: log.handle, progress, how });
        expect(await firstMessage(reader)).toBe('polling');
        const writer = startWorker('produce', { handle: log.handle, entries: ENTRIES, progress });
        const writerEnded = ended(writer);

        const peaks = await peaksWhile(writerEnded, progress, ENTRIES);

        const polls = firstMessage(reader);
        const readerEnded = ended(reader);
        Atomics.store(progress, 1, 1);
        expect(await polls).toBeGreaterThan(1000);
        expect(await readerEnded).toBe(0);

        expect(peaks.first).toBeGreaterThan(0);
        expect(peaks.second).toBeLessThan(peaks.first + SLACK_BYTES);
        // Each environment pins at most a window and holds back at most another.
        expect(log.stats().fresh).toBeLessThan(17 * 6);
      },
      60_000,
    );
  }
}

for (const [sort, entries] of [
  ['lines', 5_000_000],
  ['codec', 4_000_000],
] as const) {
  testOfSharedMappings(
    `resident memory reaches a plateau: ${sort}, segments sealed early`,
    async () => {
      const capacities = { retainedCapacity: 4096, segmentCapacity: 256 };
      const log: AtomicLog<unknown> = new AtomicLog<unknown>({
        ...capacities,
        ...sorts[sort]!.options,
        segmentBytes: 160,
      } as CodecLogOptions<unknown>);
      const progress = new Int32Array(new SharedArrayBuffer(8));
      const reader = startWorker('pollEntries', { handle: log.handle, sort, progress });
      expect(await firstMessage(reader)).toBe('polling');
      const writer = startWorker('produceEntries', { handle: log.handle, sort, entries, progress });
      const peaks = await peaksWhile(ended(writer), progress, entries);

      const polls = firstMessage(reader);
      const readerEnded = ended(reader);
      Atomics.store(progress, 1, 1);
      expect(await polls).toBeGreaterThan(100);
      expect(await readerEnded).toBe(0);

      expect(peaks.first).toBeGreaterThan(0);
      expect(peaks.second).toBeLessThan(peaks.first + SLACK_BYTES);
      const stats = log.stats();
      expect(stats.fresh).toBeLessThan(17 * 6);
      expect(stats.earlySeals).toBeGreaterThan(1000);
    },
    60_000,
  );
}
