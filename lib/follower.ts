import type { AtomicLog } from './atomic-log';
import type { Chunk } from './chunk';
import { plainError } from './errors';
import type { LogView } from './log-view';
import { chunksBetween, entriesBetween, type Snapshot } from './snapshot';
import { waitForIndex, type Wait } from './waits';

/** Where a follower begins, and what it does when it falls behind. */
export interface FollowOptions {
  /**
   * The first entry: `'latest'` for what comes after this call (default),
   * `'oldest'` for what the window holds, or an absolute index, which may lie in
   * the future.
   */
  from?: 'latest' | 'oldest' | number;
  /** Ends the iteration: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Entries in a batch, at most. Default: all that there is. */
  maxBatch?: number;
  /**
   * When entries left the window before they were delivered: `'report'` them in
   * the batch (default), or `'throw'` `ERR_ENTRIES_LOST`.
   */
  onLost?: 'report' | 'throw';
}

export interface CheckedFollowOptions {
  readonly from: 'latest' | 'oldest' | number;
  readonly signal: AbortSignal | undefined;
  readonly maxBatch: number | undefined;
  readonly throwsWhenLost: boolean;
}

/** Consecutive entries that a follower delivers. Valid until the next `next()`. */
export interface Batch<T> extends Iterable<T> {
  /** Absolute index of the first entry. */
  readonly firstIndex: number;
  /** Entries; at least one. */
  readonly length: number;
  /** Entries before this batch that left the window before they were delivered. */
  readonly lost: number;
  /** The entries segment by segment, over the log's own memory. */
  chunks(): Chunk<T>[];
}

class SnapshotBatch<T> implements Batch<T> {
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

  [Symbol.iterator](): IterableIterator<T> {
    return this.#valid()[entriesBetween](this.firstIndex, this.firstIndex + this.length);
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

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** What `log.follow()` returns. It pins memory only between two calls of `next()`. */
export class Follower<T> implements AsyncIterableIterator<Batch<T>> {
  readonly #log: AtomicLog<T>;
  readonly #view: LogView;
  readonly #signal: AbortSignal | undefined;
  readonly #maxBatch: number;
  readonly #throwsWhenLost: boolean;
  readonly #onFinish: (follower: Follower<T>) => void;
  /** Index of the next entry to deliver. */
  #next: number;
  #snapshot: Snapshot<T> | undefined;
  #batch: SnapshotBatch<T> | undefined;
  #wait: Wait | undefined;
  #isFinished = false;
  /** Calls of next() are answered one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    log: AtomicLog<T>,
    view: LogView,
    start: number,
    options: Omit<CheckedFollowOptions, 'from'>,
    onFinish: (follower: Follower<T>) => void,
  ) {
    this.#log = log;
    this.#view = view;
    this.#next = start;
    this.#signal = options.signal;
    this.#maxBatch = options.maxBatch ?? Infinity;
    this.#throwsWhenLost = options.throwsWhenLost;
    this.#onFinish = onFinish;
    view.addUser();
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Batch<T>>> {
    const result = this.#turn.then(() => this.#step());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Ends the iteration and gives back what it pinned, also while a `next()` is pending. */
  return(): Promise<IteratorResult<Batch<T>>> {
    this.finish();
    return Promise.resolve(DONE);
  }

  // An async function, so that any value can be what it rejects with.
  // eslint-disable-next-line @typescript-eslint/require-await
  async throw(error: unknown): Promise<IteratorResult<Batch<T>>> {
    this.finish();
    throw error;
  }

  /** Idempotent. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#releaseBatch();
    this.#snapshot?.close();
    this.#wait?.cancel();
    this.#view.dropUser();
    this.#onFinish(this);
  }

  readonly #onAbort = (): void => this.#wait?.cancel();

  async #step(): Promise<IteratorResult<Batch<T>>> {
    this.#releaseBatch();
    for (;;) {
      if (this.#isFinished) return DONE;
      if (this.#signal?.aborted) {
        this.finish();
        throw this.#signal.reason;
      }
      // Looked at first: what was appended before the end is then all there.
      const hasEnded = this.#view.native.hasEnded();
      const batch = this.#nextBatch();
      if (batch !== undefined) return { done: false, value: batch };
      if (hasEnded) {
        this.finish();
        return DONE;
      }
      this.#wait = waitForIndex(this.#view.native, this.#next);
      await this.#wait?.done;
      this.#wait = undefined;
    }
  }

  #nextBatch(): Batch<T> | undefined {
    const snapshot = this.#snapshotWith(this.#next);
    if (snapshot === undefined) return undefined;
    const firstIndex = Math.max(this.#next, snapshot.firstIndex);
    const lost = firstIndex - this.#next;
    if (lost > 0 && this.#throwsWhenLost) {
      const from = this.#next;
      this.finish();
      throw plainError(
        'ERR_ENTRIES_LOST',
        `entries [${from}, ${firstIndex}) left the window before they were delivered; ` +
          'retain more entries, follow faster, or follow with onLost: "report"',
      );
    }
    const length = Math.min(this.#maxBatch, snapshot.endIndex - firstIndex);
    this.#next = firstIndex + length;
    this.#batch = new SnapshotBatch(snapshot, firstIndex, length, lost);
    return this.#batch;
  }

  /** A snapshot that holds entry `index` or later ones; undefined when there is none yet. */
  #snapshotWith(index: number): Snapshot<T> | undefined {
    if (this.#snapshot === undefined) {
      if (this.#view.bounds()[1]! <= index) return undefined;
      this.#snapshot = this.#log.snapshot();
    }
    return this.#snapshot;
  }

  #releaseBatch(): void {
    this.#batch?.invalidate();
    this.#batch = undefined;
    if (this.#snapshot !== undefined && this.#snapshot.endIndex <= this.#next) {
      this.#snapshot.close();
      this.#snapshot = undefined;
    }
  }
}
