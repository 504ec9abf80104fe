// Logs that processes share, where the engine shows its own memory only: the file is laid over a SharedArrayBuffer.
import { readdirSync, statSync } from 'node:fs';
import { types } from 'node:util';
import { Worker } from 'node:worker_threads';

import { AtomicLog, defineSchema, type LogHandle } from 'atomic-log';

import { runInChild } from '../../support/child';
import { expectError } from '../../support/errors';
import { packageRoot } from '../../support/internals';
import { entriesOf, range } from '../../support/logs';
import { collectUntil } from '../../support/memory';
import { describeOnLinux, mappingsOf } from '../../support/processes';
import { temporaryDirectory } from '../../support/segments';
import { until } from '../../support/servers';
import { hasStrictViews } from '../../support/strict';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5, mapping: 'shared' } as const;
/** With a page and more in each segment. */
const LARGE = { ...SMALL, retainedCapacity: 5000, segmentCapacity: 1000 } as const;

const mappings = (): number => mappingsOf(path());

const inOther = (source: string): unknown =>
  JSON.parse(
    runInChild(
      `const { AtomicLog } = require(${JSON.stringify(packageRoot)});` +
        `const log = AtomicLog.openSync(${JSON.stringify(path())}, { create: false });` +
        `const print = (value) => console.log(JSON.stringify(value));${source};log.close();`,
    ),
  );

