// Generated from lib/ by "npm run build:types". Do not edit.
/// <reference lib="esnext.disposable" />

declare global {
  interface AbortSignal {}
}
type Buffer = typeof globalThis extends { Buffer: { alloc(size: number): infer B } } ? B : Uint8Array;

/**
 * Every code that an error of this package can carry.
 *
 * Errors follow Node's custom: a `TypeError`, `RangeError` or `Error` with a
 * stable `code`, and a message that says what to do.
 */
export type ErrorCode =
  /** An argument, option or value has the wrong type. */
  | 'ERR_INVALID_ARG_TYPE'
  /** An option or field has the right type, but a value that has no meaning. */
  | 'ERR_INVALID_ARG_VALUE'
  /** A number is outside its range, or a value does not fit its column. */
  | 'ERR_OUT_OF_RANGE'
  /** A record lacks a field of the schema. */
  | 'ERR_MISSING_FIELD'
  /** A record or batch has a field that the schema lacks, or a column was asked for that does not exist. */
  | 'ERR_UNKNOWN_FIELD'
  /** The columns of a batch differ in length. */
  | 'ERR_COLUMN_LENGTH'
  /** A value needs more bytes than a segment has for values of variable size. */
  | 'ERR_VALUE_TOO_LARGE'
  /** The operation is for entries of fixed size. */
  | 'ERR_VARIABLE_SIZE'
  /** The log has other columns than the schema that was given to `attach` says. */
  | 'ERR_SCHEMA_MISMATCH'
  /** The log needs another codec than the one that was given, or needs one. */
  | 'ERR_CODEC_MISMATCH'
  /** A codec returned what it must not return. */
  | 'ERR_CODEC_RESULT'
  /** The codec is writing an entry: append the next one after that. */
  | 'ERR_WRITER_BUSY'
  /** What was given to `attach` is not a handle, or is not the handle of a log. */
  | 'ERR_INVALID_HANDLE'
  /** The handle comes from another process or from another copy of the addon. */
  | 'ERR_FOREIGN_HANDLE'
  /** Every environment has closed the log that the handle names. */
  | 'ERR_LOG_GONE'
  /** The AtomicLog or Wal object was closed. */
  | 'ERR_LOG_CLOSED'
  /** The Writer was closed. */
  | 'ERR_WRITER_CLOSED'
  /** The Snapshot was closed. */
  | 'ERR_SNAPSHOT_CLOSED'
  /** The writer ended the log: no entries and no claims any more. */
  | 'ERR_LOG_ENDED'
  /** No one has the writer's claim any more, and the follower was told to say so. */
  | 'ERR_WRITER_LOST'
  /** Only the JournaledLog appends to its log. */
  | 'ERR_JOURNALED'
  /** A span is open: commit it before the next append, write or reserve. */
  | 'ERR_SPAN_OPEN'
  /** The span has ended, by commit, roll or close. */
  | 'ERR_SPAN_OVER'
  /** The batch of a follower was used after the next one was asked for. */
  | 'ERR_BATCH_OVER'
  /** Entries left the window before a follower delivered them, or the stream before they were read. */
  | 'ERR_ENTRIES_LOST'
  /** Blocking the main thread was not allowed. */
  | 'ERR_MAIN_THREAD'
  /** The SegmentReader or SegmentTail was closed. */
  | 'ERR_READER_CLOSED'
  /** The file has no room for the record or batch; `attempted` and `available` say how much. */
  | 'ERR_SEGMENT_FULL'
  /** No intact record is at `offset`. */
  | 'ERR_CHECKSUM_MISMATCH'
  /** The log ends at `offset`: no record is there. */
  | 'ERR_END_OF_LOG'
  /** The file is not what the options say. */
  | 'ERR_FORMAT'
  /** Records that are known to have been durable are damaged or missing. */
  | 'ERR_CORRUPT'
  /** Another writer has the file open. */
  | 'ERR_LOCKED'
  /** An earlier write or sync failed: close the writer, and open the file again. */
  | 'ERR_POISONED'
  /** The directory of the log was moved, deleted or replaced by another: open the reader, or the log, again. */
  | 'ERR_DIRECTORY_REPLACED'
  /** The file that is followed was moved, deleted or replaced by another: open it again. */
  | 'ERR_FILE_REPLACED'
  /** There is no such file. */
  | 'ERR_FILE_NOT_FOUND'
  /** The file is there already. */
  | 'ERR_FILE_EXISTS'
  /** The system does not allow it, or the path is not that of a file. */
  | 'ERR_FILE_ACCESS'
  /** The disk is full. */
  | 'ERR_NO_SPACE'
  /** The process, or the system, has as many files open as it may: close some, then try again. */
  | 'ERR_TOO_MANY_FILES'
  /** The system failed to read, write or sync; `cause` says how. */
  | 'ERR_IO'
  /** The system starts no more threads. */
  | 'ERR_THREAD_UNAVAILABLE'
  /** The entry would not get the LSN that was expected. */
  | 'ERR_LSN_MISMATCH'
  /** A checkpoint dropped the entry; `firstLsn` is the first one kept. */
  | 'ERR_CHECKPOINTED'
  /** The position is of an entry of another log. */
  | 'ERR_FOREIGN_POSITION'
  /** A cursor is damaged, or of another log: open it with `reset`, or delete it. */
  | 'ERR_CURSOR_DAMAGED'
  /** The WalCursor was closed. */
  | 'ERR_CURSOR_CLOSED'
  /** The entry is not known to be on disk yet. */
  | 'ERR_NOT_DURABLE'
  /** Entries that a consumer knows were taken back. */
  | 'ERR_TRUNCATED'
  /** The target of forward() has entries that the log does not have. */
  | 'ERR_TARGET_AHEAD'
  /** The log does not have any more what the target of forward() lacks. */
  | 'ERR_TARGET_BEHIND'
  /** The target of forward() has another entry where the log has one of this LSN. */
  | 'ERR_TARGET_DIFFERS'
  /** The target of forward() cannot take the log or an entry, however often it is tried. */
  | 'ERR_TARGET_REFUSED'
  /** The entry is larger than a log takes. */
  | 'ERR_ENTRY_TOO_LARGE'
  /** The batch is larger than a log takes in one piece. */
  | 'ERR_BATCH_TOO_LARGE'
  /** The newest file of the log ends in a torn record, and `strictTail` refuses that. */
  | 'ERR_TORN_TAIL'
  /** The addon was built without zstd. */
  | 'ERR_COMPRESSION_UNAVAILABLE'
  /** The class is made by the library only. */
  | 'ERR_ILLEGAL_CONSTRUCTOR'
  /** The system refused memory. */
  | 'ERR_OUT_OF_MEMORY'
  /** Readers pin more memory than `pinnedBytesMax` allows. */
  | 'ERR_PINNED_BYTES'
  /** As many processes have the log open as it has room for (`readersMax`). */
  | 'ERR_TOO_MANY_PROCESSES'
  /** The memory of a log that processes share holds what none of them may have stored. */
  | 'ERR_LOG_DAMAGED'
  /** The log was opened with `readOnly`. */
  | 'ERR_READ_ONLY'
  /** This operating system does not have what is needed. */
  | 'ERR_PLATFORM_UNSUPPORTED'
  /** This runtime cannot map the log's memory. */
  | 'ERR_MAPPING_UNAVAILABLE'
  /** No binary of the addon fits this machine, or something forbids to load it: the message says which. */
  | 'ERR_ADDON_UNAVAILABLE';
/** An error of this package. */
export type AtomicLogError = Error & {
  code: ErrorCode;
};
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
type ScalarArray = NumberArray | BigIntArray;
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
 * How the values of a log become bytes and values again: `utf8`, `bytes`,
 * `json()`, `structured()`, or your own.
 *
 * ```ts
 * const codec: Codec<Date> = {
 *   name: 'date',
 *   encode: (date) => new Uint8Array(Float64Array.of(date.getTime()).buffer),
 *   decode: (bytes) => new Date(new Float64Array(bytes.slice().buffer)[0]!),
 * };
 * ```
 *
 * An exception that a codec throws passes through unchanged, and nothing has
 * changed in the log then.
 */
export interface Codec<T> {
  /** Names the codec to those who attach: they must bring one of the same name. */
  readonly name: string;
  /** The value as bytes. They are copied at once, so that the memory can be used again for the next value. */
  encode(value: T): Uint8Array;
  /**
   * If it is there, `append()` and `write()` ask it first: it writes the value to
   * the start of `target`, which is the log's own memory, and returns how many
   * bytes it wrote, or -1 when `target` is too small; then `encode()` is asked.
   * It cannot append to the log meanwhile.
   */
  encodeInto?(value: T, target: Uint8Array): number;
  /**
   * The value of these bytes. They are a view of the log's own memory: read-only,
   * and valid during the call. Copy (`slice()`) what the value keeps of them.
   */
  decode(bytes: Uint8Array): T;
}
/** Strings, stored as UTF-8. A lone surrogate becomes U+FFFD, as with `TextEncoder`. */
export declare const utf8: Codec<string>;
/** `Uint8Array`s. What is read is a copy; `chunk.encoded.bytesAt(i)` is a view. */
export declare const bytes: Codec<Uint8Array>;
/** What `JSON.stringify` and `JSON.parse` make of a value. */
export declare function json<T = unknown>(): Codec<T>;
/** What the structured clone algorithm makes of a value (`node:v8`): maps, sets, dates, typed arrays, cycles. */
export declare function structured<T = unknown>(): Codec<T>;
/**
 * The values of a field of variable size, or of a log with a codec, in one
 * chunk: `offsets` and `data` as Apache Arrow has them. Views of the log's own
 * memory, as the typed arrays of other fields are.
 *
 * ```ts
 * const names = chunk.column('name');
 * for (let i = 0; i < names.length; ++i) console.log(names.at(i), names.bytesAt(i)?.length);
 * ```
 */
export declare class VarColumn<V> implements Iterable<V> {
  #private;
  /** Values. */
  readonly length: number;
  private constructor();
  /** Where the values stand: value `i` is `data` from `offsets[i]` to `offsets[i + 1]`; `length + 1` of them. */
  get offsets(): Int32Array;
  /** The values' bytes, one after the other. The first need not begin at 0. */
  get data(): Uint8Array;
  /**
   * The value at a position in this column, from 0; undefined outside. A string, a copy of the bytes, or what
   * the codec makes of them.
   */
  at(position: number): V | undefined;
  /** The bytes of the value at a position, in the log's own memory; undefined outside. */
  bytesAt(position: number): Uint8Array | undefined;
  [Symbol.iterator](): IterableIterator<V>;
}
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
declare const stored: unique symbol;
/** The record that a schema describes; any object with its fields is one. */
export type RecordOf<S extends Schema> = {
  -readonly [K in keyof S]: ValueOf<S[K]>;
} & {
  readonly [stored]?: S;
};
/** An entry of a log of this type; any number (or bigint) is one. */
export type ScalarOf<K extends ScalarType> = ValueOf<K> & {
  readonly [stored]?: K;
};
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
export declare function defineSchema<S extends Schema>(schema: S): Readonly<S>;
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
declare const entryType: unique symbol;
declare const nativeHandle: unique symbol;
/**
 * Names a log for other threads of this process. Plain data: send it through
 * `workerData` or `postMessage`. `T` is the type of the entries.
 */
export interface LogHandle<T = unknown> {
  readonly kind: 'atomic-log';
  readonly id: number;
  readonly token: string;
  /** The registry that knows the log, its process, and the addon's file. */
  readonly registry: string;
  readonly pid: number;
  readonly addonPath: string;
  /** The log's storage, where it is shared. */
  readonly memory?: SharedArrayBuffer;
  /** Never there; it carries the type of the entries. */
  readonly [entryType]?: T;
}
/**
 * Names a log for native code of this process: another addon takes it to produce
 * or consume entries on threads of its own (`atomic_log/node_api.h`). It belongs
 * to the thread that it was made in: it cannot be posted, copied or made by hand.
 */
export interface NativeHandle {
  readonly [nativeHandle]: true;
}
type MappingKind = 'external' | 'shared';
/** How those who wait for entries learn of them: they are woken, or they look again and again. */
export type WakeUps = 'immediate' | 'polled';
/** Options of {@link AtomicLogConstructor.attach} for every log. */
export interface CommonAttachOptions {
  /**
   * A name for this thread as a reader of the log: `stats().readers` has it, in
   * every thread. When a thread attaches several times, the name that it gave last
   * counts, because its objects share what they pin. At most 1 MiB of UTF-8.
   */
  name?: string;
}
/** Options of {@link AtomicLogConstructor.attach}. */
export interface AttachOptions<T> extends CommonAttachOptions {
  /**
   * The codec of a log that has one, if it is your own: functions do not travel
   * with a handle. Its name must be the one that the log was made with.
   */
  codec?: Codec<T>;
  schema?: undefined;
}
/** Options of {@link AtomicLogConstructor.attach} for a log of records. */
export interface RecordAttachOptions<S extends Schema> extends CommonAttachOptions {
  /** The schema that the log was made with: its columns are compared with it. */
  schema: S;
  codec?: undefined;
}
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
  | (T extends object
      ? {
          readonly [K in keyof T & string]: ColumnSource<T, K>;
        }
      : never);
/**
 * The readable part of one segment in a snapshot.
 *
 * Its arrays are views of the log's own memory: read-only by contract, and
 * valid until the snapshot is closed or refreshed. Copy (`slice()`) what must
 * last longer or goes to an asynchronous native consumer.
 */
export declare class Chunk<T> {
  #private;
  /** Number of the segment in the log, from 0. */
  readonly sequence: number;
  /** Absolute index of the first entry. */
  readonly firstIndex: number;
  /** Entries. */
  readonly length: number;
  private constructor();
  /**
   * The entries of a log of numbers, `length` of them.
   *
   * @throws `ERR_UNKNOWN_FIELD` in a log of records: ask for a {@link column};
   * `ERR_VARIABLE_SIZE` in a log with a codec: use {@link encoded}.
   */
  get values(): ArrayOf<T>;
  /**
   * The entries of a log with a codec as they are stored: bytes, and `at(i)`
   * decodes one.
   *
   * @throws `ERR_VARIABLE_SIZE` in a log of numbers or records.
   */
  get encoded(): VarColumn<T>;
  /**
   * One field of every entry of a log of records, `length` of them.
   *
   * @throws `ERR_UNKNOWN_FIELD` when the log has no such field.
   */
  column<K extends keyof T & string>(name: K): ColumnOf<T, K>;
  /** The entry at a position in this chunk, from 0 to `length` - 1; undefined outside it. */
  at(position: number): T | undefined;
}
/**
 * A view of one entry at a time that is moved instead of made again: it
 * allocates nothing per entry.
 *
 * ```ts
 * const row = snapshot.cursor();
 * while (row.next()) total += row.get('price') * row.get('size');
 * ```
 */
