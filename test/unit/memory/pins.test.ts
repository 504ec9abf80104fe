import { AtomicLog, type Chunk, type Snapshot, type Writer } from 'atomic-log';

import type * as NativeLogModule from '../../../lib/memory/native-log';
import { entriesOf, expectConsistent, range, SMALL, smallLog, type Claimed } from '../../support/logs';
import { collectGarbage, collectUntil, nextTurn } from '../../support/memory';
import { hasStrictViews, lengthAfterEnd } from '../../support/strict';

/** A full window of three segments, whose entry at every index is that index. */
function fullLog(): Claimed<number> {
  const claimed = AtomicLog.claimed(SMALL);
  claimed.writer.appendBatch(range(0, 12));
  return claimed;
}

function lap({ writer }: Claimed<number>, times = 3): void {
  for (let i = 0; i < 12 * times; ++i) writer.append(-1);
}

// What a test may keep of a snapshot when it drops it. All of them show the
// first segment, whose entries are 0 to 3.
const keepers: [string, (snapshot: Snapshot<number>) => { read: () => number[] }][] = [
  ['a chunk', (snapshot) => ofChunk(snapshot.chunks()[0]!)],
  ['its values', (snapshot) => ofArray(snapshot.chunks()[0]!.values as Float64Array)],
  [
    'a part of its values',
    (snapshot) => ofArray(snapshot.chunks()[0]!.values.subarray(0, 4) as Float64Array),
  ],
  ['the ArrayBuffer', (snapshot) => ofBuffer(snapshot.chunks()[0]!.values as Float64Array)],
  ['a DataView', (snapshot) => ofDataView(snapshot.chunks()[0]!.values as Float64Array)],
  ['an iterator', (snapshot) => ofIterator(snapshot)],
];

// Each in a function of its own, so that its closure holds nothing else.
function ofChunk(chunk: Chunk<number>): { read: () => number[] } {
  return { read: () => range(0, 4).map((i) => chunk.at(i)!) };
}

function ofArray(array: Float64Array): { read: () => number[] } {
  return { read: () => Array.from(array) };
}

function ofBuffer({ buffer, byteOffset }: Float64Array): { read: () => number[] } {
  return { read: () => Array.from(new Float64Array(buffer, byteOffset, 4)) };
}

function ofDataView({ buffer, byteOffset }: Float64Array): { read: () => number[] } {
  const view = new DataView(buffer, byteOffset);
  return { read: () => range(0, 4).map((i) => view.getFloat64(8 * i, true)) };
}

function ofIterator(snapshot: Snapshot<number>): { read: () => number[] } {
  const iterator = snapshot[Symbol.iterator]();
  const first: number[] = [];
  return {
    read: () => {
      // The first call begins the iteration, and the snapshot is held by it.
      while (first.length < 4) first.push(iterator.next().value as number);
      return first;
    },
  };
}

