/**
 * What a follower of a journaled log delivers: first what is on disk, then what is in memory, and what is on disk again
 * when it was so slow that entries have left the window before it came to them. One index space, without gap or
 * repetition.
 */
import { BoundsField } from '../base/codes';
import type { Followed } from '../base/dispose';
import { checkFollowOptions, type AtomicLog } from '../memory/atomic-log';
import { BatchSource, type Batch, type CheckedFollowOptions, type FollowOptions } from '../memory/follower';
import type { LogView } from '../memory/view';
import { END, FollowLoop, type FollowSource, type Pending } from '../base/follow-loop';
import { waitForTime, type Wait } from '../base/waits';
import { codeOf, type AtomicLogError } from '../base/errors';
import { Replay, type Replayed } from './replay';

/** What is known of the entries on disk, where it is followed. */
export interface JournalSide {
  readonly pending: Set<Pending>;
  oldestIndex(): number;
  replayed(): Replayed;
  /** Why no entry comes any more after those that were taken: `next` is what would come. */
  failure(next: number): Error | undefined;
  /** What is to be replayed is not proved to be on disk. */
  starve(): void;
  /** Has `wait` end when the log fails. */
  endsWithFailure(wait: Wait): Wait;
}

/** `log.follow(options)` of a log that has a journal. */
export function followJournaled<T>(
  log: AtomicLog<T>,
  view: LogView,
  options: FollowOptions,
  journal: JournalSide,
): Followed<Batch<T>> {
  const { from, signal, ...checked } = checkFollowOptions(options);
  const { firstIndex, endIndex } = log;
  const next =
    from === 'latest' ? endIndex : from === 'oldest' ? Math.min(journal.oldestIndex(), firstIndex) : from;
  return new FollowLoop(new Handover<T>(log, view, journal, next, checked), signal);
}

/** How often what is not on disk yet is looked for. */
const STARVED_MS = 20;

class Handover<T> implements FollowSource<Batch<T>> {
  readonly #log: AtomicLog<T>;
  readonly #view: LogView;
  readonly #journal: JournalSide;
  readonly #options: Pick<CheckedFollowOptions, 'batchEntriesMax' | 'throwsWhenLost'>;
  readonly pending: Set<Pending>;
  #live: BatchSource<T> | undefined;
  #replay: Replay<T> | undefined;

  constructor(
    log: AtomicLog<T>,
    view: LogView,
    journal: JournalSide,
    next: number,
    options: Pick<CheckedFollowOptions, 'batchEntriesMax' | 'throwsWhenLost'>,
  ) {
    this.#log = log;
    this.#view = view;
    this.#journal = journal;
    this.#options = options;
    this.pending = journal.pending;
    if (next < this.#windowFirst()) this.#replay = this.#replayFrom(next);
    else this.#live = this.#liveFrom(next);
  }

  isClosed(): boolean {
    return this.#log.isClosed;
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
        this.#replay = this.#replayFrom(live.next);
        live.end();
        this.#live = undefined;
        continue;
      }
      const batch = live.take();
      return batch ?? this.#nothing(live.next);
    }
  }

  wait(): Wait | undefined {
    if (this.#live === undefined) {
      this.#journal.starve();
      return this.#journal.endsWithFailure(waitForTime(STARVED_MS));
    }
    const wait = this.#live.wait();
    return wait && this.#journal.endsWithFailure(wait);
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
    const first = this.#windowFirst();
    const batch = this.#takeFrom(replay, first);
    if (batch !== undefined) return batch;
    if (replay.next < first) return this.#nothing(replay.next);
    this.#live = this.#liveFrom(replay.next);
    replay.end();
    this.#replay = undefined;
    return undefined;
  }

  /** While its owner closes the log, nothing more can be read from it, and the end of the iteration is near. */
  #takeFrom(replay: Replay<T>, end: number): Batch<T> | undefined {
    try {
      return replay.take(end);
    } catch (error) {
      if (codeOf(error) !== 'ERR_LOG_CLOSED') throw error;
      return undefined;
    }
  }

  #nothing(next: number): undefined {
    const failure = this.#journal.failure(next);
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /** Index of the first entry in the window. */
  #windowFirst(): number {
    return this.#view.bounds()[BoundsField.firstIndex]!;
  }

  #replayFrom(next: number): Replay<T> {
    return new Replay<T>(this.#journal.replayed(), next, this.#options);
  }

  #liveFrom(next: number): BatchSource<T> {
    return new BatchSource<T>(this.#log, this.#view, next, this.#options, this.pending);
  }
}
