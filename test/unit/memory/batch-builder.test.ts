/** What a batch is collected in before it is stored: records and values one by one. */
import { TextEncoder } from 'node:util';

import { AtomicLog, utf8 } from 'atomic-log';

const code = (expected: string): Error => expect.objectContaining({ code: expected });
const SIZE = { retainedCapacity: 2 ** 14, segmentCapacity: 2 ** 10, dataBytes: 2 ** 20 };
const SCHEMA = { at: 'f64', text: 'utf8', data: 'bytes', id: 'u32' } as const;

interface Entry {
  at: number;
  text: string;
  data: Uint8Array;
  id: number;
}
const entry = (id: number, text = `text ${id}`): Entry => ({ at: id / 2, text, data: Uint8Array.of(id), id });
const entries = (count: number, from = 0): Entry[] =>
  Array.from({ length: count }, (_, i) => entry(from + i));
const recordLog = () => AtomicLog.claimed({ ...SIZE, schema: SCHEMA });

/** What UTF-8 makes of a text: lone surrogates are replaced. */
const stored = (text: string): string => Buffer.from(new TextEncoder().encode(text)).toString();

const TEXTS: Record<string, readonly string[]> = {
  ASCII: ['a', '', 'bcd', 'the quick brown fox jumps over the lazy dog', ''],
  'two and more bytes a character': ['größer', 'a', '日本語', '', '\u{1f600}', 'é'],
  'halves of one character, next to each other': ['\ud83d', '\ude00', 'a\ud83d', '\ude00b'],
  'too long to be collected': ['a'.repeat(20_000), 'b', 'ü'.repeat(20_000), 'c'],
  'many of them': Array.from({ length: 1500 }, (_, i) => (i % 1000 === 999 ? `über ${i}` : `text ${i}`)),
  'empty ones only': ['', '', ''],
};

describe.each(Object.keys(TEXTS))('texts: %s', (name) => {
  const texts = TEXTS[name]!;
  const expected = texts.map(stored);

  test('are stored as they are, one after the other', () => {
    const records = recordLog();
    const columns = recordLog();
    const values = AtomicLog.claimed({ ...SIZE, codec: utf8 });
    const rows = texts.map((text, i) => entry(i % 256, text));
    // Twice: what a batch was collected in is used again.
    for (let i = 0; i < 2; ++i) {
      records.writer.appendBatch(rows);
      columns.writer.appendBatch({
        at: Float64Array.from(rows, ({ at }) => at),
        text: texts,
        data: rows.map(({ data }) => data),
        id: Uint32Array.from(rows, ({ id }) => id),
      });
      values.writer.appendBatch(texts);
    }
    const twice = [...expected, ...expected];
    for (const { log } of [records, columns]) {
      const read = [...log.snapshot()];
      expect(read.map(({ text }) => text)).toEqual(twice);
      expect(read.map(({ at, data, id }) => [at, data, id])).toEqual(
        [...rows, ...rows].map(({ at, data, id }) => [at, data, id]),
      );
    }
    expect([...values.log.snapshot()]).toEqual(twice);
  });
});

const bad: [string, () => unknown, string][] = [
  ['a value of another type', () => ({ ...entry(1), at: '1' }), 'ERR_INVALID_ARG_TYPE'],
  ['a value out of range', () => ({ ...entry(1), id: -1 }), 'ERR_OUT_OF_RANGE'],
  ['a missing field', () => ({ at: 1, text: '', id: 1 }), 'ERR_MISSING_FIELD'],
  ['another field', () => ({ ...entry(1), other: 1 }), 'ERR_UNKNOWN_FIELD'],
  ['what is no record', () => 1, 'ERR_INVALID_ARG_TYPE'],
  ['text that no segment has room for', () => entry(1, 'a'.repeat(101)), 'ERR_VALUE_TOO_LARGE'],
  ['text with too many bytes', () => entry(1, 'ü'.repeat(51)), 'ERR_VALUE_TOO_LARGE'],
  [
    'bytes that no segment has room for',
    () => ({ ...entry(1), data: new Uint8Array(101) }),
    'ERR_VALUE_TOO_LARGE',
  ],
];

