import { AtomicLog, type Entries, type Writer } from 'atomic-log';

import { expectError } from '../../support/errors';
import { addon } from '../../support/internals';
import {
  bounds,
  entriesOf,
  expectConsistent,
  expectRefused,
  range,
  SMALL,
  smallLog,
  valuesByChunk,
} from '../../support/logs';
import { trade, tradeColumns, tradeLog, trades, type Trade } from '../../support/trades';

describe('append()', () => {
  test('publishes at once and returns the absolute index', () => {
    const { writer, log } = smallLog();
    for (let i = 0; i < 30; ++i) {
      expect(writer.nextIndex).toBe(i);
      expect(writer.append(i * i)).toBe(i);
      expect(log.endIndex).toBe(i + 1);
      using snapshot = log.snapshot();
      expect(snapshot.at(-1)).toBe(i * i);
      expect(snapshot.get(i)).toBe(i * i);
    }
    expectConsistent(log);
  });

  test('publishes what is staged first', () => {
    const { writer, log } = smallLog();
    expect(writer.write(1)).toBe(0);
    expect(writer.write(2)).toBe(1);
    expect(log.endIndex).toBe(0);
    expect(writer.append(3)).toBe(2);
    expect(entriesOf(log)).toEqual([1, 2, 3]);
  });

  test('is not seen by a snapshot that was taken before', () => {
    const { writer, log } = smallLog(2);
    using snapshot = log.snapshot();
    writer.append(3);
    expect([...snapshot]).toEqual([1, 2]);
    expect(snapshot.at(2)).toBeUndefined();
    expect(snapshot.chunks()[0]!.values).toHaveLength(2);
  });
});

describe('write() and publish()', () => {
  test('what is written is invisible before publish(), to every kind of reader', () => {
    const { writer, log } = smallLog(1);
    using snapshot = log.snapshot();
    expect([writer.write(2), writer.write(3)]).toEqual([1, 2]);
    expect(writer.nextIndex).toBe(3);
    expect(bounds(log)).toEqual([0, 1]);
    expect(snapshot.refresh()).toEqual({ appended: 0, lost: 0 });
    expect(snapshot.extend()).toEqual({ appended: 0, lost: 0 });
    expect(entriesOf(log)).toEqual([1]);
    writer.publish();
    expect(bounds(log)).toEqual([0, 3]);
    expect(snapshot.refresh()).toEqual({ appended: 2, lost: 0 });
    expect([...snapshot]).toEqual([1, 2, 3]);
  });

  test('a roll publishes what is staged: there is no hole', () => {
    const { writer, log } = smallLog();
    for (let i = 0; i < 4; ++i) writer.write(i);
    expect(log.endIndex).toBe(0);
    writer.write(4);
    expect(entriesOf(log)).toEqual([0, 1, 2, 3]);
    for (let i = 5; i < 23; ++i) writer.write(i);
    expect(bounds(log)).toEqual([12, 20]);
    expect(entriesOf(log)).toEqual(range(12, 20));
    writer.publish();
    expect(entriesOf(log)).toEqual(range(12, 23));
    expectConsistent(log);
  });

  test('a batch publishes what is staged first, also an empty one', () => {
    const batches: Entries<number>[] = [[], new Float64Array(0), [7], Float64Array.of(7), [5, 6, 7, 8, 9]];
    for (const batch of batches) {
      const { writer, log } = smallLog();
      writer.write(1);
      writer.write(2);
      expect(writer.appendBatch(batch)).toBe(2);
      expect(entriesOf(log)).toEqual([1, 2, ...(batch as Iterable<number>)]);
    }
  });

  test('publish() with nothing staged changes nothing', () => {
    const { writer, log } = smallLog(4);
    const stats = log.stats();
    for (let i = 0; i < 3; ++i) writer.publish();
    expect(log.stats()).toEqual(stats);
    expect(bounds(log)).toEqual([0, 4]);
  });

  test('close() drops what was not published, and its indexes are given again', () => {
    const { writer, log } = smallLog(2);
    writer.write(-1);
    writer.write(-2);
    writer.close();
    expect(entriesOf(log)).toEqual([1, 2]);
    using next = log.tryClaimWriter()!;
    expect(next.nextIndex).toBe(2);
    next.publish();
    expect(entriesOf(log)).toEqual([1, 2]);
    expect(next.append(3)).toBe(2);
    expect(entriesOf(log)).toEqual([1, 2, 3]);
  });

  test('close() after a roll drops only what the new segment had staged', () => {
    const { writer, log } = smallLog(2);
    for (let i = 3; i <= 6; ++i) writer.write(i);
    writer.close();
    expect(entriesOf(log)).toEqual([1, 2, 3, 4]);
    using next = log.tryClaimWriter()!;
    expect(next.append(5)).toBe(4);
    expect(entriesOf(log)).toEqual([1, 2, 3, 4, 5]);
    expectConsistent(log);
  });

  test('records are staged whole', () => {
    const { writer, log } = tradeLog();
    for (let i = 0; i < 6; ++i) expect(writer.write(trade(i))).toBe(i);
    expect(entriesOf(log)).toEqual(trades(0, 4));
    writer.publish();
    expect(entriesOf(log)).toEqual(trades(0, 6));
  });
});

