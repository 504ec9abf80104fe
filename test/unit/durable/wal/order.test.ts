/** Calls in flight: in which order they are carried out, and in which their promises settle. */
import { Wal } from 'atomic-log';
import fc from 'fast-check';

import { rejection } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { dataOf, entry, expectIntact, lsnsOf, range, SMALL_FILES, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), bytes: fc.nat(200) }) },
  // Not staged.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('append' as const), bytes: fc.constant(20_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('other level' as const), bytes: fc.nat(200) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('batch' as const), bytes: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('empty batch' as const), bytes: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mismatch' as const), bytes: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sync' as const), bytes: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('turn' as const), bytes: fc.constant(0) }) },
);

describe('promises of appends', () => {
  test('settle in the order of the calls, whatever their outcome, with ascending LSNs', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const wal = await Wal.open(directory.path(`log${round++}`), { segmentBytes: 65536 });
        const settled: number[] = [];
        const lsns: number[] = [];
        const calls: Promise<unknown>[] = [];
        let next = 1;
        const call = (promise: Promise<number | { first: number; last: number }>, entries: number) => {
          const index = calls.length;
          const done = (value: unknown) => {
            settled.push(index);
            if (entries > 0)
              lsns.push(typeof value === 'number' ? value : (value as { first: number }).first);
          };
          calls.push(promise.then(done, () => settled.push(index)));
          next += entries;
        };
        const expected: number[] = [];
        for (const { kind, bytes } of operations) {
          const data = Buffer.alloc(bytes);
          if (kind === 'turn') await new Promise((resolve) => setImmediate(resolve));
          if (kind === 'append' || kind === 'other level' || kind === 'batch') expected.push(next);
          if (kind === 'append') call(wal.append(data), 1);
          if (kind === 'other level') call(wal.append(data, { durability: 'none' }), 1);
          if (kind === 'batch') call(wal.appendBatch([data, data, data]), 3);
          if (kind === 'empty batch') call(wal.appendBatch([]), 0);
          if (kind === 'mismatch') call(wal.append(data, { expectedLsn: next + 7 }), 0);
          if (kind === 'sync') call(wal.sync(), 0);
        }
        await Promise.all(calls);
        expect(settled).toEqual(calls.map((_, i) => i));
        expect(lsns).toEqual(expected);
        await wal.close();
      }),
      { numRuns: 60 },
    );
  });

  test('some resolve and the others reject, still in order', async () => {
    const last = 2 ** 52;
    const wal = await Wal.open(path(), { firstLsn: last - 2 });
    const settled: unknown[] = [];
    const appends = range(1, 6).map((i) =>
      wal.append(entry(i)).then(
        (lsn) => settled.push(lsn),
        (error: Error & { code: string }) => settled.push(error.code),
      ),
    );
    await Promise.all(appends);
    const refused = 'ERR_OUT_OF_RANGE';
    expect(settled).toEqual([last - 2, last - 1, last, refused, refused, refused]);
    await wal.close();
  });

  test('what is refused without asking the log rejects at once, and takes no LSN', async () => {
    const wal = await Wal.open(path(), { entryBytesMax: 10 });
    const settled: string[] = [];
    await Promise.all([
      wal.append(Buffer.alloc(10)).then((lsn) => settled.push(`entry ${lsn}`)),
      wal.append(Buffer.alloc(11)).catch(({ code }: { code: string }) => settled.push(code)),
      wal.append(Buffer.alloc(10)).then((lsn) => settled.push(`entry ${lsn}`)),
    ]);
    expect(settled).toEqual(['ERR_ENTRY_TOO_LARGE', 'entry 1', 'entry 2']);
    await wal.close();
  });
});

describe('with appends in flight', () => {
  test('a checkpoint comes after those that were called before it', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    const before = range(1, 300).map((lsn) => wal.append(entry(lsn)));
    const done = wal.checkpoint(250);
    const after = range(301, 400).map((lsn) => wal.append(entry(lsn)));
    expect(await Promise.all(before)).toEqual(range(1, 300));
    expect(await done).toBeUndefined();
    expect(wal.firstLsn).toBe(251);
    expect(await Promise.all(after)).toEqual(range(301, 400));
    expectIntact(wal, 251, 400);
    await wal.close();
    withWal(path(), (again) => expectIntact(again, 251, 400));
  });

  test('a truncation takes back what was appended before it, and nothing after', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    const before = range(1, 10).map((lsn) => wal.append(Buffer.from(`old ${lsn}`)));
    const first = wal.truncateAfter(4);
    const between = range(5, 7).map((lsn) => wal.append(Buffer.from(`middle ${lsn}`)));
    const second = wal.truncateAfter(6);
    const after = wal.append(Buffer.from('new 7'));
    expect(await Promise.all(before)).toEqual(range(1, 10));
    expect([await first, await second]).toEqual([undefined, undefined]);
    expect(await Promise.all(between)).toEqual([5, 6, 7]);
    expect(await after).toBe(7);
    const expected = ['old 1', 'old 2', 'old 3', 'old 4', 'middle 5', 'middle 6', 'new 7'];
    expect(dataOf(wal.entries()).map(String)).toEqual(expected);
    expect([wal.ackedLsn, wal.durableLsn]).toEqual([7, 7]);
    await wal.close();
    withWal(path(), (again) => expect(dataOf(again.entries()).map(String)).toEqual(expected));
  });

  test('a synchronous call comes after all of them', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    const before = range(1, 10).map((lsn) => wal.append(entry(lsn)));
    const truncated = wal.truncateAfter(5);
    const checkpointed = wal.checkpoint(2);
    expect(wal.appendSync(entry(6))).toBe(6);
    expect([wal.firstLsn, wal.lastLsn]).toEqual([3, 6]);
    wal.checkpointSync(4);
    wal.truncateAfterSync(5);
    expect(lsnsOf(wal.entries())).toEqual([5]);
    await Promise.all([...before, truncated, checkpointed]);
    await wal.close();
  });

  test('close() carries out what was called before', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    const appends = range(1, 100).map((lsn) => wal.append(entry(lsn)));
    const calls = [wal.truncateAfter(80), wal.checkpoint(60)];
    const closing = wal.close();
    for (const late of [wal.checkpoint(1), wal.truncateAfter(1)]) {
      expect((await rejection(late)).code).toBe('ERR_LOG_CLOSED');
    }
    await Promise.all([...appends, ...calls, closing]);
    withWal(path(), (again) => expectIntact(again, 61, 80));
  });

  test('closeSync() does too', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    const appends = range(1, 100).map((lsn) => wal.append(entry(lsn)));
    const calls = [wal.truncateAfter(80), wal.checkpoint(60)];
    wal.closeSync();
    await Promise.all([...appends, ...calls]);
    withWal(path(), (again) => expectIntact(again, 61, 80));
  });
});
