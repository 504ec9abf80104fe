import { copyBytes, copyValues } from '../../../lib/base/copy';
import { addon } from '../../../lib/base/native';
import { Kind, scalars, store, viewOf, type ScalarArray } from '../../../lib/base/scalar';
import { detach } from '../../support/memory';

const kinds = Object.values(Kind).filter((kind) => scalars[kind] !== undefined);
const memories = { own: ArrayBuffer, shared: SharedArrayBuffer };
type Memory = keyof typeof memories;
const pairs: [Memory, Memory][] = [
  ['own', 'own'],
  ['own', 'shared'],
  ['shared', 'own'],
  ['shared', 'shared'],
];

function arrayOf(kind: Kind, memory: Memory, length: number): ScalarArray {
  const ArrayOfKind = scalars[kind]!.Array;
  return new ArrayOfKind(new memories[memory](length * ArrayOfKind.BYTES_PER_ELEMENT), 0, length);
}

/** 0 to 99, again and again. */
function filled(kind: Kind, memory: Memory, length: number): ScalarArray {
  const array = arrayOf(kind, memory, length);
  const isBig = scalars[kind]!.typeOf === 'bigint';
  for (let i = 0; i < length; ++i) store(kind, array, i, isBig ? BigInt(i % 100) : i % 100);
  return array;
}

describe.each(pairs)('from %s to %s memory', (from, to) => {
  // Of one byte and of eight, shorter and longer than what the addon copies.
  test.each([0, 1, 511, 512, 4095, 4096, 4097, 10_000])('%i elements of every kind', (length) => {
    for (const kind of kinds) {
      const source = filled(kind, from, length);
      const target = arrayOf(kind, to, length + 8);
      copyValues(kind, target, 3, source, length);
      const copied = viewOf(kind, target, 3, length);
      expect(Array.from(copied as Uint8Array)).toEqual(Array.from(source as Uint8Array));
      expect(Array.from(viewOf(kind, target, 0, 3) as Uint8Array, Number)).toEqual([0, 0, 0]);
      expect(Array.from(viewOf(kind, target, length + 3, 5) as Uint8Array, Number)).toEqual([0, 0, 0, 0, 0]);
    }
  });

  test('every distance from the source, modulo 32', () => {
    const source = filled(Kind.u8, from, 5000);
    for (let at = 0; at < 32; ++at) {
      const target = arrayOf(Kind.u8, to, 5040);
      copyValues(Kind.u8, target, at, source, 5000);
      expect(
        Buffer.compare(
          Uint8Array.from(viewOf(Kind.u8, target, at, 5000) as Uint8Array),
          Uint8Array.from(source as Uint8Array),
        ),
      ).toBe(0);
      expect([target[at - 1] ?? 0, target[at + 5000]]).toEqual([0, 0]);
    }
  });

  test('a source that begins in the middle, and the last place that there is', () => {
    const source = viewOf(Kind.f64, filled(Kind.f64, from, 2000), 777, 1000);
    const target = arrayOf(Kind.f64, to, 1500);
    copyValues(Kind.f64, target, 500, source, 1000);
    expect(target[500]).toBe(77);
    expect(target[1499]).toBe(76);
    expect(() => copyValues(Kind.f64, target, 501, source, 1000)).toThrow('out of bounds');
  });

  test('a target with a set() of its own', () => {
    const target = arrayOf(Kind.f64, to, 1000);
    const own = jest.fn();
    Object.assign(target, { set: own });
    copyValues(Kind.f64, target, 0, filled(Kind.f64, from, 10), 10);
    copyValues(Kind.f64, target, 10, filled(Kind.f64, from, 990), 990);
    expect(target[999]).toBe(89);
    expect(own).not.toHaveBeenCalled();
  });
});

describe('bytes of the user', () => {
  /** Shared memory that another thread lets grow to so many bytes once they were counted. */
  const grown = (bytes: number): Uint8Array => {
    const Growable = SharedArrayBuffer as new (length: number, options: object) => SharedArrayBuffer;
    return new Uint8Array(new Growable(bytes, { maxByteLength: bytes })).fill(7);
  };

  test.each([0, 1, 63, 64, 65, 4095, 4096, 10_000])('%i, from own and from shared memory', (length) => {
    for (const { source } of pairs.map(([from]) => ({ source: filled(Kind.u8, from, length) }))) {
      const target = new Uint8Array(length + 8);
      copyBytes(target, 5, source as Uint8Array, length);
      expect(Buffer.compare(target.subarray(5, 5 + length), Uint8Array.from(source as Uint8Array))).toBe(0);
      expect([...target.subarray(0, 5), ...target.subarray(5 + length)]).toEqual(Array(8).fill(0));
    }
  });

  test.each([1, 64, 65, 5000])('%i, and many more when they are copied', (length) => {
    for (const room of [0, 3, 100_000]) {
      const target = new Uint8Array(10 + length + room);
      copyBytes(target, 10, grown(100_000), length);
      expect(target.subarray(0, 10 + length)).toEqual(
        Uint8Array.from({ length: 10 + length }, (_, i) => (i < 10 ? 0 : 7)),
      );
    }
  });

  test('none, of memory that is detached', () => {
    const source = new Uint8Array(8);
    detach(source.buffer);
    copyBytes(new Uint8Array(0), 0, source, 0);
  });
});

test('overlapping parts of one array, in both directions', () => {
  const whole = filled(Kind.u8, 'shared', 12_000);
  const expected = Uint8Array.from(whole as Uint8Array);
  for (const [at, begin] of [
    [1000, 0],
    [0, 1000],
  ] as const) {
    copyValues(Kind.u8, whole, at, viewOf(Kind.u8, whole, begin, 10_000), 10_000);
    expected.copyWithin(at, begin, begin + 10_000);
    expect(Buffer.compare(Buffer.from(whole as Uint8Array), expected)).toBe(0);
  }
});

test('what the addon refuses is not copied', () => {
  const target = new Float64Array(8);
  const source = new Float64Array(4).fill(1);
  const detached = new Float64Array(4);
  structuredClone(detached, { transfer: [detached.buffer] });
  const calls: [unknown, unknown, unknown][] = [
    [target, 5, source],
    [target, 9, source],
    [target, 2 ** 32 - 1, source],
    [target, 0, new Float32Array(4)],
    [target, 0, [1, 2]],
    [undefined, 0, source],
    [new Float64Array(0), 0, source],
    [detached, 0, source],
  ];
  for (const [to, at, from] of calls) {
    expect(addon.copyElements(to as Float64Array, at as number, from as Float64Array)).toBe(false);
  }
  expect(addon.copyElements(target, 0, detached)).toBe(true);
  expect(target).toEqual(new Float64Array(8));
  expect(addon.copyElements(target, 4, source)).toBe(true);
  expect(target).toEqual(Float64Array.of(0, 0, 0, 0, 1, 1, 1, 1));
});
