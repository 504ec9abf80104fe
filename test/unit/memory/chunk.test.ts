import { AtomicLog, type ClaimedLog, type RecordOf, type Chunk } from 'atomic-log';

import { expectError } from '../../support/errors';
import { smallLog, SMALL, valuesByChunk } from '../../support/logs';
import { isShared } from '../../support/mapping';
import { testOfSharedMappings } from '../../support/strict';

const schema = { at: 'i64', price: 'f64', flags: 'u8' } as const;

function recordLog(count: number): ClaimedLog<RecordOf<typeof schema>> {
  const claimed = AtomicLog.claimed({ ...SMALL, schema });
  for (let i = 0; i < count; ++i) claimed.writer.append({ at: BigInt(i), price: i / 2, flags: i });
  return claimed;
}

test('chunks are the segments in order, with their sequence and first index', () => {
  const { log } = smallLog(18);
  using snapshot = log.snapshot();
  const chunks = snapshot.chunks().map(({ sequence, firstIndex, length }) => [sequence, firstIndex, length]);
  expect(chunks).toEqual([
    [2, 8, 4],
    [3, 12, 4],
    [4, 16, 2],
  ]);
  expect(valuesByChunk(snapshot)).toEqual([
    [9, 10, 11, 12],
    [13, 14, 15, 16],
    [17, 18],
  ]);
});

test('a chunk is never empty', () => {
  const { writer, log } = smallLog(4);
  // A staged entry begins a segment, and closing leaves it empty.
  writer.write(-1);
  using snapshot = log.snapshot();
  expect(snapshot.chunks().map(({ length }) => length)).toEqual([4]);
  writer.close();
  using after = log.snapshot();
  expect(after.chunks().map(({ length }) => length)).toEqual([4]);
});

testOfSharedMappings('each call gives new chunks of the same memory', () => {
  const { log } = smallLog(3);
  using snapshot = log.snapshot();
  const [first] = snapshot.chunks();
  const [second] = snapshot.chunks();
  expect(second).not.toBe(first);
  expect(second!.values.buffer).toBe(first!.values.buffer);
  using other = log.snapshot();
  expect(other.chunks()[0]!.values.buffer).toBe(first!.values.buffer);
});

test('a chunk stays as long as it was when the snapshot goes on', () => {
  const { writer, log } = smallLog(2);
  using snapshot = log.snapshot();
  const [chunk] = snapshot.chunks();
  const { values } = chunk!;
  writer.append(3);
  snapshot.refresh();
  expect(chunk).toHaveLength(2);
  expect(values).toHaveLength(2);
  expect(chunk!.values).toHaveLength(2);
  expect(chunk!.at(2)).toBeUndefined();
  expect(snapshot.chunks()[0]).toHaveLength(3);
});

describe('at()', () => {
  test('counts from 0 and is undefined outside', () => {
    const { log } = smallLog(6);
    using snapshot = log.snapshot();
    const [first, second] = snapshot.chunks();
    expect([-1, 0, 3, 4].map((i) => first!.at(i))).toEqual([undefined, 1, 4, undefined]);
    expect([0, 1, 2].map((i) => second!.at(i))).toEqual([5, 6, undefined]);
    expect([NaN, Infinity, -Infinity, 2 ** 32].map((i) => first!.at(i))).toEqual(Array(4).fill(undefined));
  });

  test('gives records', () => {
    const { log } = recordLog(6);
    using snapshot = log.snapshot();
    expect(snapshot.chunks()[1]!.at(1)).toEqual({ at: 5n, price: 2.5, flags: 5 });
    expect(snapshot.chunks()[1]!.at(2)).toBeUndefined();
  });

  test('between two entries there is none, in a log of numbers and of records alike', () => {
    const numbers = smallLog(3).log.snapshot();
    const records = recordLog(3).log.snapshot();
    const at = <T>(chunk: Chunk<T>): T | undefined => chunk.at(0.5);
    expect(at(numbers.chunks()[0]!)).toBeUndefined();
    expect(at(records.chunks()[0]!)).toBeUndefined();
  });
});

describe('values', () => {
  test('are a view of the block, without its header line', () => {
    const { log } = smallLog(3);
    using snapshot = log.snapshot();
    const { values } = snapshot.chunks()[0]!;
    expect(values).toEqual(Float64Array.of(1, 2, 3));
    expect(values.byteOffset).toBe(isShared ? 64 : 0);
    if (!isShared) expect(values.buffer.byteLength).toBe(log.stats().segmentBytes - 64);
  });

  test('end with the chunk: what is appended later is not in them', () => {
    const { writer, log } = smallLog(2);
    using snapshot = log.snapshot();
    const { values } = snapshot.chunks()[0]!;
    writer.append(3);
    expect(values).toEqual(Float64Array.of(1, 2));
  });

  test('of a log of records are refused, with the names of its columns', () => {
    using snapshot = recordLog(3).log.snapshot();
    const [chunk] = snapshot.chunks();
    const message = /has columns, not values; use column\(name\) with one of at, price, flags/;
    expectError(() => chunk!.values, 'ERR_UNKNOWN_FIELD', message);
  });
});

describe('column()', () => {
  test('is a typed array of the field', () => {
    const { log } = recordLog(6);
    using snapshot = log.snapshot();
    const [first, second] = snapshot.chunks();
    expect(first!.column('at')).toEqual(BigInt64Array.of(0n, 1n, 2n, 3n));
    expect(first!.column('price')).toEqual(Float64Array.of(0, 0.5, 1, 1.5));
    expect(second!.column('flags')).toEqual(Uint8Array.of(4, 5));
    for (const name of ['at', 'price', 'flags'] as const) {
      expect(first!.column(name).byteOffset % 64).toBe(0);
      expect(first!.column(name).buffer).toBe(first!.column('at').buffer);
    }
  });

  test.each(['', 'Price', 'toString', 'constructor', '__proto__', '0', 0, undefined, null, Symbol('price')])(
    'refuses %p, which is no field',
    (name) => {
      using snapshot = recordLog(3).log.snapshot();
      const message =
        /(the log has no field .*; it has|the name of a field comes first, one of) at, price, flags/;
      expectError(() => snapshot.chunks()[0]!.column(name as never), 'ERR_UNKNOWN_FIELD', message);
    },
  );

  test('of a log of numbers is refused', () => {
    using snapshot = smallLog(3).log.snapshot();
    const message = /a log of numbers has no columns; use values/;
    expectError(() => snapshot.chunks()[0]!.column('price' as never), 'ERR_UNKNOWN_FIELD', message);
  });
});
