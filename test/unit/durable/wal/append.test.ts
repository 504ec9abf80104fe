/** Appending much at once: what goes to the disk together, and how much is in flight. */
import { Wal } from 'atomic-log';
import fc from 'fast-check';

import { runInChild } from '../../../support/child';
import { rejection } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { range, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const codeOf = async (promise: Promise<unknown>) => (await rejection(promise)).code;

describe('appends of one turn', () => {
  test('share few commits, however slow the turn is', async () => {
    const wal = await Wal.open(path());
    const data = Buffer.alloc(128, 7);
    const all: Promise<number>[] = [];
    for (let i = 0; i < 10_000; ++i) {
      all.push(wal.append(data));
      // The committer could take what was handed over so far, and have it on the disk.
      if (i % 1000 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    expect(await Promise.all(all)).toEqual(range(1, 10_000));
    expect(wal.stats().commits).toBeLessThanOrEqual(3);
    await wal.close();
  });

  test.each([1, 60_000, 100_001, 2 ** 20])(
    'with bytesInFlightMax %i no more than that is under way',
    async (bytesInFlightMax) => {
      const wal = await Wal.open(path(), { bytesInFlightMax });
      const all: Promise<number>[] = [];
      let most = 0;
      for (let i = 0; i < 20_000; ++i) {
        all.push(wal.append(Buffer.alloc(100)));
        most = Math.max(most, wal.stats().bytesInFlight);
      }
      expect(await Promise.all(all)).toEqual(range(1, 20_000));
      expect(most).toBeLessThanOrEqual(bytesInFlightMax);
      await wal.close();
    },
  );

  test('of all sizes, levels and ways come back in order', async () => {
    const wal = await Wal.open(path());
    const sizes = range(1, 3000).map((i) =>
      i % 97 === 0 ? 16_385 : i % 31 === 0 ? 16_384 : (i * 7919) % 300,
    );
    const data = sizes.map((bytes, i) => Buffer.alloc(bytes, i));
    const lsns = await Promise.all(
      data.map((one, i) => (i % 50 === 0 ? wal.append(one, { durability: 'os' }) : wal.append(one))),
    );
    expect(lsns).toEqual(range(1, 3000));
    expect([...wal.entries()].every((entry, i) => entry.data.equals(data[i]!))).toBe(true);
    await wal.close();
  });

  test('which the log is closed in are done', async () => {
    const wal = await Wal.open(path());
    const all = range(1, 20_000).map((lsn) => wal.append(Buffer.alloc(lsn % 100)));
    wal.closeSync();
    expect(await Promise.all(all)).toEqual(range(1, 20_000));
    expect(await rejection(wal.append(Buffer.alloc(1)))).toMatchObject({ code: 'ERR_LOG_CLOSED' });
  });
});

describe('a batch of packed entries', () => {
  const bytes = Buffer.from('onetwothree');
  const texts = (wal: Wal) => [...wal.entries()].map(({ data }) => data.toString());

  test('is what the same batch of an array is', async () => {
    const wal = await Wal.open(path());
    expect(await wal.appendBatch(bytes, [3, 3, 0, 5])).toEqual({ first: 1, last: 4 });
    expect(await wal.appendBatch(new Uint8Array(bytes), Uint32Array.of(3, 8), { expectedLsn: 5 })).toEqual({
      first: 5,
      last: 6,
    });
    expect(texts(wal)).toEqual(['one', 'two', '', 'three', 'one', 'twothree']);
    expect([...wal.entries()].map(({ batch }) => batch?.first)).toEqual([1, 1, 1, 1, 5, 5]);
    expect(wal.durableLsn).toBe(6);
    expect(await wal.appendBatch(new Uint8Array(0), [])).toEqual({ first: 7, last: 6 });
    expect(await wal.appendBatch(new Uint8Array(0), [0, 0])).toEqual({ first: 7, last: 8 });
    expect(await codeOf(wal.appendBatch(bytes, [11], { expectedLsn: 7 }))).toBe('ERR_LSN_MISMATCH');
    await wal.close();
  });

  test('is copied at once, with lengths and bytes of shared memory too', async () => {
    const wal = await Wal.open(path());
    const shared = new Uint8Array(new SharedArrayBuffer(6));
    const lengths = new Uint32Array(new SharedArrayBuffer(8));
    shared.set(Buffer.from('abcdef'));
    lengths.set([2, 4]);
    const done = wal.appendBatch(shared, lengths);
    shared.fill(0);
    lengths.fill(6);
    expect(await done).toEqual({ first: 1, last: 2 });
    expect(texts(wal)).toEqual(['ab', 'cdef']);
    await wal.close();
  });

  test('survives a kill and an opening', async () => {
    const wal = await Wal.open(path());
    await wal.appendBatch(bytes, [3, 3, 5]);
    await wal.close();
    withWal(path(), (again) => expect(texts(again)).toEqual(['one', 'two', 'three']));
  });

  test('refuses what is no such batch, and takes no LSN', async () => {
    const wal = await Wal.open(path(), { entryBytesMax: 10, segmentBytes: 8192 });
    const detached = (): Uint8Array => {
      const gone = new Uint8Array(4);
      structuredClone(gone, { transfer: [gone.buffer] });
      return gone;
    };
    class Lying extends Uint8Array {
      override get length(): number {
        return 1000;
      }
    }
    const cases: [Promise<unknown>, string, RegExp][] = [
      [wal.appendBatch(bytes as never), 'ERR_INVALID_ARG_TYPE', /give lengths too/],
      [wal.appendBatch(bytes, 7 as never), 'ERR_INVALID_ARG_TYPE', /lengths must be/],
      [wal.appendBatch(bytes, { durability: 'os' } as never), 'ERR_INVALID_ARG_TYPE', /lengths must be/],
      [wal.appendBatch(bytes, new Float64Array(1) as never), 'ERR_INVALID_ARG_TYPE', /lengths must be/],
      [wal.appendBatch([bytes] as never, [11]), 'ERR_INVALID_ARG_TYPE', /bytes must be a Uint8Array/],
      [
        wal.appendBatch(new Uint16Array(1) as never, [2]),
        'ERR_INVALID_ARG_TYPE',
        /bytes must be a Uint8Array/,
      ],
      [wal.appendBatch(bytes, ['11'] as never), 'ERR_INVALID_ARG_TYPE', /lengths\[0\]/],
      [wal.appendBatch(bytes, [12, -1]), 'ERR_OUT_OF_RANGE', /lengths\[1\]/],
      [wal.appendBatch(bytes, [10]), 'ERR_OUT_OF_RANGE', /bytes\.length \(11\)/],
      [wal.appendBatch(bytes, [2 ** 25]), 'ERR_OUT_OF_RANGE', /lengths\[0\]/],
      [wal.appendBatch(detached(), [4]), 'ERR_OUT_OF_RANGE', /bytes\.length \(0\)/],
      [wal.appendBatch(bytes, [11]), 'ERR_ENTRY_TOO_LARGE', /entry 0 of the batch has 11 bytes/],
      [wal.appendBatch(Buffer.alloc(8000), new Array(800).fill(10)), 'ERR_BATCH_TOO_LARGE', /parts/],
      [wal.appendBatch(bytes, [3, 8], { expectedLSN: 1 } as never), 'ERR_INVALID_ARG_VALUE', /expectedLsn/],
      [wal.appendBatch(new Lying(4), [1000]), 'ERR_OUT_OF_RANGE', /bytes\.length \(4\)/],
    ];
    for (const [promise, code, message] of cases) {
      expect(await rejection(promise)).toMatchObject({
        code,
        message: expect.stringMatching(message) as string,
      });
    }
    expect(wal.lastLsn).toBe(0);
    expect(await wal.appendBatch(new Lying(4), [4])).toEqual({ first: 1, last: 1 });
    expect(await wal.append(new Lying(4), { expectedLsn: 2 })).toBe(2);
    await wal.close();
    expect(await codeOf(wal.appendBatch(bytes, [3, 8]))).toBe('ERR_LOG_CLOSED');
  });

  test('is taken as it is after the options were read, and the lengths', async () => {
    const wal = await Wal.open(path());
    const Resizable = ArrayBuffer as unknown as new (
      bytes: number,
      options: object,
    ) => ArrayBuffer & { resize(to: number): void };
    const buffer = new Resizable(8, { maxByteLength: 8 });
    const tracking = new Uint8Array(buffer);
    const lengths = [4, 4];
    Object.defineProperty(lengths, 1, { get: () => (buffer.resize(4), 4) });
    expect(await codeOf(wal.appendBatch(tracking, lengths))).toBe('ERR_OUT_OF_RANGE');
    const closing = {
      get durability() {
        wal.closeSync();
        return 'full' as const;
      },
    };
    expect(await codeOf(wal.appendBatch(bytes, [11], closing))).toBe('ERR_LOG_CLOSED');
  });
});

describe('write()', () => {
  const operation = fc.oneof(
    { weight: 30, arbitrary: fc.record({ kind: fc.constant('write'), bytes: fc.nat(300) }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('write'), bytes: fc.constantFrom(0, 3000, 16_384, 16_385) }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'append',
          'append os',
          'appendSync',
          'batch',
          'sync',
          'syncSync',
          'lastLsn',
          'get',
          'entries',
          'files',
          'truncate',
          'truncateSync',
          'checkpoint',
          'turn',
          'backup',
          'mismatch',
        ),
        bytes: fc.nat(300),
      }),
    },
  );

  test('has the LSN that the entry is found by, whatever else is called', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 150 }),
        fc.constantFrom(8192, 65_536, 2 ** 22),
        async (operations, segmentBytes) => {
          const target = directory.path(`log${round++}`);
          const wal = await Wal.open(target, { segmentBytes });
          let model: Buffer[] = [];
          let dropped = 0;
          const calls: Promise<unknown>[] = [];
          const added = (lsn: number, data: Buffer) => {
            model.push(data);
            expect(lsn).toBe(model.length);
          };
          const pending = (promise: Promise<number>, data: Buffer) => {
            model.push(data);
            calls.push(
              promise.then(
                (
                  (lsn: number) => (got) =>
                    expect(got).toBe(lsn)
                )(model.length),
              ),
            );
          };
          for (const [i, { kind, bytes }] of operations.entries()) {
            const data = Buffer.alloc(Math.min(bytes, segmentBytes === 8192 ? 3000 : bytes), i);
            const last = model.length;
            if (kind === 'write') added(wal.write(data), data);
            if (kind === 'append') pending(wal.append(data), data);
            if (kind === 'append os') pending(wal.append(data, { durability: 'os' }), data);
            if (kind === 'appendSync') added(wal.appendSync(data), data);
            if (kind === 'batch')
              pending(
                wal.appendBatch([data]).then(({ first }) => first),
                data,
              );
            if (kind === 'sync') calls.push(wal.sync());
            if (kind === 'syncSync') expect(wal.syncSync()).toBe(last);
            if (kind === 'mismatch') calls.push(rejection(wal.append(data, { expectedLsn: last + 2 })));
            if (kind === 'turn') await new Promise((resolve) => setImmediate(resolve));
            if (kind === 'backup') await wal.backup(`${target}-${i}`);
            if (kind === 'truncate' || kind === 'truncateSync') {
              const to = Math.max(dropped, last - (bytes % 5));
              model = model.slice(0, to);
              if (kind === 'truncate') calls.push(wal.truncateAfter(to));
              else wal.truncateAfterSync(to);
            }
            if (kind === 'checkpoint') {
              dropped = Math.max(dropped, last - (bytes % 5));
              calls.push(wal.checkpoint(dropped));
            }
            if (!['lastLsn', 'get', 'entries', 'files'].includes(kind)) continue;
            // Those that are in flight have no LSN yet.
            await Promise.all(calls);
            wal.write(Buffer.from('a'));
            added(wal.write(Buffer.from('b')) - 1, Buffer.from('a'));
            model.push(Buffer.from('b'));
            if (kind === 'lastLsn') expect(wal.lastLsn).toBe(model.length);
            if (kind === 'get') expect(wal.get(model.length)!.data.toString()).toBe('b');
            if (kind === 'entries') expect([...wal.entries()].at(-1)!.lsn).toBe(model.length);
            if (kind === 'files') expect(wal.files.at(-1)!.lastLsn).toBe(model.length);
          }
          await Promise.all(calls);
          const check = (log: Wal) =>
            expect(
              [...log.entries({ from: dropped + 1 })].map((entry) =>
                entry.data.compare(model[entry.lsn - 1]!),
              ),
            ).toEqual(model.slice(dropped).map(() => 0));
          check(wal);
          await wal.close();
          withWal(target, check);
        },
      ),
      { numRuns: 80 },
    );
  });

  test('of very many, in rooms that are secured one after the other', () => {
    const wal = Wal.openSync(path());
    const lsns = range(1, 100_000).map((lsn) => wal.write(Buffer.alloc(lsn % 200)));
    expect(lsns).toEqual(range(1, 100_000));
    expect(wal.syncSync()).toBe(100_000);
    expect([...wal.entries()].every(({ lsn, data }) => data.length === lsn % 200)).toBe(true);
    wal.closeSync();
    withWal(path(), (again) => expect(again.lastLsn).toBe(100_000));
  });

  test('is done by a close, and of what a process that is killed wrote nothing is torn', () => {
    const told = runInChild(`
      const { Wal } = require('atomic-log');
      const wal = Wal.openSync(${JSON.stringify(path())});
      for (let i = 0; i < 1000; ++i) wal.write(Buffer.alloc(100, i));
      console.log(wal.syncSync());
      for (let i = 0; i < 1000; ++i) wal.write(Buffer.alloc(100, i));
      process.reallyExit(0);`);
    expect(told.trim()).toBe('1000');
    withWal(path(), (wal) => {
      expect(wal.lastLsn).toBe(1000);
      wal.write(Buffer.from('last'));
    });
    withWal(path(), (wal) => expect(wal.get(1001)!.data.toString()).toBe('last'));
  });

  test('in a hook that it calls itself goes on behind it', async () => {
    let inHook = 0;
    const wal: Wal = Wal.openSync(path(), {
      segmentBytes: 8192,
      retainBytes: 8192 * 4,
      onSegmentSealed: () => {
        inHook = wal.write(Buffer.from('hook'));
      },
    });
    let last = 0;
    for (let i = 0; i < 2000; ++i) {
      const lsn = wal.write(Buffer.alloc(i % 100));
      expect(lsn).toBeGreaterThan(last);
      last = Math.max(lsn, inHook);
      if (i % 300 === 0) await wal.sync();
      last = Math.max(last, inHook);
    }
    expect(wal.lastLsn).toBe(last);
    await wal.close();
  });
});
