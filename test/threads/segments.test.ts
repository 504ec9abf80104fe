// Segment files between threads, and threads that end at any moment.
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { SegmentReader, SegmentWriter } from 'atomic-log';

import { expectError } from '../support/errors';
import { packageRoot } from '../support/internals';
import { testWith } from '../support/runtime';
import { temporaryDirectory } from '../support/segments';
import { firstMessage } from './helpers';

const { path } = temporaryDirectory();
const file = (): string => path('a.seg');

/** As in segment-worker.cjs. */
function recordOf(i: number): Buffer {
  const bytes = Buffer.alloc(4 + ((i * 37) % 300), i & 255);
  bytes.writeUInt32LE(i);
  return bytes;
}

function startWorker(role: string, data: object): Worker {
  const workerData = { role, path: file(), ...data };
  return new Worker(join(__dirname, 'segment-worker.cjs'), { workerData });
}

test('readers in workers see every record once it is durable, and none before', async () => {
  const records = 5000;
  const writer = SegmentWriter.createSync(file(), { size: 1 << 21 });
  const flushed = writer.flushedOffset.handle;
  const readers = (['mmap', 'pread'] as const).map((mode) => startWorker('read', { flushed, records, mode }));
  await Promise.all(readers.map(firstMessage));
  const results = readers.map(firstMessage);
  for (let i = 0; i < records; ++i) {
    writer.append(recordOf(i));
    if (i % 7 === 0) writer.flush();
    if (i % 100 === 99) {
      writer.syncSync();
      await sleep(0);
    }
  }
  expect(await Promise.all(results)).toEqual([records, records]);
  writer.closeSync();
});

test('the example has a view of all events, after a restart too', () => {
  const run = (): string =>
    execFileSync(process.execPath, [join('examples', 'event-store.mjs'), file()], {
      cwd: packageRoot,
      encoding: 'utf8',
    });
  // Each runtime prints objects in its own way.
  expect(run()).toMatch(/: 0 events so far[^]*balances: \{\s+ada: 1,\s+ben: -4,\s+cyd: 0,?\s+\}/);
  expect(run()).toMatch(/: 1000 events so far[^]*balances: \{\s+ada: 2,\s+ben: -8,\s+cyd: 0,?\s+\}/);
});

testWith('teardown before exit')(
  'a worker that has the file open keeps others out, until it is terminated',
  async () => {
    SegmentWriter.createSync(file(), { size: 4096 }).closeSync();
    const holder = startWorker('hold', {});
    await firstMessage(holder);
    expectError(() => SegmentWriter.openSync(file()), 'ERR_LOCKED', /another writer/);
    await holder.terminate();
    using writer = SegmentWriter.openSync(file());
    expect(writer.recovery).toMatchObject({ records: 1, quarantinedBytes: 0 });
  },
);

testWith('teardown before exit')(
  'workers terminated while they write, sync and read leave a good file',
  async () => {
    const size = 1 << 16;
    SegmentWriter.createSync(file(), { size }).closeSync();
    for (let i = 0; i < 25; ++i) {
      const worker = startWorker('busy', { size });
      await firstMessage(worker);
      await sleep((i * 7) % 40);
      await worker.terminate();
      SegmentWriter.openSync(file(), { size }).closeSync();
      using reader = SegmentReader.open(file());
      let next = 0;
      for (const { data } of reader.records()) expect(recordOf(next++).equals(data)).toBe(true);
    }
  },
);

testWith('teardown before exit')(
  'workers terminated while they open or close leave the file free, and good',
  async () => {
    const size = 1 << 16;
    SegmentWriter.createSync(file(), { size }).closeSync();
    for (let i = 0; i < 25; ++i) {
      const worker = startWorker('opening', { size });
      await firstMessage(worker);
      await sleep((i * 7) % 40);
      await worker.terminate();
      SegmentWriter.openSync(file(), { size }).closeSync();
      using reader = SegmentReader.open(file());
      for (const { data } of reader.records()) expect(recordOf(data.readUInt32LE(0)).equals(data)).toBe(true);
    }
  },
);
