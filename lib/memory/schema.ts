/** What the fields of records are: their types, and what follows from them for the compiler. */
import { FIELDS_MAX } from '../base/codes';
import { describe, invalidType, outOfRange, typeError, type AtomicLogError } from '../base/errors';
import {
  isFieldType,
  Kind,
  typeNames,
  type BigIntArray,
  type BigIntScalarType,
  type FieldType,
  type NumberArray,
  type ScalarArray,
  type ScalarArrays,
  type ScalarType,
} from '../base/scalar';
import type { VarColumn } from './var-column';

/** Fields of a record, in the order of their columns. */
export type Schema = Readonly<Record<string, FieldType>>;

/** The JavaScript type of a field. */
export type ValueOf<K extends FieldType> = K extends 'utf8'
  ? string
  : K extends 'bytes'
    ? Uint8Array
    : K extends BigIntScalarType
      ? bigint
      : number;

/** For the compiler: tells how the entries of a log are stored. No value has it. */
declare const stored: unique symbol;

/** The record that a schema describes; any object with its fields is one. */
export type RecordOf<S extends Schema> = { -readonly [K in keyof S]: ValueOf<S[K]> } & {
  readonly [stored]?: S;
};

/** An entry of a log of this type; any number (or bigint) is one. */
export type ScalarOf<K extends ScalarType> = ValueOf<K> & { readonly [stored]?: K };

/** How `T` is stored, as far as its type says: a scalar type, a schema, or unknown. */
type StoredAs<T> = typeof stored extends keyof T ? NonNullable<T[typeof stored]> : unknown;

/** The typed array that holds values of type `V`. */
export type ArrayOf<V> = unknown extends V
  ? ScalarArray
  : StoredAs<V> extends ScalarType
    ? ScalarArrays[StoredAs<V>]
    : V extends bigint
      ? BigIntArray
      : V extends number
        ? NumberArray
        : never;

/** The typed array of field `K` of records of type `T`. */
export type FieldArrayOf<T, K extends keyof T> =
  StoredAs<T> extends Record<K, infer F> ? (F extends ScalarType ? ScalarArrays[F] : never) : ArrayOf<T[K]>;

/** How field `K` of records of type `T` is shown, many at once. */
export type ColumnOf<T, K extends keyof T> = T[K] extends string | Uint8Array
  ? VarColumn<T[K]>
  : FieldArrayOf<T, K>;

/** What the types are called elsewhere. */
const elsewhere: Readonly<Record<string, FieldType>> = {
  number: 'f64',
  float: 'f64',
  double: 'f64',
  float64: 'f64',
  float32: 'f32',
  integer: 'i32',
  int: 'i32',
  int8: 'i8',
  int16: 'i16',
  int32: 'i32',
  int64: 'i64',
  uint8: 'u8',
  uint16: 'u16',
  uint32: 'u32',
  uint64: 'u64',
  bigint: 'i64',
  boolean: 'u8',
  bool: 'u8',
  date: 'f64',
  string: 'utf8',
  text: 'utf8',
  buffer: 'bytes',
  binary: 'bytes',
};

/** The type that was meant; undefined where it is not among `types`, or no one can tell. */
function typeMeant(name: string, types: readonly FieldType[]): FieldType | undefined {
  const small = name.toLowerCase();
  const meant = Object.hasOwn(elsewhere, small) ? elsewhere[small] : (small as FieldType);
  return types.find((type) => type === meant);
}

/** `types`: those that there are, indexed by kind. */
export function checkType(what: string, value: unknown, types: readonly FieldType[]): Kind {
  const expected = `one of ${types.map((type) => `'${type}'`).join(', ')}`;
  if (typeof value !== 'string') throw invalidType(what, expected, value);
  if (!isFieldType(value) || !types.includes(value)) {
    const meant = typeMeant(value, types);
    const advice = meant === undefined ? '' : `, which is '${meant}' here`;
    throw typeError('ERR_INVALID_ARG_VALUE', `${what} must be ${expected}; got ${describe(value)}${advice}`);
  }
  return Kind[value];
}

/**
 * Integer-like names would be enumerated before the others and so reorder
 * the columns; '__proto__' is not an ordinary property.
 */
export function isFieldName(name: string): boolean {
  return name !== '' && name !== '__proto__' && !/^\d+$/.test(name);
}

function checkFieldName(what: string, name: string): void {
  if (!isFieldName(name)) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `${what} has the field name ${describe(name)}; names must not be empty, '__proto__' or all digits`,
    );
  }
}

/** The columns that a schema describes. Reads each property once. */
export interface RecordColumns {
  readonly kinds: readonly Kind[];
  readonly fields: readonly string[];
}

/** What is said to who gives both. */
export const schemaAndCodec = (): AtomicLogError =>
  typeError(
    'ERR_INVALID_ARG_VALUE',
    'options.schema and options.codec exclude each other: a log holds records, or values of a codec',
  );

export function checkSchema(what: string, schema: unknown): RecordColumns {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw invalidType(what, 'an object of field names and types', schema);
  }
  const fields = Object.keys(schema);
  if (fields.length === 0 || fields.length > FIELDS_MAX) {
    throw outOfRange(`the number of fields in ${what}`, `from 1 to ${FIELDS_MAX}`, fields.length);
  }
  for (const name of fields) checkFieldName(what, name);
  const kinds = fields.map((name) =>
    checkType(`${what}[${describe(name)}]`, (schema as Record<string, unknown>)[name], typeNames),
  );
  return { kinds, fields };
}

/**
 * A schema that stands by itself: checked at once, frozen, and with the types of
 * its fields as they are written, without `as const`. What makes a log and what
 * attaches to it can share it.
 *
 * ```ts
 * export const trades = defineSchema({ time: 'f64', price: 'f64', size: 'u32' });
 * export type Trade = RecordOf<typeof trades>; // { time: number; price: number; size: number }
 * ```
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export function defineSchema<S extends Schema>(schema: S): Readonly<S> {
  const { kinds, fields } = checkSchema('schema', schema);
  const checked = Object.fromEntries(fields.map((name, i) => [name, typeNames[kinds[i]!]!]));
  return Object.freeze(checked) as Readonly<S>;
}
