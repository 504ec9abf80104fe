/** The options of a new log: what they are, and their checks. */
import {
  BLOCK_BYTES_MAX,
  CACHE_LINE_BYTES,
  COLUMN_DATA_BYTES_MAX,
  COUNT_MASK,
  RETAINED_SEGMENTS_MAX,
} from '../base/codes';
import { checkAmount, checkChoice, checkFlag, checkInteger, checkObject, optionsOf } from '../base/checks';
import { coderOf, type Codec } from './codec';
import { invalidType, rangeError, typeError } from '../base/errors';
import type { Layout } from './layout';
import { environmentVariable } from '../base/runtime';
import {
  elementBytes,
  isVariable,
  Kind,
  scalars,
  type BigIntScalarType,
  type NumberScalarType,
} from '../base/scalar';
import { checkSchema, checkType, type Schema } from './schema';

/**
 * How memory is shown to JavaScript: `'external'` ArrayBuffers over native memory, `'shared'` one
 * SharedArrayBuffer, or `'auto'`: what the environment variable `ATOMIC_LOG_MAPPING` says, or else external
 * where the runtime allows it.
 */
export type MappingMode = 'auto' | 'external' | 'shared';

/** Options of every log. */
export interface CommonLogOptions {
  /**
   * Entries that stay readable, at least; a positive integer. Whole segments are
   * kept, so there may be more. With values of variable size there may be fewer:
   * see `dataBytes`.
   */
  retainedCapacity: number;
  /**
   * Entries per segment, the unit of memory and of retention; an integer from 1 to
   * 2³¹ - 1, while a segment has no more than 4 GiB.
   */
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
   * `ERR_PINNED_BYTES`, and works again once they release it. A number of at least 0.
   * Leave room for a segment per thread: looking at the log (`endIndex`, a follower)
   * keeps one for a moment. Default: no limit.
   */
  pinnedBytesMax?: number;
  /**
   * Absolute index of the first entry; an integer of at least 0, below 2⁵³ by a segment. For a log that goes on
   * where another one ended. Default: 0.
   */
  firstIndex?: number;
  /** A name for `stats()` and for people; at most 1 MiB of UTF-8. */
  name?: string;
}

/** Options of a log of numbers. */
export interface NumberLogOptions<K extends NumberScalarType = NumberScalarType> extends CommonLogOptions {
  /** Type of the entries. Default `'f64'`. */
  type?: K;
  schema?: undefined;
  codec?: undefined;
}

/** Options of a log of bigints. */
export interface BigIntLogOptions<K extends BigIntScalarType = BigIntScalarType> extends CommonLogOptions {
  /** Type of the entries. */
  type: K;
  schema?: undefined;
  codec?: undefined;
}

/** Options of a log with values of variable size. */
export interface VariableSizeOptions {
  /**
   * Bytes that a segment has for the values of each field of variable size; an
   * integer from 1 to 2³¹ - 1. Default: 64 for each entry of `segmentCapacity`,
   * and at least 65536.
   *
   * A segment is sealed early when one of its fields has no room for the next
   * entry: then fewer entries are retained than `retainedCapacity` says, which
   * `stats().earlySeals` tells. A value that is larger is refused. What is never
   * written to takes address space, but no memory.
   */
  dataBytes?: number;
}

/** Options of a log of records. */
export interface RecordLogOptions<S extends Schema> extends CommonLogOptions, VariableSizeOptions {
  /** Fields and their types. Each field is stored as a column. */
  schema: S;
  type?: undefined;
  codec?: undefined;
}

/** Options of a log of any values. */
export interface CodecLogOptions<T> extends CommonLogOptions, VariableSizeOptions {
  /** How values become bytes: `utf8`, `bytes`, `json()`, `structured()`, or your own. */
  codec: Codec<T>;
  type?: undefined;
  schema?: undefined;
}

export type LogOptions =
  NumberLogOptions | BigIntLogOptions | RecordLogOptions<Schema> | CodecLogOptions<unknown>;

export interface CheckedOptions {
  readonly retainedCapacity: number;
  readonly segmentCapacity: number;
  readonly mapping: MappingMode;
  /** Infinity for no limit. */
  readonly pinnedBytesMax: number;
  readonly firstIndex: number;
  readonly layout: Layout;
}

/** Indexes end before it. */
const INDEX_END = 2 ** 53;
const SEGMENT_CAPACITY_MAX = COUNT_MASK;
const DEFAULT_BYTES_PER_ENTRY = 64;
const DEFAULT_DATA_BYTES_MIN = 2 ** 16;

