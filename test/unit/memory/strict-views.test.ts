// Logs with strictViews: what was given up shows as length 0, and nothing else is
// different. That nothing else is, the whole suite shows: npm run test:strict.
import { AtomicLog, type Chunk, type Codec, type Snapshot } from 'atomic-log';

import { runInChild } from '../../support/child';
import { entriesOf, range, SMALL, type Claimed } from '../../support/logs';
import { describeExternal, testExternal } from '../../support/mapping';
import { collectGarbage, collectUntil, nextTurn } from '../../support/memory';
import { hasStrictViews } from '../../support/strict';

/** A log whose entry at every index is that index. */
function strictLog(count: number): Claimed<number> {
  const claimed = AtomicLog.claimed({ ...SMALL, strictViews: true });
  claimed.writer.appendBatch(range(0, count));
  return claimed;
}

/** The arrays of every chunk. */
function viewsOf(source: { chunks(): Chunk<number>[] }): Float64Array[] {
  return source.chunks().map((chunk) => chunk.values as Float64Array);
}

const lengths = (views: readonly Float64Array[]): number[] => views.map(({ length }) => length);

describeExternal('views end with what they came from:', () => {
  test("the target of a codec's encodeInto()", () => {
    const targets: Uint8Array[] = [];
    const codec: Codec<number> = {
      name: 'keeper',
      encode: (value) => Uint8Array.of(value),
      encodeInto(value, target) {
        targets.push(target);
        if (value > 2) throw new Error('half-way');
        target[0] = value;
        return 1;
      },
      decode: (bytes) => bytes[0]!,
    };
    const { writer, log } = AtomicLog.claimed({ ...SMALL, codec, strictViews: true });
    writer.append(1);
    writer.append(2);
    expect(() => writer.append(3)).toThrow('half-way');
    expect(targets.map(({ length }) => length)).toEqual([0, 0, 0]);
    writer.append(0);
    expect(entriesOf(log)).toEqual([1, 2, 0]);
  });

  test('close() of the snapshot', () => {
    const { log } = strictLog(10);
    const snapshot = log.snapshot();
    const chunks = snapshot.chunks();
    const views = viewsOf(snapshot);
    expect(lengths(views)).toEqual([4, 4, 2]);
    snapshot.close();
    expect(lengths(views)).toEqual([0, 0, 0]);
    expect(chunks.map((chunk) => chunk.values.length)).toEqual([0, 0, 0]);
    expect(chunks[0]!.at(0)).toBeUndefined();
    expect(entriesOf(log)).toEqual(range(0, 10));
  });

  test('close() although another snapshot of the same entries is open, whose views stay', () => {
    const { log } = strictLog(10);
    const snapshot = log.snapshot();
    using other = log.snapshot();
    const views = viewsOf(snapshot);
    const otherViews = viewsOf(other);
    snapshot.close();
    expect(lengths(views)).toEqual([0, 0, 0]);
    expect(otherViews.flatMap((view) => [...view])).toEqual(range(0, 10));
  });

  test('refresh(), once it had to leave a segment; while the head is the same they stay', () => {
    const { writer, log } = strictLog(10);
    using snapshot = log.snapshot();
    const views = viewsOf(snapshot);
    writer.append(10);
    snapshot.refresh();
    expect(lengths(views)).toEqual([4, 4, 2]);
    writer.appendBatch([11, 12]);
    snapshot.refresh();
    expect(lengths(views)).toEqual([0, 0, 0]);
    expect(viewsOf(snapshot).flatMap((view) => [...view])).toEqual(range(4, 13));
  });

  test('extend() keeps those of what it keeps', () => {
    const { writer, log } = strictLog(10);
    using snapshot = log.snapshot();
    const views = viewsOf(snapshot);
    writer.appendBatch(range(10, 18));
    expect(snapshot.extend()).toEqual({ appended: 8, lost: 0 });
    expect(views.flatMap((view) => [...view])).toEqual(range(0, 10));
    writer.appendBatch(range(18, 60));
    snapshot.extend();
    expect(lengths(views)).toEqual([0, 0, 0]);
    expect([...snapshot]).toEqual(range(48, 60));
  });

  test('the close() of the last of a snapshot and its clones', () => {
    const { log } = strictLog(10);
    const snapshot = log.snapshot();
    const views = viewsOf(snapshot);
    const clone = snapshot.clone();
    snapshot.close();
    expect(lengths(views)).toEqual([4, 4, 2]);
    clone.close();
    expect(lengths(views)).toEqual([0, 0, 0]);
  });

  test('the next batch of a follower', async () => {
    const { writer, log } = strictLog(10);
    const follower = log.follow({ from: 0, batchEntriesMax: 3 });
    const seen: number[] = [];
    let before: Float64Array[] = [];
    for (let batches = 0; batches < 4; ++batches) {
      const { value } = (await follower.next()) as { value: { chunks(): Chunk<number>[] } };
      expect(lengths(before).every((length) => length === 0)).toBe(true);
      before = viewsOf(value);
      seen.push(...before.flatMap((view) => [...view]));
    }
    expect(seen).toEqual(range(0, 10));
    writer.append(10);
    await follower.return!();
    expect(lengths(before)).toEqual([0]);
  });

  test('commit() of a span, and close() of its writer', () => {
    const { writer, log } = strictLog(0);
    for (let i = 0; i < 60; ++i) {
      const { values } = writer.reserve(1);
      (values as Float64Array)[0] = i;
      writer.commit(1);
      expect(values).toHaveLength(0);
      expect(entriesOf(log)).toEqual(range(log.firstIndex, i + 1));
    }
    const { values } = writer.reserve(2);
    writer.close();
    expect(values).toHaveLength(0);
  });

  test('columns of records', () => {
    const schema = { a: 'f64', b: 'i64' } as const;
    const { writer, log } = AtomicLog.claimed({ ...SMALL, schema, strictViews: true });
    writer.append({ a: 1, b: 2n });
    const snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    const columns = [chunk!.column('a'), chunk!.column('b')];
    snapshot.close();
    expect(columns.map(({ length }) => length)).toEqual([0, 0]);
    expect(chunk!.at(0)).toBeUndefined();
  });
});

