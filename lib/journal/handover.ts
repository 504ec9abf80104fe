/**
 * What a follower of a journaled log delivers: first what is on disk, then what is in memory, and what is on disk again
 * when it was so slow that entries have left the window before it came to them. One index space, without gap or
 * repetition.
 */
import type { Batch, BatchSource } from '../memory/follower';
import { END, type FollowSource, type Pending } from '../base/follow-loop';
import { waitForTime, type Wait } from '../base/waits';
import type { AtomicLogError } from '../base/errors';
import type { Replay } from './replay';

/** What it follows. */
export interface HandoverLog<T> {
  readonly pending: Set<Pending>;
  isClosed(): boolean;
  /** Index of the first entry in the window. */
  windowFirst(): number;
  replay(next: number): Replay<T>;
  live(next: number): BatchSource<T>;
  /** Why no entry comes any more. */
  failure(): Error | undefined;
  /** What is to be replayed is not proved to be on disk. */
  starve(): void;
  /** Has `wait` end when the log fails. */
  endsWithFailure(wait: Wait): Wait;
}

/** How often what is not on disk yet is looked for. */
const STARVED_MS = 20;

export class Handover<T> implements FollowSource<Batch<T>> {
  readonly #log: HandoverLog<T>;
  readonly pending: Set<Pending>;
  #live: BatchSource<T> | undefined;
  #replay: Replay<T> | undefined;

  constructor(log: HandoverLog<T>, next: number) {
    this.#log = log;
    this.pending = log.pending;
    if (next < log.windowFirst()) this.#replay = log.replay(next);
    else this.#live = log.live(next);
  }

  isClosed(): boolean {
    return this.#log.isClosed();
  }

  take(): Batch<T> | typeof END | undefined {
    for (;;) {
      const live = this.#live;
      if (live === undefined) {
        const batch = this.#replayed();
        if (batch !== undefined || this.#live === undefined) return batch;
        continue;
      }
      if (live.hasGap()) {
        this.#replay = this.#log.replay(live.next);
        live.end();
        this.#live = undefined;
        continue;
      }
      const batch = live.take();
      return batch ?? this.#nothing();
    }
  }

  wait(): Wait | undefined {
    if (this.#live === undefined) {
      this.#log.starve();
      return this.#log.endsWithFailure(waitForTime(STARVED_MS));
    }
    const wait = this.#live.wait();
    return wait && this.#log.endsWithFailure(wait);
  }

  /** Memory that was refused may be there the next time. */
  canRetry(error: unknown): boolean {
    const { code } = error as Partial<AtomicLogError>;
    return code === 'ERR_OUT_OF_MEMORY' || code === 'ERR_MAPPING_UNAVAILABLE';
  }

  release(): void {
    this.#live?.release();
    this.#replay?.release();
  }

  end(): void {
    this.#live?.end();
    this.#replay?.end();
    this.#live = this.#replay = undefined;
  }

  /** A batch from the disk; undefined when the next entry is in memory, where it goes on then, or nowhere yet. */
  #replayed(): Batch<T> | undefined {
    const replay = this.#replay!;
    const first = this.#log.windowFirst();
    const batch = replay.take(first);
    if (batch !== undefined) return batch;
    if (replay.next < first) return this.#nothing();
    this.#live = this.#log.live(replay.next);
    replay.end();
    this.#replay = undefined;
    return undefined;
  }

  #nothing(): undefined {
    const failure = this.#log.failure();
    if (failure !== undefined) throw failure;
    return undefined;
  }
}
