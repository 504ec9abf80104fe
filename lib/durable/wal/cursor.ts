/**
 * Named cursors: how far a consumer of a log is, stored next to the log.
 *
 * 1. Commits are carried out in the order of the calls. Those that wait for the
 *    one before are one commit of the last position, where it proves the others.
 * 2. A commit resolves when it is on disk, and so is its entry.
 */
import type { NativeFailure, NativeWalCursor } from '../../../types/native';
import { checkFlag, optionsOf } from '../../base/checks';
import { asyncDispose, dispose } from '../../base/dispose';
import { describe, illegalConstructor, invalidType, plainError, typeError } from '../../base/errors';
import { showAsText } from '../../base/inspect';
import { addon } from '../../base/native';
import { checkPath } from '../options';
import { standsOn } from './cursor-list';
import { commitError, cursorClosed, cursorError, foreignPosition } from './errors';
import { checkPosition, hexOf, positionOf, type Past, type WalPosition } from './position';
import { WalReader } from './reader';

/** How a cursor is opened. */
export interface WalCursorOptions {
  /**
   * Begin again at the oldest entry when the cursor's position is not in the log
   * any more, or its file is damaged, instead of throwing.
   */
  reset?: boolean;
}

/** What a cursor of `Wal.cursor()` asks its log. */
export interface CursorLog {
  lastLsn(): number;
  /** Makes the entry durable; the last LSN that is. */
  makeDurable(lsn: number): Promise<number>;
  makeDurableSync(lsn: number): number;
  closed(cursor: WalCursor): void;
}

interface Commit {
  past: Past;
  order: number;
  done: Promise<void>;
}

const makeCursor = Symbol('makeCursor');
let construct: (
  native: NativeWalCursor,
  options: { path: string; name: string },
  log?: CursorLog,
) => WalCursor;
const nameForm = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;

export function checkCursorName(name: unknown): string {
  if (typeof name !== 'string') throw invalidType('name', 'a string', name);
  if (nameForm.test(name)) return name;
  throw typeError(
    'ERR_INVALID_ARG_VALUE',
    "name must be 1 to 64 small letters, digits, '.', '_' and '-', with a letter or digit at both ends, so that " +
      `every file system can hold it; got ${describe(name)}`,
  );
}

export function cursorOptions(path: string, name: unknown, options: unknown) {
  const { reset } = optionsOf('options', options, ['reset']);
  return {
    path,
    name: checkCursorName(name),
    resets: checkFlag('options.reset', reset),
    processId: process.pid,
  };
}

export const pathOf = (directory: unknown): string => checkPath(directory, 'directory');

/** What the pool promises, unless the runtime has refused. */
export function pooled<T>(promise: Promise<T> | undefined): Promise<T> {
  if (promise !== undefined) return promise;
  throw plainError('ERR_OUT_OF_MEMORY', 'the runtime cannot start the work');
}

/** A cursor that the addon has opened. */
export function cursorOf(
  native: NativeWalCursor | NativeFailure,
  options: { path: string; name: string },
  log?: CursorLog,
): WalCursor {
  if ('outcome' in native) throw cursorError(native, options.name);
  return construct(native, options, log);
}

/**
 * How far a consumer of a log is: a name and a position, kept durably next to the
 * log. A checkpoint drops nothing that a cursor still needs, in whatever process
 * its consumer is. `Wal.cursor()` opens one in the writer's process, and
 * {@link open} in any other that may write to the directory; it has one owner at
 * a time.
 *
 * ```ts
 * await using cursor = await WalCursor.open('orders', 'billing');
 * for await (const entries of reader.follow({ from: cursor.position ?? cursor.nextLsn })) {
 *   await bill(entries);
 *   await cursor.commit(entries.at(-1)!.position);
 * }
 * ```
 */
