/**
 * The types of fields. The ten scalar ones: their typed arrays, what each
 * accepts, and how a value is stored; those of variable size are stored by
 * var-area.ts. Nothing is coerced and nothing wraps: what does not fit is refused.
 */
import { ColumnKind } from './codes';
import { invalidType, outOfRange, type AtomicLogError } from './errors';
import { typedArrayBuffer, typedArrayByteOffset, typedArrayTag } from './typed-array';

/** Types whose values are JavaScript numbers. */
export type NumberScalarType = 'f64' | 'f32' | 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32';
/** Types whose values are JavaScript bigints. */
export type BigIntScalarType = 'i64' | 'u64';
/** The type of a log of numbers, or of a field of a record. */
export type ScalarType = NumberScalarType | BigIntScalarType;
/** Types whose values differ in size: strings, stored as UTF-8, and `Uint8Array`s. */
export type VariableType = 'utf8' | 'bytes';
/** The type of a field of a record. */
export type FieldType = ScalarType | VariableType;

/** Typed arrays of the number types. */
export type NumberArray =
  Float64Array | Float32Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;
/** Typed arrays of the bigint types. */
export type BigIntArray = BigInt64Array | BigUint64Array;
export type ScalarArray = NumberArray | BigIntArray;

/** The typed array of each scalar type. */
export interface ScalarArrays {
  f64: Float64Array;
  f32: Float32Array;
  i8: Int8Array;
  u8: Uint8Array;
  i16: Int16Array;
  u16: Uint16Array;
  i32: Int32Array;
  u32: Uint32Array;
  i64: BigInt64Array;
  u64: BigUint64Array;
}

/**
 * Small integers instead of names. A constant of this module: what is exported
 * again is read through a getter.
 */
export const Kind = ColumnKind;
export type Kind = ColumnKind;

/** A table indexed by Kind. Nothing depends on the order of the kinds, so that one more may have any number. */
function byKind<T extends FieldType, V>(values: Readonly<Record<T, V>>): readonly V[] {
  const table: V[] = [];
  for (const type of Object.keys(values) as T[]) table[Kind[type]] = values[type];
  return table;
}

type ScalarArrayConstructor = new (
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
) => ScalarArray;

interface ScalarInfo {
  readonly type: ScalarType;
  readonly Array: ScalarArrayConstructor & { readonly BYTES_PER_ELEMENT: number; readonly name: string };
  /** What `typeof` says of its values. */
  readonly typeOf: 'number' | 'bigint';
  /** For messages: what a value must be. */
  readonly accepts: string;
}

const scalarTypes: { readonly [T in ScalarType]: ScalarInfo & { readonly type: T } } = {
  f64: { type: 'f64', Array: Float64Array, typeOf: 'number', accepts: 'a number' },
  f32: {
    type: 'f32',
    Array: Float32Array,
    typeOf: 'number',
    accepts: 'a number within the range of a 32-bit float',
  },
  i8: { type: 'i8', Array: Int8Array, typeOf: 'number', accepts: 'an integer from -128 to 127' },
  u8: { type: 'u8', Array: Uint8Array, typeOf: 'number', accepts: 'an integer from 0 to 255' },
  i16: { type: 'i16', Array: Int16Array, typeOf: 'number', accepts: 'an integer from -32768 to 32767' },
  u16: { type: 'u16', Array: Uint16Array, typeOf: 'number', accepts: 'an integer from 0 to 65535' },
  i32: {
    type: 'i32',
    Array: Int32Array,
    typeOf: 'number',
    accepts: 'an integer from -2147483648 to 2147483647',
  },
  u32: { type: 'u32', Array: Uint32Array, typeOf: 'number', accepts: 'an integer from 0 to 4294967295' },
  i64: {
    type: 'i64',
    Array: BigInt64Array,
    typeOf: 'bigint',
    accepts: 'a bigint from -2n ** 63n to 2n ** 63n - 1n',
  },
  u64: {
    type: 'u64',
    Array: BigUint64Array,
    typeOf: 'bigint',
    accepts: 'a bigint from 0n to 2n ** 64n - 1n',
  },
};

/** Indexed by Kind, as far as it is of a fixed size. */
export const scalars: readonly ScalarInfo[] = byKind(scalarTypes);

const tags: readonly string[] = scalars.map((info) => info.Array.name);

/** What typedArrayTag() says of the arrays of a kind of fixed size. The name of a function takes a call into V8. */
export function tagOf(kind: Kind): string {
  return tags[kind]!;
}

const typesOfAll = Object.keys(Kind) as FieldType[];

/** Indexed by Kind. */
export const typeNames: readonly FieldType[] = byKind(
  Object.fromEntries(typesOfAll.map((type) => [type, type])) as Record<FieldType, FieldType>,
);

const variable: readonly boolean[] = byKind(
  Object.fromEntries(typesOfAll.map((type) => [type, !(type in scalarTypes)])) as Record<FieldType, boolean>,
);

/** Whether the values of this kind differ in size. */
export function isVariable(kind: Kind): boolean {
  return variable[kind]!;
}

