/** Batches for logs with values of variable size: whole columns, and entries one by one. */
import fc from 'fast-check';
import { AtomicLog, type RecordOf, utf8, type Entries } from 'atomic-log';

import { expectError, thrownBy } from '../../support/errors';
import { entriesOf, expectConsistent, expectRefused, SMALL, stateOf, type Claimed } from '../../support/logs';
import { detach } from '../../support/memory';

const schema = { id: 'u32', name: 'utf8', raw: 'bytes' } as const;
type Row = RecordOf<typeof schema>;

function rowLog(dataBytes = 16, count = 0): Claimed<Row> {
  const claimed = AtomicLog.claimed({ ...SMALL, schema, dataBytes });
  for (let i = 0; i < count; ++i) claimed.writer.append(row(i));
  return claimed;
}

function row(id: number): Row {
  return { id, name: 'é'.repeat(id % 4), raw: new Uint8Array(id % 6).fill(id) };
}

function rows(begin: number, end: number): Row[] {
  return Array.from({ length: end - begin }, (_, i) => row(begin + i));
}

function encoded(values: readonly Uint8Array[], before = 0): { offsets: Int32Array; data: Uint8Array } {
  const offsets = new Int32Array(values.length + 1);
  offsets[0] = before;
  values.forEach((value, i) => (offsets[i + 1] = offsets[i]! + value.length));
  return {
    offsets,
    data: new Uint8Array(Buffer.concat([new Uint8Array(before).fill(255), ...values, Buffer.from('rest')])),
  };
}

/** The forms that a batch of rows may take. */
const forms: [string, (batch: readonly Row[]) => Entries<Row>][] = [
  ['an array', (batch) => batch],
  ['a generator', (batch) => batch.values()],
  [
    'columns of arrays',
    (batch) => ({
      id: Uint32Array.from(batch, ({ id }) => id),
      name: batch.map(({ name }) => name),
      raw: new Set(batch.map(({ raw }) => raw)),
    }),
  ],
  [
    'columns of offsets and data',
    (batch) => ({
      id: Uint32Array.from(batch, ({ id }) => id),
      name: encoded(
        batch.map(({ name }) => Buffer.from(name)),
        3,
      ),
      raw: encoded(batch.map(({ raw }) => raw)),
    }),
  ],
];

describe.each(forms)('%s', (_name, form) => {
  test.each([0, 1, 3, 4, 5, 50])('of %p rows goes into as many segments as it needs', (length) => {
    for (let before = 0; before <= 5; ++before) {
      const { writer, log } = rowLog(16, before);
      expect(writer.appendBatch(form(rows(before, before + length)))).toBe(before);
      expect(log.endIndex).toBe(before + length);
      expect(entriesOf(log)).toEqual(rows(log.firstIndex, before + length));
      expectConsistent(log);
    }
  });

  test('publishes what was staged, also when it is empty', () => {
    const { writer, log } = rowLog();
    writer.write(row(0));
    expect(writer.appendBatch(form([]))).toBe(1);
    expect(entriesOf(log)).toEqual([row(0)]);
  });

  test('fills every segment as far as it goes', () => {
    const lengths = [3, 3, 3, 8, 8, 1, 15, 2, 16, 0, 0, 0, 0, 5];
    const batch = lengths.map((length, id) => ({ id, name: 'x'.repeat(length), raw: new Uint8Array(0) }));
    const { writer, log } = AtomicLog.claimed({
      retainedCapacity: 100,
      segmentCapacity: 4,
      schema,
      dataBytes: 16,
    });
    writer.appendBatch(form(batch));
    using snapshot = log.snapshot();
    // 3 + 3 + 3 leave no room for 8; 16 are full, but take three empty ones.
    expect(snapshot.chunks().map((chunk) => chunk.length)).toEqual(lengthsBySegment(lengths));
    expect([...snapshot]).toEqual(batch);
  });

  test('is all or nothing', () => {
    const claimed = rowLog(16, 3);
    const large = { ...row(1), raw: new Uint8Array(17) };
    expectRefused(
      claimed,
      ({ writer }) => writer.appendBatch(form([...rows(0, 9), large, row(2)])),
      'ERR_VALUE_TOO_LARGE',
      /raw(\[9\])? needs 17 bytes, and a segment has room for 16/,
    );
  });
});

