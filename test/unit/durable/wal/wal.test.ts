/** Writing a log, and reading what was written. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

import { Wal, type AppendOptions, type WalFile } from 'atomic-log';
import fc from 'fast-check';

import { expectError, rejection } from '../../../support/errors';
import { detach } from '../../../support/memory';
import { removeDirectory, temporaryDirectory } from '../../../support/segments';
import {
  dataOf,
  entry,
  expectIntact,
  fill,
  lsnsOf,
  range,
  SMALL_FILES,
  withWal,
} from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');

describe('appending', () => {
  test('gives dense LSNs in the order of the calls, whatever the call', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    const first = wal.append(entry(1));
    const second = wal.append(entry(2), { durability: 'os' });
    expect(wal.appendSync(entry(3))).toBe(3);
    expect(wal.write(entry(4))).toBe(4);
    const batch = wal.appendBatch([entry(5), entry(6)]);
    const seventh = wal.append(entry(7));
    expect(wal.appendSync(entry(8), { durability: 'none' })).toBe(8);
    expect(await Promise.all([first, second, batch, seventh])).toEqual([1, 2, { first: 5, last: 6 }, 7]);
    expectIntact(wal, 1, 8);
    expect([...wal.entries()].map(({ batch }) => batch?.first)).toEqual([
      ...Array<undefined>(4).fill(undefined),
      5,
      5,
      undefined,
      undefined,
    ]);
    await wal.close();
  });

  test('shares syncs among appends that wait together', async () => {
    const wal = await Wal.open(path());
    const before = wal.stats().syncs;
    const lsns = await Promise.all(range(1, 3000).map((lsn) => wal.append(entry(lsn))));
    expect(lsns).toEqual(range(1, 3000));
    expect(wal.durableLsn).toBe(3000);
    expect(wal.stats().syncs - before).toBeLessThan(100);
    expectIntact(wal, 1, 3000);
    await wal.close();
  });

  test('waits for more when the commit policy says so', async () => {
    const WAIT_MS = 60_000;
    const wal = await Wal.open(path(), { commit: { waitUs: 1000 * WAIT_MS, count: 3 } });
    const begin = performance.now();
    const all: Promise<number>[] = [];
    for (let lsn = 1; lsn <= 3; ++lsn) {
      all.push(wal.append(entry(lsn)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(all);
    // The count is what ends the waiting.
    expect(performance.now() - begin).toBeLessThan(WAIT_MS);
    expect(wal.stats().commits).toBe(1);
    await wal.close();
  });

  test('waits no longer than the commit policy says', async () => {
    const wal = await Wal.open(path(), { commit: { waitUs: 200_000, count: 3 } });
    const begin = performance.now();
    await wal.append(entry(1));
    expect(performance.now() - begin).toBeGreaterThan(150);
    await wal.close();
  });

  test('copies the data before it returns', async () => {
    const wal = await Wal.open(path(), { segmentBytes: 1 << 20 });
    const small = Buffer.alloc(10, 1);
    const large = Buffer.alloc(100_000, 2);
    const done = [wal.append(small), wal.append(large), wal.appendBatch([small, large])];
    small.fill(9);
    large.fill(9);
    await Promise.all(done);
    expect(dataOf(wal.entries()).map((data) => [data.length, new Set(data)])).toEqual([
      [10, new Set([1])],
      [100_000, new Set([2])],
      [10, new Set([1])],
      [100_000, new Set([2])],
    ]);
    await wal.close();
  });

  test('takes empty entries, empty batches and any Uint8Array', async () => {
    const wal = await Wal.open(path());
    await wal.append(new Uint8Array(0));
    expect(await wal.appendBatch([])).toEqual({ first: 2, last: 1 });
    await wal.append(new Uint8Array(new SharedArrayBuffer(3)).fill(5));
    await wal.appendBatch(new Set([new Uint8Array(0), Buffer.from('x')]));
    expect(dataOf(wal.entries()).map(({ length }) => length)).toEqual([0, 3, 0, 1]);
    await wal.close();
  });

  test('tells the levels of durability apart', async () => {
    const wal = await Wal.open(path(), { durability: 'os' });
    await wal.append(entry(1));
    expect([wal.ackedLsn, wal.durableLsn]).toEqual([1, 0]);
    wal.write(entry(2));
    expect([wal.lastLsn, wal.durableLsn]).toEqual([2, 0]);
    expect(await wal.sync()).toBe(2);
    expect([wal.ackedLsn, wal.durableLsn]).toEqual([2, 2]);
    await wal.append(entry(3), { durability: 'full' });
    expect(wal.durableLsn).toBe(3);
    await wal.close();
  });

  test('refuses an entry that would get another LSN', async () => {
    const wal = await Wal.open(path());
    expect(await wal.append(entry(1), { expectedLsn: 1 })).toBe(1);
    const error = await rejection(wal.append(entry(2), { expectedLsn: 1 }));
    expect(error).toMatchObject({ code: 'ERR_LSN_MISMATCH', nextLsn: 2 });
    expect((await rejection(wal.appendBatch([entry(2)], { expectedLsn: 7 }))).code).toBe('ERR_LSN_MISMATCH');
    expectError(() => wal.appendSync(entry(2), { expectedLsn: 3 }), 'ERR_LSN_MISMATCH', /get LSN 2, not 3/);
    // Of two that race, one wins.
    const race = await Promise.allSettled([
      wal.append(entry(2), { expectedLsn: 2 }),
      wal.append(entry(3), { expectedLsn: 2 }),
    ]);
    expect(race.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expectIntact(wal, 1, 2);
    await wal.close();
  });

  test('refuses what is too large, without taking an LSN', async () => {
    const wal = await Wal.open(path(), { segmentBytes: 16_384, entryBytesMax: 5000 });
    expect(wal.entryBytesMax).toBe(5000);
    expect((await rejection(wal.append(new Uint8Array(5001)))).code).toBe('ERR_ENTRY_TOO_LARGE');
    expectError(
      () => wal.write(new Uint8Array(5001)),
      'ERR_ENTRY_TOO_LARGE',
      /5001 bytes and must not exceed 5000/,
    );
    const three = [1, 2, 3].map(() => new Uint8Array(4500));
    expect((await rejection(wal.appendBatch(three))).code).toBe('ERR_BATCH_TOO_LARGE');
    expect(await wal.append(new Uint8Array(5000))).toBe(1);
    await wal.close();
  });

  test('refuses arguments of the wrong type', async () => {
    const wal = await Wal.open(path());
    for (const data of ['text', 7, null, new Uint16Array(2), [1], new DataView(new ArrayBuffer(1))]) {
      expect((await rejection(wal.append(data as never))).code).toBe('ERR_INVALID_ARG_TYPE');
      expectError(() => wal.write(data as never), 'ERR_INVALID_ARG_TYPE', /data must be a Uint8Array/);
    }
    expect((await rejection(wal.appendBatch([Buffer.from('a'), 'b' as never]))).message).toMatch(
      /entries\[1\]/,
    );
    expect((await rejection(wal.appendBatch(7 as never))).code).toBe('ERR_INVALID_ARG_TYPE');
    expect((await rejection(wal.append(entry(1), { durability: 'all' as never }))).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect((await rejection(wal.append(entry(1), { expectedLsn: 0 }))).code).toBe('ERR_OUT_OF_RANGE');
    expectError(() => wal.get(-1), 'ERR_OUT_OF_RANGE', /lsn/);
    expectError(() => wal.entries({ from: 1.5 }), 'ERR_OUT_OF_RANGE', /range\.from/);
    expect(wal.lastLsn).toBe(0);
    await wal.close();
  });

  test('a getter that closes the log is noticed', async () => {
    const wal = await Wal.open(path());
    const options = {
      get durability() {
        wal.closeSync();
        return 'full' as const;
      },
    };
    expect((await rejection(wal.append(entry(1), options))).code).toBe('ERR_LOG_CLOSED');
  });

  test('a getter that detaches the data: nothing is acknowledged that is not there', async () => {
    const wal = await Wal.open(path());
    for (const length of [100, 100_000]) {
      for (const name of ['durability', 'expectedLsn'] as const) {
        const detaching = (data: Uint8Array): AppendOptions => ({
          get [name]() {
            detach(data.buffer);
            return name === 'durability' ? 'full' : wal.lastLsn + 1;
          },
        });
        const calls = [
          (data: Uint8Array) => wal.append(data, detaching(data)),
          async (data: Uint8Array) => Promise.resolve(wal.appendSync(data, detaching(data))),
          async (data: Uint8Array) => (await wal.appendBatch([data], detaching(data))).last,
        ];
        for (const call of calls) {
          const before = wal.lastLsn;
          // What is detached is empty, or refused.
          const lsn = await call(new Uint8Array(length).fill(1)).catch(() => 0);
          expect(wal.lastLsn).toBe(lsn === 0 ? before : before + 1);
          if (lsn !== 0) expect(wal.get(lsn)!.data).toHaveLength(0);
        }
      }
    }
    await wal.close();
  });

  test('what was detached before is empty, however it is appended', async () => {
    const wal = await Wal.open(path());
    const detached = (): Uint8Array => {
      const data = new Uint8Array(100).fill(1);
      detach(data.buffer);
      return data;
    };
    wal.write(entry(1));
    wal.write(detached());
    await wal.append(detached());
    wal.appendSync(detached());
    expect(await wal.appendBatch([entry(5), detached(), entry(7)])).toEqual({ first: 5, last: 7 });
    const lengths = [...wal.entries()].map(({ data }) => data.length);
    expect(lengths).toEqual([entry(1).length, 0, 0, 0, entry(5).length, 0, entry(7).length]);
    await wal.close();
  });

  test('does not let the bytes in flight grow', async () => {
    const wal = await Wal.open(path(), { bytesInFlightMax: 100_000 });
    const all: Promise<number>[] = [];
    for (let i = 0; i < 300; ++i) {
      all.push(wal.append(Buffer.alloc(20_000)));
      expect(wal.stats().bytesInFlight).toBeLessThan(150_000);
    }
    expect((await Promise.all(all)).at(-1)).toBe(300);
    await wal.close();
  });
});

describe('reading', () => {
  let wal: Wal;
  beforeEach(() => {
    wal = Wal.openSync(path(), SMALL_FILES);
    fill(wal, 400);
  });
  afterEach(() => wal.closeSync());

  test('from and to any LSN, in both directions', () => {
    fc.assert(
      fc.property(fc.nat(420), fc.nat(420), fc.boolean(), (from, to, reverse) => {
        const expected = range(Math.max(from, 1), Math.min(to, 400));
        if (from === 0) return;
        expect(lsnsOf(wal.entries({ from, to, reverse }))).toEqual(reverse ? expected.reverse() : expected);
      }),
      { numRuns: 300 },
    );
    expect(lsnsOf(wal.entries())).toEqual(range(1, 400));
    expect(lsnsOf(wal.entries({ reverse: true }))).toEqual(range(1, 400).reverse());
  });

  test('one entry', () => {
    for (const lsn of [1, 2, 57, 200, 399, 400]) {
      const found = wal.get(lsn)!;
      expect(found.lsn).toBe(lsn);
      expect(Buffer.from(found.data)).toEqual(entry(lsn));
    }
    expectError(() => wal.get(0), 'ERR_OUT_OF_RANGE', /lsn/);
    expect(wal.get(401)).toBeUndefined();
  });

  test('sees what was written but not yet synced', () => {
    wal.write(entry(401));
    expect(Buffer.from(wal.get(401)!.data)).toEqual(entry(401));
  });

  test('an iteration that races a checkpoint ends with an error', () => {
    const entries = wal.entries({ from: 1 });
    entries.next();
    wal.checkpointSync(390);
    const error = expectError(
      () => [...wal.entries({ from: 20 })],
      'ERR_CHECKPOINTED',
      /begins with entry 391/,
    );
    expect(error).toMatchObject({ firstLsn: 391 });
    expect(lsnsOf(wal.entries())).toEqual(range(391, 400));
    for (const lsn of [1, 20, 390])
      expectError(() => wal.get(lsn), 'ERR_CHECKPOINTED', /begins with entry 391/);
    expect(wal.get(391)!.lsn).toBe(391);
  });

  test('a damaged entry is an error where it is read, not an end', () => {
    const file = wal.files[1]!;
    const bytes = readFileSync(file.path);
    bytes[5000]! ^= 1;
    writeFileSync(file.path, bytes);
    const read: number[] = [];
    expectError(
      () => {
        for (const { lsn } of wal.entries()) read.push(lsn);
      },
      'ERR_CORRUPT',
      /wal-000002\.log.*damaged/,
    );
    expect(read).toEqual(range(1, read.length));
    expect(read.length).toBeGreaterThan(file.firstLsn - 1);
    expectError(() => wal.get(file.lastLsn), 'ERR_CORRUPT', /damaged/);
    expect(wal.get(file.lastLsn + 1)!.lsn).toBe(file.lastLsn + 1);
  });
});

describe('checkpoint and truncation', () => {
  test('a checkpoint lets go of entries and files, and survives', () => {
    withWal(path(), (wal) => {
      fill(wal, 300);
      const files = wal.files.length;
      wal.checkpointSync(200);
      expect(wal.firstLsn).toBe(201);
      expect(wal.files.length).toBeLessThan(files);
      expect(wal.files[0]!.firstLsn).toBeLessThanOrEqual(201);
      expect(readdirSync(path()).filter((name) => name.endsWith('.log'))).toHaveLength(wal.files.length);
      expectError(() => wal.checkpointSync(301), 'ERR_OUT_OF_RANGE', /301.*300/);
      wal.checkpointSync(100);
      expect(wal.firstLsn).toBe(201);
      expectIntact(wal, 201, 300);
    });
    withWal(path(), (wal) => {
      expectIntact(wal, 201, 300);
      wal.checkpointSync(300);
      expect([wal.firstLsn, wal.lastLsn]).toEqual([301, 300]);
      expect(wal.appendSync(entry(301))).toBe(301);
    });
    withWal(path(), (wal) => expectIntact(wal, 301, 301));
  });

  test('truncation takes entries back, for good', () => {
    withWal(path(), (wal) => {
      fill(wal, 300);
      wal.truncateAfterSync(250);
      expect([wal.lastLsn, wal.durableLsn]).toEqual([250, 250]);
      expect(wal.get(251)).toBeUndefined();
      expect(lsnsOf(wal.entries({ from: 240 }))).toEqual(range(240, 250));
      expect(wal.appendSync(Buffer.from('new'))).toBe(251);
      expectError(() => wal.truncateAfterSync(252), 'ERR_OUT_OF_RANGE', /252.*251/);
    });
    withWal(path(), (wal) => {
      expect(wal.lastLsn).toBe(251);
      expect(Buffer.from(wal.get(251)!.data).toString()).toBe('new');
      wal.truncateAfterSync(10);
      fill(wal, 40);
      wal.truncateAfterSync(0);
      expect(wal.lastLsn).toBe(0);
    });
    withWal(path(), (wal) => {
      expect(lsnsOf(wal.entries())).toEqual([]);
      expect(wal.appendSync(entry(1))).toBe(1);
      expectIntact(wal, 1, 1);
    });
  });

  test('hooks tell of sealed files and of files that go; one that throws keeps them', async () => {
    const sealed: WalFile[] = [];
    const deleted: number[] = [];
    let isRefusing = true;
    const wal = Wal.openSync(path(), {
      ...SMALL_FILES,
      onSegmentSealed: (file) => sealed.push(file),
      beforeDelete: ({ number }) => {
        if (isRefusing) throw new Error('not archived');
        deleted.push(number);
      },
    });
    fill(wal, 300);
    await Promise.resolve();
    const { files } = wal;
    expect(sealed.map(({ number }) => number)).toEqual(range(1, files.length - 1));
    expect(sealed).toEqual(files.slice(0, -1));
    expect(files.map(({ firstLsn }) => firstLsn)).toEqual([
      1,
      ...files.slice(0, -1).map(({ lastLsn }) => lastLsn + 1),
    ]);
    expect(() => wal.checkpointSync(150)).toThrow('not archived');
    expect(wal.firstLsn).toBe(1);
    isRefusing = false;
    wal.checkpointSync(150);
    expect(deleted).toEqual(files.filter(({ lastLsn }) => lastLsn <= 150).map(({ number }) => number));
    await wal.close();
  });

  test('retention by size', async () => {
    const wal = Wal.openSync(path(), { ...SMALL_FILES, retainBytes: 3 * 8192 });
    for (let lsn = 1; lsn <= 500; ++lsn) await wal.append(entry(lsn), { durability: 'os' });
    // After the checkpoint of the last file that became complete.
    await wal.sync();
    expect(wal.stats().bytes).toBeLessThanOrEqual(4 * 8192);
    expect(wal.firstLsn).toBe(wal.files[0]!.firstLsn);
    expectIntact(wal, wal.firstLsn, 500);
    await wal.close();
  });
});

describe('a log against a model', () => {
  const operation = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), bytes: fc.nat(600) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('write' as const), bytes: fc.nat(600) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('batch' as const), bytes: fc.nat(300) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const), bytes: fc.nat(100) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), bytes: fc.nat(100) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), bytes: fc.constant(0) }) },
  );

  test('behaves as a map from LSN to data', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const place = directory.path(`model-${++run}`);
        let wal = Wal.openSync(place, SMALL_FILES);
        let first = 1;
        let entries: Buffer[] = [];
        let seed = 0;
        for (const { kind, bytes } of operations) {
          const last = first + entries.length - 1;
          if (kind === 'append') {
            entries.push(entry(++seed, bytes));
            expect(await wal.append(entries.at(-1)!)).toBe(last + 1);
          } else if (kind === 'write') {
            entries.push(entry(++seed, bytes));
            expect(wal.write(entries.at(-1)!)).toBe(last + 1);
          } else if (kind === 'batch') {
            const batch = [entry(++seed, bytes), entry(++seed, 300 - bytes)];
            entries.push(...batch);
            expect(await wal.appendBatch(batch)).toEqual({ first: last + 1, last: last + 2 });
          } else if (kind === 'checkpoint') {
            const lsn = first - 1 + Math.floor((entries.length * bytes) / 100);
            wal.checkpointSync(lsn);
            entries = entries.slice(lsn + 1 - first);
            first = lsn + 1;
          } else if (kind === 'truncate') {
            const lsn = first - 1 + Math.floor((entries.length * bytes) / 100);
            wal.truncateAfterSync(lsn);
            entries = entries.slice(0, lsn + 1 - first);
          } else {
            await wal.close();
            wal = await Wal.open(place, SMALL_FILES);
          }
        }
        expect([wal.firstLsn, wal.lastLsn]).toEqual([first, first + entries.length - 1]);
        expect(dataOf(wal.entries())).toEqual(entries);
        expect(dataOf(wal.entries({ reverse: true }))).toEqual([...entries].reverse());
        await wal.close();
        removeDirectory(place);
      }),
      { numRuns: 60 },
    );
  });
});
