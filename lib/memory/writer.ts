import { NO_SLOT, SEGMENT_FIELDS, SegmentField, Status } from '../base/codes';
import type { AtomicLog } from './atomic-log';
import { checkInteger } from '../base/checks';
import { copyValues } from '../base/copy';
import { dispose } from '../base/dispose';
import { readColumns, type Columns, type Entries, type Source } from './batch';
import { BatchBuilder } from './batch-builder';
import { variableSize } from './columns';
import { encodeInto } from './codec';
import type { EntryJournal } from './entry-journal';
import { illegalConstructor, invalidType, plainError } from '../base/errors';
import { showAsText } from '../base/inspect';
import type { LogView } from './view';
import { HeadMappings } from './head-mappings';
import { NO_AREAS, NO_COLUMNS, type Column } from './mapping';
import { publishEntries, type NativeWriter } from './native-log';
import { readRecord, refusedField } from './record';
import { functionsOf, type RecordStore } from './layout-functions';
import { accepts, isVariable, Kind, refusal, scalars, store, viewOf, type ScalarArray } from '../base/scalar';
import type { Layout } from './layout';
import { OpenSpan, type Span } from './span';
import { typedArrayLength, typedArrayTag } from '../base/typed-array';
import {
  countFitting,
  payloadBytes,
  payloadFits,
  tooLarge,
  type Payload,
  type VarArea,
  type VarSource,
} from './var-area';
import { busy, closed, rollFailed, spanOpen, taking } from './writer-errors';

/** Only the library has it, so only the library makes writers. */
export const makeWriter = Symbol('makeWriter');
/** For the room of journaled logs. */
export const storeSources = Symbol('storeSources');
export const journalEntries = Symbol('journalEntries');
export const endLog = Symbol('endLog');

/** In place of a kind: the log holds records, or the values of a codec. */
const RECORD = -1;
const ENCODED = -2;

/** Of a batch of records up to so many are copied one by one. */
const LOOP_ENTRIES_MAX = 64;

const NO_VALUES: ScalarArray = new Float64Array(0);
const NO_DOUBLES: Float64Array = new Float64Array(0);

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
export class Writer<T> {
  readonly #log: AtomicLog<T>;
  readonly #view: LogView;
  readonly #native: NativeWriter;
  /** The number of `#native`. */
  #slot: number;
  readonly #layout: Layout;
  readonly #kinds: readonly Kind[];
  /** The kind of a log of numbers, or RECORD, or ENCODED. */
  readonly #kind: Kind | typeof RECORD | typeof ENCODED;
  /** The fields of variable size. */
  readonly #variable: readonly number[];
  /** The typed array of a log of numbers, by name. */
  readonly #tag: string;
  readonly #mappings: HeadMappings;
  #isClosed = false;
  /** Whether a codec is writing into the head. */
  #isEncoding = false;
  #span: OpenSpan<T> | undefined;
  /** Takes what is stored before it is published. */
  #journal: EntryJournal | undefined;
  /** Entries of the head that the journal has, or that were published without one. */
  #journaled = 0;
  /** Whether the journal is taking entries, and hooks of the user may be running. */
  #isTaking = false;

  // The head.
  #headId: number;
  #firstIndex: number;
  /** Entries stored in the head, published or not. */
  #count: number;
  /**
   * Entries that the head has room for; 0 when closed, not mapped, or while a
   * span is open, a codec is writing or the journal takes entries, so that one check on the way of every
   * store notices all of them.
   */
  #limit = 0;
  #columns: readonly Column[] = NO_COLUMNS;
  /** The columns of variable size. */
  #areas: readonly VarArea[] = NO_AREAS;
  /** The first column of a log of numbers. */
  #values: ScalarArray = NO_VALUES;
  /**
   * The same in a log of f64, as long as `#limit`: it has a place for the entry at `#count`
   * exactly when `#limit` has. By itself, so that storing an f64 meets one kind of array and
   * no look at the kind, whatever other logs the process has.
   */
  #doubles = NO_DOUBLES;
  /** Of a log of records, where code may be made for them. */
  readonly #records: RecordStore<Writer<T>> | undefined;
  /** Values of the record that is being stored; undefined while in use. */
  #scratch: unknown[] | undefined;
  /** For the next batch; undefined while in use. */
  #builder: BatchBuilder | undefined;