/** What a writer does that begins a segment only when the next value has no room. */
function lengthsBySegment(lengths: readonly number[]): number[] {
  const counts = [0];
  let used = 0;
  for (const length of lengths) {
    if (counts.at(-1) === 4 || used + length > 16) {
      counts.push(0);
      used = 0;
    }
    ++counts[counts.length - 1]!;
    used += length;
  }
  return counts;
}

test('any rows, in any form', () => {
  const anyRow = fc.record({
    id: fc.nat(1000),
    name: fc.string({ unit: 'binary', maxLength: 5 }),
    raw: fc.uint8Array({ maxLength: 16 }),
  });
  const steps = fc.array(fc.tuple(fc.nat(forms.length - 1), fc.array(anyRow, { maxLength: 12 })), {
    maxLength: 6,
  });
  const property = fc.property(steps, fc.integer({ min: 20, max: 60 }), (batches, dataBytes) => {
    const { writer, log } = rowLog(dataBytes);
    const all: Row[] = [];
    for (const [form, batch] of batches) {
      // A set holds each array once.
      const distinct = batch.map((value) => ({ ...value, raw: new Uint8Array(value.raw) }));
      expect(writer.appendBatch(forms[form]![1](distinct))).toBe(all.length);
      all.push(...distinct);
    }
    expect(entriesOf(log)).toEqual(all.slice(log.firstIndex));
  });
  fc.assert(property, { numRuns: 300 });
});

test('columns of one log can be appended to another, or to the same', () => {
  const { writer, log } = rowLog(16, 4);
  const other = rowLog(64);
  using snapshot = log.snapshot();
  for (const chunk of snapshot.chunks()) {
    const columns = {
      id: chunk.column('id') as Uint32Array,
      name: chunk.column('name'),
      raw: chunk.column('raw'),
    };
    other.writer.appendBatch(columns);
    writer.appendBatch(columns);
  }
  expect(entriesOf(other.log)).toEqual(rows(0, 4));
  expect(entriesOf(log)).toEqual([...rows(0, 4), ...rows(0, 4)].slice(log.firstIndex));
});

describe('user code in a batch', () => {
  test('may append, close and throw in the iterator of a column', () => {
    const { writer, log } = rowLog();
    const name = (act: () => unknown) =>
      (function* () {
        act();
        yield 'n';
      })();
    const columns = (act: () => unknown): Entries<Row> => ({
      id: Uint32Array.of(7),
      name: name(act),
      raw: [new Uint8Array(1)],
    });
    expect(writer.appendBatch(columns(() => writer.append(row(0))))).toBe(1);
    const failure = new Error('mine');
    const before = stateOf({ writer, log });
    const fail = (): never => {
      throw failure;
    };
    expect(thrownBy(() => writer.appendBatch(columns(fail)))).toBe(failure);
    expect(stateOf({ writer, log })).toEqual(before);
    expectError(() => writer.appendBatch(columns(() => writer.close())), 'ERR_WRITER_CLOSED', /closed/);
    expect(entriesOf(log)).toEqual([row(0), { id: 7, name: 'n', raw: new Uint8Array(1) }]);
  });

  test('may detach an earlier column: its length counts when all are read', () => {
    const claimed = rowLog();
    const id = Uint32Array.of(7);
    const name = {
      *[Symbol.iterator]() {
        detach(id.buffer);
        yield 'n';
      },
    };
    expectRefused(
      claimed,
      ({ writer }) => writer.appendBatch({ id, name, raw: [new Uint8Array(1)] }),
      'ERR_COLUMN_LENGTH',
      /id has 0, name has 1/,
    );
  });

  test('may detach the data of an earlier column: then its offsets do not fit', () => {
    const { writer, log } = rowLog();
    const name = encoded([Buffer.from('abc')]);
    const raw = {
      *[Symbol.iterator]() {
        detach(name.data.buffer);
        yield new Uint8Array(1);
      },
    };
    const give = (): unknown => writer.appendBatch({ id: Uint32Array.of(7), name, raw });
    expectError(
      give,
      'ERR_OUT_OF_RANGE',
      /entries\.name\.offsets must not decrease, from at least 0 to at most 0/,
    );
    expect(log.endIndex).toBe(0);
  });
});

// --- Error paths.

