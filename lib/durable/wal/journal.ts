/**
 * Appends for those who show entries to others before the disk has them, as a log in memory does.
 *
 * 1. An entry has its LSN when take() returns, and what can refuse it has done so: room in the newest file is
 *    secured, as for Wal.write(). What is refused takes no LSN.
 * 2. The committer gets what was taken when the turn of the microtasks ends, and makes it as durable as the log
 *    says; no call waits for a sync that runs. Only for another file, and after anything else was asked of the
 *    log, this thread waits for what is queued.
 * 3. Whatever the committer refuses all the same is a failure for good: an entry that others have seen is not on
 *    disk then. Each submission names the LSN that it must get, so that nothing takes the place of what is missing.
 * 4. All LSNs are the journal's: no one else appends to its log, or takes entries back.
 */
import {
  SECURED_FIELDS,
  SecuredField,
  WAL_ALIGNMENT,
  WAL_BATCH_ITEM_BYTES,
  WAL_CONTROL_BYTES,
  WAL_HEAD_BYTES,
  WalCounter,
  WalLevel,
} from '../../base/codes';
import { NO_BYTES } from '../../base/checks';
import { codeOf, plainError } from '../../base/errors';
import { queueMicrotask } from '../../base/timers';
import { newBytes } from '../errors';
import type { WalCore } from './core';
import { batchTooLarge, entryTooLarge, walClosed } from './errors';

const STAGING_BYTES_MIN = 1 << 16;
const STAGING_BYTES_MAX = 1 << 19;
const STAGED_BYTES = 64;
const NO_LENGTHS = new Uint32Array(0);

