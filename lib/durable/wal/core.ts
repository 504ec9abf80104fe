/**
 * What the parts of an open log share: its native half, its queue, its counters,
 * and whether it is still open.
 *
 * 1. A log that something is waiting for is neither collected, nor does the event
 *    loop end before it is done. Any other may be collected, which closes it.
 * 2. After `closed()` nothing is handed to the native half but reads of counters.
 */
import { WAL_COUNTERS, WalCounter } from '../../base/codes';
import type { NativeFailure, NativeWal } from '../../../types/native';
import { finishAll, type Pending } from '../../base/follow-loop';
import { queueMicrotask } from '../../base/timers';
import { Listener, waitForCancel, type Wait } from '../../base/waits';
import type { EntrySource } from './entries';
import { orThrowWal, walClosed, walError } from './errors';
import { LogCursors } from './cursors';
import { FileTable } from './files';
import type { CheckedWalOptions, WalFile } from './options';
import { hexOf } from './position';
import { WalQueue } from './queue';
import { SealedFiles } from './sealed';
import { Trimming } from './trimming';

/** Logs that something waits for must not be collected. */
const busy = new Set<WalCore>();
const listeners = new FinalizationRegistry<Listener>((listener) => listener.remove());

/** Wakes a log without keeping it alive. */
export class Notifier {
  core: WeakRef<WalCore> | undefined;
  readonly listener = new Listener(() => this.core?.deref()?.settle());
}

export class WalCore {
  readonly native: NativeWal;
  readonly options: CheckedWalOptions;
  readonly queue: WalQueue;
  readonly sealed: SealedFiles;
  readonly trimming: Trimming;
  readonly entryBytesMax: number;
  readonly logId: string;
  readonly #listener: Listener;
  readonly #counters = new Float64Array(WAL_COUNTERS);
  /** Followers that wait, for close() to end; and their waits, for whatever may have moved. */
  readonly pending = new Set<Pending>();
  readonly #waits = new Set<Wait>();
  readonly cursors: LogCursors;
  #isClosed = false;
  /** No more calls are taken, but what was called before goes on. */
  isClosing = false;

  constructor(native: NativeWal, options: CheckedWalOptions, notifier: Notifier) {
    this.native = native;
    this.options = options;
    this.queue = new WalQueue(native, options.bytesInFlightMax);
    this.entryBytesMax = Math.min(options.entryBytesMax, native.entryBytesMax);
    this.logId = hexOf(native.logId);
    this.#listener = notifier.listener;
    notifier.core = new WeakRef(this);
    listeners.register(this, notifier.listener, this);
    this.trimming = new Trimming(this);
    this.cursors = new LogCursors(this);
    this.sealed = new SealedFiles(options, {
      isOpen: () => !this.#isClosed && !this.isClosing,
      rotations: () => this.count(WalCounter.rotations),
      table: () => this.fileTable(),
      files: (after, before) => this.files(after, before),
      firstLsn: () => this.count(WalCounter.firstLsn),
      checkpoint: async (lsn) => this.trimming.checkpoint(lsn, undefined),
      checkpointSync: (lsn) => this.trimming.checkpointSync(lsn),
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** All of them as they are now, until the next call. */
  counters(): Float64Array {
    this.queue.handWritten();
    this.native.counters(this.#counters);
    return this.#counters;
  }

  count(counter: WalCounter): number {
    return this.counters()[counter]!;
  }

  fileTable(): FileTable {
    this.queue.handWritten();
    return new FileTable(orThrowWal(this.native.files()));
  }

  /** Files with numbers between the two, oldest first. */
  files(after?: number, before?: number): WalFile[] {
    return this.fileTable().filesOf(this.options.path, this.count(WalCounter.lastLsn), after, before);
  }

  checkOpen(): void {
    if (this.#isClosed || this.isClosing) throw walClosed();
  }

  readonly source = (): EntrySource => {
    this.checkOpen();
    const { native, logId, options } = this;
    const { path } = options;
    return {
      native,
      logId,
      path,
      firstLsn: this.count(WalCounter.firstLsn),
      lastLsn: this.count(WalCounter.lastLsn),
    };
  };

  /** Until something may have changed. */
  wait(): Wait {
    const wait = waitForCancel(() => this.#waits.delete(wait));
    this.#waits.add(wait);
    return wait;
  }

  /** Whether something waits: then the log stays, and the event loop turns. */
  waiting(): void {
    const { isBusy } = this.queue;
    this.#listener.isHolding = isBusy;
    if (isBusy) busy.add(this);
    else busy.delete(this);
  }

  /** Works on this thread, after what was appended before. */
  now(work: (native: NativeWal) => number): number {
    this.checkOpen();
    this.queue.submit();
    const result = work(this.native);
    if (result < 0) throw this.failure();
    this.#wakeFollowers();
    this.sealed.notice();
    return result;
  }

  #wakeFollowers(): void {
    if (this.#waits.size === 0) return;
    for (const wait of [...this.#waits]) wait.cancel();
  }

  failure(): Error {
    return walError(this.native.failure());
  }

  /** The committer has completed something, or something else may have moved. */
  settle(): void {
    this.queue.settle();
    this.waiting();
    // After those whose promises were settled just now.
    queueMicrotask(this.#tellOthers);
  }

  readonly #tellOthers = (): void => {
    this.#wakeFollowers();
    this.sealed.notice();
  };

  /** Resolves when nothing is left to write that closing would wait for; what comes later is refused. */
  async finish(): Promise<void> {
    if (this.#isClosed) return;
    this.isClosing = true;
    await this.cursors.close();
    await this.trimming.idle;
    if (this.#isClosed) return;
    const done = this.queue.finish();
    this.waiting();
    try {
      await done;
    } catch (error) {
      // close() was called meanwhile. Otherwise it will tell: it does what is left, with or without a committer.
      if (this.#isClosed) throw error;
    }
  }

  /**
   * Writes what is left, on this thread, and settles every promise.
   *
   * @throws `ERR_POISONED`; the log is closed all the same
   */
  close(): void {
    if (this.#isClosed) return;
    this.cursors.closeSync();
    this.queue.submit();
    this.sealed.finish();
    // A hook may have done it.
    if (this.#isClosed) return;
    const failure = this.native.close() < 0 ? this.failure() : undefined;
    this.#isClosed = true;
    finishAll(this.pending);
    // What was queued may have completed another file.
    this.sealed.finish();
    this.settle();
    this.queue.rejectAll(() => failure ?? walClosed());
    this.waiting();
    this.#listener.remove();
    listeners.unregister(this);
    if (failure !== undefined) throw failure;
  }
}

/** The log that the addon has opened. */
export function coreOf(
  native: NativeWal | NativeFailure,
  options: CheckedWalOptions,
  notifier: Notifier,
): WalCore {
  if (!('outcome' in native)) return new WalCore(native, options, notifier);
  notifier.listener.remove();
  throw walError(native, { isOpen: false });
}
