import type { NativeWriter } from '../types/native';
import type { AtomicLog } from './atomic-log';
import { dispose } from './dispose';
import {
  describe,
  illegalConstructor,
  invalidType,
  outOfRange,
  plainError,
  rangeError,
  typeError,
  type AtomicLogError,
} from './errors';
import type { LogView } from './log-view';
import { Mapping, mappingUnavailable, NO_COLUMNS } from './mapping';
import {
  accepts,
  Kind,
  refusal,
  scalars,
  store,
  typedArrayLength,
  typedArrayTag,
  viewOf,
  type ScalarArray,
} from './scalar';
import type { ArrayOf } from './schema';
import { OpenSpan, type Span } from './span';

/** Only the library has it, so only the library makes writers. */
export const makeWriter = Symbol('makeWriter');

/** In place of a kind: the log holds records. */
const RECORD = -1;

const NO_VALUES: ScalarArray = new Float64Array(0);

/** What {@link Writer.appendBatch} takes: entries one by one, or whole columns. */
export type Entries<T> =
  Iterable<T> | ArrayOf<T> | (T extends object ? { readonly [K in keyof T]: ArrayOf<T[K]> } : never);

/**
 * The exclusive right to append to a log. `close()` it, or declare it with
 * `using`; a worker that ends gives it back too.
 *
 * Entries are stored straight into the log's memory. Values are never coerced:
 * one that does not fit its column is refused, and nothing has changed then.
 *
 * ```ts
 * using writer = log.tryClaimWriter();
 * writer?.append(42);
 * ```
 */
export class Writer<T> {
  readonly #log: AtomicLog<T>;
  readonly #view: LogView;
  readonly #native: NativeWriter;
  readonly #publishStaged: () => void;
  /** The cell by which publish() learns the count. */
  readonly #staged: Uint32Array;
  readonly #kinds: readonly Kind[];
  /** Undefined for a log of numbers. */
  readonly #fields: readonly string[] | undefined;
  /** The kind of a log of numbers, or RECORD. */
  readonly #kind: Kind | typeof RECORD;
  /** The typed array of a log of numbers, by name. */
  readonly #tag: string;
  /** Writer mappings by segment id; kept apart from the readers'. */
  readonly #mappings: (Mapping | undefined)[] = [];
  #isClosed = false;
  #span: OpenSpan<T> | undefined;

  /** Mappings for spans by segment id: users can transfer those away, at any time. */
  readonly #spanMappings: (Mapping | undefined)[] = [];

  // The head. Users never get the writer's own ArrayBuffers, so nobody else can
  // detach them.
  #headId: number;
  #firstIndex: number;
  /** Entries stored in the head, published or not. */
  #count: number;
  /**
   * Entries that the head has room for; 0 when closed, not mapped, or while a
   * span is open, so that one check on the way of every store notices all four.
   */
  #limit = 0;
  #columns: readonly ScalarArray[] = NO_COLUMNS;
  /** The first column. */
  #values: ScalarArray = NO_VALUES;
  /** Values of the record that is being stored; undefined while in use. */
  #scratch: unknown[] | undefined;

