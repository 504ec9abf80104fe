import type { NativeFailure, NativeWal, NativeWalLevel } from '../../../types/native';
import { checkBytes, checkNames } from '../../base/checks';
import { asyncDispose, dispose, type Followed } from '../../base/dispose';
import { illegalConstructor, invalidType, plainError } from '../../base/errors';
import { finishAll, type Pending } from '../../base/follow-loop';
import { addon } from '../../base/native';
import { Listener, waitForCancel, type Wait } from '../../base/waits';
import { checkObject } from '../options';
import { checkTarget, copyLog } from './backup';
import {
  checkPast,
  checkRange,
  filesOf,
  getEntry,
  iterate,
  readEntries,
  usedBytesOf,
  type EntrySource,
  type WalEntry,
  type WalRange,
} from './entries';
import { batchTooLarge, entryTooLarge, walClosed, walError, orThrowWal } from './errors';
import { followLog, type WalFollowOptions } from './follower';
import {
  checkDurability,
  checkLsn,
  checkWalOptions,
  type CheckedWalOptions,
  type Durability,
  type WalFile,
  type WalOptions,
} from './options';
import { hexOf } from './position';
import { WalQueue } from './queue';
import { Counter, recoveryOf, type WalRecovery, type WalStats } from './reports';
import { SealedFiles } from './sealed';

/** How one entry is appended. */
export interface AppendOptions {
  /** When it is acknowledged. Default: the log's. */
  durability?: Durability;
  /** Refuse it with `ERR_LSN_MISMATCH` when it, or the first entry of the batch, would get another LSN. */
  expectedLsn?: number;
}

/** Of a batch, for each entry. */
const BATCH_ITEM_BYTES = 8;
const APPEND_OPTIONS = ['durability', 'expectedLsn'];
const openWal = Symbol('openWal');
const settle = Symbol('settle');

/** Logs that somebody waits for must not be collected. */
const busy = new Set<Wal>();
const listeners = new FinalizationRegistry<Listener>((listener) => listener.remove());

/** Wakes a log without keeping it alive. */
class Notifier {
  wal: WeakRef<Wal> | undefined;
  readonly listener = new Listener(() => this.wal?.deref()?.[settle]());
}

/**
 * The one writer of a write-ahead log: a directory of files with entries that
 * have dense sequence numbers (LSNs) and survive any crash. Close it, or declare
 * it with `await using`.
 *
 * What was acknowledged at the durability `'full'` is on disk. After a crash,
 * open() finds every such entry, in order and unchanged, and perhaps some that
 * were never acknowledged.
 *
 * ```ts
 * await using wal = await Wal.open('orders');
 * const lsn = await wal.append(Buffer.from('an order'));
 * for (const { lsn, data } of wal.entries()) console.log(lsn, data);
 * ```
 */
export class Wal {
  readonly #native: NativeWal;
  readonly #options: CheckedWalOptions;
  readonly #queue: WalQueue;
  readonly #listener: Listener;
  readonly #recovery: WalRecovery;
  readonly #entryBytesMax: number;
  readonly #logId: string;
  readonly #counters = new Float64Array(Object.keys(Counter).length);
  /** Followers that wait, for close() to end; and their waits, for whatever may have moved. */
  readonly #pending = new Set<Pending>();
  readonly #waits = new Set<Wait>();
  /** One entry, for calls that need an array. */
  readonly #length = new Uint32Array(1);
  readonly #sealed: SealedFiles;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  readonly #source = (): EntrySource => {
    this.#checkOpen();
    return { native: this.#native, logId: this.#logId, firstLsn: this.firstLsn, lastLsn: this.lastLsn };
  };

  private constructor(
    key: typeof openWal,
    native: NativeWal,
    options: CheckedWalOptions,
    notifier: Notifier,
  ) {
    if (key !== openWal) throw illegalConstructor('Wal', 'Wal.open() or Wal.openSync()');
    this.#native = native;
    this.#options = options;
    this.#queue = new WalQueue(native, options.bytesInFlightMax);
    this.#listener = notifier.listener;
    this.#entryBytesMax = Math.min(options.entryBytesMax, native.entryBytesMax);
    this.#recovery = recoveryOf(native.recovery);
    this.#logId = hexOf(native.logId);
    notifier.wal = new WeakRef(this);
    listeners.register(this, notifier.listener, this);
    this.#sealed = new SealedFiles(options, {
      isOpen: () => !this.#isClosed && this.#closing === undefined,
      rotations: () => this.#count(Counter.rotations),
      files: () => filesOf(this.path, this.#native.files(), this.lastLsn),
      usedBytes: () => usedBytesOf(this.#native.files()),
      firstLsn: () => this.firstLsn,
      checkpoint: (lsn) => this.checkpoint(lsn),
    });
  }

