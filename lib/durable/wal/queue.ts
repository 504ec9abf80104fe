/**
 * What waits for the committer, and the promises of those who wait for it.
 *
 * 1. The committer gets everything in the order of the calls, and completes it
 *    in that order. The promises of append(), appendBatch() and sync() are settled
 *    in that order too: those of appends resolve with ascending LSNs. Those of
 *    checkpoint() and truncateAfter() may settle some microtasks later.
 * 2. Appends of one turn of the microtasks are handed over together.
 * 3. write() has an LSN at once: the addon has secured room in the newest file
 *    for what is staged then. Nothing else is handed over in between, or it takes
 *    what was written first and the room is given up; and who asks the addon
 *    what there is calls handWritten() first.
 */
import {
  COMPLETION_FIELDS,
  CompletionField,
  Outcome,
  SECURED_FIELDS,
  SecuredField,
  WAL_ALIGNMENT,
  WAL_HEAD_BYTES,
  WAL_SECURED_ENTRY_BYTES_MAX,
  WalLevel,
} from '../../base/codes';
import type { NativeFailure, NativeWal, NativeWalBackup } from '../../../types/native';
import { NO_BYTES } from '../../base/checks';
import { copyBytes } from '../../base/copy';
import { queueMicrotask } from '../../base/timers';
import { typedArrayLength } from '../../base/typed-array';
import { walError } from './errors';

/** Small entries are copied to memory of so many bytes, and then of so many, so that many go to the committer in one call. */
const STAGING_BYTES_MIN = 1 << 16;
const STAGING_BYTES_MAX = 1 << 19;
/** Entries that there is room for, at these bytes for each. */
const STAGED_BYTES = 64;
/** Larger ones are handed over alone. */
const STAGED_ENTRY_BYTES_MAX = WAL_SECURED_ENTRY_BYTES_MAX;

/**
 * One submission, and the promises of those who wait for it: as many as entries,
 * or one for all of them.
 *
 * Each promise is `done.then(lsn)`: the calls come in the order in which the
 * promises were made. So an append costs a promise and its reaction, where a
 * pair of functions that settle it would be five objects more, which live until
 * the disk has answered.
 */
class Group {
  readonly isWhole: boolean;
  /** Never rejects. */
  readonly done: Promise<void>;
  /** Settles the promises, in the microtasks that come. */
  readonly settle: () => void;
  #first = 0;
  /** Promises that resolve; those after them reject. */
  #resolved = 0;
  #error: (() => Error) | undefined;
  #settled = 0;

  constructor(isWhole: boolean) {
    this.isWhole = isWhole;
    let settle!: () => void;
    this.done = new Promise((resolve) => (settle = resolve));
    this.settle = settle;
  }

  /** What the next promise resolves with: its LSN, or the result of the whole. */
  readonly next = (): number => {
    const at = this.#settled++;
    if (at < this.#resolved) return this.#first + at;
    throw this.#error!();
  };

  finish(first: number, resolved: number, error: (() => Error) | undefined): void {
    this.#first = first;
    this.#resolved = resolved;
    this.#error = error;
    this.settle();
  }
}

export class WalQueue {
  readonly #native: NativeWal;
  readonly #bytesInFlightMax: number;
  /** Handed to the committer, in order. */
  readonly #groups: Group[] = [];
  #firstGroup = 0;

  #bytes = new Uint8Array(STAGING_BYTES_MIN);
  #lengths = new Uint32Array(STAGING_BYTES_MIN / STAGED_BYTES);
  #stagedBytes = 0;
  #stagedEntries = 0;
  /** Of what is staged. */
  #group: Group | undefined;
  #level: WalLevel = WalLevel.disk;
  /** What is staged was written, not appended: no promise waits for it, and its LSNs are given out. */
  #isWriting = false;
  /** Bytes of records that the addon is certain to take, while nothing else is handed to it. */
  #room = 0;
  #nextLsn = 0;
  readonly #secured = new Float64Array(SECURED_FIELDS);
  readonly #submitStaged = (): void => this.submit();

  constructor(native: NativeWal, bytesInFlightMax: number) {
    this.#native = native;
    this.#bytesInFlightMax = bytesInFlightMax;
  }

  /** Whether a promise is pending. */
  get isBusy(): boolean {
    return this.#group !== undefined || this.#firstGroup < this.#groups.length;
  }

