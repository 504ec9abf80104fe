import { inspect } from 'node:util';

import { AtomicLog, utf8 } from 'atomic-log';

import { expectError, thrownBy } from '../../support/errors';
import { addon } from '../../support/internals';
import {
  bounds,
  entriesOf,
  expectConsistent,
  range,
  SMALL,
  smallLog,
  valuesByChunk,
} from '../../support/logs';
import { isShared, testExternal } from '../../support/mapping';
import { collectUntil, nextTurn } from '../../support/memory';

test('the example of the crate', () => {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4 });
  for (let value = 0; value < 6; ++value) writer.append(value);

  const snapshot = log.snapshot();
  expect([...snapshot]).toEqual([0, 1, 2, 3, 4, 5]);

  writer.append(6);
  writer.append(7);
  expect(snapshot.refresh()).toEqual({ appended: 2, lost: 0 });
  expect([...snapshot]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);

  const chunks = snapshot.chunks().map(({ sequence, length }) => [sequence, length]);
  expect(chunks).toEqual([
    [0, 4],
    [1, 4],
  ]);
  snapshot.close();
});

describe('making a log', () => {
  test('new AtomicLog() leaves it unclaimed and empty', () => {
    const log = new AtomicLog(SMALL);
    expect(log.isWriterClaimed).toBe(false);
    expect(bounds(log)).toEqual([0, 0]);
    expect(entriesOf(log)).toEqual([]);
    expect([log.retainedCapacity, log.segmentCapacity, log.mapping]).toEqual([
      8,
      4,
      isShared ? 'shared' : 'external',
    ]);
  });

  test('AtomicLog.claimed() gives the writer and the log of each other', () => {
    const { writer, log, ...others } = AtomicLog.claimed(SMALL);
    expect(others).toEqual({});
    expect(log).toBeInstanceOf(AtomicLog);
    expect(writer.log).toBe(log);
    expect(log.isWriterClaimed).toBe(true);
    expect(writer.nextIndex).toBe(0);
  });

  test('needs new', () => {
    const call = AtomicLog as unknown as (options: unknown) => unknown;
    expect(thrownBy(() => call(SMALL))).toBeInstanceOf(TypeError);
  });

  testExternal.each(['auto', 'external'] as const)('mapping %p is external memory here', (mapping) => {
    expect(new AtomicLog({ ...SMALL, mapping }).mapping).toBe('external');
  });

  test('capacities are kept as they were given', () => {
    const log = new AtomicLog({ retainedCapacity: 1001, segmentCapacity: 17 });
    expect([log.retainedCapacity, log.segmentCapacity]).toEqual([1001, 17]);
  });
});

describe('claims', () => {
  test('there is one writer at a time, for all objects of the log', () => {
    const { writer, log } = smallLog();
    using attached = AtomicLog.attach(log.handle);
    for (const each of [log, attached]) {
      expect(each.tryClaimWriter()).toBeNull();
      expect(each.isWriterClaimed).toBe(true);
    }
    writer.close();
    expect([log.isWriterClaimed, attached.isWriterClaimed]).toEqual([false, false]);
    const second = attached.tryClaimWriter()!;
    expect(second.log).toBe(attached);
    expect(log.tryClaimWriter()).toBeNull();
    second.close();
  });

  test('closing a writer twice does not release the claim of the next one', () => {
    const { writer, log } = smallLog();
    writer.close();
    const second = log.tryClaimWriter()!;
    writer.close();
    expect(log.isWriterClaimed).toBe(true);
    expect(log.tryClaimWriter()).toBeNull();
    second.close();
  });

  test('indexes go on exactly where the last writer stopped, also across segments', () => {
    const log = new AtomicLog(SMALL);
    for (let i = 0; i < 50; ++i) {
      using writer = log.tryClaimWriter()!;
      expect(writer.nextIndex).toBe(i);
      expect(writer.append(i)).toBe(i);
      expect(writer.nextIndex).toBe(i + 1);
    }
    expect(bounds(log)).toEqual([40, 50]);
    expect(entriesOf(log)).toEqual(range(40, 50));
  });

  test('the next writer does not see what the last one staged', () => {
    const log = new AtomicLog(SMALL);
    for (let i = 0; i < 20; ++i) {
      using writer = log.tryClaimWriter()!;
      expect(writer.append(i)).toBe(i);
      expect(writer.write(-1)).toBe(i + 1);
    }
    // The last staged entry had begun a segment of its own, which is empty now.
    expect(bounds(log)).toEqual([12, 20]);
    expect(entriesOf(log)).toEqual(range(12, 20));
    expectConsistent(log);
  });

  test('a failed claim gives the claim back', () => {
    const log = new AtomicLog(SMALL);
    log.close();
    expectError(() => log.tryClaimWriter(), 'ERR_LOG_CLOSED', /attach to its handle/);
  });
});