  private constructor(key: typeof makeWriter, log: AtomicLog<T>, view: LogView, native: NativeWriter) {
    if (key !== makeWriter) throw illegalConstructor('Writer', 'log.tryClaimWriter() or AtomicLog.claimed()');
    const { layout } = view;
    const { kinds, fields, coder } = layout;
    this.#log = log;
    this.#view = view;
    this.#native = native;
    this.#slot = native.slot;
    this.#layout = layout;
    this.#kinds = kinds;
    this.#kind = coder !== undefined ? ENCODED : fields === undefined ? kinds[0]! : RECORD;
    this.#tag = this.#kind >= 0 ? scalars[this.#kind]!.Array.name : '';
    this.#variable = kinds.flatMap((kind, i) => (isVariable(kind) ? [i] : []));
    this.#scratch = kinds.map(() => undefined);
    if (fields !== undefined) {
      const place = this.#variable.length === 0 ? Writer.#place : Writer.#placeData;
      const nextOf = Writer.#nextOf;
      this.#records = functionsOf(layout)?.makeStore<Writer<T>>(
        { nextOf, place },
        (record, values) => {
          const field = kinds.findIndex((kind, i) => !accepts(kind, values[i]));
          return refusedField(kinds[field]!, fields[field]!, values[field], record);
        },
        (record) => {
          const values = new Array<unknown>(kinds.length);
          readRecord(fields, kinds, record, values);
          return values;
        },
      );
    }

    this.#mappings = new HeadMappings(native, view.storage, view.native.retainedSegments);

    const head = new Float64Array(SEGMENT_FIELDS);
    native.head(head);
    // Elements of a Float64Array are doubles to V8 even when they are whole; as
    // small integers these fields make every store faster by a third.
    this.#headId = head[SegmentField.id]! | 0;
    const firstIndex = head[SegmentField.firstIndex]!;
    this.#firstIndex = firstIndex < 2 ** 30 ? firstIndex | 0 : firstIndex;
    this.#count = head[SegmentField.count]! | 0;
    view.addUser(this, native);
    try {
      this.#mapHead();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  // Functions of the class and not of a writer, so that what is made for a layout can have them in line.

  static #nextOf<T>(this: void, writer: Writer<T>): number {
    return writer.#count < writer.#limit ? writer.#count : -1;
  }