function checkColumns(
  type: unknown,
  schema: unknown,
  codec: unknown,
): Omit<Layout, 'name' | 'dataBytes' | 'strictViews'> {
  if ([type, schema, codec].filter((option) => option !== undefined).length > 1) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      'options.type and options.schema exclude each other, and so does options.codec: ' +
        'a log holds numbers, records, or values of a codec',
    );
  }
  if (schema !== undefined) return { ...checkSchema('options.schema', schema), coder: undefined };
  const coder = codec === undefined ? undefined : coderOf(codec);
  if (coder !== undefined) return { kinds: [coder.kind], fields: undefined, coder };
  const types = scalars.map((scalar) => scalar.type);
  const kind = type === undefined ? Kind.f64 : checkType('options.type', type, types);
  return { kinds: [kind], fields: undefined, coder: undefined };
}

/** Bytes for the data of each field of variable size. */
function checkDataBytes(dataBytes: unknown, kinds: readonly Kind[], segmentCapacity: number): number {
  if (!kinds.some(isVariable)) {
    if (dataBytes === undefined) return 0;
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      "options.dataBytes is for fields of type 'utf8' or 'bytes' and for logs with a codec; this log has neither",
    );
  }
  if (dataBytes === undefined) {
    const bytes = Math.max(DEFAULT_DATA_BYTES_MIN, DEFAULT_BYTES_PER_ENTRY * segmentCapacity);
    return Math.min(bytes, COLUMN_DATA_BYTES_MAX);
  }
  return checkInteger('options.dataBytes', dataBytes, 1, COLUMN_DATA_BYTES_MAX);
}

/** Bytes of a block, rounded up: every column begins on a line of its own. */
function blockBytes({ kinds, dataBytes }: Pick<Layout, 'kinds' | 'dataBytes'>, capacity: number): number {
  const columnBytes = kinds.map((kind) =>
    isVariable(kind) ? 4 * (capacity + 1) + CACHE_LINE_BYTES + dataBytes : elementBytes(kind) * capacity,
  );
  return columnBytes.reduce((sum, bytes) => sum + bytes + CACHE_LINE_BYTES, CACHE_LINE_BYTES);
}

function checkSize(
  layout: Pick<Layout, 'kinds' | 'dataBytes'>,
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
  const bytes = blockBytes(layout, segmentCapacity);
  if (bytes > BLOCK_BYTES_MAX) {
    throw rangeError(
      'ERR_OUT_OF_RANGE',
      `options.segmentCapacity ${segmentCapacity} makes segments of ${bytes} bytes; ` +
        `at most ${BLOCK_BYTES_MAX} can be mapped, so choose a smaller segmentCapacity` +
        (layout.dataBytes > 0 ? ' or dataBytes' : ''),
    );
  }
}

/** The names of the options of all logs. */
export const optionNames = [
  'retainedCapacity',
  'segmentCapacity',
  'type',
  'schema',
  'codec',
  'dataBytes',
  'mapping',
  'strictViews',
  'pinnedBytesMax',
  'firstIndex',
  'name',
] as const satisfies readonly (keyof RecordLogOptions<Schema>)[];

/** Checks the options of a new log. Reads each of them once. */
export function checkOptions(options: unknown): CheckedOptions {
  const given = checkObject('options', options, 'with retainedCapacity and segmentCapacity');
  if (Object.hasOwn(given, 'wal')) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      'options has no option "wal"; AtomicLog.open(options) makes a log with a write-ahead log',
    );
  }
  const {
    retainedCapacity,
    segmentCapacity,
    type,
    schema,
    codec,
    dataBytes,
    mapping,
    strictViews,
    pinnedBytesMax,
    firstIndex,
    name,
  } = optionsOf('options', given, optionNames);
  const sizes = {
    retainedCapacity: checkInteger('options.retainedCapacity', retainedCapacity, 1, Number.MAX_SAFE_INTEGER),
    segmentCapacity: checkInteger('options.segmentCapacity', segmentCapacity, 1, SEGMENT_CAPACITY_MAX),
  };
  const firstIndexMax = INDEX_END - sizes.segmentCapacity;
  const checked = {
    ...sizes,
    firstIndex:
      firstIndex === undefined ? 0 : checkInteger('options.firstIndex', firstIndex, 0, firstIndexMax),
    pinnedBytesMax:
      pinnedBytesMax === undefined
        ? Infinity
        : checkAmount('options.pinnedBytesMax', pinnedBytesMax, 'bytes'),
  };
  if (name !== undefined && typeof name !== 'string') throw invalidType('options.name', 'a string', name);
  const columns = checkColumns(type, schema, codec);
  const isStrict =
    checkFlag('options.strictViews', strictViews) || environmentVariable('ATOMIC_LOG_STRICT_VIEWS') === '1';
  const layout: Layout = {
    ...columns,
    name,
    strictViews: isStrict,
    dataBytes: checkDataBytes(dataBytes, columns.kinds, checked.segmentCapacity),
  };
  checkSize(layout, checked.retainedCapacity, checked.segmentCapacity);
  return {
    ...checked,
    mapping: checkChoice('options.mapping', mapping, ['auto', 'external', 'shared']),
    layout,
  };
}