export declare class Cursor<T> {
  #private;
  private constructor();
  /** Absolute index of the entry that it stands on. */
  get index(): number;
  /**
   * Moves to the next entry; false, and the cursor stays, when there is none.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  next(): boolean;
  /**
   * Moves to the entry with an absolute index; false, and the cursor stays, when
   * the snapshot does not hold it.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (not an integer)
   */
  seek(index: number): boolean;
  /**
   * The entry; undefined before the first `next()`. In a log of records it is a
   * new object: {@link get} reads single fields.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  get value(): T | undefined;
  /**
   * One field of the entry of a log of records; undefined before the first
   * `next()`.
   *
   * @throws `ERR_UNKNOWN_FIELD`, `ERR_SNAPSHOT_CLOSED`
   */
  get<K extends keyof T & string>(name: K): T[K];
}
/** What `follow()` returns: an iterator for `for await`, and for `await using`, which ends it as `return()` does. */
export interface Followed<T> extends AsyncIterableIterator<T> {
  [Symbol.asyncDispose](): Promise<void>;
}
/** Names a {@link FlushedOffset} for another thread: plain data, for `workerData` and `postMessage`. */
export interface FlushedOffsetHandle {
  readonly kind: 'segment-flushed-offset';
  readonly cells: SharedArrayBuffer;
}
/**
 * How far a segment file is durable. Its writer moves it, with `sync()` and
 * `setLength()`; readers that were given it never read beyond.
 *
 * ```ts
 * new Worker('./reader.js', { workerData: writer.flushedOffset.handle });
 * // there: SegmentReader.open(path, { flushed: workerData });
 * ```
 */
export declare class FlushedOffset {
  /** A new one; a writer brings its own. */
  constructor();
  /**
   * The one that a handle names.
   *
   * @throws `ERR_INVALID_HANDLE`
   */
  static attach(handle: FlushedOffsetHandle): FlushedOffset;
  /** Bytes of the file that are durable: records below it survive a power failure. */
  get value(): number;
  /** For other threads of this process. */
  get handle(): FlushedOffsetHandle;
  /**
   * Blocks this thread, with its promises and timers, until more than `beyond`
   * bytes are durable: `'ready'`, or `'timeout'`.
   *
   * @throws `ERR_MAIN_THREAD` unless `allowMainThread` is set;
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  waitSync(
    beyond: number,
    timeoutMs?: number,
    options?: {
      allowMainThread?: boolean;
    },
  ): 'ready' | 'timeout';
  /** For people. */
  toString(): string;
}
/** What changed in a snapshot. From `[f0, e0)` to `[f1, e1)`. */
export interface SnapshotChange {
  /** Entries that are new: `e1 - max(e0, f1)`. */
  readonly appended: number;
  /** Entries that were never seen and are gone: `max(0, f1 - e0)`. */
  readonly lost: number;
}
/**
 * A stable view of the log's recent entries, read in place.
 *
 * It pins the memory it shows until it is closed or refreshed: `close()` it, or
 * declare it with `using`. One that is merely dropped releases its memory
 * once it and all views of it have been collected. A segment is mapped when something
 * of it is first read, so that taking a snapshot costs little however long the window is.
 *
 * ```ts
 * using snapshot = log.snapshot();
 * for (const chunk of snapshot.chunks()) sum += chunk.values[0];
 * ```
 */
export declare class Snapshot<T> implements Iterable<T> {
  #private;
  private constructor();
  /** The log that this snapshot was taken from. */
  get log(): AtomicLogImpl<T>;
  /** Entries; 0 once it is closed. */
  get length(): number;
  /** Whether it has no entries; so it is once it is closed. */
  get isEmpty(): boolean;
  /** Absolute index of the first entry; {@link endIndex} once it is closed. */
  get firstIndex(): number;
  /** Absolute index after the last entry; it stays when the snapshot is closed. */
  get endIndex(): number;
  /**
   * Becomes what `log.snapshot()` would return now, and says what changed. The
   * result may be overwritten by the next call: read it before. Without a native
   * call while the writer stays in the same segment.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  refresh(): SnapshotChange;
  /**
   * Keeps what it holds and adds all that is new, so it grows with every call.
   * With a gap in between it behaves as {@link refresh}: there are no holes.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  extend(): SnapshotChange;
  /**
   * The entry at a position in this snapshot, negative from the end; undefined
   * outside it.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (not an integer); `ERR_MAPPING_UNAVAILABLE`
   */
  at(position: number): T | undefined;
  /**
   * The entry with an absolute index; undefined when this snapshot does not
   * hold it.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (not an integer); `ERR_MAPPING_UNAVAILABLE`
   */
  get(index: number): T | undefined;
  /**
   * The entries segment by segment, as typed arrays over the log's own memory.
   * Chunks are never empty. With `from`, an absolute index, only the entries
   * from there on: after a refresh, those from the `endIndex` before it are new.
   *
   * Where entries from `from` on have left the window, the chunks begin with the
   * oldest entry that is held: `chunks[0].firstIndex` is then greater than `from`,
   * and `refresh()` said how many are `lost`. Where `from` is {@link endIndex} or
   * beyond, there are none yet: the array is empty.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_MAPPING_UNAVAILABLE`
   */
  chunks(from?: number): Chunk<T>[];
  /**
   * The entries in order. Refreshing while iterating goes on with what is held
   * then; closing makes the next step throw `ERR_SNAPSHOT_CLOSED`.
   */
  [Symbol.iterator](): IterableIterator<T>;
  /**
   * A reusable view of one entry at a time, before the first entry.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  cursor(): Cursor<T>;
  /**
   * The entries of a log of records, oldest first, as one object with a property
   * for each field, which moves to the next entry with each step: read from it at
   * once, and copy what must last, with `{ ...row }`. Nothing is allocated for an
   * entry: many entries take about as long as an array of as many objects, and few,
   * which the processor's cache would hold as objects, up to three times as long.
   *
   * With `from`, an absolute index, only the entries from there on, as {@link chunks} has it.
   *
   * ```ts
   * for (const row of snapshot.rows()) volume += row.price * row.size;
   * ```
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; `ERR_UNKNOWN_FIELD` when the log is not one
   * of records
   */
  rows(from?: number): IterableIterator<Readonly<T>>;
  /**
   * Copies values into `target`, oldest first, and returns how many. `target` is a
   * typed array of the log's type, or of the column's. Without `from`, the newest
   * ones that fit; with it, the entries from that absolute index on, as many as
   * fit. `to` is the absolute index after the last one.
   *
   * ```ts
   * const from = snapshot.lowerBound('time', t);
   * const count = snapshot.copyInto('price', prices, from);
   * ```
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_UNKNOWN_FIELD`,
   * `ERR_OUT_OF_RANGE` for a range that the snapshot does not hold: unlike the
   * chunks of {@link chunks}, the copy would not say which entries it has;
   * `ERR_VARIABLE_SIZE` for values of variable size: use `chunks()`
   */
  copyInto(
    ...args: T extends number | bigint
      ? [target: ArrayOf<T>, from?: number, to?: number]
      : {
          [K in keyof T & string]: [column: K, target: FieldArrayOf<T, K>, from?: number, to?: number];
        }[keyof T & string]
  ): number;
  /**
   * For entries (or a column) that never decrease, such as timestamps: the
   * absolute index of the first one that is not less than `value`, from
   * {@link firstIndex} to {@link endIndex} (none is). `chunks(index)` begins with
   * it. O(log n). Strings compare as `<` does, by UTF-16 code units.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_UNKNOWN_FIELD`,
   * `ERR_VARIABLE_SIZE` for bytes, and for codecs other than utf8
   */
  lowerBound(
    ...args: T extends number | bigint | string
      ? [value: T]
      : {
          [K in keyof T & string]: [column: K, value: T[K]];
        }[keyof T & string]
  ): number;
  /**
   * Another snapshot of the same entries, to be closed on its own.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  clone(): Snapshot<T>;
  /** Releases the memory. Views that are kept longer may show newer entries, never freed memory. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
  /** For people: what `console.log` shows. */
  toString(): string;
}
/** What `stats()` returns. Segments and bytes are of the whole log unless said otherwise. */
export interface LogStats {
  /** The log's name, if it was given one. */
  name: string | undefined;
  /** Segments that were made so far: retained, pinned and idle ones. */
  segments: number;
  /** Segments in the window. */
  retainedSegments: number;
  /** Segments that are no longer in the window, but pinned by a reader somewhere. */
  pinnedSegments: number;
  /** Segments that wait to be used again. */
  idleSegments: number;
  /** Bytes of one segment, everything included. */
  segmentBytes: number;
  /** Of these, bytes for the values of each field of variable size (`options.dataBytes`); 0 when there is none. */
  dataBytes: number;
  /** Bytes of all segments that hold memory: retained, pinned, and idle ones that were not returned to the system. */
  bytes: number;
  /** Bytes of the segments that are kept only because readers pin them. */
  pinnedBytes: number;
  /** Segments that snapshots of this thread pin, inside the window or not. */
  pinnedHere: number;
  /** Segments that were filled and sealed. */
  rolls: number;
  /** Of these, segments that had room for more entries, but not for the bytes of the next one. */
  earlySeals: number;
  /** Segments begun in recycled memory. */
  recycled: number;
  /** Segments begun in fresh memory. */
  fresh: number;
  /** Who is attached now: every thread, and every attachment of native code; where processes share the log, of this one. */
  readers: ReaderStats[];
  /** Where processes share the log: those that have it open now, but with `readOnly: true`. Else empty. */
  processes: ProcessStats[];
}
/** What a process keeps of a log that processes share. */
export interface ProcessStats {
  /** Its id; undefined when it is in another PID namespace, or the system does not tell. For people: it may be out of date. */
  pid: number | undefined;
  /** Whether it is this process. */
  isSelf: boolean;
  /** Whether it has the writer's claim. */
  isWriter: boolean;
  /** Segments that only it and others like it keep: pinned, and no longer in the window. */
  pinnedSegments: number;
  /** Bytes of those segments. */
  pinnedBytes: number;
}
/**
 * What one thread, or one attachment of native code, keeps of a log: by open
 * snapshots, and by views that outlived a snapshot which was never closed.
 */
export interface ReaderStats {
  /** The `threadId` of `worker_threads` (0 is the main thread); undefined for native code. */
  threadId: number | undefined;
  /** What it called itself: `AtomicLog.attach(handle, { name })`. Undefined when it did not. */
  name: string | undefined;
  /** Segments that it pins, inside the window or not. */
  pinnedSegments: number;
  /** Bytes of those segments. */
  pinnedBytes: number;
  /** Its followers, oldest first. */
  followers: FollowerStats[];
}
/** How far a follower has come. */
export interface FollowerStats {
  /** Absolute index of the entry that it delivers next. */
  nextIndex: number;
  /** Entries that are published and that it has yet to deliver (or to report as lost). */
  lag: number;
}
/**
 * Room for entries that are written in place, before they are published:
 * `writer.reserve(count)`, then fill, then `writer.commit(count)`.
 *
 * Its arrays are the log's memory and must not be written after the commit.
 */
export interface Span<T> {
  /** Absolute index of the first entry. */
  readonly firstIndex: number;
  /** Entries: as many as asked for, or as the segment has room for. */
  readonly length: number;
  /**
   * The entries of a log of numbers.
   *
   * @throws `ERR_SPAN_OVER`, `ERR_UNKNOWN_FIELD`
   */
  readonly values: ArrayOf<T>;
  /**
   * One field of the entries of a log of records.
   *
   * @throws `ERR_SPAN_OVER`, `ERR_UNKNOWN_FIELD`
   */
  column<K extends keyof T & string>(name: K): FieldArrayOf<T, K>;
}
/**
 * The exclusive right to append to a log. `close()` it, or declare it with
 * `using`; a worker that ends releases it too.
 *
 * Entries are stored straight into the log's memory. Values are never coerced:
 * one that does not fit its column is refused, and nothing has changed then.
 *
 * ```ts
 * using writer = log.tryClaimWriter();
 * writer?.append(42);
 * ```
 */
