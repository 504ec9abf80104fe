// Readers in workers that check every value while this thread publishes.
import { AtomicLog } from 'atomic-log';
import { ended, firstMessage, startWorker, valueOf } from './helpers';

const ENTRIES = 200_000;

for (const segmentCapacity of [1, 16, 1024]) {
  test(`three readers see whole values, no holes, exact losses; segments of ${segmentCapacity}`, async () => {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 4 * segmentCapacity, segmentCapacity });
    const readers = Array.from({ length: 3 }, () =>
      startWorker('verify', { handle: log.handle, entries: ENTRIES }),
    );
    await Promise.all(readers.map(firstMessage));
    const results = readers.map(firstMessage);
    const exits = readers.map(ended);

    while (writer.nextIndex < ENTRIES) {
      // Every way of storing, so that each one is read across a roll.
      writer.append(valueOf(writer.nextIndex));
      for (let i = 0; i < 5; ++i) writer.write(valueOf(writer.nextIndex));
      writer.publish();
      const first = writer.nextIndex;
      writer.appendBatch(Float64Array.from({ length: 20 }, (_, i) => valueOf(first + i)));
    }

    for (const result of await Promise.all(results)) {
      const { seen, lost, endIndex } = result as { seen: number; lost: number; endIndex: number };
      expect(seen + lost).toBe(endIndex);
    }
    expect(await Promise.all(exits)).toEqual([0, 0, 0]);
  });
}
