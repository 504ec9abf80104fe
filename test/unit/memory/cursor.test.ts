import { AtomicLog, Cursor } from 'atomic-log';

import { testExternal } from '../../support/mapping';
import { detach } from '../../support/memory';
import { tradeLog, trades } from '../../support/trades';

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

test('reads text and bytes, and says nothing of an entry before the first', () => {
  const schema = { at: 'f64', text: 'utf8', data: 'bytes' } as const;
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4, schema });
  const records = Array.from({ length: 6 }, (_, i) => ({ at: i, text: `grün ${i}`, data: Uint8Array.of(i) }));
  writer.appendBatch(records);
  const row = log.snapshot().cursor();
  expect([row.index, row.get('at'), row.get('text'), row.get('data')]).toEqual([
    -1,
    undefined,
    undefined,
    undefined,
  ]);
  for (const record of records) {
    expect(row.next()).toBe(true);
    expect([row.get('at'), row.get('text'), row.get('data')]).toEqual([record.at, record.text, record.data]);
    expect(row.value).toEqual(record);
  }
  expect(row.next()).toBe(false);
  expect(row.index).toBe(5);
  expect(() => row.get('toString' as 'at')).toThrow(code('ERR_UNKNOWN_FIELD'));
});

test('reads any field of very many', () => {
  const names = Array.from({ length: 100 }, (_, i) => `field${i}`);
  const schema = Object.fromEntries(names.map((name) => [name, 'i32' as const]));
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4, schema });
  writer.append(Object.fromEntries(names.map((name, i) => [name, i])));
  const row = log.snapshot().cursor();
  expect(row.next()).toBe(true);
  expect(names.map((name) => row.get(name))).toEqual(names.map((_, i) => i));
  expect([...log.snapshot()]).toEqual([row.value]);
});

testExternal('reads on where the memory was transferred away', () => {
  const schema = { at: 'f64', text: 'utf8' } as const;
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4, schema });
  for (let at = 0; at < 6; ++at) writer.append({ at, text: `${at}` });
  const snapshot = log.snapshot();
  const transfer = (): void => {
    for (const chunk of snapshot.chunks()) detach(chunk.column('at').buffer);
  };
  const cursor = snapshot.cursor();
  const entries = snapshot[Symbol.iterator]();
  for (let at = 0; at < 6; ++at) {
    if (at % 3 === 1) transfer();
    expect(cursor.next()).toBe(true);
    if (at % 3 === 2) transfer();
    expect([cursor.get('at'), cursor.get('text')]).toEqual([at, `${at}`]);
    expect(entries.next().value).toEqual({ at, text: `${at}` });
  }
});

test('of a snapshot that was closed reads nothing any more', () => {
  const { writer, log } = tradeLog();
  writer.appendBatch(trades(0, 3));
  const snapshot = log.snapshot();
  const row = snapshot.cursor();
  row.next();
  snapshot.close();
  for (const use of [() => row.get('price'), () => row.value, () => row.next(), () => row.seek(0)]) {
    expect(use).toThrow(code('ERR_SNAPSHOT_CLOSED'));
  }
  expect(row.index).toBe(0);
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

test('a snapshot that was closed before the first entry is closed for it too', () => {
  const { writer, log } = AtomicLog.claimed({
    retainedCapacity: 8,
    segmentCapacity: 4,
    schema: { a: 'f64', b: 'utf8' },
  });
  writer.append({ a: 1, b: 'x' });
  const snapshot = log.snapshot();
  const cursor = snapshot.cursor();
  snapshot.close();
  for (const name of ['a', 'b'] as const) {
    expect(() => cursor.get(name)).toThrow(code('ERR_SNAPSHOT_CLOSED'));
  }
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
  // The ninth begins a segment, and three fill it: what is written then is not published.
  for (let i = 9; i < 12; ++i) writer.append(i);
  writer.write(12);
  expect(log.latest()).toBe(11);
});
