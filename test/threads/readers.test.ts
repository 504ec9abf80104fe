// Readers in workers that check every value while this thread publishes.
import { AtomicLog } from 'atomic-log';
import { sized } from '../support/sizes';
import { ended, firstMessage, runScript, startWorker, valueOf } from './helpers';

const ENTRIES = 200_000;
const DECODING_MS = sized('DECODING_MS', { small: 300, long: 1500 });

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

test('text of chunks that were kept too long may be newer, and that is all', () => {
  // Whoever decodes text reads its bytes twice: as many of them, but of other characters, do damage.
  const script = `
    const { Worker } = require('node:worker_threads');
    const { AtomicLog, utf8 } = require('atomic-log');
    const log = new AtomicLog({ retainedCapacity: 1, segmentCapacity: 1, codec: utf8 });
    const first = log.tryClaimWriter();
    first.append('x'.repeat(40_000));
    first.close();
    const snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    snapshot.close();
    const worker = new Worker(\`
      const { AtomicLog } = require('atomic-log');
      const writer = AtomicLog.attach(require('node:worker_threads').workerData).tryClaimWriter();
      const texts = ['é'.repeat(20_000), 'a'.repeat(40_000)];
      for (let i = 0; ; ++i) writer.append(texts[(i >> 2) & 1]);
    \`, { eval: true, workerData: log.handle });
    const until = Date.now() + ${DECODING_MS};
    const { encoded } = chunk;
    setImmediate(function read() {
      for (let i = 0; i < 500; ++i) [encoded.at(0), chunk.at(0)];
      if (Date.now() < until) setImmediate(read);
      else worker.terminate().then(() => console.log('still here'));
    });
  `;
  expect(runScript(script)).toBe('still here\n');
});
