/**
 * Batches as users give them, made into columns that can be copied into
 * segments. All user code runs here, before anything is stored.
 */
import { isUtf8 } from 'node:buffer';

import { describe, invalidType, rangeError, typeError } from '../base/errors';
import { VarBuilder, type BatchBuilder } from './batch-builder';
import { missingField, unknownField } from './record';
import { accepts, isVariable, Kind, refusal, type ScalarArray, tagOf, viewOf } from '../base/scalar';
import type { Layout } from './layout';
import type { ArrayOf, FieldArrayOf } from './schema';
import { tooLarge, type Payload, type VarSource } from './var-area';
import { typedArrayLength, typedArrayTag } from '../base/typed-array';

/**
 * Values of variable size, as Apache Arrow has them: value `i` is `data` from
 * `offsets[i]` to `offsets[i + 1]`. A {@link VarColumn} is one.
 */
export interface VarData {
  readonly offsets: Int32Array;
  readonly data: Uint8Array;
}

/** The values of a field, many at once: a typed array; or, of variable size, an iterable or {@link VarData}. */
export type ColumnSource<T, K extends keyof T> = T[K] extends string | Uint8Array
  ? Iterable<T[K]> | VarData
  : FieldArrayOf<T, K>;

/** What {@link Writer.appendBatch} takes: entries one by one, or whole columns. */
export type Entries<T> =
  | Iterable<T>
  | ArrayOf<T>
  | (T extends object ? { readonly [K in keyof T & string]: ColumnSource<T, K> } : never);

/** The values of one field. */
export type Source = ScalarArray | VarSource;

/** One source per field, `length` values in each. Those of a builder have room for more. */
export interface Columns {
  readonly sources: readonly Source[];
  readonly length: number;
}

const NO_BYTES = new Uint8Array(0);

/** Offsets and data as a user gave them. */
interface Unchecked {
  readonly offsets: unknown;
  readonly data: unknown;
}

/** The columns of an object that has one for each field. What is given one by one is collected in `builder`. */
export function readColumns(layout: Layout, columns: object, builder: BatchBuilder): Columns {
  const { fields, kinds, dataBytes, coder } = layout;
  if (fields === undefined) {
    const expected = coder === undefined ? 'numbers or a typed array' : 'values';
    throw invalidType('entries', `an iterable of ${expected}`, columns);
  }
  const keys = Object.keys(columns);
  for (let i = 0; i < keys.length; ++i) {
    if (keys[i] !== fields[i] && !fields.includes(keys[i]!)) throw unknownField(keys[i], fields);
  }
  const given: unknown[] = [];
  for (let i = 0; i < fields.length; ++i) {
    const name = fields[i]!;
    const source = (columns as Record<string, unknown>)[name];
    if (source === undefined) throw missingField(name);
    given.push(
      isVariable(kinds[i]!) ? readVariable(kinds[i]!, `entries.${name}`, source, builder, i) : source,
    );
  }
  // No user code runs from here on: the getters and iterators of one column may
  // have detached what another one gave.
  const sources: Source[] = [];
  for (let i = 0; i < fields.length; ++i) {
    sources.push(checkSource(kinds[i]!, fields[i]!, given[i], dataBytes));
  }
  const length = sourceLength(sources[0]!);
  for (let i = 1; i < sources.length; ++i) {
    const other = sourceLength(sources[i]!);
    if (other === length) continue;
    throw rangeError(
      'ERR_COLUMN_LENGTH',
      `the columns of a batch must be of one length; ${fields[0]} has ${length}, ${fields[i]} has ${other}` +
        ([given[0], given[i]].some(isVarData) ? `; where offsets are padded, ${UNPADDED}` : ''),
    );
  }
  return { sources, length };
}

function checkSource(kind: Kind, field: string, source: unknown, dataBytes: number): Source {
  if (source instanceof VarBuilder) return source;
  const what = `entries.${field}`;
  if (isVariable(kind)) return checkVarData(kind, what, source as Unchecked, dataBytes);
  const name = tagOf(kind);
  if (typedArrayTag(source) !== name) throw invalidType(what, `a ${name}`, source);
  return source as ScalarArray;
}

function sourceLength(source: Source): number {
  if (source instanceof VarBuilder) return source.length;
  return 'data' in source ? source.offsets.length - 1 : typedArrayLength(source);
}

/** Whether a column was given as offsets and data. */
function isVarData(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'offsets' in given && !(given instanceof VarBuilder);
}

