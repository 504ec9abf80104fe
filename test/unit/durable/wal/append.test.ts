/** Appending much at once: what goes to the disk together, and how much is in flight. */
import { Wal } from 'atomic-log';

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
      [wal.appendBatch(bytes, [11]), 'ERR_ENTRY_TOO_LARGE', /11 bytes/],
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
