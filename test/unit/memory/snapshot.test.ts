import { AtomicLog, type Snapshot } from 'atomic-log';

import { expectError } from '../../support/errors';
import { bounds, entriesOf, range, SMALL, smallLog, valuesByChunk } from '../../support/logs';
import { nextTurn } from '../../support/memory';
import { neverScalars } from '../../support/scalars';

/** A log whose entry at every index is that index. */
function indexLog(count: number): ReturnType<typeof smallLog> {
  const claimed = AtomicLog.claimed(SMALL);
  for (let i = 0; i < count; ++i) claimed.writer.append(i);
  return claimed;
}

describe('a snapshot', () => {
  test('of an empty log is empty', () => {
    const { log } = smallLog();
    using snapshot = log.snapshot();
    expect(snapshot.isEmpty).toBe(true);
    expect(snapshot).toHaveLength(0);
    expect(bounds(snapshot)).toEqual([0, 0]);
    expect([...snapshot]).toEqual([]);
    expect(snapshot.chunks()).toEqual([]);
    expect([snapshot.at(0), snapshot.at(-1), snapshot.get(0)]).toEqual([undefined, undefined, undefined]);
    expect(snapshot.log).toBe(log);
  });

  test('shows the window as it was, whatever is appended, written or published after', () => {
    for (let count = 0; count <= 20; ++count) {
      const { writer, log } = indexLog(count);
      using snapshot = log.snapshot();
      const expected = range(log.firstIndex, count);
      for (let i = count; i < count + 50; ++i) {
        if (i % 3 === 0) writer.write(i);
        else writer.append(i);
        if (i % 5 === 0) writer.publish();
        expect([...snapshot]).toEqual(expected);
        expect(valuesByChunk(snapshot).flat()).toEqual(expected);
        expect(bounds(snapshot)).toEqual([expected[0] ?? 0, count]);
        expect(snapshot).toHaveLength(expected.length);
      }
    }
  });

  test('keeps its values while the writer laps the window many times', async () => {
    const { writer, log } = indexLog(11);
    using snapshot = log.snapshot();
    const views = snapshot.chunks().map((chunk) => chunk.values);
    for (let lap = 0; lap < 20; ++lap) {
      writer.appendBatch(new Float64Array(500).fill(-1));
      await nextTurn();
      expect([...snapshot]).toEqual(range(0, 11));
      expect(views.flatMap((view) => Array.from(view as Float64Array))).toEqual(range(0, 11));
    }
    expect(log.firstIndex).toBeGreaterThan(9000);
  });

  test('every snapshot has its own moment', () => {
    const { writer, log } = smallLog();
    const snapshots: Snapshot<number>[] = [];
    for (let i = 0; i < 40; ++i) {
      snapshots.push(log.snapshot());
      writer.append(i);
    }
    snapshots.forEach((snapshot, end) => {
      expect(snapshot.endIndex).toBe(end);
      expect([...snapshot]).toEqual(range(snapshot.firstIndex, end));
      snapshot.close();
    });
  });
});

describe('at() and get()', () => {
  test('at() counts from the start, or from the end when negative', () => {
    const { log } = indexLog(18);
    using snapshot = log.snapshot();
    expect(bounds(snapshot)).toEqual([8, 18]);
    for (let i = -12; i <= 12; ++i) expect(snapshot.at(i)).toBe(range(8, 18).at(i));
    expect(snapshot.at(-0)).toBe(8);
  });

  test('get() takes the absolute index', () => {
    const { log } = indexLog(18);
    using snapshot = log.snapshot();
    for (let i = -3; i < 25; ++i) expect(snapshot.get(i)).toBe(i >= 8 && i < 18 ? i : undefined);
  });

  test.each([2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e300, -1e300])('%p is outside', (i) => {
    const { log } = indexLog(18);
    using snapshot = log.snapshot();
    expect([snapshot.at(i), snapshot.get(i)]).toEqual([undefined, undefined]);
  });

  test.each([0.5, -0.5, NaN, Infinity, -Infinity])('refuse %p, open or closed', (i) => {
    const { log } = indexLog(3);
    const snapshot = log.snapshot();
    for (let round = 0; round < 2; ++round) {
      expectError(() => snapshot.at(i), 'ERR_OUT_OF_RANGE', /^position must be an integer; got/);
      expectError(() => snapshot.get(i), 'ERR_OUT_OF_RANGE', /^index must be an integer; got/);
      snapshot.close();
    }
  });

  test.each([...neverScalars, ['a bigint', 1n] as const])('refuse %s', (_name, i) => {
    const { log } = indexLog(3);
    using snapshot = log.snapshot();
    expectError(() => snapshot.at(i as never), 'ERR_INVALID_ARG_TYPE', /^position must be an integer; got/);
    expectError(() => snapshot.get(i as never), 'ERR_INVALID_ARG_TYPE', /^index must be an integer; got/);
  });

  test('each record read is an object of its own', () => {
    const { writer, log } = AtomicLog.claimed({ ...SMALL, schema: { a: 'f64', b: 'i64' } });
    writer.append({ a: 1, b: 2n });
    using snapshot = log.snapshot();
    const record = snapshot.at(0)!;
    record.a = -1;
    expect(snapshot.at(0)).toEqual({ a: 1, b: 2n });
    expect(snapshot.get(0)).toEqual({ a: 1, b: 2n });
    expect([...snapshot]).toEqual([{ a: 1, b: 2n }]);
  });
});

