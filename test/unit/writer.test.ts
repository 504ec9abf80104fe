import { runInNewContext } from 'node:vm';

import { AtomicLog, type Entries, type Writer } from 'atomic-log';

import { expectError, thrownBy } from '../support/errors';
import {
  bounds,
  entriesOf,
  expectConsistent,
  expectRefused,
  smallLog,
  SMALL,
  valuesByChunk,
  type Claimed,
} from '../support/logs';

interface Trade {
  at: bigint;
  price: number;
  size: number;
}

const tradeSchema = { at: 'i64', price: 'f64', size: 'u16' } as const;

function trade(i: number): Trade {
  return { at: BigInt(i) * 10n, price: i + 0.5, size: i };
}

function tradeLog(count = 0): Claimed<Trade> {
  const claimed = AtomicLog.claimed({ ...SMALL, schema: tradeSchema });
  for (let i = 0; i < count; ++i) claimed.writer.append(trade(i));
  return claimed;
}

function trades(begin: number, end: number): Trade[] {
  return Array.from({ length: end - begin }, (_, i) => trade(begin + i));
}

function tradeColumns(
  begin: number,
  end: number,
): { at: BigInt64Array; price: Float64Array; size: Uint16Array } {
  const entries = trades(begin, end);
  return {
    at: BigInt64Array.from(entries, ({ at }) => at),
    price: Float64Array.from(entries, ({ price }) => price),
    size: Uint16Array.from(entries, ({ size }) => size),
  };
}

function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i);
}

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

describe('typed arrays that lie', () => {
  class Liar extends Float64Array {
    static get [Symbol.species](): never {
      throw new Error('the species must not be consulted');
    }
    override get length(): number {
      return 1_000_000;
    }
    override get byteOffset(): number {
      return 8;
    }
    override get byteLength(): number {
      return 8_000_000;
    }
    override get buffer(): ArrayBuffer {
      return new ArrayBuffer(8);
    }
    override get [Symbol.toStringTag](): never {
      return 'Int8Array' as never;
    }
    override subarray(): never {
      throw new Error('subarray must not be called');
    }
    override [Symbol.iterator](): never {
      throw new Error('a typed array of the own kind must not be iterated');
    }
  }

  test.each([0, 3, 4, 11])(
    'a subclass with wrong answers about itself is copied as it is (%p entries)',
    (length) => {
      const { writer, log } = smallLog(1);
      const source = new Liar(length);
      for (let i = 0; i < length; ++i) source[i] = i + 2;
      expect(writer.appendBatch(source)).toBe(1);
      expect(log.endIndex).toBe(length + 1);
      expect(entriesOf(log)).toEqual(range(log.firstIndex + 1, length + 2));
    },
  );

  test('own properties do not mislead either', () => {
    const { writer, log } = smallLog(1);
    const source = Float64Array.of(2, 3);
    for (const key of ['length', 'byteOffset', 'byteLength', 'buffer', 'constructor']) {
      Object.defineProperty(source, key, {
        get() {
          throw new Error(`${key} must not be read`);
        },
      });
    }
    expect(writer.appendBatch(source)).toBe(1);
    expect(entriesOf(log)).toEqual([1, 2, 3]);
  });

  test('the name of another kind does not make it the own kind', () => {
    class Renamed extends Uint8Array {
      override get [Symbol.toStringTag](): never {
        return 'Float64Array' as never;
      }
    }
    const { writer, log } = smallLog();
    writer.appendBatch(Renamed.of(1, 2, 3));
    expect(entriesOf(log)).toEqual([1, 2, 3]);
    const fake = {
      [Symbol.toStringTag]: 'Float64Array',
      length: 3,
      buffer: new ArrayBuffer(24),
      byteOffset: 0,
    };
    expectError(() => writer.appendBatch(fake as never), 'ERR_INVALID_ARG_TYPE', /must be an iterable/);
  });

  test('a proxy of a typed array is no typed array; its exception passes through', () => {
    const claimed = smallLog(1);
    const proxy = new Proxy(Float64Array.of(2, 3), {});
    // The iterator of typed arrays refuses the proxy by itself.
    expect(thrownBy(() => claimed.writer.appendBatch(proxy))).toBeInstanceOf(TypeError);
    expect(entriesOf(claimed.log)).toEqual([1]);
  });

  test('columns of a lying subclass are copied as they are', () => {
    class LyingColumn extends Uint16Array {
      override get length(): number {
        return 2;
      }
      override subarray(): never {
        throw new Error('subarray must not be called');
      }
    }
    const { writer, log } = tradeLog();
    const columns = tradeColumns(0, 9);
    expect(writer.appendBatch({ ...columns, size: new LyingColumn(columns.size) })).toBe(0);
    expect(log.endIndex).toBe(9);
    expect(entriesOf(log)).toEqual(trades(0, 9));
  });
});

