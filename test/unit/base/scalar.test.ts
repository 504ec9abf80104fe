import fc from 'fast-check';
import { AtomicLog, type ScalarType } from 'atomic-log';

import { entriesOf, expectRefused, logOfType, SMALL, valuesByChunk } from '../../support/logs';
import { refusedValues, scalarCases, type Scalar } from '../../support/scalars';

const roomy = { retainedCapacity: 64, segmentCapacity: 16 };
const advice = /must be (a number|an integer|a bigint)/;

describe.each(scalarCases)('$type', (scalarCase) => {
  const { type, bytes, arrayOf, accepted } = scalarCase;
  const refused = refusedValues(scalarCase);

  test('append() stores every value of its range as it is', () => {
    const { writer, log } = logOfType(type, roomy);
    accepted.forEach((value, i) => expect(writer.append(value)).toBe(i));
    const entries = entriesOf(log);
    expect(entries).toHaveLength(accepted.length);
    entries.forEach((entry, i) => expect(entry).toBe(accepted[i]));
  });

  test('write() and publish() store every value of its range as it is', () => {
    const { writer, log } = logOfType(type, roomy);
    accepted.forEach((value, i) => expect(writer.write(value)).toBe(i));
    expect(entriesOf(log)).toEqual([]);
    writer.publish();
    entriesOf(log).forEach((entry, i) => expect(entry).toBe(accepted[i]));
    expect(log.endIndex).toBe(accepted.length);
  });

  test.each(['an array', 'a generator', 'a typed array'])('appendBatch() stores %s as it is', (form) => {
    const { writer, log } = logOfType(type, roomy);
    const batches: Record<string, Iterable<Scalar>> = {
      'an array': accepted,
      'a generator': accepted.values(),
      'a typed array': arrayOf(accepted),
    };
    expect(writer.appendBatch(batches[form]!)).toBe(0);
    const entries = entriesOf(log);
    expect(entries).toHaveLength(accepted.length);
    entries.forEach((entry, i) => expect(entry).toBe(accepted[i]));
  });

  test('values are typed arrays of its own kind over the memory of the log', () => {
    const { writer, log } = logOfType(type, SMALL);
    writer.appendBatch(arrayOf(accepted.slice(0, 6)));
    const snapshot = log.snapshot();
    for (const chunk of snapshot.chunks()) {
      expect(Object.getPrototypeOf(chunk.values)).toBe(Object.getPrototypeOf(arrayOf([])));
      expect(chunk.values.byteLength).toBe(chunk.length * bytes);
      expect(chunk.values.byteOffset % 64).toBe(0);
    }
    expect(valuesByChunk(snapshot)).toEqual([accepted.slice(0, 4), accepted.slice(4, 6)]);
    expect(log.stats().segmentBytes).toBe(128);
    snapshot.close();
  });

  test('everything else is refused, by every way to store, and nothing has changed', () => {
    const claimed = logOfType(type, SMALL);
    const [good] = accepted as [Scalar];
    claimed.writer.append(good);
    claimed.writer.write(good);
    for (const { value, code } of refused) {
      const bad = value as Scalar;
      expectRefused(claimed, ({ writer }) => writer.append(bad), code, advice);
      expectRefused(claimed, ({ writer }) => writer.write(bad), code, advice);
      expectRefused(
        claimed,
        ({ writer }) => writer.appendBatch([good, good, bad]),
        code,
        /entries\[2\] must be/,
      );
      expectRefused(
        claimed,
        ({ writer }) => writer.appendBatch([good, bad].values()),
        code,
        /entries\[1\] must be/,
      );
    }
    // What was staged before all that is still there, and in its place.
    expect(claimed.writer.append(good)).toBe(2);
    expect(entriesOf(claimed.log)).toEqual([good, good, good]);
  });

  test('a refused value does not begin a segment', () => {
    const claimed = logOfType(type, SMALL);
    claimed.writer.appendBatch(arrayOf(accepted.slice(0, 4)));
    for (const { value, code } of refused) {
      const bad = value as Scalar;
      expectRefused(claimed, ({ writer }) => writer.append(bad), code, advice);
      expectRefused(claimed, ({ writer }) => writer.write(bad), code, advice);
      expectRefused(claimed, ({ writer }) => writer.appendBatch([bad]), code, advice);
    }
    expect(claimed.log.stats().rolls).toBe(0);
  });

  test('as a column of records it stores and refuses the same', () => {
    const claimed = AtomicLog.claimed({ ...roomy, schema: { before: 'u8', value: type, after: 'u8' } });
    const record = (value: unknown): never => ({ before: 1, value, after: 2 }) as never;
    for (const value of accepted) claimed.writer.append(record(value));
    expect(entriesOf(claimed.log)).toEqual(accepted.map(record));
    for (const { value, code } of refused) {
      const message = /the field value must be/;
      expectRefused(claimed, ({ writer }) => writer.append(record(value)), code, message);
      expectRefused(claimed, ({ writer }) => writer.write(record(value)), code, message);
      expectRefused(
        claimed,
        ({ writer }) => writer.appendBatch([record(accepted[0]), record(value)]),
        code,
        message,
      );
    }
  });

  test('typed arrays of the other kinds are checked value by value', () => {
    for (const other of scalarCases) {
      if (other.type === type) continue;
      const fitting = other.accepted.filter((value) => readsBack(type, value));
      const claimed = logOfType(type, roomy);
      claimed.writer.appendBatch(other.arrayOf(fitting));
      // Converted by the typed array of this type, because a zero may lose its sign.
      expect(entriesOf(claimed.log)).toEqual(Array.from(arrayOf(fitting)));
      const refusedOnes = other.accepted.filter((value) => isRefused(type, value));
      for (const value of refusedOnes) {
        expectRefused(
          claimed,
          ({ writer }) => writer.appendBatch(other.arrayOf([...fitting, value])),
          typeof value === typeof accepted[0] ? 'ERR_OUT_OF_RANGE' : 'ERR_INVALID_ARG_TYPE',
          advice,
        );
      }
    }
  });
});

