/**
 * What every follower does alike, whatever it follows.
 *
 * 1. Calls of next() take turns: they are served one after the other, in order.
 * 2. What a turn has delivered is released when the next turn begins, or at the end.
 * 3. An abort ends only waiting: the turn that waits, or else the next one,
 *    rejects with the signal's reason. Nothing is delivered after it.
 * 4. return(), throw(), asyncDispose and the close of what is followed end the
 *    iteration at once: the turn that waits is done, and so are all later ones.
 * 5. What the source throws ends the iteration too, unless the source says that the
 *    next turn may succeed.
 * 6. Only while a turn is under way do the owner and the signal know the
 *    follower: one that was dropped between two turns can be collected.
 * 7. A source that always has something does not keep the event loop from turning.
 */
import { throwIfAborted, waitUnlessAborted } from './abort';
import { asyncDispose, type Followed } from './dispose';
import { now, setImmediate } from './timers';
import type { Wait } from './waits';

/** What close() of an object has to end: followers and claims that are being waited for. */
export interface Pending {
  finish(): void;
}

/** For close(), whose object must count as closed already. */
export function finishAll(pending: ReadonlySet<Pending>): void {
  for (const each of [...pending]) each.finish();
}

/** What a source returns when nothing more will come. */
export const END = Symbol('end');

/** What is particular to one kind of follower. */
export interface FollowSource<T extends object> {
  /** Of the object that is followed; its close() finishes them. */
  readonly pending: Set<Pending>;
  /** Whether that object was closed. */
  isClosed(): boolean;
  /** What there is to deliver; undefined when there is nothing yet. */
  take(): T | typeof END | undefined;
  /** Until there may be more; undefined when there is already. */
  wait(): Wait | undefined;
  /** Whether take() may succeed in the next turn after it threw this. Default: no. */
  canRetry?(error: unknown): boolean;
  /** What was delivered last is not needed any more. */
  release?(): void;
  /** The iteration has ended; called once. */
  end?(): void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
/** How long a follower that always finds something may keep the event loop from turning. */
const TURN_MS = 5;

/** What `follow()` returns. */
export class FollowLoop<T extends object> implements Followed<T>, Pending {
  readonly #source: FollowSource<T>;
  readonly #signal: AbortSignal | undefined;
  #wait: Wait | undefined;
  #isFinished = false;
  /** When the event loop had its turn last, as now() says it. */
  #turnedAt = now();
  /** The last call of next(), which the following one waits for. */
  #lastTurn: Promise<unknown> = Promise.resolve();
  readonly #takeTurn = (): Promise<IteratorResult<T>> => this.#turn();

  constructor(source: FollowSource<T>, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    const result = this.#lastTurn.then(this.#takeTurn);
    this.#lastTurn = result.catch(() => undefined);
    return result;
  }

  /** Ends the iteration and releases what was delivered, also while a `next()` is pending. */
  return(): Promise<IteratorResult<T>> {
    this.finish();
    return Promise.resolve(DONE);
  }

  // An async function, so that any value can be what it rejects with.
  // eslint-disable-next-line @typescript-eslint/require-await
  async throw(error: unknown): Promise<IteratorResult<T>> {
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
    this.#source.release?.();
    this.#wait?.cancel();
    this.#source.end?.();
  }

  async #turn(): Promise<IteratorResult<T>> {
    const source = this.#source;
    source.pending.add(this);
    try {
      source.release?.();
      for (;;) {
        // Also where nothing comes of what the source says is there.
        if (now() - this.#turnedAt > TURN_MS) await this.#turnOver();
        if (source.isClosed()) this.finish();
        if (this.#isFinished) return DONE;
        throwIfAborted(this.#signal);
        const value = source.take();
        if (value === END) {
          this.finish();
          return DONE;
        }
        if (value !== undefined) return { done: false, value };
        await this.#waitForMore();
      }
    } catch (error) {
      if (this.#signal?.aborted === true || source.canRetry?.(error) !== true) this.finish();
      throw error;
    } finally {
      source.pending.delete(this);
    }
  }

  async #waitForMore(): Promise<void> {
    this.#wait = this.#source.wait();
    if (this.#wait === undefined) return;
    await waitUnlessAborted(this.#wait, this.#signal);
    this.#wait = undefined;
    this.#turnedAt = now();
  }

  /** Promises alone would starve timers, messages and I/O. */
  async #turnOver(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnedAt = now();
  }
}
