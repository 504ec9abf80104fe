import { AtomicLog, type Entries } from 'atomic-log';

import { entriesOf, expectConsistent, expectRefused, range, SMALL } from '../../support/logs';
import { trade, tradeColumns, tradeLog, trades, type Trade } from '../../support/trades';

describe('records', () => {
  test('are stored as columns and read back as records', () => {
    const { writer, log } = tradeLog();
    for (let i = 0; i < 14; ++i) expect(writer.append(trade(i))).toBe(i);
    expect(entriesOf(log)).toEqual(trades(4, 14));
    expectConsistent(log);
  });

  test('the order of the fields does not matter, what is not enumerable neither', () => {
    const { writer, log } = tradeLog();
    writer.append({ size: 1, at: 10n, price: 1.5 });
    const hidden = Object.defineProperty({ ...trade(2), [Symbol('extra')]: 1 }, 'extra', { value: 1 });
    writer.append(hidden);
    expect(entriesOf(log)).toEqual(trades(1, 3));
  });

  test('may be class instances with getters, on the object or inherited', () => {
    class Base {
      constructor(readonly i: number) {
        Object.defineProperty(this, 'i', { enumerable: false });
      }
      get at(): bigint {
        return BigInt(this.i) * 10n;
      }
      get size(): number {
        return this.i;
      }
    }
    class Derived extends Base {
      get price(): number {
        return this.i + 0.5;
      }
    }
    const { writer, log } = tradeLog();
    writer.append(new Derived(0));
    writer.appendBatch([new Derived(1), new Derived(2)]);
    expect(entriesOf(log)).toEqual(trades(0, 3));
  });

  test('may be objects without a prototype, frozen ones, and proxies', () => {
    const { writer, log } = tradeLog();
    writer.append(Object.assign(Object.create(null) as Trade, trade(0)));
    writer.append(Object.freeze(trade(1)));
    writer.append(new Proxy(trade(2), {}));
    writer.append(
      new Proxy({} as Trade, { get: (_target, key) => trade(3)[key as keyof Trade], ownKeys: () => [] }),
    );
    expect(entriesOf(log)).toEqual(trades(0, 4));
  });

  test('each field is read once', () => {
    const { writer } = tradeLog();
    const reads: PropertyKey[] = [];
    const record = new Proxy(trade(1), {
      get(target, key) {
        reads.push(key);
        return Reflect.get(target, key) as unknown;
      },
    });
    writer.append(record);
    writer.write(record);
    expect(reads).toEqual(['at', 'price', 'size', 'at', 'price', 'size']);
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a bigint', 1n],
    ['a string', 'trade'],
    ['a symbol', Symbol('trade')],
    ['a function', Object.assign(() => 1, trade(1))],
  ])('%s is no record', (_name, record) => {
    const message = /the record must be an object with the fields at, price, size/;
    const claimed = tradeLog(4);
    const bad = record as never;
    expectRefused(claimed, ({ writer }) => writer.append(bad), 'ERR_INVALID_ARG_TYPE', message);
    expectRefused(claimed, ({ writer }) => writer.write(bad), 'ERR_INVALID_ARG_TYPE', message);
    expectRefused(
      claimed,
      ({ writer }) => writer.appendBatch([trade(4), bad]),
      'ERR_INVALID_ARG_TYPE',
      message,
    );
  });

  test.each<[string, unknown]>([
    ['an empty object', {}],
    ['a date', new Date(0)],
    ['a record without its first field', { price: 1, size: 1 }],
    ['a record without its last field', { at: 1n, price: 1 }],
    ['a proxy that shows nothing', new Proxy({}, { ownKeys: () => [] })],
  ])('%s lacks a field', (_name, record) => {
    const message = /the field "(at|size)" is missing; every field of the schema needs a value/;
    const claimed = tradeLog(4);
    const bad = record as never;
    expectRefused(claimed, ({ writer }) => writer.append(bad), 'ERR_MISSING_FIELD', message);
    expectRefused(claimed, ({ writer }) => writer.write(bad), 'ERR_MISSING_FIELD', message);
    expectRefused(claimed, ({ writer }) => writer.appendBatch([trade(4), bad]), 'ERR_MISSING_FIELD', message);
  });

  test('a field that is there but undefined has the wrong type', () => {
    const record = { ...trade(1), price: undefined as never };
    const message = /the field price must be a number \(f64\); got undefined/;
    expectRefused(tradeLog(4), ({ writer }) => writer.append(record), 'ERR_INVALID_ARG_TYPE', message);
  });

  test.each<[string, unknown, RegExp]>([
    ['an extra field', { ...trade(1), venue: 'X' }, /no field "venue"; it has at, price, size/],
    ['an extra field that is undefined', { venue: undefined, ...trade(1) }, /no field "venue"/],
    ['a field in the wrong case', { at: 1n, Price: 1, size: 1 }, /no field "Price"/],
    ['an array with entries', [1], /no field "0"/],
    ['an own __proto__', JSON.parse('{"__proto__":1}'), /no field "__proto__"/],
    ['a very long name', { ['x'.repeat(1000)]: 1 }, /no field "x{40}"\.\.\./],
  ])('a record with %s is refused', (_name, record, message) => {
    const claimed = tradeLog(4);
    const bad = record as never;
    expectRefused(claimed, ({ writer }) => writer.append(bad), 'ERR_UNKNOWN_FIELD', message);
    expectRefused(claimed, ({ writer }) => writer.write(bad), 'ERR_UNKNOWN_FIELD', message);
    expectRefused(claimed, ({ writer }) => writer.appendBatch([trade(4), bad]), 'ERR_UNKNOWN_FIELD', message);
  });

  test('a bad field after good ones stores none of them', () => {
    const claimed = tradeLog(2);
    claimed.writer.write(trade(2));
    const bad = { at: -1n, price: -1, size: 65_536 };
    const message = /the field size must be an integer from 0 to 65535 \(u16\); got 65536/;
    expectRefused(claimed, ({ writer }) => writer.append(bad), 'ERR_OUT_OF_RANGE', message);
    claimed.writer.publish();
    expect(entriesOf(claimed.log)).toEqual(trades(0, 3));
  });

  test('what the prototype of objects has does not pass as a field', () => {
    const claimed = AtomicLog.claimed({ ...SMALL, schema: { constructor: 'f64', a: 'f64' } as never });
    claimed.writer.append({ constructor: 1, a: 2 } as never);
    // Fields may be inherited, so this one is there, with the wrong type.
    const message = /constructor must be a .*; got a function/;
    const columns = { a: new Float64Array(1) } as never;
    expectRefused(claimed, ({ writer }) => writer.append({ a: 2 } as never), 'ERR_INVALID_ARG_TYPE', message);
    expectRefused(claimed, ({ writer }) => writer.appendBatch(columns), 'ERR_INVALID_ARG_TYPE', message);
    expectRefused(
      tradeLog(2),
      ({ writer }) => writer.append([] as never),
      'ERR_INVALID_ARG_TYPE',
      /field at must/,
    );
  });
});