const raw = { id: Uint32Array.of(1, 2), raw: [new Uint8Array(0), new Uint8Array(0)] };
const data = new Uint8Array(Buffer.from('aéb'));

test.each([null, 1, 'ab', true, {}, () => 1, new ArrayBuffer(2), { length: 2 }])(
  'a column of strings refuses %p',
  (name) => {
    const message = /entries\.name must be an iterable of strings or \{ offsets, data \}/;
    expectRefused(
      rowLog(),
      ({ writer }) => writer.appendBatch({ ...raw, name } as never),
      'ERR_INVALID_ARG_TYPE',
      message,
    );
  },
);

test.each([[['a', 1]], [['a', null]], [[['a'], 'b']], [new Uint8Array(2)]])(
  'a column of strings refuses the values %p',
  (name) => {
    const message = /entries\.name\[[01]\] must be a string \(utf8\)/;
    expectRefused(
      rowLog(),
      ({ writer }) => writer.appendBatch({ ...raw, name } as never),
      'ERR_INVALID_ARG_TYPE',
      message,
    );
  },
);

test.each([
  [{ offsets: [0, 1, 2], data }, 'ERR_INVALID_ARG_TYPE', /entries\.name\.offsets must be an Int32Array/],
  [
    { offsets: Uint32Array.of(0, 1, 2), data },
    'ERR_INVALID_ARG_TYPE',
    /entries\.name\.offsets must be an Int32Array/,
  ],
  [{ offsets: Int32Array.of(0, 1, 2) }, 'ERR_INVALID_ARG_TYPE', /entries\.name\.data must be a Uint8Array/],
  [{ data }, 'ERR_INVALID_ARG_TYPE', /entries\.name\.offsets must be an Int32Array/],
  [
    { offsets: Int32Array.of(0, 1, 1), data: 'ab' },
    'ERR_INVALID_ARG_TYPE',
    /entries\.name\.data must be a Uint8Array/,
  ],
  [
    { offsets: new Int32Array(0), data },
    'ERR_OUT_OF_RANGE',
    /one element more than there are values; got none/,
  ],
  [
    { offsets: Int32Array.of(0, 1, 5), data },
    'ERR_OUT_OF_RANGE',
    /must not decrease, from at least 0 to at most 4/,
  ],
  [{ offsets: Int32Array.of(-1, 0, 1), data }, 'ERR_OUT_OF_RANGE', /must not decrease/],
  [{ offsets: Int32Array.of(1, 0, 1), data }, 'ERR_OUT_OF_RANGE', /must not decrease/],
  [{ offsets: Int32Array.of(2 ** 31 - 1, -(2 ** 31), 0), data }, 'ERR_OUT_OF_RANGE', /must not decrease/],
  [{ offsets: Int32Array.of(0, 1, 0), data }, 'ERR_OUT_OF_RANGE', /must not decrease/],
  [{ offsets: Int32Array.of(-1), data }, 'ERR_OUT_OF_RANGE', /must not decrease/],
  [{ offsets: Int32Array.of(5), data }, 'ERR_OUT_OF_RANGE', /must not decrease/],
  [
    { offsets: Int32Array.of(0, 2, 3), data },
    'ERR_INVALID_ARG_VALUE',
    /offsets\[1\] = 2 is inside a character/,
  ],
  [
    { offsets: Int32Array.of(0, 1, 2), data },
    'ERR_INVALID_ARG_VALUE',
    /data must be UTF-8 from the first offset to the last/,
  ],
  [
    { offsets: Int32Array.of(0, 1, 2), data: Uint8Array.of(97, 255) },
    'ERR_INVALID_ARG_VALUE',
    /must be UTF-8/,
  ],
  [{ offsets: Int32Array.of(0, 1), data }, 'ERR_COLUMN_LENGTH', /id has 2, name has 1/],
] as const)('offsets and data %#', (name, code, message) => {
  expectRefused(rowLog(), ({ writer }) => writer.appendBatch({ ...raw, name } as never), code, message);
});

test('bytes need not be UTF-8, nor what lies outside the offsets', () => {
  const { writer, log } = rowLog();
  writer.appendBatch({
    id: Uint32Array.of(1),
    raw: { offsets: Int32Array.of(0, 2), data: Uint8Array.of(255, 128) },
    name: { offsets: Int32Array.of(1, 3), data: Uint8Array.of(0x80, 0xc3, 0xa9, 0xff) },
  });
  expect(entriesOf(log)).toEqual([{ id: 1, name: 'é', raw: Uint8Array.of(255, 128) }]);
});