  private constructor(key: typeof makeWriter, log: AtomicLog<T>, view: LogView, native: NativeWriter) {
    if (key !== makeWriter) throw illegalConstructor('Writer', 'log.tryClaimWriter() or AtomicLog.claimed()');
    const { kinds, fields } = view.layout;
    this.#log = log;
    this.#view = view;
    this.#native = native;
    this.#publishStaged = native.publish;
    this.#staged = native.staged;
    this.#kinds = kinds;
    this.#fields = fields;
    this.#kind = fields === undefined ? kinds[0]! : RECORD;
    this.#tag = fields === undefined ? scalars[kinds[0]!]!.Array.name : '';
    this.#scratch = kinds.map(() => undefined);

    const head = new Float64Array(4);
    native.head(head);
    // Elements of a Float64Array are doubles to V8 even when they are whole; as
    // small integers these fields make every store faster by a third.
    this.#headId = head[0]! | 0;
    this.#firstIndex = head[2]! < 2 ** 30 ? head[2]! | 0 : head[2]!;
    this.#count = head[3]! | 0;
    view.addUser(this);
    try {
      this.#mapHead();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** @internal */
  static [makeWriter]<T>(log: AtomicLog<T>, view: LogView, native: NativeWriter): Writer<T> {
    return new Writer(makeWriter, log, view, native);
  }

  /** The log that this writer appends to. */
  get log(): AtomicLog<T> {
    return this.#log;
  }

  /** Absolute index that the next entry gets. */
  get nextIndex(): number {
    return this.#firstIndex + this.#count;
  }

  /**
   * Stores one entry and publishes it, staged entries first. Returns its
   * absolute index.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_MISSING_FIELD` and
   * `ERR_UNKNOWN_FIELD` for a value that does not fit; `ERR_WRITER_CLOSED`;
   * `ERR_OUT_OF_MEMORY`
   */
  append(value: T): number {
    const index = this.write(value);
    this.#staged[0] = this.#count;
    this.#publishStaged();
    return index;
  }

  /**
   * Stores one entry without publishing it: readers see it after the next
   * {@link publish}, {@link append}, or when its segment is full and another
   * begins. `close()` drops what is not published. Returns its absolute index.
   *
   * @throws as {@link append}
   */
  write(value: T): number {
    const kind = this.#kind;
    if (kind === RECORD) return this.#writeRecord(value);
    let position = this.#count;
    if (position >= this.#limit) {
      // A refused value must not begin a segment.
      if (!accepts(kind, value)) throw refusal(kind, 'value', value);
      position = this.#makeRoom();
    }
    if (!store(kind, this.#values, position, value)) throw refusal(kind, 'value', value);
    this.#count = position + 1;
    return this.#firstIndex + position;
  }

  /**
   * Makes every entry that was stored readable.
   *
   * @throws `ERR_WRITER_CLOSED`
   */
  publish(): void {
    if (this.#isClosed) throw closed();
    this.#staged[0] = this.#count;
    this.#publishStaged();
  }

  /**
   * Stores and publishes many entries, staged ones first. Returns the absolute
   * index of the first.
   *
   * A typed array of the log's own type is copied as it is; a log of records
   * takes one such array per field. Any other iterable is read to its end and
   * checked before anything is stored. A batch that crosses segments is
   * published segment by segment.
   *
   * @throws as {@link append}, and `ERR_COLUMN_LENGTH`
   */
  appendBatch(entries: Entries<T>): number {
    if (typedArrayTag(entries) === this.#tag) {
      const source = entries as unknown as ScalarArray;
      const length = typedArrayLength(source);
      const position = this.#count;
      // An empty one may be detached, and set() would refuse it.
      if (length > 0 && length <= this.#limit - position) {
        (this.#values as Float64Array).set(source as Float64Array, position);
        this.#count = position + length;
        this.#staged[0] = this.#count;
        this.#publishStaged();
        return this.#firstIndex + position;
      }
      return this.#storeColumns([source], length);
    }
    if (entries === null || typeof entries !== 'object') {
      throw invalidType('entries', 'an iterable or an object of columns', entries);
    }
    // The iterator of a detached typed array of another kind would throw.
    if (typedArrayTag(entries) !== undefined && typedArrayLength(entries as unknown as ScalarArray) === 0) {
      return this.#storeEntries([]);
    }
    const isIterable = typeof (entries as Partial<Iterable<T>>)[Symbol.iterator] === 'function';
    return isIterable ? this.#storeEntries([...(entries as Iterable<T>)]) : this.#appendColumns(entries);
  }

  /**
   * Room for up to `count` entries to be written in place: as many as the segment
   * has left, at least one. Follow it with {@link commit}; until then nothing
   * else can be appended.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_SPAN_OPEN`,
   * `ERR_WRITER_CLOSED`, `ERR_OUT_OF_MEMORY`
   */
  reserve(count: number): Span<T> {
    checkCount(count, 1, Infinity);
    if (this.#count >= this.#limit) this.#makeRoom();
    const length = Math.min(count, this.#limit - this.#count);
    let mapping = this.#spanMappings[this.#headId];
    if (!mapping?.isAttached) {
      mapping = this.#spanMappings[this.#headId] = this.#map();
    }
    this.#span = new OpenSpan<T>(this, this.nextIndex, length, this.#count, this.#view.layout, mapping);
    this.#limit = 0;
    return this.#span;
  }

  /**
   * Publishes the first `count` entries of the open span, staged ones first, and
   * ends the span; 0 gives the room back. Returns the absolute index of the first.
   *
   * @throws `ERR_SPAN_OVER` (there is none), `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`, `ERR_WRITER_CLOSED`
   */
  commit(count: number): number {
    if (this.#isClosed) throw closed();
    const span = this.#span;
    if (span === undefined) throw plainError('ERR_SPAN_OVER', 'there is no open span; reserve one first');
    checkCount(count, 0, span.length);
    const index = this.nextIndex;
    this.#endSpan();
    this.#count += count;
    this.publish();
    return index;
  }

  /**
   * Publishes what is staged and ends the log: followers finish once they have
   * delivered everything, and nobody can append any more. Closes the writer.
   *
   * @throws `ERR_WRITER_CLOSED`, `ERR_SPAN_OPEN`
   */
  end(): void {
    if (this.#span !== undefined) throw spanOpen();
    this.publish();
    this.#native.end();
    this.close();
  }

  /** Gives the claim back and drops what was not published. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#span?.end();
    this.#span = undefined;
    this.#limit = 0;
    this.#columns = NO_COLUMNS;
    this.#values = NO_VALUES;
    this.#mappings.length = 0;
    this.#spanMappings.length = 0;
    this.#native.close();
    this.#view.dropUser(this);
  }

  [dispose](): void {
    this.close();
  }

  // --- Records.

  #writeRecord(record: unknown): number {
    // A getter may call this writer again; then it finds no scratch and makes
    // its own. Everything is read and checked before anything is stored.
    const values = this.#scratch ?? new Array<unknown>(this.#kinds.length);
    this.#scratch = undefined;
    this.#readRecord(record, values);
    const index = this.#storeRecord(values);
    this.#scratch = values;
    return index;
  }

  #readRecord(record: unknown, values: unknown[]): void {
    const fields = this.#fields!;
    if (record === null || typeof record !== 'object') {
      throw invalidType('the record', `an object with the fields ${fields.join(', ')}`, record);
    }
    const keys = Object.keys(record);
    for (let i = 0; i < keys.length; ++i) {
      if (keys[i] !== fields[i] && !fields.includes(keys[i]!)) throw unknownField(keys[i]!, fields);
    }
    for (let i = 0; i < fields.length; ++i) {
      const value = (record as Record<string, unknown>)[fields[i]!];
      if (!accepts(this.#kinds[i]!, value)) throw refusedField(this.#kinds[i]!, fields[i]!, value, record);
      values[i] = value;
    }
  }

  /** Stores values that were accepted already. */
  #storeRecord(values: readonly unknown[]): number {
    let position = this.#count;
    if (position >= this.#limit) position = this.#makeRoom();
    for (let i = 0; i < values.length; ++i) {
      store(this.#kinds[i]!, this.#columns[i]!, position, values[i]);
    }
    this.#count = position + 1;
    return this.#firstIndex + position;
  }

  // --- Batches.

  /** `entries` is ours: reading the iterable is over. */
  #storeEntries(entries: readonly unknown[]): number {
    const kind = this.#kind;
    if (kind !== RECORD) {
      entries.forEach((value, i) => {
        if (!accepts(kind, value)) throw refusal(kind, `entries[${i}]`, value);
      });
      const index = this.#roomForNext(entries.length);
      for (const value of entries) {
        if (this.#count >= this.#limit) this.#makeRoom();
        store(kind, this.#values, this.#count++, value);
      }
      this.publish();
      return index;
    }
    const rows = entries.map((record) => {
      const values = new Array<unknown>(this.#kinds.length);
      this.#readRecord(record, values);
      return values;
    });
    const index = this.#roomForNext(rows.length);
    for (const values of rows) this.#storeRecord(values);
    this.publish();
    return index;
  }

  #appendColumns(columns: object): number {
    const fields = this.#fields;
    if (fields === undefined) {
      throw invalidType('entries', 'an iterable of numbers or a typed array', columns);
    }
    const unknown = Object.keys(columns).find((key) => !fields.includes(key));
    if (unknown !== undefined) throw unknownField(unknown, fields);
    const sources = fields.map((name) => (columns as Record<string, unknown>)[name]);
    sources.forEach((source, i) => {
      const { name } = scalars[this.#kinds[i]!]!.Array;
      if (source === undefined) throw missingField(fields[i]!);
      if (typedArrayTag(source) !== name) throw invalidType(`entries.${fields[i]}`, `a ${name}`, source);
    });
    const lengths = sources.map((source) => typedArrayLength(source as ScalarArray));
    const length = lengths[0]!;
    const other = lengths.findIndex((n) => n !== length);
    if (other > 0) {
      throw rangeError(
        'ERR_COLUMN_LENGTH',
        `the columns of a batch must be of one length; ${fields[0]} has ${length}, ${fields[other]} has ${lengths[other]}`,
      );
    }
    return this.#storeColumns(sources as ScalarArray[], length);
  }

  #storeColumns(sources: readonly ScalarArray[], length: number): number {
    const index = this.#roomForNext(length);
    for (let done = 0; done < length;) {
      if (this.#count >= this.#limit) this.#makeRoom();
      const size = Math.min(length - done, this.#limit - this.#count);
      for (let i = 0; i < sources.length; ++i) {
        // Making a view costs as much as copying a hundred entries.
        const source = sources[i]!;
        const part = size === length ? source : viewOf(this.#kinds[i]!, source, done, size);
        (this.#columns[i] as Float64Array).set(part as Float64Array, this.#count);
      }
      this.#count += size;
      done += size;
    }
    this.publish();
    return index;
  }

  /** The index of the next entry, once its place is there; an empty batch never rolls. */
  #roomForNext(length: number): number {
    if (this.#isClosed) throw closed();
    if (this.#span !== undefined) throw spanOpen();
    if (length > 0 && this.#count >= this.#limit) this.#makeRoom();
    return this.nextIndex;
  }

  // --- The head.

  /** The slow path of every store: returns a position that is really there. */
  #makeRoom(): number {
    if (this.#isClosed) throw closed();
    if (this.#span !== undefined) throw spanOpen();
    if (this.#limit === 0) {
      // The head could not be mapped when it was begun; try again.
      this.#mapHead();
      if (this.#count < this.#limit) return this.#count;
    }
    const id = this.#native.roll(this.#count);
    if (id < 0) throw rollFailed(id, this.nextIndex);
    this.#headId = id;
    this.#firstIndex += this.#count;
    this.#count = 0;
    this.#mapHead();
    return 0;
  }

  #endSpan(): void {
    this.#span?.end();
    this.#span = undefined;
    this.#mapHead();
  }

  /** A new mapping of the head. */
  #map(): Mapping {
    const buffer = this.#native.map();
    if (buffer === null) throw mappingUnavailable();
    const { columnOffsets, segmentCapacity } = this.#view.native;
    return new Mapping(buffer, this.#kinds, columnOffsets, segmentCapacity);
  }

  #mapHead(): void {
    this.#limit = 0;
    const mapping = (this.#mappings[this.#headId] ??= this.#map());
    this.#columns = mapping.columns;
    this.#values = mapping.columns[0]!;
    this.#limit = this.#view.segmentCapacity;
  }
}

function closed(): AtomicLogError {
  return plainError('ERR_WRITER_CLOSED', 'the writer is closed; claim a new one with log.tryClaimWriter()');
}

function spanOpen(): AtomicLogError {
  return plainError('ERR_SPAN_OPEN', 'a span is open; commit it first (commit(0) gives the room back)');
}

function checkCount(count: unknown, min: number, max: number): void {
  const expected = `an integer from ${min} to ${max}`;
  if (typeof count !== 'number') throw invalidType('count', expected, count);
  if (!Number.isInteger(count) || count < min || count > max) throw outOfRange('count', expected, count);
}

function unknownField(name: string, fields: readonly string[]): AtomicLogError {
  return typeError(
    'ERR_UNKNOWN_FIELD',
    `the log has no field ${describe(name)}; it has ${fields.join(', ')}`,
  );
}

function missingField(name: string): AtomicLogError {
  return typeError(
    'ERR_MISSING_FIELD',
    `the field ${describe(name)} is missing; every field of the schema needs a value`,
  );
}

function refusedField(kind: Kind, name: string, value: unknown, record: object): AtomicLogError {
  return value === undefined && !Object.hasOwn(record, name)
    ? missingField(name)
    : refusal(kind, `the field ${name}`, value);
}

function rollFailed(status: number, nextIndex: number): AtomicLogError {
  return status === -1
    ? plainError(
        'ERR_OUT_OF_MEMORY',
        `the system refused memory for another segment; the entries before index ${nextIndex} are kept, ` +
          'and appending works again once there is memory',
      )
    : rangeError(
        'ERR_OUT_OF_RANGE',
        `the log is full: indexes end at 2 ** 53, and ${nextIndex} is in its last segment`,
      );
}