interface Waiter {
  readonly lsn: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Journal {
  readonly #core: WalCore;
  /** Frames are written here: see {@link begin}. */
  bytes: Buffer;
  view: DataView;
  #lengths: Uint32Array;
  #stagedBytes = 0;
  #stagedEntries = 0;
  /** Bytes of records that the newest file is certain to take. */
  #room = 0;
  #nextLsn: number;
  #durableLsn: number;
  #isScheduled = false;
  /** Something was taken, or is waited for, that no submission made as durable as it is to be. */
  #commitLevel: WalLevel = WalLevel.none;
  /** Whether hooks of the user may be running inside of take(). */
  #isTaking = false;
  #failure: Error | undefined;
  #waiters: Waiter[] = [];
  readonly #secured = new Float64Array(SECURED_FIELDS);
  /** Is told of the failure once. */
  onFailure: ((error: Error) => void) | undefined;

  constructor(core: WalCore) {
    this.#core = core;
    this.bytes = newBytes(STAGING_BYTES_MIN, core.options.path);
    this.view = viewOver(this.bytes);
    this.#lengths = new Uint32Array(STAGING_BYTES_MIN / STAGED_BYTES);
    this.#nextLsn = core.count(WalCounter.lastLsn) + 1;
    this.#durableLsn = this.#nextLsn - 1;
    core.queue.giveUp = () => this.#giveUp();
    core.sealed.hold();
  }

  /** What was in the log when it was opened has been read: from now on retention deletes files. */
  begun(): void {
    this.#core.sealed.release();
  }

  /** The LSN that the next entry gets. */
  get nextLsn(): number {
    return this.#nextLsn;
  }

  /** Entries up to here are on disk, as far as this thread was told. */
  get durableLsn(): number {
    return this.#durableLsn;
  }

  /** Why nothing is taken any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Bytes that a frame of so many entries may have: its first entry has all of them. */
  frameBytesMax(entries: number): number {
    const { native, entryBytesMax } = this.#core;
    return entries === 1
      ? entryBytesMax
      : Math.min(entryBytesMax, native.entryBytesMax - WAL_BATCH_ITEM_BYTES * entries);
  }

  /**
   * `index`: which one of a batch the entry of the frame is.
   *
   * @throws `ERR_ENTRY_TOO_LARGE`, `ERR_BATCH_TOO_LARGE`
   */
  checkFrame(bytes: number, entries: number, index?: number): void {
    const limit = this.frameBytesMax(entries);
    if (bytes > limit) throw entries === 1 ? entryTooLarge(bytes, limit, index) : batchTooLarge(bytes, limit);
  }

  /**
   * Where in {@link bytes} a frame is to be written, before take() is called with it.
   *
   * @throws `ERR_POISONED`, `ERR_LOG_CLOSED`, `ERR_ENTRY_TOO_LARGE`, `ERR_BATCH_TOO_LARGE`, `ERR_OUT_OF_MEMORY`, `ERR_WRITER_BUSY`
   */
  begin(bytes: number, entries: number): number {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isTaking) throw busy();
    this.checkFrame(bytes, entries);
    const isFull = this.#stagedBytes + bytes > this.bytes.length;
    if (isFull || this.#stagedEntries === this.#lengths.length) this.#makeRoom(bytes);
    return this.#stagedBytes;
  }

  /**
   * Takes the frame that was written where begin() said: one entry, or a batch whose first entry has all bytes. Returns
   * the LSN of the first.
   *
   * @throws what refuses it; then no LSN is taken
   */
  take(bytes: number, entries: number): number {
    const items = entries === 1 ? 0 : WAL_BATCH_ITEM_BYTES * entries;
    const record = (WAL_HEAD_BYTES + items + bytes + WAL_ALIGNMENT - 1) & -WAL_ALIGNMENT;
    const lsn = this.#nextLsn;
    if (record > this.#room) {
      this.#takeNow(bytes, entries);
      return lsn;
    }
    this.#room -= record;
    if (entries === 1) {
      this.#stagedBytes += bytes;
      this.#lengths[this.#stagedEntries++] = bytes;
      this.#nextLsn = lsn + 1;
      if (!this.#isScheduled) this.#schedule();
      return lsn;
    }
    const at = this.#stagedBytes;
    this.#handStaged();
    this.#nextLsn = lsn + entries;
    const { level } = this.#core.options;
    this.#submit(level, true, lsn, this.bytes.subarray(at, at + bytes), bytes, lengthsOf(bytes, entries));
    return lsn;
  }

  /** Resolves when the entry is on disk. */
  durable(lsn: number): Promise<void> {
    if (lsn <= this.#durableLsn) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#core.options.level !== WalLevel.disk) this.requestSync();
    return new Promise((resolve, reject) => this.#waiters.push({ lsn, resolve, reject }));
  }

  /** Has everything synced that was taken before, some time. */
  requestSync(): void {
    if (this.#failure !== undefined) return;
    this.#commitLevel = WalLevel.disk;
    this.#schedule();
  }

  /** The log was closed: with an error, or all is on disk. */
  closed(error: Error | undefined): void {
    if (error === undefined) this.#advance(this.#nextLsn - 1);
    this.#fail(error ?? walClosed());
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(this.#commit);
  }

  readonly #commit = (): void => {
    this.#isScheduled = false;
    if (this.#core.isClosed) return;
    this.#handStaged();
    const level = this.#commitLevel;
    if (level === WalLevel.none) return;
    this.#commitLevel = WalLevel.none;
    this.#submit(level, false, 0, NO_BYTES, 0, NO_LENGTHS);
  };

  #handStaged(): void {
    const entries = this.#stagedEntries;
    if (entries === 0) return;
    const bytes = this.#stagedBytes;
    this.#stagedBytes = this.#stagedEntries = 0;
    const lengths = this.#lengths.subarray(0, entries);
    const { level } = this.#core.options;
    this.#submit(level, false, this.#nextLsn - entries, this.bytes, bytes, lengths);
  }

  #submit(
    level: WalLevel,
    isBatch: boolean,
    lsn: number,
    data: Uint8Array,
    bytes: number,
    lengths: Uint32Array,
  ): void {
    // The record that tells readers of it.
    if (level === WalLevel.disk) this.#room -= WAL_CONTROL_BYTES;
    const done = this.#core.queue.submitAhead(level, isBatch, lsn, data, bytes, lengths, lengths.length);
    const last = lsn + lengths.length - 1;
    done.then(
      (first) => {
        if (level === WalLevel.disk) this.#advance(lengths.length === 0 ? first : last);
      },
      (error: Error) => this.#fail(error),
    );
    this.#core.waiting();
  }

  /** On this thread, after what is queued: another file may be needed. */
  #takeNow(bytes: number, entries: number): void {
    const at = this.#stagedBytes;
    const { native, queue, options } = this.#core;
    this.#isTaking = true;
    try {
      // Those that were staged are handed over first; their memory stays as it is meanwhile.
      const data = this.bytes.subarray(at, at + bytes);
      const lengths = lengthsOf(bytes, entries);
      this.#core.now(() =>
        native.appendNow(WalLevel.none, entries > 1, this.#nextLsn, data, bytes, lengths, lengths.length),
      );
      this.#nextLsn += entries;
    } catch (error) {
      // The committer has refused what came before, of which this thread has not been told yet.
      if (codeOf(error) !== 'ERR_LSN_MISMATCH') throw error;
      this.#fail(error as Error);
      throw this.#failure!;
    } finally {
      this.#isTaking = false;
    }
    if (this.#core.isClosed) return;
    queue.submit();
    native.secure(this.#secured);
    if (this.#secured[SecuredField.nextLsn] === this.#nextLsn)
      this.#room = this.#secured[SecuredField.bytes]!;
    this.#commitLevel = Math.max(this.#commitLevel, options.level) as WalLevel;
    this.#schedule();
  }

  /** Something else is asked of the log, after what was taken; the room is not secured any more. */
  #giveUp(): void {
    this.#room = 0;
    this.#handStaged();
    this.#room = 0;
  }

  #makeRoom(bytes: number): void {
    const { path, bytesInFlightMax } = this.#core.options;
    const limit = Math.max(bytes, Math.min(STAGING_BYTES_MAX, bytesInFlightMax));
    if (this.bytes.length >= limit || this.#stagedBytes + bytes > limit) this.#handStaged();
    if (this.bytes.length >= limit) return;
    const larger = newBytes(limit, path);
    larger.set(this.bytes.subarray(0, this.#stagedBytes));
    const lengths = new Uint32Array(Math.floor(limit / STAGED_BYTES) + 1);
    lengths.set(this.#lengths.subarray(0, this.#stagedEntries));
    this.bytes = larger;
    this.view = viewOver(larger);
    this.#lengths = lengths;
  }

  #advance(lsn: number): void {
    if (lsn <= this.#durableLsn || this.#failure !== undefined) return;
    this.#durableLsn = lsn;
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => waiter.lsn > lsn);
    for (const waiter of waiters) if (waiter.lsn <= lsn) waiter.resolve();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    const { code } = error as { code?: unknown };
    this.#failure =
      code === 'ERR_POISONED' || code === 'ERR_LOG_CLOSED'
        ? error
        : plainError(
            'ERR_POISONED',
            `entries that were shown could not be written after LSN ${this.#durableLsn}; close the log and open it again`,
            error,
          );
    this.#stagedBytes = this.#stagedEntries = this.#room = 0;
    for (const { reject } of this.#waiters.splice(0)) reject(this.#failure);
    this.onFailure?.(this.#failure);
  }
}

function viewOver({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** Of a frame: its first entry has all bytes. */
function lengthsOf(bytes: number, entries: number): Uint32Array {
  const lengths = new Uint32Array(entries);
  lengths[0] = bytes;
  return lengths;
}

function busy(): Error {
  return plainError(
    'ERR_WRITER_BUSY',
    'a hook of the log runs inside of an append; append after it has returned',
  );
}