describe('retention', () => {
  test.each([
    [1, 1, 2],
    [1, 4, 2],
    [4, 4, 2],
    [5, 4, 3],
    [8, 4, 3],
    [9, 4, 4],
    [10, 3, 5],
    [7, 1, 8],
    [1, 100, 2],
  ])(
    'a window of %p entries in segments of %p is %p segments',
    (retainedCapacity, segmentCapacity, segments) => {
      const { writer, log } = AtomicLog.claimed({ retainedCapacity, segmentCapacity });
      const count = (segments + 3) * segmentCapacity + 1;
      for (let next = 0; next < count; ++next) {
        expect(writer.append(next)).toBe(next);
        // The head begins with the entry that the segment before has no room for.
        const head = Math.floor(next / segmentCapacity);
        const first = Math.max(0, head - segments + 1) * segmentCapacity;
        expect(bounds(log)).toEqual([first, next + 1]);
        expect(log.endIndex - log.firstIndex).toBeGreaterThanOrEqual(Math.min(next + 1, retainedCapacity));
      }
      expect(log.stats().retainedSegments).toBe(segments);
      expect(entriesOf(log)).toEqual(range(log.firstIndex, count));
    },
  );

  test('a head that is exactly full does not roll before the next append', () => {
    const { writer, log } = smallLog(4);
    expect(log.stats()).toMatchObject({ rolls: 0, retainedSegments: 1 });
    writer.publish();
    writer.appendBatch([]);
    writer.appendBatch(new Float64Array(0));
    expect(log.stats().rolls).toBe(0);
    writer.append(5);
    expect(log.stats()).toMatchObject({ rolls: 1, retainedSegments: 2 });
    using snapshot = log.snapshot();
    expect(valuesByChunk(snapshot)).toEqual([[1, 2, 3, 4], [5]]);
  });

  test('a full window of three segments keeps twelve entries, and evicts four by the thirteenth', () => {
    const { writer, log } = smallLog(12);
    expect(bounds(log)).toEqual([0, 12]);
    writer.append(13);
    expect(bounds(log)).toEqual([4, 13]);
  });
});

describe('close()', () => {
  const closed = /this AtomicLog is closed; attach to its handle while it is open elsewhere/;

  test('every member that needs the log says so afterwards', () => {
    const { log } = smallLog(3);
    log.close();
    const calls = [
      () => log.isWriterClaimed,
      () => log.firstIndex,
      () => log.endIndex,
      () => log.tryClaimWriter(),
      () => log.snapshot(),
      () => log.stats(),
    ];
    for (const call of calls) expectError(call, 'ERR_LOG_CLOSED', closed);
  });

  test('what never changes stays readable', () => {
    const { log } = smallLog(3);
    const before = [log.handle, log.retainedCapacity, log.segmentCapacity, log.mapping];
    log.close();
    expect([log.handle, log.retainedCapacity, log.segmentCapacity, log.mapping]).toEqual(before);
  });

  test('is idempotent, and counts once', () => {
    const { writer, log } = smallLog(1);
    const { handle } = log;
    const attached = AtomicLog.attach(handle);
    writer.close();
    log.close();
    log.close();
    log[Symbol.dispose]();
    expect(entriesOf(attached)).toEqual([1]);
    attached.close();
    expectError(() => AtomicLog.attach(handle), 'ERR_LOG_GONE', /gone/);
  });

  test('closes this object only: writers and snapshots go on', () => {
    const { writer, log } = smallLog(3);
    const snapshot = log.snapshot();
    log.close();
    for (let i = 4; i <= 30; ++i) expect(writer.append(i)).toBe(i - 1);
    expect([...snapshot]).toEqual([1, 2, 3]);
    expect(snapshot.refresh()).toEqual({ appended: 10, lost: 17 });
    expect([...snapshot]).toEqual(range(21, 31));
    const clone = snapshot.clone();
    writer.close();
    snapshot.close();
    expect(clone.extend()).toEqual({ appended: 0, lost: 0 });
    expect(valuesByChunk(clone)).toEqual([range(21, 25), range(25, 29), range(29, 31)]);
    expect(clone.log).toBe(log);
    clone.close();
  });

  test('of one object leaves another of the same thread alone', () => {
    const { writer, log } = smallLog(2);
    const attached = AtomicLog.attach(log.handle);
    const snapshot = attached.snapshot();
    attached.close();
    expect([...snapshot]).toEqual([1, 2]);
    snapshot.close();
    writer.append(3);
    expect(entriesOf(log)).toEqual([1, 2, 3]);
  });

  test('the memory of closed logs is used again by the next ones', async () => {
    const fill = (): void => {
      const { writer, log } = AtomicLog.claimed({ retainedCapacity: 64, segmentCapacity: 1024 });
      writer.appendBatch(new Float64Array(4096).fill(1));
      expect(entriesOf(log)).toHaveLength(2048);
      writer.close();
      log.close();
    };
    // Blocks come back when the mappings of a closed log have been collected.
    await collectUntil('ten more logs take no more address space', () => {
      const before = addon.blockUsage().mapped;
      for (let i = 0; i < 10; ++i) fill();
      return addon.blockUsage().mapped === before;
    });
  });
});

