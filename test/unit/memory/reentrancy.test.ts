/**
 * Getters, iterators and proxies run user code in the middle of append(),
 * write() and appendBatch(). Whatever that code does to the log, indexes stay
 * contiguous, what is stored is right, and errors are coded.
 */
import { AtomicLog, type Entries, type Snapshot, type Writer } from 'atomic-log';

import { expectError, thrownBy } from '../../support/errors';
import {
  bounds,
  entriesOf,
  expectConsistent,
  range,
  SMALL,
  smallLog,
  stateOf,
  type Claimed,
} from '../../support/logs';
import { detach } from '../../support/memory';

const closedWriter = /the writer is closed; claim a new one/;

/** An iterable that runs `act` before it yields the value at that position. */
function* acting<V>(values: readonly V[], at: number, act: () => unknown): Generator<V> {
  for (let i = 0; i < values.length; ++i) {
    if (i === at) act();
    yield values[i]!;
  }
  if (at === values.length) act();
}

describe('an iterable given to appendBatch()', () => {
  const ten = range(100, 110);

  test.each([0, 1, 5, 10])('may append: its entries come first, wherever it does so (%p)', (at) => {
    for (let before = 0; before <= 5; ++before) {
      const { writer, log } = smallLog(before);
      const batch = acting(ten, at, () => expect(writer.append(-1)).toBe(before));
      expect(writer.appendBatch(batch)).toBe(before + 1);
      const expected = [...range(1, before + 1), -1, ...ten];
      expect(writer.nextIndex).toBe(before + 11);
      expect(entriesOf(log)).toEqual(expected.slice(log.firstIndex));
      expectConsistent(log);
    }
  });

  test('may append at every step, over many segments', () => {
    const { writer, log } = smallLog();
    function* batch(): Generator<number> {
      for (let i = 0; i < 25; ++i) {
        writer.append(i);
        writer.appendBatch([i, i]);
        writer.appendBatch(Float64Array.of(i, i, i));
        yield 100 + i;
      }
    }
    expect(writer.appendBatch(batch())).toBe(150);
    expect(bounds(log)).toEqual([164, 175]);
    expect(entriesOf(log)).toEqual(range(114, 125));
  });

  test('may stage: what it staged is published first', () => {
    const { writer, log } = smallLog(1);
    const batch = acting([3, 4], 1, () => expect(writer.write(2)).toBe(1));
    expect(writer.appendBatch(batch)).toBe(2);
    expect(entriesOf(log)).toEqual([1, 2, 3, 4]);
  });

  test('may give a batch that gives a batch', () => {
    const { writer, log } = smallLog();
    const nested = (depth: number): Generator<number> =>
      acting([depth, depth], 1, () => {
        if (depth < 4) writer.appendBatch(nested(depth + 1));
      });
    expect(writer.appendBatch(nested(0))).toBe(8);
    expect(entriesOf(log)).toEqual([4, 4, 3, 3, 2, 2, 1, 1, 0, 0]);
  });

  test.each([0, 1, 10])('may close the writer: nothing of the batch is stored (%p)', (at) => {
    for (let before = 0; before <= 5; ++before) {
      const { writer, log } = smallLog(before);
      writer.write(-1);
      const close = (): void => writer.close();
      expectError(() => writer.appendBatch(acting(ten, at, close)), 'ERR_WRITER_CLOSED', closedWriter);
      expect(log.isWriterClaimed).toBe(false);
      expect(entriesOf(log)).toEqual(range(1, before + 1));
      using next = log.tryClaimWriter()!;
      expect(next.append(before + 1)).toBe(before);
      expectConsistent(log);
    }
  });

  test('may close the writer although it is empty', () => {
    const { writer } = smallLog();
    const batch = acting<number>([], 0, () => writer.close());
    expectError(() => writer.appendBatch(batch), 'ERR_WRITER_CLOSED', closedWriter);
  });

  test('may hand the claim to another writer: only that one stores', () => {
    const { writer, log } = smallLog(3);
    let next: Writer<number> | null = null;
    const batch = acting(ten, 5, () => {
      writer.close();
      next = log.tryClaimWriter();
      next!.appendBatch([4, 5, 6]);
    });
    expectError(() => writer.appendBatch(batch), 'ERR_WRITER_CLOSED', closedWriter);
    expect(next!.append(7)).toBe(6);
    expect(entriesOf(log)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expectConsistent(log);
  });

  test('may close the log: the batch is stored nevertheless', () => {
    const { writer, log } = smallLog(3);
    using snapshot = log.snapshot();
    expect(writer.appendBatch(acting(ten, 5, () => log.close()))).toBe(3);
    expect(snapshot.refresh()).toEqual({ appended: 9, lost: 1 });
    expect([...snapshot]).toEqual(ten.slice(1));
  });

  test('may take, refresh, extend and close snapshots', () => {
    const { writer, log } = smallLog(3);
    const kept: Snapshot<number>[] = [];
    const batch = acting(ten, 5, () => {
      writer.append(4);
      kept.push(log.snapshot());
      writer.append(5);
      kept.push(kept[0]!.clone(), log.snapshot());
      kept[1]!.extend();
      log.snapshot().close();
    });
    expect(writer.appendBatch(batch)).toBe(5);
    expect(kept.map((snapshot) => [...snapshot])).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
    ]);
    for (const snapshot of kept) snapshot.close();
    expectConsistent(log);
  });

  test('may be a snapshot of the same log', () => {
    const { writer, log } = smallLog(3);
    using snapshot = log.snapshot();
    expect(writer.appendBatch(snapshot)).toBe(3);
    expect(writer.appendBatch(snapshot)).toBe(6);
    expect(entriesOf(log)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  test('may turn out bad after it has appended: only its own appends stay', () => {
    const { writer, log } = smallLog(3);
    const batch = acting([1, 'x' as never], 1, () => writer.appendBatch([4, 5]));
    expectError(() => writer.appendBatch(batch), 'ERR_INVALID_ARG_TYPE', /entries\[1\] must be a number/);
    expect(entriesOf(log)).toEqual([1, 2, 3, 4, 5]);
    expect(writer.nextIndex).toBe(5);
  });

  test.each([new Error('mine'), 'a string', undefined, null, 0])(
    'may throw %p, which passes through',
    (thrown) => {
      const claimed = smallLog(3);
      claimed.writer.write(4);
      const before = stateOf(claimed);
      const batch = acting(ten, 5, () => {
        throw thrown;
      });
      let caught: unknown = 'nothing was thrown';
      try {
        claimed.writer.appendBatch(batch);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBe(thrown);
      expect(stateOf(claimed)).toEqual(before);
      expect(claimed.writer.append(5)).toBe(4);
      expect(entriesOf(claimed.log)).toEqual([1, 2, 3, 4, 5]);
    },
  );

  test('may do all that in the getter of its Symbol.iterator, or in its iterator', () => {
    const { writer, log } = smallLog(1);
    let reads = 0;
    const batch = {
      get [Symbol.iterator]() {
        // The library may look more than once.
        if (reads++ === 0) writer.append(2);
        return () => {
          writer.append(3);
          return {
            next() {
              writer.close();
              return { done: true as const, value: undefined };
            },
          };
        };
      },
    };
    expectError(() => writer.appendBatch(batch as Iterable<number>), 'ERR_WRITER_CLOSED', closedWriter);
    expect(entriesOf(log)).toEqual([1, 2, 3]);
  });

  test('with a throwing Symbol.iterator, or a broken one, changes nothing', () => {
    const claimed = smallLog(3);
    const before = stateOf(claimed);
    const failure = new Error('mine');
    const throwing = {
      get [Symbol.iterator](): never {
        throw failure;
      },
    };
    expect(thrownBy(() => claimed.writer.appendBatch(throwing))).toBe(failure);
    for (const result of [undefined, 1, {}, { next: 1 }, { next: () => 1 }]) {
      // The language itself refuses these; the error is its own.
      const broken = { [Symbol.iterator]: () => result } as never;
      expect(thrownBy(() => claimed.writer.appendBatch(broken))).toBeInstanceOf(TypeError);
    }
    expect(stateOf(claimed)).toEqual(before);
  });
});

interface Pair {
  a: number;
  b: bigint;
  c: number;
}

const schema = { a: 'f64', b: 'i64', c: 'u8' } as const;

function pair(i: number): Pair {
  return { a: i, b: BigInt(i), c: i };
}

function pairs(begin: number, end: number): Pair[] {
  return range(begin, end).map(pair);
}

function pairLog(count = 0): Claimed<Pair> {
  const claimed = AtomicLog.claimed({ ...SMALL, schema });
  for (let i = 0; i < count; ++i) claimed.writer.append(pair(i));
  return claimed;
}

/** A record like `pair(i)` that runs `act` when `field` is read. */
function actingPair(i: number, field: keyof Pair, act: () => unknown): Pair {
  const value = pair(i)[field];
  return Object.defineProperty(pair(i), field, {
    enumerable: true,
    get() {
      act();
      return value;
    },
  });
}

// Every way by which a record reaches the log. Each stores one entry and
// returns its index.
const ways: [string, (writer: Writer<Pair>, record: Pair) => number][] = [
  ['append()', (writer, record) => writer.append(record)],
  ['write()', (writer, record) => writer.write(record)],
  ['appendBatch()', (writer, record) => writer.appendBatch([record])],
];

describe.each(ways)('a getter of a record given to %s', (_name, give) => {
  const fields = ['a', 'b', 'c'] as const;

  test.each(fields)('may append (%s): its entry comes first', (field) => {
    for (let before = 0; before <= 5; ++before) {
      const { writer, log } = pairLog(before);
      const record = actingPair(before + 1, field, () => expect(writer.append(pair(before))).toBe(before));
      expect(give(writer, record)).toBe(before + 1);
      writer.publish();
      expect(entriesOf(log)).toEqual(pairs(0, before + 2));
      expectConsistent(log);
    }
  });

  test.each(fields)('may roll many segments (%s)', (field) => {
    const { writer, log } = pairLog(3);
    const record = actingPair(63, field, () => writer.appendBatch(pairs(3, 63)));
    expect(give(writer, record)).toBe(63);
    writer.publish();
    expect(entriesOf(log)).toEqual(pairs(log.firstIndex, 64));
  });

  test('may append in every field, and those getters too', () => {
    const { writer, log } = pairLog();
    let next = 0;
    const nested = (depth: number): Pair => {
      const act = (): void => {
        if (depth > 0) give(writer, nested(depth - 1));
        else writer.append(pair(next++));
      };
      // The values are those of the place it gets: one after what its getters store.
      return {
        get a() {
          act();
          return next;
        },
        get b() {
          return BigInt(next);
        },
        get c() {
          return next++;
        },
      };
    };
    for (let depth = 0; depth <= 4; ++depth) give(writer, nested(depth));
    writer.publish();
    expect(writer.nextIndex).toBe(next);
    expect(entriesOf(log)).toEqual(pairs(log.firstIndex, next));
    expectConsistent(log);
  });

  test.each(fields)('may close the writer (%s): the record is not stored', (field) => {
    for (let before = 0; before <= 5; ++before) {
      const { writer, log } = pairLog(before);
      const record = actingPair(before, field, () => writer.close());
      expectError(() => give(writer, record), 'ERR_WRITER_CLOSED', closedWriter);
      expect(entriesOf(log)).toEqual(pairs(0, before));
      using next = log.tryClaimWriter()!;
      expect(next.append(pair(before))).toBe(before);
      expectConsistent(log);
    }
  });

  test('may hand the claim to another writer: only that one stores', () => {
    const { writer, log } = pairLog(3);
    let next: Writer<Pair> | null = null;
    const record = actingPair(99, 'b', () => {
      writer.close();
      next = log.tryClaimWriter();
      next!.appendBatch(pairs(3, 6));
    });
    expectError(() => give(writer, record), 'ERR_WRITER_CLOSED', closedWriter);
    expect(next!.append(pair(6))).toBe(6);
    expect(entriesOf(log)).toEqual(pairs(0, 7));
  });

  test('may close the log: the record is stored nevertheless', () => {
    const { writer, log } = pairLog(3);
    using snapshot = log.snapshot();
    expect(
      give(
        writer,
        actingPair(3, 'c', () => log.close()),
      ),
    ).toBe(3);
    writer.publish();
    snapshot.refresh();
    expect([...snapshot]).toEqual(pairs(0, 4));
  });

  test('may take snapshots, and detach what they show', () => {
    const { writer, log } = pairLog(3);
    const record = actingPair(3, 'b', () => {
      using snapshot = log.snapshot();
      expect([...snapshot]).toEqual(pairs(0, 3));
      detach(snapshot.chunks()[0]!.column('a').buffer);
      snapshot.extend();
    });
    expect(give(writer, record)).toBe(3);
    writer.publish();
    expect(entriesOf(log)).toEqual(pairs(0, 4));
  });

  test('may throw, which passes through, and nothing is stored', () => {
    const claimed = pairLog(3);
    claimed.writer.write(pair(3));
    const before = stateOf(claimed);
    const failure = new Error('mine');
    for (const field of fields) {
      const record = actingPair(99, field, () => {
        throw failure;
      });
      expect(thrownBy(() => give(claimed.writer, record))).toBe(failure);
    }
    expect(stateOf(claimed)).toEqual(before);
    expect(give(claimed.writer, pair(4))).toBe(4);
    claimed.writer.publish();
    expect(entriesOf(claimed.log)).toEqual(pairs(0, 5));
  });

  test('may give a value that does not fit after it has appended: only that append stays', () => {
    const { writer, log } = pairLog(3);
    const record = {
      ...pair(9),
      get c() {
        writer.append(pair(3));
        return 256;
      },
    };
    expectError(
      () => give(writer, record),
      'ERR_OUT_OF_RANGE',
      /the field c must be an integer from 0 to 255/,
    );
    expect(give(writer, pair(4))).toBe(4);
    writer.publish();
    expect(entriesOf(log)).toEqual(pairs(0, 5));
  });
});

describe.each(ways)('a proxy given to %s', (_name, give) => {
  test.each(['ownKeys', 'getOwnPropertyDescriptor', 'get'] as const)('may append in its trap %s', (trap) => {
    const { writer, log } = pairLog(3);
    let runs = 0;
    const record = new Proxy(pair(4), {
      [trap](...parameters: never) {
        if (runs++ === 0) writer.append(pair(3));
        return (Reflect[trap] as (...parameters: never) => unknown)(...(parameters as never[] as never));
      },
    });
    expect(give(writer, record)).toBe(4);
    writer.publish();
    expect(runs).toBeGreaterThan(0);
    expect(entriesOf(log)).toEqual(pairs(0, 5));
  });

  test.each(['ownKeys', 'getOwnPropertyDescriptor', 'get'] as const)(
    'may close the writer in its trap %s',
    (trap) => {
      const { writer, log } = pairLog(4);
      const record = new Proxy(pair(4), {
        [trap](...parameters: never) {
          writer.close();
          return (Reflect[trap] as (...parameters: never) => unknown)(...(parameters as never[] as never));
        },
      });
      expectError(() => give(writer, record), 'ERR_WRITER_CLOSED', closedWriter);
      expect(entriesOf(log)).toEqual(pairs(0, 4));
      expect(log.stats().rolls).toBe(0);
    },
  );

  test.each(['ownKeys', 'getOwnPropertyDescriptor', 'get'] as const)('may throw in its trap %s', (trap) => {
    const claimed = pairLog(4);
    const before = stateOf(claimed);
    const failure = new Error('mine');
    const record = new Proxy(pair(4), {
      [trap]() {
        throw failure;
      },
    });
    expect(thrownBy(() => give(claimed.writer, record))).toBe(failure);
    expect(stateOf(claimed)).toEqual(before);
  });
});

describe('columns given to appendBatch()', () => {
  const columns = (begin: number, end: number): { a: Float64Array; b: BigInt64Array; c: Uint8Array } => ({
    a: Float64Array.from(range(begin, end)),
    b: BigInt64Array.from(range(begin, end), BigInt),
    c: Uint8Array.from(range(begin, end)),
  });

  /** Columns that run `act` when `field` is read. */
  function actingColumns(begin: number, end: number, field: keyof Pair, act: () => unknown): Entries<Pair> {
    const result = columns(begin, end);
    const column = result[field];
    return Object.defineProperty(result, field, {
      enumerable: true,
      get() {
        act();
        return column;
      },
    });
  }

  test.each(['a', 'b', 'c'] as const)('may append in the getter of %s', (field) => {
    for (let before = 0; before <= 5; ++before) {
      const { writer, log } = pairLog(before);
      const batch = actingColumns(before + 6, before + 12, field, () =>
        expect(writer.appendBatch(columns(before, before + 6))).toBe(before),
      );
      expect(writer.appendBatch(batch)).toBe(before + 6);
      expect(entriesOf(log)).toEqual(pairs(log.firstIndex, before + 12));
      expectConsistent(log);
    }
  });

  test.each([0, 6])('may close the writer in a getter (%p entries)', (length) => {
    const { writer, log } = pairLog(3);
    const batch = actingColumns(3, 3 + length, 'c', () => writer.close());
    expectError(() => writer.appendBatch(batch), 'ERR_WRITER_CLOSED', closedWriter);
    expect(entriesOf(log)).toEqual(pairs(0, 3));
  });

  test('may close the log in a getter', () => {
    const { writer, log } = pairLog(3);
    using snapshot = log.snapshot();
    expect(writer.appendBatch(actingColumns(3, 9, 'b', () => log.close()))).toBe(3);
    snapshot.refresh();
    expect([...snapshot]).toEqual(pairs(0, 9));
  });

  test('may detach a column that was read before: the lengths differ then', () => {
    const claimed = pairLog(3);
    const before = stateOf(claimed);
    const batch = columns(3, 9);
    const { a, c } = batch;
    Object.defineProperty(batch, 'c', {
      enumerable: true,
      get() {
        structuredClone(a.buffer, { transfer: [a.buffer as ArrayBuffer] });
        return c;
      },
    });
    const message = /must be of one length; a has 0, b has 6/;
    expectError(() => claimed.writer.appendBatch(batch), 'ERR_COLUMN_LENGTH', message);
    expect(stateOf(claimed)).toEqual(before);
  });

  test('may shorten a column that was read before: the lengths differ then', () => {
    interface Resizable extends ArrayBuffer {
      resize(bytes: number): void;
    }
    const claimed = pairLog(3);
    const before = stateOf(claimed);
    const buffer = new (ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable)(48, {
      maxByteLength: 48,
    });
    const { b, c } = columns(3, 9);
    const batch = {
      a: new Float64Array(buffer),
      b,
      get c() {
        buffer.resize(8);
        return c;
      },
    };
    expectError(() => claimed.writer.appendBatch(batch), 'ERR_COLUMN_LENGTH', /a has 1, b has 6/);
    expect(stateOf(claimed)).toEqual(before);
  });

  test('may throw in a getter, which passes through', () => {
    const claimed = pairLog(3);
    const before = stateOf(claimed);
    const failure = new Error('mine');
    const batch = actingColumns(3, 9, 'b', () => {
      throw failure;
    });
    expect(thrownBy(() => claimed.writer.appendBatch(batch))).toBe(failure);
    expect(stateOf(claimed)).toEqual(before);
  });

  test('may be a proxy that appends in every trap', () => {
    const { writer, log } = pairLog();
    let next = 0;
    const batch = new Proxy(
      {},
      {
        ownKeys() {
          writer.append(pair(next++));
          return ['a', 'b', 'c'];
        },
        getOwnPropertyDescriptor() {
          writer.append(pair(next++));
          return { enumerable: true, configurable: true };
        },
        get(_target, key) {
          if (key === Symbol.iterator) return undefined;
          writer.append(pair(next++));
          // The place of the batch is known only once everything was read.
          return { a: Float64Array.of(200), b: BigInt64Array.of(200n), c: Uint8Array.of(200) }[
            key as keyof Pair
          ];
        },
      },
    ) as Entries<Pair>;
    expect(writer.appendBatch(batch)).toBe(next);
    expect(next).toBeGreaterThan(3);
    expect(entriesOf(log)).toEqual([...pairs(log.firstIndex, next), pair(200)]);
    expectConsistent(log);
  });
});

test('records of a batch may append while they are read: the batch stays together', () => {
  const { writer, log } = pairLog();
  const batch = [3, 4, 5].map((i, k) => actingPair(i, 'b', () => writer.append(pair(k))));
  expect(writer.appendBatch(batch)).toBe(3);
  expect(entriesOf(log)).toEqual(pairs(0, 6));
});

test('options may use other logs while they are read', () => {
  const { writer, log } = smallLog(3);
  const made = new AtomicLog({
    retainedCapacity: 8,
    get segmentCapacity() {
      writer.append(4);
      log.snapshot().close();
      return 4;
    },
  });
  expect(bounds(made)).toEqual([0, 0]);
  expect(entriesOf(log)).toEqual([1, 2, 3, 4]);
});

describe('a codec that latest() asks', () => {
  test.each<[string, (log: AtomicLog<string>, writer: Writer<string>) => void, string | undefined]>([
    [
      'may have the writer go on for many segments',
      (_, writer) => range(0, 50).forEach((i) => writer.append(`z${i}`)),
      'z49',
    ],
    ['may ask again', (log) => expect(log.latest()).toBe('a9'), 'a9'],
    ['may close the log', (log) => log.close(), undefined],
  ])('%s', (_, act, after) => {
    let next: (() => void) | undefined;
    const codec = {
      name: 'acting',
      encode: (value: string) => Buffer.from(value),
      decode: (bytes: Uint8Array) => {
        const run = next;
        next = undefined;
        run?.();
        return Buffer.from(bytes).toString();
      },
    };
    const size = { retainedCapacity: 8, segmentCapacity: 4, dataBytes: 1024 };
    const { log, writer } = AtomicLog.claimed<string>({ ...size, codec });
    range(0, 10).forEach((i) => writer.append(`a${i}`));
    next = () => act(log, writer);
    expect(log.latest()).toBe('a9');
    if (after === undefined) expectError(() => log.latest(), 'ERR_LOG_CLOSED', /closed/);
    else expect(log.latest()).toBe(after);
  });
});