describe('appendBatch() of a log of numbers', () => {
  const forms: [string, (values: number[]) => Entries<number>][] = [
    ['an array', (values) => values],
    ['a set', (values) => new Set(values)],
    ['a generator', (values) => values.values()],
    ['a typed array of its own kind', (values) => Float64Array.from(values)],
    ['a typed array of another kind', (values) => Int32Array.from(values)],
    ['a view in the middle of a buffer', (values) => Float64Array.from([-1, ...values, -1]).subarray(1, -1)],
  ];

  test.each(forms)('takes %s of every length, from every position in a segment', (_name, make) => {
    for (let before = 0; before <= 5; ++before) {
      for (const length of [0, 1, 3, 4, 5, 8, 13, 40]) {
        const { writer, log } = AtomicLog.claimed(SMALL);
        for (let i = 0; i < before; ++i) writer.append(i);
        expect(writer.appendBatch(make(range(before, before + length)))).toBe(before);
        const end = before + length;
        expect(writer.nextIndex).toBe(end);
        expect(entriesOf(log)).toEqual(range(log.firstIndex, end));
        // The head holds the last entry; an exactly full head has not rolled.
        expect(log.stats().rolls).toBe(Math.max(0, Math.ceil(end / 4) - 1));
        expect(log.firstIndex).toBe(Math.max(0, Math.ceil(end / 4) - 3) * 4);
      }
    }
  });

  test('an empty batch never rolls and publishes no roll', () => {
    const { writer, log } = smallLog(4);
    const stats = log.stats();
    for (const batch of [
      [],
      new Set<number>(),
      new Float64Array(0),
      new Int8Array(0),
      ''[Symbol.iterator](),
    ]) {
      expect(writer.appendBatch(batch as Entries<number>)).toBe(4);
    }
    expect(log.stats()).toEqual(stats);
    expect(bounds(log)).toEqual([0, 4]);
    expect(writer.append(5)).toBe(4);
  });

  test('a batch longer than the window leaves its end in the window', () => {
    const { writer, log } = smallLog(3);
    expect(writer.appendBatch(Float64Array.from(range(4, 10_001)))).toBe(3);
    expect(bounds(log)).toEqual([9988, 10_000]);
    expect(entriesOf(log)).toEqual(range(9989, 10_001));
    expect(log.stats().rolls).toBe(2499);
    expectConsistent(log);
  });

  test('a batch may come from the log itself', () => {
    const { writer, log } = smallLog(3);
    using snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    // Source and target are the same block first, then different ones.
    for (let i = 0; i < 4; ++i) writer.appendBatch(chunk!.values);
    expect(bounds(log)).toEqual([4, 15]);
    expect(entriesOf(log)).toEqual([2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3].slice(0, 11));
    writer.appendBatch(snapshot);
    expect(entriesOf(log).slice(-3)).toEqual([1, 2, 3]);
  });

  test('the source is copied: changing it later changes nothing', () => {
    const { writer, log } = smallLog();
    const source = Float64Array.of(1, 2, 3);
    writer.appendBatch(source);
    source.fill(-1);
    expect(entriesOf(log)).toEqual([1, 2, 3]);
  });

  test('NaN payloads and zeros of a typed array of its own kind come through bit by bit', () => {
    const { writer, log } = smallLog();
    const bits = new BigUint64Array([0x7ff8_0000_dead_beefn, 0x8000_0000_0000_0000n, 1n]);
    writer.appendBatch(new Float64Array(bits.buffer));
    using snapshot = log.snapshot();
    const { buffer, byteOffset, length } = snapshot.chunks()[0]!.values;
    expect(new BigUint64Array(buffer, byteOffset, length)).toEqual(bits);
  });

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a string', '123'],
    ['a function', () => [1]],
    ['an object', {}],
    ['an object of columns', { value: new Float64Array(1) }],
    ['an array-like object', { length: 1, 0: 1 }],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['a DataView', new DataView(new ArrayBuffer(8))],
    ['an iterable without a function', { [Symbol.iterator]: 1 }],
  ])('refuses %s', (_name, entries) => {
    const message = /entries must be an iterable( of numbers or a typed array| or an object of columns)/;
    expectRefused(
      smallLog(4),
      ({ writer }) => writer.appendBatch(entries as never),
      'ERR_INVALID_ARG_TYPE',
      message,
    );
  });

  test('one bad entry refuses the whole batch, wherever it is', () => {
    const claimed = smallLog(3);
    for (let at = 0; at < 20; ++at) {
      const batch: unknown[] = range(0, 20);
      batch[at] = 'x';
      const message = new RegExp(`^entries\\[${at}\\] must be a number \\(f64\\); got "x"$`);
      expectRefused(
        claimed,
        ({ writer }) => writer.appendBatch(batch as never),
        'ERR_INVALID_ARG_TYPE',
        message,
      );
    }
  });

  test('a hole of an array is undefined, which no number is', () => {
    // eslint-disable-next-line no-sparse-arrays -- the hole is the point
    const batch = [1, , 3] as number[];
    expectRefused(
      smallLog(1),
      ({ writer }) => writer.appendBatch(batch),
      'ERR_INVALID_ARG_TYPE',
      /entries\[1\]/,
    );
  });
});