describe('refresh()', () => {
  test('says exactly what was appended and lost, for every distance', () => {
    for (let before = 0; before <= 16; ++before) {
      for (let more = 0; more <= 30; ++more) {
        const { writer, log } = indexLog(before);
        using snapshot = log.snapshot();
        const e0 = snapshot.endIndex;
        for (let i = before; i < before + more; ++i) writer.append(i);
        const change = snapshot.refresh();
        const [f1, e1] = bounds(log);
        expect(change).toEqual({ appended: e1 - Math.max(e0, f1), lost: Math.max(0, f1 - e0) });
        expect(bounds(snapshot)).toEqual([f1, e1]);
        expect([...snapshot]).toEqual(range(f1, e1));
        expect(snapshot.refresh()).toEqual({ appended: 0, lost: 0 });
      }
    }
  });

  test('what leaves the window after it was seen is not lost', () => {
    const { writer, log } = indexLog(0);
    using snapshot = log.snapshot();
    for (let i = 0; i < 100; ++i) {
      writer.append(i);
      expect(snapshot.refresh()).toEqual({ appended: 1, lost: 0 });
    }
    expect(bounds(snapshot)).toEqual(bounds(log));
  });

  test('nothing new is one frozen object for all snapshots', () => {
    const { writer, log } = indexLog(2);
    using snapshot = log.snapshot();
    using other = smallLog().log.snapshot();
    const nothing = snapshot.refresh();
    expect(nothing).toEqual({ appended: 0, lost: 0 });
    expect(Object.isFrozen(nothing)).toBe(true);
    expect(other.refresh()).toBe(nothing);
    expect(snapshot.extend()).toBe(nothing);
    writer.append(2);
    snapshot.refresh();
    expect(snapshot.refresh()).toBe(nothing);
    expect(snapshot.extend()).toBe(nothing);
    expect(nothing).toEqual({ appended: 0, lost: 0 });
  });

  test('the change is one object per snapshot, overwritten by the next one', () => {
    const { writer, log } = indexLog(0);
    using snapshot = log.snapshot();
    using other = log.snapshot();
    writer.append(0);
    const change = snapshot.refresh();
    expect(change).toEqual({ appended: 1, lost: 0 });
    expect(other.refresh()).not.toBe(change);
    for (let i = 1; i < 30; ++i) writer.append(i);
    expect(snapshot.refresh()).toBe(change);
    expect(change).toEqual({ appended: 10, lost: 19 });
    writer.append(30);
    expect(snapshot.extend()).toBe(change);
    expect(change).toEqual({ appended: 1, lost: 0 });
    using clone = snapshot.clone();
    writer.append(31);
    expect(clone.refresh()).not.toBe(change);
  });

  test('sees a roll that left nothing new, because the new head is empty', () => {
    const { writer, log } = indexLog(4);
    using snapshot = log.snapshot();
    writer.write(-1);
    expect(snapshot.refresh()).toEqual({ appended: 0, lost: 0 });
    expect([...snapshot]).toEqual(range(0, 4));
    writer.close();
    using next = log.tryClaimWriter()!;
    next.append(4);
    expect(snapshot.refresh()).toEqual({ appended: 1, lost: 0 });
    expect([...snapshot]).toEqual(range(0, 5));
  });

  test('moves the start of the window although nothing was appended', () => {
    const { writer, log } = indexLog(12);
    using snapshot = log.snapshot();
    writer.write(-1);
    expect(bounds(log)).toEqual([4, 12]);
    expect(snapshot.refresh()).toEqual({ appended: 0, lost: 0 });
    expect(bounds(snapshot)).toEqual([4, 12]);
    expect([...snapshot]).toEqual(range(4, 12));
  });

  test('works across the ends of turns', async () => {
    const { writer, log } = indexLog(1);
    using snapshot = log.snapshot();
    for (let i = 1; i < 60; ++i) {
      writer.append(i);
      if (i % 3 === 0) await nextTurn();
      if (i % 2 === 0) expect(snapshot.refresh()).toEqual({ appended: 2, lost: 0 });
    }
    snapshot.refresh();
    expect([...snapshot]).toEqual(entriesOf(log));
  });

  test('what is new since a refresh is at the end, from the index where it ended before', () => {
    const { writer, log } = indexLog(6);
    using snapshot = log.snapshot();
    const newEntries = (from?: number): number[] =>
      snapshot.chunks(from).flatMap(({ values }) => [...values]);
    for (let count = 0; count < 9; ++count) {
      const seen = snapshot.endIndex;
      for (let i = 0; i < count; ++i) writer.append(writer.nextIndex);
      snapshot.refresh();
      expect(newEntries(seen)).toEqual(range(seen, seen + count));
    }
    expect(newEntries()).toEqual([...snapshot]);
    for (const from of [0, -1]) expect(newEntries(from)).toEqual([...snapshot]);
    expect(newEntries(snapshot.endIndex + 1)).toEqual([]);
    expectError(() => snapshot.chunks(0.5), 'ERR_OUT_OF_RANGE', /from/);
    expectError(() => snapshot.chunks('0' as never), 'ERR_INVALID_ARG_TYPE', /from/);
  });

  test('chunks(from) begins with the oldest entry held where `from` left the window, and has nothing where it is ahead', () => {
    const { writer, log } = indexLog(6);
    using snapshot = log.snapshot();
    const seen = snapshot.endIndex;
    for (let i = 6; i < 60; ++i) writer.append(i);
    const { lost } = snapshot.refresh();
    expect(lost).toBeGreaterThan(0);
    const [first, ...others] = snapshot.chunks(seen);
    expect([first!.firstIndex, first!.firstIndex - seen]).toEqual([snapshot.firstIndex, lost]);
    expect([first!, ...others].flatMap(({ values }) => [...values])).toEqual([...snapshot]);
    for (const ahead of [snapshot.endIndex, snapshot.endIndex + 100, Number.MAX_SAFE_INTEGER]) {
      expect(snapshot.chunks(ahead)).toEqual([]);
    }
    // What was ahead is there after a refresh.
    const ahead = snapshot.endIndex + 1;
    writer.appendBatch([60, 61, 62]);
    snapshot.refresh();
    expect(snapshot.chunks(ahead).flatMap(({ values }) => [...values])).toEqual([61, 62]);
  });
});

