import { AtomicLog, type Snapshot, type Writer } from 'atomic-log';

import { failingIfItHangs } from '../../support/hang';
import {
  bounds,
  entriesOf,
  expectConsistent,
  range,
  SMALL,
  smallLog,
  valuesByChunk,
  type Claimed,
} from '../../support/logs';
import { describeExternal, testExternal } from '../../support/mapping';
import { collectUntil, detach, nextTurn, tryTransfer } from '../../support/memory';

/** A log whose entry at every index is that index. */
function indexLog(count: number, mapping: 'auto' | 'shared' = 'auto'): Claimed<number> {
  const claimed = AtomicLog.claimed({ ...SMALL, mapping });
  claimed.writer.appendBatch(range(0, count));
  return claimed;
}

function buffersOf(snapshot: Snapshot<number>): ArrayBufferLike[] {
  return snapshot.chunks().map((chunk) => chunk.values.buffer);
}

describe.each([
  ['detached', detach],
  ['transferred as far as the runtime lets them', tryTransfer],
])('ArrayBuffers of chunks that were %s', (_name, take) => {
  test.each(['first', 'middle', 'last', 'all'])('leave the snapshot readable (%s)', (which) => {
    const { log } = indexLog(10);
    using snapshot = log.snapshot();
    const takeSome = (): void => {
      const buffers = buffersOf(snapshot);
      const some = { first: [0], middle: [1], last: [2], all: [0, 1, 2] }[which]!;
      for (const i of some) take(buffers[i]!);
    };
    for (const read of [
      () => range(0, 10).map((i) => snapshot.at(i)),
      () => range(0, 10).map((i) => snapshot.get(i)),
      () => valuesByChunk(snapshot).flat(),
      () => [...snapshot],
      () => [...snapshot.clone()],
      () => entriesOf(log),
    ]) {
      takeSome();
      expect(read()).toEqual(range(0, 10));
    }
  });

  test('leave refresh() and extend() as they are, with and without news', () => {
    for (const more of [0, 1, 2, 3, 7, 20]) {
      for (const method of ['refresh', 'extend'] as const) {
        const disturbed = indexLog(10);
        const undisturbed = indexLog(10);
        using snapshot = disturbed.log.snapshot();
        using reference = undisturbed.log.snapshot();
        for (const buffer of buffersOf(snapshot)) take(buffer);
        for (const { writer } of [disturbed, undisturbed]) writer.appendBatch(range(10, 10 + more));
        expect(snapshot[method]()).toEqual(reference[method]());
        expect(bounds(snapshot)).toEqual(bounds(reference));
        expect([...snapshot]).toEqual([...reference]);
        for (const buffer of buffersOf(snapshot)) take(buffer);
        expect(snapshot[method]()).toEqual({ appended: 0, lost: 0 });
        expect(valuesByChunk(snapshot)).toEqual(valuesByChunk(reference));
      }
    }
  });

  test('leave the writer and new snapshots as they are, lap after lap', async () => {
    const { writer, log } = indexLog(0);
    for (let i = 0; i < 60; ++i) {
      expect(writer.append(i)).toBe(i);
      using snapshot = log.snapshot();
      for (const buffer of buffersOf(snapshot)) take(buffer);
      if (i % 4 === 0) await nextTurn();
      expect(entriesOf(log)).toEqual(range(log.firstIndex, i + 1));
    }
    expectConsistent(log);
  });

  test('may be taken while the snapshot is iterated', () => {
    const { log } = indexLog(10);
    using snapshot = log.snapshot();
    const seen: number[] = [];
    for (const value of snapshot) {
      seen.push(value);
      for (const buffer of buffersOf(snapshot)) take(buffer);
    }
    expect(seen).toEqual(range(0, 10));
  });

  test('do not keep the memory pinned', async () => {
    const { writer, log } = indexLog(12);
    const snapshot = log.snapshot();
    for (const buffer of buffersOf(snapshot)) take(buffer);
    expect(snapshot.at(0)).toBe(0);
    writer.appendBatch(range(12, 60));
    expect([...snapshot]).toEqual(range(0, 12));
    snapshot.close();
    await nextTurn();
    expect(log.stats()).toMatchObject({ pinnedHere: 0, pinnedSegments: 0 });
  });

  test('do not keep the memory of a dropped snapshot pinned either', async () => {
    const { writer, log } = indexLog(12);
    (() => {
      const snapshot = log.snapshot();
      for (const buffer of buffersOf(snapshot)) take(buffer);
      expect([...snapshot]).toEqual(range(0, 12));
    })();
    writer.appendBatch(range(12, 60));
    await collectUntil('the pins come back', () => log.stats().pinnedSegments === 0);
    expect(log.stats().pinnedHere).toBe(0);
    expect(entriesOf(log)).toEqual(range(48, 60));
  });
});

