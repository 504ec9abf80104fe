// Waiting across threads: followers, blocking waits, and the claim changing hands.
import { AtomicLog } from 'atomic-log';
import { ended, firstMessage, startWorker, tornDown, valueOf } from './helpers';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

for (const batchEntriesMax of [undefined, 7]) {
  test(`followers in workers see every entry or its loss; batchEntriesMax ${batchEntriesMax}`, async () => {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 512, segmentCapacity: 16 });
    const workers = Array.from({ length: 3 }, () =>
      startWorker('follow', { handle: log.handle, batchEntriesMax }),
    );
    await Promise.all(workers.map(firstMessage));
    const results = workers.map(firstMessage);
    for (let i = 0; i < 20_000; ++i) {
      writer.append(valueOf(i));
      // In bursts, so that followers sleep in between.
      if (i % 97 === 0) await turn();
    }
    writer.end();
    for (const result of await Promise.all(results)) {
      const { seen, lost } = result as { seen: number; lost: number };
      expect(seen + lost).toBe(20_000);
      expect(seen).toBeGreaterThan(0);
    }
    await Promise.all(workers.map(ended));
  });
}

test('a blocked thread is woken for every entry and by the end', async () => {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 10 });
  const worker = startWorker('waitSync', { handle: log.handle });
  await firstMessage(worker);
  const result = firstMessage(worker);
  for (let i = 0; i < 500; ++i) {
    writer.append(i);
    if (i % 5 === 0) await turn();
  }
  writer.end();
  expect(await result).toBe(500);
});

test('a worker that blocks for ever can be terminated', async () => {
  const { log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 10 });
  const worker = startWorker('waitSync', { handle: log.handle });
  await firstMessage(worker);
  expect(await worker.terminate()).toBe(1);
});

test('fail-over: whoever stands by gets the claim when its holder dies', async () => {
  const log = new AtomicLog({ retainedCapacity: 100, segmentCapacity: 10 });
  const holder = startWorker('hold', { handle: log.handle, end: 'wait' });
  await firstMessage(holder);
  const standby = startWorker('takeOver', { handle: log.handle });
  await firstMessage(standby);
  const index = firstMessage(standby);
  await holder.terminate();
  expect(await index).toBe(0);
  await ended(standby);
  expect([...log.snapshot()]).toEqual([valueOf(0)]);
});

test('publishing to followers whose workers are being terminated', async () => {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 256, segmentCapacity: 16 });
  for (let round = 0; round < 30; ++round) {
    const worker = startWorker('follow', { handle: log.handle });
    await firstMessage(worker);
    const exit = worker.terminate();
    let isOver = false;
    void exit.then(() => (isOver = true));
    // Wake-ups race with the teardown of their environment.
    while (!isOver) {
      for (let i = 0; i < 50; ++i) writer.append(valueOf(writer.nextIndex));
      await turn();
    }
  }
  for (let i = 0; i < 1000; ++i) writer.append(valueOf(writer.nextIndex));
  await turn();
  await tornDown(() => log.stats().pinnedSegments === 0);
  expect(log.stats().pinnedSegments).toBe(0);
});
