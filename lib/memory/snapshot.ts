/** `Snapshot`: which entries a reader has, and the ways to read them; what it pins is in window.ts. */
import type { AtomicLog } from './atomic-log';
import { Chunk, makeChunk } from './chunk';
import { columnIndex, copyColumn, lowerBound, readEntry, type Held } from './columns';
import { Cursor, makeCursor, type Locate } from './cursor';
import { EntrySteps } from './entries';
import { Rows } from './rows';
import { currentSegments, type Place, type RunSource } from './run';
import { dispose } from '../base/dispose';
import { checkInteger } from '../base/checks';
import { illegalConstructor, plainError } from '../base/errors';
import { showAsText } from '../base/inspect';
import type { LogView } from './view';
import type { ArrayOf, FieldArrayOf } from './schema';
import { findSegment, NO_WORD, Window, type Lease, type PinnedSegment } from './window';

/** Only the library has it, so only the library makes snapshots. */
export const makeSnapshot = Symbol('makeSnapshot');

/** What changed in a snapshot. From `[f0, e0)` to `[f1, e1)`. */
export interface SnapshotChange {
  /** Entries that are new: `e1 - max(e0, f1)`. */
  readonly appended: number;
  /** Entries that were never seen and are gone: `max(0, f1 - e0)`. */
  readonly lost: number;
}

/** Parts of a snapshot, for batches of followers. */
export const chunksBetween = Symbol('chunksBetween');
export const mapBetween = Symbol('mapBetween');
export const entriesBetween = Symbol('entriesBetween');
export const rowsBetween = Symbol('rowsBetween');
export const endViews = Symbol('endViews');

const NOTHING_NEW: SnapshotChange = Object.freeze({ appended: 0, lost: 0 });

const CLOSED = new Window();

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
export class Snapshot<T> implements Iterable<T> {
  readonly #log: AtomicLog<T>;
  readonly #view: LogView;
  /** Undefined once closed. */
  #lease: Lease | undefined;
  #window: Window;
  /** The head's published word; NO_WORD when refresh() has more to do than to look at it. */
  #word: Int32Array;
  /** Readable entries of the head. */
  #headCount: number;
  #firstIndex: number;
  #endIndex: number;
  #change: { appended: number; lost: number } | undefined;

  private constructor(
    key: typeof makeSnapshot,
    log: AtomicLog<T>,
    view: LogView,
    lease: Lease,
    headCount: number,
  ) {
    if (key !== makeSnapshot) throw illegalConstructor('Snapshot', 'log.snapshot()');
    const { window } = lease;
    this.#log = log;
    this.#view = view;
    this.#lease = lease;
    this.#window = window;
    this.#word = window.headWord;
    this.#headCount = headCount;
    this.#firstIndex = window.firstIndex;
    this.#endIndex = window.head.firstIndex + headCount;
    this.#change = undefined;
    view.open(lease);
  }

  /** @internal */
  static [makeSnapshot]<T>(log: AtomicLog<T>, view: LogView, lease: Lease, headCount: number): Snapshot<T> {
    return new Snapshot(makeSnapshot, log, view, lease, headCount);
  }

  /** The log that this snapshot was taken from. */
  get log(): AtomicLog<T> {
    return this.#log;
  }

  /** Entries; 0 once it is closed. */
  get length(): number {
    return this.#endIndex - this.#firstIndex;
  }

  /** Whether it has no entries; so it is once it is closed. */
  get isEmpty(): boolean {
    return this.#endIndex === this.#firstIndex;
  }

  /** Absolute index of the first entry; {@link endIndex} once it is closed. */
  get firstIndex(): number {
    return this.#firstIndex;
  }

  /** Absolute index after the last entry; it stays when the snapshot is closed. */
  get endIndex(): number {
    return this.#endIndex;
  }

  /**
   * Becomes what `log.snapshot()` would return now, and says what changed. The
   * result may be overwritten by the next call: read it before. Without a native
   * call while the writer stays in the same segment.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  refresh(): SnapshotChange {
    const word = this.#word;
    if (word.length !== 0) {
      const count = Atomics.load(word, 0);
      if (count === this.#headCount) return NOTHING_NEW;
      if (count > this.#headCount) return this.#grow(count);
    }
    this.#open();
    return this.#take(this.#view.lease(this.#lease));
  }

  /**
   * Keeps what it holds and adds all that is new, so it grows with every call.
   * With a gap in between it behaves as {@link refresh}: there are no holes.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  extend(): SnapshotChange {
    const { headWord } = this.#window;
    if (headWord.length !== 0) {
      const count = Atomics.load(headWord, 0);
      if (count === this.#headCount) return NOTHING_NEW;
      if (count > this.#headCount) return this.#grow(count);
    }
    this.#open();
    const change = this.#take(this.#view.extend(this.#lease!));
    // An extended snapshot may hold more than the window, so refresh() must
    // look at the window even when the head is the same.
    this.#word = NO_WORD;
    return change;
  }

  /** More entries in the same head. */
  #grow(word: number): SnapshotChange {
    const count = this.#view.readable(word);
    const appended = count - this.#headCount;
    this.#headCount = count;
    this.#endIndex += appended;
    // A word that a stray store damaged shows nothing new once it is clamped.
    if (appended === 0) return NOTHING_NEW;
    // As #changed(), whose call would cost a third of what this whole way costs.
    const change = (this.#change ??= { appended: 0, lost: 0 });
    change.appended = appended;
    change.lost = 0;
    return change;
  }