test('no rows at all may come with data that is detached', () => {
  const { writer, log } = rowLog();
  const none = { offsets: Int32Array.of(0), data: new Uint8Array(4) };
  detach(none.data.buffer);
  expect(writer.appendBatch({ id: new Uint32Array(0), name: none, raw: none })).toBe(0);
  expect(log.endIndex).toBe(0);
});

test('a log with a codec takes iterables only', () => {
  const claimed = AtomicLog.claimed({ ...SMALL, codec: utf8 });
  const message = /entries must be an iterable of values/;
  const give = (entries: unknown) => (log: Claimed<string>) => log.writer.appendBatch(entries as never);
  expectRefused(claimed, give({ offsets: Int32Array.of(0, 1), data }), 'ERR_INVALID_ARG_TYPE', message);
  expectRefused(claimed, give({}), 'ERR_INVALID_ARG_TYPE', message);
  expectRefused(
    claimed,
    give('text'),
    'ERR_INVALID_ARG_TYPE',
    /entries must be an iterable or an object of columns/,
  );
  expectRefused(claimed, give(Uint8Array.of(1)), 'ERR_INVALID_ARG_TYPE', /entries\[0\] must be a string/);
});

describe('what is a column of offsets and data, and what is a column of values', () => {
  const texts = { text: 'utf8', n: 'u8' } as const;
  const textLog = (): Claimed<RecordOf<typeof texts>> => AtomicLog.claimed({ ...SMALL, schema: texts });

  /** An iterable that has a property `data`, as every vector of Apache Arrow. */
  class Vector {
    readonly data: readonly string[];
    constructor(...data: string[]) {
      this.data = data;
    }
    *[Symbol.iterator](): IterableIterator<string> {
      yield* this.data;
    }
  }

  test('an iterable with a property data gives its values', () => {
    const { writer, log } = textLog();
    writer.appendBatch({ text: new Vector('a', 'b'), n: Uint8Array.of(1, 2) });
    expect(entriesOf(log)).toEqual([
      { text: 'a', n: 1 },
      { text: 'b', n: 2 },
    ]);
  });

  test('an iterable with offsets and data gives those', () => {
    const { writer, log } = textLog();
    const column = Object.assign(['ignored'], { offsets: Int32Array.of(0, 1), data: Buffer.from('x') });
    writer.appendBatch({ text: column, n: Uint8Array.of(1) });
    expect(log.latest()).toEqual({ text: 'x', n: 1 });
  });

  test.each<[string, unknown, RegExp]>([
    ['data alone', { data: Buffer.from('x') }, /entries\.text\.offsets must be an Int32Array; got undefined/],
    [
      'offsets alone',
      { offsets: Int32Array.of(0, 1) },
      /entries\.text\.data must be a Uint8Array; got undefined/,
    ],
    ['neither', {}, /entries\.text must be an iterable of strings or \{ offsets, data \}; got an object/],
  ])('%s: the message says what is missing', (_name, text, message) => {
    const { writer } = textLog();
    const batch = { text, n: Uint8Array.of(1) } as never;
    expectError(() => writer.appendBatch(batch), 'ERR_INVALID_ARG_TYPE', message);
  });

  test('padded offsets: the message says how to give them', () => {
    const { writer } = textLog();
    const hint = /subarray\(0, n \+ 1\)/;
    const give = (offsets: Int32Array): void =>
      void writer.appendBatch({ text: { offsets, data: Buffer.from('ab') }, n: Uint8Array.of(1, 2) });
    expectError(() => give(Int32Array.of(0, 1, 2, 0, 0, 0)), 'ERR_OUT_OF_RANGE', hint);
    expectError(() => give(Int32Array.of(0, 0, 0, 0, 0, 0)), 'ERR_COLUMN_LENGTH', hint);
    give(Int32Array.of(0, 1, 2, 0, 0, 0).subarray(0, 3));
    // Not padded, but wrong.
    expect(() => give(Int32Array.of(0, 2, 1))).toThrow(/must not decrease(?!.*subarray)/);
  });
});