describeOnLinux("a log that processes share with mapping: 'shared'", () => {
  test('is the same log as with external memory', () => {
    const log = AtomicLog.openSync(path(), LARGE);
    expect(log.mapping).toBe('shared');
    expect(log.handle.memory).toBeUndefined();
    const writer = log.tryClaimWriter()!;
    writer.appendBatch(range(0, 9500));
    using snapshot = log.snapshot();
    const { buffer } = snapshot.chunks()[0]!.values;
    expect(types.isSharedArrayBuffer(buffer)).toBe(true);
    // Only what has blocks: no view of it reaches what the processes agree by.
    expect(buffer.byteLength).toBeLessThan(statSync(path()).size);
    expect([...snapshot]).toEqual(range(log.firstIndex, 9500));
    expect(inOther('print([...log.snapshot()])')).toEqual(range(log.firstIndex, 9500));
    writer.close();
    inOther(
      'using_ = log.tryClaimWriter(); using_.appendBatch(Float64Array.from([7, 8])); using_.close(); print(0)',
    );
    expect(snapshot.refresh()).toEqual({ appended: 2, lost: 0 });
    expect([...snapshot].slice(-2)).toEqual([7, 8]);
    log.close();
  });

  test('has values of variable size', () => {
    const schema = defineSchema({ id: 'i64', text: 'utf8' });
    using log = AtomicLog.openSync(path(), { ...SMALL, schema, dataBytes: 500 });
    using writer = log.tryClaimWriter()!;
    for (let i = 0; i < 33; ++i) writer.append({ id: BigInt(i), text: `entry ${i}` });
    expect(log.latest()).toEqual({ id: 32n, text: 'entry 32' });
    expect(inOther('print(log.latest().text)')).toBe('entry 32');
  });

  test('goes to other threads by a handle that is plain data, and outlives the thread that opened it', async () => {
    using log = AtomicLog.openSync(path(), SMALL);
    const handle = JSON.parse(JSON.stringify(log.handle)) as LogHandle<number>;
    using same = AtomicLog.attach(handle);
    expect(same.mapping).toBe('shared');
    using writer = same.tryClaimWriter()!;
    writer.appendBatch(range(0, 12));
    const before = mappings();
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const { AtomicLog } = require(${JSON.stringify(packageRoot)});
       const log = AtomicLog.attach(workerData);
       const snapshot = log.snapshot();
       parentPort.postMessage([log.mapping, snapshot.chunks()[0].values]);
       setInterval(() => {}, 1000);`,
      { eval: true, workerData: handle, env: { ...process.env, ATOMIC_LOG_MAPPING: 'shared' } },
    );
    const [mapping, view] = await new Promise<[string, Float64Array]>((resolve, reject) => {
      worker.once('message', resolve).once('error', reject);
    });
    expect(mapping).toBe('shared');
    expect([...view]).toEqual(range(0, 5));
    expect(mappings()).toBe(before + 1);
    await worker.terminate();
    // What the worker has posted is memory of the engine's own now, and reaches no log. Deno ends it a moment later.
    await until('the mapping of the worker is gone', () => mappings() === before);
    expect([...view]).toEqual([0, 0, 0, 0, 0]);
    view.fill(1);
    expect(entriesOf(log)).toEqual(range(0, 12));
  });

  test('closed, its views can be touched, and reach it no more', () => {
    const log = AtomicLog.openSync(path(), SMALL);
    const writer = log.tryClaimWriter()!;
    writer.appendBatch([1, 2, 3]);
    const snapshot = log.snapshot();
    const { values } = snapshot.chunks()[0]!;
    log.close();
    writer.close();
    expect([...values]).toEqual([1, 2, 3]);
    snapshot.close();
    expect([...values]).toEqual([0, 0, 0]);
    values.fill(9);
    expect(inOther('print([...log.snapshot()])')).toEqual([1, 2, 3]);
    expect(mappings()).toBe(0);
  });

  test('dropped without close(), its views keep their entries, and with the last of them it goes', async () => {
    const view = ((): { values: ArrayLike<number> } => {
      const log = AtomicLog.openSync(path(), SMALL);
      const writer = log.tryClaimWriter()!;
      writer.appendBatch([1, 2, 3]);
      writer.close();
      return { values: log.snapshot().chunks()[0]!.values };
    })();
    let isKept = true;
    await collectUntil('the writer and the snapshot', () => {
      isKept &&= view.values[2] === 3;
      return inOther('print(log.isWriterClaimed)') === false;
    });
    expect(isKept).toBe(true);
    inOther('const w = log.tryClaimWriter(); for (let i = 0; i < 40; ++i) w.append(i); w.close(); print(0)');
    expect(Array.from(view.values)).toEqual([1, 2, 3]);
    view.values = [];
    await collectUntil('the mappings of the file', () => mappings() === 0);
  });

  test('opened and closed again and again, it leaves no mapping behind', () => {
    for (let i = 0; i < 200; ++i) {
      using log = AtomicLog.openSync(path(), LARGE);
      using writer = log.tryClaimWriter()!;
      writer.append(i);
      using snapshot = log.snapshot();
      expect(snapshot.at(-1)).toBe(i);
    }
    expect(mappings()).toBe(0);
  });

  test('is refused when the engine has no array that long, and not made', () => {
    const options = { ...SMALL, retainedCapacity: 2 ** 30, segmentCapacity: 2 ** 20 };
    expectError(() => AtomicLog.openSync(path(), options), 'ERR_OUT_OF_RANGE', /smaller retainedCapacity/);
    expect(readdirSync(directory.root())).toEqual([]);
  });
});

describeOnLinux("a log that is only read, with ATOMIC_LOG_MAPPING = 'shared'", () => {
  const before = process.env.ATOMIC_LOG_MAPPING;
  beforeAll(() => {
    process.env.ATOMIC_LOG_MAPPING = 'shared';
  });
  afterAll(() => {
    if (before === undefined) delete process.env.ATOMIC_LOG_MAPPING;
    else process.env.ATOMIC_LOG_MAPPING = before;
  });

  test('shows its copies in shared memory', () => {
    using log = AtomicLog.openSync(path(), SMALL);
    using writer = log.tryClaimWriter()!;
    writer.appendBatch(range(0, 33));
    using reader = AtomicLog.openSync<number>(path(), { readOnly: true });
    expect(reader.mapping).toBe('shared');
    const snapshot = reader.snapshot();
    expect([...snapshot]).toEqual(range(log.firstIndex, 33));
    const { values } = snapshot.chunks()[0]!;
    writer.appendBatch(range(33, 70));
    expect([...values]).toEqual(range(10, 15));
    expect(entriesOf(reader)).toEqual(range(log.firstIndex, 70));
    using attached = AtomicLog.attach(reader.handle);
    expect(attached.latest()).toBe(69);
    snapshot.close();
  });

  // With strict views a snapshot keeps nothing that the next one could share.
  (hasStrictViews ? test.skip : test)('refuses a snapshot that has no room for its copies', () => {
    using log = AtomicLog.openSync(path(), SMALL);
    using writer = log.tryClaimWriter()!;
    using reader = AtomicLog.openSync<number>(path(), { readOnly: true });
    const snapshots = [reader.snapshot()];
    const fill = (): void => {
      for (let i = 0; i < 5000; ++i) {
        writer.appendBatch(range(0, 20));
        snapshots.push(reader.snapshot());
      }
    };
    expectError(fill, 'ERR_OUT_OF_MEMORY', /close snapshots/);
    for (const snapshot of snapshots) snapshot.close();
    expect(reader.latest()).toBe(19);
  });
});
