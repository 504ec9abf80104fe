/** Logs of any values: the codecs of the package. */
import { AtomicLog, bytes, json, structured, utf8 } from 'atomic-log';

import { claimedWith, ways } from '../../support/codecs';
import { expectError, thrownBy } from '../../support/errors';
import { entriesOf, expectRefused, stateOf } from '../../support/logs';

describe('json()', () => {
  test.each([
    0,
    -1.5,
    '',
    'é\uFEFF',
    true,
    null,
    [],
    {},
    [1, [2]],
    { a: { b: null } },
    { toJSON: () => 'x' },
    new Date(0),
  ])('gives what JSON.parse gives: %p', (value) => {
    const { writer, log } = claimedWith(json());
    writer.append(value);
    writer.appendBatch([value]);
    const expected = JSON.parse(JSON.stringify(value)) as unknown;
    expect(entriesOf(log)).toEqual([expected, expected]);
  });

  test('keeps lone surrogates, which JSON escapes', () => {
    const { writer, log } = claimedWith(json<string>());
    writer.append('\uD800');
    expect(log.latest()).toBe('\uD800');
  });

  describe.each(ways)('%s', (_name, give) => {
    test.each([undefined, () => 1, Symbol('a'), { toJSON: () => undefined }])('refuses %p', (value) => {
      const message = /(the )?(value|entries\[0\]) must be a value that JSON can express/;
      expectRefused(
        claimedWith(json()),
        ({ writer }) => give(writer, value),
        'ERR_INVALID_ARG_TYPE',
        message,
      );
    });

    test('passes on what JSON.stringify and toJSON() throw', () => {
      const log = claimedWith(json());
      const before = stateOf(log);
      const cycle: unknown[] = [];
      cycle.push(cycle);
      expect(thrownBy(() => give(log.writer, cycle))).toBeInstanceOf(TypeError);
      expect(thrownBy(() => give(log.writer, 1n))).toBeInstanceOf(TypeError);
      const failure = new Error('mine');
      const throwing = {
        toJSON(): never {
          throw failure;
        },
      };
      expect(thrownBy(() => give(log.writer, throwing))).toBe(failure);
      expect(stateOf(log)).toEqual(before);
    });

    test('toJSON() may append: its entry comes first', () => {
      const { writer, log } = claimedWith(json());
      const value = { toJSON: () => writer.append('inner') };
      expect(give(writer, value)).toBe(1);
      writer.publish();
      expect(entriesOf(log)).toEqual(['inner', 0]);
    });
  });
});

describe('structured()', () => {
  test('gives what a structured clone gives', () => {
    const cycle: Record<string, unknown> = { date: new Date(5), big: 2n ** 70n, none: undefined, nan: NaN };
    cycle['self'] = cycle;
    const values = [cycle, new Map([[1, new Set(['a'])]]), /x/g, undefined, null, 1, 'é'];
    const { writer, log } = AtomicLog.claimed({
      retainedCapacity: 50,
      segmentCapacity: 8,
      codec: structured(),
    });
    for (const value of values) writer.append(value);
    writer.appendBatch(values);
    expect(entriesOf(log)).toEqual([...values, ...values]);
  });

  test('typed arrays in a value are not views of the log', () => {
    const { writer, log } = AtomicLog.claimed({
      retainedCapacity: 1,
      segmentCapacity: 2,
      codec: structured<unknown>(),
    });
    // Every alignment that the bytes of the array may have in the log.
    const values = Array.from({ length: 16 }, (_, i) => ({
      pad: 'x'.repeat(i),
      array: Uint8Array.of(1, 2, 3),
      wide: Float64Array.of(i),
    }));
    const read = values.map((value) => {
      writer.append(value);
      return log.latest() as (typeof values)[number];
    });
    writer.appendBatch(Array.from({ length: 50 }, () => 'something else'.repeat(20)));
    expect(read).toEqual(values);
    using snapshot = log.snapshot();
    const { buffer } = snapshot.chunks()[0]!.encoded.data;
    for (const { array, wide } of read) {
      expect(array.buffer).not.toBe(buffer);
      expect(wide.buffer).not.toBe(buffer);
    }
  });

  test('passes on that something cannot be cloned', () => {
    const log = claimedWith(structured());
    const before = stateOf(log);
    for (const [, give] of ways) {
      expect((thrownBy(() => give(log.writer, () => 1)) as Error).message).toMatch(
        /(could|can) not be cloned/,
      );
    }
    expect(stateOf(log)).toEqual(before);
  });
});

test('the codecs can be used on their own', () => {
  expect(utf8.decode(utf8.encode('é\uFEFF'))).toBe('é\uFEFF');
  expect(bytes.decode(bytes.encode(Uint8Array.of(1)))).toEqual(Uint8Array.of(1));
  expect(json().decode(json().encode({ a: 1 }))).toEqual({ a: 1 });
  expect(structured().decode(structured().encode(new Map([[1, 2]])))).toEqual(new Map([[1, 2]]));
  const inside = Buffer.from('..text..').subarray(2, 6);
  expect(utf8.decode(inside)).toBe('text');
  expectError(() => utf8.encode(1 as never), 'ERR_INVALID_ARG_TYPE', /value must be a string/);
});
