/** `Writer`: what users call to append, and the shortcuts of every store; the rest is in head.ts, entry-store.ts and batch-store.ts. */
import type { AtomicLog } from './atomic-log';
import { checkInteger } from '../base/checks';
import { dispose } from '../base/dispose';
import type { Columns, Entries } from './batch';
import { BatchStore, storeInHead } from './batch-store';
import { variableSize } from './columns';
import { EntryStore } from './entry-store';
import type { EntryJournal } from './entry-journal';
import { illegalConstructor, plainError } from '../base/errors';
import { showAsText } from '../base/inspect';
import type { LogView } from './view';
import { Head } from './head';
import { publishEntries, type NativeWriter } from './native-log';
import { type Kind, type ScalarArray, store, tagOf } from '../base/scalar';
import { OpenSpan, type Span } from './span';
import { typedArrayLength, typedArrayTag } from '../base/typed-array';
import { closed, spanOpen, taking } from './writer-errors';

/** Only the library has it, so only the library makes writers. */
export const makeWriter = Symbol('makeWriter');
/** For the room of journaled logs. */
export const storeSources = Symbol('storeSources');
export const journalEntries = Symbol('journalEntries');
export const stopStoring = Symbol('stopStoring');
export const endLog = Symbol('endLog');
export const isTaking = Symbol('isTaking');

/**
 * The head of the writer that is being made; undefined when a user calls the constructor. It is
 * no argument of it, because a field that is undefined before the constructor's body sets it
 * costs a look at what the object is with every use: a third of write().
 */
let headOfNext: Head | undefined;