export class WalCursor {
  readonly #native: NativeWalCursor;
  readonly #path: string;
  readonly #name: string;
  readonly #log: CursorLog | undefined;
  readonly #logId: string;
  /** Of the next entry. */
  #nextLsn: number;
  #position: WalPosition | undefined;
  /** Of the commit that the position is of. */
  #positionOrder = 0;
  #order = 0;
  /** The last commit that was called, and the one that has not begun. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Commit | undefined;
  /** For the lag, where no writer tells. */
  #reader: WalReader | undefined;
  #isClosed = false;

  private constructor(
    key: typeof makeCursor,
    native: NativeWalCursor,
    { path, name }: { path: string; name: string },
    log?: CursorLog,
  ) {
    if (key !== makeCursor) throw illegalConstructor('WalCursor', 'wal.cursor() or WalCursor.open()');
    this.#native = native;
    this.#path = path;
    this.#name = name;
    this.#log = log;
    this.#logId = hexOf(native.logId);
    this.#nextLsn = native.lsn + 1;
    const past = standsOn(native);
    this.#position = past === undefined ? undefined : positionOf(past);
  }

  static {
    construct = (native, options, log) => new WalCursor(makeCursor, native, options, log);
  }

  /**
   * Opens the cursor `name` of the log in `directory`, or makes it: a new one stands
   * before the oldest entry. `name`: small letters, digits, and `.`, `_`, `-` within.
   *
   * @throws (rejects) `ERR_LOCKED` while someone has it open; `ERR_CHECKPOINTED` when
   * entries that it had not consumed are gone (`lost` says which), `ERR_TRUNCATED`
   * when its entry is not in the log any more or is another one,
   * `ERR_CURSOR_DAMAGED`: with `reset` these three do not occur; `ERR_FORMAT` for a
   * cursor of a later release; `ERR_FILE_NOT_FOUND` where no log is;
   * `ERR_FILE_ACCESS`, `ERR_NO_SPACE`, `ERR_IO`, `ERR_TOO_MANY_FILES`, `ERR_CORRUPT`,
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   */
  static async open(directory: string, name: string, options?: WalCursorOptions): Promise<WalCursor> {
    const checked = cursorOptions(pathOf(directory), name, options);
    return cursorOf(await pooled(addon.openWalCursor(checked)), checked);
  }

  /** As {@link open}, on this thread. */
  static openSync(directory: string, name: string, options?: WalCursorOptions): WalCursor {
    const checked = cursorOptions(pathOf(directory), name, options);
    return cursorOf(addon.openWalCursorSync(checked), checked);
  }

  get name(): string {
    return this.#name;
  }

  /** The entry that was committed last: give it as `from`. Undefined before the first commit. */
  get position(): WalPosition | undefined {
    return this.#position;
  }

  /**
   * LSN of the next entry to consume: `from: cursor.position ?? cursor.nextLsn` begins
   * there, or throws when it is gone.
   */
  get nextLsn(): number {
    return this.#nextLsn;
  }

