import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import {
  AtomicLog,
  bytes,
  defineSchema,
  json,
  JournaledLog,
  structured,
  utf8,
  Wal,
  WalCursor,
  WalReader,
  type Codec,
  type ErrorCode,
} from 'atomic-log';

import { expectError, rejection } from '../../support/errors';
import { packageRoot } from '../../support/internals';
import { temporaryDirectory } from '../../support/segments';
import { scalarCases } from '../../support/scalars';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;
/** In files that cost little to make. */
const place = () => ({ path: path(), segmentBytes: 65536 });
/** Whatever the options: the point is what is done with them. */
const open = (options: object): Promise<JournaledLog<unknown>> =>
  AtomicLog.open({ wal: place(), ...SMALL, ...options } as never) as unknown as Promise<
    JournaledLog<unknown>
  >;

const schema = defineSchema({ time: 'f64', size: 'u32', id: 'i64', name: 'utf8', blob: 'bytes', flag: 'u8' });
const recordOf = (i: number) => ({
  time: i / 3,
  size: i,
  id: -BigInt(i),
  name: i % 5 === 0 ? '' : `näme ${i}`.repeat(i % 7),
  blob: new Uint8Array([i & 255, 1, 2]).subarray(0, i % 4),
  flag: i & 1,
});

/** The entries of the window, and the index of the first one. */
function windowOf<T>(log: AtomicLog<T>): { firstIndex: number; entries: T[] } {
  const snapshot = log.snapshot();
  try {
    return { firstIndex: snapshot.firstIndex, entries: [...snapshot] };
  } finally {
    snapshot.close();
  }
}

/** Follows until the entry before `end`; what was lost, and the entries with their indexes. */
async function followTo<T>(
  log: AtomicLog<T>,
  end: number,
  options: Parameters<AtomicLog<T>['follow']>[0] = {},
): Promise<{ lost: number; entries: [number, T][] }> {
  let lost = 0;
  const entries: [number, T][] = [];
  for await (const batch of log.follow(options)) {
    lost += batch.lost;
    let index = batch.firstIndex;
    for (const value of batch) entries.push([index++, value]);
    expect(index).toBe(batch.firstIndex + batch.length);
    if (index >= end) break;
  }
  return { lost, entries };
}

function hashOfFiles(folder: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(folder).filter((name) => name.endsWith('.log'));
  for (const name of names.sort()) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest('hex');
}