export function isFieldType(value: string): value is FieldType {
  return Object.hasOwn(Kind, value);
}

/** Bytes of one value of a fixed size. */
export function elementBytes(kind: Kind): number {
  return scalars[kind]!.Array.BYTES_PER_ELEMENT;
}

/** The error for a value that a column refuses. */
export function refusal(kind: Kind, what: string, value: unknown): AtomicLogError {
  if (kind === Kind.utf8) return invalidType(what, 'a string (utf8)', value);
  if (kind === Kind.bytes) return invalidType(what, 'a Uint8Array (bytes)', value);
  const { accepts, type, typeOf } = scalars[kind]!;
  return typeof value === typeOf
    ? outOfRange(what, `${accepts} (${type})`, value)
    : invalidType(what, `${accepts} (${type})`, value);
}

// Whether each kind takes a value as it is. Rounding is what f32 is for; a
// finite value that would become infinite is not.
const isF64 = (value: unknown): value is number => typeof value === 'number';
const isF32 = (value: unknown): value is number =>
  typeof value === 'number' && (Number.isFinite(Math.fround(value)) || !Number.isFinite(value));
const isI8 = (value: unknown): value is number => typeof value === 'number' && (value << 24) >> 24 === value;
const isU8 = (value: unknown): value is number => typeof value === 'number' && (value & 0xff) === value;
const isI16 = (value: unknown): value is number => typeof value === 'number' && (value << 16) >> 16 === value;
const isU16 = (value: unknown): value is number => typeof value === 'number' && (value & 0xffff) === value;
const isI32 = (value: unknown): value is number => typeof value === 'number' && (value | 0) === value;
const isU32 = (value: unknown): value is number => typeof value === 'number' && value >>> 0 === value;
const isI64 = (value: unknown): value is bigint =>
  typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
const isU64 = (value: unknown): value is bigint =>
  typeof value === 'bigint' && BigInt.asUintN(64, value) === value;

const isUtf8 = (value: unknown): value is string => typeof value === 'string';
const isBytes = (value: unknown): value is Uint8Array => typedArrayTag(value) === 'Uint8Array';

const checksOfTypes: Readonly<Record<FieldType, (value: unknown) => boolean>> = {
  f64: isF64,
  f32: isF32,
  i8: isI8,
  u8: isU8,
  i16: isI16,
  u16: isU16,
  i32: isI32,
  u32: isU32,
  i64: isI64,
  u64: isU64,
  utf8: isUtf8,
  bytes: isBytes,
};
const checks = byKind(checksOfTypes);

/** The function that tells it for one kind; see {@link accepts}. */
export function checkOf(kind: Kind): (value: unknown) => boolean {
  return checks[kind]!;
}

/** Whether a column of this kind takes the value as it is. */
export function accepts(kind: Kind, value: unknown): boolean {
  return checks[kind]!(value);
}

/**
 * Stores a value of fixed size that its column accepts; false, and nothing stored, for any
 * other. Each kind has a store of its own, so that each stays monomorphic in a
 * process whose logs have different types.
 */
export function store(kind: Kind, column: ScalarArray, position: number, value: unknown): boolean {
  switch (kind) {
    case Kind.f64:
      if (!isF64(value)) return false;
      (column as Float64Array)[position] = value;
      return true;
    case Kind.f32:
      if (!isF32(value)) return false;
      (column as Float32Array)[position] = value;
      return true;
    case Kind.i8:
      if (!isI8(value)) return false;
      (column as Int8Array)[position] = value;
      return true;
    case Kind.u8:
      if (!isU8(value)) return false;
      (column as Uint8Array)[position] = value;
      return true;
    case Kind.i16:
      if (!isI16(value)) return false;
      (column as Int16Array)[position] = value;
      return true;
    case Kind.u16:
      if (!isU16(value)) return false;
      (column as Uint16Array)[position] = value;
      return true;
    case Kind.i32:
      if (!isI32(value)) return false;
      (column as Int32Array)[position] = value;
      return true;
    case Kind.u32:
      if (!isU32(value)) return false;
      (column as Uint32Array)[position] = value;
      return true;
    case Kind.i64:
      if (!isI64(value)) return false;
      (column as BigInt64Array)[position] = value;
      return true;
    case Kind.u64:
      if (!isU64(value)) return false;
      (column as BigUint64Array)[position] = value;
      return true;
    default:
      // What a new kind would be without a case of its own, the compiler says here.
      kind satisfies typeof Kind.utf8 | typeof Kind.bytes;
      return false;
  }
}

/** A plain view of part of a typed array, made without running user code (`subarray` consults the species). */
export function viewOf(kind: Kind, array: ScalarArray, begin: number, length: number): ScalarArray {
  const ScalarArray = scalars[kind]!.Array;
  const byteOffset = typedArrayByteOffset(array) + begin * ScalarArray.BYTES_PER_ELEMENT;
  return new ScalarArray(typedArrayBuffer(array), byteOffset, length);
}