describe('a snapshot that was dropped without close()', () => {
  test('gives its memory back once it has been collected', async () => {
    const claimed = fullLog();
    const { log } = claimed;
    const held: { snapshot?: Snapshot<number> } = { snapshot: log.snapshot() };
    lap(claimed);
    await collectGarbage(2);
    expect(log.stats()).toMatchObject({ pinnedSegments: 3, pinnedHere: 3 });
    expect([...held.snapshot!]).toEqual(range(0, 12));
    delete held.snapshot;
    await collectUntil('the pins come back', () => log.stats().pinnedSegments === 0);
    expect(log.stats()).toMatchObject({ pinnedHere: 0, pinnedBytes: 0 });
    const { fresh } = log.stats();
    lap(claimed, 10);
    expect(log.stats().fresh).toBe(fresh);
    expectConsistent(log);
  });

  test.each(keepers)('keeps right what is seen through %s', async (_name, keep) => {
    const claimed = fullLog();
    const { log } = claimed;
    const kept: { view?: { read: () => number[] } } = { view: keep(log.snapshot()) };
    for (let i = 0; i < 3; ++i) {
      await collectGarbage(1);
      lap(claimed);
    }
    expect(log.stats().pinnedSegments).toBeGreaterThanOrEqual(1);
    expect(kept.view!.read()).toEqual([0, 1, 2, 3]);
    delete kept.view;
    await collectUntil('the pins come back', () => log.stats().pinnedSegments === 0);
    expect(log.stats().pinnedHere).toBe(0);
  });

  test('keeps only the segments that are still seen', async () => {
    const claimed = fullLog();
    const { log } = claimed;
    const kept = { view: log.snapshot().chunks()[1]!.values };
    lap(claimed);
    await collectUntil('all but one come back', () => log.stats().pinnedSegments === 1);
    await collectGarbage(3);
    expect(log.stats()).toMatchObject({ pinnedSegments: 1, pinnedHere: 0, pinnedBytes: 128 });
    expect(kept.view).toEqual(Float64Array.of(4, 5, 6, 7));
  });

  test('keeps the columns of records right', async () => {
    const { writer, log } = AtomicLog.claimed({ ...SMALL, schema: { a: 'i32', b: 'i64' } });
    for (let i = 0; i < 6; ++i) writer.append({ a: i, b: BigInt(-i) });
    const kept: { columns?: unknown[] } = {
      columns: (() => {
        const [chunk] = log.snapshot().chunks();
        return [chunk!.column('a'), chunk!.column('b')];
      })(),
    };
    for (let i = 0; i < 3; ++i) {
      await collectGarbage(1);
      for (let k = 0; k < 24; ++k) writer.append({ a: -1, b: -1n });
    }
    expect(kept.columns).toEqual([Int32Array.of(0, 1, 2, 3), BigInt64Array.of(0n, -1n, -2n, -3n)]);
    delete kept.columns;
    await collectUntil('the pins come back', () => log.stats().pinnedSegments === 0);
  });

  test('leaves its views right when others open and close snapshots of the same segments', async () => {
    const claimed = fullLog();
    const { log } = claimed;
    const kept: { view?: ArrayLike<number> } = { view: log.snapshot().chunks()[2]!.values };
    await collectUntil('the snapshot is collected', () => log.stats().pinnedHere === 0);
    for (let i = 0; i < 4; ++i) {
      using snapshot = log.snapshot();
      expect([...snapshot]).toEqual(range(0, 12));
      // The same memory is mapped once, however it is kept.
      const isShared = snapshot.chunks()[2]!.values.buffer === (kept.view as Float64Array).buffer;
      expect(isShared).toBe(!hasStrictViews);
      await collectGarbage(1);
    }
    lap(claimed);
    await collectGarbage(2);
    expect(kept.view).toEqual(Float64Array.of(8, 9, 10, 11));
    expect(log.stats()).toMatchObject({ pinnedSegments: 1, pinnedHere: 0 });
    delete kept.view;
    await collectUntil('the pins come back', () => log.stats().pinnedSegments === 0);
  });

  test('next to one that is open: each keeps its own', async () => {
    const claimed = fullLog();
    const { log } = claimed;
    const open = log.snapshot();
    const kept: { view?: ArrayLike<number> } = { view: log.snapshot().chunks()[0]!.values };
    lap(claimed);
    await collectGarbage(2);
    expect([...open]).toEqual(range(0, 12));
    open.close();
    await collectGarbage(2);
    lap(claimed);
    expect(kept.view).toEqual(Float64Array.of(0, 1, 2, 3));
    delete kept.view;
    await collectUntil('the pins come back', () => log.stats().pinnedSegments === 0);
    expect(log.stats().pinnedHere).toBe(0);
  });

  test('that had been extended gives back all that it held', async () => {
    const claimed = fullLog();
    const { writer, log } = claimed;
    const held: { snapshot?: Snapshot<number> } = { snapshot: log.snapshot() };
    for (let i = 12; i < 100; ++i) {
      writer.append(i);
      held.snapshot!.extend();
    }
    await nextTurn();
    expect(log.stats().pinnedSegments).toBe(22);
    const [oldest] = held.snapshot!.chunks();
    delete held.snapshot;
    await collectUntil('all but the oldest come back', () => log.stats().pinnedSegments === 1);
    lap(claimed);
    expect(oldest!.values).toEqual(Float64Array.of(0, 1, 2, 3));
  });

  test('again and again does not make memory grow for ever', async () => {
    const { writer, log } = fullLog();
    const dropMany = (): void => {
      for (let i = 0; i < 200; ++i) {
        writer.append(i);
        log.snapshot().chunks();
      }
    };
    dropMany();
    await collectUntil('the pins come back', () => log.stats().pinnedSegments === 0);
    await collectUntil('a further round makes do with what there is', () => {
      const { fresh } = log.stats();
      dropMany();
      return log.stats().fresh === fresh;
    });
    await collectUntil('the pins come back again', () => log.stats().pinnedSegments === 0);
    expect(log.stats().pinnedHere).toBe(0);
    expectConsistent(log);
  });

  test('outlives its log, and its views too', async () => {
    const kept = (() => {
      const { log } = fullLog();
      const snapshot = log.snapshot();
      log.close();
      const { buffer, byteOffset } = snapshot.chunks()[2]!.values;
      return { view: snapshot.chunks()[0]!.values, buffer, byteOffset };
    })();
    await collectGarbage(3);
    // Other logs would take the memory if it had been given away.
    const others = Array.from({ length: 50 }, () => smallLog(12));
    expect(kept.view).toEqual(Float64Array.of(0, 1, 2, 3));
    expect(new Float64Array(kept.buffer, kept.byteOffset, 4)).toEqual(Float64Array.of(8, 9, 10, 11));
    expect(others.every(({ log }) => log.endIndex === 12)).toBe(true);
  });
});

