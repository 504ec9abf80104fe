/**
 * What a log's columns are: checked options, and the descriptor that carries
 * them to the other environments that attach.
 */
import { describe, invalidType, outOfRange, rangeError, typeError } from './errors';
import {
  isScalarType,
  Kind,
  scalars,
  type BigIntArray,
  type BigIntScalarType,
  type NumberArray,
  type NumberScalarType,
  type ScalarType,
} from './scalar';

/** Fields of a record, in the order of their columns. */
export type Schema = Readonly<Record<string, ScalarType>>;

/** The JavaScript type of a field. */
export type ValueOf<K extends ScalarType> = K extends BigIntScalarType ? bigint : number;

/** The record that a schema describes. */
export type RecordOf<S extends Schema> = { -readonly [K in keyof S]: ValueOf<S[K]> };

/** The typed array that holds values of type `V`. */
export type ArrayOf<V> = V extends bigint ? BigIntArray : V extends number ? NumberArray : never;

/**
 * How memory is shown to JavaScript: `'external'` ArrayBuffers over native memory, `'shared'` one
 * SharedArrayBuffer, or `'auto'`: what the environment variable `ATOMIC_LOG_MAPPING` says, or else external
 * where the runtime allows it.
 */
export type MappingMode = 'auto' | 'external' | 'shared';

/** Options of every log. */
export interface CommonLogOptions {
  /** Entries that stay readable, at least; a positive integer. Whole segments are kept, so there may be more. */
  retainedCapacity: number;
  /** Entries per segment, the unit of memory and of retention; an integer from 1 to 2³¹ - 1. */
  segmentCapacity: number;
  /** How memory is shown to JavaScript. Default `'auto'`. */
  mapping?: MappingMode;
  /**
   * Whether the typed arrays of a snapshot, batch or span lose their memory (their
   * length becomes 0) when it ends, instead of showing newer entries: for
   * development and tests, where it finds uses after the end. Costs a mapping per
   * segment and snapshot, and makes typed-array loops of the whole process slower.
   * Default `false`; the environment variable `ATOMIC_LOG_STRICT_VIEWS=1` turns it
   * on for every log.
   */
  strictViews?: boolean;
  /**
   * Bytes that readers may keep from being recycled, beyond the window: an append
   * that would begin another segment while they keep more fails with
   * `ERR_PINNED_BYTES`, and works again once they let go. A number of at least 0.
   * Default: no limit.
   */
  pinnedBytesMax?: number;
  /** A name for `stats()` and for people. */
  name?: string;
}

/** Options of a log of numbers. */
export interface NumberLogOptions extends CommonLogOptions {
  /** Type of the entries. Default `'f64'`. */
  type?: NumberScalarType;
  schema?: undefined;
}

/** Options of a log of bigints. */
export interface BigIntLogOptions extends CommonLogOptions {
  /** Type of the entries. */
  type: BigIntScalarType;
  schema?: undefined;
}

/** Options of a log of records. */
export interface RecordLogOptions<S extends Schema> extends CommonLogOptions {
  /** Fields and their types. Each field is stored as a column. */
  schema: S;
  type?: undefined;
}

export type LogOptions = NumberLogOptions | BigIntLogOptions | RecordLogOptions<Schema>;

/** The columns of a log. A log of numbers has one, and no fields. */
export interface Layout {
  readonly kinds: readonly Kind[];
  /** Names of the columns of a log of records; undefined for a log of numbers. */
  readonly fields: readonly string[] | undefined;
  readonly name: string | undefined;
  readonly strictViews: boolean;
}

export interface CheckedOptions {
  readonly retainedCapacity: number;
  readonly segmentCapacity: number;
  readonly mapping: MappingMode;
  /** Infinity for no limit. */
  readonly pinnedBytesMax: number;
  readonly layout: Layout;
}

const SEGMENT_CAPACITY_MAX = 2 ** 31 - 1;
const RETAINED_SEGMENTS_MAX = 2 ** 20;
const BLOCK_BYTES_MAX = 2 ** 32;
const FIELDS_MAX = 4096;

function checkCapacity(name: string, value: unknown, max: number): number {
  if (typeof value !== 'number') throw invalidType(`options.${name}`, 'a positive integer', value);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw outOfRange(`options.${name}`, `an integer from 1 to ${max}`, value);
  }
  return value;
}

function checkPinnedBytesMax(value: unknown): number {
  if (value === undefined) return Infinity;
  if (typeof value !== 'number') throw invalidType('options.pinnedBytesMax', 'a number of bytes', value);
  if (!(value >= 0)) throw outOfRange('options.pinnedBytesMax', 'at least 0', value);
  return value;
}