test.each(bad)('%s, wherever it is in a batch, leaves nothing of it', (_, make, expected) => {
  const { writer, log } = AtomicLog.claimed({ ...SIZE, dataBytes: 100, schema: SCHEMA });
  writer.append(entry(0));
  writer.write(entry(1));
  for (const before of [0, 1, 63, 64, 200]) {
    const records = [...entries(before), make(), ...entries(3)];
    const given = [records, new Set(records), records.values()];
    for (const batch of given) expect(() => writer.appendBatch(batch as never)).toThrow(code(expected));
    expect([writer.nextIndex, log.snapshot().endIndex]).toEqual([2, 1]);
  }
  writer.appendBatch(entries(70, 2));
  expect([...log.snapshot()]).toEqual(entries(72));
});

test('batches of every size', () => {
  const { writer, log } = recordLog();
  let next = 0;
  for (const count of [1, 63, 64, 65, 0, 127, 128, 129, 5000, 2]) {
    writer.appendBatch(entries(count, next));
    next += count;
  }
  expect([...log.snapshot()].map(({ id }) => id)).toEqual(Array.from({ length: next }, (_, i) => i));
});

test('what gives records may use an object, and memory, for the next one', () => {
  const numbers = AtomicLog.claimed({
    retainedCapacity: 256,
    segmentCapacity: 64,
    schema: { at: 'f64', id: 'u32' },
  });
  const { writer, log } = recordLog();
  function* reused<E extends object>(make: (i: number) => E): Generator<E> {
    const one = make(0);
    for (let i = 0; i < 100; ++i) yield Object.assign(one, make(i));
  }
  numbers.writer.appendBatch(reused((i) => ({ at: i, id: i })));
  expect([...numbers.log.snapshot()]).toEqual(Array.from({ length: 100 }, (_, i) => ({ at: i, id: i })));
  const data = new Uint8Array(1);
  const rows = reused((i) => {
    data[0] = i;
    return { ...entry(i), data };
  });
  writer.appendBatch(rows);
  expect([...log.snapshot()]).toEqual(entries(100));
});

test('user code may append another batch while one is read', () => {
  const { writer, log } = recordLog();
  const records = entries(100, 1000).map((record, i) =>
    i % 40 !== 10
      ? record
      : {
          ...record,
          get text() {
            writer.appendBatch(entries(3, i));
            return record.text;
          },
        },
  );
  writer.appendBatch(records);
  function* texts(): Generator<string> {
    for (let i = 0; i < 5; ++i) {
      if (i === 3) writer.appendBatch(entries(2, 500));
      yield `column ${i}`;
    }
  }
  const index = writer.appendBatch({
    at: new Float64Array(5),
    text: texts(),
    data: entries(5).map(({ data }) => data),
    id: new Uint32Array(5),
  });
  const ids = [10, 11, 12, 50, 51, 52, 90, 91, 92, ...entries(100, 1000).map(({ id }) => id), 500, 501];
  const read = [...log.snapshot()];
  expect(read.slice(0, index).map(({ id }) => id)).toEqual(ids);
  expect(read.slice(9, 109).map(({ text }) => text)).toEqual(entries(100, 1000).map(({ text }) => text));
  expect(read.slice(index).map(({ text }) => text)).toEqual(
    Array.from({ length: 5 }, (_, i) => `column ${i}`),
  );
});

test('parts of batches, as many as fit into a segment at a time', () => {
  const { writer, log } = AtomicLog.claimed({
    retainedCapacity: 400,
    segmentCapacity: 10,
    dataBytes: 64,
    schema: SCHEMA,
  });
  for (const count of [7, 100, 9, 63]) writer.appendBatch(entries(count, writer.nextIndex));
  expect([...log.snapshot()]).toEqual(entries(179));
});