  /** Goes over to a lease whose head's word is the view's `seenWord`. */
  #take(lease: Lease): SnapshotChange {
    const held = this.#lease!;
    const count = this.#view.readable(this.#view.seenWord);
    const { window } = lease;
    const { firstIndex, head } = window;
    // A stray store can damage the word; what was readable stays so, but no segment has more than its capacity,
    // wherever another process put its first index.
    const wasReadable = Math.min(this.#endIndex - head.firstIndex, this.#view.segmentCapacity);
    const headCount = Math.max(wasReadable, count);
    const endIndex = head.firstIndex + headCount;
    const appended = Math.max(0, endIndex - Math.max(this.#endIndex, firstIndex));
    const lost = Math.max(0, firstIndex - this.#endIndex);

    this.#view.open(lease);
    this.#view.close(held);
    this.#lease = lease;
    this.#window = window;
    this.#word = window.headWord;
    this.#headCount = headCount;
    this.#firstIndex = firstIndex;
    this.#endIndex = endIndex;
    return this.#changed(appended, lost);
  }

  #changed(appended: number, lost: number): SnapshotChange {
    if (appended === 0 && lost === 0) return NOTHING_NEW;
    const change = (this.#change ??= { appended: 0, lost: 0 });
    change.appended = appended;
    change.lost = lost;
    return change;
  }

  #open(): Window {
    if (this.#lease === undefined) throw closed();
    return this.#window;
  }

  /**
   * The entry at a position in this snapshot, negative from the end; undefined
   * outside it.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (not an integer); `ERR_MAPPING_UNAVAILABLE`
   */
  at(position: number): T | undefined {
    // Asked here first: the call is felt in a read of one entry.
    if (!Number.isInteger(position)) checkInteger('position', position);
    return this.#read(position < 0 ? this.#endIndex + position : this.#firstIndex + position);
  }

  /**
   * The entry with an absolute index; undefined when this snapshot does not
   * hold it.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (not an integer); `ERR_MAPPING_UNAVAILABLE`
   */
  get(index: number): T | undefined {
    if (!Number.isInteger(index)) checkInteger('index', index);
    return this.#read(index);
  }

  #read(index: number): T | undefined {
    if (!(index >= this.#firstIndex && index < this.#endIndex)) {
      this.#open();
      return undefined;
    }
    const segment = findSegment(this.#window, index);
    const mapping = this.#view.pins.attached(segment);
    return readEntry(this.#view.layout, mapping, index - segment.firstIndex) as T;
  }

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
  chunks(from?: number): Chunk<T>[] {
    if (from !== undefined) checkInteger('from', from);
    return this[chunksBetween](from ?? this.#firstIndex, this.#endIndex);
  }

  /** @internal The chunks of entries [from, to), as far as they are held. */
  [chunksBetween](from: number, to: number): Chunk<T>[] {
    const window = this.#open();
    const { segments } = window;
    const chunks: Chunk<T>[] = [];
    for (let i = window.begin; i < segments.length; ++i) {
      const segment = segments[i]!;
      const begin = Math.max(0, from - segment.firstIndex);
      const end = Math.min(this.#count(window, segment), to - segment.firstIndex);
      if (begin >= end) continue;
      this.#view.pins.attached(segment);
      chunks.push(Chunk[makeChunk]<T>(this.#view.layout, segment, begin, end - begin));
    }
    return chunks;
  }

  /** @internal Maps what holds the entries [from, to), so that reading them cannot fail. */
  [mapBetween](from: number, to: number): void {
    const window = this.#open();
    const { segments } = window;
    for (let i = window.begin; i < segments.length; ++i) {
      const segment = segments[i]!;
      const { firstIndex } = segment;
      const end = firstIndex + this.#count(window, segment);
      if (firstIndex < to && end > from) this.#view.pins.attached(segment);
    }
  }

  /** @internal With strict views, the typed arrays that were given out end here; what is read next is mapped again. */
  [endViews](): void {
    this.#view.pins.endViews(this.#window);
  }

  /** Entries of the segment that this snapshot shows. */
  #count(window: Window, segment: PinnedSegment): number {
    return segment === window.head ? this.#headCount : segment.count;
  }

  /**
   * The entries in order. Refreshing while iterating goes on with what is held
   * then; closing makes the next step throw `ERR_SNAPSHOT_CLOSED`.
   */
  [Symbol.iterator](): IterableIterator<T> {
    return this[entriesBetween](this, this.#firstIndex, Infinity);
  }

  /**
   * @internal The entries [from, to), as far as they are held when it comes to them. `source` is this snapshot,
   * or what shows part of it; `check` throws when that is over, with other segments than it had.
   */
  [entriesBetween](source: RunSource, from: number, to: number, check?: () => unknown): IterableIterator<T> {
    return EntrySteps.over<T>(this.#view.layout, source, from, (index) => {
      check?.();
      return this.#locate(index, to);
    });
  }

  /**
   * A reusable view of one entry at a time, before the first entry.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  cursor(): Cursor<T> {
    this.#open();
    const locate: Locate = (index) => {
      this.#open();
      return index >= this.#firstIndex ? this.#locate(index) : undefined;
    };
    return Cursor[makeCursor]<T>(this.#view.layout, this, locate, this.#firstIndex - 1);
  }

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
  rows(from?: number): IterableIterator<Readonly<T>> {
    if (from !== undefined) checkInteger('from', from);
    return this[rowsBetween](this, from ?? this.#firstIndex, Infinity);
  }

  /** @internal As {@link entriesBetween}. */
  [rowsBetween](
    source: RunSource,
    from: number,
    to: number,
    check?: () => unknown,
  ): IterableIterator<Readonly<T>> {
    this.#open();
    return Rows.over<Readonly<T>>(this.#view.layout, source, from, (index) => {
      check?.();
      return this.#locate(index, to);
    });
  }

  /** @internal */
  get [currentSegments](): number {
    return this.#window.version;
  }

  /** Where the first entry at `index` or after it stands, as far as there is one before `to`. */
  #locate(index: number, to = Infinity): Place | undefined {
    const window = this.#open();
    const first = Math.max(index, this.#firstIndex);
    const end = Math.min(to, this.#endIndex);
    if (!(first < end)) return undefined;
    const { version } = window;
    const segment = findSegment(window, first);
    const mapping = this.#view.pins.attached(segment);
    return {
      mapping,
      firstIndex: segment.firstIndex,
      beginIndex: Math.max(segment.firstIndex, this.#firstIndex),
      endIndex: Math.min(end, segment.firstIndex + this.#count(window, segment)),
      isCurrent: () => this.#window.version === version && mapping.isAttached,
    };
  }

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
  ): number {
    const held = this.#held();
    const first = this.#columnArguments();
    return copyColumn(held, this.#column(first, args[0]), args[first], args[first + 1], args[first + 2]);
  }

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
      : { [K in keyof T & string]: [column: K, value: T[K]] }[keyof T & string]
  ): number {
    const held = this.#held();
    const first = this.#columnArguments();
    return lowerBound(held, this.#column(first, args[0]), args[first]);
  }

  #held(): Held {
    const { layout, pins } = this.#view;
    return { layout, pins, window: this.#open(), firstIndex: this.#firstIndex, endIndex: this.#endIndex };
  }

  /** How many arguments name the column: a log of numbers, or with a codec, has only one, without a name. */
  #columnArguments(): 0 | 1 {
    return this.#view.layout.fields === undefined ? 0 : 1;
  }

  #column(named: 0 | 1, name: unknown): number {
    return named === 0 ? 0 : columnIndex(this.#view.layout, name);
  }

  /**
   * Another snapshot of the same entries, to be closed on its own.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  clone(): Snapshot<T> {
    this.#open();
    const clone = new Snapshot<T>(makeSnapshot, this.#log, this.#view, this.#lease!, this.#headCount);
    clone.#word = this.#word;
    return clone;
  }

  /** Releases the memory. Views that are kept longer may show newer entries, never freed memory. Idempotent. */
  close(): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#lease = undefined;
    this.#window = CLOSED;
    this.#word = NO_WORD;
    this.#headCount = 0;
    this.#firstIndex = this.#endIndex;
    this.#view.close(lease);
  }

  [dispose](): void {
    this.close();
  }

  /** For people: what `console.log` shows. */
  toString(): string {
    const state = this.#lease === undefined ? 'closed' : `entries [${this.#firstIndex}, ${this.#endIndex})`;
    return `Snapshot { ${state} }`;
  }
}
showAsText(Snapshot);

function closed(): Error {
  return plainError('ERR_SNAPSHOT_CLOSED', 'the snapshot is closed; take a new one with log.snapshot()');
}