test('a view that is kept beyond close() shows newer entries or the old ones, never freed memory', async () => {
  const claimed = fullLog();
  const snapshot = claimed.log.snapshot();
  const { values } = snapshot.chunks()[0]!;
  snapshot.close();
  claimed.writer.close();
  claimed.log.close();
  await collectGarbage(3);
  expect(values).toHaveLength(lengthAfterEnd(4));
  for (let i = 0; i < values.length; ++i) expect(typeof values[i]).toBe('number');
});

describe('a writer that was dropped without close()', () => {
  test('gives its claim back once it has been collected, and what it staged is dropped', async () => {
    const log = new AtomicLog(SMALL);
    (() => {
      const writer = log.tryClaimWriter()!;
      writer.append(1);
      writer.write(2);
    })();
    await collectUntil('the claim comes back', () => !log.isWriterClaimed);
    using next = log.tryClaimWriter()!;
    expect(next.append(3)).toBe(1);
    expect(entriesOf(log)).toEqual([1, 3]);
  });

  test('keeps its claim as long as somebody has it', async () => {
    const log = new AtomicLog(SMALL);
    const held: { writer?: Writer<number> } = { writer: log.tryClaimWriter()! };
    await collectGarbage(3);
    expect(log.tryClaimWriter()).toBeNull();
    held.writer!.append(1);
    expect(entriesOf(log)).toEqual([1]);
    delete held.writer;
    await collectUntil('the claim comes back', () => !log.isWriterClaimed);
  });
});

test('a peak of pins leaves no mappings behind', async () => {
  const claimed = fullLog();
  const { writer, log } = claimed;
  const held: { buffers: WeakRef<ArrayBufferLike>[] } = { buffers: [] };
  (() => {
    const snapshot = log.snapshot();
    for (let i = 12; i < 4000; ++i) {
      writer.append(i);
      snapshot.extend();
    }
    held.buffers = snapshot.chunks().map((chunk) => new WeakRef(chunk.values.buffer));
    snapshot.close();
  })();
  expect(held.buffers).toHaveLength(1000);
  await collectUntil(
    'nearly all of them are collected',
    () => held.buffers.filter((buffer) => buffer.deref() !== undefined).length < 50,
  );
  expectConsistent(log);
  expect(entriesOf(log)).toEqual(range(log.firstIndex, 4000));
});

describe('what a snapshot maps', () => {
  // The package's own module, not a second one made from lib/.
  const { NativeLog } = jest.requireActual<typeof NativeLogModule>('../../../dist/memory/native-log');
  // Shared storage maps by adopting, external memory by mapping: one call for each segment. A spy keeps
  // what was returned, so that it may not be there in other tests.
  let spies: jest.SpyInstance[];
  const mapped = (): number => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  beforeEach(() => {
    spies = (['map', 'adopt'] as const).map((name) => jest.spyOn(NativeLog.prototype, name));
  });
  afterEach(() => jest.restoreAllMocks());

  test('nothing, until something is read: then the segments that hold it', () => {
    const { log } = fullLog();
    const snapshot = log.snapshot();
    expect([snapshot.length, snapshot.firstIndex, mapped()]).toEqual([12, 0, 0]);
    expect([snapshot.at(-1), mapped()]).toEqual([11, 1]);
    expect([snapshot.chunks(4).length, mapped()]).toEqual([2, 2]);
    expect([entriesOf(log), mapped()]).toEqual([range(0, 12), hasStrictViews ? 5 : 3]);
    snapshot.close();
  });

  test('nothing for the segments that come with refresh() and are not read', () => {
    const claimed = fullLog();
    const snapshot = claimed.log.snapshot();
    for (let i = 12; i < 40; ++i) {
      claimed.writer.append(i);
      snapshot.refresh();
    }
    expect([snapshot.endIndex, mapped()]).toEqual([40, 0]);
    expect([snapshot.get(39), mapped()]).toEqual([39, 1]);
    snapshot.close();
  });

  test('the segments of a batch before it is delivered, and no others', async () => {
    const { log } = fullLog();
    const follower = log.follow({ from: 4, batchEntriesMax: 4 });
    const { value } = await follower.next();
    expect([value?.firstIndex, mapped()]).toEqual([4, 1]);
    await follower.return!();
  });

  test('a dropped snapshot of which nothing was read returns its pins', async () => {
    const claimed = fullLog();
    (() => claimed.log.snapshot().length)();
    await nextTurn();
    await collectUntil('the pins are returned', () => claimed.log.stats().pinnedHere === 0);
    expect(mapped()).toBe(0);
    lap(claimed);
    expect(entriesOf(claimed.log)).toEqual(new Array(claimed.log.snapshot().length).fill(-1));
  });
});