  /**
   * Opens the log in `directory`, or creates it; the directory and those above
   * are made when they are missing. {@link recovery} says what was found.
   *
   * @throws `ERR_LOCKED` while another writer has it, in this process or
   * another; `ERR_CORRUPT` when entries that were durable are damaged, and
   * `ERR_FORMAT` for files that are no log or of a later release: nothing was
   * changed then; `ERR_FILE_ACCESS` when the directory or a file may not be
   * written (a {@link WalReader} reads it all the same); `ERR_TORN_TAIL` with
   * `strictTail`; `ERR_NO_SPACE`, `ERR_IO`, `ERR_POISONED` when the first sync failed;
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  static async open(directory: string, options?: WalOptions): Promise<Wal> {
    const checked = checkWalOptions(directory, options);
    const notifier = new Notifier();
    notifier.listener.isHolding = true;
    try {
      const opening = addon.openWal(checked.native(notifier.listener.id));
      if (opening === undefined) throw plainError('ERR_OUT_OF_MEMORY', 'the runtime cannot start the work');
      return Wal.#finish(await opening, checked, notifier);
    } finally {
      notifier.listener.isHolding = false;
    }
  }

  /** As {@link open}, on this thread. */
  static openSync(directory: string, options?: WalOptions): Wal {
    const checked = checkWalOptions(directory, options);
    const notifier = new Notifier();
    return Wal.#finish(addon.openWalSync(checked.native(notifier.listener.id)), checked, notifier);
  }

