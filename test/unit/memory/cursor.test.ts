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

test('latest()', () => {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4 });
  expect(log.latest()).toBeUndefined();
  for (let i = 0; i < 9; ++i) {
    writer.append(i);
    expect(log.latest()).toBe(i);
  }
});
