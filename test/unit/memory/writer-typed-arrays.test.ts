// Typed arrays as batches: of other realms, shared, resized, detached, and lying.
import { runInNewContext } from 'node:vm';

import { AtomicLog, type Writer } from 'atomic-log';

import { expectError, thrownBy } from '../../support/errors';
import { entriesOf, expectRefused, range, smallLog, type Claimed } from '../../support/logs';
import { tradeColumns, tradeLog, trades } from '../../support/trades';

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
