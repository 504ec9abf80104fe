/** What a follower of a memory log delivers, and the batches; its turns are in base/follow-loop.ts. */
import { BoundsField } from '../base/codes';
import type { AtomicLog } from './atomic-log';
import type { Chunk } from './chunk';
import { plainError, type AtomicLogError } from '../base/errors';
import { END, type FollowSource, type Pending } from '../base/follow-loop';
import type { LogView } from './view';
import { logDamaged, type NativeLog } from './native-log';
import { currentSegments, type RunSource } from './run';
import { chunksBetween, mapBetween, endViews, entriesBetween, rowsBetween, type Snapshot } from './snapshot';
import { waitForFirst, waitForIndex, waitForIndexOrClaim, waitForTime, type Wait } from '../base/waits';
import { NO_VERSION } from './window';

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

/** How often it is looked whether a log still has its name, by those who want to know. */
export const REPLACED_LOOK_MS = 250;

export interface CheckedFollowOptions {
  readonly from: 'latest' | 'oldest' | number;
  readonly signal: AbortSignal | undefined;
  readonly batchEntriesMax: number;
  readonly throwsWhenLost: boolean;
  readonly whenWriterLost: WhenWriterLost;
  readonly whenReplaced: WhenReplaced;
}

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

class SnapshotBatch<T> implements Batch<T>, RunSource {
  #snapshot: Snapshot<T> | undefined;

  constructor(
    snapshot: Snapshot<T>,
    readonly firstIndex: number,
    readonly length: number,
    readonly lost: number,
  ) {
    this.#snapshot = snapshot;
  }

  chunks(): Chunk<T>[] {
    return this.#valid()[chunksBetween](this.firstIndex, this.firstIndex + this.length);
  }

  rows(): IterableIterator<Readonly<T>> {
    const end = this.firstIndex + this.length;
    return this.#valid()[rowsBetween](this, this.firstIndex, end, () => this.#valid());
  }

  [Symbol.iterator](): IterableIterator<T> {
    const end = this.firstIndex + this.length;
    return this.#valid()[entriesBetween](this, this.firstIndex, end, () => this.#valid());
  }

  /** None, which no run began with, once the batch is over. */
  get [currentSegments](): number {
    return this.#snapshot === undefined ? NO_VERSION : this.#snapshot[currentSegments];
  }

  invalidate(): void {
    this.#snapshot = undefined;
  }

  #valid(): Snapshot<T> {
    if (this.#snapshot !== undefined) return this.#snapshot;
    throw plainError(
      'ERR_BATCH_OVER',
      'a batch is valid until the next one is asked for; copy what must last longer',
    );
  }
}

/** Whether no one will append unless another writer comes, though there was one. */
export function isWriterLost(view: LogView): boolean {
  // First: the entries that are there had a writer, and it was there before the look at the claim. The end comes
  // last, because a writer ends the log before it gives up the claim.
  const bounds = view.bounds();
  const isEmpty = bounds[BoundsField.endIndex]! <= bounds[BoundsField.firstIndex]!;
  return !isEmpty && !view.native.isClaimed() && !view.native.hasEnded();
}

function writerLost(next: number): AtomicLogError {
  return plainError(
    'ERR_WRITER_LOST',
    `no one has the writer's claim, and the log has not ended: entry ${next} comes when another one has it; ` +
      "claim it, or follow with whenWriterLost: 'wait'",
  );
}

export function logReplaced(): AtomicLogError {
  return plainError(
    'ERR_FILE_REPLACED',
    'this log was unlinked, moved or replaced: its path leads to another file by now, or to none; close it, and open ' +
      'the path again',
  );
}

interface Dropped {
  readonly native: NativeLog;
  readonly id: number;
}

/** Takes followers that were dropped without having finished out of the statistics. */
const collectedFollowers = new FinalizationRegistry<Dropped>(({ native, id }) => native.unfollow(id));

let lastId = 0;

/** What a follower of a log delivers, batch by batch. It pins memory only between two calls of `next()`. */
export class BatchSource<T> implements FollowSource<Batch<T>> {
  readonly #log: AtomicLog<T>;
  readonly #view: LogView;
  readonly #batchEntriesMax: number;
  readonly #throwsWhenLost: boolean;
  readonly #whenWriterLost: WhenWriterLost;
  readonly #whenReplaced: WhenReplaced;
  readonly pending: Set<Pending>;
  /** Index of the next entry to deliver. */
  #next: number;
  readonly #id = (lastId = (lastId + 1) % 2 ** 32);
  #snapshot: Snapshot<T> | undefined;
  #batch: SnapshotBatch<T> | undefined;

