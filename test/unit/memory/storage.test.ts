import { AtomicLog, type LogHandle } from 'atomic-log';

import { runInChild } from '../../support/child';
import { expectError } from '../../support/errors';
import { entriesOf, range } from '../../support/logs';

const SHARED = { retainedCapacity: 8, segmentCapacity: 4, mapping: 'shared' } as const;

describe("a log with mapping: 'shared'", () => {
  test('has no handle for native threads, which could not keep its memory', () => {
    const log = new AtomicLog(SHARED);
    expectError(() => log.nativeHandle, 'ERR_MAPPING_UNAVAILABLE', /make the log with mapping: 'external'/);
  });

  test('says so, and its views are of shared memory', () => {
    const { writer, log } = AtomicLog.claimed(SHARED);
    writer.appendBatch(range(0, 10));
    using snapshot = log.snapshot();
    expect(log.mapping).toBe('shared');
    expect(snapshot.chunks().map(({ values }) => [...values])).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    const { buffer } = snapshot.chunks()[0]!.values;
    expect(Object.prototype.toString.call(buffer)).toBe('[object SharedArrayBuffer]');
    expect(snapshot.chunks()[1]!.values.buffer.byteLength).toBe(buffer.byteLength);
  });

  test('commits its memory step by step, and keeps what it holds at its place', () => {
    const { writer, log } = AtomicLog.claimed({
      ...SHARED,
      retainedCapacity: 2 ** 18,
      segmentCapacity: 2 ** 12,
    });
    writer.append(0.5);
    using snapshot = log.snapshot();
    const { values } = snapshot.chunks()[0]!;
    const before = log.handle.memory!.byteLength;
    for (let i = 1; i < 2 ** 18; i += 1) writer.append(i + 0.5);
    expect(log.handle.memory!.byteLength).toBeGreaterThan(4 * before);
    expect(values[0]).toBe(0.5);
    snapshot.refresh();
    for (const i of [0, 1, 4095, 4096, 2 ** 18 - 1]) expect(snapshot.get(i)).toBe(i + 0.5);
  });

  test('is found by its handle, memory and all, and by nothing less', () => {
    const { writer, log } = AtomicLog.claimed(SHARED);
    writer.append(7);
    const { memory, ...bare } = structuredClone(log.handle);
    expectError(() => AtomicLog.attach(bare as LogHandle), 'ERR_INVALID_HANDLE', /unchanged/);
    for (const other of [new SharedArrayBuffer(2 ** 16), new AtomicLog(SHARED).handle.memory!]) {
      expectError(() => AtomicLog.attach({ ...bare, memory: other }), 'ERR_INVALID_HANDLE', /unchanged/);
    }
    for (const none of [{}, 'memory', new ArrayBuffer(2 ** 16)]) {
      const forged = { ...bare, memory: none } as unknown as LogHandle;
      expectError(() => AtomicLog.attach(forged), 'ERR_INVALID_HANDLE', /JSON loses it/);
    }
    using attached = AtomicLog.attach({ ...bare, memory: memory! } as LogHandle<number>);
    expect(attached.latest()).toBe(7);
  });

  test('keeps its memory for views that outlive it', () => {
    const view = (() => {
      const { writer, log } = AtomicLog.claimed(SHARED);
      writer.appendBatch([1, 2, 3]);
      const { values } = log.snapshot().chunks()[0]!;
      writer.close();
      log.close();
      return values;
    })();
    expect(view).toEqual(Float64Array.of(1, 2, 3));
  });

  test('refuses an append that finds no more room because of pins, and goes on once they are given back', () => {
    const { writer, log } = AtomicLog.claimed({
      ...SHARED,
      retainedCapacity: 2 ** 18,
      segmentCapacity: 2 ** 18,
    });
    const snapshots = [log.snapshot()];
    const entries = new Float64Array(2 ** 18);
    const fill = (): void => {
      for (let i = 0; i < 100; ++i) {
        writer.appendBatch(entries);
        snapshots.push(log.snapshot());
      }
    };
    expectError(fill, 'ERR_OUT_OF_MEMORY', /readers pin too many outside the window .*close or refresh/);
    expect(snapshots.length).toBeGreaterThan(8);
    for (const snapshot of snapshots) snapshot.close();
    const index = writer.append(1);
    expect(log.latest()).toBe(1);
    expect(log.endIndex).toBe(index + 1);
  });

  test('refuses a window that no SharedArrayBuffer can hold', () => {
    const options = { ...SHARED, retainedCapacity: 2 ** 30, segmentCapacity: 2 ** 20 };
    expectError(() => new AtomicLog(options), 'ERR_OUT_OF_RANGE', /smaller retainedCapacity/);
  });

  test('with strict views overwrites what old views show when their block is taken again', () => {
    const { writer, log } = AtomicLog.claimed({ ...SHARED, strictViews: true });
    writer.appendBatch([1, 2, 3, 4]);
    const snapshot = log.snapshot();
    const { values } = snapshot.chunks()[0]!;
    snapshot.close();
    writer.appendBatch(range(5, 18));
    expect([...values]).toEqual([17, NaN, NaN, NaN]);
    expect(entriesOf(log)).toEqual(range(9, 18));
  });

  test('can be appended to by whoever has the claim, in whatever thread', () => {
    const output = runInChild(`
      const { Worker } = require('node:worker_threads');
      const { AtomicLog } = require('atomic-log');
      const log = new AtomicLog({ retainedCapacity: 100000, segmentCapacity: 1000, mapping: 'shared' });
      const code = \`
        const { workerData } = require('node:worker_threads');
        const { AtomicLog } = require('atomic-log');
        const writer = AtomicLog.attach(workerData.handle).tryClaimWriter();
        for (let i = 0; i < 50000; ++i) writer.append(workerData.from + i);
      \`;
      function run(from) {
        return new Promise((resolve) => {
          new Worker(code, { eval: true, workerData: { handle: log.handle, from } }).on('exit', resolve);
        });
      }
      run(0).then(() => run(50000)).then(() => {
        const writer = log.tryClaimWriter();
        for (let i = 0; i < 50000; ++i) writer.append(100000 + i);
        const snapshot = log.snapshot();
        let wrong = 0;
        for (let i = snapshot.firstIndex; i < snapshot.endIndex; ++i) if (snapshot.get(i) !== i) ++wrong;
        console.log(snapshot.endIndex, wrong);
      });
    `);
    expect(output).toBe('150000 0');
  });

  test('lives on in other environments when the one that made it has been terminated', () => {
    const output = runInChild(`
      const { Worker } = require('node:worker_threads');
      const { AtomicLog } = require('atomic-log');
      const code = \`
        const { parentPort } = require('node:worker_threads');
        const { AtomicLog } = require('atomic-log');
        const log = new AtomicLog({ retainedCapacity: 1000, segmentCapacity: 10, mapping: 'shared' });
        parentPort.postMessage(log.handle);
        setInterval(() => {}, 1000);
      \`;
      const worker = new Worker(code, { eval: true });
      worker.once('message', async (handle) => {
        const log = AtomicLog.attach(handle);
        await worker.terminate();
        const writer = log.tryClaimWriter();
        for (let i = 0; i < 20000; ++i) writer.append(i);
        console.log(log.latest(), log.snapshot().length);
      });
    `);
    expect(output).toBe('19999 1010');
  });
});

describe('ATOMIC_LOG_MAPPING', () => {
  function mappingWith(value: string, options = ''): string {
    return runInChild(`
      process.env.ATOMIC_LOG_MAPPING = ${JSON.stringify(value)};
      const { AtomicLog } = require('atomic-log');
      try {
        console.log(new AtomicLog({ retainedCapacity: 8, segmentCapacity: 4, ${options} }).mapping);
      } catch ({ code, message }) {
        console.log(code, message);
      }
    `);
  }

  test('decides for logs that do not say', () => {
    expect(mappingWith('shared')).toBe('shared');
    expect(mappingWith('shared', "mapping: 'auto'")).toBe('shared');
  });

  test('does not overrule the option', () => {
    expect(mappingWith('external', "mapping: 'shared'")).toBe('shared');
  });

  test('is refused when it is none of the three', () => {
    expect(mappingWith('both')).toMatch(/^ERR_INVALID_ARG_VALUE .*ATOMIC_LOG_MAPPING.*'both'/);
  });
});