describe('extend()', () => {
  test('keeps what it holds and grows with every call', () => {
    const { writer, log } = indexLog(3);
    using snapshot = log.snapshot();
    for (let i = 3; i < 200; ++i) {
      writer.append(i);
      expect(snapshot.extend()).toEqual({ appended: 1, lost: 0 });
      expect(bounds(snapshot)).toEqual([0, i + 1]);
    }
    expect([...snapshot]).toEqual(range(0, 200));
    expect(valuesByChunk(snapshot)).toEqual(Array.from({ length: 50 }, (_, i) => range(4 * i, 4 * i + 4)));
    expect(snapshot.chunks().map(({ sequence }) => sequence)).toEqual(range(0, 50));
    for (const i of [0, 1, 99, 199]) expect([snapshot.at(i), snapshot.get(i)]).toEqual([i, i]);
  });

  test('keeps all of the segment that was its head, although the window has moved past it', () => {
    // The head holds 0 to 3; two entries of it were not seen. Its successor is
    // the oldest of the window, so that nothing is missing in between.
    const { writer, log } = indexLog(2);
    using snapshot = log.snapshot();
    for (let i = 2; i < 16; ++i) writer.append(i);
    expect(log.firstIndex).toBe(4);
    expect(snapshot.extend()).toEqual({ appended: 14, lost: 0 });
    expect([...snapshot]).toEqual(range(0, 16));
  });

  test('with a gap behaves as refresh(): there are no holes', () => {
    for (let more = 15; more < 30; ++more) {
      const { writer, log } = indexLog(2);
      using extended = log.snapshot();
      using refreshed = log.snapshot();
      for (let i = 2; i < 2 + more; ++i) writer.append(i);
      expect(extended.extend()).toEqual(refreshed.refresh());
      expect(bounds(extended)).toEqual(bounds(log));
      expect([...extended]).toEqual([...refreshed]);
      expect(extended.firstIndex).toBeGreaterThan(2);
    }
  });

  test('goes on growing after a gap', () => {
    const { writer, log } = indexLog(2);
    using snapshot = log.snapshot();
    for (let i = 2; i < 30; ++i) writer.append(i);
    expect(snapshot.extend()).toEqual({ appended: 10, lost: 18 });
    for (let i = 30; i < 60; ++i) {
      writer.append(i);
      expect(snapshot.extend()).toEqual({ appended: 1, lost: 0 });
    }
    expect([...snapshot]).toEqual(range(20, 60));
  });

  test('and refresh() after it is bounded by the window again', () => {
    const { writer, log } = indexLog(3);
    using snapshot = log.snapshot();
    for (let i = 3; i < 30; ++i) {
      writer.append(i);
      snapshot.extend();
    }
    expect(snapshot).toHaveLength(30);
    expect(snapshot.refresh()).toEqual({ appended: 0, lost: 0 });
    expect(bounds(snapshot)).toEqual(bounds(log));
    expect([...snapshot]).toEqual(range(20, 30));
    writer.append(30);
    expect(snapshot.refresh()).toEqual({ appended: 1, lost: 0 });
    expect([...snapshot]).toEqual(range(20, 31));
  });

  test('in the same head grows and stays bounded for refresh()', () => {
    const { writer, log } = indexLog(12);
    using snapshot = log.snapshot();
    writer.append(12);
    snapshot.extend();
    writer.append(13);
    expect(snapshot.extend()).toEqual({ appended: 1, lost: 0 });
    writer.append(14);
    expect(bounds(snapshot)).toEqual([0, 14]);
    expect(snapshot.refresh()).toEqual({ appended: 1, lost: 0 });
    expect(bounds(snapshot)).toEqual([4, 15]);
  });

  test('does not widen the snapshots that others take', () => {
    const { writer, log } = indexLog(3);
    using extended = log.snapshot();
    for (let i = 3; i < 50; ++i) {
      writer.append(i);
      extended.extend();
      expect(entriesOf(log)).toEqual(range(log.firstIndex, i + 1));
    }
    expect(extended.firstIndex).toBe(0);
  });

  test('what it holds comes back when it is closed', async () => {
    const { writer, log } = indexLog(3);
    const snapshot = log.snapshot();
    for (let i = 3; i < 100; ++i) {
      writer.append(i);
      snapshot.extend();
    }
    await nextTurn();
    expect(log.stats()).toMatchObject({ pinnedHere: 25, pinnedSegments: 22 });
    snapshot.refresh();
    await nextTurn();
    expect(log.stats()).toMatchObject({ pinnedHere: 3, pinnedSegments: 0 });
    snapshot.close();
    await nextTurn();
    expect(log.stats()).toMatchObject({ pinnedHere: 0, pinnedSegments: 0 });
  });
});

