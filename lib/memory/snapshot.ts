import type { AtomicLog } from './typed-log';
import { Chunk, columnIndex, makeChunk, readEntry, readField, variableSize } from './chunk';
import { Cursor, makeCursor, type Locate } from './cursor';
import { dispose } from '../base/dispose';
import { checkInteger, illegalConstructor, invalidType, plainError } from '../base/errors';
import { showAsText } from '../base/inspect';
import type { LogView } from './view';
import { NO_WORD } from './mapping';
import { isVariable, Kind, scalars, viewOf, type ScalarArray } from '../base/scalar';
import type { ArrayOf, FieldArrayOf, Layout } from './schema';
import { typedArrayLength, typedArrayTag } from '../base/typed-array';
import { Window, type Lease, type PinnedSegment } from './window';

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
export const entriesBetween = Symbol('entriesBetween');
export const endViews = Symbol('endViews');

const NOTHING_NEW: SnapshotChange = Object.freeze({ appended: 0, lost: 0 });

const CLOSED = new Window();

/**
 * A stable view of the log's recent entries, read in place.
 *
 * It pins the memory it shows until it is closed or refreshed: `close()` it, or
 * declare it with `using`. One that is merely dropped releases its memory
 * once it and all views of it have been collected.
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
    return this.#take(this.#view.lease());
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
    const held = this.#open();
    const change = this.#take(this.#view.extend(held));
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
    const firstIndex = window.firstIndex;
    // A stray store in JavaScript can damage the word; what was readable stays so.
    const endIndex = Math.max(this.#endIndex, window.head.firstIndex + count);
    const appended = endIndex - Math.max(this.#endIndex, firstIndex);
    const lost = Math.max(0, firstIndex - this.#endIndex);

    this.#view.open(lease);
    this.#view.close(held);
    this.#lease = lease;
    this.#window = window;
    this.#word = window.headWord;
    this.#headCount = endIndex - window.head.firstIndex;
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
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (not an integer)
   */
  at(i: number): T | undefined {
    checkInteger('i', i);
    return this.#read(i < 0 ? this.#endIndex + i : this.#firstIndex + i);
  }

  /**
   * The entry with an absolute index; undefined when this snapshot does not
   * hold it.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (not an integer)
   */
  get(index: number): T | undefined {
    checkInteger('index', index);
    return this.#read(index);
  }

  #read(index: number): T | undefined {
    if (!(index >= this.#firstIndex && index < this.#endIndex)) {
      this.#open();
      return undefined;
    }
    const segment = findSegment(this.#window.segments, index);
    const mapping = this.#view.pins.attached(segment);
    return readEntry(this.#view.layout, mapping, index - segment.firstIndex) as T;
  }

  /**
   * The entries segment by segment, as typed arrays over the log's own memory.
   * Chunks are never empty. With `from`, an absolute index, only the entries
   * from there on: after a refresh, those from the `endIndex` before it are new.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
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
    for (let i = 0; i < segments.length; ++i) {
      const segment = segments[i]!;
      const begin = Math.max(0, from - segment.firstIndex);
      const end = Math.min(this.#count(window, segment), to - segment.firstIndex);
      if (begin >= end) continue;
      this.#view.pins.attached(segment);
      chunks.push(Chunk[makeChunk]<T>(this.#view.layout, segment, begin, end - begin));
    }
    return chunks;
  }

  /** @internal With strict views, the typed arrays that were given out end here; what is read next is mapped anew. */
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
    return this[entriesBetween](this.#firstIndex, Infinity);
  }

  /** @internal The entries [from, to), as far as they are held when it comes to them. */
  *[entriesBetween](from: number, to: number): IterableIterator<T> {
    let index = from;
    for (;;) {
      const window = this.#open();
      const { segments } = window;
      index = Math.max(index, this.#firstIndex);
      if (index >= Math.min(to, this.#endIndex)) return;
      const { layout, pins } = this.#view;
      const segment = findSegment(segments, index);
      const end = Math.min(to, segment.firstIndex + this.#count(window, segment));
      // The caller may refresh or close between two steps.
      for (; index < end && this.#window.segments === segments; ++index) {
        yield readEntry(layout, pins.attached(segment), index - segment.firstIndex) as T;
      }
    }
  }

  /**
   * A reusable view of one entry at a time, before the first entry.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  cursor(): Cursor<T> {
    this.#open();
    const locate: Locate = (index) => {
      const window = this.#open();
      if (!(index >= this.#firstIndex && index < this.#endIndex)) return undefined;
      const { segments } = window;
      const segment = findSegment(segments, index);
      const mapping = this.#view.pins.attached(segment);
      return {
        mapping,
        firstIndex: segment.firstIndex,
        endIndex: segment.firstIndex + this.#count(window, segment),
        isCurrent: () => this.#window.segments === segments && mapping.isAttached,
      };
    };
    return Cursor[makeCursor]<T>(this.#view.layout, locate, this.#firstIndex - 1);
  }

  /**
   * Copies the newest entries that fit into `target`, oldest first, and returns
   * how many. `target` is a typed array of the log's type, or of the column's.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_UNKNOWN_FIELD`,
   * `ERR_VARIABLE_SIZE` for values of variable size: use `chunks()`
   */
  copyInto(
    ...[target, column]: T extends number | bigint
      ? [target: ArrayOf<T>]
      : { [K in keyof T & string]: [target: FieldArrayOf<T, K>, column: K] }[keyof T & string]
  ): number {
    const window = this.#open();
    const c = this.#column(column);
    const kind = this.#view.layout.kinds[c]!;
    if (isVariable(kind)) {
      throw variableSize('values of variable size fit no typed array; read them from chunks()');
    }
    const { name } = scalars[kind]!.Array;
    if (typedArrayTag(target) !== name) throw invalidType('target', `a ${name}`, target);
    const room = typedArrayLength(target);
    const count = Math.min(room, this.length);
    const from = this.#endIndex - count;
    for (const segment of window.segments) {
      const begin = Math.max(0, from - segment.firstIndex);
      const end = this.#count(window, segment);
      if (begin >= end) continue;
      const source = viewOf(
        kind,
        this.#view.pins.attached(segment).columns[c] as ScalarArray,
        begin,
        end - begin,
      );
      const place = viewOf(kind, target, segment.firstIndex + begin - from, end - begin);
      (place as Float64Array).set(source as Float64Array);
    }
    return count;
  }

  /**
   * For entries (or a column) that never decrease, such as timestamps: the
   * position of the first one that is not less than `value`, from 0 to
   * `length`. O(log n). Strings compare as `<` does, by UTF-16 code units.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_UNKNOWN_FIELD`,
   * `ERR_VARIABLE_SIZE` for bytes, and for codecs other than utf8
   */
  lowerBound(
    ...args: T extends number | bigint | string
      ? [value: T]
      : { [K in keyof T & string]: [column: K, value: T[K]] }[keyof T & string]
  ): number {
    this.#open();
    const isOfRecords = this.#view.layout.fields !== undefined;
    const column = this.#column(isOfRecords ? args[0] : undefined);
    const value = (isOfRecords ? args[1] : args[0]) as number | bigint | string;
    const { layout } = this.#view;
    const expected = comparableType(layout, column);
    if (typeof value !== expected) throw invalidType('value', `a ${expected}`, value);
    let low = this.#firstIndex;
    let high = this.#endIndex;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const segment = findSegment(this.#window.segments, middle);
      const mapping = this.#view.pins.attached(segment);
      const entry = readField(layout, mapping, column, middle - segment.firstIndex) as typeof value;
      if (entry < value) low = middle + 1;
      else high = middle;
    }
    return low - this.#firstIndex;
  }

  /** The index of a column; a log of numbers has only one, without a name. */
  #column(name: unknown): number {
    const { layout } = this.#view;
    if (layout.fields === undefined && name === undefined) return 0;
    return columnIndex(layout, name);
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

/** What the values of a column are that are compared with `<`. */
function comparableType({ kinds, coder }: Layout, column: number): 'number' | 'bigint' | 'string' {
  const kind = kinds[column]!;
  if (!isVariable(kind)) return kind >= Kind.i64 ? 'bigint' : 'number';
  if (kind === Kind.utf8 && (coder === undefined || coder.name === 'utf8')) return 'string';
  throw variableSize('only numbers and strings have an order; keep one in a column of its own');
}

function closed(): Error {
  return plainError('ERR_SNAPSHOT_CLOSED', 'the snapshot is closed; take a new one with log.snapshot()');
}

/** The segment that holds `index`, which is inside. Segments may differ in length. */
function findSegment(segments: readonly PinnedSegment[], index: number): PinnedSegment {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (segments[middle]!.firstIndex <= index) low = middle;
    else high = middle - 1;
  }
  return segments[low]!;
}
