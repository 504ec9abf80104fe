/**
 * Carries a log onward, to a target that says what it has.
 *
 * 1. Entries are sent in order, each once in a run of the pipeline; a run begins
 *    after the last entry that the target says it has, and that was compared with the log.
 * 2. The first failure ends the run: nothing more is sent, what is under way is
 *    waited for, and only then is the target asked again.
 * 3. What the target says is believed, also when it is less than it had
 *    acknowledged; what does not fit the log is an error, and nothing is sent.
 * 4. The cursor follows the acknowledged prefix, later by `safeAfterMs`; and goes back with
 *    the target, before anything is sent, so that no checkpoint drops what is to be sent again.
 * 5. What the log does not have any more is compared with what the target has: only that
 *    tells whether anything is lost.
 */
import { onAbort, throwIfAborted, waitUnlessAborted } from '../base/abort';
import type { Followed } from '../base/dispose';
import { codeOf } from '../base/errors';
import { waitForCancel, waitForTime, type Wait } from '../base/waits';
import type { WalEntry } from '../durable/wal/entries';
import type { WalPosition } from '../durable/wal/position';
import type { WalReader } from '../durable/wal/reader';
import type { Wal } from '../durable/wal/wal';
import { Committer, mayCommitLater } from './committer';
import { checkHeld, compare, lastLsnOf } from './compare';
import { Groups } from './groups';
import {
  checkForward,
  checkSource,
  type CheckedForward,
  type ForwardOptions,
  type ForwardProgress,
} from './options';
import { isFatal, targetBehind } from './target';

/** A group that was sent. */
interface Flight {
  readonly last: WalEntry;
  isAcknowledged: boolean;
}

const isClosedError = (error: unknown): boolean => /^ERR_\w+_CLOSED$/.test(String(codeOf(error)));

/** What the log, or a cursor, says of entries that are not there any more: the target decides whether it matters. */
const NOT_THERE = /^ERR_(TRUNCATED|CHECKPOINTED)$/;

/** Number of the file that a log is created with. */
const FIRST_FILE = 1;

class Forwarder {
  readonly #source: Wal | WalReader;
  readonly #options: CheckedForward;
  readonly #committer: Committer;
  /** Of the run, in order; the first one is not acknowledged. */
  #flights: Flight[] = [];
  #underWay = 0;
  #follower: Followed<WalEntry[]> | undefined;
  #room: Wait | undefined;
  /** What ended the run. */
  #failure: { readonly error: unknown } | undefined;
  /** What ends all of it. */
  #fatal: { readonly error: unknown } | undefined;
  #attempt = 0;
  #sent = 0;
  #acknowledged = 0;
  /** LSN with which a target began that had nothing. */
  #begunAt: number | undefined;

  constructor(source: Wal | WalReader, options: CheckedForward) {
    this.#source = source;
    this.#options = options;
    const { cursor, safeAfterMs, target } = options;
    const committed = async (lsn: number): Promise<void> => {
      this.#progress();
      try {
        if (target.committed !== undefined) await this.#unlessAborted(async () => target.committed!(lsn));
      } catch (error) {
        this.#fail(error);
      }
    };
    this.#committer = new Committer(cursor, safeAfterMs, committed, (error) => this.#commitFailed(error));
  }

