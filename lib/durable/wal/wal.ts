/** `Wal`: what users call of the writer of a log. What the calls share is in core.ts; each kind of work has its own module. */
import { WalCounter } from '../../base/codes';
import type { NativeFailure, NativeWal } from '../../../types/native';
import { throwIfAborted, waitUnlessAborted } from '../../base/abort';
import { asyncDispose, dispose, type Followed } from '../../base/dispose';
import { codeOf, illegalConstructor, plainError } from '../../base/errors';
import { showAsText } from '../../base/inspect';
import { addon } from '../../base/native';
import { waitForTime } from '../../base/waits';
import { Appender, type AppendOptions } from './append';
import { backUp } from './backup';
import type { WalCursor, WalCursorOptions } from './cursor';
import type { WalCursorInfo } from './cursor-list';
import { coreOf, Notifier, type WalCore } from './core';
import { Journal } from './journal';
import type { WalEntry, WalRange } from './entries';
import { walClosed } from './errors';
import type { WalFollowOptions } from './follower';
import {
  checkWalOptions,
  type CheckedWalOptions,
  type WalCheckpointOptions,
  type WalFile,
  type WalOptions,
} from './options';
import { entriesInRange, entryAt, followWriter } from './reading';
import { recoveryOf, statsOf, type WalRecovery, type WalStats } from './reports';

const openWal = Symbol('openWal');
/** Between two looks whether the writer before has closed the log. */
const LOOK_AGAIN_MS = 25;
/** For the room of journaled logs. */
export const journalOf = Symbol('journalOf');