export declare class Writer<T> {
  #private;
  private constructor();
  /** The log that this writer appends to. */
  get log(): AtomicLogImpl<T>;
  /** Absolute index that the next entry gets. */
  get nextIndex(): number;
  /**
   * Stores one entry and publishes it, staged entries first. Returns its
   * absolute index.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_MISSING_FIELD` and
   * `ERR_UNKNOWN_FIELD` for a value that does not fit, `ERR_VALUE_TOO_LARGE` for
   * one that no segment has room for; `ERR_CODEC_RESULT`, `ERR_WRITER_BUSY` and
   * what the codec throws; `ERR_WRITER_CLOSED`, or `ERR_LOG_ENDED` after {@link end}; `ERR_OUT_OF_MEMORY`, `ERR_PINNED_BYTES`
   */
  append(value: T): number;
  /**
   * Stores one entry without publishing it: readers see it after the next
   * {@link publish}, {@link append}, or when its segment is full and another
   * begins. `close()` drops what is not published. Returns its absolute index.
   *
   * @throws as {@link append}
   */
  write(value: T): number;
  /**
   * Makes every entry that was stored readable.
   *
   * @throws `ERR_WRITER_CLOSED`
   */
  publish(): void;
  /**
   * Stores and publishes many entries, staged ones first. Returns the absolute
   * index of the first.
   *
   * A typed array of the log's own type is copied as it is; a log of records
   * takes one such array per field, and for one of variable size an iterable of
   * its values or their offsets and data. Any other iterable is read to its end
   * and checked before anything is stored. A batch that crosses segments is
   * published segment by segment.
   *
   * When there is no memory for the first entry, nothing has changed. When memory
   * runs out later, the entries before {@link nextIndex}, which the message names,
   * are published, and the rest of the batch is not stored.
   *
   * @throws as {@link append}, and `ERR_COLUMN_LENGTH`
   */
  appendBatch(entries: Entries<T>): number;
  /**
   * Room for up to `count` entries to be written in place: as many as the segment
   * has left, at least one. Follow it with {@link commit}; until then nothing
   * else can be appended.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_SPAN_OPEN`,
   * `ERR_WRITER_CLOSED`, `ERR_OUT_OF_MEMORY`, `ERR_PINNED_BYTES`; `ERR_VARIABLE_SIZE`
   * in a log with values of variable size, whose room is not known before
   */
  reserve(count: number): Span<T>;
  /**
   * Publishes the first `count` entries of the open span, staged ones first, and
   * ends the span; 0 returns the room. Returns the absolute index of the first.
   *
   * @throws `ERR_SPAN_OVER` (there is none), `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`, `ERR_WRITER_CLOSED`
   */
  commit(count: number): number;
  /**
   * Publishes what is staged and ends the log: followers finish once they have
   * delivered everything, and no one can append any more. Closes the writer.
   *
   * @throws `ERR_WRITER_CLOSED`, `ERR_SPAN_OPEN`
   */
  end(): void;
  /** Releases the claim and drops what was not published. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
  /** For people: what `console.log` shows. */
  toString(): string;
}
declare class AtomicLog<T> {
  #private;
  /** Makes a log and claims its writer at once. */
  static claimed<T>(options: LogOptions): {
    writer: Writer<T>;
    log: AtomicLogImpl<T>;
  };
  /**
   * The log that a handle names, in this thread. It must be open where the handle
   * was read until this thread has attached.
   */
  static attach<T>(
    handle: LogHandle<T>,
    options?: AttachOptions<T> | RecordAttachOptions<Schema>,
  ): AtomicLogImpl<T>;
  /**
   * What another thread needs to {@link attach}: plain data for `workerData` or
   * `postMessage`. Once it was read, the log lives until this object is closed or
   * this thread ends, also when the object is dropped.
   */
  get handle(): LogHandle<T>;
  /**
   * What an addon of your own needs to produce or consume entries on native
   * threads; see `atomic_log/atomic_log.h` in the folder `require('atomic-log/include')`.
   * Pass it to that addon in this thread. Once it was read, the log lives until this
   * object is closed or this thread ends, as with {@link handle}.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get nativeHandle(): NativeHandle;
  /** Entries that stay readable, at least. */
  get retainedCapacity(): number;
  /** Entries per segment. */
  get segmentCapacity(): number;
  /** How this log's memory is shown to JavaScript. */
  get mapping(): MappingKind;
  /**
   * How those who wait in this process (`follow()`, `waitSync()`) learn of what was published: `'immediate'`, they are
   * woken, or `'polled'`, they look every millisecond while entries come, and after a pause less often, at least every
   * 10 ms. That is so with `readOnly: true`, and where the system wakes no thread of another process (macOS before 14.4).
   */
  get wakeUps(): WakeUps;
  /** Whether this object was closed. */
  get isClosed(): boolean;
  /**
   * Whether a writer is claimed, in any thread, or any process where processes share the log.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get isWriterClaimed(): boolean;
  /**
   * Absolute index of the oldest entry in the window.
   *
   * @throws `ERR_LOG_CLOSED`; `ERR_LOG_DAMAGED` where processes share it
   */
  get firstIndex(): number;
  /**
   * Absolute index after the newest published entry.
   *
   * @throws `ERR_LOG_CLOSED`; `ERR_LOG_DAMAGED` where processes share it
   */
  get endIndex(): number;
  /**
   * Whether the writer ended the log: what it holds now is all.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get ended(): boolean;
  /** Of a log that processes share: the random id of its file, which another one at the same path does not have. Else undefined. */
  get logId(): string | undefined;
  /**
   * Whether the path of a log that processes share leads to another file by now, or to none, because that was
   * unlinked, moved or replaced: who opens the path does not find this log. No one is told of it by itself, and a writer
   * goes on: look from time to time, as the file system is asked each time. False for other logs, and where the system
   * does not tell. A log that was opened by several paths goes by the first.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get isReplaced(): boolean;
  /**
   * The right to append, or null while another writer has it.
   *
   * @throws `ERR_LOG_ENDED`, `ERR_LOG_CLOSED`, `ERR_MAPPING_UNAVAILABLE`; `ERR_READ_ONLY` with `readOnly: true`;
   * `ERR_JOURNALED` for a log of `AtomicLog.open({ wal })`, which has its writer's calls itself
   */
  tryClaimWriter(): Writer<T> | null;
  /**
   * A stable view of the window as it is now. Close it.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  snapshot(): Snapshot<T>;
  /**
   * The newest entry; undefined when there is none yet.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  latest(): T | undefined;
  /**
   * Delivers what the window holds and then what comes, or all from where the
   * options say, as batches for `for await`. It waits without using the processor, keeps the event loop alive
   * while it waits, and ends when the writer called `end()` and everything was
   * delivered, or when this object is closed. An abort ends the waiting: the batch that
   * was delivered stays valid until the next `next()` or `return()`. The iterator is
   * also an `AsyncDisposable`, for `await using`.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`,
   * `ERR_OUT_OF_RANGE`; while iterating the signal's reason, `ERR_ENTRIES_LOST`, `ERR_WRITER_LOST`,
   * `ERR_FILE_REPLACED`
   */
  follow(options?: FollowOptions): Followed<Batch<T>>;
  /**
   * Blocks this thread until the entry with the absolute index `index` can be read,
   * that is until `log.endIndex > index`, the log has ended, or `timeoutMs` are over. With
   * `whenWriterLost: 'return'` also until no one has the writer's claim any more, as `follow()` has it: the result is
   * `'writer-lost'` then. Promises and timers of this thread wait as long; `worker.terminate()` by at most 50 ms.
   *
   * @throws `ERR_MAIN_THREAD` unless `allowMainThread` is set; `ERR_LOG_CLOSED`,
   * `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  waitSync(
    index: number,
    timeoutMs?: number,
    options?: {
      allowMainThread?: boolean;
      whenWriterLost?: 'wait';
    },
  ): 'ready' | 'timeout' | 'ended';
  waitSync(
    index: number,
    timeoutMs: number | undefined,
    options: {
      allowMainThread?: boolean;
      whenWriterLost?: 'wait' | 'return';
    },
  ): 'ready' | 'timeout' | 'ended' | 'writer-lost';
  /**
   * The right to append, as soon as it is free: for fail-over. With `whenReplaced: 'throw'` only while others find the
   * log, as `follow()` has it: it rejects with `ERR_FILE_REPLACED` when the log {@link isReplaced}.
   *
   * @throws (rejects) `ERR_LOG_ENDED`, `ERR_LOG_CLOSED`, `ERR_READ_ONLY`, `ERR_JOURNALED`, the signal's reason; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`;
   * `ERR_FILE_REPLACED`
   */
  waitForWriter(options?: { signal?: AbortSignal; whenReplaced?: 'wait' | 'throw' }): Promise<Writer<T>>;
  /**
   * What the log holds now.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  stats(): LogStats;
  /** Closes this object only: snapshots and writers that were taken stay valid. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
  /** For people: what `console.log` shows. */
  toString(): string;
}
/** Where a follower begins, and what it does when it is too slow. */
export interface FollowOptions {
  /**
   * The first entry: `'oldest'` for what the window holds (default), `'latest'`
   * for what comes after this call, or an absolute index. An index before the
   * window counts the entries in between as lost; one that lies in the future
   * waits for its entry.
   */
  from?: 'latest' | 'oldest' | number;
  /** Ends the iteration: the next `next()` rejects with the signal's reason. The last batch stays valid until then. */
  signal?: AbortSignal;
  /** Entries in a batch, at most. Default: all that there is. */
  batchEntriesMax?: number;
  /**
   * When entries left the window before they were delivered: `'report'` them in
   * the batch (default), or `'throw'` `ERR_ENTRIES_LOST`.
   */
  onLost?: 'report' | 'throw';
  /**
   * When no one has the writer's claim, the log has not ended, and everything that was published is delivered:
   * `'wait'` for the next writer (default), `'end'` the iteration, or `'throw'` `ERR_WRITER_LOST`. It is noticed within
   * a few milliseconds, also when the writer's process was killed; not when another writer has the claim by then. Before
   * the first entry, a writer is waited for in any case.
   */
  whenWriterLost?: WhenWriterLost;
  /**
   * When the path of a log that processes share leads to another file by now, or to none, and everything that was
   * published is delivered: `'wait'` for more (default), `'end'` the iteration, or `'throw'` `ERR_FILE_REPLACED`. It is
   * looked at every quarter of a second, while the follower waits, and whenever it has to.
   */
  whenReplaced?: WhenReplaced;
}
/** What a follower does when the writer is gone without having ended the log. */
export type WhenWriterLost = 'wait' | 'end' | 'throw';
/** What a follower does when no one else finds the log any more: see `log.isReplaced`. */
export type WhenReplaced = 'wait' | 'end' | 'throw';
/** Consecutive entries that a follower delivers. Valid until its next `next()` or `return()`, also after an abort. */
export interface Batch<T> extends Iterable<T> {
  /** Absolute index of the first entry. */
  readonly firstIndex: number;
  /** Entries; at least one. */
  readonly length: number;
  /** Entries before this batch that left the window before they were delivered. */
  readonly lost: number;
  /** The entries segment by segment, over the log's own memory. */
  chunks(): Chunk<T>[];
  /** As {@link Snapshot.rows}: one object for all entries of a log of records, which moves. */
  rows(): IterableIterator<Readonly<T>>;
}
/**
 * One record of a segment file, checked.
 *
 * Its Buffers are views. Those of a reader in the mode `'mmap'` are the mapped
 * file: treat them as read-only, and do not use them after the reader was
 * closed or the record was cut off.
 */
export declare class SegmentRecord {
  #private;
  /** Where the record begins in the file. */
  readonly offset: number;
  /** All its bytes in the file: the next record begins at `offset + length`. */
  readonly length: number;
  /**
   * The record's header, of `headerSize` bytes.
   *
   * @throws `ERR_READER_CLOSED`
   */
  get header(): Buffer;
  /**
   * What was appended; decompressed at the first use.
   *
   * @throws `ERR_READER_CLOSED`; for compressed data also `ERR_OUT_OF_RANGE` when
   * it is more than `dataBytesMax`, `ERR_CORRUPT` when it cannot be decompressed,
   * `ERR_OUT_OF_MEMORY`, and `ERR_COMPRESSION_UNAVAILABLE`
   */
  get data(): Buffer;
  /** Whether the data is compressed in the file. */
  get isCompressed(): boolean;
  /**
   * The data as the file has it, when it is compressed: the original size (u32)
   * and one zstd frame.
   *
   * @throws `ERR_READER_CLOSED`
   */
  get compressedData(): Buffer | undefined;
  /** For people: what it is, without its data. */
  toString(): string;
}
/** What {@link parseRecord} must know. */
export interface ParseOptions {
  headerSize?: number;
  checksum?: 'crc32c' | 'crc32';
}
/**
 * The record at `offset` of bytes in memory: those of a segment file, however
 * they came here. Its Buffers are views of `bytes`.
 *
 * @throws `ERR_CHECKSUM_MISMATCH`, `ERR_END_OF_LOG`, `ERR_OUT_OF_RANGE`,
 * `ERR_INVALID_ARG_TYPE`
 */
export declare function parseRecord(bytes: Uint8Array, offset: number, options?: ParseOptions): SegmentRecord;
/** An error of a segment file. */
export type SegmentError = AtomicLogError & {
  /** The file. */
  readonly path?: string;
  /** Where in the file. */
  readonly offset?: number;
  /** Of `ERR_SEGMENT_FULL`: the bytes that were asked for. */
  readonly attempted?: number;
  /** Of `ERR_SEGMENT_FULL`: the bytes that there are. */
  readonly available?: number;
};
/** What one must know to read a segment file; it is not written into it. */
export interface SegmentOptions {
  /** Bytes at the beginning of the file that are the application's own. Default: 0. */
  startOffset?: number;
  /** Bytes of the header that every record has. Default: 0. */
  headerSize?: number;
  /**
   * `'crc32c'` (Castagnoli, the default), or `'crc32'` (ISO-HDLC) for files of
   * the Rust crate seglog, which says the one and computes the other.
   */
  checksum?: 'crc32c' | 'crc32';
}
/** Whether data of 128 bytes or more is compressed, where that makes it shorter. */
export type Compression = 'none' | 'zstd';
/** How {@link SegmentWriter.create} makes a file. */
export interface SegmentCreateOptions extends SegmentOptions {
  /** Bytes of the file. Its length never changes. */
  size: number;
  /** What {@link SegmentWriter.compression} begins with. Default: `'none'`. */
  compression?: Compression;
}
/** How {@link SegmentWriter.open} opens a file. */
export interface SegmentOpenOptions extends SegmentOptions {
  /** The length that the file must have. An interrupted creation is finished then. */
  size?: number;
  /** What is known to have been durable: damage below it is an error, and it is not written again. */
  durableOffset?: number;
  /** The file is complete: any damage is an error. */
  sealed?: boolean;
  /** What {@link SegmentWriter.compression} begins with. Default: `'none'`. */
  compression?: Compression;
  /** Quarantine everything when no record is at `startOffset`, instead of refusing the file. */
  discardUnreadable?: boolean;
}
/** What {@link SegmentWriter.open} found and did. */
export interface SegmentRecoveryReport {
  /** Intact records. */
  readonly records: number;
  /** Bytes after them that were not records: they were moved to the quarantine file, and are zero now; 0 for a clean end. */
  readonly quarantinedBytes: number;
  /** Where they began: the end of the log. */
  readonly offset: number;
  /** Bytes of intact records among them: more than a torn write leaves. */
  readonly validBytesAfter: number;
  /** The quarantine file, which keeps them; undefined when there were none. */
  readonly quarantinePath: string | undefined;
}
/** How a {@link SegmentReader} reads. */
export interface SegmentReaderOptions extends SegmentOptions {
  /** Nothing beyond it is read. Without it, the whole file is, synced or not. */
  flushed?: FlushedOffset | FlushedOffsetHandle;
  /**
   * `'mmap'` (the default) maps the file: records are views of the mapping.
   * `'pread'` reads, and copies. A file that cannot be mapped is read.
   */
  mode?: 'mmap' | 'pread';
  /** Compressed data that would be more is refused. Default: 64 MiB. */
  dataBytesMax?: number;
}
/** Whether records are read here and there, or one after the other. */
export type ReadHint = 'random' | 'sequential';
/**
 * Reads the records of a segment file, in any thread or process. Every record
 * is checked. `close()` it, or declare it with `using`.
 *
 * ```ts
 * using reader = SegmentReader.open('events.seg', { flushed });
 * for (const record of reader.records()) handle(record.data);
 * ```
 */