// Spans show the memory that the writer stores into, so that code which takes
// their ArrayBuffer away must not take it from the writer.
describe('the ArrayBuffer of a span that was detached', () => {
  const stores: [string, (writer: Writer<number>, value: number) => unknown][] = [
    ['append()', (writer, value) => writer.append(value)],
    ['write() and publish()', (writer, value) => [writer.write(value), writer.publish()]],
    ['appendBatch() of an array', (writer, value) => writer.appendBatch([value])],
    ['appendBatch() of a typed array', (writer, value) => writer.appendBatch(Float64Array.of(value))],
    ['another span', (writer, value) => [writer.reserve(1).values.fill(value as never), writer.commit(1)]],
  ];

  test.each(stores)('before its commit: what %s stores is there, lap after lap', (_name, store) => {
    const { writer, log } = smallLog();
    const span = writer.reserve(1);
    span.values[0] = 0;
    detach(span.values.buffer);
    writer.commit(1);
    for (let i = 1; i < 60; ++i) {
      store(writer, i);
      expect(entriesOf(log)).toEqual(range(log.firstIndex, i + 1));
    }
  });

  test.each(stores)('after its commit: what %s stores is there, lap after lap', (_name, store) => {
    const { writer, log } = smallLog();
    const { values } = writer.reserve(1);
    values[0] = 0;
    writer.commit(1);
    detach(values.buffer);
    for (let i = 1; i < 60; ++i) {
      store(writer, i);
      expect(entriesOf(log)).toEqual(range(log.firstIndex, i + 1));
    }
  });
});

describeExternal('a chunk whose ArrayBuffer was detached', () => {
  test('of numbers shows nothing', () => {
    const { log } = indexLog(3);
    using snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    const { values } = chunk!;
    detach(values.buffer);
    expect(values).toHaveLength(0);
    expect(chunk!.values).toEqual(new Float64Array(0));
    expect(chunk!.at(0)).toBeUndefined();
  });

  test('of records shows nothing', () => {
    const { writer, log } = AtomicLog.claimed({ ...SMALL, schema: { a: 'f64', b: 'i64' } });
    writer.append({ a: 1, b: 2n });
    using snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    detach(chunk!.column('a').buffer);
    expect(chunk!.column('a')).toEqual(new Float64Array(0));
    expect(chunk!.column('b')).toEqual(new BigInt64Array(0));
    expect(chunk!.at(0)).toBeUndefined();
    expect(snapshot.at(0)).toEqual({ a: 1, b: 2n });
  });
});

const SEALED = -(2 ** 31);
// What a stray store may leave in a published word: too little, too much, and
// the same as a sealed segment would have.
const strayWords = [
  0,
  1,
  2,
  3,
  4,
  5,
  1000,
  2 ** 31 - 1,
  -1,
  -2,
  SEALED,
  SEALED + 1,
  SEALED + 3,
  SEALED + 4,
  SEALED + 5,
];

/** The header of a block comes before its columns. Only in shared memory is it within reach of users. */
const HEADER_BYTES = 64;

function damage(snapshot: Snapshot<number>, chunk: number, word: number): void {
  const { buffer, byteOffset } = snapshot.chunks().at(chunk)!.values;
  new Int32Array(buffer, byteOffset - HEADER_BYTES, 1)[0] = word;
}

/** Expects a snapshot to be of one piece, whatever it shows: within its segments, and the same by all ways to read it. */
function expectReadable(snapshot: Snapshot<number>): void {
  expect(snapshot.firstIndex).toBeLessThanOrEqual(snapshot.endIndex);
  expect(snapshot.length).toBeLessThanOrEqual(12);
  const entries = [...snapshot];
  expect(entries).toHaveLength(snapshot.length);
  expect(entries.every((entry) => typeof entry === 'number')).toBe(true);
  expect(entries.map((_, i) => snapshot.at(i))).toEqual(entries);
  let next = snapshot.firstIndex;
  for (const { firstIndex, length, values } of snapshot.chunks()) {
    expect([firstIndex, values.length]).toEqual([next, length]);
    expect(length).toBeLessThanOrEqual(4);
    next += length;
  }
  expect(next).toBe(snapshot.endIndex);
}

/** Uses every way to read, over and over, and expects no error and no hang. */
function readEverything(log: AtomicLog<number>, held: Snapshot<number>): void {
  failingIfItHangs(() => {
    expectReadable(held);
    using clone = held.clone();
    using extended = held.clone();
    using late = log.snapshot();
    for (let round = 0; round < 2; ++round) {
      late.refresh();
      clone.refresh();
      extended.extend();
      held.refresh();
      for (const snapshot of [late, clone, extended, held]) expectReadable(snapshot);
    }
  });
}