describe('appendBatch() of a log of records', () => {
  const forms: [string, (begin: number, end: number) => Entries<Trade>][] = [
    ['an array', trades],
    ['a generator', (begin, end) => trades(begin, end).values()],
    ['columns', tradeColumns],
    [
      'columns without a prototype',
      (begin, end) => Object.assign(Object.create(null), tradeColumns(begin, end)),
    ],
  ];

  test.each(forms)('takes %s of every length, from every position in a segment', (_name, make) => {
    for (let before = 0; before <= 5; ++before) {
      for (const length of [0, 1, 4, 5, 13, 40]) {
        const { writer, log } = tradeLog(before);
        expect(writer.appendBatch(make(before, before + length))).toBe(before);
        const end = before + length;
        expect(entriesOf(log)).toEqual(trades(log.firstIndex, end));
        expect(log.stats().rolls).toBe(Math.max(0, Math.ceil(end / 4) - 1));
      }
    }
  });

  test('columns of the log itself, chunk by chunk', () => {
    const { writer, log } = tradeLog(3);
    using snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    const columns = { at: chunk!.column('at'), price: chunk!.column('price'), size: chunk!.column('size') };
    for (let i = 0; i < 3; ++i) writer.appendBatch(columns);
    expect(entriesOf(log)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2].map(trade));
  });

  test.each<[string, (columns: Record<string, unknown>) => Record<string, unknown>, RegExp]>([
    ['one that is longer', (c) => ({ ...c, size: new Uint16Array(7) }), /at has 6, size has 7/],
    ['one that is shorter', (c) => ({ ...c, at: new BigInt64Array(5) }), /at has 5, price has 6/],
    ['one that is empty', (c) => ({ ...c, price: new Float64Array(0) }), /at has 6, price has 0/],
  ])('refuses columns of unequal length: %s', (_name, change, message) => {
    const columns = change(tradeColumns(4, 10)) as never;
    expectRefused(tradeLog(4), ({ writer }) => writer.appendBatch(columns), 'ERR_COLUMN_LENGTH', message);
  });

  test.each(['at', 'price', 'size'])('refuses columns without %s', (name) => {
    const columns: Record<string, unknown> = tradeColumns(4, 10);
    delete columns[name];
    const message = new RegExp(`the field "${name}" is missing; every field of the schema needs a value`);
    expectRefused(
      tradeLog(4),
      ({ writer }) => writer.appendBatch(columns as never),
      'ERR_MISSING_FIELD',
      message,
    );
  });

  test('refuses columns that the log does not have', () => {
    const columns = { ...tradeColumns(4, 10), venue: new Uint8Array(6) };
    const message = /no field "venue"; it has at, price, size/;
    expectRefused(tradeLog(4), ({ writer }) => writer.appendBatch(columns), 'ERR_UNKNOWN_FIELD', message);
    expectRefused(
      tradeLog(4),
      ({ writer }) => writer.appendBatch({ price: 1, x: 1 } as never),
      'ERR_UNKNOWN_FIELD',
      /"x"/,
    );
  });

  test.each<[string, unknown]>([
    ['an array', [1, 2, 3, 4, 5, 6]],
    ['a typed array of another kind', new Float32Array(6)],
    ['a typed array of bigints', new BigInt64Array(6)],
    ['a DataView', new DataView(new ArrayBuffer(48))],
    ['an ArrayBuffer', new ArrayBuffer(48)],
    ['a number', 6],
    ['null', null],
    ['an object with the name of the kind', { [Symbol.toStringTag]: 'Float64Array', length: 6 }],
    ['a proxy of the right kind', new Proxy(new Float64Array(6), {})],
  ])('refuses %s as a column', (_name, price) => {
    const columns = { ...tradeColumns(4, 10), price } as never;
    const message = /entries\.price must be a Float64Array/;
    expectRefused(tradeLog(4), ({ writer }) => writer.appendBatch(columns), 'ERR_INVALID_ARG_TYPE', message);
  });

  test('a column of signed values does not pass as one of unsigned values', () => {
    const columns = { ...tradeColumns(4, 10), at: new BigUint64Array(6) };
    const message = /entries\.at must be a BigInt64Array/;
    expectRefused(tradeLog(4), ({ writer }) => writer.appendBatch(columns), 'ERR_INVALID_ARG_TYPE', message);
  });

  test('refuses what is neither', () => {
    for (const entries of [undefined, null, 1, 'trades', () => trades(0, 1)]) {
      const message = /entries must be an iterable or an object of columns/;
      expectRefused(
        tradeLog(4),
        ({ writer }) => writer.appendBatch(entries as never),
        'ERR_INVALID_ARG_TYPE',
        message,
      );
    }
    const numbers = new Float64Array(3) as never;
    const message = /the record must be an object with the fields/;
    expectRefused(tradeLog(4), ({ writer }) => writer.appendBatch(numbers), 'ERR_INVALID_ARG_TYPE', message);
  });

  test('a column may be given twice', () => {
    const claimed = AtomicLog.claimed({ ...SMALL, schema: { a: 'f64', b: 'f64' } });
    const column = Float64Array.from(range(0, 6));
    claimed.writer.appendBatch({ a: column, b: column });
    expect(entriesOf(claimed.log)).toEqual(range(0, 6).map((i) => ({ a: i, b: i })));
  });
});