describe('close()', () => {
  const advice = /the writer is closed; claim a new one with log\.tryClaimWriter\(\)/;

  const calls: [string, (writer: Writer<number>) => unknown][] = [
    ['append', (writer) => writer.append(1)],
    ['write', (writer) => writer.write(1)],
    ['publish', (writer) => writer.publish()],
    ['appendBatch of an array', (writer) => writer.appendBatch([1])],
    ['appendBatch of an empty array', (writer) => writer.appendBatch([])],
    ['appendBatch of a typed array', (writer) => writer.appendBatch(Float64Array.of(1))],
    ['appendBatch of an empty typed array', (writer) => writer.appendBatch(new Float64Array(0))],
    ['appendBatch of another kind', (writer) => writer.appendBatch(Int8Array.of(1))],
    ['appendBatch of an empty one of another kind', (writer) => writer.appendBatch(new Int8Array(0))],
    ['appendBatch of many segments', (writer) => writer.appendBatch(new Float64Array(100))],
  ];

  test.each(calls)('%s says so afterwards, at every fill of the head', (_name, call) => {
    for (let count = 0; count <= 5; ++count) {
      const claimed = smallLog(count);
      claimed.writer.close();
      expectRefused(claimed, ({ writer }) => call(writer), 'ERR_WRITER_CLOSED', advice);
      using next = claimed.log.tryClaimWriter()!;
      expectRefused({ ...claimed, writer: next }, () => call(claimed.writer), 'ERR_WRITER_CLOSED', advice);
      expect(next.append(count + 1)).toBe(count);
      expect(entriesOf(claimed.log)).toEqual(range(1, count + 2));
    }
  });

  test.each(['i64', 'u64'] as const)('a closed writer of %s refuses empty batches too', (type) => {
    const { writer } = AtomicLog.claimed({ ...SMALL, type });
    writer.close();
    const batch = type === 'i64' ? new BigInt64Array(0) : new BigUint64Array(0);
    expectError(() => writer.appendBatch(batch), 'ERR_WRITER_CLOSED', advice);
  });

  test('a closed writer of records refuses everything', () => {
    for (let count = 0; count <= 5; ++count) {
      const claimed = tradeLog(count);
      claimed.writer.close();
      const batches: Entries<Trade>[] = [
        trades(0, 3),
        [],
        tradeColumns(0, 3),
        tradeColumns(0, 0),
        tradeColumns(0, 50),
      ];
      for (const batch of batches) {
        expectRefused(claimed, ({ writer }) => writer.appendBatch(batch), 'ERR_WRITER_CLOSED', advice);
      }
      expectRefused(claimed, ({ writer }) => writer.append(trade(9)), 'ERR_WRITER_CLOSED', advice);
      expectRefused(claimed, ({ writer }) => writer.write(trade(9)), 'ERR_WRITER_CLOSED', advice);
      expectRefused(claimed, ({ writer }) => writer.publish(), 'ERR_WRITER_CLOSED', advice);
    }
  });

  test('is idempotent, and the log stays known', () => {
    const { writer, log } = smallLog(2);
    for (let i = 0; i < 3; ++i) {
      writer.close();
      writer[Symbol.dispose]();
    }
    expect(writer.log).toBe(log);
    expect(log.isWriterClaimed).toBe(false);
  });
});

