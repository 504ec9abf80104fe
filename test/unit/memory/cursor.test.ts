import { AtomicLog, Cursor } from 'atomic-log';

const code = (expected: string): Error => expect.objectContaining({ code: expected });

test('walks a log of numbers', () => {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4 });
  for (let i = 0; i < 18; ++i) writer.append(i);
  const snapshot = log.snapshot();
  const cursor = snapshot.cursor();
  expect(cursor.value).toBeUndefined();
  const seen: number[] = [];
  while (cursor.next()) {
    expect(cursor.value).toBe(cursor.index);
    seen.push(cursor.value!);
  }
  expect(seen).toEqual([...snapshot]);
  expect(cursor.value).toBe(17);
  expect(cursor.seek(9)).toBe(true);
  expect(cursor.value).toBe(9);
  expect(cursor.seek(3)).toBe(false);
  expect(cursor.index).toBe(9);
});

test('walks records by field', () => {
  const { writer, log } = AtomicLog.claimed({
    retainedCapacity: 8,
    segmentCapacity: 4,
    schema: { price: 'f64', id: 'u64' },
  });
  for (let i = 0; i < 6; ++i) writer.append({ price: i / 2, id: BigInt(i) });
  const row = log.snapshot().cursor();
  let total = 0;
  while (row.next()) {
    total += row.get('price');
    expect(row.get('id')).toBe(BigInt(row.index));
  }
  expect(total).toBe(7.5);
  expect(() => row.get('size' as 'price')).toThrow(code('ERR_UNKNOWN_FIELD'));
});

test('follows its snapshot through refresh and close', () => {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4 });
  for (let i = 0; i < 4; ++i) writer.append(i);
  const snapshot = log.snapshot();
  const cursor = snapshot.cursor();
  expect(cursor.seek(2)).toBe(true);
  for (let i = 4; i < 6; ++i) writer.append(i);
  expect(cursor.seek(5)).toBe(false);
  snapshot.refresh();
  expect(cursor.value).toBe(2);
  expect(cursor.seek(5)).toBe(true);
  for (let i = 6; i < 100; ++i) writer.append(i);
  snapshot.refresh();
  expect(cursor.value).toBeUndefined();
  expect(cursor.next()).toBe(false);
  snapshot.close();
  expect(() => cursor.value).toThrow(code('ERR_SNAPSHOT_CLOSED'));
  expect(() => snapshot.cursor()).toThrow(code('ERR_SNAPSHOT_CLOSED'));
});

test('is made by the library only', () => {
  expect(() => new (Cursor as any)()).toThrow(code('ERR_ILLEGAL_CONSTRUCTOR'));
});

describe('windows in one piece', () => {
  test('copyInto takes the newest that fit', () => {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4 });
    for (let i = 0; i < 11; ++i) writer.append(i);
    const snapshot = log.snapshot();
    const small = new Float64Array(6);
    expect(snapshot.copyInto(small)).toBe(6);
    expect([...small]).toEqual([5, 6, 7, 8, 9, 10]);
    const large = new Float64Array(20).fill(-1);
    expect(snapshot.copyInto(large)).toBe(11);
    expect([...large.subarray(0, 12)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1]);
    expect(() => snapshot.copyInto(new Float32Array(3) as any)).toThrow(code('ERR_INVALID_ARG_TYPE'));
    expect(() => snapshot.copyInto([] as any)).toThrow(code('ERR_INVALID_ARG_TYPE'));
  });

  test('copyInto takes a column of records', () => {
    const { writer, log } = AtomicLog.claimed({
      retainedCapacity: 8,
      segmentCapacity: 4,
      schema: { x: 'f64', n: 'i32' },
    });
    for (let i = 0; i < 9; ++i) writer.append({ x: i, n: -i });
    const target = new Int32Array(3);
    expect(log.snapshot().copyInto(target, 'n')).toBe(3);
    expect([...target]).toEqual([-6, -7, -8]);
    expect(() => log.snapshot().copyInto(target, 'y' as any)).toThrow(code('ERR_UNKNOWN_FIELD'));
    expect(() => log.snapshot().copyInto(target as any, 'x')).toThrow(code('ERR_INVALID_ARG_TYPE'));
  });

  test('lowerBound finds the first entry that is not less', () => {
    const { writer, log } = AtomicLog.claimed({
      retainedCapacity: 8,
      segmentCapacity: 4,
      schema: { t: 'i64', x: 'f64' },
    });
    const times = [1n, 3n, 3n, 3n, 7n, 9n, 12n];
    for (const t of times) writer.append({ t, x: Number(t) });
    const snapshot = log.snapshot();
    for (let t = 0n; t < 14n; ++t) {
      const expected = times.filter((time) => time < t).length;
      expect(snapshot.lowerBound('t', t)).toBe(expected);
      expect(snapshot.lowerBound('x', Number(t))).toBe(expected);
    }
    expect(() => snapshot.lowerBound('t', 3 as any)).toThrow(code('ERR_INVALID_ARG_TYPE'));
    expect(() => snapshot.lowerBound('z' as any, 3n)).toThrow(code('ERR_UNKNOWN_FIELD'));
    const numbers = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4 });
    numbers.writer.appendBatch([1, 2, 4, 8, 16]);
    expect(numbers.log.snapshot().lowerBound(5)).toBe(3);
  });
});

test('latest()', () => {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4 });
  expect(log.latest()).toBeUndefined();
  for (let i = 0; i < 9; ++i) {
    writer.append(i);
    expect(log.latest()).toBe(i);
  }
});