/** The truth about a value and a type, told in another way than the library does. */
function isRefused(type: ScalarType, value: Scalar): boolean {
  if (type === 'f64') return typeof value !== 'number';
  if (type === 'f32')
    return typeof value !== 'number' || (Number.isFinite(value) && !readsBackRounded(value));
  return !readsBack(type, value);
}

function readsBackRounded(value: number): boolean {
  return Number.isFinite(new Float32Array([value])[0]);
}

/** Whether a typed array of the type gives the value back as it was. */
function readsBack(type: ScalarType, value: Scalar): boolean {
  const { arrayOf, accepted } = scalarCases.find((scalarCase) => scalarCase.type === type)!;
  if (typeof value !== typeof accepted[0]) return false;
  return Array.from(arrayOf([value]))[0] === value || (Number.isNaN(value) && type.startsWith('f'));
}

test('f32 rounds to the nearest, as Math.fround does', () => {
  const { writer, log } = logOfType('f32');
  const values = [0.1, 16_777_217, 1e-50, -1e-50];
  for (const value of values) writer.append(value);
  entriesOf(log).forEach((entry, i) => expect(entry).toBe(Math.fround(values[i]!)));
});

test('f32 takes what still rounds to its largest value, and refuses the next double', () => {
  const claimed = logOfType('f32');
  const largest = (2 - 2 ** -23) * 2 ** 127;
  const overflow = (2 - 2 ** -24) * 2 ** 127;
  claimed.writer.append(overflow * (1 - Number.EPSILON / 2));
  expect(entriesOf(claimed.log)).toEqual([largest]);
  const message = /within the range of a 32-bit float \(f32\)/;
  expectRefused(claimed, ({ writer }) => writer.append(overflow), 'ERR_OUT_OF_RANGE', message);
});

test('integers take -0 as the integer that it is', () => {
  for (const { type } of scalarCases.filter(({ type }) => !/^f|64$/.test(type))) {
    const { writer, log } = logOfType(type);
    writer.append(-0);
    expect(entriesOf(log)).toEqual([0]);
  }
});

test('no number ever wraps, whatever it is', () => {
  const logs = scalarCases.map(({ type }) => ({ type, ...logOfType(type) }));
  const anyNumber = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }),
  );
  fc.assert(
    fc.property(anyNumber, (value) => {
      for (const { type, writer, log } of logs) {
        const next = writer.nextIndex;
        if (isRefused(type, value)) {
          expect(() => writer.append(value)).toThrow(advice);
          expect(log.endIndex).toBe(next);
        } else {
          writer.append(value);
          const snapshot = log.snapshot();
          const stored = snapshot.get(next);
          snapshot.close();
          // Only f32 may change a value, and a zero may lose its sign in an integer.
          if (type === 'f32') expect(stored).toBe(Math.fround(value as number));
          else expect(stored === value || (type === 'f64' && Number.isNaN(stored))).toBe(true);
        }
      }
    }),
  );
});