describe.each(strayWords)('a stray store of %p into a published word of shared memory', (word) => {
  test.each([1, 2, 3, 4])(
    'of a head with %p entries: readers stay sound, and the next publish repairs it',
    async (count) => {
      const { writer, log } = indexLog(4 + count, 'shared');
      using held = log.snapshot();
      damage(held, -1, word);
      readEverything(log, held);
      await nextTurn();
      damage(held, -1, word);
      readEverything(log, held);

      for (let next = 4 + count; next < 40; ++next) {
        expect(writer.append(next)).toBe(next);
        expect(bounds(log)).toEqual([Math.max(0, Math.floor(next / 4) - 2) * 4, next + 1]);
        expect(entriesOf(log)).toEqual(range(log.firstIndex, next + 1));
      }
      held.refresh();
      expect(bounds(held)).toEqual(bounds(log));
      expect([...held]).toEqual(range(28, 40));
    },
  );

  test('of a head that nobody looks at before the next publish is never noticed', () => {
    const { writer, log } = indexLog(2, 'shared');
    using held = log.snapshot();
    damage(held, -1, word);
    expect(writer.append(2)).toBe(2);
    expect(held.refresh()).toEqual({ appended: 1, lost: 0 });
    expect([...held]).toEqual([0, 1, 2]);
  });

  test.each([0, 1])('of sealed segment %p of the window: new readers stay sound', async (chunk) => {
    const { writer, log } = indexLog(11, 'shared');
    const before = log.snapshot();
    damage(before, chunk, word);
    readEverything(log, before);
    before.close();
    // In a later turn nothing is kept, so that the counts are read anew.
    await nextTurn();
    const after = log.snapshot();
    readEverything(log, after);
    expect(bounds(after)).toEqual([0, 11]);
    for (let next = 11; next < 40; ++next) expect(writer.append(next)).toBe(next);
    after.refresh();
    expect([...after]).toEqual(range(28, 40));
    after.close();
  });

  test('of a segment that was sealed since the reader looked: readers stay sound', async () => {
    const { writer, log } = indexLog(7, 'shared');
    const held = log.snapshot();
    writer.append(7);
    writer.append(8);
    damage(held, -1, word);
    readEverything(log, held);
    expect(writer.append(9)).toBe(9);
    expect(log.endIndex).toBe(10);
    readEverything(log, held);
    held.close();
    await nextTurn();
    for (let next = 10; next < 40; ++next) expect(writer.append(next)).toBe(next);
    expect(entriesOf(log)).toEqual(range(28, 40));
  });
});

test.each(strayWords)(
  'a stray store of %p is not believed by a window where the segment is not the head',
  (word) => {
    const { writer, log } = indexLog(2, 'shared');
    using early = log.snapshot();
    writer.appendBatch(range(2, 10));
    using late = early.clone();
    late.extend();
    damage(early, -1, word);
    // Far enough that nothing adjoins what the early one holds.
    writer.appendBatch(range(10, 40));
    early.extend();
    failingIfItHangs(() => expect([...late]).toEqual(range(0, 10)));
    expect(late.chunks().map(({ length }) => length)).toEqual([4, 4, 2]);
  },
);

testExternal('users reach no published word, neither by views of readers nor of spans', () => {
  const { writer, log } = indexLog(10);
  using held = log.snapshot();
  const blocks = log.stats().segmentBytes - HEADER_BYTES;
  const views = held.chunks().map(({ values }) => values);
  views.push(writer.reserve(1).values);
  for (const { buffer } of views) {
    expect(buffer.byteLength).toBe(blocks);
    new Uint8Array(buffer).fill(0xff);
  }
  writer.commit(0);
  for (let next = 10; next < 40; ++next) {
    expect(writer.append(next)).toBe(next);
    held.refresh();
    expect([held.endIndex, log.endIndex]).toEqual([next + 1, next + 1]);
  }
  expect([...held]).toEqual(range(28, 40));
});

test.each(['auto', 'shared'] as const)(
  'a reader that overwrites whole blocks (%s) harms only what it overwrites',
  async (mapping) => {
    const { writer, log } = indexLog(11, mapping);
    using held = log.snapshot();
    for (const buffer of buffersOf(held)) new Uint8Array(buffer).fill(0xff);
    readEverything(log, held);
    await nextTurn();
    readEverything(log, held);
    for (let next = 11; next < 40; ++next) expect(writer.append(next)).toBe(next);
    expect(entriesOf(log)).toEqual(range(28, 40));
    expectConsistent(log);
  },
);

test('a reader that overwrites an entry changes that entry only', () => {
  const { writer, log } = smallLog(3);
  using held = log.snapshot();
  (held.chunks()[0]!.values as Float64Array)[1] = -7;
  writer.append(4);
  expect(entriesOf(log)).toEqual([1, -7, 3, 4]);
});