function checkType(what: string, value: unknown): Kind {
  const expected = `one of ${scalars.map(({ type }) => `'${type}'`).join(', ')}`;
  if (typeof value !== 'string') throw invalidType(what, expected, value);
  if (!isScalarType(value)) {
    throw typeError('ERR_INVALID_ARG_VALUE', `${what} must be ${expected}; got ${describe(value)}`);
  }
  return Kind[value];
}

function checkFieldName(name: string): void {
  // Integer-like names would be enumerated before the others and so reorder
  // the columns; '__proto__' is no ordinary property.
  if (name === '' || name === '__proto__' || /^\d+$/.test(name)) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `options.schema has the field name ${describe(name)}; names must not be empty, '__proto__' or all digits`,
    );
  }
}

function checkSchema(schema: unknown): Pick<Layout, 'kinds' | 'fields'> {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw invalidType('options.schema', 'an object of field names and types', schema);
  }
  const fields = Object.keys(schema);
  if (fields.length === 0 || fields.length > FIELDS_MAX) {
    throw outOfRange('the number of fields in options.schema', `from 1 to ${FIELDS_MAX}`, fields.length);
  }
  fields.forEach(checkFieldName);
  const kinds = fields.map((name) =>
    checkType(`options.schema[${describe(name)}]`, (schema as Record<string, unknown>)[name]),
  );
  return { kinds, fields };
}

function checkSize(
  { kinds }: Pick<Layout, 'kinds'>,
  retainedCapacity: number,
  segmentCapacity: number,
): void {
  if (Math.ceil(retainedCapacity / segmentCapacity) + 1 > RETAINED_SEGMENTS_MAX) {
    throw rangeError(
      'ERR_OUT_OF_RANGE',
      `options.retainedCapacity ${retainedCapacity} needs more than ${RETAINED_SEGMENTS_MAX} segments ` +
        `of ${segmentCapacity} entries; choose a larger segmentCapacity`,
    );
  }
  const entryBytes = kinds.reduce<number>((sum, kind) => sum + scalars[kind]!.Array.BYTES_PER_ELEMENT, 0);
  const blockBytes = entryBytes * segmentCapacity + 64 * (kinds.length + 1);
  if (blockBytes > BLOCK_BYTES_MAX) {
    throw rangeError(
      'ERR_OUT_OF_RANGE',
      `options.segmentCapacity ${segmentCapacity} makes segments of ${blockBytes} bytes; ` +
        `at most ${BLOCK_BYTES_MAX} can be mapped, so choose a smaller segmentCapacity`,
    );
  }
}

/** Checks the options of a new log. Reads each of them once. */
export function checkOptions(options: unknown): CheckedOptions {
  if (typeof options !== 'object' || options === null) throw invalidType('options', 'an object', options);
  const { retainedCapacity, segmentCapacity, type, schema, mapping, strictViews, pinnedBytesMax, name } =
    options as Record<string, unknown>;
  const checked = {
    retainedCapacity: checkCapacity('retainedCapacity', retainedCapacity, Number.MAX_SAFE_INTEGER),
    segmentCapacity: checkCapacity('segmentCapacity', segmentCapacity, SEGMENT_CAPACITY_MAX),
    pinnedBytesMax: checkPinnedBytesMax(pinnedBytesMax),
  };
  if (type !== undefined && schema !== undefined) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      'options.type and options.schema exclude each other: a log holds numbers or records',
    );
  }
  if (mapping !== undefined && mapping !== 'auto' && mapping !== 'external' && mapping !== 'shared') {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `options.mapping must be 'auto', 'external' or 'shared'; got ${describe(mapping)}`,
    );
  }
  if (strictViews !== undefined && typeof strictViews !== 'boolean') {
    throw invalidType('options.strictViews', 'a boolean', strictViews);
  }
  if (name !== undefined && typeof name !== 'string') throw invalidType('options.name', 'a string', name);
  const columns =
    schema === undefined
      ? { kinds: [type === undefined ? Kind.f64 : checkType('options.type', type)], fields: undefined }
      : checkSchema(schema);
  checkSize(columns, checked.retainedCapacity, checked.segmentCapacity);
  const isStrict = strictViews === true || process.env.ATOMIC_LOG_STRICT_VIEWS === '1';
  return { ...checked, mapping: mapping ?? 'auto', layout: { ...columns, name, strictViews: isStrict } };
}

/** The layout as text; the addon hands it to whoever attaches. */
export function encodeLayout({ kinds, fields, name, strictViews }: Layout): string {
  return JSON.stringify({ kinds, fields, name, strictViews });
}

export function decodeLayout(descriptor: string): Layout {
  const { kinds, fields, name, strictViews } = JSON.parse(descriptor) as Layout;
  return { kinds, fields, name, strictViews };
}