  async run(): Promise<ForwardProgress> {
    try {
      await this.#runs();
    } catch (error) {
      // What is safe is worth a commit; the error is worth more than its failure.
      await this.#committer.finish().catch(() => undefined);
      throw error;
    }
    await this.#committer.finish().catch((error: unknown) => {
      // A log that was closed has closed its cursors.
      if (!isClosedError(error)) throw error;
    });
    return this.#state();
  }

  /** One run after the other, until the source is closed. */
  async #runs(): Promise<void> {
    const { signal } = this.#options;
    for (;;) {
      throwIfAborted(signal);
      this.#failure = undefined;
      try {
        await this.#run(await this.#resume());
        return;
      } catch (error) {
        throwIfAborted(signal);
        const isClosed = this.#isClosed();
        // A log that is closed closes its cursors first.
        if (isClosed && isClosedError(this.#fatal?.error)) return;
        this.#throwFatal();
        if (isClosed) return;
        if (!this.#canRetry(error)) throw error;
        await this.#pause(error);
        this.#throwFatal();
      }
    }
  }

  #throwFatal(): void {
    if (this.#fatal !== undefined) throw this.#fatal.error;
  }

  /** Failures of the target are tried again; those of the log are not, unless the target may do without what is not there. */
  #canRetry(error: unknown): boolean {
    return !isFatal(error) && (this.#failure?.error === error || NOT_THERE.test(String(codeOf(error))));
  }

  /** Then nothing more can be read, nor sent again. */
  #isClosed(): boolean {
    try {
      this.#source.entries();
      return false;
    } catch (error) {
      return isClosedError(error);
    }
  }

  async #pause(error: unknown): Promise<void> {
    const { retryMs, retryMsMax, signal, onRetry } = this.#options;
    const attempt = ++this.#attempt;
    const longestMs = Math.min(retryMs * 2 ** Math.min(attempt - 1, 30), retryMsMax);
    const delayMs = longestMs * (0.5 + Math.random() / 2);
    this.#room = waitForTime(delayMs);
    this.#tell(() => onRetry?.(error, { attempt, delayMs }));
    await waitUnlessAborted(this.#room, signal);
    this.#room = undefined;
  }

  /** What a call of the target ends with; an abort does not wait for it. */
  async #unlessAborted<T>(call: () => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    let stop: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      if (signal === undefined) return;
      const end = (): void => reject(signal.reason as Error);
      if (signal.aborted) end();
      else stop = onAbort(signal, end);
    });
    try {
      return await Promise.race([call(), aborted]);
    } finally {
      stop?.();
    }
  }

  /** As that; what the target does not answer is a failure of the run. */
  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.#unlessAborted(call);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** Where to begin, by what the target has and the log says of it. */
  async #resume(): Promise<number | WalPosition> {
    const { target, signal } = this.#options;
    await this.#committer.hold();
    const held = checkHeld(await this.#ask(async () => target.position({ signal })));
    if ('refresh' in this.#source) this.#source.refresh();
    const begin = held === undefined || held.lsn === 0 ? await this.#begin() : compare(this.#source, held);
    const lsn = held?.lsn ?? 0;
    const isNews = lsn !== this.#acknowledged;
    this.#sent = this.#acknowledged = lsn;
    this.#committer.lostAfter(lsn);
    if (lsn < this.#committer.lsn) await this.#goBack(lsn);
    else if (lsn > this.#committer.lsn && typeof begin === 'string') this.#committer.acknowledged(lsn, begin);
    this.#committer.release();
    if (isNews) this.#progress();
    return begin;
  }

  /** What the target lost must not be checkpointed before it is there again. */
  async #goBack(lsn: number): Promise<void> {
    // Where its own entry is gone, the oldest one: a checkpoint keeps what a cursor stands on.
    const entry = this.#source.get(Math.max(lsn, this.#source.firstLsn));
    if (entry === undefined) return;
    try {
      await this.#committer.goBack(lsn, entry.position);
    } catch (error) {
      if (mayCommitLater(error)) this.#failure = { error };
      throw error;
    }
  }

  /** The target has nothing. */
  async #begin(): Promise<number> {
    const { target, signal } = this.#options;
    const { firstLsn } = this.#source;
    // What it once had, or was told to have by the cursor, cannot be sent again; unless it was all sent from here.
    const hadEntries = Math.max(this.#acknowledged, this.#committer.lsn) > 0;
    const begunAt = this.#begunAt ?? this.#createdAt();
    if (hadEntries && firstLsn > (begunAt ?? 1)) throw targetBehind(0, firstLsn, begunAt);
    // Nor what a cursor was to begin with.
    const nextLsn = this.#options.cursor?.nextLsn ?? firstLsn;
    if (!hadEntries && nextLsn < firstLsn) throw targetBehind(0, firstLsn, nextLsn);
    if (target.begin !== undefined) await this.#ask(async () => target.begin!(firstLsn, { signal }));
    this.#begunAt = firstLsn;
    return firstLsn;
  }

  /** LSN of the first entry that the log ever had, while its first file is there. */
  #createdAt(): number | undefined {
    const oldest = this.#source.files[0];
    return oldest?.number === FIRST_FILE ? oldest.firstLsn : undefined;
  }

  /** Sends from there on; ends with the source, or throws. */
  async #run(from: number | WalPosition): Promise<void> {
    const { signal, batchEntries, batchBytes } = this.#options;
    const groups = new Groups(batchEntries, batchBytes);
    this.#flights = [];
    this.#underWay = 0;
    const follower = this.#source.follow({ from, ...(signal === undefined ? {} : { signal }) });
    this.#follower = follower;
    // A commit may have failed meanwhile.
    if (this.#failure !== undefined) void follower.return?.();
    try {
      for await (const entries of follower) {
        for (const group of groups.add(entries, lastLsnOf(this.#source)))
          if (!(await this.#send(group))) break;
      }
    } finally {
      this.#follower = undefined;
      // An abort does not wait for what may never come.
      while (this.#underWay > 0 && signal?.aborted !== true) await this.#waitForFlight();
      // What comes after an abort is for no one.
      this.#flights = [];
    }
    throwIfAborted(signal);
    this.#throwFatal();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Sends a group when there is room for it; false when the run has ended before. */
  async #send(group: readonly WalEntry[]): Promise<boolean> {
    const { inFlight, signal } = this.#options;
    while (this.#underWay >= inFlight && this.#failure === undefined) {
      await this.#waitForFlight();
      throwIfAborted(signal);
    }
    if (this.#failure !== undefined) return false;
    const last = group.at(-1)!;
    const flight = { last, isAcknowledged: false };
    const flights = this.#flights;
    flights.push(flight);
    this.#underWay++;
    this.#sent = last.lsn;
    void this.#carry(group, flights, flight);
    return true;
  }

  /** Never rejects. */
  async #carry(group: readonly WalEntry[], flights: Flight[], flight: Flight): Promise<void> {
    try {
      await this.#options.target.send(group, { signal: this.#options.signal });
      flight.isAcknowledged = true;
      // Not of a run that an abort has ended.
      if (flights === this.#flights) this.#advance();
    } catch (error) {
      if (isFatal(error)) this.#fatal ??= { error };
      this.#fail(error);
    } finally {
      this.#underWay--;
      this.#room?.cancel();
    }
  }

  /** Acknowledges what is acknowledged without a gap before it. */
  #advance(): void {
    const flights = this.#flights;
    let count = 0;
    while (flights[count]?.isAcknowledged === true) ++count;
    if (count === 0) return;
    const { last } = flights[count - 1]!;
    flights.splice(0, count);
    this.#attempt = 0;
    this.#acknowledged = last.lsn;
    this.#committer.acknowledged(last.lsn, last.position);
    this.#progress();
  }

  async #waitForFlight(): Promise<void> {
    this.#room = waitForCancel(() => undefined);
    await waitUnlessAborted(this.#room, this.#options.signal);
    this.#room = undefined;
  }

  /** Ends the run. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    void this.#follower?.return?.();
    this.#room?.cancel();
  }

  #commitFailed(error: unknown): void {
    // Of an entry that was taken back: the target decides, as where reading finds it out.
    if (NOT_THERE.test(String(codeOf(error)))) this.#fail(error);
    else this.#stop(error);
  }

  /** Ends all of it. */
  #stop(error: unknown): void {
    this.#fatal ??= { error };
    this.#fail(error);
  }

  #state(): ForwardProgress {
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      committed: this.#committer.lsn,
      lag: Math.max(lastLsnOf(this.#source) - this.#acknowledged, 0),
    };
  }

  #progress(): void {
    const { onProgress } = this.#options;
    if (onProgress !== undefined) this.#tell(() => onProgress(this.#state()));
  }

  /** Calls back; what that throws, or rejects with, ends all of it. */
  #tell(call: () => unknown): void {
    try {
      const told = call();
      if (told instanceof Promise) told.catch((error: unknown) => this.#stop(error));
    } catch (error) {
      this.#stop(error);
    }
  }
}

/**
 * Carries the entries of a log to a target, in order and without a gap, for as long
 * as the log is open: those that are there, then those that become durable. It
 * begins after the last entry that the target has, once that was compared with the
 * log's. After a failure it waits, asks the target again and goes on from there, so that no
 * entry is missing; whether one can be stored twice is up to the target.
 *
 * Resolves when the source is closed and what was sent is acknowledged.
 *
 * ```ts
 * await forward(wal, { target, cursor, signal, onProgress: ({ lag }) => gauge.set(lag) });
 * ```
 *
 * @throws (rejects) `ERR_TARGET_AHEAD`, `ERR_TARGET_BEHIND` (`lost` says which entries it cannot get any
 * more), `ERR_TARGET_DIFFERS` when what the target has does not fit the log; `ERR_TARGET_REFUSED`
 * when it cannot take it; the signal's reason; what `wal.follow()`, `onProgress` and `onRetry` throw or reject with;
 * what `cursor.commit()` throws, `ERR_CURSOR_CLOSED` for example, unless it can be tried again;
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export async function forward(source: Wal | WalReader, options: ForwardOptions): Promise<ForwardProgress> {
  return new Forwarder(checkSource(source), checkForward(options)).run();
}
