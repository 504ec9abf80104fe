/** Rows: one object that moves from entry to entry. */
import { inspect } from 'node:util';

import { AtomicLog } from 'atomic-log';

import { smallLog, SMALL } from '../../support/logs';
import { testExternal } from '../../support/mapping';
import { hasStrictViews } from '../../support/strict';
import { trade, tradeLog, trades } from '../../support/trades';

const code = (expected: string): Error => expect.objectContaining({ code: expected });
const copies = <T extends object>(rows: Iterable<T>, keys: readonly (keyof T)[]): unknown[] =>
  Array.from(rows, (row) => Object.fromEntries(keys.map((key) => [key, row[key]])));
const KEYS = ['at', 'price', 'size'] as const;

test('are the entries of the window, in one object', () => {
  const { writer, log } = tradeLog();
  for (let i = 0; i < 14; ++i) writer.append(trade(i));
  const snapshot = log.snapshot();
  expect(copies(snapshot.rows(), KEYS)).toEqual(trades(4, 14));
  const [first, second] = snapshot.rows();
  expect(first).toBe(second);
  expect(inspect(snapshot.rows().next().value)).toBe(inspect(trade(4)));
});

test('begin where they are asked to, with what is held from there on', () => {
  const { writer, log } = tradeLog();
  for (let i = 0; i < 14; ++i) writer.append(trade(i));
  const snapshot = log.snapshot();
  for (const from of [-1, 0, 4]) expect(copies(snapshot.rows(from), KEYS)).toEqual(trades(4, 14));
  for (const from of [5, 9, 13]) expect(copies(snapshot.rows(from), KEYS)).toEqual(trades(from, 14));
  for (const from of [14, 100]) expect([...snapshot.rows(from)]).toEqual([]);
  const seen = snapshot.endIndex;
  writer.append(trade(14));
  snapshot.refresh();
  expect(copies(snapshot.rows(seen), KEYS)).toEqual(trades(14, 15));
  expect(() => snapshot.rows(0.5)).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(() => snapshot.rows('0' as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
});

test('are copied as other objects are, with every field and nothing else', () => {
  const schema = { at: 'f64', text: 'utf8', constructor: 'u8' } as const;
  const { writer, log } = AtomicLog.claimed({ ...SMALL, schema });
  const records = [
    { at: 1, text: 'one', constructor: 1 },
    { at: 2, text: 'two', constructor: 2 },
  ];
  writer.appendBatch(records);
  const snapshot = log.snapshot();
  expect(Array.from(snapshot.rows(), (row) => ({ ...row }))).toStrictEqual(records);
  expect(Array.from(snapshot.rows(), (row) => Object.assign({}, row))).toStrictEqual(records);
  expect(Array.from(snapshot.rows(), (row) => JSON.stringify(row))).toEqual(
    records.map((record) => JSON.stringify(record)),
  );
  expect(Array.from(snapshot.rows(), (row) => Object.entries(row))).toEqual(records.map(Object.entries));
  expect(Reflect.ownKeys({ ...snapshot.rows().next().value })).toEqual(Object.keys(schema));
});

test('of an empty snapshot there are none', () => {
  const snapshot = tradeLog().log.snapshot();
  const rows = snapshot.rows();
  expect(rows.next()).toEqual({ done: true, value: undefined });
});

test.each([
  ['a loop', (rows: Iterable<unknown>) => [...rows]],
  ['steps', (rows: Iterator<unknown>) => Array.from({ length: 5 }, () => rows.next())],
])('the row stays at the last entry after %s to the end', (_, read) => {
  const { writer, log } = tradeLog();
  writer.appendBatch([trade(0), trade(1)]);
  const rows = log.snapshot().rows();
  const row = rows.next().value!;
  read(rows);
  expect({ ...row }).toEqual(trade(1));
});

test('an iterator that has ended stays so', () => {
  const { writer, log } = tradeLog();
  writer.append(trade(0));
  const snapshot = log.snapshot();
  const rows = snapshot.rows();
  expect(copies(rows, KEYS)).toEqual(trades(0, 1));
  writer.append(trade(1));
  snapshot.refresh();
  expect(rows.next().done).toBe(true);
  expect(copies(snapshot.rows(), KEYS)).toEqual(trades(0, 2));
});

test('every type, and fields with any name', () => {
  const schema = {
    constructor: 'f32',
    position: 'i8',
    columns: 'u8',
    toString: 'i16',
    next: 'u16',
    length: 'i32',
    value: 'u32',
    done: 'i64',
    'a b"`${}': 'u64',
    text: 'utf8',
    data: 'bytes',
  } as const;
  const { writer, log } = AtomicLog.claimed({ ...SMALL, schema });
  const record = {
    constructor: 1.5,
    position: -1,
    columns: 2,
    toString: -3,
    next: 4,
    length: -5,
    value: 6,
    done: -7n,
    'a b"`${}': 8n,
    text: 'größer',
    data: Uint8Array.of(1, 2),
  };
  for (let i = 0; i < 6; ++i) writer.append(record as never);
  writer.appendBatch([record as never]);
  const snapshot = log.snapshot();
  const expected = Array.from({ length: 7 }, () => record);
  expect(copies(snapshot.rows() as Iterable<object>, Object.keys(schema) as never[])).toEqual(expected);
  expect([...snapshot]).toEqual(expected);
});

test('go on in what the snapshot holds after a refresh, and end with it', () => {
  const { writer, log } = tradeLog();
  for (let i = 0; i < 6; ++i) writer.append(trade(i));
  const snapshot = log.snapshot();
  const rows = snapshot.rows();
  const row = rows.next().value!;
  rows.next();
  expect(row.size).toBe(trade(1).size);
  for (let i = 6; i < 30; ++i) writer.append(trade(i));
  snapshot.refresh();
  rows.next();
  expect(row.at).toBe(trade(snapshot.firstIndex).at);
  snapshot.close();
  expect(() => rows.next()).toThrow(code('ERR_SNAPSHOT_CLOSED'));
  expect(() => snapshot.rows()).toThrow(code('ERR_SNAPSHOT_CLOSED'));
});

test('text and bytes of a row that outlived its snapshot are read from a copy', () => {
  const { writer, log } = AtomicLog.claimed({ ...SMALL, schema: { text: 'utf8' } });
  writer.append({ text: 'first' });
  const snapshot = log.snapshot();
  const row = snapshot.rows().next().value!;
  expect(row.text).toBe('first');
  snapshot.close();
  expect(typeof row.text).toBe(hasStrictViews ? 'undefined' : 'string');
});

testExternal('with strict views a row that outlived its snapshot shows nothing', () => {
  const schema = { at: 'f64', text: 'utf8', data: 'bytes' } as const;
  const { writer, log } = AtomicLog.claimed({ ...SMALL, schema, strictViews: true });
  writer.append({ at: 1, text: 'first', data: Uint8Array.of(1) });
  const snapshot = log.snapshot();
  const row = snapshot.rows().next().value!;
  expect([row.at, row.text, row.data]).toEqual([1, 'first', Uint8Array.of(1)]);
  snapshot.close();
  expect([row.at, row.text, row.data]).toEqual([undefined, undefined, undefined]);
});

test('logs without fields have none', () => {
  const snapshot = smallLog(3).log.snapshot();
  expect(() => snapshot.rows()).toThrow(code('ERR_UNKNOWN_FIELD'));
});

test('of a batch of a follower, while it is valid', async () => {
  const { writer, log } = tradeLog();
  for (let i = 0; i < 6; ++i) writer.append(trade(i));
  const followed = log.follow({ from: 'oldest' });
  const batch = (await followed.next()).value!;
  expect(copies(batch.rows(), KEYS)).toEqual(trades(0, 6));
  const rows = batch.rows();
  await followed.return!();
  expect(() => rows.next()).toThrow();
});

test('of a batch that is over are refused, also where entries of the same segment follow', async () => {
  const { writer, log } = tradeLog();
  for (let i = 0; i < 4; ++i) writer.append(trade(i));
  const followed = log.follow({ from: 'oldest', batchEntriesMax: 2 });
  const batch = (await followed.next()).value!;
  const rows = batch.rows();
  const entries = batch[Symbol.iterator]();
  rows.next();
  entries.next();
  await followed.next();
  expect(() => rows.next()).toThrow(code('ERR_BATCH_OVER'));
  expect(() => entries.next()).toThrow(code('ERR_BATCH_OVER'));
  await followed.return!();
});

test('and entries are iterators as others are', () => {
  const { writer, log } = tradeLog();
  writer.appendBatch(trades(0, 3));
  const snapshot = log.snapshot();
  const everyIterator = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as object;
  for (const iterator of [snapshot.rows(), snapshot[Symbol.iterator]()]) {
    expect(everyIterator).toEqual(expect.anything());
    expect(Object.prototype.isPrototypeOf.call(everyIterator, iterator)).toBe(true);
    expect(iterator[Symbol.iterator]()).toBe(iterator);
  }
});
