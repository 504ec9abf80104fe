/**
 * What waits for the committer, and the promises of those who wait for it.
 *
 * 1. The committer gets everything in the order of the calls, and completes it
 *    in that order. The promises of append(), appendBatch() and sync() are settled
 *    in that order too: those of appends resolve with ascending LSNs. Those of
 *    checkpoint() and truncateAfter() may settle some microtasks later.
 * 2. Appends of one turn of the microtasks are handed over together.
 */
import { COMPLETION_FIELDS, CompletionField, Outcome, WalLevel } from '../../base/codes';
import type { NativeFailure, NativeWal } from '../../../types/native';
import { NO_BYTES } from '../../base/checks';
import { queueMicrotask } from '../../base/timers';
import { walError } from './errors';

/** Small entries are copied to here, so that many go to the committer in one call. */
const STAGING_BYTES = 1 << 16;
const STAGING_ENTRIES = 1024;

interface Waiter {
  resolve(lsn: number): void;
  reject(error: Error): void;
}

/** One submission: as many waiters as entries, or one for all of them. */
interface Group {
  readonly waiters: readonly Waiter[];
  readonly isWhole: boolean;
}

export class WalQueue {
  readonly #native: NativeWal;
  readonly #bytesInFlightMax: number;
  /** Handed to the committer, in order. */
  readonly #groups: Group[] = [];
  #firstGroup = 0;

  readonly #bytes = new Uint8Array(STAGING_BYTES);
  readonly #lengths = new Uint32Array(STAGING_ENTRIES);
  #stagedBytes = 0;
  #staged: Waiter[] = [];
  #level: WalLevel = WalLevel.disk;
  readonly #submitStaged = (): void => this.submit();

  constructor(native: NativeWal, bytesInFlightMax: number) {
    this.#native = native;
    this.#bytesInFlightMax = bytesInFlightMax;
  }

  /** Whether a promise is pending. */
  get isBusy(): boolean {
    return this.#staged.length > 0 || this.#firstGroup < this.#groups.length;
  }

  /** Appends one entry. It is handed over when the current turn of the microtasks ends, with what came since. */
  append(data: Uint8Array, length: number, level: WalLevel): Promise<number> {
    if (length > STAGING_BYTES / 4) {
      return this.#wait((waiter) => {
        this.#hand([waiter], true, level, false, 0, data, length, Uint32Array.of(length), 1);
      });
    }
    if (
      this.#stagedBytes + length > STAGING_BYTES ||
      this.#staged.length === STAGING_ENTRIES ||
      (level !== this.#level && this.#staged.length > 0)
    ) {
      this.submit();
    }
    if (this.#staged.length === 0) {
      this.#level = level;
      queueMicrotask(this.#submitStaged);
    }
    // An empty one may be detached, and set() would refuse it.
    if (length > 0) this.#bytes.set(data, this.#stagedBytes);
    this.#stagedBytes += length;
    this.#lengths[this.#staged.length] = length;
    return new Promise((resolve, reject) => this.#staged.push({ resolve, reject }));
  }

  /**
   * Entries that the addon treats as one. Resolves with what `resultOf` makes of
   * the first LSN, or for no entry of the last durable one.
   */
  appendWhole<T>(
    level: WalLevel,
    isBatch: boolean,
    expectedLsn: number,
    data: Uint8Array,
    lengths: Uint32Array,
    resultOf: (lsn: number) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve: (lsn: number) => resolve(resultOf(lsn)), reject };
      this.#hand([waiter], true, level, isBatch, expectedLsn, data, data.length, lengths, lengths.length);
    });
  }

  sync<T>(resultOf: (lsn: number) => T): Promise<T> {
    return this.appendWhole(WalLevel.disk, false, 0, NO_BYTES, new Uint32Array(0), resultOf);
  }

  /** Resolves with the first file that checkpoint(lsn) would keep. */
  fileKept(lsn: number): Promise<number> {
    return this.#request((native) => native.submitFileKept(lsn));
  }

  checkpoint(lsn: number, keptFile: number): Promise<unknown> {
    return this.#request((native) => native.submitCheckpoint(lsn, keptFile));
  }

  truncateAfter(lsn: number): Promise<unknown> {
    return this.#request((native) => native.submitTruncation(lsn));
  }

  /** Writes all that closing has to write. */
  finish(): Promise<unknown> {
    return this.#request((native) => native.submitFinish());
  }

  /** Hands what is staged to the committer. */
  submit(): void {
    if (this.#staged.length === 0) return;
    const waiters = this.#staged;
    this.#staged = [];
    const bytes = this.#stagedBytes;
    this.#stagedBytes = 0;
    this.#submitGroup(
      { waiters, isWhole: false },
      this.#level,
      false,
      0,
      this.#bytes,
      bytes,
      this.#lengths,
      waiters.length,
    );
  }

  /** Settles the promises of those whose commit is done. */
  settle(): void {
    const completions = this.#native.takeCompletions();
    for (let at = 0; at < completions.length; at += COMPLETION_FIELDS) {
      const group = this.#groups[this.#firstGroup++]!;
      const first = completions[at + CompletionField.first] as number;
      const done = completions[at + CompletionField.count] as number;
      const outcome = completions[at + CompletionField.outcome] as Outcome;
      const failure = completions[at + CompletionField.failure] as NativeFailure | undefined;
      const { waiters, isWhole } = group;
      if (isWhole && outcome === Outcome.ok) waiters[0]!.resolve(first);
      const resolved = isWhole ? Number(outcome === Outcome.ok) : done;
      if (!isWhole) for (let i = 0; i < done; ++i) waiters[i]!.resolve(first + i);
      if (failure === undefined) continue;
      for (let i = resolved; i < waiters.length; ++i) waiters[i]!.reject(walError(failure));
    }
    if (this.#firstGroup === this.#groups.length) {
      this.#groups.length = 0;
      this.#firstGroup = 0;
    } else if (this.#firstGroup > 1024) {
      this.#groups.splice(0, this.#firstGroup);
      this.#firstGroup = 0;
    }
  }

  /** Nothing will be completed any more. */
  rejectAll(error: () => Error): void {
    const groups = this.#groups.splice(0).slice(this.#firstGroup);
    this.#firstGroup = 0;
    const staged = this.#staged;
    this.#staged = [];
    this.#stagedBytes = 0;
    for (const { waiters } of groups) for (const waiter of waiters) waiter.reject(error());
    for (const waiter of staged) waiter.reject(error());
  }

  #wait(begin: (waiter: Waiter) => void): Promise<number> {
    return new Promise((resolve, reject) => begin({ resolve, reject }));
  }

  #request(submit: (native: NativeWal) => void): Promise<number> {
    return this.#wait((waiter) => {
      this.submit();
      this.#groups.push({ waiters: [waiter], isWhole: true });
      submit(this.#native);
    });
  }

  #hand(waiters: readonly Waiter[], isWhole: boolean, ...submission: Parameters<NativeWal['submit']>): void {
    this.submit();
    this.#submitGroup({ waiters, isWhole }, ...submission);
  }

  #submitGroup(group: Group, ...submission: Parameters<NativeWal['submit']>): void {
    this.#groups.push(group);
    const queued = this.#native.submit(...submission);
    // Memory must not grow: a program that appends more than the disk takes, waits.
    if (queued > this.#bytesInFlightMax) this.#native.commit();
  }
}
