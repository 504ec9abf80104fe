/** Appending much at once: what goes to the disk together, and how much is in flight. */
import { Wal } from 'atomic-log';

import { rejection } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { range } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');

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
