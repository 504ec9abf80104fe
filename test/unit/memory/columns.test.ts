/** A column read across segments: copyInto() and lowerBound(), which speak absolute indexes. */
import { AtomicLog, json, utf8, type Snapshot } from 'atomic-log';
import fc from 'fast-check';

import { expectError } from '../../support/errors';
import { range, SMALL } from '../../support/logs';

/** Entry i is i; the window begins after index 0. */
function numbers(count = 23): Snapshot<number> {
  const { writer, log } = AtomicLog.claimed(SMALL);
  for (let i = 0; i < count; ++i) writer.append(i);
  return log.snapshot();
}

/** Entry i has the time i, in three sorts of field. */
function records(count = 23): Snapshot<{ t: bigint; x: number; name: string; raw: Uint8Array }> {
  const schema = { t: 'i64', x: 'f64', name: 'utf8', raw: 'bytes' } as const;
  const { writer, log } = AtomicLog.claimed({ ...SMALL, schema });
  for (let i = 0; i < count; ++i) {
    writer.append({ t: BigInt(i), x: i, name: String(i).padStart(3, '0'), raw: new Uint8Array(1) });
  }
  return log.snapshot();
}

describe('copyInto()', () => {
  test('without a range: the newest that fit', () => {
    using snapshot = numbers();
    const { firstIndex, endIndex, length } = snapshot;
    expect(firstIndex).toBeGreaterThan(0);
    const small = new Float64Array(6);
    expect(snapshot.copyInto(small)).toBe(6);
    expect([...small]).toEqual(range(endIndex - 6, endIndex));
    const large = new Float64Array(20).fill(-1);
    expect(snapshot.copyInto(large)).toBe(length);
    expect([...large.subarray(0, length + 1)]).toEqual([...range(firstIndex, endIndex), -1]);
    expect(snapshot.copyInto(new Float64Array(0))).toBe(0);
  });

  test('a column: its name comes first', () => {
    using snapshot = records();
    const { firstIndex, endIndex } = snapshot;
    const times = new BigInt64Array(3);
    expect(snapshot.copyInto('t', times)).toBe(3);
    expect([...times].map(Number)).toEqual(range(endIndex - 3, endIndex));
    const numbersOf = new Float64Array(5);
    expect(snapshot.copyInto('x', numbersOf, firstIndex + 1, firstIndex + 4)).toBe(3);
    expect([...numbersOf]).toEqual([...range(firstIndex + 1, firstIndex + 4), 0, 0]);
  });

  test('every range of absolute indexes, into targets of every length', () => {
    using snapshot = numbers();
    const { firstIndex, endIndex } = snapshot;
    for (const from of range(firstIndex, endIndex + 1)) {
      for (const to of range(from, endIndex + 1)) {
        for (const room of [0, 1, 4, 5, 20]) {
          const target = new Float64Array(room).fill(-1);
          const count = Math.min(room, to - from);
          expect(snapshot.copyInto(target, from, to)).toBe(count);
          expect([...target]).toEqual([
            ...range(from, from + count),
            ...Array<number>(room - count).fill(-1),
          ]);
        }
      }
    }
    const newest = new Float64Array(3);
    expect(snapshot.copyInto(newest, undefined, endIndex - 2)).toBe(3);
    expect([...newest]).toEqual(range(endIndex - 5, endIndex - 2));
    expect(snapshot.copyInto(new Float64Array(20), endIndex - 2)).toBe(2);
  });

  test('goes on where it stopped, over a window larger than the target', () => {
    using snapshot = numbers();
    const part = new Float64Array(3);
    const seen: number[] = [];
    for (let next = snapshot.firstIndex; next < snapshot.endIndex;) {
      const count = snapshot.copyInto(part, next);
      seen.push(...part.subarray(0, count));
      next += count;
    }
    expect(seen).toEqual([...snapshot]);
  });

  test('a range that the snapshot does not hold is refused, and says what to do; nothing is copied', () => {
    using snapshot = numbers();
    const { firstIndex, endIndex } = snapshot;
    const target = new Float64Array(3).fill(-1);
    const copy =
      (from?: unknown, to?: unknown): (() => unknown) =>
      () =>
        snapshot.copyInto(target, from as number, to as number);
    const held = `must be an index from ${firstIndex} to ${endIndex}, which the snapshot holds; got`;
    const gone = new RegExp(
      `^from ${held} ${firstIndex - 1}; what is before has left .*snapshot\\.firstIndex`,
    );
    const ahead = new RegExp(`^to ${held} ${endIndex + 1}; refresh\\(\\) the snapshot`);
    expectError(copy(firstIndex - 1), 'ERR_OUT_OF_RANGE', gone);
    expectError(copy(-1), 'ERR_OUT_OF_RANGE', /^from must be an index/);
    expectError(copy(endIndex + 1), 'ERR_OUT_OF_RANGE', /^from must be an index .* refresh/);
    expectError(copy(undefined, endIndex + 1), 'ERR_OUT_OF_RANGE', ahead);
    expectError(copy(undefined, firstIndex - 1), 'ERR_OUT_OF_RANGE', /^to must be an index/);
    expectError(
      copy(endIndex, endIndex - 1),
      'ERR_OUT_OF_RANGE',
      /^from must be at most \d+, where the range/,
    );
    for (const bad of [0.5, NaN, Infinity]) {
      expectError(copy(bad), 'ERR_OUT_OF_RANGE', /^from must be an integer/);
      expectError(copy(undefined, bad), 'ERR_OUT_OF_RANGE', /^to must be an integer/);
    }
    for (const bad of ['15', null, 15n, {}]) {
      expectError(copy(bad), 'ERR_INVALID_ARG_TYPE', /^from must be an integer/);
      expectError(copy(undefined, bad), 'ERR_INVALID_ARG_TYPE', /^to must be an integer/);
    }
    expect([...target]).toEqual([-1, -1, -1]);
    expect(snapshot.copyInto(target, endIndex)).toBe(0);
  });

  test('a target or column that does not fit is refused', () => {
    using snapshot = numbers();
    using named = records();
    for (const bad of [new Float32Array(3), [], 'x', undefined, null, { length: 3 }]) {
      expectError(
        () => snapshot.copyInto(bad as never),
        'ERR_INVALID_ARG_TYPE',
        /^target must be a Float64Array/,
      );
      expectError(
        () => named.copyInto('x', bad as never),
        'ERR_INVALID_ARG_TYPE',
        /^target must be a Float64Array/,
      );
    }
    const target = new Float64Array(3);
    const noField = /^the log has no field "y"; it has t, x, name, raw/;
    expectError(() => named.copyInto('y' as never, target as never), 'ERR_UNKNOWN_FIELD', noField);
    const swapped = /^the name of a field comes first, one of t, x, name, raw; got a Float64Array$/;
    expectError(() => named.copyInto(target as never, 'x' as never), 'ERR_UNKNOWN_FIELD', swapped);
    const variable = /fit no typed array; read them from chunks/;
    expectError(
      () => named.copyInto('raw' as never, new Uint8Array(9) as never),
      'ERR_VARIABLE_SIZE',
      variable,
    );
    const closed = numbers();
    closed.close();
    expectError(() => closed.copyInto(target), 'ERR_SNAPSHOT_CLOSED', /take a new one/);
  });
});

