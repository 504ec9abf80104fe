import type { AtomicLog } from './atomic-log';
import { Chunk, makeChunk, readEntry } from './chunk';
import { dispose } from './dispose';
import { illegalConstructor, invalidType, outOfRange, plainError } from './errors';
import type { LogView } from './log-view';
import { NO_WORD } from './mapping';
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

const NOTHING_NEW: SnapshotChange = Object.freeze({ appended: 0, lost: 0 });

const CLOSED = new Window();

/**
 * A stable view of the log's recent entries, read in place.
 *
 * It pins the memory it shows until it is closed or refreshed: `close()` it, or
 * declare it with `using`. One that is merely dropped gives its memory back
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

  /** Entries. */
  get length(): number {
    return this.#endIndex - this.#firstIndex;
  }

  get isEmpty(): boolean {
    return this.#endIndex === this.#firstIndex;
  }

  /** Absolute index of the first entry. */
  get firstIndex(): number {
    return this.#firstIndex;
  }

  /** Absolute index after the last entry. */
  get endIndex(): number {
    return this.#endIndex;
  }

  /**
   * Becomes what `log.snapshot()` would return now, and says what changed. The
   * result is one object per snapshot, overwritten by the next call. Without a
   * native call while the writer stays in the same segment.
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
    return this.#changed(appended, 0);
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
   * Chunks are never empty.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  chunks(): Chunk<T>[] {
    const { segments } = this.#open();
    const chunks: Chunk<T>[] = [];
    for (let i = 0; i < segments.length; ++i) {
      const segment = segments[i]!;
      const length = i === segments.length - 1 ? this.#headCount : segment.count;
      if (length === 0) continue;
      this.#view.pins.attached(segment);
      chunks.push(Chunk[makeChunk]<T>(this.#view.layout, segment, length));
    }
    return chunks;
  }

  /**
   * The entries in order. Refreshing while iterating goes on with what is held
   * then; closing makes the next step throw `ERR_SNAPSHOT_CLOSED`.
   */
  *[Symbol.iterator](): IterableIterator<T> {
    let index = this.#firstIndex;
    for (;;) {
      const window = this.#open();
      index = Math.max(index, this.#firstIndex);
      if (index >= this.#endIndex) return;
      const { layout, pins } = this.#view;
      const segment = findSegment(window.segments, index);
      const end = segment === window.head ? this.#endIndex : segment.firstIndex + segment.count;
      // The caller may refresh or close between two steps.
      for (; index < end && this.#window === window; ++index) {
        yield readEntry(layout, pins.attached(segment), index - segment.firstIndex) as T;
      }
    }
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

  /** Gives the memory back. Views that are kept longer may show newer entries, never freed memory. Idempotent. */
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
}

function closed(): Error {
  return plainError('ERR_SNAPSHOT_CLOSED', 'the snapshot is closed; take a new one with log.snapshot()');
}

function checkInteger(name: string, value: unknown): void {
  if (Number.isInteger(value)) return;
  if (typeof value !== 'number') throw invalidType(name, 'an integer', value);
  throw outOfRange(name, 'an integer', value);
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