/** A column of variable size: values one by one, or offsets and data. */
function readVariable(
  kind: Kind,
  what: string,
  source: unknown,
  batch: BatchBuilder,
  field: number,
): VarBuilder | Unchecked {
  const expected = `an iterable of ${kind === Kind.utf8 ? 'strings' : 'Uint8Arrays'} or { offsets, data }`;
  if (typeof source !== 'object' || source === null) throw invalidType(what, expected, source);
  const { offsets } = source as Partial<Unchecked>;
  const isIterable = typeof (source as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function';
  // Many iterables have a property `data`, as every vector of Apache Arrow.
  if (offsets !== undefined || !isIterable) {
    const { data } = source as Partial<Unchecked>;
    if (offsets === undefined && data === undefined) throw invalidType(what, expected, source);
    return { offsets, data };
  }
  const builder = batch.variable(field, (i) => `${what}[${i}]`);
  const refused = (value: unknown, i: number): Error => refusal(kind, `${what}[${i}]`, value);
  if (kind === Kind.utf8) {
    builder.pushTexts(source as Iterable<unknown>, refused);
    return builder;
  }
  for (const value of source as Iterable<unknown>) {
    if (!accepts(kind, value)) throw refused(value, builder.length);
    builder.push(value as Payload);
  }
  return builder;
}

/** What helps against offsets that are longer than there are values. */
const UNPADDED = 'give offsets.subarray(0, n + 1) for n values';

/** Whether the offsets rise and then end in zeros. */
function isPadded(offsets: Int32Array): boolean {
  let end = offsets.length;
  while (end > 0 && offsets[end - 1] === 0) --end;
  if (end === 0 || end === offsets.length) return false;
  return offsets.every((offset, i) => i === 0 || i >= end || offset >= offsets[i - 1]!);
}

function checkVarData(kind: Kind, what: string, { offsets, data }: Unchecked, dataBytes: number): VarSource {
  if (typedArrayTag(offsets) !== 'Int32Array') throw invalidType(`${what}.offsets`, 'an Int32Array', offsets);
  if (typedArrayTag(data) !== 'Uint8Array') throw invalidType(`${what}.data`, 'a Uint8Array', data);
  const count = typedArrayLength(offsets as Int32Array);
  const bytes = typedArrayLength(data as Uint8Array);
  if (count === 0) {
    throw rangeError(
      'ERR_OUT_OF_RANGE',
      `${what}.offsets must have one element more than there are values; got none`,
    );
  }
  // A copy: other threads may write to shared memory after the check.
  const ends = new Int32Array(viewOf(Kind.i32, offsets as Int32Array, 0, count) as Int32Array);
  const isOrdered = ends.every((end, i) => i === 0 || end >= ends[i - 1]!);
  if (!isOrdered || ends[0]! < 0 || ends[count - 1]! > bytes) {
    throw rangeError(
      'ERR_OUT_OF_RANGE',
      `${what}.offsets must not decrease, from at least 0 to at most ${bytes}, the length of the data` +
        (isPadded(ends) ? `; they look padded, as Apache Arrow's may be: ${UNPADDED}` : ''),
    );
  }
  const large = ends.findIndex((end, i) => i > 0 && end - ends[i - 1]! > dataBytes);
  if (large > 0) throw tooLarge(`${what}[${large - 1}]`, ends[large]! - ends[large - 1]!, dataBytes);
  // Empty data may be detached.
  const checked = bytes === 0 ? NO_BYTES : (viewOf(Kind.u8, data as Uint8Array, 0, bytes) as Uint8Array);
  if (kind === Kind.utf8) checkUtf8(what, ends, checked);
  return { offsets: ends, data: checked };
}

/** Every value must be text of its own: valid as a whole is not enough. */
function checkUtf8(what: string, offsets: Int32Array, data: Uint8Array): void {
  const begin = offsets[0]!;
  const length = offsets[offsets.length - 1]! - begin;
  const isValid = isUtf8(viewOf(Kind.u8, data, begin, length));
  // A byte 10xxxxxx continues a character.
  const cut = offsets.findIndex((offset) => offset < begin + length && (data[offset]! & 0xc0) === 0x80);
  if (isValid && cut < 0) return;
  throw typeError(
    'ERR_INVALID_ARG_VALUE',
    isValid
      ? `${what}.offsets[${cut}] = ${describe(offsets[cut])} is inside a character of the data`
      : `${what}.data must be UTF-8 from the first offset to the last`,
  );
}