describe('iteration', () => {
  test('may be done many times, also at once', () => {
    const { log } = indexLog(10);
    using snapshot = log.snapshot();
    const pairs: [number, number][] = [];
    for (const a of snapshot) for (const b of snapshot) pairs.push([a, b]);
    expect(pairs).toHaveLength(100);
    expect([...snapshot[Symbol.iterator]()]).toEqual(range(0, 10));
    const iterator = snapshot[Symbol.iterator]();
    expect(iterator[Symbol.iterator]()).toBe(iterator);
    expect(Math.max(...snapshot)).toBe(9);
  });

  test('may be left and gone on with', () => {
    const { log } = indexLog(10);
    using snapshot = log.snapshot();
    for (const value of snapshot) if (value === 5) break;
    const iterator = snapshot[Symbol.iterator]();
    expect(iterator.next()).toEqual({ done: false, value: 0 });
    expect(iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('is not disturbed by the writer', () => {
    const { writer, log } = indexLog(10);
    using snapshot = log.snapshot();
    const seen: number[] = [];
    for (const value of snapshot) {
      seen.push(value);
      for (let i = 0; i < 10; ++i) writer.append(-1);
    }
    expect(seen).toEqual(range(0, 10));
  });

  test('goes on with what is held after a refresh: no entry twice, none out of order', () => {
    const { writer, log } = indexLog(10);
    using snapshot = log.snapshot();
    const seen: number[] = [];
    for (const value of snapshot) {
      seen.push(value);
      if (seen.length > 100) break;
      if (writer.nextIndex < 40) {
        for (let i = 0; i < 3; ++i) writer.append(writer.nextIndex);
        snapshot.refresh();
      }
    }
    // Three entries come for each one read, so that the window overtakes it.
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen[0]).toBe(0);
    expect(seen.slice(-10)).toEqual(range(30, 40));
  });

  test('goes on into what extend() adds', () => {
    const { writer, log } = indexLog(3);
    using snapshot = log.snapshot();
    const seen: number[] = [];
    for (const value of snapshot) {
      seen.push(value);
      if (writer.nextIndex < 30) {
        writer.append(writer.nextIndex);
        snapshot.extend();
      }
    }
    expect(seen).toEqual(range(0, 30));
  });

  test('throws at the next step when the snapshot was closed', () => {
    const { log } = indexLog(10);
    const snapshot = log.snapshot();
    const iterator = snapshot[Symbol.iterator]();
    iterator.next();
    snapshot.close();
    expectError(() => iterator.next(), 'ERR_SNAPSHOT_CLOSED', /closed/);
    expect(iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('of an empty snapshot notices that it was closed', () => {
    const snapshot = smallLog().log.snapshot();
    const iterator = snapshot[Symbol.iterator]();
    snapshot.close();
    expectError(() => iterator.next(), 'ERR_SNAPSHOT_CLOSED', /closed/);
  });
});

describe('clone()', () => {
  test('shows the same entries, and lives on its own', () => {
    const { writer, log } = indexLog(6);
    const snapshot = log.snapshot();
    writer.append(6);
    const clone = snapshot.clone();
    expect([...clone]).toEqual(range(0, 6));
    expect(clone.log).toBe(log);
    expect(clone.refresh()).toEqual({ appended: 1, lost: 0 });
    expect([...snapshot]).toEqual(range(0, 6));
    snapshot.close();
    for (let i = 7; i < 50; ++i) writer.append(i);
    expect([...clone]).toEqual(range(0, 7));
    clone.close();
    expectError(() => clone.clone(), 'ERR_SNAPSHOT_CLOSED', /closed/);
  });

  test('of an extended snapshot keeps all, and its refresh() is bounded by the window', () => {
    const { writer, log } = indexLog(3);
    using snapshot = log.snapshot();
    for (let i = 3; i < 30; ++i) {
      writer.append(i);
      snapshot.extend();
    }
    using clone = snapshot.clone();
    expect([...clone]).toEqual(range(0, 30));
    clone.refresh();
    expect(bounds(clone)).toEqual(bounds(log));
    expect(bounds(snapshot)).toEqual([0, 30]);
  });

  test('keeps the memory pinned until the last of them is closed', async () => {
    const { writer, log } = indexLog(12);
    const snapshots = [log.snapshot()];
    for (let i = 0; i < 5; ++i) snapshots.push(snapshots[i]!.clone());
    writer.appendBatch(new Float64Array(100));
    for (const snapshot of snapshots) {
      await nextTurn();
      expect(log.stats().pinnedSegments).toBe(3);
      expect([...snapshot]).toEqual(range(0, 12));
      snapshot.close();
      snapshot.close();
    }
    await nextTurn();
    expect(log.stats()).toMatchObject({ pinnedSegments: 0, pinnedHere: 0 });
  });
});

describe('close()', () => {
  const advice = /the snapshot is closed; take a new one with log\.snapshot\(\)/;

  test('every member that needs the memory says so afterwards', () => {
    const { log } = indexLog(6);
    const snapshot = log.snapshot();
    snapshot.close();
    const calls = [
      () => snapshot.at(0),
      () => snapshot.at(-1),
      () => snapshot.get(0),
      () => snapshot.get(5),
      () => snapshot.get(6),
      () => snapshot.chunks(),
      () => snapshot.refresh(),
      () => snapshot.extend(),
      () => snapshot.clone(),
      () => [...snapshot],
    ];
    for (const call of calls) expectError(call, 'ERR_SNAPSHOT_CLOSED', advice);
  });

  test('leaves an empty range and the log', () => {
    const { log } = indexLog(6);
    const snapshot = log.snapshot();
    snapshot.close();
    expect([snapshot.length, snapshot.isEmpty, snapshot.log]).toEqual([0, true, log]);
    expect(snapshot.firstIndex).toBe(snapshot.endIndex);
  });

  test('is idempotent: a second call gives nothing back twice', async () => {
    const { writer, log } = indexLog(12);
    const snapshot = log.snapshot();
    const other = log.snapshot();
    for (let i = 0; i < 3; ++i) snapshot.close();
    writer.appendBatch(new Float64Array(100));
    await nextTurn();
    expect(log.stats().pinnedHere).toBe(3);
    expect([...other]).toEqual(range(0, 12));
    other.close();
  });
});