  /** Appends one entry. It is handed over when the current turn of the microtasks ends, with what came since. */
  append(data: Uint8Array, length: number, level: WalLevel): Promise<number> {
    if (length > STAGED_ENTRY_BYTES_MAX) {
      return this.#hand(level, false, 0, data, length, Uint32Array.of(length), 1);
    }
    if (level !== this.#level || this.#isWriting) this.submit();
    if (this.#stagedBytes + length > this.#bytes.length || this.#stagedEntries === this.#lengths.length) {
      this.#makeRoom();
    }
    let group = this.#group;
    if (group === undefined) {
      group = this.#group = new Group(false);
      this.#level = level;
      queueMicrotask(this.#submitStaged);
    }
    copyBytes(this.#bytes, this.#stagedBytes, data, length);
    this.#stagedBytes += length;
    this.#lengths[this.#stagedEntries++] = length;
    return group.done.then(group.next);
  }

  /**
   * Stages an entry in the room that is secured, and returns its LSN; 0 when there
   * is none: then the addon has to take it. What can fail, does so then.
   */
  write(data: Uint8Array, length: number): number {
    const record = (WAL_HEAD_BYTES + length + WAL_ALIGNMENT - 1) & -WAL_ALIGNMENT;
    if (record > this.#room || length > STAGED_ENTRY_BYTES_MAX) return 0;
    if (this.#stagedBytes + length > this.#bytes.length || this.#stagedEntries === this.#lengths.length) {
      this.#makeRoom();
    }
    copyBytes(this.#bytes, this.#stagedBytes, data, length);
    this.#stagedBytes += length;
    this.#lengths[this.#stagedEntries++] = length;
    this.#room -= record;
    return this.#nextLsn++;
  }

  /** For the entries that write() will be given. */
  secureRoom(): void {
    this.submit();
    this.#native.secure(this.#secured);
    this.#room = this.#secured[SecuredField.bytes]!;
    this.#nextLsn = this.#secured[SecuredField.nextLsn]!;
    this.#isWriting = this.#room > 0;
  }

  /** Has the addon know what was written; to be called before it is asked for anything. */
  handWritten(): void {
    if (this.#isWriting) this.#handOver();
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
    this.submit();
    const group = new Group(true);
    const done = group.done.then(() => resultOf(group.next()));
    const bytes = typedArrayLength(data);
    this.#submitGroup(group, level, isBatch, expectedLsn, data, bytes, lengths, lengths.length);
    return done;
  }

  sync<T>(resultOf: (lsn: number) => T): Promise<T> {
    return this.appendWhole(WalLevel.disk, false, 0, NO_BYTES, new Uint32Array(0), resultOf);
  }

  /** Resolves with the first file that checkpoint(lsn) would keep. */
  fileKept(lsn: number, passesCursors: boolean): Promise<number> {
    return this.#request((native) => native.submitFileKept(lsn, passesCursors));
  }

  checkpoint(lsn: number, passesCursors: boolean, keptFile: number): Promise<unknown> {
    return this.#request((native) => native.submitCheckpoint(lsn, passesCursors, keptFile));
  }

  truncateAfter(lsn: number): Promise<unknown> {
    return this.#request((native) => native.submitTruncation(lsn));
  }

  /** Resolves when the copy can be made. */
  async backUp(directory: string): Promise<NativeWalBackup> {
    let backup!: NativeWalBackup;
    await this.#request((native) => (backup = native.submitBackup(directory)));
    return backup;
  }

  /** Writes all that closing has to write. */
  finish(): Promise<unknown> {
    return this.#request((native) => native.submitFinish());
  }

  /** Of a journal: it hands over what it has staged, before something else is. */
  giveUp: (() => void) | undefined;

  /**
   * For a journal: entries in the room that it has secured, or a sync. As appendWhole(), but the journal keeps its
   * room. Resolves with the first LSN.
   */
  submitAhead(...submission: Parameters<NativeWal['submit']>): Promise<number> {
    const group = new Group(true);
    const done = group.done.then(group.next);
    this.#submitGroup(group, ...submission);
    return done;
  }

  /** Hands over what is staged, before something else is. */
  submit(): void {
    this.giveUp?.();
    this.#handOver();
    this.#isWriting = false;
    this.#room = 0;
  }

  #handOver(): void {
    const entries = this.#stagedEntries;
    if (entries === 0) return;
    const bytes = this.#stagedBytes;
    this.#stagedBytes = this.#stagedEntries = 0;
    if (this.#isWriting) {
      // Room is secured, so that it fails only when the log is poisoned: what was written is lost then, and the next
      // call says so.
      this.#native.writeStaged(this.#bytes, bytes, this.#lengths, entries);
      return;
    }
    const group = this.#group!;
    this.#group = undefined;
    this.#submitGroup(group, this.#level, false, 0, this.#bytes, bytes, this.#lengths, entries);
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
      const resolved = group.isWhole ? Number(outcome === Outcome.ok) : done;
      group.finish(first, resolved, failure && (() => walError(failure)));
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
    if (this.#group !== undefined) groups.push(this.#group);
    this.#group = undefined;
    this.#stagedBytes = this.#stagedEntries = this.#room = 0;
    this.#isWriting = false;
    for (const group of groups) group.finish(0, 0, error);
  }

  /** For another entry: hands over what is staged, unless more of it is better taken together. */
  #makeRoom(): void {
    const limit = Math.min(STAGING_BYTES_MAX, this.#bytesInFlightMax);
    if (this.#bytes.length >= limit) {
      this.#handOver();
      return;
    }
    // One sync for many small ones, also while this thread is slow: just started, for example.
    const bytes = new Uint8Array(limit);
    const lengths = new Uint32Array(Math.floor(limit / STAGED_BYTES));
    bytes.set(this.#bytes);
    lengths.set(this.#lengths);
    this.#bytes = bytes;
    this.#lengths = lengths;
  }

  #request(submit: (native: NativeWal) => unknown): Promise<number> {
    this.submit();
    const group = new Group(true);
    const done = group.done.then(group.next);
    this.#groups.push(group);
    submit(this.#native);
    return done;
  }

  #hand(...submission: Parameters<NativeWal['submit']>): Promise<number> {
    this.submit();
    return this.submitAhead(...submission);
  }

  #submitGroup(group: Group, ...submission: Parameters<NativeWal['submit']>): void {
    this.#groups.push(group);
    const queued = this.#native.submit(...submission);
    // Memory must not grow: a program that appends more than the disk takes, waits.
    if (queued > this.#bytesInFlightMax) this.#native.commit();
  }
}