describe('typed arrays from elsewhere', () => {
  const fromRealm = (source: string): never => runInNewContext(source) as never;

  test('of another realm are known by their kind', () => {
    const { writer, log } = smallLog();
    expect(writer.appendBatch(fromRealm('Float64Array.of(1, 2, 3)'))).toBe(0);
    expect(writer.appendBatch(fromRealm('Float64Array.of(4, 5, 6, 7, 8, 9)'))).toBe(3);
    expect(writer.appendBatch(fromRealm('Int8Array.of(10, 11)'))).toBe(9);
    expect(writer.appendBatch(fromRealm('[12]'))).toBe(11);
    expect(writer.appendBatch(fromRealm('new Set([13])'))).toBe(12);
    expect(entriesOf(log)).toEqual(range(5, 14));
    const message = /entries\[0\] must be a number/;
    expectError(() => writer.appendBatch(fromRealm('["x"]')), 'ERR_INVALID_ARG_TYPE', message);
  });

  test('records and columns of another realm are taken too', () => {
    const { writer, log } = tradeLog();
    writer.append(fromRealm('({ at: 0n, price: 0.5, size: 0 })'));
    const source = `({
      at: BigInt64Array.of(10n, 20n), price: Float64Array.of(1.5, 2.5), size: Uint16Array.of(1, 2),
    })`;
    expect(writer.appendBatch(fromRealm(source))).toBe(1);
    expect(entriesOf(log)).toEqual(trades(0, 3));
  });

  test('a Buffer is a typed array of bytes', () => {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 16, segmentCapacity: 4, type: 'u8' });
    expect(writer.appendBatch(Buffer.from('hello, world'))).toBe(0);
    expect(Buffer.from(entriesOf(log)).toString()).toBe('hello, world');
  });

  test('shared memory is copied like any other', () => {
    const { writer, log } = smallLog();
    const source = new Float64Array(new SharedArrayBuffer(80), 16, 7);
    source.set(range(1, 8));
    expect(writer.appendBatch(source)).toBe(0);
    expect(entriesOf(log)).toEqual(range(1, 8));
    const columns = {
      at: new BigInt64Array(new SharedArrayBuffer(8)),
      price: new Float64Array(1),
      size: new Uint16Array(1),
    };
    const records = tradeLog();
    records.writer.appendBatch(columns);
    expect(entriesOf(records.log)).toEqual([{ at: 0n, price: 0, size: 0 }]);
  });

  interface Resizable extends ArrayBuffer {
    resize(bytes: number): void;
  }
  const resizable = (bytes: number, maxByteLength: number): Resizable =>
    new (ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable)(bytes, {
      maxByteLength,
    });

  test('a length-tracking array has the length that its buffer has now', () => {
    const { writer, log } = smallLog();
    const buffer = resizable(16, 800);
    const tracking = new Float64Array(buffer);
    tracking.set([1, 2]);
    expect(writer.appendBatch(tracking)).toBe(0);
    buffer.resize(80);
    tracking.set(range(3, 13));
    expect(writer.appendBatch(tracking)).toBe(2);
    buffer.resize(8);
    expect(writer.appendBatch(tracking)).toBe(12);
    expect(entriesOf(log)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 3].slice(-(log.endIndex - log.firstIndex)));
    buffer.resize(0);
    expect(writer.appendBatch(tracking)).toBe(13);
    expect(log.endIndex).toBe(13);
  });

  test('a growable SharedArrayBuffer is read as long as it is now', () => {
    interface Growable extends SharedArrayBuffer {
      grow(bytes: number): void;
    }
    const buffer = new (SharedArrayBuffer as unknown as new (bytes: number, options: object) => Growable)(8, {
      maxByteLength: 80,
    });
    const tracking = new Float64Array(buffer);
    const { writer, log } = smallLog();
    tracking.fill(1);
    writer.appendBatch(tracking);
    buffer.grow(48);
    tracking.fill(2);
    writer.appendBatch(tracking);
    expect(entriesOf(log)).toEqual([1, 2, 2, 2, 2, 2, 2]);
  });

  const detached = <A extends ArrayBufferView>(array: A): A => {
    structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
    expect(array.byteLength).toBe(0);
    return array;
  };

  // A detached source has lost its entries: whether it counts as empty or is
  // refused, the error must be one of this package and nothing may change.
  const expectNoEntriesOrRefused = <T>(claimed: Claimed<T>, run: (writer: Writer<T>) => number): void => {
    const next = claimed.writer.nextIndex;
    const before = entriesOf(claimed.log);
    try {
      expect(run(claimed.writer)).toBe(next);
    } catch (error) {
      expect((error as { code?: unknown }).code).toMatch(/^ERR_/);
    }
    expect(entriesOf(claimed.log)).toEqual(before);
    expect(claimed.writer.nextIndex).toBe(next);
    expect(claimed.log.stats().rolls).toBe(0);
  };

  test.each([0, 2, 4])('a detached array of the own kind, with %p entries in the head', (count) => {
    expectNoEntriesOrRefused(smallLog(count), (writer) => writer.appendBatch(detached(new Float64Array(3))));
  });

  test.each([0, 2, 4])('a detached array of another kind, with %p entries in the head', (count) => {
    expectNoEntriesOrRefused(smallLog(count), (writer) => writer.appendBatch(detached(new Int32Array(3))));
  });

  test.each([0, 2, 4])(
    'an array that its buffer has become too short for, with %p entries in the head',
    (count) => {
      const buffer = resizable(32, 32);
      const array = new Float64Array(buffer, 8, 2);
      buffer.resize(8);
      expectNoEntriesOrRefused(smallLog(count), (writer) => writer.appendBatch(array));
    },
  );

  test('detached columns', () => {
    const columns = tradeColumns(0, 3);
    for (const column of Object.values(columns)) detached(column);
    expectNoEntriesOrRefused(tradeLog(2), (writer) => writer.appendBatch(columns));
  });

  test('one detached column among others is a batch of unequal columns', () => {
    const columns = tradeColumns(0, 3);
    detached(columns.price);
    const message = /must be of one length; at has 3, price has 0/;
    expectRefused(tradeLog(2), ({ writer }) => writer.appendBatch(columns), 'ERR_COLUMN_LENGTH', message);
  });
});

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