/** A promise for what `begin` gives, also when it throws. Not an async function: that would cost a promise more, and settle later. */
function promised<T>(begin: () => Promise<T>): Promise<T> {
  try {
    return begin();
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what an option's getter throws
    return Promise.reject(error);
  }
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
  readonly #core: WalCore;
  readonly #appender: Appender;
  readonly #recovery: WalRecovery;
  #closing: Promise<void> | undefined;

  private constructor(key: typeof openWal, core: WalCore) {
    if (key !== openWal) throw illegalConstructor('Wal', 'Wal.open() or Wal.openSync()');
    this.#core = core;
    this.#appender = new Appender(core);
    this.#recovery = recoveryOf(core.native.recovery);
  }

  /**
   * Opens the log in `directory`, or creates it; the directory and those above
   * are made when they are missing. {@link recovery} says what was found. With
   * `wait: true` it waits while another writer has the log, as at a restart.
   *
   * @throws `ERR_LOCKED` while another writer has it, in this process or
   * another, and with `wait: true` the signal's reason instead; `ERR_CORRUPT` when entries that were durable are damaged, and
   * `ERR_FORMAT` for files that are not a log or of a later release: nothing was
   * changed then; `ERR_FILE_ACCESS` when the directory or a file may not be
   * written (a {@link WalReader} reads it all the same); `ERR_TORN_TAIL` with
   * `strictTail`; `ERR_NO_SPACE`, `ERR_OUT_OF_MEMORY`, `ERR_IO`, `ERR_POISONED` when the first sync failed;
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  static async open(directory: string, options?: WalOptions): Promise<Wal> {
    const checked = checkWalOptions(directory, options, true);
    const { wait, signal } = checked;
    for (;;) {
      throwIfAborted(signal);
      try {
        return await Wal.#open(checked);
      } catch (error) {
        if (!wait || codeOf(error) !== 'ERR_LOCKED') throw error;
      }
      await waitUnlessAborted(waitForTime(LOOK_AGAIN_MS), signal);
    }
  }

  static async #open(checked: CheckedWalOptions): Promise<Wal> {
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
    const checked = checkWalOptions(directory, options, false);
    const notifier = new Notifier();
    return Wal.#finish(addon.openWalSync(checked.native(notifier.listener.id)), checked, notifier);
  }

  static #finish(native: NativeWal | NativeFailure, options: CheckedWalOptions, notifier: Notifier): Wal {
    return new Wal(openWal, coreOf(native, options, notifier));
  }

  /** @internal */
  [journalOf](): Journal {
    return new Journal(this.#core);
  }

  /** The directory. */
  get path(): string {
    return this.#core.options.path;
  }

  /** What {@link open} found and did. */
  get recovery(): WalRecovery {
    return this.#recovery;
  }

  /** Whether {@link open} had to quarantine a torn last record. */
  get tailState(): 'clean' | 'truncated' {
    return this.#recovery.quarantinedBytes > 0 ? 'truncated' : 'clean';
  }

  /** Names the log and its copies: 32 hex digits, drawn when it was created. Every position has them. */
  get logId(): string {
    return this.#core.logId;
  }

  /** What the log was created with. */
  get metadata(): Buffer {
    return Buffer.from(this.#core.native.metadata);
  }

  /** LSN of the first entry that is kept; there is none while it is above {@link lastLsn}. */
  get firstLsn(): number {
    return this.#core.count(WalCounter.firstLsn);
  }

  /** LSN of the last entry; appends that are under way may not have one yet. */
  get lastLsn(): number {
    return this.#core.count(WalCounter.lastLsn);
  }

  /** Entries up to here were acknowledged, at the durability that was asked for. */
  get ackedLsn(): number {
    return this.#core.count(WalCounter.ackedLsn);
  }

  /** Bytes that an entry may have: what the option of this name says, and what a file takes. */
  get entryBytesMax(): number {
    return this.#core.entryBytesMax;
  }

  /** Entries up to here are on disk. */
  get durableLsn(): number {
    return this.#core.count(WalCounter.durableLsn);
  }

  /** The files, oldest first. */
  get files(): WalFile[] {
    if (this.#core.isClosed) throw walClosed();
    return this.#core.files();
  }

  /** What was done since the log was opened. */
  stats(): WalStats {
    if (this.#core.isClosed) throw walClosed();
    return statsOf(this.#core.counters());
  }

  /**
   * Appends an entry, and resolves with its LSN once it is as durable as asked
   * for. Appends that wait at the same time share one sync (group commit). `data`
   * is copied before this returns.
   *
   * Entries have LSNs in the order of the calls. The promises of `append()`,
   * {@link appendBatch} and {@link sync} settle in that order too, those that
   * reject included, so they resolve in LSN order. One that rejects says nothing
   * of those after it: a smaller entry may still find room. Only what is refused
   * without asking the log (arguments, an entry that is too large, a log that is
   * closed) rejects at once.
   *
   * @throws (rejects) `ERR_POISONED` when a write or a sync fails, now or
   * earlier; `ERR_NO_SPACE`, `ERR_FILE_ACCESS`, `ERR_FILE_NOT_FOUND` when
   * another file is needed and cannot be made, `ERR_OUT_OF_MEMORY`, or
   * `ERR_THREAD_UNAVAILABLE` when the
   * system starts no thread for the commits ({@link appendSync} needs none): the
   * entry has no LSN then, and appending may be tried again; `ERR_LSN_MISMATCH`,
   * `ERR_ENTRY_TOO_LARGE`, `ERR_LOG_CLOSED`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`
   */
  append(data: Uint8Array, options?: AppendOptions): Promise<number> {
    try {
      return this.#appender.append(data, options);
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
    return this.#appender.appendSync(data, options);
  }

  /**
   * Appends an entry without waiting for anything: it is durable when a later
   * {@link sync}, or append, is. Returns its LSN.
   *
   * @throws as {@link append}
   */
  write(data: Uint8Array): number {
    return this.#appender.write(data);
  }

  /**
   * Appends entries that come back together after a crash, or not at all, and
   * resolves once they are durable: an iterable of them, or one piece of bytes
   * and the length of each entry in it, which spares an object for each. No entry: nothing is
   * appended, and `last` is below `first`.
   *
   * @throws (rejects) as {@link append}, and `ERR_BATCH_TOO_LARGE`
   */
  appendBatch(
    entries: Iterable<Uint8Array>,
    options?: AppendOptions,
  ): Promise<{ first: number; last: number }>;
  appendBatch(
    bytes: Uint8Array,
    lengths: Uint32Array | readonly number[],
    options?: AppendOptions,
  ): Promise<{ first: number; last: number }>;
  appendBatch(
    entries: Uint8Array | Iterable<Uint8Array>,
    second?: Uint32Array | readonly number[] | AppendOptions,
    third?: AppendOptions,
  ): Promise<{ first: number; last: number }> {
    return promised(() => this.#appender.appendBatch(entries, second, third));
  }

  /**
   * Makes everything durable that was written or appended before, and resolves
   * with the last durable LSN.
   *
   * @throws (rejects) `ERR_POISONED`, `ERR_LOG_CLOSED`
   */
  sync(): Promise<number> {
    return promised(() => {
      this.#core.checkOpen();
      const done = this.#core.queue.sync((lsn) => lsn);
      this.#core.waiting();
      return done;
    });
  }

  /** As {@link sync}, on this thread. */
  syncSync(): number {
    return this.#core.now((native) => native.sync());
  }

  /**
   * Entries in order, or in reverse. Those whose append has not resolved yet may
   * be missing.
   *
   * @throws while iterating `ERR_CHECKPOINTED` when an entry that is asked for is
   * below {@link firstLsn},
   * `ERR_CORRUPT` when one is damaged, `ERR_DIRECTORY_REPLACED` when another
   * directory, or none, has the place of the log's, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`, `ERR_OUT_OF_MEMORY`, `ERR_LOG_CLOSED`; at once `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`.
   * A position as `from` is looked for at once: `ERR_TRUNCATED` when its entry
   * was taken back or is another one, `ERR_CHECKPOINTED` when what follows it is
   * gone, `ERR_FOREIGN_POSITION` for another log's.
   */
  entries(range?: WalRange): IterableIterator<WalEntry> {
    return entriesInRange(this.#core, range);
  }

  /**
   * The entry with this LSN; undefined when it is not there yet.
   *
   * @throws `ERR_CHECKPOINTED` below {@link firstLsn}; as {@link entries}
   */
  get(lsn: number): WalEntry | undefined {
    return entryAt(this.#core, lsn);
  }

  /**
   * Entries from `from` on, in batches, and then those that become durable, one
   * batch after the other without gap or repetition. Ends when the log is closed.
   * While it waits it keeps no process alive: what it waits for, only this process could append.
   *
   * @throws while iterating the signal's reason, `ERR_CHECKPOINTED`,
   * `ERR_TRUNCATED` when what was delivered was taken back (`lsn` is the first such
   * entry), `ERR_CORRUPT`, `ERR_DIRECTORY_REPLACED`, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`; at once `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`,
   * `ERR_LOG_CLOSED`. `ERR_TRUNCATED` also when the entry of a position is not
   * there any more or is another one, and `ERR_FOREIGN_POSITION` when it is another log's.
   */
  follow(options?: WalFollowOptions): Followed<WalEntry[]> {
    return followWriter(this.#core, options);
  }

  /**
   * Drops the entries up to `lsn`, durably, and deletes the files that hold
   * no others; it resolves when they are gone. That works on a full disk: a
   * checkpoint that frees at least one file needs no space. `checkpoint(wal.lastLsn)`
   * frees the newest file too, when it is full, or once an append has found no
   * room for another: call it again then.
   *
   * It stops before the entry on which the slowest cursor stands: {@link firstLsn} says
   * where. `force` passes the cursors too, and each is told what it has lost when it is
   * opened.
   *
   * It comes after what was appended before, so `lsn` may be that of an append in
   * flight. With `beforeDelete` or `onSegmentSealed` it waits for its turn once
   * more after they were called: what is called meanwhile may come first.
   *
   * @throws (rejects) `ERR_OUT_OF_RANGE` beyond {@link lastLsn}; what `beforeDelete` throws,
   * and `onSegmentSealed` for a file that it was not told of yet;
   * `ERR_FILE_NOT_FOUND` when the directory was moved, deleted or replaced;
   * `ERR_NO_SPACE` on a full disk when it would free no file;
   * `ERR_CURSOR_DAMAGED` when no one knows how far a cursor is, `ERR_LOCKED` when
   * another process holds the lock of the cursors for long (neither with `force`);
   * `ERR_THREAD_UNAVAILABLE` ({@link checkpointSync} needs no thread);
   * `ERR_POISONED`, `ERR_FILE_ACCESS`, `ERR_LOG_CLOSED`
   */
  checkpoint(lsn: number, options?: WalCheckpointOptions): Promise<void> {
    return promised(() => this.#core.trimming.checkpoint(lsn, options));
  }

  /** As {@link checkpoint}, on this thread, after everything that was called before. */
  checkpointSync(lsn: number, options?: WalCheckpointOptions): void {
    this.#core.trimming.checkpointSync(lsn, options);
  }

  /**
   * Opens the cursor `name`, or makes it: how far a consumer of this log is, kept
   * durably next to it. A new one stands before the oldest entry. `name`: small
   * letters, digits, and `.`, `_`, `-` within. It has one owner at a time; in
   * another process {@link WalCursor.open} opens it. It is closed with the log.
   *
   * @throws (rejects) as {@link WalCursor.open}; `ERR_LOG_CLOSED`,
   * `ERR_DIRECTORY_REPLACED`
   */
  cursor(name: string, options?: WalCursorOptions): Promise<WalCursor> {
    return this.#core.cursors.open(name, options);
  }

  /** As {@link cursor}, on this thread. */
  cursorSync(name: string, options?: WalCursorOptions): WalCursor {
    return this.#core.cursors.openSync(name, options);
  }

  /**
   * The cursors of the log, open or not, in the order of their names.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_FILE_ACCESS`, `ERR_TOO_MANY_FILES`, `ERR_IO`
   */
  cursors(): WalCursorInfo[] {
    return this.#core.cursors.list();
  }

  /**
   * Deletes a cursor that no one has open, damaged or not. Resolves, when that is
   * on disk, with whether there was one.
   *
   * @throws (rejects) `ERR_LOCKED`, `ERR_FILE_ACCESS`, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`, `ERR_LOG_CLOSED`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`
   */
  deleteCursor(name: string): Promise<boolean> {
    return this.#core.cursors.delete(name);
  }

  /** As {@link deleteCursor}, on this thread. */
  deleteCursorSync(name: string): boolean {
    return this.#core.cursors.deleteSync(name);
  }

  /**
   * Takes back the entries after `lsn`, durably: it is the last one then, and
   * the next append gets `lsn + 1`. What was called before is done before, and
   * what is called afterwards after it: no call need wait for another. Unless nothing is after it, this costs a new
   * file of `segmentBytes`, whose space is taken at once; the file before keeps its
   * own until a checkpoint or `retainBytes` drops it. A log that is truncated
   * often does well with small files.
   *
   * @throws (rejects) `ERR_OUT_OF_RANGE` outside of the log, `ERR_POISONED`,
   * `ERR_NO_SPACE`, `ERR_FILE_ACCESS`, `ERR_FILE_NOT_FOUND`,
   * `ERR_THREAD_UNAVAILABLE` ({@link truncateAfterSync} needs no thread),
   * `ERR_LOG_CLOSED`
   */
  truncateAfter(lsn: number): Promise<void> {
    return this.#core.trimming.truncateAfter(lsn);
  }

  /** As {@link truncateAfter}, on this thread, after everything that was called before. */
  truncateAfterSync(lsn: number): void {
    this.#core.trimming.truncateAfterSync(lsn);
  }

  /**
   * Copies the log, with all that was called before, to a new directory, while it
   * goes on being written. Files that are complete are not
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
   * `ERR_IO`, `ERR_POISONED`, `ERR_THREAD_UNAVAILABLE`, `ERR_LOG_CLOSED`,
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`. Nothing of the copy is left then.
   */
  backup(directory: string): Promise<void> {
    return backUp(this.#core, directory);
  }

  /**
   * Carries out what was called before, syncs, settles every promise, and closes
   * the log. Idempotent. `await using` calls it.
   *
   * @throws (rejects) `ERR_POISONED` when not everything became durable; the log
   * is closed all the same
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#core.isClosed) return;
    // While hooks can still use the log.
    this.#core.sealed.finish();
    await this.#core.finish();
    this.#core.close();
  }

  /** As {@link close}, on this thread. `using` calls it. */
  closeSync(): void {
    this.#core.close();
  }

  [dispose](): void {
    this.closeSync();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For people: the directory, and which entries there are. */
  toString(): string {
    const { path, firstLsn, lastLsn, durableLsn } = this;
    const state = this.#core.isClosed ? ', closed' : '';
    const lsns = `firstLsn: ${firstLsn}, lastLsn: ${lastLsn}, durableLsn: ${durableLsn}`;
    return `Wal { path: '${path}'${state}, ${lsns} }`;
  }
}

showAsText(Wal);