  static #place<T>(this: void, writer: Writer<T>): number {
    return writer.#count < writer.#limit ? writer.#count : writer.#makeRoom();
  }

  static #placeData<T>(this: void, writer: Writer<T>, payloads: readonly Payload[]): number {
    return writer.#makeDataRoom(payloads);
  }

  /** @internal */
  static [makeWriter]<T>(log: AtomicLog<T>, view: LogView, native: NativeWriter): Writer<T> {
    return new Writer(makeWriter, log, view, native);
  }

  /** @internal Columns of the library's own, as appendBatch() would store them. */
  [storeSources](columns: Columns): number {
    return this.#storeColumns(columns);
  }

  /** @internal From now on `journal` takes every entry before it is published. */
  [journalEntries](journal: EntryJournal): void {
    this.publish();
    this.#journal = journal;
    this.#journaled = this.#count;
    // All ways lead past the journal then.
    this.#doubles = NO_DOUBLES;
  }

  /** @internal As end(), but what is not published is dropped. */
  [endLog](): void {
    if (this.#isClosed) return;
    this.#native.end();
    this.close();
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
   * `ERR_UNKNOWN_FIELD` for a value that does not fit, `ERR_VALUE_TOO_LARGE` for
   * one that no segment has room for; `ERR_CODEC_RESULT`, `ERR_WRITER_BUSY` and
   * what the codec throws; `ERR_WRITER_CLOSED`; `ERR_OUT_OF_MEMORY`, `ERR_PINNED_BYTES`
   */
  append(value: T): number {
    const position = this.#count;
    if (typeof value === 'number' && position < this.#doubles.length) {
      this.#doubles[position] = value;
      this.#count = position + 1;
      publishEntries(this.#slot, position + 1);
      return this.#firstIndex + position;
    }
    return this.#appendOther(value);
  }

  /**
   * Stores one entry without publishing it: readers see it after the next
   * {@link publish}, {@link append}, or when its segment is full and another
   * begins. `close()` drops what is not published. Returns its absolute index.
   *
   * @throws as {@link append}
   */
  write(value: T): number {
    const position = this.#count;
    if (typeof value === 'number' && position < this.#doubles.length) {
      this.#doubles[position] = value;
      this.#count = position + 1;
      return this.#firstIndex + position;
    }
    return this.#journal === undefined ? this.#writeOther(value) : this.#writeJournaled(this.#journal, value);
  }

  /**
   * Makes every entry that was stored readable.
   *
   * @throws `ERR_WRITER_CLOSED`
   */
  publish(): void {
    if (this.#isClosed) throw closed();
    if (this.#journal === undefined) publishEntries(this.#slot, this.#count);
    else this.#publishJournaled(this.#journal);
  }

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
  appendBatch(entries: Entries<T>): number {
    if (typedArrayTag(entries) !== this.#tag) return this.#appendOtherBatch(entries);
    const source = entries as unknown as ScalarArray;
    const length = typedArrayLength(source);
    // An empty one may be detached, and set() would refuse it.
    if (length === 0 || length > this.#limit - this.#count) return this.#appendBeyondHead(source, length);
    return this.#appendArray(source, length);
  }

  /**
   * Room for up to `count` entries to be written in place: as many as the segment
   * has left, at least one. Follow it with {@link commit}; until then nothing
   * else can be appended.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_SPAN_OPEN`,
   * `ERR_WRITER_CLOSED`, `ERR_OUT_OF_MEMORY`, `ERR_PINNED_BYTES`; `ERR_VARIABLE_SIZE`
   * in a log with values of variable size, whose room is not known before
   */
  reserve(count: number): Span<T> {
    checkInteger('count', count, 1);
    if (this.#variable.length > 0) {
      throw variableSize(
        'room can be reserved for entries of fixed size only; write() and publish(), or appendBatch()',
      );
    }
    if (this.#count >= this.#limit) this.#makeRoom();
    const length = Math.min(count, this.#limit - this.#count);
    const mapping = this.#mappings.shown(this.#headId);
    this.#span = new OpenSpan<T>(this, this.nextIndex, length, this.#count, this.#layout, mapping);
    this.#stop();
    return this.#span;
  }

  /**
   * Publishes the first `count` entries of the open span, staged ones first, and
   * ends the span; 0 returns the room. Returns the absolute index of the first.
   *
   * @throws `ERR_SPAN_OVER` (there is none), `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`, `ERR_WRITER_CLOSED`
   */
  commit(count: number): number {
    if (this.#isClosed) throw closed();
    if (this.#isTaking) throw taking();
    const span = this.#span;
    if (span === undefined) throw plainError('ERR_SPAN_OVER', 'there is no open span; reserve one first');
    checkInteger('count', count, 0, span.length);
    const index = this.nextIndex;
    this.#endSpan();
    this.#count += count;
    this.#publishOrTakeBack(index);
    return index;
  }

  /**
   * Publishes what is staged and ends the log: followers finish once they have
   * delivered everything, and no one can append any more. Closes the writer.
   *
   * @throws `ERR_WRITER_CLOSED`, `ERR_SPAN_OPEN`
   */
  end(): void {
    if (this.#span !== undefined) throw spanOpen();
    this.publish();
    this.#native.end();
    this.close();
  }

  /** Releases the claim and drops what was not published. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#span?.end();
    this.#span = undefined;
    this.#stop();
    this.#slot = NO_SLOT;
    this.#columns = NO_COLUMNS;
    this.#areas = NO_AREAS;
    this.#values = NO_VALUES;
    this.#mappings.clear();
    this.#native.close();
    this.#view.dropUser(this);
  }

  [dispose](): void {
    this.close();
  }

  /** For people: what `console.log` shows. */
  toString(): string {
    return `Writer { ${this.#isClosed ? 'closed' : `nextIndex: ${this.nextIndex}`} }`;
  }

  // --- What is not an f64, or has no room.

  #appendOther(value: T): number {
    if (this.#journal !== undefined) {
      const index = this.#writeOther(value);
      this.#publishOrTakeBack(index);
      return index;
    }
    const position = this.#records === undefined ? -1 : this.#records.store(this, value);
    if (position < 0) return this.#appendNumber(value);
    this.#count = position + 1;
    publishEntries(this.#slot, position + 1);
    return this.#firstIndex + position;
  }

  #writeOther(value: T): number {
    const position = this.#records === undefined ? -1 : this.#records.store(this, value);
    if (position < 0) return this.#writeNumber(value);
    this.#count = position + 1;
    return this.#firstIndex + position;
  }

  #appendNumber(value: T): number {
    const kind = this.#kind;
    const position = this.#count;
    if (kind >= 0 && position < this.#limit && store(kind as Kind, this.#values, position, value)) {
      this.#count = position + 1;
      publishEntries(this.#slot, position + 1);
      return this.#firstIndex + position;
    }
    const index = this.#look(value);
    publishEntries(this.#slot, this.#count);
    return index;
  }

  #writeNumber(value: T): number {
    const kind = this.#kind;
    const position = this.#count;
    if (kind >= 0 && position < this.#limit && store(kind as Kind, this.#values, position, value)) {
      this.#count = position + 1;
      return this.#firstIndex + position;
    }
    return this.#look(value);
  }

  /** No number of the log's type, or no room for it; a record that no function could be made for, or none took. */
  #look(value: T): number {
    const kind = this.#kind;
    if (kind === RECORD) return this.#writeRecord(value);
    if (kind === ENCODED) return this.#writeEncoded(value);
    // A refused value must not begin a segment.
    if (!accepts(kind, value)) throw refusal(kind, 'value', value);
    const position = this.#count < this.#limit ? this.#count : this.#makeRoom();
    store(kind, this.#values, position, value);
    this.#count = position + 1;
    return this.#firstIndex + position;
  }

  // --- Records that their function leaves to a closer look.

  #writeRecord(record: unknown): number {
    // A getter may call this writer again; then it finds no scratch and makes
    // its own. Everything is read and checked before anything is stored.
    const values = this.#scratch ?? new Array<unknown>(this.#kinds.length);
    this.#scratch = undefined;
    readRecord(this.#layout.fields!, this.#kinds, record, values);
    const index = this.#storeRecord(values);
    this.#scratch = values;
    return index;
  }

  /** Stores values that were accepted already. */
  #storeRecord(values: readonly unknown[]): number {
    if (this.#variable.length > 0) return this.#storeVariableRecord(values);
    let position = this.#count;
    if (position >= this.#limit) position = this.#makeRoom();
    for (let i = 0; i < values.length; ++i) {
      store(this.#kinds[i]!, this.#columns[i] as ScalarArray, position, values[i]);
    }
    this.#count = position + 1;
    return this.#firstIndex + position;
  }

  #storeVariableRecord(values: readonly unknown[]): number {
    const position = this.#makeDataRoom(values as readonly Payload[]);
    for (let i = 0; i < values.length; ++i) {
      const kind = this.#kinds[i]!;
      if (isVariable(kind)) (this.#columns[i] as VarArea).store(position, values[i] as Payload);
      else store(kind, this.#columns[i] as ScalarArray, position, values[i]);
    }
    this.#count = position + 1;
    return this.#firstIndex + position;
  }

  // --- Values of a codec.

  #writeEncoded(value: unknown): number {
    const coder = this.#layout.coder!;
    if (coder.packInto !== undefined) {
      const index = this.#encodeInPlace(value);
      if (index >= 0) return index;
    }
    const payload = coder.pack(value, 'value');
    let position = this.#count;
    if (position >= this.#limit || !this.#areas[0]!.hasRoom(payload))
      position = this.#makeDataRoom([payload]);
    this.#areas[0]!.store(position, payload);
    this.#count = position + 1;
    return this.#firstIndex + position;
  }

  /** Lets the codec write into the head; -1 when the head has too little room. */
  #encodeInPlace(value: unknown): number {
    const position = this.#count;
    const limit = this.#limit;
    // A value that is refused must not begin a segment.
    if (position >= limit) return -1;
    const area = this.#areas[0]!;
    const shown = this.#mappings.shown(this.#headId);
    const { data } = shown.areas[0]!;
    const target = viewOf(Kind.u8, data, area.used, area.room) as Uint8Array;
    let length: number;
    this.#isEncoding = true;
    this.#limit = 0;
    try {
      length = encodeInto(this.#layout.coder!, value, target);
    } finally {
      this.#isEncoding = false;
      if (!this.#isClosed) this.#limit = limit;
      if (this.#layout.strictViews) shown.detach();
    }
    if (this.#isClosed) throw closed();
    if (length === -1) return -1;
    area.take(position, length);
    this.#count = position + 1;
    return this.#firstIndex + position;
  }

  /**
   * A position in a head that has room for the values of variable size; a value
   * that no segment has room for is refused before anything changes.
   */
  #makeDataRoom(values: readonly Payload[]): number {
    const { dataBytes, fields } = this.#layout;
    for (const field of this.#variable) {
      const value = values[field]!;
      if (payloadFits(value, dataBytes)) continue;
      const what = fields === undefined ? 'the value' : `the field ${fields[field]!}`;
      throw tooLarge(what, payloadBytes(value), dataBytes);
    }
    let position = this.#count;
    if (position >= this.#limit) position = this.#makeRoom();
    for (let i = 0; i < this.#areas.length; ++i) {
      if (!payloadFits(values[this.#variable[i]!]!, this.#areas[i]!.room)) return this.#roll();
    }
    return position;
  }

  // --- Batches.

  /** One that the head has room for. */
  #appendArray(source: ScalarArray, length: number): number {
    const position = this.#count;
    copyValues(this.#kind as Kind, this.#values, position, source, length);
    this.#count = position + length;
    if (this.#journal === undefined) publishEntries(this.#slot, position + length);
    else this.#publishOrTakeBack(this.#firstIndex + position);
    return this.#firstIndex + position;
  }

  #appendBeyondHead(source: ScalarArray, length: number): number {
    // An empty one begins no segment.
    if (length > 0 && this.#count >= this.#limit) this.#makeRoom();
    return length > 0 && length <= this.#limit - this.#count
      ? this.#appendArray(source, length)
      : this.#storeColumns({ sources: [source], length });
  }

  /** One that is no typed array of the log's type. */
  #appendOtherBatch(entries: Entries<T>): number {
    if (entries === null || typeof entries !== 'object') {
      throw invalidType('entries', 'an iterable or an object of columns', entries);
    }
    // The iterator of a detached typed array of another kind would throw.
    if (typedArrayTag(entries) !== undefined && typedArrayLength(entries as unknown as ScalarArray) === 0) {
      return this.#storeColumns({ sources: [], length: 0 });
    }
    const isIterable = typeof (entries as Partial<Iterable<T>>)[Symbol.iterator] === 'function';
    if (isIterable && this.#kind >= 0) return this.#storeNumbers([...(entries as Iterable<T>)]);
    // What runs meanwhile may append a batch to this writer, too: it gets a builder of its own.
    const builder = this.#builder ?? new BatchBuilder(this.#layout);
    this.#builder = undefined;
    const index = isIterable
      ? this.#storeCollected(builder, entries as Iterable<T>)
      : this.#storeColumns(readColumns(this.#layout, entries, builder));
    if (builder.isSmall) this.#builder = builder;
    return index;
  }

  /** They are ours: reading the iterable is over. */
  #storeNumbers(entries: readonly unknown[]): number {
    const kind = this.#kind as Kind;
    entries.forEach((value, i) => {
      if (!accepts(kind, value)) throw refusal(kind, `entries[${i}]`, value);
    });
    return this.#storeBatch(entries.length, () => {
      for (const value of entries) {
        if (this.#count >= this.#limit) this.#makeRoom();
        store(kind, this.#values, this.#count++, value);
      }
    });
  }

  #storeCollected(builder: BatchBuilder, entries: Iterable<unknown>): number {
    const length =
      this.#kind === RECORD ? builder.collectRecords(entries, this.#records) : builder.collectValues(entries);
    return this.#storeColumns({ sources: builder.sources, length });
  }

  /** The sources are ours: nothing of the user's runs any more. */
  #storeColumns({ sources, length }: Columns): number {
    return this.#storeBatch(length, () => {
      for (let done = 0; done < length;) {
        if (this.#count >= this.#limit) this.#makeRoom();
        let size = Math.min(length - done, this.#limit - this.#count);
        for (const field of this.#variable) {
          const { room } = this.#columns[field] as VarArea;
          size = countFitting(sources[field] as VarSource, done, size, room);
        }
        if (size === 0) {
          this.#roll();
          continue;
        }
        this.#copyFixed(sources, done, size);
        for (const field of this.#variable) {
          const area = this.#columns[field] as VarArea;
          area.storeMany(this.#count, sources[field] as VarSource, done, size);
        }
        this.#count += size;
        done += size;
      }
    });
  }

  /** Copies values [from, from + count) of the sources of fixed size into the head. */
  #copyFixed(sources: readonly Source[], from: number, count: number): void {
    const isWhole = !isVariable(this.#kinds[0]!) && typedArrayLength(sources[0] as ScalarArray) === count;
    // Views of parts cost as much as copying dozens of entries.
    if (!isWhole && this.#records !== undefined && count <= LOOP_ENTRIES_MAX) {
      this.#records.copy(sources, from, this.#count, count);
      return;
    }
    for (let i = 0; i < sources.length; ++i) {
      const kind = this.#kinds[i]!;
      if (isVariable(kind)) continue;
      const source = sources[i] as ScalarArray;
      const part = count === typedArrayLength(source) ? source : viewOf(kind, source, from, count);
      copyValues(kind, this.#columns[i] as ScalarArray, this.#count, part, count);
    }
  }

  /**
   * Has `length` checked entries stored and publishes them; those that were
   * stored, when memory runs out. An empty batch never rolls.
   */
  #storeBatch(length: number, storeAll: () => void): number {
    if (this.#isClosed) throw closed();
    if (this.#isEncoding) throw busy();
    if (this.#isTaking) throw taking();
    if (this.#span !== undefined) throw spanOpen();
    if (length > 0 && this.#count >= this.#limit) this.#makeRoom();
    const index = this.nextIndex;
    try {
      storeAll();
    } catch (error) {
      if (this.#journal !== undefined) this.#takeBack(index);
      else if (this.nextIndex > index) this.publish();
      throw error;
    }
    this.#publishOrTakeBack(index);
    return index;
  }

  // --- The journal.

  /** Its hooks store nothing meanwhile: it would lie between what is taken and a segment that begins. */
  #publishJournaled(journal: EntryJournal): void {
    if (this.#isTaking) throw taking();
    const limit = this.#limit;
    this.#isTaking = true;
    this.#limit = 0;
    try {
      while (this.#journaled < this.#count) {
        const from = this.#journaled;
        this.#journaled = journal.take(this.#columns, from, this.#count, this.#firstIndex + from);
        if (this.#isClosed) throw closed();
        publishEntries(this.#slot, this.#journaled);
      }
    } finally {
      this.#isTaking = false;
      if (!this.#isClosed) this.#limit = limit;
    }
  }

  /** What the journal would never take must not be in the way of what comes after it. */
  #writeJournaled(journal: EntryJournal, value: T): number {
    const index = this.#writeOther(value);
    try {
      journal.check(this.#columns, index - this.#firstIndex);
    } catch (error) {
      this.#takeBack(index);
      throw error;
    }
    return index;
  }

  /** What was stored from `index` on is published, or is not there any more when the journal refuses it. */
  #publishOrTakeBack(index: number): void {
    try {
      this.publish();
    } catch (error) {
      if (!this.#isClosed) this.#takeBack(index);
      throw error;
    }
  }

  /** Forgets what was stored from `index` on, but for what the journal has. */
  #takeBack(index: number): void {
    this.#count = Math.max(index - this.#firstIndex, this.#journaled);
    for (let i = 0; i < this.#areas.length; ++i) this.#areas[i]!.begin(this.#count);
  }

  // --- The head.

  /** The slow path of every store: returns a position that is really there. */
  #makeRoom(): number {
    if (this.#isClosed) throw closed();
    if (this.#isEncoding) throw busy();
    if (this.#isTaking) throw taking();
    if (this.#span !== undefined) throw spanOpen();
    if (this.#limit === 0) {
      // The head could not be mapped when it was begun; try again.
      this.#mapHead();
      if (this.#count < this.#limit) return this.#count;
    }
    return this.#roll();
  }

  /** Begins the next segment, however many entries the head has room for. */
  #roll(): number {
    // Rolling publishes what is staged.
    if (this.#journal !== undefined) this.publish();
    const id = this.#nextHead();
    if (id < 0) throw rollFailed(id, this.nextIndex, this.#view.storage.kind === 'shared');
    if (this.#view.layout.strictViews) this.#view.storage.wipe(id);
    this.#headId = id;
    this.#firstIndex += this.#count;
    this.#count = this.#journaled = 0;
    this.#mapHead();
    return 0;
  }

  #nextHead(): number {
    let id = this.#native.roll(this.#count);
    if (id === -Status.uncommitted && this.#view.storage.grow(this.#native))
      id = this.#native.roll(this.#count);
    // What this very thread keeps until the end of its turn is in no one's way.
    return id === -Status.pinned && this.#view.dropIdleWindow() ? this.#native.roll(this.#count) : id;
  }

  #endSpan(): void {
    this.#span?.end();
    this.#span = undefined;
    this.#mapHead();
  }

  /** Nothing can be stored until the head is mapped again. */
  #stop(): void {
    this.#limit = 0;
    this.#doubles = NO_DOUBLES;
  }

  #mapHead(): void {
    this.#stop();
    const mapping = this.#mappings.own(this.#headId);
    this.#columns = mapping.columns;
    this.#areas = mapping.areas;
    this.#records?.map(mapping.columns);
    if (this.#kind >= 0) this.#values = mapping.columns[0] as ScalarArray;
    for (let i = 0; i < this.#areas.length; ++i) this.#areas[i]!.begin(this.#count);
    this.#limit = this.#view.segmentCapacity;
    if (this.#kind === Kind.f64 && this.#journal === undefined) this.#doubles = this.#values as Float64Array;
  }
}
showAsText(Writer);