  /** Entries after the position; of a cursor that {@link open} has opened, those that are proved to be on disk. */
  get lag(): number {
    this.#checkOpen();
    return Math.max(this.#lastLsn() - this.#nextLsn + 1, 0);
  }

  /**
   * Everything up to this entry is consumed. Resolves when that is on disk; in the
   * writer's process the entry is made durable first. An earlier position goes
   * back to it, if what follows is still there.
   *
   * @throws (rejects) `ERR_TRUNCATED` when the entry is not in the log any more or
   * is another one, `ERR_CHECKPOINTED` when what follows it is gone (`lost` says which),
   * `ERR_FOREIGN_POSITION` for another log's, `ERR_NOT_DURABLE` elsewhere than in
   * the writer's process while nothing proves that it is on disk; `ERR_POISONED`,
   * `ERR_LOCKED` when a move back waits too long, `ERR_NO_SPACE`, `ERR_IO`,
   * `ERR_TOO_MANY_FILES`, `ERR_CURSOR_CLOSED`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`. The old position or the new one is on disk then, and
   * it may be committed again.
   */
  commit(position: WalPosition): Promise<void> {
    try {
      return this.#enqueue(this.#checked(position));
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- an error of this package
      return Promise.reject(error);
    }
  }

  /**
   * As {@link commit}, on this thread. Commits that wait are overtaken: they write nothing then,
   * and reject all the same where their position is not in the log.
   */
  commitSync(position: WalPosition): void {
    const past = this.#checked(position);
    const order = ++this.#order;
    const durable = this.#log?.makeDurableSync(past.lsn) ?? 0;
    const failure = this.#native.commit(past.lsn, past.epoch, past.branch, durable, order);
    this.#committed(past, order, failure);
  }

  /**
   * Deletes it, and closes it: it holds no checkpoint any more.
   *
   * @throws (rejects) `ERR_LOCKED` when that waits too long, `ERR_FILE_ACCESS`,
   * `ERR_IO`, `ERR_CURSOR_CLOSED`; it is still open then, and may be deleted again
   */
  async delete(): Promise<void> {
    this.#checkOpen();
    await this.#last;
    this.#deleted(await pooled(this.#native.removeLater()));
  }

  /** As {@link delete}, on this thread. */
  deleteSync(): void {
    this.#checkOpen();
    this.#deleted(this.#native.remove());
  }

  /** Carries out the commits that were called, and releases the cursor. Idempotent. */
  async close(): Promise<void> {
    await this.#last;
    this.closeSync();
  }

  /** Releases the cursor, after the commit that is under way; those that have not begun reject. */
  closeSync(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#native.close();
    this.#reader?.close();
    this.#log?.closed(this);
  }

  [dispose](): void {
    this.closeSync();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For people: whose it is, and where it stands. */
  toString(): string {
    const state = this.#isClosed ? ', closed' : '';
    return `WalCursor { name: '${this.#name}', path: '${this.#path}'${state}, nextLsn: ${this.#nextLsn} }`;
  }

  #lastLsn(): number {
    if (this.#log !== undefined) return this.#log.lastLsn();
    this.#reader ??= WalReader.open(this.#path);
    this.#reader.refresh();
    return this.#reader.provedLsn;
  }

  #checked(position: unknown): Past {
    const past = checkPosition('position', position);
    this.#checkOpen();
    if (past.logId !== this.#logId) throw foreignPosition(past);
    return past;
  }

  #enqueue(past: Past): Promise<void> {
    const order = ++this.#order;
    const waiting = this.#waiting;
    const { epoch, branch } = past;
    // Of one past, so that the later position proves the earlier one.
    if (
      waiting !== undefined &&
      past.lsn >= waiting.past.lsn &&
      epoch === waiting.past.epoch &&
      branch === waiting.past.branch
    ) {
      Object.assign(waiting, { past, order });
      return waiting.done;
    }
    const commit: Commit = { past, order, done: this.#last.then(() => this.#commit(commit)) };
    this.#waiting = commit;
    this.#last = commit.done.catch(() => undefined);
    return commit.done;
  }

  async #commit(commit: Commit): Promise<void> {
    if (this.#waiting === commit) this.#waiting = undefined;
    const { past, order } = commit;
    this.#checkOpen();
    const durable = (await this.#log?.makeDurable(past.lsn)) ?? 0;
    const { lsn, epoch, branch } = past;
    this.#committed(past, order, await pooled(this.#native.commitLater(lsn, epoch, branch, durable, order)));
  }

  #committed(past: Past, order: number, failure: NativeFailure | undefined): void {
    if (failure !== undefined) throw commitError(failure, this.#name, past.lsn);
    if (order < this.#positionOrder) return;
    this.#positionOrder = order;
    this.#position = positionOf(past);
    this.#nextLsn = past.lsn + 1;
  }

  #deleted(result: boolean | NativeFailure): void {
    if (typeof result === 'object') throw cursorError(result);
    this.closeSync();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw cursorClosed();
  }
}

showAsText(WalCursor);
