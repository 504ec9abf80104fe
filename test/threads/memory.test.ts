// Neither the writer nor a reader in a synchronous loop, which runs no
// finalizer, makes the process's memory grow.
import { AtomicLog } from 'atomic-log';
import { testOfSharedMappings } from '../support/strict';
import { ended, firstMessage, startWorker } from './helpers';

const ENTRIES = 64 * 1024 * 1600; // over 10^8
const SLACK_BYTES = 32 << 20;

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

        const half = ENTRIES / 1024 / 2;
        const peaks = { first: 0, second: 0 };
        const sampler = setInterval(() => {
          const part = Atomics.load(progress, 0) < half ? 'first' : 'second';
          peaks[part] = Math.max(peaks[part], process.memoryUsage.rss());
        }, 5);
        expect(await writerEnded).toBe(0);
        clearInterval(sampler);

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