function takeHead(): Head {
  const head = headOfNext;
  if (head === undefined) throw illegalConstructor('Writer', 'log.tryClaimWriter() or AtomicLog.claimed()');
  headOfNext = undefined;
  return head;
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
export class Writer<T> {
  readonly #log: AtomicLog<T>;
  readonly #view: LogView;
  readonly #native: NativeWriter;
  readonly #head = takeHead();
  readonly #entries: EntryStore;
  readonly #batches: BatchStore;
  /** The typed array of a log of numbers, by name. */
  readonly #tag: string;
  #span: OpenSpan<T> | undefined;
  /** Whether the claim was released. */
  #isReleased = false;

  private constructor(log: AtomicLog<T>, view: LogView, native: NativeWriter) {
    this.#log = log;
    this.#view = view;
    this.#native = native;
    const head = this.#head;
    this.#entries = new EntryStore(head);
    this.#batches = new BatchStore(head);
    this.#tag = head.kind >= 0 ? tagOf(head.kind as Kind) : '';
    view.addUser(this, native);
    try {
      head.map();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** @internal */
  static [makeWriter]<T>(log: AtomicLog<T>, view: LogView, native: NativeWriter): Writer<T> {
    headOfNext = new Head(view, native);
    return new Writer(log, view, native);
  }

  /** @internal Columns of the library's own, as appendBatch() would store them. */
  [storeSources](columns: Columns): number {
    return this.#batches.storeColumns(columns);
  }

  /** @internal From now on `journal` takes every entry before it is published. */
  [journalEntries](journal: EntryJournal): void {
    this.#head.giveTo(journal);
  }

  /** @internal As close(), but the claim is kept: no one appends, and readers wait for the end. */
  [stopStoring](): void {
    const head = this.#head;
    if (head.isClosed) return;
    this.#endSpan();
    head.close();
  }

  /** @internal As end(), but what is not published is dropped. */
  [endLog](): void {
    if (this.#isReleased) return;
    this.#native.end();
    this.close();
  }

  /** @internal Whether a hook of the user runs that the journal called, inside of an append. */
  get [isTaking](): boolean {
    return this.#head.isTaking;
  }

  /** The log that this writer appends to. */
  get log(): AtomicLog<T> {
    return this.#log;
  }

  /** Absolute index that the next entry gets. */
  get nextIndex(): number {
    return this.#head.nextIndex;
  }

  /**
   * Stores one entry and publishes it, staged entries first. Returns its
   * absolute index.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_MISSING_FIELD` and
   * `ERR_UNKNOWN_FIELD` for a value that does not fit, `ERR_VALUE_TOO_LARGE` for
   * one that no segment has room for; `ERR_CODEC_RESULT`, `ERR_WRITER_BUSY` and
   * what the codec throws; `ERR_WRITER_CLOSED`, or `ERR_LOG_ENDED` after {@link end}; `ERR_OUT_OF_MEMORY`, `ERR_PINNED_BYTES`
   */
  append(value: T): number {
    const head = this.#head;
    const position = head.count;
    if (typeof value === 'number' && position < head.doubles.length) {
      // What is read after publishing must be looked at again, as if the call had changed it.
      const index = head.firstIndex + position;
      head.doubles[position] = value;
      head.count = position + 1;
      publishEntries(head.slot, position + 1);
      return index;
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
    const head = this.#head;
    const position = head.count;
    if (typeof value === 'number' && position < head.doubles.length) {
      head.doubles[position] = value;
      head.count = position + 1;
      return head.firstIndex + position;
    }
    const index = this.#writeOther(value);
    if (head.isJournaled) head.checkJournaled(index);
    return index;
  }

  /**
   * Makes every entry that was stored readable.
   *
   * @throws `ERR_WRITER_CLOSED`
   */
  publish(): void {
    this.#head.publish();
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
    if (typedArrayTag(entries) !== this.#tag) return this.#batches.storeOther(entries);
    const source = entries as unknown as ScalarArray;
    const length = typedArrayLength(source);
    const head = this.#head;
    // An empty one may be detached, and set() would refuse it.
    if (length === 0 || length > head.limit - head.count) return this.#batches.storeArray(source, length);
    return storeInHead(head, source, length);
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
    const head = this.#head;
    if (head.variable.length > 0) {
      throw variableSize(
        'room can be reserved for entries of fixed size only; write() and publish(), or appendBatch()',
      );
    }
    if (head.count >= head.limit) head.makeRoom();
    const length = Math.min(count, head.limit - head.count);
    this.#span = new OpenSpan<T>(this, head.nextIndex, length, head.count, head.layout, head.shown);
    head.hasSpan = true;
    head.stop();
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
    const head = this.#head;
    if (head.isClosed) throw closed(head);
    if (head.isTaking) throw taking();
    const span = this.#span;
    if (span === undefined) throw plainError('ERR_SPAN_OVER', 'there is no open span; reserve one first');
    checkInteger('count', count, 0, span.length);
    const index = head.nextIndex;
    this.#endSpan();
    head.map();
    head.count += count;
    head.publishOrTakeBack(index);
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
    this.#head.hasEnded = true;
    this.close();
  }

  /** Releases the claim and drops what was not published. Idempotent. */
  close(): void {
    if (this.#isReleased) return;
    this[stopStoring]();
    this.#isReleased = true;
    this.#native.close();
    this.#view.dropUser(this);
  }

  [dispose](): void {
    this.close();
  }

  /** For people: what `console.log` shows. */
  toString(): string {
    return `Writer { ${this.#head.isClosed ? 'closed' : `nextIndex: ${this.nextIndex}`} }`;
  }

  // --- What is not an f64, or has no room. Once with publishing and once without: a flag would be felt in every store.

  #appendOther(value: T): number {
    const head = this.#head;
    if (head.isJournaled) {
      const index = this.#writeOther(value);
      // By itself, so that those that are staged stay so when it is refused.
      head.checkJournaled(index);
      head.publishOrTakeBack(index);
      return index;
    }
    const position = head.records === undefined ? -1 : head.records.store(head, value);
    if (position < 0) return this.#appendNumber(value);
    const index = head.firstIndex + position;
    head.count = position + 1;
    publishEntries(head.slot, position + 1);
    return index;
  }

  #writeOther(value: T): number {
    const head = this.#head;
    const position = head.records === undefined ? -1 : head.records.store(head, value);
    if (position < 0) return this.#writeNumber(value);
    head.count = position + 1;
    return head.firstIndex + position;
  }

  #appendNumber(value: T): number {
    const head = this.#head;
    const { kind } = head;
    const position = head.count;
    if (kind >= 0 && position < head.limit && store(kind as Kind, head.values, position, value)) {
      const index = head.firstIndex + position;
      head.count = position + 1;
      publishEntries(head.slot, position + 1);
      return index;
    }
    const index = this.#entries.store(value);
    publishEntries(head.slot, head.count);
    return index;
  }

  #writeNumber(value: T): number {
    const head = this.#head;
    const { kind } = head;
    const position = head.count;
    if (kind >= 0 && position < head.limit && store(kind as Kind, head.values, position, value)) {
      head.count = position + 1;
      return head.firstIndex + position;
    }
    return this.#entries.store(value);
  }

  #endSpan(): void {
    this.#span?.end();
    this.#span = undefined;
    this.#head.hasSpan = false;
  }
}
showAsText(Writer);
