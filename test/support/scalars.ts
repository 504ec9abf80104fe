import type { ErrorCode, NumberScalarType, ScalarType } from 'atomic-log';

export type Scalar = number | bigint;
type ScalarArray = ArrayLike<Scalar> & Iterable<Scalar> & { buffer: ArrayBufferLike };

export interface ScalarCase {
  readonly type: ScalarType;
  readonly bytes: number;
  /** A typed array of the type's own kind, without a check of the values. */
  readonly arrayOf: (values: readonly Scalar[]) => ScalarArray;
  /** Each is stored, and read back as it is. */
  readonly accepted: readonly Scalar[];
  /** Of the right JavaScript type, but outside the range. */
  readonly outOfRange: readonly Scalar[];
}

const notIntegers = [0.5, -0.5, 1e-300, NaN, Infinity, -Infinity, Number.MAX_VALUE];

function integers(
  type: NumberScalarType,
  bytes: number,
  min: number,
  max: number,
): Omit<ScalarCase, 'arrayOf'> {
  // A value that wrapped would come back as one inside the range.
  const wrapped = [min - 1, max + 1, max + 2 ** (8 * bytes), 2 ** 32, -(2 ** 32), 2 ** 53, -(2 ** 63)];
  return {
    type,
    bytes,
    accepted: [0, 1, min, min + 1, max - 1, max],
    outOfRange: [
      ...wrapped.filter((value) => value < min || value > max),
      ...notIntegers,
      min + 0.5,
      max + 0.5,
    ],
  };
}

function bigints(type: 'i64' | 'u64', min: bigint, max: bigint): Omit<ScalarCase, 'arrayOf'> {
  return {
    type,
    bytes: 8,
    accepted: [0n, 1n, min, min + 1n, max - 1n, max, 2n ** 53n + 1n],
    outOfRange: [min - 1n, max + 1n, max + 2n ** 64n, 2n ** 64n, -(2n ** 64n), 2n ** 100n],
  };
}

/** The largest finite 32-bit float, and the last double that still rounds to it. */
const F32_MAX = (2 - 2 ** -23) * 2 ** 127;
const F32_OVERFLOW = (2 - 2 ** -24) * 2 ** 127;

const numbers = (values: readonly Scalar[]): readonly number[] => values as readonly number[];
const bigs = (values: readonly Scalar[]): readonly bigint[] => values as readonly bigint[];

/** The ten scalar types. */
export const scalarCases: readonly ScalarCase[] = [
  {
    type: 'f64',
    bytes: 8,
    arrayOf: (values) => Float64Array.from(numbers(values)),
    accepted: [
      0,
      -0,
      1,
      -1,
      0.1,
      5e-324,
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
      2 ** 53 + 2,
      NaN,
      Infinity,
      -Infinity,
    ],
    outOfRange: [],
  },
  {
    type: 'f32',
    bytes: 4,
    arrayOf: (values) => Float32Array.from(numbers(values)),
    accepted: [0, -0, 1, -1, 0.5, 2 ** -149, F32_MAX, -F32_MAX, NaN, Infinity, -Infinity],
    outOfRange: [F32_OVERFLOW, -F32_OVERFLOW, 1e39, Number.MAX_VALUE, -Number.MAX_VALUE],
  },
  { ...integers('i8', 1, -128, 127), arrayOf: (values) => Int8Array.from(numbers(values)) },
  { ...integers('u8', 1, 0, 255), arrayOf: (values) => Uint8Array.from(numbers(values)) },
  { ...integers('i16', 2, -32768, 32767), arrayOf: (values) => Int16Array.from(numbers(values)) },
  { ...integers('u16', 2, 0, 65535), arrayOf: (values) => Uint16Array.from(numbers(values)) },
  { ...integers('i32', 4, -(2 ** 31), 2 ** 31 - 1), arrayOf: (values) => Int32Array.from(numbers(values)) },
  { ...integers('u32', 4, 0, 2 ** 32 - 1), arrayOf: (values) => Uint32Array.from(numbers(values)) },
  { ...bigints('i64', -(2n ** 63n), 2n ** 63n - 1n), arrayOf: (values) => BigInt64Array.from(bigs(values)) },
  { ...bigints('u64', 0n, 2n ** 64n - 1n), arrayOf: (values) => BigUint64Array.from(bigs(values)) },
];

function mustNotBeCalled(): never {
  throw new Error('a value must never be coerced');
}

/** No scalar type takes any of these; none of them may be coerced either. */
export const neverScalars: readonly (readonly [name: string, value: unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a boolean', true],
  ['a string of digits', '1'],
  ['an empty string', ''],
  ['a symbol', Symbol('one')],
  ['a function', () => 1],
  ['an array', [1]],
  ['an object', {}],
  ['a boxed number', Object(1)],
  ['a boxed bigint', Object(1n)],
  ['a date', new Date(1)],
  [
    'an object with valueOf',
    { valueOf: mustNotBeCalled, toString: mustNotBeCalled, [Symbol.toPrimitive]: mustNotBeCalled },
  ],
  ['a proxy', new Proxy({}, { get: mustNotBeCalled })],
];

export interface RefusedValue {
  readonly value: unknown;
  readonly code: ErrorCode;
}

/** Everything that a type refuses, with the code of the error. */
export function refusedValues({ type, outOfRange }: ScalarCase): RefusedValue[] {
  const isBigInt = type === 'i64' || type === 'u64';
  const ofOtherType: readonly unknown[] = isBigInt ? [0, 1, NaN] : [0n, 1n];
  return [
    ...outOfRange.map((value) => ({ value, code: 'ERR_OUT_OF_RANGE' as const })),
    ...[...ofOtherType, ...neverScalars.map(([, value]) => value)].map((value) => ({
      value,
      code: 'ERR_INVALID_ARG_TYPE' as const,
    })),
  ];
}