export declare class SegmentReader {
  #private;
  private constructor();
  /**
   * Opens a file for reading.
   *
   * @throws `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`, `ERR_IO`; `ERR_FORMAT` for
   * a file that ends before `startOffset`; `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_HANDLE`
   */
  static open(path: string, options?: SegmentReaderOptions): SegmentReader;
  /** Whether records are views of the mapped file (`'mmap'`), or copies. */
  get mode(): 'mmap' | 'pread';
  /** Where reading ends at present: the flushed offset, or the end of the file. */
  get limit(): number;
  /**
   * The record at `offset`.
   *
   * @throws `ERR_CHECKSUM_MISMATCH` when no intact record is there: it is
   * damaged, or none begins there; `ERR_END_OF_LOG`; `ERR_OUT_OF_RANGE` beyond
   * the flushed offset; `ERR_IO`, `ERR_OUT_OF_MEMORY`; `ERR_READER_CLOSED`
   */
  read(offset: number, hint?: ReadHint): SegmentRecord;
  /**
   * The records from `from` (default: the first) to the end of the log, or to
   * the flushed offset. An iterator that has come to the end goes on when there
   * is more.
   *
   * @throws as {@link read}; and so does the iterator, at a damaged record
   */
  records(from?: number): IterableIterator<SegmentRecord>;
  /**
   * Bytes of the file as they are, a copy.
   *
   * @throws `ERR_OUT_OF_RANGE` beyond the flushed offset or the end of the file;
   * `ERR_IO`, `ERR_OUT_OF_MEMORY`, `ERR_READER_CLOSED`
   */
  readBytes(offset: number, length: number): Buffer;
  /**
   * The bytes before `startOffset`, the application's own; a copy.
   *
   * @throws `ERR_IO`, `ERR_READER_CLOSED`
   */
  get applicationHeader(): Buffer;
  /**
   * Has the system fetch what is at `offset`; does not wait for it.
   *
   * @throws `ERR_READER_CLOSED`
   */
  prefetch(offset: number): void;
  /**
   * A reader of the same open file, whatever has become of its name.
   *
   * @throws `ERR_READER_CLOSED`
   */
  clone(): SegmentReader;
  /**
   * Closes the file. Views of its mapping show zeros once its clones are closed too; on Windows they keep the
   * file mapped, and undeletable, until they are collected. Idempotent.
   */
  close(): void;
  [Symbol.dispose](): void;
  /** For people: the file, and how much of it is read. */
  toString(): string;
}
/** How {@link SegmentTail.open} begins. */
export interface SegmentTailOptions extends SegmentOptions {
  /** The first record to deliver. Default: the first of the file. */
  from?: number;
  /** Compressed data that would be more is refused. Default: 64 MiB. */
  dataBytesMax?: number;
}
/** How {@link SegmentTail.follow} waits. */
export interface SegmentFollowOptions {
  /** Milliseconds between two looks at the file. Default: 20. */
  pollMs?: number;
  /** Ends the wait; the iterator rejects with its reason. */
  signal?: AbortSignal;
}
/**
 * Follows a segment file that another process writes: its intact records, one
 * after the other. Records are copies.
 *
 * It sees what the system has, not what is durable: after a power failure the
 * last records may be gone, and after `setLength()` of the writer a record that
 * was delivered is not in the file any more. Within one process,
 * `SegmentReader` with the writer's `flushedOffset` sees neither.
 *
 * ```ts
 * using tail = SegmentTail.open('events.seg');
 * for await (const record of tail.follow({ signal })) handle(record.data);
 * ```
 */
export declare class SegmentTail {
  #private;
  private constructor();
  /**
   * Opens a file for following.
   *
   * @throws as `SegmentReader.open()`
   */
  static open(path: string, options?: SegmentTailOptions): SegmentTail;
  /** Where the next record will be. */
  get offset(): number;
  /**
   * The next record, or undefined when there is none yet: the log ends here, or
   * the record is being written. A damaged record looks like one that is being
   * written forever.
   *
   * @throws `ERR_FILE_REPLACED` after the last record of a file that was moved,
   * deleted or replaced by another one: open the path again; `ERR_IO`,
   * `ERR_READER_CLOSED`
   */
  next(): SegmentRecord | undefined;
  /**
   * The records that come: it waits where {@link next} has none. Ends when the
   * tail is closed.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`,
   * `ERR_READER_CLOSED`; the iterator as {@link next}, and with the signal's reason
   */
  follow(options?: SegmentFollowOptions): Followed<SegmentRecord>;
  /** Closes the file, and ends every follower. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
  /** For people: the file, and where the next record will be. */
  toString(): string;
}
/** A record to append: its data, or its data and header. */
export type SegmentEntry =
  | Uint8Array
  | {
      readonly data: Uint8Array;
      readonly header?: Uint8Array;
    };
/** Where a record or a batch was put. */
export interface Appended {
  /** Its offset in the file. */
  readonly offset: number;
  /** Its bytes in the file, all told. */
  readonly length: number;
}
/**
 * The one writer of a segment file: appends records with checksums to a file of
 * fixed size. `close()` it, or declare it with `await using`.
 *
 * `append()` only buffers. `flush()` hands everything to the system, so that a
 * crash of this process loses nothing; after `await sync()` a power failure does
 * not either. What a writer that is dropped, or whose worker ends, has not flushed
 * is lost.
 *
 * What waits for the disk is a Promise and leaves this thread free, or is called
 * `…Sync` and blocks it.
 *
 * ```ts
 * await using writer = await SegmentWriter.create('events.seg', { size: 64 << 20 });
 * const { offset } = writer.append(Buffer.from('event'));
 * await writer.sync();
 * ```
 */
export declare class SegmentWriter {
  #private;
  private constructor();
  /**
   * Makes a file, secures its space, and makes its name durable.
   *
   * Rejects as {@link createSync} throws.
   */
  static create(path: string, options: SegmentCreateOptions): Promise<SegmentWriter>;
  /**
   * As {@link create}; this thread waits for the disk.
   *
   * @throws `ERR_FILE_EXISTS`, `ERR_FILE_NOT_FOUND` (of the directory),
   * `ERR_FILE_ACCESS`, `ERR_NO_SPACE`, `ERR_IO`, `ERR_OUT_OF_MEMORY`; `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`, and `ERR_OUT_OF_RANGE` for a `size` that is not
   * greater than `startOffset`
   */
  static createSync(path: string, options: SegmentCreateOptions): SegmentWriter;
  /**
   * Opens a file for writing, at the end of its records. {@link recovery} says
   * what was found there; it is durable then.
   *
   * Bytes after the last intact record are kept in a file next to it (`path` with
   * `.torn-1` and so on) and become zero.
   *
   * Rejects as {@link openSync} throws.
   */
  static open(path: string, options?: SegmentOpenOptions): Promise<SegmentWriter>;
  /**
   * As {@link open}; this thread waits until the file was read and is durable.
   *
   * @throws `ERR_LOCKED`; `ERR_FORMAT` when no record is at `startOffset`
   * although the file is not empty: the options are wrong, or the first record
   * is damaged; `ERR_CORRUPT` for damage below `durableOffset`, or in a `sealed`
   * file; nothing was changed then. `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`,
   * `ERR_NO_SPACE`, `ERR_IO`, `ERR_OUT_OF_MEMORY`; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`,
   * `ERR_OUT_OF_RANGE`
   */
  static openSync(path: string, options?: SegmentOpenOptions): SegmentWriter;
  /**
   * Whether the records that come are compressed; it may be switched between
   * records.
   *
   * @throws `ERR_COMPRESSION_UNAVAILABLE` when set to `'zstd'` and the addon was
   * built without it
   */
  get compression(): Compression;
  set compression(compression: Compression);
  /** What {@link open} found; undefined after {@link create}. */
  get recovery(): SegmentRecoveryReport | undefined;
  /** How far the file is durable, to be shared with readers in any thread. */
  get flushedOffset(): FlushedOffset;
  /** Bytes of the file. */
  get size(): number;
  /** Where the next record goes. */
  get writeOffset(): number;
  /** Bytes left; a record needs 8 more than its header and data. */
  get remaining(): number;
  /**
   * Appends one record. The data is copied before this returns; it is written
   * with the next {@link flush} or {@link sync}, or when much has come together.
   * `header` must have the `headerSize` of the options.
   *
   * @throws `ERR_SEGMENT_FULL`, with `attempted` and `available`, and nothing has
   * changed; `ERR_OUT_OF_MEMORY` for a record of more than 256 KiB, or one that is
   * compressed, and nothing has changed either; `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`; `ERR_WRITER_CLOSED`; and as {@link flush}
   */
  append(data: Uint8Array, header?: Uint8Array): Appended;
  /**
   * Appends many records, or none: an iterable of data (or of `{ data, header }`),
   * or one piece of bytes and the length of each record in it. A length counts
   * the record's header too, which comes first. Returns where the first record
   * is, and the bytes of all.
   *
   * @throws as {@link append}, but with `ERR_OUT_OF_MEMORY` the first entries of an
   * iterable may be appended: `writeOffset` says; whatever the iterable throws
   */
  appendBatch(entries: Iterable<SegmentEntry>): Appended;
  appendBatch(bytes: Uint8Array, lengths: Uint32Array | readonly number[]): Appended;
  /**
   * Hands everything to the system: it survives a crash of this process.
   *
   * @throws `ERR_IO`, `ERR_NO_SPACE`; `ERR_POISONED` ever after;
   * `ERR_WRITER_CLOSED`
   */
  flush(): void;
  /**
   * Makes what was appended before durable, and moves {@link flushedOffset}, with
   * which it resolves. What is appended meanwhile may or may not be durable then.
   * It comes after {@link setLength} and {@link replaceHeader} that were called.
   *
   * Rejects as {@link syncSync} throws.
   */
  sync(): Promise<number>;
  /**
   * As {@link sync}; this thread waits for the disk.
   *
   * @throws as {@link flush}
   */
  syncSync(): number;
  /**
   * Ends the log at `offset`, where a record begins: that record and all after
   * it are gone, durably. Views of them show zeros or later records. Until it has
   * resolved appending is `ERR_WRITER_BUSY`: no one knows where the log ends.
   *
   * Rejects as {@link setLengthSync} throws.
   */
  setLength(offset: number): Promise<void>;
  /**
   * As {@link setLength}; this thread waits for the disk.
   *
   * @throws `ERR_OUT_OF_RANGE`, `ERR_CHECKSUM_MISMATCH` where no record begins;
   * `ERR_OUT_OF_MEMORY`, and nothing has changed; `ERR_WRITER_BUSY` while another
   * change is under way; and as {@link syncSync}
   */
  setLengthSync(offset: number): void;
  /**
   * Replaces the header of the record at `offset`, durably: a crash leaves the
   * old one or the new one. A function is given the record, when those changes are
   * made that were called before, and returns the new header, or undefined to keep
   * the old one. Resolves with whether it was replaced. Until then appending is
   * `ERR_WRITER_BUSY`; many may be called at once.
   *
   * Rejects as {@link replaceHeaderSync} throws.
   */
  replaceHeader(
    offset: number,
    header: Uint8Array | ((record: SegmentRecord) => Uint8Array | undefined),
  ): Promise<boolean>;
  /**
   * As {@link replaceHeader}; this thread waits for the disk.
   *
   * @throws `ERR_OUT_OF_RANGE`, `ERR_CHECKSUM_MISMATCH` where no record is;
   * `ERR_INVALID_ARG_TYPE`; what the function throws; `ERR_OUT_OF_MEMORY`, and
   * nothing has changed; `ERR_WRITER_BUSY` while another change is under way; and
   * as {@link syncSync}
   */
  replaceHeaderSync(
    offset: number,
    header: Uint8Array | ((record: SegmentRecord) => Uint8Array | undefined),
  ): boolean;
  /**
   * The bytes before `startOffset`, the application's own; a copy.
   *
   * @throws `ERR_IO`, `ERR_WRITER_CLOSED`
   */
  get applicationHeader(): Buffer;
  /**
   * Writes into the bytes before `startOffset`; durable with the next sync. A
   * power failure before may leave some of it.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; and as {@link flush}
   */
  writeApplicationHeader(bytes: Uint8Array, at?: number): void;
  /**
   * A last {@link sync}, after the changes that were called; then the file is free for another writer, also when
   * that sync fails. From the call on, every other call says that the writer is
   * closed; a sync that is under way resolves first. Idempotent.
   *
   * Rejects as {@link closeSync} throws.
   */
  close(): Promise<void>;
  /**
   * As {@link close}; this thread waits for the disk, and for syncs that are under
   * way, a pending {@link close} included.
   *
   * @throws as {@link syncSync}, the first time
   */
  closeSync(): void;
  /** As {@link closeSync}: for `using`. */
  [Symbol.dispose](): void;
  /** As {@link close}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** For people: the file, and how full and how durable it is. */
  toString(): string;
}
/**
 * What has happened when an append is acknowledged: the disk has it (`'full'`),
 * the system has it, so that it survives this process (`'os'`), or it only has
 * its place in the log (`'none'`).
 */
