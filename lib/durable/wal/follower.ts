import { asyncDispose, type Followed } from '../../base/dispose';
import { checkNames } from '../../base/checks';
import { checkObject } from '../options';
import { checkSignal } from '../../base/abort';
import { now, setImmediate } from '../../base/timers';
import type { Wait } from '../../base/waits';
import type { WalEntry } from './entries';
import { cutOff, takenBack } from './errors';
import { checkFrom, pastOf, type Past, type WalPosition } from './position';

/** Where a follower of a write-ahead log begins, and when it ends. */
export interface WalFollowOptions {
  /**
   * Where to begin: `'oldest'` (default); `'latest'`, for what comes after this
   * call; an LSN, which may lie in the future, and all before it counts as
   * delivered; or the position of an entry, for what comes after that one.
   */
  from?: 'oldest' | 'latest' | number | WalPosition;
  /** Ends the iteration: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface FollowBounds {
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** Changes when a file is added. */
  readonly version: number;
  /** How often entries were taken back that were seen before they were proved to be on disk, and from where. */
  readonly takebacks?: number;
  readonly takenBackFrom?: number;
}

/** What a follower reads from. */
export interface FollowSource {
  /** What there is; undefined when it was closed. */
  bounds(): FollowBounds | undefined;
  /** NativeWalEntries.filesBehind */
  filesBehind(file: number, into: Float64Array): void;
  /** Throws when the entry is not there any more. */
  check(past: Past): void;
  read(from: number, to: number): WalEntry[];
  /** Until there may be more. */
  wait(): Wait;
}

const NO_BOUNDS: FollowBounds = { firstLsn: 1, lastLsn: 0, version: 0 };
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
/** How long a follower that always finds entries may keep the event loop from turning. */
const TURN_MS = 5;

/** What `follow()` returns. */
export class WalFollower implements Followed<WalEntry[]> {
  readonly #source: FollowSource;
  readonly #signal: AbortSignal | undefined;
  /** LSN of the next entry to deliver. */
  #next: number;
  /** Behind the last one that the consumer has, delivered here or known before; 0: none. */
  #delivered: number;
  /** The position to begin at, until it was looked for. */
  #from: Past | undefined;
  /** The last entry that was delivered. */
  #last: WalEntry | undefined;
  readonly #files = new Float64Array(3);
  /** What is known of the files: the version, and the newest one. */
  #version: number;
  #file: number;
  /** What the consumer knows ends before this LSN: what was delivered, or what lies before where it began. */
  #known: number;
  #takebacks: number;
  #wait: Wait | undefined;
  #isFinished = false;
  #turnedAt = now();
  /** Calls of next() are answered one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #onAbort = (): void => this.#wait?.cancel();

  constructor(source: FollowSource, options: unknown) {
    const checked = checkObject('options', options);
    checkNames('options', checked, ['from', 'signal']);
    const { from = 'oldest', signal } = checked;
    this.#source = source;
    this.#signal = checkSignal(signal);
    const isName = from === 'oldest' || from === 'latest';
    const given = isName ? 0 : checkFrom('options.from', from, 1, "'oldest', 'latest', ");
    this.#from = typeof given === 'object' ? given : undefined;
    const lsn = typeof given === 'object' ? given.lsn + 1 : given;
    const { firstLsn, lastLsn, version, takebacks = 0 } = source.bounds() ?? NO_BOUNDS;
    this.#next = isName ? (from === 'oldest' ? firstLsn : lastLsn + 1) : lsn;
    this.#known = from === 'oldest' ? 0 : Math.min(this.#next, lastLsn + 1);
    this.#takebacks = takebacks;
    this.#version = version;
    this.#delivered = from === 'oldest' ? 0 : this.#next;
    this.#file = this.#filesBehind(0).newest;
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WalEntry[]>> {
    const result = this.#turn.then(() => this.#step());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Ends the iteration, also while a `next()` is pending. */
  return(): Promise<IteratorResult<WalEntry[]>> {
    this.#finish();
    return Promise.resolve(DONE);
  }

  // An async function, so that any value can be what it rejects with.
  // eslint-disable-next-line @typescript-eslint/require-await
  async throw(error: unknown): Promise<IteratorResult<WalEntry[]>> {
    this.#finish();
    throw error;
  }

  async [asyncDispose](): Promise<void> {
    await this.return();
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#wait?.cancel();
  }

  async #step(): Promise<IteratorResult<WalEntry[]>> {
    try {
      return await this.#deliver();
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  async #deliver(): Promise<IteratorResult<WalEntry[]>> {
    if (now() - this.#turnedAt > TURN_MS) await this.#turnOver();
    for (;;) {
      if (this.#isFinished) return DONE;
      if (this.#signal?.aborted) throw this.#signal.reason;
      const bounds = this.#source.bounds();
      if (bounds === undefined) {
        this.#finish();
        return DONE;
      }
      if (this.#from !== undefined) this.#source.check(this.#from);
      this.#from = undefined;
      this.#checkTakebacks(bounds);
      if (bounds.version !== this.#version) this.#checkTruncation(bounds.version);
      if (this.#next <= bounds.lastLsn) {
        const entries = this.#source.read(this.#next, bounds.lastLsn);
        if (entries.length > 0) {
          this.#last = entries.at(-1)!;
          this.#next = this.#delivered = this.#known = this.#last.lsn + 1;
          return { done: false, value: entries };
        }
      }
      this.#wait = this.#source.wait();
      await this.#wait.done;
      this.#wait = undefined;
      this.#turnedAt = now();
    }
  }

  /** What was seen before it was proved to be on disk may be lost. */
  #checkTakebacks({ takebacks = 0, takenBackFrom = 0 }: FollowBounds): void {
    if (takebacks === this.#takebacks) return;
    this.#takebacks = takebacks;
    if (takenBackFrom < this.#known) throw takenBack(takenBackFrom);
  }

  #filesBehind(file: number): { base: number; newest: number; oldest: number } {
    this.#source.filesBehind(file, this.#files);
    return { base: this.#files[0]!, newest: this.#files[1]!, oldest: this.#files[2]! };
  }

  /** What was delivered may have been taken back: then a newer file begins below it. */
  #checkTruncation(version: number): void {
    const { base, newest, oldest } = this.#filesBehind(this.#file);
    if (base < this.#delivered) throw cutOff(base);
    // A checkpoint let go of files that were never seen, and of what they would say.
    if (this.#file < oldest && this.#last !== undefined) this.#source.check(pastOf(this.#last.position));
    this.#file = newest;
    this.#version = version;
  }

  /** Promises alone would starve timers, messages and I/O. */
  async #turnOver(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnedAt = now();
  }
}
