/** `WalReader`: reads a log that any process writes, or none, as far as it is proved to be on disk. */
import { WAL_SHOWN_FIELDS, WalShownField } from '../../base/codes';
import type { NativeWalReader } from '../../../types/native';
import { checkSignal, throwIfAborted, waitUnlessAborted } from '../../base/abort';
import { checkChoice, checkFlag, checkInteger, checkNames, checkObject } from '../../base/checks';
import { dispose, type Followed } from '../../base/dispose';
import { codeOf, illegalConstructor, plainError } from '../../base/errors';
import { finishAll, type Pending } from '../../base/follow-loop';
import { showAsText } from '../../base/inspect';
import { addon } from '../../base/native';
import { waitForTime } from '../../base/waits';
import { checkPath } from '../options';
import {
  checkPast,
  checkRange,
  getEntry,
  iterate,
  readEntries,
  type EntrySource,
  type WalEntry,
  type WalRange,
} from './entries';
import { listCursors, type WalCursorInfo } from './cursor-list';
import { checkpointed, orThrowWal } from './errors';
import { FileTable } from './files';
import { followLog, type WalFollowOptions } from './follower';
import { checkLsn, type WalFile } from './options';
import { hexOf } from './position';

/** How a {@link WalReader} looks for new entries. */
export interface WalReaderOptions {
  /** How often a follower that waits looks, in milliseconds. Default: 20. */
  pollMs?: number;
  /**
   * Which entries at the end are seen: those that are proved to be on disk
   * (`'durable'`, the default), or, while no writer has the log open, also those
   * that are intact (`'intact'`): all that the next opening would keep. What is
   * above {@link WalReader.provedLsn} may still be lost in a power failure.
   */
  tail?: 'durable' | 'intact';
  /** Whether to wait for a log that is not there yet: see {@link WalReaderWaitOptions}. */
  wait?: false;
}

/** How `WalReader.open()` waits for a log that is not there yet. */
export interface WalReaderWaitOptions extends Omit<WalReaderOptions, 'wait'> {
  /**
   * Wait until a log is in the directory, which may be missing too, and those above
   * it. It is looked for every `pollMs`.
   */
  wait: true;
  /** Ends the waiting: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

const openReader = Symbol('openReader');
const POLL_MS = 20;
const POLL_MS_MAX = 3_600_000;

/**
 * Reads a write-ahead log next to its writer, in any thread or process, and
 * follows it. It needs no more than permission to read, takes no lock and
 * changes nothing.
 *
 * It sees what is proved to be on disk, so nothing that a power failure could
 * take back: the last entries a moment later than the writer's own process,
 * which says so in the log when it is idle. After a writer was killed, the proof
 * of its last entries is missing until one opens the log again; `tail: 'intact'`
 * shows them meanwhile.
 *
 * ```ts
 * using reader = WalReader.open('orders');
 * for await (const entries of reader.follow()) for (const { lsn } of entries) console.log(lsn);
 * ```
 */
export class WalReader {
  readonly #native: NativeWalReader;
  readonly #path: string;
  readonly #pollMs: number;
  readonly #bounds = new Float64Array(WAL_SHOWN_FIELDS).fill(1, 0, 1);
  readonly #pending = new Set<Pending>();
  #isClosed = false;
  #logId = '';
  readonly #source = (): EntrySource => {
    this.#checkOpen();
    return {
      native: this.#native,
      logId: this.#id(),
      path: this.#path,
      firstLsn: this.firstLsn,
      lastLsn: this.lastLsn,
    };
  };

  private constructor(key: typeof openReader, native: NativeWalReader, path: string, pollMs: number) {
    if (key !== openReader) throw illegalConstructor('WalReader', 'WalReader.open()');
    this.#native = native;
    this.#path = path;
    this.#pollMs = pollMs;
  }