describe('stats()', () => {
  test('of a new log', () => {
    const { log } = AtomicLog.claimed({ ...SMALL, name: 'prices' });
    expect(log.stats()).toEqual({
      name: 'prices',
      retainedSegments: 1,
      pinnedSegments: 0,
      idleSegments: 0,
      segmentBytes: 128,
      dataBytes: 0,
      bytes: 128,
      pinnedBytes: 0,
      pinnedHere: 0,
      rolls: 0,
      earlySeals: 0,
      recycled: 0,
      fresh: 1,
      segments: 1,
      readers: [{ threadId: 0, pinnedSegments: 0, pinnedBytes: 0, followers: [] }],
      processes: [],
    });
    expect(new AtomicLog(SMALL).stats().name).toBeUndefined();
  });

  test('segmentBytes is a header line and whole lines for each column', () => {
    const schema = { a: 'u8', b: 'f64', c: 'i16' } as const;
    expect(new AtomicLog({ retainedCapacity: 1, segmentCapacity: 65, schema }).stats().segmentBytes).toBe(
      64 + 128 + 576 + 192,
    );
  });

  test('segmentBytes counts offsets and data of each field of variable size, dataBytes is the data of one', () => {
    const schema = { a: 'utf8', b: 'u8', c: 'bytes' } as const;
    const log = new AtomicLog({ retainedCapacity: 1, segmentCapacity: 16, schema, dataBytes: 100 });
    expect(log.stats()).toMatchObject({ segmentBytes: 64 + 64 + 2 * (128 + 128), dataBytes: 100 });
  });

  test('earlySeals counts the segments that had room for more entries', () => {
    const { writer, log } = AtomicLog.claimed({ ...SMALL, codec: utf8, dataBytes: 10 });
    for (const text of ['12345', '67890', '1', '', '', '', '', '']) writer.append(text);
    expect(log.stats()).toMatchObject({ rolls: 2, earlySeals: 1 });
    expect(bounds(log)).toEqual([0, 8]);
  });

  test('without readers the window is all that there ever is', () => {
    const { writer, log } = smallLog();
    for (let i = 0; i < 1000; ++i) writer.append(i);
    const { fresh, recycled, rolls, ...rest } = log.stats();
    expect(rest).toMatchObject({ retainedSegments: 3, pinnedSegments: 0, pinnedBytes: 0, pinnedHere: 0 });
    expect(rolls).toBe(249);
    expect(fresh + recycled).toBe(rolls + 1);
    // One more than the window: the successor is taken before the oldest goes.
    expect(fresh).toBe(4);
    expect(rest.bytes).toBe(4 * 128);
  });

  test('an open snapshot pins its segments, and they come back when it is closed', async () => {
    const { writer, log } = smallLog(12);
    const snapshot = log.snapshot();
    expect(log.stats()).toMatchObject({ pinnedHere: 3, pinnedSegments: 0 });
    for (let i = 13; i <= 112; ++i) writer.append(i);
    await nextTurn();
    expect(log.stats()).toMatchObject({ pinnedHere: 3, pinnedSegments: 3, pinnedBytes: 384 });
    expect([...snapshot]).toEqual(range(1, 13));
    snapshot.close();
    await nextTurn();
    expect(log.stats()).toMatchObject({ pinnedHere: 0, pinnedSegments: 0, pinnedBytes: 0 });
    const { fresh } = log.stats();
    for (let i = 113; i <= 512; ++i) writer.append(i);
    expect(log.stats().fresh).toBe(fresh);
  });

  test('the peak of a slow reader is not kept for ever', async () => {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 2048, segmentCapacity: 1024 });
    const segment = new Float64Array(1024);
    const snapshots = [];
    for (let i = 0; i < 60; ++i) {
      writer.appendBatch(segment);
      snapshots.push(log.snapshot());
    }
    const peak = log.stats();
    expect(peak.pinnedSegments).toBe(57);
    for (const snapshot of snapshots) snapshot.close();
    await nextTurn();
    for (let i = 0; i < 60; ++i) writer.appendBatch(segment);
    const { bytes, pinnedSegments, idleSegments, segmentBytes } = log.stats();
    expect(pinnedSegments).toBe(0);
    expect(idleSegments).toBe(57);
    // The window, and as much again that waits to be used.
    expect(bytes).toBeLessThanOrEqual(7 * segmentBytes);
    expect(peak.bytes).toBe(60 * segmentBytes);
  });

  test('snapshots that are opened and closed within one turn pin one window at most', () => {
    const { writer, log } = smallLog();
    for (let i = 0; i < 1000; ++i) {
      writer.append(i);
      log.snapshot().close();
    }
    const { fresh, pinnedHere } = log.stats();
    expect(pinnedHere).toBeLessThanOrEqual(3);
    expect(fresh).toBeLessThanOrEqual(7);
  });
});

