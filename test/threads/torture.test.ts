// Workers that attach, snapshot, follow, wait, claim and write are terminated at
// random moments, while this thread checks every value. Allowed at any moment: a
// window of whole entries without a hole, whose indexes never go back; the claim
// held by a living worker or by nobody. In the end nothing is held.
//
// TORTURE_TERMINATIONS sets the number (default 500), TORTURE_SEED the seed.
import { AtomicLog } from 'atomic-log';
import { firstMessage, startWorker } from './helpers';
import { sorts } from './sorts.cjs';

const TERMINATIONS = Number(process.env.TORTURE_TERMINATIONS ?? 500);
const SEED = Number(process.env.TORTURE_SEED ?? Date.now() % 2147483646) + 1;
const AT_ONCE = 4;

test.each([
  ['numbers', TERMINATIONS],
  ['lines', Math.ceil(TERMINATIONS / 2)],
  ['codec', Math.ceil(TERMINATIONS / 2)],
] as const)(
  `a log of %s, %p terminations, seed ${SEED}`,
  async (name, terminations) => {
    const { options, entryOf, isEntry } = sorts[name]!;
    const capacities = { retainedCapacity: 512, segmentCapacity: 16 };
    const log: AtomicLog<unknown> = new AtomicLog<unknown>({ ...capacities, ...options });
    const failures: Error[] = [];
    let state = SEED;
    const random = (n: number): number => (state = (state * 48271) % 2147483647) % n;
    let started = 0;

    async function lives(): Promise<void> {
      while (started < terminations) {
        const worker = startWorker('torture', { handle: log.handle, seed: SEED + ++started, sort: name });
        worker.on('error', (error: Error) => failures.push(error));
        await firstMessage(worker);
        await new Promise((resolve) => setTimeout(resolve, random(25)));
        await worker.terminate();
      }
    }

    let isOver = false;
    let checks = 0;
    async function bystander(): Promise<void> {
      const snapshot = log.snapshot();
      let end = 0;
      while (!isOver) {
        snapshot.refresh();
        let index = snapshot.firstIndex;
        for (const value of snapshot)
          if (!isEntry(value, index++)) failures.push(new Error(`entry ${index - 1}`));
        if (index !== snapshot.endIndex || index < end) failures.push(new Error(`end ${index} after ${end}`));
        end = snapshot.endIndex;
        ++checks;
        await new Promise((resolve) => setImmediate(resolve));
      }
      snapshot.close();
    }

    const watching = bystander();
    await Promise.all(Array.from({ length: AT_ONCE }, lives));
    isOver = true;
    await watching;

    expect(failures).toEqual([]);
    expect(checks).toBeGreaterThan(100);
    if (name !== 'numbers') expect(log.stats().earlySeals).toBeGreaterThan(0);
    expect(log.endIndex).toBeGreaterThan(0);
    expect(log.isWriterClaimed).toBe(false);
    const writer = log.tryClaimWriter()!;
    // In batches: the codec of the last sort fails now and then when it writes in place.
    for (let i = 0; i < 2000; ++i) writer.appendBatch([entryOf(writer.nextIndex)]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.stats().pinnedSegments).toBe(0);
    expect(log.stats().pinnedHere).toBe(0);
  },
  3_600_000,
);