  /**
   * Opens the log in `directory`. One that has no entries yet is empty, and so is
   * a directory in which no log is: {@link refresh} and {@link follow} find the
   * log once a writer has made it. With `wait: true` it returns a promise, which
   * resolves when there is a log, and keeps the process alive until then.
   *
   * ```ts
   * using reader = await WalReader.open('orders', { wait: true, signal: AbortSignal.timeout(5000) });
   * ```
   *
   * @throws `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`, `ERR_IO`; `ERR_CORRUPT`
   * when the files do not follow one another or durable entries are damaged;
   * `ERR_FORMAT` for files that are not a log or of a later release;
   * `ERR_TOO_MANY_FILES` when nothing more can be opened now;
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`. With
   * `wait: true` all of them reject, with the signal's reason too, and
   * `ERR_FILE_NOT_FOUND` does not occur.
   */
  static open(directory: string, options?: WalReaderOptions): WalReader;
  static open(directory: string, options: WalReaderWaitOptions): Promise<WalReader>;
  static open(
    directory: string,
    options?: WalReaderOptions | WalReaderWaitOptions,
  ): WalReader | Promise<WalReader> {
    const given = options === undefined ? {} : checkObject('options', options);
    const { wait } = given;
    if (wait === true) return WalReader.#wait(directory, given);
    checkFlag('options.wait', wait);
    const reader = WalReader.#make(directory, given, ['pollMs', 'tail', 'wait']);
    try {
      reader.refresh();
    } catch (error) {
      // Its files, which no one could close any more.
      reader.close();
      throw error;
    }
    return reader;
  }