describe('toString()', () => {
  test.each([
    [SMALL, 'AtomicLog<f64> { entries [0, 0), retainedCapacity: 8, segmentCapacity: 4 }'],
    [
      { ...SMALL, type: 'i64', name: 'ids' },
      "AtomicLog<i64> 'ids' { entries [0, 0), retainedCapacity: 8, segmentCapacity: 4 }",
    ],
    [
      { ...SMALL, schema: { at: 'i64', price: 'f64' } },
      'AtomicLog<at: i64, price: f64> { entries [0, 0), retainedCapacity: 8, segmentCapacity: 4 }',
    ],
  ])('tells the type, the bounds and the capacities', (options, expected) => {
    const log = new AtomicLog(options as typeof SMALL);
    expect(log.toString()).toBe(expected);
    expect(inspect(log)).toBe(expected);
    expect(inspect({ log }, { depth: 0 })).toContain(expected);
  });

  test('of a writer and of a snapshot, open and closed', () => {
    const { writer, log } = smallLog(13);
    const snapshot = log.snapshot();
    expect([writer, snapshot].map((object) => inspect(object))).toEqual([
      'Writer { nextIndex: 13 }',
      'Snapshot { entries [4, 13) }',
    ]);
    for (const object of [writer, snapshot]) object.close();
    expect([writer, snapshot].map(String)).toEqual(['Writer { closed }', 'Snapshot { closed }']);
  });

  test('through a proxy or an heir inspecting shows something and throws nothing', () => {
    const { writer, log } = smallLog(3);
    for (const object of [log, writer, log.snapshot()]) {
      const { name } = object.constructor;
      for (const other of [new Proxy(object, {}), Object.create(object)] as object[])
        expect(inspect({ other })).toContain(name);
    }
  });

  test('shows the window as it is now, and works on a closed log', () => {
    const { log } = smallLog(13);
    expect(String(log)).toBe('AtomicLog<f64> { entries [4, 13), retainedCapacity: 8, segmentCapacity: 4 }');
    log.close();
    expect(String(log)).toBe('AtomicLog<f64> { closed, retainedCapacity: 8, segmentCapacity: 4 }');
  });
});
