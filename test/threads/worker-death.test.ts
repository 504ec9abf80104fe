// A worker that ends, however it ends, gives back what it held.
import { AtomicLog } from 'atomic-log';
import { testWith } from '../support/runtime';
import { ended, firstMessage, startWorker, tornDown, valueOf } from './helpers';

const options = { retainedCapacity: 64, segmentCapacity: 16 };

/** Laps the window, so that whatever is still pinned cannot be recycled. */
function lap(log: AtomicLog<number>): void {
  const writer = log.tryClaimWriter()!;
  writer.appendBatch(new Float64Array(1000));
  writer.close();
}

for (const end of ['return', 'throw', 'exit', 'wait', 'spin']) {
  const testEnd = end === 'spin' ? testWith('terminating a busy worker') : test;
  testEnd(`claim and pins come back from a worker whose end is: ${end}`, async () => {
    const { writer, log } = AtomicLog.claimed(options);
    writer.appendBatch(new Float64Array(100));
    writer.close();
    const before = log.endIndex;

    const worker = startWorker('hold', { handle: log.handle, end });
    const exit = ended(worker);
    if (end !== 'throw') expect(await firstMessage(worker)).toBe('holding');
    if (end === 'wait' || end === 'spin') {
      expect(log.isWriterClaimed).toBe(true);
      expect(log.tryClaimWriter()).toBeNull();
      void worker.terminate();
    }
    await exit;
    await tornDown(() => !log.isWriterClaimed);

    expect(log.isWriterClaimed).toBe(false);
    // What was staged and not published is dropped.
    expect(log.endIndex).toBe(before);
    lap(log);
    expect(log.stats().pinnedSegments).toBe(0);
    expect(log.endIndex).toBe(before + 1000);
  });
}

testWith('terminating a busy worker')(
  'a writer terminated anywhere leaves a log that goes on without a hole',
  async () => {
    const log = new AtomicLog({ retainedCapacity: 256, segmentCapacity: 7 });
    let previousEnd = 0;
    for (let round = 0; round < 25; ++round) {
      const worker = startWorker('appendForever', { handle: log.handle });
      expect(await firstMessage(worker)).toBe('appending');
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      await worker.terminate();

      expect(log.isWriterClaimed).toBe(false);
      using snapshot = log.snapshot();
      expect(snapshot.endIndex).toBeGreaterThanOrEqual(previousEnd);
      let index = snapshot.firstIndex;
      for (const value of snapshot) expect(value).toBe(valueOf(index++));
      previousEnd = snapshot.endIndex;
    }
    expect(previousEnd).toBeGreaterThan(0);
  },
);