export type Durability = 'full' | 'os' | 'none';
/** When appends that wait together are committed. At once, unless `waitUs` says to wait for more. */
export interface CommitPolicy {
  /** Microseconds to wait for more. Default: 0. */
  waitUs?: number;
  /** Entries that end the wait. */
  count?: number;
  /** Bytes that end the wait. */
  bytes?: number;
}
/** A file of a log. */
export interface WalFile {
  readonly path: string;
  readonly number: number;
  /** LSN of its first entry. */
  readonly firstLsn: number;
  /** LSN of its last entry; `firstLsn - 1` when it has none. */
  readonly lastLsn: number;
  readonly bytes: number;
}
/** How a log is opened. */
export interface WalOptions {
  /** Bytes of each file that is made. Default: those of the log's files, and 64 MiB for a new log. */
  segmentBytes?: number;
  /** Entries may have so many bytes. Default: what a file takes, but 16 MiB at most. */
  entryBytesMax?: number;
  /** When appends are acknowledged. Default: `'full'`. */
  durability?: Durability;
  commit?: CommitPolicy;
  /** When appends of more bytes are under way, the next one commits them before it returns. Default: 64 MiB. */
  bytesInFlightMax?: number;
  /** LSN of the first entry of a log that is created. Default: 1. */
  firstLsn?: number;
  /** Up to 3988 bytes of your own, kept in a log that is created. */
  metadata?: Uint8Array;
  /**
   * Drop the oldest files, a file at a time, while all together use more
   * bytes than this: counted up to the end of what was written to each, not by
   * its length. The newest file stays, and so does what a cursor still needs. They are
   * dropped off this thread, in the order of the calls; in a long synchronous run on it.
   */
  retainBytes?: number;
  /** Refuse a log with a torn last record, instead of quarantining it. */
  strictTail?: boolean;
  /** Read the records of all files, not of the newest only; as many files at a time as there are cores. */
  verifyOnOpen?: boolean;
  /**
   * A file is complete and will not change again; to archive it, for example. It
   * is called for each file once, oldest first, soon after the call that completed
   * it and before {@link Wal.close} resolves; and after opening for every file that
   * is there already, because the process that completed it may have been killed
   * before it could say so. No file is deleted before it was announced.
   *
   * It is not waited for when it returns a promise. When it throws, the file
   * stays, and it is called again when the next one is complete; {@link onError}
   * is told.
   */
  onSegmentSealed?: (file: WalFile) => void;
  /**
   * A checkpoint is about to delete the file. When this throws, nothing is
   * deleted, and it may be called for the same file again: {@link Wal.checkpoint}
   * rejects with what it throws; of `retainBytes`, {@link onError} is told, and it is
   * tried again with the next file.
   */
  beforeDelete?: (file: WalFile) => void;
  /**
   * A hook has thrown, or a checkpoint for `retainBytes` has failed, where no call
   * of yours could tell; files are kept that would have gone. Default: one warning
   * of the process for the log.
   *
   * All three run in the AsyncLocalStorage context of the call that opened the log.
   */
  onError?: (error: unknown, file: WalFile) => void;
  /**
   * Of `open()` alone, not of `openSync()`: wait while another writer has the log, as the process before this one may at a
   * restart, instead of `ERR_LOCKED`. Looks every 25 ms, and keeps the process alive meanwhile. Default: false.
   */
  wait?: boolean;
  /** With `wait: true`: ends the waiting, as `AbortSignal.timeout(30_000)` does. What is being opened by then is opened. */
  signal?: AbortSignal;
}
/** How far a checkpoint may go. */
export interface WalCheckpointOptions {
  /** Drop what cursors still need, too. Each is told of it when it is opened. */
  force?: boolean;
}
/** What `Wal.open()` found and did. It is on disk by then. */
export interface WalRecovery {
  /**
   * What had to be done: the log was made (`'created'`); nothing, because zeros
   * follow the last record of the newest file (`'clean'`: also after most
   * crashes, for a killed process rarely tears a record); the newest file is full
   * and another one was made (`'continued'`); a torn last record was quarantined
   * (`'truncated'`); a file whose making was interrupted was made again
   * (`'recreated'`).
   */
  readonly action: 'created' | 'clean' | 'continued' | 'truncated' | 'recreated';
  /** Intact records found in the newest file. */
  readonly records: number;
  /** Torn bytes that were moved to the quarantine file; 0: none. */
  readonly quarantinedBytes: number;
  /**
   * Torn bytes that were dropped without a copy, because the disk has no room
   * for one; 0: none. `strictTail` refuses to open instead.
   */
  readonly discardedBytes: number;
  /** Where the records of the newest file ended; what was quarantined began there. */
  readonly offset: number;
  /** The LSN that the next entry gets. */
  readonly lsn: number;
  /** The quarantine file, which keeps what was torn off. */
  readonly quarantinePath: string | undefined;
}
/** Counters of a log, since it was opened. */
export interface WalStats {
  readonly files: number;
  /** Bytes of all files. */
  readonly bytes: number;
  readonly syncs: number;
  /** Commits of the committer: each is one sync for many appends. */
  readonly commits: number;
  readonly rotations: number;
  readonly writtenBytes: number;
  /** Bytes of appends that are not committed yet. */
  readonly bytesInFlight: number;
}
/**
 * A log in memory whose entries are in a write-ahead log too, from {@link AtomicLogConstructor.open}. It is its own writer.
 * Readers in all threads see it as any log, by its `handle`; after a restart the window is made again from the
 * newest entries, and indexes go on.
 *
 * ```ts
 * await using log = await AtomicLog.open({ wal: 'trades', schema, retainedCapacity: 1e6, segmentCapacity: 1e4 });
 * const index = log.append({ time: 1, price: 101.5 });
 * await log.durable(index);
 * ```
 */