describe('lowerBound()', () => {
  test('is the absolute index of the first entry that is not less', () => {
    using snapshot = records();
    const { firstIndex, endIndex } = snapshot;
    expect(firstIndex).toBeGreaterThan(0);
    for (const t of range(-1, endIndex + 3)) {
      const expected = Math.min(Math.max(t, firstIndex), endIndex);
      expect(snapshot.lowerBound('t', BigInt(t))).toBe(expected);
      expect(snapshot.lowerBound('x', t - 0.5)).toBe(expected);
      if (t >= 0) expect(snapshot.lowerBound('name', String(t).padStart(3, '0'))).toBe(expected);
    }
    using plain = numbers();
    expect(plain.lowerBound(plain.firstIndex + 2)).toBe(plain.firstIndex + 2);
  });

  test('says where chunks(), get(), seek() and copyInto() go on', () => {
    using snapshot = records();
    const t = snapshot.firstIndex + 5;
    const index = snapshot.lowerBound('x', t);
    const values = snapshot.chunks(index).flatMap((chunk) => [...chunk.column('x')]);
    expect(values).toEqual(range(t, snapshot.endIndex));
    expect(snapshot.get(index)?.x).toBe(t);
    const row = snapshot.cursor();
    expect(row.seek(index) && row.get('x')).toBe(t);
    const target = new Float64Array(9);
    const count = snapshot.copyInto('x', target, index, snapshot.lowerBound('x', t + 2));
    expect([...target.subarray(0, count)]).toEqual([t, t + 1]);
    // Nothing is that late: no chunks, no entries.
    const end = snapshot.lowerBound('x', Infinity);
    expect(snapshot.chunks(end)).toEqual([]);
    expect(snapshot.copyInto('x', target, end)).toBe(0);
  });

  test('finds what a scan finds, in windows of any age, with repeated values', () => {
    const property = fc.property(
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60, size: 'max' }),
      fc.integer({ min: -1, max: 100 }),
      (steps, value) => {
        const { writer, log } = AtomicLog.claimed(SMALL);
        let last = 0;
        for (const step of steps) writer.append((last += step));
        using snapshot = log.snapshot();
        const at = [...snapshot].findIndex((entry) => entry >= value);
        const index = snapshot.lowerBound(value);
        expect(index).toBe(at < 0 ? snapshot.endIndex : snapshot.firstIndex + at);
        const late = snapshot.chunks(index).flatMap((chunk) => [...chunk.values]);
        expect(late).toEqual([...snapshot].filter((entry) => entry >= value));
        log.close();
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  test('finds strings by their UTF-16 code units', () => {
    const names = ['', 'a', 'ab', 'b', 'b', 'é', '\uFFFF'];
    const options = { retainedCapacity: 50, segmentCapacity: 3 };
    const fields = AtomicLog.claimed({ ...options, schema: { name: 'utf8' } });
    const values = AtomicLog.claimed({ ...options, codec: utf8 });
    fields.writer.appendBatch({ name: names });
    values.writer.appendBatch(names);
    using named = fields.log.snapshot();
    using texts = values.log.snapshot();
    for (const name of ['', 'a', 'aa', 'b', 'c', 'é', '\uFFFF', '\uFFFF ']) {
      const expected = names.filter((other) => other < name).length;
      expect(named.lowerBound('name', name)).toBe(expected);
      expect(texts.lowerBound(name)).toBe(expected);
    }
  });

  test('refuses what has no order, and values of another type', () => {
    using snapshot = records();
    expectError(
      () => snapshot.lowerBound('t', 3 as never),
      'ERR_INVALID_ARG_TYPE',
      /^value must be a bigint/,
    );
    expectError(
      () => snapshot.lowerBound('name', 1 as never),
      'ERR_INVALID_ARG_TYPE',
      /^value must be a string/,
    );
    expectError(() => snapshot.lowerBound('z' as never, 3n as never), 'ERR_UNKNOWN_FIELD', /no field "z"/);
    const message = /only numbers and strings/;
    expectError(() => snapshot.lowerBound('raw', new Uint8Array(1)), 'ERR_VARIABLE_SIZE', message);
    using objects = AtomicLog.claimed({ ...SMALL, codec: json<number>() }).log.snapshot();
    expectError(() => objects.lowerBound(1), 'ERR_VARIABLE_SIZE', message);
  });
});
