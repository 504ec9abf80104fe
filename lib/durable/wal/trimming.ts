/**
 * Taking entries away at either end of a log: checkpoint and truncateAfter.
 *
 * 1. What waits for the disk is done by the committer, in order with what was
 *    appended before. Neither the event loop nor a worker that ends waits for
 *    more than the step that runs.
 * 2. The hooks are told of a file before it is deleted, and a file of which they
 *    were not told stays. They run on this thread, so a checkpoint with hooks
 *    takes two steps of the committer, and one such checkpoint begins after the
 *    other: none is told of a file that another is deleting.
 */
import type { NativeWal } from '../../../types/native';
import { walClosed } from './errors';
import { checkForce, checkLsn, type WalCheckpointOptions, type WalFile } from './options';
import type { WalQueue } from './queue';
import type { SealedFiles } from './sealed';

/** What is asked of the log. */
export interface TrimmedLog {
  readonly native: NativeWal;
  readonly queue: WalQueue;
  readonly sealed: SealedFiles;
  readonly isClosed: boolean;
  /** Files with numbers between the two. */
  files(after: number, before: number): WalFile[];
  /** Throws when no more calls are taken. */
  checkOpen(): void;
  /** Something was handed to the queue. */
  waiting(): void;
  /** Works on this thread, after what is queued. */
  now(work: (native: NativeWal) => number): number;
}

const ALL_FILES = Number.MAX_SAFE_INTEGER;

export class Trimming {
  readonly #log: TrimmedLog;
  /** The last checkpoint with hooks. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: TrimmedLog) {
    this.#log = log;
  }

  /** Resolves when the checkpoints that wait for hooks are done. */
  get idle(): Promise<unknown> {
    return this.#last;
  }

  checkpoint(lsn: number, options: WalCheckpointOptions | undefined): Promise<void> {
    checkLsn('lsn', lsn);
    const passesCursors = checkForce(options);
    this.#log.checkOpen();
    if (!this.#log.sealed.isToldOfDeletions) return this.#checkpoint(lsn, passesCursors, ALL_FILES);
    const done = this.#last.then(() => this.#checkpointWithHooks(lsn, passesCursors));
    this.#last = done.catch(() => undefined);
    return done;
  }

  checkpointSync(lsn: number, options?: WalCheckpointOptions): void {
    checkLsn('lsn', lsn);
    const passesCursors = checkForce(options);
    this.#log.now((native) => {
      native.commit();
      const keptFile = native.fileKept(lsn, passesCursors);
      this.#tell(keptFile);
      return native.checkpoint(lsn, passesCursors, keptFile);
    });
  }

  async truncateAfter(lsn: number): Promise<void> {
    checkLsn('lsn', lsn);
    this.#log.checkOpen();
    await this.#queued(this.#log.queue.truncateAfter(lsn));
  }

  truncateAfterSync(lsn: number): void {
    checkLsn('lsn', lsn);
    this.#log.now((native) => native.truncateAfter(lsn));
  }

  async #checkpointWithHooks(lsn: number, passesCursors: boolean): Promise<void> {
    this.#checkNotClosed();
    const keptFile = await this.#queued(this.#log.queue.fileKept(lsn, passesCursors));
    this.#tell(keptFile);
    await this.#checkpoint(lsn, passesCursors, keptFile);
  }

  async #checkpoint(lsn: number, passesCursors: boolean, keptFile: number): Promise<void> {
    await this.#queued(this.#log.queue.checkpoint(lsn, passesCursors, keptFile));
    this.#log.native.closeDeleted();
  }

  /** Tells the hooks of the files that are to go. They may close the log. */
  #tell(keptFile: number): void {
    this.#checkNotClosed();
    if (!this.#log.sealed.isToldOfDeletions) return;
    this.#log.sealed.beforeDelete(this.#log.files(0, keptFile));
    this.#checkNotClosed();
  }

  #queued<T>(done: Promise<T>): Promise<T> {
    this.#log.waiting();
    return done;
  }

  #checkNotClosed(): void {
    if (this.#log.isClosed) throw walClosed();
  }
}