export declare class JournaledLog<T> extends AtomicLog<T> {
  #private;
  private constructor();
  /** The directory of the write-ahead log. */
  get path(): string;
  /** Names the log and its copies: as `Wal.logId`. */
  get logId(): string;
  /** What opening found on disk. */
  get recovery(): WalRecovery;
  /** LSN of the entry with index 0: that with index `i` has LSN `base + i` in the write-ahead log. */
  get base(): number;
  /** Absolute index of the oldest entry on disk, from where {@link follow} can begin. */
  get oldestIndex(): number;
  /** Absolute index after the newest entry that is on disk. What comes after it, a crash may take back. */
  get durableIndex(): number;
  /** Absolute index that the next entry gets. */
  get nextIndex(): number;
  /**
   * Stores one entry, has the write-ahead log take it, and publishes it, staged entries first. Returns its absolute
   * index. It becomes as durable as the log's `durability` says, without being waited for: {@link durable} does.
   *
   * @throws as {@link Writer.append}, and what refuses it on disk: `ERR_NO_SPACE`, `ERR_POISONED`,
   * `ERR_ENTRY_TOO_LARGE`, `ERR_FILE_ACCESS`, `ERR_TOO_MANY_FILES`, `ERR_OUT_OF_MEMORY`; nothing has changed then
   */
  append(value: T): number;
  /**
   * As {@link Writer.appendBatch}. What lies in one segment of the window is written in one piece, and comes back
   * whole after a crash or not at all, unless it is larger than a batch of the write-ahead log may be. When the disk
   * refuses a part, those before are kept: {@link nextIndex} says how far.
   *
   * @throws as {@link Writer.appendBatch} and {@link append}
   */
  appendBatch(entries: Entries<T>): number;
  /**
   * Stores one entry without publishing it, and so without writing it to disk: as {@link Writer.write}.
   *
   * @throws as {@link append}
   */
  write(value: T): number;
  /**
   * Has the write-ahead log take every entry that was stored, in one piece, and makes them readable.
   *
   * @throws `ERR_WRITER_CLOSED`; what refuses them on disk, as {@link append}: they stay staged then
   */
  publish(): void;
  /** As {@link Writer.reserve}. */
  reserve(count: number): Span<T>;
  /** As {@link Writer.commit}; when the disk refuses the entries, the span has ended all the same. */
  commit(count: number): number;
  /**
   * Resolves when the entry with the absolute index `index`, and all before it, are on disk.
   *
   * @throws (rejects) `ERR_OUT_OF_RANGE` for an entry that was not published, `ERR_INVALID_ARG_TYPE`;
   * `ERR_POISONED` when it did not become durable; `ERR_LOG_CLOSED`
   */
  durable(index: number): Promise<void>;
  /**
   * Makes everything durable that was published before, and resolves with {@link durableIndex}.
   *
   * @throws (rejects) `ERR_POISONED`, `ERR_LOG_CLOSED`
   */
  sync(): Promise<number>;
  /**
   * As `AtomicLog.follow()`, but from any entry on disk: `'oldest'` (default) is {@link oldestIndex}, and what
   * has left the window is read from the disk, also for a follower that was too slow. Entries are lost only if a
   * checkpoint dropped them.
   *
   * @throws as `AtomicLog.follow()`; while iterating `ERR_POISONED` after all that was published, once nothing
   * can become durable any more; `ERR_CORRUPT`, `ERR_IO`, `ERR_DIRECTORY_REPLACED`, `ERR_TOO_MANY_FILES`
   */
  follow(options?: FollowOptions): Followed<Batch<T>>;
  /**
   * Drops the entries before `index` from the disk, durably, a file at a time: as {@link Wal.checkpoint}. It stops
   * before what the window holds, so that the next opening finds it, and before the slowest cursor; `force` passes
   * both.
   *
   * @throws (rejects) as {@link Wal.checkpoint}
   */
  checkpoint(index: number, options?: WalCheckpointOptions): Promise<void>;
  /**
   * Publishes what is staged, makes everything durable, ends the log for readers in all threads, and closes it.
   * Idempotent. `await using` calls it. In a hook that runs inside of an append it waits until that has returned.
   *
   * @throws (rejects) `ERR_POISONED`, or what refuses the staged entries, when not everything became durable; the
   * log is closed all the same
   */
  close(): Promise<void>;
  /**
   * As {@link close}, on this thread. `using` calls it.
   *
   * @throws as {@link close}; `ERR_WRITER_BUSY` in a hook that runs inside of an append: the log stays open then
   */
  closeSync(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}
/**
 * A log of `AtomicLog.open()` in another thread, with what has left the window: from
 * {@link AtomicLogConstructor.attach} with the option `wal`. Close it: it holds files open.
 *
 * ```ts
 * const log = AtomicLog.attach(workerData.handle, { wal: 'trades' });
 * for await (const batch of log.follow({ from: 0 })) console.log(batch.firstIndex, batch.length);
 * ```
 */
export declare class JournaledReader<T> extends AtomicLog<T> {
  #private;
  private constructor();
  /** The directory of the write-ahead log. */
  get path(): string;
  /** LSN of the entry with index 0: that with index `i` has LSN `base + i` in the write-ahead log. */
  get base(): number;
  /**
   * Absolute index of the oldest entry on disk, from where {@link follow} can begin.
   *
   * @throws as `WalReader.refresh()`
   */
  get oldestIndex(): number;
  /**
   * As {@link JournaledLog.follow}: what has left the window is read from the disk, in the same index space, without gap
   * or repetition.
   *
   * @throws as `AtomicLog.follow()`; while iterating `ERR_NOT_DURABLE` for entries that have left the window of a log
   * that its owner has closed, or lost, before they were on disk; as `WalReader.entries()`
   */
  follow(options?: FollowOptions): Followed<Batch<T>>;
  /** As `AtomicLog.close()`, and closes the files. Idempotent. */
  close(): void;
}
/** Where the entries of a journaled log are written, and how: as `Wal.open()` says, without metadata. */
export interface JournalPlace extends Omit<WalOptions, 'metadata'> {
  /** The directory. It, and those above it, are made when they are missing. */
  path: string;
}
/** What {@link AtomicLogConstructor.open} takes besides the options of a log in memory. */
export interface JournalOptions {
  /**
   * The directory of the write-ahead log, or options of it. `durability` says how durable entries become by
   * themselves: with `'full'` (default) they are synced at once, many together, while appending goes on; otherwise
   * when `durable()` or `sync()` asks for it. `bytesInFlightMax` is what may wait for the disk: an append beyond it
   * waits. With `retainBytes` the oldest files go even if the window still has their entries: it is then
   * smaller after the next opening.
   */
  wal: string | JournalPlace;
  /** It is that of the log on disk. */
  firstIndex?: undefined;
}
/** What `AtomicLog.attach()` takes besides other options, for the handle of a journaled log. */
export interface JournalAttachOptions {
  /**
   * The directory of the log's write-ahead log: entries that have left the window are read from there, as far as
   * they are proved to be on disk.
   */
  wal: string;
}
/** What {@link AtomicLogConstructor.open} takes besides the options of a log in memory, with a path. */
export interface ProcessOptions {
  /**
   * Whether the log is made where there is none: `true` (default); `'exclusive'` for a new one or none; or
   * `'replace-ended'`, which also makes a new one in place of one that has ended, whatever its options were. Processes
   * that have the old one open keep it. Of several that replace it at once, one makes the log and the others join it.
   */
  create?: true | 'exclusive' | 'replace-ended';
  readOnly?: false;
  /**
   * Permissions of a new file, whatever the umask says; those of 0o600 are always among them, so that its owner can
   * open it. Default 0o600: no one else can.
   */
  mode?: number;
  /**
   * Processes that can have the log open at a time, the writer's included; an integer from 1 to 1024. Default 64. Of a
   * log that is there it may be left out; a number that differs from its own is refused, as with {@link extraSegments}.
   */
  readersMax?: number;
  /**
   * Segments, beyond the window, that readers may keep from being used again without stopping the writer: while they
   * keep more, an append that would begin another segment fails with `ERR_PINNED_BYTES`. The file has them from the
   * beginning. An integer from 1 to 2²⁰. Default: as many as the window has, so that one snapshot of all of it stops no one.
   */
  extraSegments?: number;
  /**
   * How this thread shows the log's memory: as of a log in memory, but that every process, and every thread, chooses
   * for itself. Not for a log that is joined or read, which goes by `'auto'`.
   */
  mapping?: MappingKind | 'auto';
  /** Not for a log that processes share: it has {@link extraSegments}. */
  pinnedBytesMax?: undefined;
}
/** To open a log that is there: it says by itself what its entries are. */
export interface JoinOptions<T> {
  create: false;
  readOnly?: false;
  /** The codec of a log that has one, if it is your own. */
  codec?: Codec<T>;
  /**
   * Whether a file of another user is opened, too. Its owner can shorten it, which ends every process that reads it,
   * and write anything into it. Default false.
   */
  allowOtherOwner?: boolean;
}
/**
 * To read a log that is there, also one that no process has open any more, was copied, or is of an earlier run of the
 * system. Needs no permission to write, takes none of `readersMax`, and changes nothing in the file.
 *
 * The writer does not know of it. So what is read is a copy, as large as the window, whose entries are valid as always;
 * new entries are looked for every 1 to 10 ms while something waits; and what leaves the window before it was copied
 * is lost, as for any reader that is too slow.
 */
export interface ReadOnlyOptions<T> {
  readOnly: true;
  /** A log that is only read is never made. */
  create?: false;
  /** As for {@link JoinOptions}. */
  codec?: Codec<T>;
  /** As for {@link JoinOptions}. */
  allowOtherOwner?: boolean;
}
/** What {@link AtomicLogConstructor.open} takes besides, to open a log that is there or comes. */
export interface JoinWaitOptions {
  /**
   * Whether the log is waited for where there is none, or no directory; with `create: false` also where it is one of an
   * earlier run of the system, which its maker replaces. Keeps the process alive meanwhile. Default false: refused.
   */
  wait?: boolean;
  /** With `wait: true`: ends the waiting, as `AbortSignal.timeout(5000)` does. */
  signal?: AbortSignal;
  /**
   * With `wait: true`: the `logId` of a log that is waited past, as if it were not there. A process that has followed a
   * log to its end so waits for the one that takes its place.
   */
  otherThan?: string | undefined;
}
/** To open a log of records that is there, so that its entries have the types of the schema. */
export type RecordJoinOptions<S extends Schema> = (
  JoinOptions<RecordOf<S>> | ReadOnlyOptions<RecordOf<S>>
) & {
  /** The schema that the log was made with: its columns are compared with it. */
  schema: S;
  codec?: undefined;
};
/** A log, and its writer. */
export interface ClaimedLog<T> {
  writer: Writer<T>;
  log: AtomicLogImpl<T>;
}
/**
 * The constructor of logs. The element type follows from the options: numbers,
 * bigints (`type: 'i64'`), records (`schema`) or what a `codec` decodes.
 */
export interface AtomicLogConstructor {
  new <K extends NumberScalarType = 'f64'>(options: NumberLogOptions<K>): AtomicLogImpl<ScalarOf<K>>;
  new <K extends BigIntScalarType>(options: BigIntLogOptions<K>): AtomicLogImpl<ScalarOf<K>>;
  new <T>(options: CodecLogOptions<T>): AtomicLogImpl<T>;
  new <S extends Schema>(options: RecordLogOptions<S>): AtomicLogImpl<RecordOf<S>>;
  readonly prototype: AtomicLogImpl<unknown>;
  /** Makes a log and claims its writer at once. */
  claimed<K extends NumberScalarType = 'f64'>(options: NumberLogOptions<K>): ClaimedLog<ScalarOf<K>>;
  claimed<K extends BigIntScalarType>(options: BigIntLogOptions<K>): ClaimedLog<ScalarOf<K>>;
  claimed<T>(options: CodecLogOptions<T>): ClaimedLog<T>;
  claimed<S extends Schema>(options: RecordLogOptions<S>): ClaimedLog<RecordOf<S>>;
  /**
   * The log that a handle names, in this thread. It must be open where the handle
   * was read until this thread has attached. With `schema`, entries and columns
   * have its types, and the log is refused when its columns differ in name, type
   * or order. A log whose codec is your own needs that codec; codecs of one name
   * count as the same, and a thread that has the log open already goes on with the
   * one it has. With `wal`, the directory of a log of {@link open}, followers have what has left
   * the window too.
   *
   * ```ts
   * const log = AtomicLog.attach(workerData, { schema: trades, name: 'statistics' });
   * ```
   *
   * @throws `ERR_INVALID_HANDLE`, `ERR_FOREIGN_HANDLE`, `ERR_LOG_GONE`,
   * `ERR_SCHEMA_MISMATCH`, `ERR_CODEC_MISMATCH`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`; with `wal` also as `WalReader.open()`
   */
  attach<S extends Schema>(
    handle: LogHandle,
    options: RecordAttachOptions<S> & JournalAttachOptions,
  ): JournaledReader<RecordOf<S>>;
  attach<T>(handle: LogHandle<T>, options: AttachOptions<T> & JournalAttachOptions): JournaledReader<T>;
  attach<S extends Schema>(handle: LogHandle, options: RecordAttachOptions<S>): AtomicLogImpl<RecordOf<S>>;
  attach<T>(handle: LogHandle<T>, options?: AttachOptions<T>): AtomicLogImpl<T>;
  /**
   * Opens a log whose entries are in a write-ahead log too, or makes it: the window is
   * made again from the newest entries, and indexes go on. The element type follows
   * from the options as for the constructor; sizes of the window may change from one opening to the next.
   *
   * ```ts
   * await using log = await AtomicLog.open({ wal: 'readings', retainedCapacity: 1000, segmentCapacity: 100 });
   * ```
   *
   * @throws (rejects) `ERR_SCHEMA_MISMATCH`, `ERR_CODEC_MISMATCH` when the entries on disk are of another kind,
   * `ERR_FORMAT` when the directory has a log that was not made by this function: nothing was changed then;
   * `ERR_VALUE_TOO_LARGE` when `dataBytes` has no room for a value on disk; `ERR_CORRUPT`, `ERR_LOCKED`,
   * `ERR_FILE_ACCESS` and all else of `Wal.open()`; as the constructor
   */
  open<K extends NumberScalarType = 'f64'>(
    options: NumberLogOptions<K> & JournalOptions,
  ): Promise<JournaledLog<ScalarOf<K>>>;
  open<K extends BigIntScalarType>(
    options: BigIntLogOptions<K> & JournalOptions,
  ): Promise<JournaledLog<ScalarOf<K>>>;
  open<T>(options: CodecLogOptions<T> & JournalOptions): Promise<JournaledLog<T>>;
  open<S extends Schema>(options: RecordLogOptions<S> & JournalOptions): Promise<JournaledLog<RecordOf<S>>>;
  /**
   * With a path: a log in memory that all processes of this machine share, which is made where there is none. Its
   * memory is a file, best one in `/dev/shm`, that stays until {@link unlink}; one process has the writer, and any of them may be killed at any time.
   *
   * ```ts
   * const log = await AtomicLog.open('/dev/shm/trades', { schema, retainedCapacity: 1e6, segmentCapacity: 1e4 });
   * ```
   *
   * @throws (rejects) `ERR_FORMAT` when what is there is not such a log, or another one than the options say;
   * `ERR_SCHEMA_MISMATCH`, `ERR_CODEC_MISMATCH`, `ERR_FILE_NOT_FOUND`, `ERR_FILE_EXISTS`, `ERR_FILE_ACCESS`,
   * `ERR_NO_SPACE`, `ERR_TOO_MANY_PROCESSES`, `ERR_PLATFORM_UNSUPPORTED`, `ERR_MAPPING_UNAVAILABLE`; as the constructor;
   * with `wait: true` the signal's reason
   */
  open<K extends NumberScalarType = 'f64'>(
    path: string,
    options: ProcessLogOptions<NumberLogOptions<K>>,
  ): Promise<AtomicLogImpl<ScalarOf<K>>>;
  open<K extends BigIntScalarType>(
    path: string,
    options: ProcessLogOptions<BigIntLogOptions<K>>,
  ): Promise<AtomicLogImpl<ScalarOf<K>>>;
  open<T>(path: string, options: ProcessLogOptions<CodecLogOptions<T>>): Promise<AtomicLogImpl<T>>;
  open<S extends Schema>(
    path: string,
    options: ProcessLogOptions<RecordLogOptions<S>>,
  ): Promise<AtomicLogImpl<RecordOf<S>>>;
  open<S extends Schema>(
    path: string,
    options: RecordJoinOptions<S> & JoinWaitOptions,
  ): Promise<AtomicLogImpl<RecordOf<S>>>;
  open<T>(
    path: string,
    options: (JoinOptions<T> | ReadOnlyOptions<T>) & JoinWaitOptions,
  ): Promise<AtomicLogImpl<T>>;
  /** As {@link open}, on this thread. */
  openSync<K extends NumberScalarType = 'f64'>(
    options: NumberLogOptions<K> & JournalOptions,
  ): JournaledLog<ScalarOf<K>>;
  openSync<K extends BigIntScalarType>(
    options: BigIntLogOptions<K> & JournalOptions,
  ): JournaledLog<ScalarOf<K>>;
  openSync<T>(options: CodecLogOptions<T> & JournalOptions): JournaledLog<T>;
  openSync<S extends Schema>(options: RecordLogOptions<S> & JournalOptions): JournaledLog<RecordOf<S>>;
  openSync<K extends NumberScalarType = 'f64'>(
    path: string,
    options: ProcessLogOptions<NumberLogOptions<K>>,
  ): AtomicLogImpl<ScalarOf<K>>;
  openSync<K extends BigIntScalarType>(
    path: string,
    options: ProcessLogOptions<BigIntLogOptions<K>>,
  ): AtomicLogImpl<ScalarOf<K>>;
  openSync<T>(path: string, options: ProcessLogOptions<CodecLogOptions<T>>): AtomicLogImpl<T>;
  openSync<S extends Schema>(
    path: string,
    options: ProcessLogOptions<RecordLogOptions<S>>,
  ): AtomicLogImpl<RecordOf<S>>;
  openSync<S extends Schema>(path: string, options: RecordJoinOptions<S>): AtomicLogImpl<RecordOf<S>>;
  openSync<T>(path: string, options: JoinOptions<T> | ReadOnlyOptions<T>): AtomicLogImpl<T>;
  /**
   * Takes the name of a log that processes share away. Those that have it open keep it, and its memory goes with
   * the last of them; who opens the path after that makes a new one.
   *
   * @throws (rejects) `ERR_FILE_NOT_FOUND`, `ERR_FORMAT` when it is not such a log, `ERR_FILE_ACCESS`, also when it is
   * another user's, `ERR_TOO_MANY_FILES`, `ERR_PLATFORM_UNSUPPORTED`
   */
  unlink(path: string): Promise<void>;
  /** As {@link unlink}, on this thread. */
  unlinkSync(path: string): void;
}
/** Options of a log in memory that processes share. */
export type ProcessLogOptions<O> = Omit<O, keyof ProcessOptions> & ProcessOptions;
type AtomicLogImpl<T> = AtomicLog<T>;
declare const AtomicLogImpl: AtomicLogConstructor;
/**
 * Names an entry together with its past: a string to be saved and given back as
 * `from`, where reading goes on after that entry. Equal strings name the same
 * entry after the same entries, also in copies of the log; an LSN alone does
 * not, because `truncateAfter()`, a crash or a restored backup can give it to
 * another entry.
 */
export type WalPosition = string & Record<never, never>;
/** What a position says. */
interface Past {
  /** Of the entry. */
  readonly lsn: number;
  /** Counts the lives of the log and its truncations: higher, where the past changes from one entry to the next. */
  readonly epoch: number;
  /** A random number of that epoch: copies of a log that went on apart have others. */
  readonly branch: number;
  /** 32 hex digits, those of {@link Wal.logId}. */
  readonly logId: string;
}
/**
 * What a position says, for those who carry entries to other systems: two
 * entries in a row whose `epoch` or `branch` differ have something between them,
 * such as `truncateAfter()` or a restart.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export declare function parsePosition(position: WalPosition): Past;
/** One entry of a log. */
export interface WalEntry {
  /** Its log sequence number. */
  readonly lsn: number;
  /** What was appended. Entries that were read together share memory: copy one that is kept for long. */
  readonly data: Buffer;
  /** The batch it was appended in: the first LSN, and how many entries; `truncateAfter()` may have left only the first of them. */
  readonly batch?: {
    readonly first: number;
    readonly count: number;
  };
  /**
   * Names this entry and its past: save it, and give it back as `from` to go on
   * after it. It is made when it is asked for, so neither `{ ...entry }` nor
   * `JSON.stringify(entry)` has it: copy it by name.
   */
  readonly position: WalPosition;
}
/** Which entries to read; the bounds are inclusive. */
export interface WalRange {
  /** An LSN, or a position: what comes after that entry. Default: the first one. */
  from?: number | WalPosition | undefined;
  /** Default: the last one there is when the iteration begins. */
  to?: number;
  /** From `to` down to `from`. */
  reverse?: boolean;
}
/** How a cursor is opened. */
export interface WalCursorOptions {
  /**
   * Begin again at the oldest entry when the cursor's position is not in the log
   * any more, or its file is damaged, instead of throwing.
   */
  reset?: boolean;
}
/**
 * How far a consumer of a log is: a name and a position, kept durably next to the
 * log. A checkpoint drops nothing that a cursor still needs, in whatever process
 * its consumer is. `Wal.cursor()` opens one in the writer's process, and
 * {@link open} in any other that may write to the directory; it has one owner at
 * a time.
 *
 * ```ts
 * await using cursor = await WalCursor.open('orders', 'billing');
 * for await (const entries of reader.follow({ from: cursor.position ?? cursor.nextLsn })) {
 *   await bill(entries);
 *   await cursor.commit(entries.at(-1)!.position);
 * }
 * ```
 */
export declare class WalCursor {
  #private;
  private constructor();
  /**
   * Opens the cursor `name` of the log in `directory`, or makes it: a new one stands
   * before the oldest entry. `name`: small letters, digits, and `.`, `_`, `-` within.
   *
   * @throws (rejects) `ERR_LOCKED` while someone has it open; `ERR_CHECKPOINTED` when
   * entries that it had not consumed are gone (`lost` says which), `ERR_TRUNCATED`
   * when its entry is not in the log any more or is another one,
   * `ERR_CURSOR_DAMAGED`: with `reset` these three do not occur; `ERR_FORMAT` for a
   * cursor of a later release; `ERR_FILE_NOT_FOUND` where no log is;
   * `ERR_FILE_ACCESS`, `ERR_NO_SPACE`, `ERR_IO`, `ERR_TOO_MANY_FILES`, `ERR_CORRUPT`,
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   */
  static open(directory: string, name: string, options?: WalCursorOptions): Promise<WalCursor>;
  /** As {@link open}, on this thread. */
  static openSync(directory: string, name: string, options?: WalCursorOptions): WalCursor;
  get name(): string;
  /** The entry that was committed last: give it as `from`. Undefined before the first commit. */
  get position(): WalPosition | undefined;
  /**
   * LSN of the next entry to consume: `from: cursor.position ?? cursor.nextLsn` begins
   * there, or throws when it is gone.
   */
  get nextLsn(): number;
  /** Entries after the position; of a cursor that {@link open} has opened, those that are proved to be on disk. */
  get lag(): number;
  /**
   * Everything up to this entry is consumed. Resolves when that is on disk; in the
   * writer's process the entry is made durable first. An earlier position goes
   * back to it, if what follows is still there.
   *
   * @throws (rejects) `ERR_TRUNCATED` when the entry is not in the log any more or
   * is another one, `ERR_CHECKPOINTED` when what follows it is gone (`lost` says which),
   * `ERR_FOREIGN_POSITION` for another log's, `ERR_NOT_DURABLE` elsewhere than in
   * the writer's process while nothing proves that it is on disk; `ERR_POISONED`,
   * `ERR_LOCKED` when a move back waits too long, `ERR_NO_SPACE`, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`, `ERR_CURSOR_CLOSED`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`. The old position or the new one is on disk then, and
   * it may be committed again.
   */
  commit(position: WalPosition): Promise<void>;
  /**
   * As {@link commit}, on this thread. Commits that wait are overtaken: they write nothing then,
   * and reject all the same where their position is not in the log.
   */
  commitSync(position: WalPosition): void;
  /**
   * Deletes it, and closes it: it holds no checkpoint any more.
   *
   * @throws (rejects) `ERR_LOCKED` when that waits too long, `ERR_FILE_ACCESS`,
   * `ERR_IO`, `ERR_CURSOR_CLOSED`; it is still open then, and may be deleted again
   */
  delete(): Promise<void>;
  /** As {@link delete}, on this thread. */
  deleteSync(): void;
  /** Carries out the commits that were called, and releases the cursor. Idempotent. */
  close(): Promise<void>;
  /** Releases the cursor, after the commit that is under way; those that have not begun reject. */
  closeSync(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
  /** For people: whose it is, and where it stands. */
  toString(): string;
}
/** An error of a write-ahead log. */
export type WalError = SegmentError & {
  /** Of `ERR_LSN_MISMATCH`: the LSN that the entry would have got. */
  readonly nextLsn?: number;
  /**
   * Of `ERR_CHECKPOINTED`: the entry that is gone; of `ERR_TRUNCATED`: the first one that is, where it is known (not of a
   * position); of `ERR_TARGET_…`: the entry of the target.
   */
  readonly lsn?: number;
  /** Of `ERR_CHECKPOINTED` and `ERR_TARGET_BEHIND`: the first entry that is still there. */
  readonly firstLsn?: number;
  /** Of `ERR_ENTRY_TOO_LARGE` (`attempted` bytes, `available` allowed), for an entry of a batch: which one, from 0. */
  readonly index?: number;
  /** Of `ERR_TARGET_AHEAD`: the last entry of the log. */
  readonly lastLsn?: number;
  /** Of `ERR_LOCKED`: the process that has the log, or the cursor, open, where it is known. */
  readonly holder?: number;
  /** Of a cursor's `ERR_CHECKPOINTED`, and of `ERR_TARGET_BEHIND`: the entries that are lost to it; the bounds are inclusive. */
  readonly lost?: {
    readonly from: number;
    readonly to: number;
  };
};
/** A cursor of a log, open or not. */
export interface WalCursorInfo {
  readonly name: string;
  /** Undefined before the first commit, and when `error` is there. */
  readonly position: WalPosition | undefined;
  /** LSN of the next entry to consume; undefined when `error` is there. */
  readonly nextLsn: number | undefined;
  /** Entries that it has not consumed; undefined when `error` is there. */
  readonly lag: number | undefined;
  /** Id of the process that has it open; absent when none has, or it is not known. */
  readonly holder?: number;
  /**
   * Why it holds every checkpoint: `ERR_CURSOR_DAMAGED`; `ERR_FILE_ACCESS` or `ERR_IO`, when it cannot be read; or, in the writer's list alone, `ERR_TRUNCATED` when it stands
   * after the last entry. One whose entry was replaced has no error here: opening it says `ERR_TRUNCATED`.
   */
  readonly error?: WalError;
}
/** How one entry is appended. */
export interface AppendOptions {
  /** When it is acknowledged. Default: the log's. */
  durability?: Durability;
  /** Refuse it with `ERR_LSN_MISMATCH` when it, or the first entry of the batch, would get another LSN. */
  expectedLsn?: number;
}
/** Where a follower of a write-ahead log begins, and when it ends. */
export interface WalFollowOptions {
  /**
   * Where to begin: `'oldest'` (default); `'latest'`, for what comes after this
   * call; an LSN, which may lie in the future, and all before it counts as
   * delivered; or the position of an entry, for what comes after that one.
   */
  from?: 'oldest' | 'latest' | number | WalPosition | undefined;
  /** Ends the iteration: it rejects with the signal's reason. */
  signal?: AbortSignal;
}
/**
 * The one writer of a write-ahead log: a directory of files with entries that
 * have dense sequence numbers (LSNs) and survive any crash. Close it, or declare
 * it with `await using`.
 *
 * What was acknowledged at the durability `'full'` is on disk. After a crash,
 * open() finds every such entry, in order and unchanged, and perhaps some that
 * were never acknowledged.
 *
 * ```ts
 * await using wal = await Wal.open('orders');
 * const lsn = await wal.append(Buffer.from('an order'));
 * for (const { lsn, data } of wal.entries()) console.log(lsn, data);
 * ```
 */
export declare class Wal {
  #private;
  private constructor();
  /**
   * Opens the log in `directory`, or creates it; the directory and those above
   * are made when they are missing. {@link recovery} says what was found. With
   * `wait: true` it waits while another writer has the log, as at a restart.
   *
   * @throws `ERR_LOCKED` while another writer has it, in this process or
   * another, and with `wait: true` the signal's reason instead; `ERR_CORRUPT` when entries that were durable are damaged, and
   * `ERR_FORMAT` for files that are not a log or of a later release: nothing was
   * changed then; `ERR_FILE_ACCESS` when the directory or a file may not be
   * written (a {@link WalReader} reads it all the same); `ERR_TORN_TAIL` with
   * `strictTail`; `ERR_NO_SPACE`, `ERR_OUT_OF_MEMORY`, `ERR_IO`, `ERR_POISONED` when the first sync failed;
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  static open(directory: string, options?: WalOptions): Promise<Wal>;
  /** As {@link open}, on this thread. */
  static openSync(directory: string, options?: WalOptions): Wal;
  /** The directory. */
  get path(): string;
  /** What {@link open} found and did. */
  get recovery(): WalRecovery;
  /** Whether {@link open} had to quarantine a torn last record. */
  get tailState(): 'clean' | 'truncated';
  /** Names the log and its copies: 32 hex digits, drawn when it was created. Every position has them. */
  get logId(): string;
  /** What the log was created with. */
  get metadata(): Buffer;
  /** LSN of the first entry that is kept; there is none while it is above {@link lastLsn}. */
  get firstLsn(): number;
  /** LSN of the last entry; appends that are under way may not have one yet. */
  get lastLsn(): number;
  /** Entries up to here were acknowledged, at the durability that was asked for. */
  get ackedLsn(): number;
  /** Bytes that an entry may have: what the option of this name says, and what a file takes. */
  get entryBytesMax(): number;
  /** Entries up to here are on disk. */
  get durableLsn(): number;
  /** The files, oldest first. */
  get files(): WalFile[];
  /** What was done since the log was opened. */
  stats(): WalStats;
  /**
   * Appends an entry, and resolves with its LSN once it is as durable as asked
   * for. Appends that wait at the same time share one sync (group commit). `data`
   * is copied before this returns.
   *
   * Entries have LSNs in the order of the calls. The promises of `append()`,
   * {@link appendBatch} and {@link sync} settle in that order too, those that
   * reject included, so they resolve in LSN order. One that rejects says nothing
   * of those after it: a smaller entry may still find room. Only what is refused
   * without asking the log (arguments, an entry that is too large, a log that is
   * closed) rejects at once.
   *
   * @throws (rejects) `ERR_POISONED` when a write or a sync fails, now or
   * earlier; `ERR_NO_SPACE`, `ERR_FILE_ACCESS`, `ERR_FILE_NOT_FOUND` when
   * another file is needed and cannot be made, `ERR_OUT_OF_MEMORY`, or
   * `ERR_THREAD_UNAVAILABLE` when the
   * system starts no thread for the commits ({@link appendSync} needs none): the
   * entry has no LSN then, and appending may be tried again; `ERR_LSN_MISMATCH`,
   * `ERR_ENTRY_TOO_LARGE`, `ERR_LOG_CLOSED`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`
   */
  append(data: Uint8Array, options?: AppendOptions): Promise<number>;
  /**
   * Appends an entry and waits, with this thread, until it is durable.
   *
   * @throws as {@link append}
   */
  appendSync(data: Uint8Array, options?: AppendOptions): number;
  /**
   * Appends an entry without waiting for anything: it is durable when a later
   * {@link sync}, or append, is. Returns its LSN.
   *
   * @throws as {@link append}
   */
  write(data: Uint8Array): number;
  /**
   * Appends entries that come back together after a crash, or not at all, and
   * resolves once they are durable: an iterable of them, or one piece of bytes
   * and the length of each entry in it, which spares an object for each. No entry: nothing is
   * appended, and `last` is below `first`.
   *
   * @throws (rejects) as {@link append}, and `ERR_BATCH_TOO_LARGE`
   */
  appendBatch(
    entries: Iterable<Uint8Array>,
    options?: AppendOptions,
  ): Promise<{
    first: number;
    last: number;
  }>;
  appendBatch(
    bytes: Uint8Array,
    lengths: Uint32Array | readonly number[],
    options?: AppendOptions,
  ): Promise<{
    first: number;
    last: number;
  }>;
  /**
   * Makes everything durable that was written or appended before, and resolves
   * with the last durable LSN.
   *
   * @throws (rejects) `ERR_POISONED`, `ERR_LOG_CLOSED`
   */
  sync(): Promise<number>;
  /** As {@link sync}, on this thread. */
  syncSync(): number;
  /**
   * Entries in order, or in reverse. Those whose append has not resolved yet may
   * be missing.
   *
   * @throws while iterating `ERR_CHECKPOINTED` when an entry that is asked for is
   * below {@link firstLsn},
   * `ERR_CORRUPT` when one is damaged, `ERR_DIRECTORY_REPLACED` when another
   * directory, or none, has the place of the log's, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`, `ERR_OUT_OF_MEMORY`, `ERR_LOG_CLOSED`; at once `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`.
   * A position as `from` is looked for at once: `ERR_TRUNCATED` when its entry
   * was taken back or is another one, `ERR_CHECKPOINTED` when what follows it is
   * gone, `ERR_FOREIGN_POSITION` for another log's.
   */
  entries(range?: WalRange): IterableIterator<WalEntry>;
  /**
   * The entry with this LSN; undefined when it is not there yet.
   *
   * @throws `ERR_CHECKPOINTED` below {@link firstLsn}; as {@link entries}
   */
  get(lsn: number): WalEntry | undefined;
  /**
   * Entries from `from` on, in batches, and then those that become durable, one
   * batch after the other without gap or repetition. Ends when the log is closed.
   * While it waits it keeps no process alive: what it waits for, only this process could append.
   *
   * @throws while iterating the signal's reason, `ERR_CHECKPOINTED`,
   * `ERR_TRUNCATED` when what was delivered was taken back (`lsn` is the first such
   * entry), `ERR_CORRUPT`, `ERR_DIRECTORY_REPLACED`, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`; at once `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`,
   * `ERR_LOG_CLOSED`. `ERR_TRUNCATED` also when the entry of a position is not
   * there any more or is another one, and `ERR_FOREIGN_POSITION` when it is another log's.
   */
  follow(options?: WalFollowOptions): Followed<WalEntry[]>;
  /**
   * Drops the entries up to `lsn`, durably, and deletes the files that hold
   * no others; it resolves when they are gone. That works on a full disk: a
   * checkpoint that frees at least one file needs no space. `checkpoint(wal.lastLsn)`
   * frees the newest file too, when it is full, or once an append has found no
   * room for another: call it again then.
   *
   * It stops before the entry on which the slowest cursor stands: {@link firstLsn} says
   * where. `force` passes the cursors too, and each is told what it has lost when it is
   * opened.
   *
   * It comes after what was appended before, so `lsn` may be that of an append in
   * flight. With `beforeDelete` or `onSegmentSealed` it waits for its turn once
   * more after they were called: what is called meanwhile may come first.
   *
   * @throws (rejects) `ERR_OUT_OF_RANGE` beyond {@link lastLsn}; what `beforeDelete` throws,
   * and `onSegmentSealed` for a file that it was not told of yet;
   * `ERR_FILE_NOT_FOUND` when the directory was moved, deleted or replaced;
   * `ERR_NO_SPACE` on a full disk when it would free no file;
   * `ERR_CURSOR_DAMAGED` when no one knows how far a cursor is, `ERR_LOCKED` when
   * another process holds the lock of the cursors for long (neither with `force`);
   * `ERR_THREAD_UNAVAILABLE` ({@link checkpointSync} needs no thread);
   * `ERR_POISONED`, `ERR_FILE_ACCESS`, `ERR_LOG_CLOSED`
   */
  checkpoint(lsn: number, options?: WalCheckpointOptions): Promise<void>;
  /** As {@link checkpoint}, on this thread, after everything that was called before. */
  checkpointSync(lsn: number, options?: WalCheckpointOptions): void;
  /**
   * Opens the cursor `name`, or makes it: how far a consumer of this log is, kept
   * durably next to it. A new one stands before the oldest entry. `name`: small
   * letters, digits, and `.`, `_`, `-` within. It has one owner at a time; in
   * another process {@link WalCursor.open} opens it. It is closed with the log.
   *
   * @throws (rejects) as {@link WalCursor.open}; `ERR_LOG_CLOSED`,
   * `ERR_DIRECTORY_REPLACED`
   */
  cursor(name: string, options?: WalCursorOptions): Promise<WalCursor>;
  /** As {@link cursor}, on this thread. */
  cursorSync(name: string, options?: WalCursorOptions): WalCursor;
  /**
   * The cursors of the log, open or not, in the order of their names.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_FILE_ACCESS`, `ERR_TOO_MANY_FILES`, `ERR_IO`
   */
  cursors(): WalCursorInfo[];
  /**
   * Deletes a cursor that no one has open, damaged or not. Resolves, when that is
   * on disk, with whether there was one.
   *
   * @throws (rejects) `ERR_LOCKED`, `ERR_FILE_ACCESS`, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`, `ERR_LOG_CLOSED`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`
   */
  deleteCursor(name: string): Promise<boolean>;
  /** As {@link deleteCursor}, on this thread. */
  deleteCursorSync(name: string): boolean;
  /**
   * Takes back the entries after `lsn`, durably: it is the last one then, and
   * the next append gets `lsn + 1`. What was called before is done before, and
   * what is called afterwards after it: no call need wait for another. Unless nothing is after it, this costs a new
   * file of `segmentBytes`, whose space is taken at once; the file before keeps its
   * own until a checkpoint or `retainBytes` drops it. A log that is truncated
   * often does well with small files.
   *
   * @throws (rejects) `ERR_OUT_OF_RANGE` outside of the log, `ERR_POISONED`,
   * `ERR_NO_SPACE`, `ERR_FILE_ACCESS`, `ERR_FILE_NOT_FOUND`,
   * `ERR_THREAD_UNAVAILABLE` ({@link truncateAfterSync} needs no thread),
   * `ERR_LOG_CLOSED`
   */
  truncateAfter(lsn: number): Promise<void>;
  /** As {@link truncateAfter}, on this thread, after everything that was called before. */
  truncateAfterSync(lsn: number): void;
  /**
   * Copies the log, with all that was called before, to a new directory, while it
   * goes on being written. Files that are complete are not
   * copied but get a second name, where the file system can. The directory
   * appears when the copy is whole, on disk and read back; it is a log of its
   * own, and a {@link WalReader} sees all of it.
   *
   * Until then the copy is in `directory.partial-1`, or a higher number, next to a
   * file `directory.partial-1.incomplete`. What a
   * process that was killed has left there, the next call for the same directory
   * deletes.
   *
   * @throws (rejects) `ERR_FILE_EXISTS` when something has the name, also when
   * another copy got it meanwhile; `ERR_CHECKPOINTED` when a checkpoint took away
   * what was still to be copied; `ERR_FILE_NOT_FOUND` when a file of the log, or
   * its directory, is not where it was; `ERR_NO_SPACE`, `ERR_FILE_ACCESS`,
   * `ERR_IO`, `ERR_POISONED`, `ERR_THREAD_UNAVAILABLE`, `ERR_LOG_CLOSED`,
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`. Nothing of the copy is left then.
   */
  backup(directory: string): Promise<void>;
  /**
   * Carries out what was called before, syncs, settles every promise, and closes
   * the log. Idempotent. `await using` calls it.
   *
   * @throws (rejects) `ERR_POISONED` when not everything became durable; the log
   * is closed all the same
   */
  close(): Promise<void>;
  /** As {@link close}, on this thread. `using` calls it. */
  closeSync(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
  /** For people: the directory, and which entries there are. */
  toString(): string;
}
/** How a {@link WalReader} looks for new entries. */
export interface WalReaderOptions {
  /** How often a follower that waits looks, in milliseconds. Default: 20. */
  pollMs?: number;
  /**
   * Which entries at the end are seen: those that are proved to be on disk
   * (`'durable'`, the default), or, while no writer has the log open, also those
   * that are intact (`'intact'`): all that the next opening would keep. What is
   * above {@link WalReader.provedLsn} may still be lost in a power failure.
   */
  tail?: 'durable' | 'intact';
  /** Whether to wait for a log that is not there yet: see {@link WalReaderWaitOptions}. */
  wait?: false;
}
/** How `WalReader.open()` waits for a log that is not there yet. */
export interface WalReaderWaitOptions extends Omit<WalReaderOptions, 'wait'> {
  /**
   * Wait until a log is in the directory, which may be missing too, and those above
   * it. It is looked for every `pollMs`.
   */
  wait: true;
  /** Ends the waiting: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}
/**
 * Reads a write-ahead log next to its writer, in any thread or process, and
 * follows it. It needs no more than permission to read, takes no lock and
 * changes nothing.
 *
 * It sees what is proved to be on disk, so nothing that a power failure could
 * take back: the last entries a moment later than the writer's own process,
 * which says so in the log when it is idle. After a writer was killed, the proof
 * of its last entries is missing until one opens the log again; `tail: 'intact'`
 * shows them meanwhile.
 *
 * ```ts
 * using reader = WalReader.open('orders');
 * for await (const entries of reader.follow()) for (const { lsn } of entries) console.log(lsn);
 * ```
 */
export declare class WalReader {
  #private;
  private constructor();
  /**
   * Opens the log in `directory`. One that has no entries yet is empty, and so is
   * a directory in which no log is: {@link refresh} and {@link follow} find the
   * log once a writer has made it. With `wait: true` it returns a promise, which
   * resolves when there is a log, and keeps the process alive until then.
   *
   * ```ts
   * using reader = await WalReader.open('orders', { wait: true, signal: AbortSignal.timeout(5000) });
   * ```
   *
   * @throws `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`, `ERR_IO`; `ERR_CORRUPT`
   * when the files do not follow one another or durable entries are damaged;
   * `ERR_FORMAT` for files that are not a log or of a later release;
   * `ERR_TOO_MANY_FILES` when nothing more can be opened now;
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`. With
   * `wait: true` all of them reject, with the signal's reason too, and
   * `ERR_FILE_NOT_FOUND` does not occur.
   */
  static open(directory: string, options?: WalReaderOptions): WalReader;
  static open(directory: string, options: WalReaderWaitOptions): Promise<WalReader>;
  /** The directory. */
  get path(): string;
  /** LSN of the first entry that is kept; there is none while it is above {@link lastLsn}. */
  get firstLsn(): number;
  /**
   * LSN of the last entry that is seen, as of the last {@link refresh}. With
   * `tail: 'intact'` it falls back to {@link provedLsn} when a writer opens the
   * log.
   */
  get lastLsn(): number;
  /** LSN of the last entry that is proved to be on disk, as of the last {@link refresh}; with `tail: 'durable'` the last one. */
  get provedLsn(): number;
  /** The files, oldest first, as of the last {@link refresh}. */
  get files(): WalFile[];
  /** Names the log and its copies: 32 hex digits; undefined while there is no log. */
  get logId(): string | undefined;
  /** What the log was created with. */
  get metadata(): Buffer;
  /**
   * The cursors of the log, in the order of their names; the lag is as of the last
   * {@link refresh}. `WalCursor.open()` opens one.
   *
   * @throws `ERR_FILE_ACCESS`, `ERR_TOO_MANY_FILES`, `ERR_IO`, `ERR_READER_CLOSED`
   */
  cursors(): WalCursorInfo[];
  /**
   * Looks for what was appended, or checkpointed, since. A follower does so by
   * itself.
   *
   * @throws as {@link open}; `ERR_DIRECTORY_REPLACED` when another directory, or
   * none, has the place of the one that was opened: open the reader again;
   * `ERR_READER_CLOSED`
   */
  refresh(): void;
  /**
   * Entries in order, or in reverse.
   *
   * @throws while iterating `ERR_CHECKPOINTED` when an entry that is asked for is
   * below {@link firstLsn},
   * `ERR_CORRUPT` when one is damaged, `ERR_TRUNCATED` when it was not proved to
   * be on disk and is gone, `ERR_DIRECTORY_REPLACED`, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`, `ERR_READER_CLOSED`; at once `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`.
   * A position as `from` is looked for at once: `ERR_TRUNCATED` when its entry
   * was taken back or is another one, `ERR_CHECKPOINTED` when what follows it is
   * gone, `ERR_FOREIGN_POSITION` for another log's.
   */
  entries(range?: WalRange): IterableIterator<WalEntry>;
  /**
   * The entry with this LSN; undefined when it is not there yet, as of the last
   * {@link refresh}.
   *
   * @throws `ERR_CHECKPOINTED` below {@link firstLsn}; as {@link entries}
   */
  get(lsn: number): WalEntry | undefined;
  /**
   * Entries from `from` on, in batches, and then those that become durable, one
   * batch after the other without gap or repetition, across files. Ends when the
   * reader is closed.
   *
   * @throws while iterating the signal's reason, `ERR_CHECKPOINTED`,
   * `ERR_TRUNCATED` when the writer took back what was delivered, or when it was
   * not proved to be on disk and was lost (`lsn` is the first such entry),
   * `ERR_DIRECTORY_REPLACED`, `ERR_CORRUPT`, `ERR_IO`, `ERR_TOO_MANY_FILES`; at
   * once `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_READER_CLOSED`.
   * `ERR_TRUNCATED` also when the entry of a position is not there any more or is
   * another one, and `ERR_FOREIGN_POSITION` when it is another log's.
   */
  follow(options?: WalFollowOptions): Followed<WalEntry[]>;
  /** Closes the files, and ends every follower. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
  /** For people: the directory, and which entries are seen. */
  toString(): string;
}
/** A range of entries that cannot be read any more; the bounds are inclusive. */
export interface LostEntries {
  readonly lost: {
    readonly from: number;
    readonly to: number;
  };
}
/** What {@link salvage} gives. */
export interface Salvage extends IterableIterator<WalEntry | LostEntries> {
  /**
   * What is wrong with the log: the error with which `Wal.open()` (with
   * `verifyOnOpen`) refuses it, and `WalReader` too. Undefined for a log that
   * opens. All files are read to find out, each time.
   *
   * @throws `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`, `ERR_IO`
   */
  readonly damage: WalError | undefined;
}
/**
 * What can still be read of a damaged log, in order: every intact entry, and in
 * its place every range of entries that are lost. What was lost after the last
 * intact entry, no one can know. Changes nothing.
 *
 * ```ts
 * for (const found of salvage('orders')) {
 *   if ('lost' in found) console.error('lost', found.lost);
 *   else copy.write(found.data);
 * }
 * ```
 *
 * @throws while iterating what {@link Salvage.damage} is when no file has an
 * intact header (`ERR_CORRUPT`, `ERR_FORMAT`), `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`, `ERR_IO`; at once
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export declare function salvage(directory: string): Salvage;
/** What is done after a failure that is tried again. */
export interface Retry {
  /** Failures in a row, 1 at first: since an entry was acknowledged, or since the stream could be read. */
  readonly attempt: number;
  /** Until it tries again. */
  readonly delayMs: number;
}
/** The last entry that a target has. */
export interface TargetPosition {
  /** Its LSN; 0 stands for none. */
  readonly lsn: number;
  /**
   * What proves that it is the log's entry: the `position` that was sent with it, or
   * the bytes that are stored. It is compared with the log before anything is
   * sent. Without it the target is believed.
   */
  readonly check?: WalPosition | Uint8Array;
  /**
   * Entries before it that are to be compared as well: those that were stored while
   * an entry before them was refused, where the target cannot exclude that
   * something else was stored in its place.
   */
  readonly before?: readonly Omit<TargetPosition, 'before'>[];
}
/** What a call of a target may need. */
export interface TargetCall {
  /** The signal of `ForwardOptions`. */
  readonly signal: AbortSignal | undefined;
}
/**
 * A place that entries are carried to: JetStream, Redis, a database, a socket.
 * Every promise must settle, with an error when the connection is lost. An error with one
 * of the codes `ERR_TARGET_…` ends `forward()`; after any other one it asks for
 * the position again and goes on from there.
 */
export interface ForwardTarget {
  /** The last entry that the target has; undefined when it has none. Asked before the first entry, and after every failure. */
  position(call: TargetCall): Promise<TargetPosition | undefined>;
  /** Is called before the first entry is sent to a target that has none. */
  begin?(lsn: number, call: TargetCall): Promise<unknown>;
  /**
   * Stores entries, which follow those of the call before, and resolves when all
   * of them are acknowledged. Up to `inFlight` calls are under way at once. Batches are whole,
   * unless the first entry lies within one. Copy the data if it is kept for longer.
   */
  send(entries: readonly WalEntry[], call: TargetCall): Promise<unknown>;
  /** Is called when the cursor was moved: entries up to `lsn` are taken for safe. */
  committed?(lsn: number): Promise<unknown>;
  /** Default of the option of this name. */
  readonly batchEntries?: number;
  /** Default of the option of this name. */
  readonly safeAfterMs?: number;
}
/** The codes that end `forward()`. */
export type TargetErrorCode = Extract<ErrorCode, `ERR_TARGET_${string}`>;
/** What remembers, next to the log, which entries are safe in the target. */
export interface ForwardCursor {
  /** Of the last entry that is safe; undefined while there is none. */
  readonly position: WalPosition | undefined;
  /** LSN of the entry after it; before the first commit, of the one that it begins with. */
  readonly nextLsn?: number;
  /**
   * Earlier positions too, when the target has lost entries. `ERR_NOT_DURABLE` and
   * `ERR_LOCKED` are tried again, after `ERR_TRUNCATED` the target is asked, and
   * `ERR_CHECKPOINTED` is passed over: a later entry is committed. Other errors end `forward()`.
   */
  commit(position: WalPosition): Promise<unknown>;
}
/** How far `forward()` is; each is an LSN, 0 before the first entry. */
export interface ForwardProgress {
  /** Entries up to here were handed to the target. */
  readonly sent: number;
  /** Entries up to here are acknowledged; after a loss at the target, less than before. */
  readonly acknowledged: number;
  /** Entries up to here are committed to the cursor. */
  readonly committed: number;
  /** How many entries that can be forwarded are not acknowledged yet. */
  readonly lag: number;
}
/** How entries are carried to a target. */
export interface ForwardOptions {
  /** Where they go. */
  target: ForwardTarget;
  /**
   * A cursor of the log, moved to the last entry that is safe, so that a checkpoint
   * keeps what is not. Without one nothing is remembered here; the target alone says where to go on.
   */
  cursor?: ForwardCursor;
  /** How many calls of `target.send()` may be under way. Default: 8. */
  inFlight?: number;
  /** Entries of one such call; a larger batch goes in one all the same. Default: what the target says, otherwise 256. */
  batchEntries?: number;
  /** Bytes of one such call; a larger entry or batch goes in one all the same. Default: 256 KiB. */
  batchBytes?: number;
  /**
   * How long an entry must have been acknowledged before the cursor moves past it, in
   * milliseconds: until the target is sure to have synced it. Default: what the target says, otherwise 0.
   */
  safeAfterMs?: number;
  /** Milliseconds to wait after the first failure; twice as many after each further one; between half of that and all of it at random. Default: 50. */
  retryMs?: number;
  /** The longest such wait. Default: 2000. */
  retryMsMax?: number;
  /** Ends it: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Is called when `acknowledged` or `committed` has changed. What it throws, or rejects with, ends `forward()`. */
  onProgress?: (progress: ForwardProgress) => void;
  /** Is called for each failure that is tried again. What it throws, or rejects with, ends `forward()`: the way to give up. */
  onRetry?: (error: unknown, retry: Retry) => void;
}
/**
 * Carries the entries of a log to a target, in order and without a gap, for as long
 * as the log is open: those that are there, then those that become durable. It
 * begins after the last entry that the target has, once that was compared with the
 * log's. After a failure it waits, asks the target again and goes on from there, so that no
 * entry is missing; whether one can be stored twice is up to the target.
 *
 * Resolves when the source is closed and what was sent is acknowledged.
 *
 * ```ts
 * await forward(wal, { target, cursor, signal, onProgress: ({ lag }) => gauge.set(lag) });
 * ```
 *
 * @throws (rejects) `ERR_TARGET_AHEAD`, `ERR_TARGET_BEHIND` (`lost` says which entries it cannot get any
 * more), `ERR_TARGET_DIFFERS` when what the target has does not fit the log; `ERR_TARGET_REFUSED`
 * when it cannot take it; the signal's reason; what `wal.follow()`, `onProgress` and `onRetry` throw or reject with;
 * what `cursor.commit()` throws, `ERR_CURSOR_CLOSED` for example, unless it can be tried again;
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export declare function forward(source: Wal | WalReader, options: ForwardOptions): Promise<ForwardProgress>;

export { AtomicLogImpl as AtomicLog, Past as PositionParts };

export {};