describe('after a restart', () => {
  test('the window is made of the newest entries, and indexes go on', async () => {
    const options = { wal: place(), ...SMALL, schema };
    {
      await using log = await AtomicLog.open(options);
      expect(log.recovery.action).toBe('created');
      for (let i = 0; i < 57; ++i) expect(log.append(recordOf(i))).toBe(i);
      await log.durable(56);
      expect(log.durableIndex).toBe(57);
    }
    await using log = await AtomicLog.open(options);
    expect(log).toBeInstanceOf(AtomicLog);
    expect(log).toBeInstanceOf(JournaledLog);
    const { firstIndex, entries } = windowOf(log);
    expect(firstIndex).toBeLessThanOrEqual(57 - SMALL.retainedCapacity);
    expect(entries).toEqual(Array.from({ length: 57 - firstIndex }, (_, k) => recordOf(firstIndex + k)));
    expect([log.endIndex, log.durableIndex, log.nextIndex, log.oldestIndex]).toEqual([57, 57, 57, 0]);
    expect(log.append(recordOf(57))).toBe(57);
    expect(log.latest()).toEqual(recordOf(57));
  });

  test.each(scalarCases)(
    '$type: one by one, an iterable, a typed array',
    async ({ type, accepted, arrayOf }) => {
      const options = { type, retainedCapacity: 1000, segmentCapacity: 100 };
      const many = [...accepted, ...accepted, ...accepted];
      {
        await using log = await open(options);
        for (const value of accepted) log.append(value);
        log.appendBatch(many);
        log.appendBatch(arrayOf(many) as never);
      }
      await using log = await open(options);
      expect(windowOf(log).entries).toEqual([...arrayOf([...accepted, ...many, ...many])]);
    },
  );

  const dates: Codec<Date> = {
    name: 'date',
    encode: (date) => new Uint8Array(Float64Array.of(date.getTime()).buffer),
    decode: (data) => new Date(new Float64Array(data.slice().buffer)[0]!),
  };
  test.each<[string, Codec<never>, unknown[]]>([
    ['utf8', utf8 as never, ['', 'a', 'ü'.repeat(300), '😀']],
    ['bytes', bytes as never, [new Uint8Array(0), new Uint8Array([1, 2, 3]), new Uint8Array(500).fill(7)]],
    ['json', json() as never, [null, { a: [1, 'x'] }, 7]],
    ['structured', structured() as never, [new Map([[1, new Set('ab')]]), undefined]],
    ['its own', dates as never, [new Date(0), new Date(1e12)]],
  ])('codec %s', async (_name, codec, values) => {
    {
      await using log = await open({ codec });
      for (const value of values) log.append(value);
      log.appendBatch(values);
    }
    await using log = await open({ codec });
    expect(windowOf(log).entries).toEqual([...values, ...values]);
  });

  test('retention waits until the window is there', async () => {
    const options = {
      wal: { path: path(), segmentBytes: 65536 },
      retainedCapacity: 60_000,
      segmentCapacity: 1000,
    };
    {
      await using log = await open(options);
      for (let i = 0; i < 120; ++i)
        log.appendBatch(Float64Array.from({ length: 500 }, (_, k) => 500 * i + k));
    }
    await using log = await open({ ...options, wal: { ...options.wal, retainBytes: 65536 } });
    expect(windowOf(log).entries).toEqual(Array.from({ length: 60_000 }, (_, i) => i));
    while (log.oldestIndex < 30_000) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  test('openSync does the same', () => {
    {
      using log = AtomicLog.openSync({ wal: place(), ...SMALL });
      for (let i = 0; i < 7; ++i) log.append(i);
    }
    using log = AtomicLog.openSync({ wal: place(), ...SMALL });
    expect(windowOf(log)).toEqual({ firstIndex: 0, entries: [0, 1, 2, 3, 4, 5, 6] });
    expect(log.append(7)).toBe(7);
  });

  test('the sizes of the window may be others, and so may the first LSN', async () => {
    {
      await using log = await open({ wal: { ...place(), firstLsn: 1000 } });
      for (let i = 0; i < 50; ++i) log.append(i);
      expect([log.base, log.oldestIndex]).toEqual([1000, 0]);
    }
    await using log = await open({ retainedCapacity: 3, segmentCapacity: 2 });
    expect(windowOf(log)).toEqual({ firstIndex: 47, entries: [47, 48, 49] });
    expect(log.base).toBe(1000);
  });

  test('nothing but what was published is there', async () => {
    {
      await using log = await open({});
      log.append(0);
      log.write(1);
      log.write(2);
      expect(log.endIndex).toBe(1);
      log.publish();
      log.write(3);
      // Closing publishes what is staged.
    }
    await using log = await open({});
    expect(windowOf(log).entries).toEqual([0, 1, 2, 3]);
    const span = log.reserve(3) as unknown as { values: Float64Array };
    span.values.set([4, 5, 6].slice(0, span.values.length));
    expect(log.commit(1)).toBe(4);
    await log.close();
    await using again = await open({});
    expect(windowOf(again).entries).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('batches', () => {
  test('columns and records, across segments and larger than the window', async () => {
    const size = { time: 'f64', size: 'u32' } as const;
    const options = { wal: place(), ...SMALL, schema: size };
    {
      await using log = await AtomicLog.open(options);
      const indexes = Array.from({ length: 64 }, (_, i) => i);
      expect(log.appendBatch({ time: Float64Array.from(indexes), size: Uint32Array.from(indexes) })).toBe(0);
      expect(log.appendBatch(indexes.map((i) => ({ time: i + 64, size: i + 64 })))).toBe(64);
      expect(log.appendBatch([])).toBe(128);
    }
    await using log = await AtomicLog.open(options);
    const { entries } = await followTo(log, 128);
    expect(entries).toEqual(Array.from({ length: 128 }, (_, i) => [i, { time: i, size: i }]));
  });

  test('what lies in one segment is one batch of the write-ahead log', async () => {
    {
      await using log = await open({ segmentCapacity: 100 });
      log.appendBatch(Float64Array.from({ length: 30 }, (_, i) => i));
      log.write(30);
      log.write(31);
      log.append(32);
    }
    const wal = await Wal.open(path());
    const batches = [...wal.entries()].map(({ batch }) => batch);
    expect(batches).toEqual([
      ...Array.from({ length: 30 }, () => ({ first: 1, count: 30 })),
      ...Array.from({ length: 3 }, () => ({ first: 31, count: 3 })),
    ]);
    await wal.close();
  });

  test('a segment that is larger than a batch may be is written in parts', async () => {
    const options = {
      wal: { path: path(), segmentBytes: 65536 },
      retainedCapacity: 1e4,
      segmentCapacity: 1e4,
    };
    {
      await using log = await AtomicLog.open(options);
      log.appendBatch(Float64Array.from({ length: 1e4 }, (_, i) => i));
      expect(log.endIndex).toBe(1e4);
    }
    await using log = await AtomicLog.open(options);
    expect(windowOf(log).entries).toEqual(Array.from({ length: 1e4 }, (_, i) => i));
  });
});

describe('what is refused', () => {
  test.each<[string, object, object, ErrorCode, RegExp]>([
    ['another type', { type: 'f64' }, { type: 'u32' }, 'ERR_SCHEMA_MISMATCH', /"f64".*"u32"/],
    ['records of numbers', { type: 'f64' }, { schema: { a: 'f64' } }, 'ERR_SCHEMA_MISMATCH', /records/],
    [
      'another field',
      { schema: { a: 'f64', b: 'u8' } },
      { schema: { a: 'f64', c: 'u8' } },
      'ERR_SCHEMA_MISMATCH',
      /column 1 is "b: u8" there and "c: u8" here/,
    ],
    [
      'another order',
      { schema: { a: 'f64', b: 'u8' } },
      { schema: { b: 'u8', a: 'f64' } },
      'ERR_SCHEMA_MISMATCH',
      /column 0/,
    ],
    ['another codec', { codec: utf8 }, { codec: json() }, 'ERR_CODEC_MISMATCH', /"utf8".*"json"/],
    ['no codec', { codec: utf8 }, {}, 'ERR_SCHEMA_MISMATCH', /"utf8".*"f64"/],
  ])('%s, and nothing has changed', async (_name, made, given, code, message) => {
    await (await open(made)).close();
    const before = hashOfFiles(path());
    const error = await rejection(open(given));
    expectError(
      () => {
        throw error;
      },
      code,
      message,
    );
    expect(hashOfFiles(path())).toBe(before);
    await (await open(made)).close();
  });

  test('a write-ahead log of another kind, and nothing has changed', async () => {
    const wal = await Wal.open(path(), { segmentBytes: 8192 });
    for (let i = 0; i < 300; ++i) wal.write(Buffer.alloc(100));
    await wal.close();
    const before = hashOfFiles(path());
    expect(await rejection(open({ wal: { path: path(), retainBytes: 8192 } }))).toMatchObject({
      code: 'ERR_FORMAT',
      path: path(),
    });
    expect(hashOfFiles(path())).toBe(before);
  });

  test('entries that someone else has appended', async () => {
    await (await open({})).close();
    const wal = await Wal.open(path());
    await wal.append(Buffer.from('not a frame'));
    await wal.close();
    expect(await rejection(open({}))).toMatchObject({ code: 'ERR_CORRUPT', lsn: 1 });
    // The lock is free again.
    await (await Wal.open(path())).close();
  });

  test.each<[object, ErrorCode, RegExp]>([
    [{ wal: undefined }, 'ERR_INVALID_ARG_TYPE', /options\.wal must be/],
    [{ wal: '' }, 'ERR_INVALID_ARG_VALUE', /options\.wal/],
    [{ wal: {} }, 'ERR_INVALID_ARG_TYPE', /options\.wal\.path/],
    [{ wal: { path: 'x', metadata: Buffer.alloc(1) } }, 'ERR_INVALID_ARG_VALUE', /metadata/],
    [
      { wal: { path: 'x', durabilty: 'os' } },
      'ERR_INVALID_ARG_VALUE',
      /options\.wal has no option "durabilty".*durability/,
    ],
    [{ retainedCapacty: 1 }, 'ERR_INVALID_ARG_VALUE', /retainedCapacity/],
    [{ firstIndex: 7 }, 'ERR_INVALID_ARG_VALUE', /firstIndex/],
    [
      { durability: 'os' },
      'ERR_INVALID_ARG_VALUE',
      /no option "durability"; it is one of the write-ahead log: wal: \{ path, durability \}/,
    ],
    [
      { schema: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`field_number_${i}`, 'f64'])) },
      'ERR_OUT_OF_RANGE',
      /shorter names/,
    ],
  ])('an option: %#', async (options, code, message) => {
    const error = await rejection(open(options));
    expectError(
      () => {
        throw error;
      },
      code,
      message,
    );
    expect(readdirSync(directory.root())).toEqual([]);
  });

  test('a second writer, and a claim', async () => {
    await using log = await open({});
    expectError(() => log.tryClaimWriter(), 'ERR_JOURNALED', /append with the JournaledLog/);
    expect((await rejection(open({}))).code).toBe('ERR_LOCKED');
  });

  test('an entry that is too large, before anyone sees it', async () => {
    await using log = await open({ codec: utf8, wal: { ...place(), entryBytesMax: 100 } });
    log.append('a');
    expectError(() => log.append('x'.repeat(200)), 'ERR_ENTRY_TOO_LARGE', /split/);
    expect([log.endIndex, log.nextIndex]).toEqual([1, 1]);
    expect(log.append('b')).toBe(1);
    expect(windowOf(log).entries).toEqual(['a', 'b']);
    await log.durable(1);
  });

  test('an entry of a batch that is too large, before a part of the batch is written', async () => {
    await using log = await open({ codec: utf8, wal: { ...place(), entryBytesMax: 100 }, dataBytes: 500 });
    log.write('staged');
    const long = 'x'.repeat(200);
    // In one segment, and after several.
    for (const entries of [
      ['a', 'b', long, 'c'],
      [...Array.from({ length: 33 }, (_, i) => `${i}`.repeat(30)), long],
    ]) {
      const index = entries.indexOf(long);
      const error = await rejection(Promise.resolve().then(() => log.appendBatch(entries)));
      expect(error).toMatchObject({ code: 'ERR_ENTRY_TOO_LARGE', index, attempted: 212, available: 100 });
      expect((error as Error).message).toMatch(`entry ${index} of the batch has 212 bytes`);
      expect([log.endIndex, log.nextIndex]).toEqual([0, 1]);
    }
    expectError(() => log.append(long), 'ERR_ENTRY_TOO_LARGE', /split/);
    expect([log.endIndex, log.nextIndex]).toEqual([0, 1]);
    log.append('a');
    expect(windowOf(log).entries).toEqual(['staged', 'a']);
  });

  test('columns of records with one that is too large', async () => {
    const both = { name: 'utf8', blob: 'bytes', n: 'u32' } as const;
    await using log = await open({ schema: both, wal: { ...place(), entryBytesMax: 100 } });
    const columns = {
      name: ['a', 'n'.repeat(40), 'b'],
      blob: [new Uint8Array(1), new Uint8Array(50), new Uint8Array(2)],
      n: Uint32Array.of(1, 2, 3),
    };
    expectError(
      () => log.appendBatch(columns as never),
      'ERR_ENTRY_TOO_LARGE',
      /entry 1 of the batch has 110/,
    );
    expect([log.endIndex, log.nextIndex]).toEqual([0, 0]);
  });

  test('no entry of the write-ahead log has more than entryBytesMax, whatever is published together', async () => {
    const wal = { ...place(), entryBytesMax: 100 };
    {
      await using log = await open({ codec: utf8, wal, retainedCapacity: 100, segmentCapacity: 100 });
      log.appendBatch(Array.from({ length: 90 }, (_, i) => `entry ${i}`));
      for (let i = 0; i < 90; ++i) log.write(`entry ${i}`);
      log.publish();
    }
    const reader = WalReader.open(wal.path);
    const sizes = [...reader.entries()].map(({ data }) => data.length);
    expect(sizes.length).toBe(180);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    reader.close();
    await using again = await open({ codec: utf8, wal });
    const { entries } = await followTo(again, 180);
    expect(entries).toEqual(Array.from({ length: 180 }, (_, i) => [i, `entry ${i % 90}`]));
  });

  test('staged entries stay when the append after them is refused', async () => {
    await using log = await open({ codec: utf8, wal: { ...place(), entryBytesMax: 100 } });
    log.write('a');
    // Its frame would be one of two entries.
    expectError(() => log.append('x'.repeat(2 ** 20)), 'ERR_VALUE_TOO_LARGE', /dataBytes/);
    expect([log.endIndex, log.nextIndex]).toEqual([0, 1]);
    log.publish();
    expect(windowOf(log).entries).toEqual(['a']);
  });

  test("an entry that the disk would never take is not staged, and is in no one's way", async () => {
    await using log = await open({ codec: utf8, wal: { ...place(), entryBytesMax: 100 } });
    log.write('a');
    expectError(() => log.write('x'.repeat(200)), 'ERR_ENTRY_TOO_LARGE', /split/);
    expect(log.write('b')).toBe(1);
    log.publish();
    expect(log.append('c')).toBe(2);
    expect(windowOf(log).entries).toEqual(['a', 'b', 'c']);
  });

  test('a hook that stores entries inside of an append that begins a segment', async () => {
    const outcomes = new Set<unknown>();
    const options = {
      codec: utf8,
      wal: {
        path: path(),
        segmentBytes: 8192,
        retainBytes: 30_000,
        beforeDelete: () => {
          for (const store of [() => log.write('h'), () => log.append('h'), () => log.appendBatch(['h'])]) {
            const index = log.nextIndex;
            try {
              store();
            } catch (error) {
              outcomes.add((error as { code?: unknown }).code);
              expect(log.nextIndex).toBe(index);
            }
          }
        },
      },
      retainedCapacity: 200,
      segmentCapacity: 20,
      dataBytes: 4000,
    };
    const log = await open(options);
    // In one turn, so that retention runs inside of it; a segment has room for few of them.
    for (let i = 0; i < 80; ++i) log.write('x'.repeat(700 + i));
    log.publish();
    await log.sync();
    expect([...outcomes]).toEqual(['ERR_WRITER_BUSY']);
    const before = windowOf(log);
    const { endIndex } = log;
    await log.close();
    await using again = await open(options);
    expect(again.endIndex).toBe(endIndex);
    const after = windowOf(again);
    expect(after.entries).toEqual(before.entries.slice(after.firstIndex - before.firstIndex));
  });

  test('a value on disk for which dataBytes has no room', async () => {
    await (async () => {
      await using log = await open({ codec: utf8 });
      log.append('x'.repeat(1000));
    })();
    expect((await rejection(open({ codec: utf8, dataBytes: 100 }))).code).toBe('ERR_VALUE_TOO_LARGE');
    await (await open({ codec: utf8, dataBytes: 1000 })).close();
  });

  test('a log in memory alone that is given a directory', () => {
    const options = { ...SMALL, wal: 'x' } as never;
    const message = /no option "wal"; AtomicLog\.open\(options\) makes a log with a write-ahead log/;
    expectError(() => new AtomicLog(options), 'ERR_INVALID_ARG_VALUE', message);
    expectError(() => AtomicLog.claimed(options), 'ERR_INVALID_ARG_VALUE', message);
  });

  test('all after it was closed', async () => {
    const log = await open({});
    log.append(1);
    await log.close();
    await log.close();
    log.closeSync();
    expectError(() => log.append(2), 'ERR_WRITER_CLOSED', /closed.*or open the log again/);
    expectError(() => log.snapshot(), 'ERR_LOG_CLOSED', /closed/);
    expectError(() => log.follow(), 'ERR_LOG_CLOSED', /closed/);
    expect((await rejection(log.checkpoint(1))).code).toBe('ERR_LOG_CLOSED');
    // It became durable before.
    await log.durable(0);
    expect(log.isClosed).toBe(true);
  });
});

describe('durability', () => {
  test('durable() and durableIndex, whatever the log does by itself', async () => {
    for (const durability of ['full', 'os', 'none'] as const) {
      await using log = await open({ wal: { ...place(), path: directory.path(durability), durability } });
      expect(log.durableIndex).toBe(0);
      for (let i = 0; i < 10; ++i) log.append(i);
      expect(log.endIndex).toBe(10);
      await log.durable(4);
      expect(log.durableIndex).toBeGreaterThanOrEqual(5);
      log.append(10);
      expect(await log.sync()).toBe(11);
      await Promise.all(Array.from({ length: 11 }, (_, i) => log.durable(i)));
      expect((await rejection(log.durable(11))).code).toBe('ERR_OUT_OF_RANGE');
      expect((await rejection(log.durable(-1))).code).toBe('ERR_OUT_OF_RANGE');
    }
  });

  test('by itself with full, without anyone asking', async () => {
    await using log = await open({});
    log.append(1);
    while (log.durableIndex < 1) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  test('more than bytesInFlightMax waits, and rotations take none away', async () => {
    const options = { wal: { path: path(), segmentBytes: 8192, bytesInFlightMax: 1000 } };
    {
      await using log = await open(options);
      for (let i = 0; i < 3000; ++i) log.append(i);
      await log.durable(2999);
    }
    await using log = await open(options);
    const { entries } = await followTo(log, 3000);
    expect(entries).toEqual(Array.from({ length: 3000 }, (_, i) => [i, i]));
  });
});

describe('follow', () => {
  test('replays, then goes on in memory, while entries come', async () => {
    await using log = await open({});
    for (let i = 0; i < 5000; ++i) log.append(i);
    await log.sync();
    const following = followTo(log, 8000, { from: 17 });
    for (let i = 5000; i < 8000; ++i) {
      log.append(i);
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const { lost, entries } = await following;
    expect(lost).toBe(0);
    expect(entries).toEqual(Array.from({ length: 8000 - 17 }, (_, k) => [17 + k, 17 + k]));
  });

  test('a follower that falls behind loses nothing', async () => {
    await using log = await open({});
    const follower = log.follow();
    log.append(0);
    let next = 0;
    for (let round = 0; round < 20; ++round) {
      const { value } = (await follower.next()) as { value: Iterable<unknown> & { lost: number } };
      expect(value.lost).toBe(0);
      for (const entry of value) expect(entry).toBe(next++);
      // The window has forgotten it by then.
      for (let i = 0; i < 100; ++i) log.append(log.nextIndex);
    }
    await follower.return!();
  });

  test('ends where it is read from the disk while the log is being closed', async () => {
    const log = await open({});
    const COUNT = 20_000;
    for (let i = 0; i < COUNT; i += 1000)
      log.appendBatch(Float64Array.from({ length: 1000 }, (_, k) => i + k));
    await log.sync();
    let next = 0;
    let closing: Promise<void> | undefined;
    for await (const batch of log.follow({ from: 0 })) {
      expect(batch.firstIndex).toBe(next);
      next += batch.length;
      // What it has to write takes longer than a turn of the follower.
      if (closing === undefined) log.appendBatch(new Float64Array(1000));
      closing ??= log.close();
    }
    await closing;
    expect(next).toBeLessThan(COUNT);
  });

  test('what was never synced is synced for one who waits for it', async () => {
    await using log = await open({ wal: { ...place(), durability: 'none' } });
    for (let i = 0; i < 1000; ++i) log.append(i);
    const { entries } = await followTo(log, 1000);
    expect(entries.length).toBe(1000);
  });

  test('records, from within a batch, in batches of its own', async () => {
    const options = { wal: place(), ...SMALL, segmentCapacity: 50, schema };
    await using log = await AtomicLog.open(options);
    for (let i = 0; i < 400; i += 40) log.appendBatch(Array.from({ length: 40 }, (_, k) => recordOf(i + k)));
    await log.sync();
    const { entries } = await followTo(log, 400, { from: 61, batchEntriesMax: 7 });
    expect(entries).toEqual(Array.from({ length: 400 - 61 }, (_, k) => [61 + k, recordOf(61 + k)]));
    // Chunks and rows of what is replayed are those of any batch.
    for await (const batch of log.follow()) {
      expect(batch.chunks()[0]!.column('size')[0]).toBe(0);
      expect(batch.rows().next().value).toEqual(recordOf(0));
      break;
    }
  });

  test('what a checkpoint has dropped is lost, and told', async () => {
    await using log = await open({ wal: { path: path(), segmentBytes: 8192 } });
    for (let i = 0; i < 2000; ++i) log.append(i);
    await log.sync();
    await log.checkpoint(1000);
    const { oldestIndex } = log;
    expect(oldestIndex).toBeGreaterThan(500);
    expect(oldestIndex).toBeLessThanOrEqual(1000);
    const { lost, entries } = await followTo(log, 2000, { from: 10 });
    expect(lost).toBe(oldestIndex - 10);
    expect(entries[0]).toEqual([oldestIndex, oldestIndex]);
    expect(entries.length).toBe(2000 - oldestIndex);
    const refused = followTo(log, 2000, { from: 10, onLost: 'throw' });
    expect((await rejection(refused)).code).toBe('ERR_ENTRIES_LOST');
  });

  test('a checkpoint stops before the window, and force passes it', async () => {
    const options = { wal: { path: path(), segmentBytes: 8192 }, retainedCapacity: 500 };
    let log = await open(options);
    for (let i = 0; i < 2000; ++i) log.append(i);
    await log.sync();
    await log.checkpoint(2000);
    expect(log.oldestIndex).toBeLessThanOrEqual(log.firstIndex);
    const before = windowOf(log);
    await log.close();
    log = await open(options);
    expect(windowOf(log).entries.slice(-500)).toEqual(before.entries.slice(-500));
    await log.checkpoint(2000, { force: true });
    expect(log.oldestIndex).toBe(2000);
    expect((await followTo(log, 2000)).entries.length).toBeGreaterThanOrEqual(500);
    await log.close();
    log = await open(options);
    expect([log.firstIndex, log.endIndex]).toEqual([2000, 2000]);
    expect(log.append(2000)).toBe(2000);
    await log.close();
  });

  test('a checkpoint that stops at a cursor within a frame: the oldest entry is one that can be read', async () => {
    await using log = await open({ wal: { path: path(), segmentBytes: 8192 }, segmentCapacity: 50 });
    for (let k = 0; k < 40; ++k) log.appendBatch(Float64Array.from({ length: 50 }, (_, i) => 50 * k + i));
    await log.sync();
    using reader = WalReader.open(path());
    await using cursor = await WalCursor.open(path(), 'within');
    const { batch, position } = reader.get(1525)!;
    expect(batch).toEqual({ first: 1501, count: 50 });
    await cursor.commit(position);
    await log.checkpoint(1900);
    expect(log.oldestIndex).toBe(1550);
    const { lost, entries } = await followTo(log, 2000, { onLost: 'throw' });
    expect([lost, entries[0]]).toEqual([0, [1550, 1550]]);
  });

  test('a checkpoint of entries that another one has just dropped', async () => {
    await using log = await open({ wal: { path: path(), segmentBytes: 8192 } });
    for (let i = 0; i < 2000; ++i) log.append(i);
    await log.sync();
    const { get } = Wal.prototype;
    const spy = jest.spyOn(Wal.prototype, 'get').mockImplementationOnce(function (this: Wal, lsn) {
      this.checkpointSync(1900, { force: true });
      return get.call(this, lsn);
    });
    await log.checkpoint(100);
    expect(spy).toHaveBeenCalledTimes(1);
    spy.mockRestore();
    expect(log.oldestIndex).toBeGreaterThan(1000);
  });

  test('latest, a future index, an abort, and the end', async () => {
    const log = await open({});
    log.append(0);
    const latest = followTo(log, Infinity, { from: 'latest' });
    const future = followTo(log, Infinity, { from: 3 });
    const abort = new AbortController();
    const aborted = followTo(log, Infinity, { signal: abort.signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort(new Error('enough'));
    expect(((await rejection(aborted)) as Error).message).toBe('enough');
    for (let i = 1; i < 6; ++i) log.append(i);
    await log.close();
    expect((await latest).entries.map(([index]) => index)).toEqual([1, 2, 3, 4, 5]);
    expect((await future).entries.map(([index]) => index)).toEqual([3, 4, 5]);
  });
});

test('a worker attaches as to any log, in the same index space, and follows to the end', async () => {
  await (async () => {
    await using log = await open({});
    for (let i = 0; i < 100; ++i) log.append(i);
  })();
  const log = await open({});
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { AtomicLog } = require(workerData.root);
    (async () => {
      const log = AtomicLog.attach(workerData.handle);
      const seen = [];
      parentPort.postMessage(log.endIndex);
      for await (const batch of log.follow({ from: 95 })) for (const value of batch) seen.push(value);
      parentPort.postMessage(seen);
    })();`;
  const worker = new Worker(source, { eval: true, workerData: { root: packageRoot, handle: log.handle } });
  const messages: unknown[] = [];
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject).on('message', (message) => {
      messages.push(message);
      if (messages.length === 1) resolve();
    });
  });
  for (let i = 100; i < 110; ++i) log.append(i);
  await log.close();
  expect(await exited).toBe(0);
  expect(messages).toEqual([100, Array.from({ length: 15 }, (_, k) => 95 + k)]);
});