test('pins go with close(), at once', () => {
  const { writer, log } = strictLog(12);
  const snapshot = log.snapshot();
  expect(log.stats().pinnedHere).toBe(3);
  writer.appendBatch(range(12, 48));
  expect(log.stats().pinnedSegments).toBe(3);
  snapshot.close();
  expect(log.stats()).toMatchObject({ pinnedHere: 0, pinnedSegments: 0 });
});

test('views of a snapshot that was dropped without close() stay right, each until it is collected', async () => {
  const { writer, log } = strictLog(12);
  // Two mappings of the same block: each must keep its own pin.
  const kept: { first?: Float64Array; second?: Float64Array } = {
    first: viewsOf(log.snapshot())[0]!,
    second: viewsOf(log.snapshot())[0]!,
  };
  await collectUntil('the snapshots are collected', () => log.stats().pinnedHere === 0);
  writer.appendBatch(range(12, 60));
  delete kept.second;
  await collectGarbage(3);
  writer.appendBatch(range(60, 120));
  expect(kept.first).toEqual(Float64Array.of(0, 1, 2, 3));
  expect(log.stats().pinnedSegments).toBe(1);
  delete kept.first;
  await collectUntil('the pins come back', () => log.stats().pinnedSegments === 0);
});

test('blocks are used again: neither their number nor their address space grows', async () => {
  const { writer, log } = strictLog(12);
  let snapshot = log.snapshot();
  for (let i = 12; i < 4000; ++i) {
    writer.append(i);
    if (i % 3 === 0) snapshot.refresh();
    if (i % 50 === 0) await nextTurn();
    if (i % 7 === 0) {
      snapshot.close();
      snapshot = log.snapshot();
    }
  }
  snapshot.close();
  expect(log.stats().fresh).toBeLessThan(12);
});

testExternal('the option goes with the log to whoever attaches', () => {
  const { log } = strictLog(10);
  using attached = AtomicLog.attach(log.handle);
  const snapshot: Snapshot<number> = attached.snapshot();
  const views = viewsOf(snapshot);
  snapshot.close();
  expect(lengths(views)).toEqual([0, 0, 0]);
  const output = runInChild(`
    const { Worker } = require('node:worker_threads');
    const { AtomicLog } = require('atomic-log');
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4, strictViews: true });
    writer.append(1);
    const code = \`
      const { workerData } = require('node:worker_threads');
      const snapshot = require('atomic-log').AtomicLog.attach(workerData).snapshot();
      const { values } = snapshot.chunks()[0];
      const before = values.length;
      snapshot.close();
      console.log(before, values.length);
    \`;
    new Worker(code, { eval: true, workerData: log.handle });
  `);
  expect(output).toBe('1 0');
});

testExternal.each([
  ['1', '0'],
  ['0', '3'],
  ['', '3'],
])('ATOMIC_LOG_STRICT_VIEWS=%s decides for logs that do not say', (value, expected) => {
  const output = runInChild(`
    process.env.ATOMIC_LOG_STRICT_VIEWS = ${JSON.stringify(value)};
    const { AtomicLog } = require('atomic-log');
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4 });
    writer.appendBatch([1, 2, 3]);
    const snapshot = log.snapshot();
    const { values } = snapshot.chunks()[0];
    snapshot.close();
    console.log(values.length);
  `);
  expect(output).toBe(expected);
});

test('without the option nothing is detached', () => {
  const { writer, log } = AtomicLog.claimed({ ...SMALL, strictViews: false });
  writer.appendBatch([1, 2, 3]);
  const snapshot = log.snapshot();
  const views = viewsOf(snapshot);
  snapshot.close();
  expect(lengths(views)).toEqual([hasStrictViews ? 0 : 3]);
});
