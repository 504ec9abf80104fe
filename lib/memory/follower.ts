import { onAbort } from '../base/abort';
import type { AtomicLog } from './typed-log';
import type { Chunk } from './chunk';
import { asyncDispose, type Followed } from '../base/dispose';
import { plainError } from '../base/errors';
import type { LogView } from './view';
import type { NativeLog } from './native-log';
import { chunksBetween, endViews, entriesBetween, type Snapshot } from './snapshot';
import { now, setImmediate } from '../base/timers';
import { waitForIndex, type Wait } from '../base/waits';

/** Where a follower begins, and what it does when it falls behind. */
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
}

export interface CheckedFollowOptions {
  readonly from: 'latest' | 'oldest' | number;
  readonly signal: AbortSignal | undefined;
  readonly batchEntriesMax: number | undefined;
  readonly throwsWhenLost: boolean;
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

  *[Symbol.iterator](): IterableIterator<T> {
    for (const value of this.#valid()[entriesBetween](this.firstIndex, this.firstIndex + this.length)) {
      this.#valid();
      yield value;
    }
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

/** How long a follower that always finds entries may keep the event loop from turning. */
const TURN_MS = 5;

/** What `close()` of a log has to end: followers and claims that are being waited for. */
export interface Pending {
  finish(): void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

interface Dropped {
  readonly native: NativeLog;
  readonly id: number;
  readonly stopListening: (() => void) | undefined;
}

/** Takes followers that were dropped without having finished out of the statistics, and from their signals. */
const collectedFollowers = new FinalizationRegistry<Dropped>(({ native, id, stopListening }) => {
  native.unfollow(id);
  stopListening?.();
});

let lastId = 0;

/** What `log.follow()` returns. It pins memory only between two calls of `next()`. */
export class Follower<T> implements Followed<Batch<T>> {
  readonly #log: AtomicLog<T>;
  readonly #view: LogView;
  readonly #signal: AbortSignal | undefined;
  readonly #batchEntriesMax: number;
  readonly #throwsWhenLost: boolean;
  /** Of the log; this follower is in it while a step is under way, so that a dropped one can be collected. */
  readonly #pending: Set<Pending>;
  /** Index of the next entry to deliver. */
  #next: number;
  readonly #id = (lastId = (lastId + 1) % 2 ** 32);
  #snapshot: Snapshot<T> | undefined;
  #batch: SnapshotBatch<T> | undefined;
  #wait: Wait | undefined;
  readonly #stopListening: (() => void) | undefined;
  #isFinished = false;
  /** When the event loop had its turn last, as now() says it. */
  #turnedAt = now();
  /** Calls of next() are answered one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    log: AtomicLog<T>,
    view: LogView,
    start: number,
    options: Omit<CheckedFollowOptions, 'from'>,
    pending: Set<Pending>,
  ) {
    this.#log = log;
    this.#view = view;
    this.#next = start;
    this.#signal = options.signal;
    this.#batchEntriesMax = options.batchEntriesMax ?? Infinity;
    this.#throwsWhenLost = options.throwsWhenLost;
    this.#pending = pending;
    view.addUser(this);
    const { native } = view;
    native.follow(this.#id, start);
    this.#stopListening = options.signal && Follower.#endWith(options.signal, new WeakRef(this));
    collectedFollowers.register(this, { native, id: this.#id, stopListening: this.#stopListening }, this);
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

  async [asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Idempotent. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#stopListening?.();
    this.#releaseBatch();
    this.#snapshot?.close();
    this.#wait?.cancel();
    collectedFollowers.unregister(this);
    this.#view.native.unfollow(this.#id);
    this.#view.dropUser(this);
  }

  /** Weak, because a signal may live much longer than a follower that was dropped. */
  static #endWith<T>(signal: AbortSignal, follower: WeakRef<Follower<T>>): () => void {
    return onAbort(signal, () => {
      const found = follower.deref();
      if (found !== undefined) found.#onAbort();
    });
  }

  /** Only the waiting ends: whoever has the last batch may be reading it. */
  #onAbort(): void {
    this.#wait?.cancel();
  }

  async #step(): Promise<IteratorResult<Batch<T>>> {
    this.#pending.add(this);
    try {
      return await this.#deliver();
    } finally {
      this.#pending.delete(this);
    }
  }

  async #deliver(): Promise<IteratorResult<Batch<T>>> {
    this.#releaseBatch();
    if (now() - this.#turnedAt > TURN_MS) await this.#turnOver();
    for (;;) {
      if (this.#log.isClosed) this.finish();
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
      this.#turnedAt = now();
    }
  }

  /** Promises alone would starve timers, messages and I/O. */
  async #turnOver(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnedAt = now();
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
    const length = Math.min(this.#batchEntriesMax, snapshot.endIndex - firstIndex);
    this.#next = firstIndex + length;
    this.#view.native.follow(this.#id, this.#next);
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
    if (this.#snapshot === undefined) return;
    if (this.#snapshot.endIndex <= this.#next) {
      this.#snapshot.close();
      this.#snapshot = undefined;
    } else {
      this.#snapshot[endViews]();
    }
  }
}