test('writers of several logs publish in turn, each to its own, also one that came after another was closed', () => {
  const first = smallLog();
  const second = smallLog();
  for (let i = 0; i < 20; ++i) {
    first.writer.append(i);
    for (let j = 0; j < i % 3; ++j) second.writer.append(100 + i);
  }
  expect(first.log.endIndex).toBe(20);
  expect(second.log.endIndex).toBe(second.writer.nextIndex);
  for (let i = 0; i < 20; ++i) {
    first.writer.append(i);
    first.writer.close();
    // It may get what the addon knew the closed one by.
    const third = smallLog();
    third.writer.append(7);
    expect(entriesOf(third.log)).toEqual([7]);
    expect(first.log.endIndex).toBe(21 + i);
    third.writer.close();
    first.writer = first.log.tryClaimWriter()!;
    expect(first.writer.nextIndex).toBe(21 + i);
  }
});

test('a log is still written when its last AtomicLog object is closed', () => {
  const { writer, log } = smallLog();
  using snapshot = log.snapshot();
  log.close();
  writer.appendBatch(range(1, 8));
  expect(snapshot.refresh()).toEqual({ appended: 7, lost: 0 });
  expect(valuesByChunk(snapshot)).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7],
  ]);
});

test('the addon rolls with no fewer entries than are published', () => {
  const { writer, log } = smallLog();
  writer.append(0);
  writer.append(1);
  // StagedCell.writer.
  const slot = addon.writers.staged[0]!;
  for (const count of [0, 1, 5, -1]) expect(addon.writers.roll(slot, count)).toBeLessThan(0);
  writer.appendBatch(range(2, 9));
  expect(entriesOf(log)).toEqual(range(0, 9));
});
