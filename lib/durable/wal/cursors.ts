/** The cursors of a log, as its writer has them. */
import { Outcome, WalCounter } from '../../base/codes';
import type { NativeFailure, NativeWal, NativeWalCursor } from '../../../types/native';
import { addon } from '../../base/native';
import { checkCursorName, cursorOf, cursorOptions, pooled, type CursorLog, type WalCursor } from './cursor';
import { listCursors, type WalCursorInfo } from './cursor-list';
import { cursorError, walClosed, walError } from './errors';
import { hexOf } from './position';
import type { WalQueue } from './queue';

/** What is asked of the log. */
export interface LogOfCursors {
  readonly native: NativeWal;
  readonly queue: WalQueue;
  readonly logId: string;
  readonly options: { readonly path: string };
  readonly isClosed: boolean;
  checkOpen(): void;
  count(counter: WalCounter): number;
  now(work: (native: NativeWal) => number): number;
  /** Something was handed to the queue. */
  waiting(): void;
  failure(): Error;
}

type Opened = NativeWalCursor | NativeFailure;

export class LogCursors implements CursorLog {
  readonly #log: LogOfCursors;
  /** Those that are open; they are closed with the log. */
  readonly #open = new Set<WalCursor>();

  constructor(log: LogOfCursors) {
    this.#log = log;
  }

  async open(name: unknown, options: unknown): Promise<WalCursor> {
    const checked = cursorOptions(this.#log.options.path, name, options);
    this.#log.checkOpen();
    let native = await pooled(addon.openWalCursor(checked));
    if (this.#lacksPlace(native)) native = await pooled(addon.openWalCursor(checked));
    if (this.#log.isClosed && !('outcome' in native)) {
      native.close();
      throw walClosed();
    }
    return this.#add(native, checked);
  }

  openSync(name: unknown, options: unknown): WalCursor {
    const checked = cursorOptions(this.#log.options.path, name, options);
    this.#log.checkOpen();
    let native = addon.openWalCursorSync(checked);
    if (this.#lacksPlace(native)) native = addon.openWalCursorSync(checked);
    return this.#add(native, checked);
  }

  list(): WalCursorInfo[] {
    this.#log.checkOpen();
    const lastLsn = this.lastLsn();
    const lastLsnNow = (): number => this.lastLsn();
    return listCursors(this.#log.options.path, { logId: this.#log.logId, lastLsn, lastLsnNow });
  }

  async delete(name: unknown): Promise<boolean> {
    this.#log.checkOpen();
    return wasThere(await pooled(addon.deleteWalCursor(this.#deletion(name))), checkCursorName(name));
  }

  deleteSync(name: unknown): boolean {
    this.#log.checkOpen();
    return wasThere(addon.deleteWalCursorSync(this.#deletion(name)), checkCursorName(name));
  }

  /** After the commits that were called. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open, (cursor) => cursor.close()));
  }

  closeSync(): void {
    for (const cursor of [...this.#open]) cursor.closeSync();
  }

  // --- CursorLog

  lastLsn(): number {
    return this.#log.count(WalCounter.lastLsn);
  }

  async makeDurable(lsn: number): Promise<number> {
    if (this.#log.isClosed) throw walClosed();
    const durable = this.#log.count(WalCounter.durableLsn);
    if (lsn <= durable || lsn > this.lastLsn()) return durable;
    const done = this.#log.queue.sync((last) => last);
    this.#log.waiting();
    return done;
  }

  makeDurableSync(lsn: number): number {
    const durable = this.#log.count(WalCounter.durableLsn);
    return lsn <= durable || lsn > this.lastLsn() ? durable : this.#log.now((native) => native.sync());
  }

  closed(cursor: WalCursor): void {
    this.#open.delete(cursor);
  }

  /** Whether there was no place for cursors, and is one now: only the writer may make it. */
  #lacksPlace(native: Opened): boolean {
    if (!('outcome' in native) || native.outcome !== Outcome.cursorsLocked) return false;
    if (this.#log.isClosed) throw walClosed();
    if (this.#log.native.makeCursors() < 0) throw this.#log.failure();
    return true;
  }

  #add(native: Opened, options: { path: string; name: string }): WalCursor {
    if (!('outcome' in native) && hexOf(native.logId) !== this.#log.logId) {
      native.close();
      throw walError({ outcome: Outcome.replaced, path: options.path } as NativeFailure);
    }
    const cursor = cursorOf(native, options, this);
    this.#open.add(cursor);
    return cursor;
  }

  #deletion(name: unknown) {
    return cursorOptions(this.#log.options.path, name, {});
  }
}

function wasThere(result: boolean | NativeFailure, name: string): boolean {
  if (typeof result === 'object') throw cursorError(result, name);
  return result;
}