  static async #wait(directory: unknown, given: Record<string, unknown>): Promise<WalReader> {
    const signal = checkSignal(given.signal);
    const reader = WalReader.#make(directory, given, ['pollMs', 'tail', 'wait', 'signal']);
    try {
      for (;;) {
        throwIfAborted(signal);
        if (reader.#findsLog()) return reader;
        await waitUnlessAborted(waitForTime(reader.#pollMs), signal);
      }
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  static #make(directory: unknown, given: Record<string, unknown>, names: readonly string[]): WalReader {
    const path = checkPath(directory, 'directory');
    checkNames('options', given, names);
    const { pollMs = POLL_MS, tail = 'durable' } = given;
    const isIntact = checkChoice('options.tail', tail, ['durable', 'intact']) === 'intact';
    const checkedMs = checkInteger('options.pollMs', pollMs, 1, POLL_MS_MAX);
    return new WalReader(openReader, addon.openWalReader(path, isIntact), path, checkedMs);
  }

  /** The directory. */
  get path(): string {
    return this.#path;
  }

  /** LSN of the first entry that is kept; there is none while it is above {@link lastLsn}. */
  get firstLsn(): number {
    return this.#bounds[WalShownField.firstLsn]!;
  }

  /**
   * LSN of the last entry that is seen, as of the last {@link refresh}. With
   * `tail: 'intact'` it falls back to {@link provedLsn} when a writer opens the
   * log.
   */
  get lastLsn(): number {
    return this.#bounds[WalShownField.lastLsn]!;
  }

  /** LSN of the last entry that is proved to be on disk, as of the last {@link refresh}; with `tail: 'durable'` the last one. */
  get provedLsn(): number {
    return this.#bounds[WalShownField.provedLsn]!;
  }

  /** The files, oldest first, as of the last {@link refresh}. */
  get files(): WalFile[] {
    this.#checkOpen();
    return new FileTable(orThrowWal(this.#native.files())).filesOf(this.#path, this.lastLsn);
  }

  /** Names the log and its copies: 32 hex digits; undefined while there is no log. */
  get logId(): string | undefined {
    this.#checkOpen();
    return this.#id() || undefined;
  }

  /** What the log was created with. */
  get metadata(): Buffer {
    this.#checkOpen();
    return Buffer.from(this.#native.metadata());
  }

  /**
   * The cursors of the log, in the order of their names; the lag is as of the last
   * {@link refresh}. `WalCursor.open()` opens one.
   *
   * @throws `ERR_FILE_ACCESS`, `ERR_TOO_MANY_FILES`, `ERR_IO`, `ERR_READER_CLOSED`
   */
  cursors(): WalCursorInfo[] {
    this.#checkOpen();
    return listCursors(this.#path, { logId: this.#id(), lastLsn: this.lastLsn });
  }

  /**
   * Looks for what was appended, or checkpointed, since. A follower does so by
   * itself.
   *
   * @throws as {@link open}; `ERR_DIRECTORY_REPLACED` when another directory, or
   * none, has the place of the one that was opened: open the reader again;
   * `ERR_READER_CLOSED`
   */
  refresh(): void {
    this.#checkOpen();
    orThrowWal(this.#native.refresh(this.#bounds) ?? 0);
  }

  /**
   * Entries in order, or in reverse.
   *
   * @throws while iterating `ERR_CHECKPOINTED` when an entry that is asked for is
   * below {@link firstLsn},
   * `ERR_CORRUPT` when one is damaged, `ERR_TRUNCATED` when it was not proved to
   * be on disk and is gone, `ERR_DIRECTORY_REPLACED`, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`, `ERR_READER_CLOSED`; at once `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`.
   * A position as `from` is looked for at once: `ERR_TRUNCATED` when its entry
   * was taken back or is another one, `ERR_CHECKPOINTED` when what follows it is
   * gone, `ERR_FOREIGN_POSITION` for another log's.
   */
  entries(range?: WalRange): IterableIterator<WalEntry> {
    const checked = checkRange(range);
    this.#checkOpen();
    const { from } = checked;
    if (typeof from === 'object') {
      // What is saved elsewhere may be newer than what was seen here.
      this.refresh();
      this.#checked(() => checkPast(this.#source(), from));
    }
    return this.#checking(iterate(this.#source, checked));
  }

  /**
   * The entry with this LSN; undefined when it is not there yet, as of the last
   * {@link refresh}.
   *
   * @throws `ERR_CHECKPOINTED` below {@link firstLsn}; as {@link entries}
   */
  get(lsn: number): WalEntry | undefined {
    checkLsn('lsn', lsn, 1);
    return this.#checked(() => getEntry(this.#source(), lsn));
  }

  /**
   * Entries from `from` on, in batches, and then those that become durable, one
   * batch after the other without gap or repetition, across files. Ends when the
   * reader is closed.
   *
   * @throws while iterating the signal's reason, `ERR_CHECKPOINTED`,
   * `ERR_TRUNCATED` when the writer took back what was delivered, or when it was
   * not proved to be on disk and was lost (`lsn` is the first such entry),
   * `ERR_DIRECTORY_REPLACED`, `ERR_CORRUPT`, `ERR_IO`, `ERR_TOO_MANY_FILES`; at
   * once `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_READER_CLOSED`.
   * `ERR_TRUNCATED` also when the entry of a position is not there any more or is
   * another one, and `ERR_FOREIGN_POSITION` when it is another log's.
   */
  follow(options?: WalFollowOptions): Followed<WalEntry[]> {
    this.#checkOpen();
    const bounds = () => {
      this.refresh();
      return {
        firstLsn: this.firstLsn,
        lastLsn: this.lastLsn,
        version: this.#bounds[WalShownField.newestFile]!,
        takebacks: this.#bounds[WalShownField.takebacks]!,
        takenBackFrom: this.#bounds[WalShownField.takenBackFrom]!,
      };
    };
    return followLog(
      {
        pending: this.#pending,
        isClosed: () => this.#isClosed,
        bounds,
        filesAfter: (file, into) => orThrowWal(this.#native.filesAfter(file, into) ?? 0),
        check: (past) => this.#checked(() => checkPast(this.#source(), past)),
        read: (from, to) => this.#checked(() => readEntries(this.#source(), from, to)),
        wait: () => waitForTime(this.#pollMs),
      },
      options,
    );
  }

  /** Closes the files, and ends every follower. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#native.close();
    finishAll(this.#pending);
  }

  [dispose](): void {
    this.close();
  }

  /** For people: the directory, and which entries are seen. */
  toString(): string {
    const { path, firstLsn, lastLsn, provedLsn } = this;
    const state = this.#isClosed ? ', closed' : '';
    const lsns = `firstLsn: ${firstLsn}, lastLsn: ${lastLsn}, provedLsn: ${provedLsn}`;
    return `WalReader { path: '${path}'${state}, ${lsns} }`;
  }

  /** Whether there is a log; a directory that is missing may still come. */
  #findsLog(): boolean {
    try {
      this.refresh();
      return this.#id() !== '';
    } catch (error) {
      if (codeOf(error) !== 'ERR_FILE_NOT_FOUND') throw error;
      return false;
    }
  }

  /** The log's id; empty while there is no log. */
  #id(): string {
    if (this.#logId !== '') return this.#logId;
    const id = this.#native.logId();
    if (id !== undefined) this.#logId = hexOf(id);
    return this.#logId;
  }

  *#checking(entries: IterableIterator<WalEntry>): IterableIterator<WalEntry> {
    for (;;) {
      const result = this.#checked(() => entries.next());
      if (result.done) return;
      yield result.value;
    }
  }

  /** A file that is gone was deleted by a checkpoint, which a refresh shows; otherwise it is missing. */
  #checked<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      const { code } = error as { code?: unknown };
      // What there is, is less than it was.
      if (code === 'ERR_CHECKPOINTED' || code === 'ERR_TRUNCATED') this.refresh();
      if (code !== 'ERR_CHECKPOINTED') throw error;
      throw checkpointed(this.#path, (error as { lsn?: number }).lsn ?? 0, this.firstLsn);
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw plainError('ERR_READER_CLOSED', 'the reader is closed; open another one');
  }
}

showAsText(WalReader);