  constructor(
    log: AtomicLog<T>,
    view: LogView,
    start: number,
    options: Pick<CheckedFollowOptions, 'batchEntriesMax' | 'throwsWhenLost'> &
      Partial<Pick<CheckedFollowOptions, 'whenWriterLost' | 'whenReplaced'>>,
    pending: Set<Pending>,
  ) {
    this.#log = log;
    this.#view = view;
    this.#next = start;
    this.#batchEntriesMax = options.batchEntriesMax;
    this.#throwsWhenLost = options.throwsWhenLost;
    this.#whenWriterLost = options.whenWriterLost ?? 'wait';
    const { whenReplaced = 'wait' } = options;
    this.#whenReplaced = view.native.isOfProcesses ? whenReplaced : 'wait';
    this.pending = pending;
    view.addUser(this);
    const { native } = view;
    native.follow(this.#id, start);
    collectedFollowers.register(this, { native, id: this.#id }, this);
  }

  /** Index of the next entry to deliver. */
  get next(): number {
    return this.#next;
  }

  /** Whether entries have left the window that were not delivered: take() would tell of them. */
  hasGap(): boolean {
    const snapshot = this.#snapshotWith(this.#next);
    return snapshot !== undefined && snapshot.firstIndex > this.#next;
  }

  isClosed(): boolean {
    return this.#log.isClosed;
  }

  take(): Batch<T> | typeof END | undefined {
    // Looked at first: what was appended before the end, or the loss, is then all there.
    const hasEnded = this.#view.native.hasEnded();
    const isLost = this.#whenWriterLost !== 'wait' && isWriterLost(this.#view);
    const batch = this.#nextBatch();
    if (batch !== undefined) return batch;
    if (hasEnded || (isLost && this.#whenWriterLost === 'end')) return END;
    if (isLost) throw writerLost(this.#next);
    if (this.#whenReplaced === 'wait' || !this.#view.native.isReplaced()) return undefined;
    if (this.#whenReplaced === 'end') return END;
    throw logReplaced();
  }

  wait(): Wait | undefined {
    const wait = this.#waitForMore();
    if (wait === undefined || this.#whenReplaced === 'wait') return wait;
    return waitForFirst(wait, waitForTime(REPLACED_LOOK_MS));
  }

  #waitForMore(): Wait | undefined {
    const { native } = this.#view;
    if (this.#whenWriterLost === 'wait') return waitForIndex(native, this.#next);
    // Before the first writer there is none to lose, and no need to look for one until there is an entry, whichever.
    if (!native.isClaimed() && !isWriterLost(this.#view)) {
      return waitForIndex(native, Math.min(this.#next, this.#view.bounds()[BoundsField.firstIndex]!));
    }
    return waitForIndexOrClaim(native, this.#next);
  }

  /** Memory that was refused may be there the next time. */
  canRetry(error: unknown): boolean {
    const { code } = error as Partial<AtomicLogError>;
    return code === 'ERR_OUT_OF_MEMORY' || code === 'ERR_MAPPING_UNAVAILABLE';
  }

  release(): void {
    this.#batch?.invalidate();
    this.#batch = undefined;
    if (this.#snapshot === undefined) return;
    if (this.#snapshot.endIndex <= this.#next) {
      this.#snapshot.close();
      this.#snapshot = undefined;
    } else {
      this.#snapshot[endViews]();
    }
  }

  end(): void {
    this.#snapshot?.close();
    collectedFollowers.unregister(this);
    this.#view.native.unfollow(this.#id);
    this.#view.dropUser(this);
  }

  #nextBatch(): Batch<T> | undefined {
    const snapshot = this.#snapshotWith(this.#next);
    if (snapshot === undefined) return undefined;
    const firstIndex = Math.max(this.#next, snapshot.firstIndex);
    const lost = firstIndex - this.#next;
    if (lost > 0 && this.#throwsWhenLost) {
      throw plainError(
        'ERR_ENTRIES_LOST',
        `entries [${this.#next}, ${firstIndex}) left the window before they were delivered; ` +
          'retain more entries, follow faster, or follow with onLost: "report"',
      );
    }
    const length = Math.min(this.#batchEntriesMax, snapshot.endIndex - firstIndex);
    // The log said that there is an entry, and what holds it says that there is none.
    if (length <= 0) throw logDamaged();
    snapshot[mapBetween](firstIndex, firstIndex + length);
    this.#next = firstIndex + length;
    this.#view.native.follow(this.#id, this.#next);
    this.#batch = new SnapshotBatch(snapshot, firstIndex, length, lost);
    return this.#batch;
  }

  /** A snapshot that holds entry `index` or later ones; undefined when there is none yet. */
  #snapshotWith(index: number): Snapshot<T> | undefined {
    if (this.#snapshot === undefined) {
      if (this.#view.bounds()[BoundsField.endIndex]! <= index) return undefined;
      this.#snapshot = this.#log.snapshot();
    }
    return this.#snapshot;
  }
}