  static #finish(native: NativeWal | NativeFailure, options: CheckedWalOptions, notifier: Notifier): Wal {
    if ('outcome' in native) {
      notifier.listener.remove();
      throw walError(native, { isOpen: false });
    }
    return new Wal(openWal, native, options, notifier);
  }

  /** The directory. */
  get path(): string {
    return this.#options.path;
  }

  /** What {@link open} found and did. */
  get recovery(): WalRecovery {
    return this.#recovery;
  }

  /** Whether {@link open} had to set a torn last record aside. */
  get tailState(): 'clean' | 'truncated' {
    return this.#recovery.bytes > 0 ? 'truncated' : 'clean';
  }

  /** What the log was created with. */
  get metadata(): Uint8Array {
    return this.#native.metadata.slice();
  }

  /** LSN of the first entry that is kept; there is none while it is above {@link lastLsn}. */
  get firstLsn(): number {
    return this.#count(Counter.first);
  }

  /** LSN of the last entry; appends that are under way may not have one yet. */
  get lastLsn(): number {
    return this.#count(Counter.last);
  }

  /** Entries up to here were acknowledged, at the durability that was asked for. */
  get ackedLsn(): number {
    return this.#count(Counter.acked);
  }

  /** Entries up to here are on disk. */
  get durableLsn(): number {
    return this.#count(Counter.durable);
  }

  /** The files, oldest first. */
  get files(): WalFile[] {
    if (this.#isClosed) throw walClosed();
    return filesOf(this.path, this.#native.files(), this.lastLsn);
  }

  /** What was done since the log was opened. */
  stats(): WalStats {
    const { files } = this;
    return {
      files: files.length,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      syncs: this.#count(Counter.syncs),
      commits: this.#count(Counter.commits),
      rotations: this.#count(Counter.rotations),
      writtenBytes: this.#count(Counter.written),
      bytesInFlight: this.#count(Counter.queued),
    };
  }

  /**
   * Appends an entry, and resolves with its LSN once it is as durable as asked
   * for. Appends that wait at the same time share one sync. `data` is copied
   * before this returns.
   *
   * @throws (rejects) `ERR_POISONED` when a write or a sync fails, now or
   * earlier; `ERR_NO_SPACE`, `ERR_FILE_ACCESS`, `ERR_FILE_NOT_FOUND` when
   * another file is needed and cannot be made, `ERR_THREAD_UNAVAILABLE` when the
   * system starts no thread for the commits ({@link appendSync} needs none): the
   * entry has no LSN then, and appending may be tried again; `ERR_LSN_MISMATCH`,
   * `ERR_ENTRY_TOO_LARGE`, `ERR_LOG_CLOSED`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`
   */
  // Not an async function: it costs a promise more. Errors of arguments reject all the same.
  append(data: Uint8Array, options?: AppendOptions): Promise<number> {
    try {
      const bytes = checkBytes('data', data);
      this.#checkOpen();
      if (bytes > this.#entryBytesMax) throw entryTooLarge(bytes, this.#entryBytesMax);
      if (options === undefined) {
        const done = this.#queue.append(data, bytes, this.#options.level);
        this.#waiting();
        return done;
      }
      const { level, expectedLsn } = this.#checkAppend(options);
      const done =
        expectedLsn === 0
          ? this.#queue.append(data, bytes, level)
          : this.#queue.appendWhole(level, false, expectedLsn, data, Uint32Array.of(bytes));
      this.#waiting();
      return done;
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what an option's getter throws
      return Promise.reject(error);
    }
  }

  /**
   * Appends an entry and waits, with this thread, until it is durable.
   *
   * @throws as {@link append}
   */
  appendSync(data: Uint8Array, options?: AppendOptions): number {
    const bytes = checkBytes('data', data);
    this.#checkOpen();
    if (bytes > this.#entryBytesMax) throw entryTooLarge(bytes, this.#entryBytesMax);
    const { level, expectedLsn } = this.#checkAppend(options);
    return this.#appendNow(level, expectedLsn, data, bytes);
  }

  /**
   * Appends an entry without waiting for anything: it is durable when a later
   * {@link sync}, or append, is. Returns its LSN.
   *
   * @throws as {@link append}
   */
  write(data: Uint8Array): number {
    const bytes = checkBytes('data', data);
    this.#checkOpen();
    if (bytes > this.#entryBytesMax) throw entryTooLarge(bytes, this.#entryBytesMax);
    return this.#appendNow(0, 0, data, bytes);
  }

  /**
   * Appends entries that come back together after a crash, or not at all, and
   * resolves once they are durable. No entry: nothing is appended, and `last` is
   * below `first`.
   *
   * @throws (rejects) as {@link append}, and `ERR_BATCH_TOO_LARGE`
   */
  async appendBatch(
    entries: Iterable<Uint8Array>,
    options?: AppendOptions,
  ): Promise<{ first: number; last: number }> {
    if (typeof entries !== 'object' || entries === null || !(Symbol.iterator in entries)) {
      throw invalidType('entries', 'an iterable of Uint8Arrays', entries);
    }
    const all = Array.from(entries);
    const lengths = Uint32Array.from(all, (entry, i) => checkBytes(`entries[${i}]`, entry));
    this.#checkOpen();
    const { level, expectedLsn } = this.#checkAppend(options);
    const bytes = lengths.reduce((sum, length) => sum + length, 0);
    const needed = bytes + BATCH_ITEM_BYTES * all.length;
    if (needed > this.#native.entryBytesMax) throw batchTooLarge(needed, this.#native.entryBytesMax);
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    if (longest > this.#entryBytesMax) throw entryTooLarge(longest, this.#entryBytesMax);
    if (all.length === 0) {
      const last = await this.sync();
      return { first: last + 1, last };
    }
    const packed = new Uint8Array(bytes);
    let at = 0;
    for (let i = 0; i < all.length; ++i) {
      packed.set(all[i]!, at);
      at += lengths[i]!;
    }
    const done = this.#queue.appendWhole(level, true, expectedLsn, packed, lengths);
    this.#waiting();
    const first = await done;
    return { first, last: first + all.length - 1 };
  }

  /**
   * Makes everything durable that was written or appended before, and resolves
   * with the last durable LSN.
   *
   * @throws (rejects) `ERR_POISONED`, `ERR_LOG_CLOSED`
   */
  async sync(): Promise<number> {
    this.#checkOpen();
    const done = this.#queue.sync();
    this.#waiting();
    return done;
  }

  /** As {@link sync}, on this thread. */
  syncSync(): number {
    return this.#now((native) => native.sync());
  }

  /**
   * Entries in order, or in reverse. Those whose append has not resolved yet may
   * be missing.
   *
   * @throws while iterating `ERR_CHECKPOINTED` when an entry is gone,
   * `ERR_CORRUPT` when one is damaged, `ERR_DIRECTORY_REPLACED` when another
   * directory, or none, has the place of the log's, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`, `ERR_LOG_CLOSED`; at once `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`
   * A position as `from` is looked for at once: `ERR_TRUNCATED` when its entry
   * was taken back or is another one, `ERR_CHECKPOINTED` when what follows it is
   * gone, `ERR_FOREIGN_POSITION` for another log's.
   */
  entries(range?: WalRange): IterableIterator<WalEntry> {
    const checked = checkRange(range);
    this.#checkOpen();
    if (typeof checked.from === 'object') checkPast(this.#source(), checked.from);
    return iterate(this.#source, checked);
  }

  /**
   * The entry with this LSN; undefined when the log does not hold it.
   *
   * @throws as {@link entries}
   */
  get(lsn: number): WalEntry | undefined {
    checkLsn('lsn', lsn);
    return getEntry(this.#source(), lsn);
  }

  /**
   * Entries from `from` on, in batches, and then those that become durable, one
   * batch after the other without gap or repetition. Ends when the log is closed.
   *
   * @throws while iterating the signal's reason, `ERR_CHECKPOINTED`,
   * `ERR_CORRUPT`, `ERR_DIRECTORY_REPLACED`, `ERR_IO`, `ERR_TOO_MANY_FILES`; at once `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`,
   * `ERR_LOG_CLOSED`
   * `ERR_TRUNCATED` also when the entry of a position is not there any more or is
   * another one, and `ERR_FOREIGN_POSITION` when it is another log's.
   */
  follow(options?: WalFollowOptions): Followed<WalEntry[]> {
    this.#checkOpen();
    return followLog(
      {
        pending: this.#pending,
        isClosed: () => this.#isClosed || this.#closing !== undefined,
        bounds: () => ({
          firstLsn: this.firstLsn,
          lastLsn: this.durableLsn,
          version: this.#count(Counter.rotations),
        }),
        filesBehind: (file, into) => orThrowWal(this.#native.filesBehind(file, into) ?? 0),
        check: (past) => checkPast(this.#source(), past),
        read: (from, to) => readEntries(this.#source(), from, to),
        wait: () => this.#waitForChange(),
      },
      options,
    );
  }

  /**
   * Drops the entries up to `lsn`, durably, and deletes the files that hold
   * no others. That works on a full disk: whatever frees at least one file
   * needs no space. `checkpoint(wal.lastLsn)` frees the newest file too, when
   * it is full, or once an append has found no room for another: call it again then.
   *
   * @throws `ERR_OUT_OF_RANGE` beyond {@link lastLsn}; what `beforeDelete` throws,
   * and `onSegmentSealed` for a file that it was not told of yet;
   * `ERR_FILE_NOT_FOUND` when the directory was moved, deleted or replaced;
   * `ERR_NO_SPACE` on a full disk when it would free no file; `ERR_POISONED`,
   * `ERR_FILE_ACCESS`, `ERR_LOG_CLOSED`
   */
  checkpoint(lsn: number): void {
    checkLsn('lsn', lsn);
    this.#now((native) => {
      native.commit();
      const keptFile = native.fileKept(lsn);
      const infos = native.files();
      this.#sealed.beforeDelete(this.files.filter((_, i) => infos[4 * i]! < keptFile));
      this.#checkOpen();
      return native.checkpoint(lsn, keptFile);
    });
  }

  /**
   * Takes back the entries after `lsn`, durably: it is the last one then, and
   * the next append gets `lsn + 1`. Unless nothing is after it, this costs a new
   * file of `segmentBytes`, whose space is taken at once; the file before keeps its
   * own until a checkpoint or `retainBytes` drops it. A log that is truncated
   * often does well with small files.
   *
   * @throws `ERR_OUT_OF_RANGE` outside of the log, `ERR_POISONED`,
   * `ERR_NO_SPACE`, `ERR_FILE_ACCESS`, `ERR_FILE_NOT_FOUND`, `ERR_LOG_CLOSED`
   */
  truncateAfter(lsn: number): void {
    checkLsn('lsn', lsn);
    this.#now((native) => native.truncateAfter(lsn));
  }

  /**
   * Copies the log, as far as it is durable when this is called, to a new
   * directory, while it goes on being written. Files that are complete are not
   * copied but get a second name, where the file system can. The directory
   * appears when the copy is whole, on disk and read back; it is a log of its
   * own, and a {@link WalReader} sees all of it.
   *
   * Until then the copy is in `directory.partial-1`, or a higher number, next to a
   * file `directory.partial-1.incomplete`. What a
   * process that was killed has left there, the next call for the same directory
   * deletes.
   *
   * @throws (rejects) `ERR_FILE_EXISTS` when something has the name, also when
   * another copy got it meanwhile; `ERR_CHECKPOINTED` when a checkpoint took away
   * what was still to be copied; `ERR_FILE_NOT_FOUND` when a file of the log, or
   * its directory, is not where it was; `ERR_NO_SPACE`, `ERR_FILE_ACCESS`,
   * `ERR_IO`, `ERR_POISONED`, `ERR_LOG_CLOSED`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`. Nothing of the copy is left then.
   */
  async backup(directory: string): Promise<void> {
    const target = checkTarget(directory);
    this.#checkOpen();
    this.#queue.submit();
    const backup = this.#native.backUp(target);
    if (typeof backup === 'number') throw walError(this.#native.failure());
    await copyLog(backup, target);
  }

  /**
   * Syncs what was appended, settles every promise, and closes the log.
   * Idempotent.
   *
   * @throws (rejects) `ERR_POISONED` when not everything became durable; the log
   * is closed all the same
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    // While hooks can still use the log.
    this.#sealed.finish();
    if (this.#isClosed) return;
    // The committer does the slow part; what is appended meanwhile is refused.
    const synced = this.#queue.sync();
    this.#waiting();
    try {
      await synced;
    } catch (error) {
      // closeSync() was called meanwhile. Otherwise it will tell: it does what is left, with or without a committer.
      if (this.#isClosed) throw error;
    }
    this.closeSync();
  }

  /** As {@link close}, on this thread. */
  closeSync(): void {
    if (this.#isClosed) return;
    this.#queue.submit();
    this.#sealed.finish();
    // A hook may have done it.
    if (this.#isClosed) return;
    const outcome = this.#native.close();
    const failure = outcome < 0 ? walError(this.#native.failure()) : undefined;
    this.#isClosed = true;
    finishAll(this.#pending);
    // What was queued may have completed another file.
    this.#sealed.finish();
    this[settle]();
    this.#queue.rejectAll(() => failure ?? walClosed());
    this.#waiting();
    this.#listener.remove();
    listeners.unregister(this);
    if (failure !== undefined) throw failure;
  }

  [dispose](): void {
    this.closeSync();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The committer has answered, or something else may have moved.
   *
   * @internal
   */
  [settle](): void {
    this.#queue.settle();
    this.#waiting();
    this.#wakeFollowers();
    this.#sealed.notice();
  }

  #count(counter: number): number {
    this.#native.counters(this.#counters);
    return this.#counters[counter]!;
  }

  #checkOpen(): void {
    if (this.#isClosed || this.#closing !== undefined) throw walClosed();
  }

  #checkAppend(options: AppendOptions | undefined): { level: NativeWalLevel; expectedLsn: number } {
    if (options === undefined) return { level: this.#options.level, expectedLsn: 0 };
    const given = checkObject('options', options);
    checkNames('options', given, APPEND_OPTIONS);
    const { durability, expectedLsn } = given;
    const checked = {
      level:
        durability === undefined ? this.#options.level : checkDurability('options.durability', durability),
      expectedLsn: expectedLsn === undefined ? 0 : checkLsn('options.expectedLsn', expectedLsn, 1),
    };
    // A getter may have closed it.
    this.#checkOpen();
    return checked;
  }

  /** Whether somebody waits: then the log stays, and the event loop turns. */
  #waiting(): void {
    const isBusy = this.#queue.isBusy;
    this.#listener.isHolding = isBusy;
    if (isBusy) busy.add(this);
    else busy.delete(this);
  }

  #waitForChange(): Wait {
    const wait = waitForCancel(() => this.#waits.delete(wait));
    this.#waits.add(wait);
    return wait;
  }

  #wakeFollowers(): void {
    if (this.#waits.size === 0) return;
    for (const wait of [...this.#waits]) wait.cancel();
  }

  #appendNow(level: NativeWalLevel, expectedLsn: number, data: Uint8Array, bytes: number): number {
    this.#length[0] = bytes;
    const length = this.#length;
    return this.#now((native) => native.appendNow(level, false, expectedLsn, data, bytes, length, 1));
  }

  /** Works on this thread, behind what was appended before. */
  #now(work: (native: NativeWal) => number): number {
    this.#checkOpen();
    this.#queue.submit();
    const answer = work(this.#native);
    if (answer < 0) throw walError(this.#native.failure());
    this.#wakeFollowers();
    this.#sealed.notice();
    return answer;
  }
}
