/**
 * What happens to files that are complete: the user is told of each, and
 * retention deletes the oldest.
 *
 * 1. Files are announced oldest first, each once by this object, all that were
 *    there when the log was opened too: the process that sealed them may have been killed
 *    before it said so.
 * 2. Retention and checkpoints delete only what was announced.
 * 3. What a hook throws ends nothing: the file stays, and it is tried again when
 *    the next one is complete.
 * 4. Hooks run between the turns of the user's code, and the committer deletes what
 *    retention drops, one checkpoint after the other; but in a long synchronous run,
 *    where it would never take place otherwise, both happen at once.
 */
import type { AsyncResource } from 'node:async_hooks';
import { types } from 'node:util';

import { codeOf, describe } from '../../base/errors';
import { setImmediate, queueMicrotask } from '../../base/timers';
import type { FileTable } from './files';
import type { CheckedWalOptions, WalFile } from './options';

/** What is asked of the log. */
export interface SealedSource {
  isOpen(): boolean;
  rotations(): number;
  table(): FileTable;
  /** Files with numbers between the two, oldest first. */
  files(after: number, before?: number): WalFile[];
  firstLsn(): number;
  /** By the committer. */
  checkpoint(lsn: number): Promise<void>;
  checkpointSync(lsn: number): void;
}

type Hooks = Pick<CheckedWalOptions, 'path' | 'retainBytes' | 'onSegmentSealed' | 'beforeDelete' | 'onError'>;

export class SealedFiles {
  readonly #hooks: Hooks;
  readonly #source: SealedSource;
  /** Hooks run in the context of the call that opened the log. */
  readonly #context: AsyncResource | undefined;
  /** The newest file that was announced. */
  #announced = 0;
  /** Rotations that were seen to; -1 while files are there that were complete before. */
  #seen = -1;
  #isScheduled = false;
  #isWorking = false;
  #isHeld = false;
  /** The committer is dropping files; and whether there was more to drop meanwhile. */
  #isDropping = false;
  #hasMore = false;
  #hasWarned = false;

  constructor(options: CheckedWalOptions, source: SealedSource) {
    this.#hooks = options;
    this.#source = source;
    this.#context = options.context;
    if (!this.#isWanted) return;
    if (source.table().length < 2) this.#seen = source.rotations();
    // Not before the caller has got the log.
    else setImmediate(() => this.#runScheduled());
  }

  /** Whether a hook is told before files are deleted. */
  get isToldOfDeletions(): boolean {
    const { onSegmentSealed, beforeDelete } = this.#hooks;
    return onSegmentSealed !== undefined || beforeDelete !== undefined;
  }

  get #isWanted(): boolean {
    const { onSegmentSealed, retainBytes } = this.#hooks;
    return onSegmentSealed !== undefined || retainBytes !== Infinity;
  }

  /** Entries are being read that must stay: no file is announced or deleted until release(). */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    if (this.#isWanted) setImmediate(() => this.#runScheduled());
  }

  /** Something was done that may have completed a file. */
  notice(): void {
    if (!this.#isWanted) return;
    const rotations = this.#source.rotations();
    if (rotations === this.#seen) return;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      queueMicrotask(() => this.#runScheduled());
    } else if (this.#hooks.retainBytes !== Infinity && rotations > Math.max(this.#seen, 0) + 1) {
      // The second file in one turn of the user's code.
      this.#work(() => this.#retainSync());
    }
  }

  /** The log is being closed, or is closed: nothing is deleted any more. */
  finish(): void {
    if (this.#hooks.onSegmentSealed !== undefined && !this.#isWorking) this.#announce();
  }

  /**
   * Files are about to be deleted.
   *
   * @throws what a hook throws: then they must stay
   */
  beforeDelete(files: readonly WalFile[]): void {
    const { onSegmentSealed, beforeDelete } = this.#hooks;
    if (onSegmentSealed !== undefined) {
      for (const file of files) this.#announceOne(file);
    }
    if (beforeDelete === undefined) return;
    for (const file of files) {
      // What was told of an earlier one may have deleted this one, by a checkpoint of its own.
      if (file.number >= this.#source.table().numberOf(0)) this.#run(beforeDelete, file);
    }
  }

  #runScheduled(): void {
    this.#isScheduled = false;
    if (this.#isHeld) return;
    if (this.#source.isOpen() && this.#source.rotations() !== this.#seen) this.#work(() => this.#retain());
  }

  #work(retain: () => void): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#seen = this.#source.rotations();
    try {
      this.#announce();
      if (this.#hooks.retainBytes !== Infinity && this.#source.isOpen()) retain();
    } catch (error) {
      // The system has no memory for the list of files. Who appended must be told of the append.
      this.#warn(error);
    } finally {
      this.#isWorking = false;
    }
  }

  #announce(): void {
    if (this.#hooks.onSegmentSealed === undefined) return;
    for (const file of this.#source.files(this.#announced).slice(0, -1)) {
      try {
        this.#announceOne(file);
      } catch (error) {
        this.#report(error, file);
        return;
      }
    }
  }

  #announceOne(file: WalFile): void {
    const before = this.#announced;
    if (file.number <= before) return;
    // Before the call, which may checkpoint the file that it is told of.
    this.#announced = file.number;
    try {
      this.#run(this.#hooks.onSegmentSealed!, file);
    } catch (error) {
      this.#announced = before;
      throw error;
    }
  }

  #retainSync(): void {
    const lsn = this.#lsnToDrop();
    if (lsn === undefined) return;
    try {
      this.#source.checkpointSync(lsn);
    } catch (error) {
      this.#failedToDrop(error);
    }
  }

  #retain(): void {
    if (this.#isDropping) {
      this.#hasMore = true;
      return;
    }
    const lsn = this.#lsnToDrop();
    if (lsn === undefined) return;
    this.#isDropping = true;
    void this.#drop(lsn);
  }

  async #drop(lsn: number): Promise<void> {
    try {
      await this.#source.checkpoint(lsn);
    } catch (error) {
      this.#failedToDrop(error);
    }
    this.#isDropping = false;
    if (!this.#hasMore) return;
    this.#hasMore = false;
    if (this.#source.isOpen()) this.#work(() => this.#retain());
  }

  #failedToDrop(error: unknown): void {
    // The log was closed meanwhile.
    if (!this.#source.isOpen()) return;
    if (codeOf(error) === 'ERR_THREAD_UNAVAILABLE') {
      this.#retainSync();
      return;
    }
    try {
      const [oldest] = this.#source.files(0, this.#source.table().numberOf(0) + 1);
      this.#report(error, oldest!);
    } catch {
      // The system has no memory for the list of files.
      this.#warn(error);
    }
  }

  /** Entries up to there are to go; undefined for none. */
  #lsnToDrop(): number | undefined {
    const files = this.#source.table();
    let bytes = 0;
    for (let i = 0; i < files.length; ++i) bytes += files.usedBytesOf(i);
    const announced = this.#hooks.onSegmentSealed === undefined ? Infinity : this.#announced;
    let going = 0;
    while (
      bytes > this.#hooks.retainBytes &&
      going < files.length - 1 &&
      files.numberOf(going) <= announced
    ) {
      bytes -= files.usedBytesOf(going++);
    }
    // A truncation begins a file below earlier ones: what stays begins with the lowest.
    let first = Infinity;
    for (let i = going; i < files.length; ++i) first = Math.min(first, files.firstLsnOf(i));
    return going === 0 || first - 1 < this.#source.firstLsn() ? undefined : first - 1;
  }

  #run(hook: (file: WalFile) => unknown, file: WalFile): void {
    const result: unknown = this.#context!.runInAsyncScope(hook, undefined, file);
    // No one waits for a promise, but what it rejects with must not end the process.
    if (types.isPromise(result)) result.catch((error: unknown) => this.#report(error, file));
  }

  #report(error: unknown, file: WalFile): void {
    const { onError } = this.#hooks;
    if (onError === undefined) {
      this.#warn(error, file);
      return;
    }
    try {
      const result: unknown = this.#context!.runInAsyncScope(onError, undefined, error, file);
      if (types.isPromise(result)) result.catch((reason: unknown) => this.#warn(reason, file));
    } catch (thrown) {
      this.#warn(thrown, file);
    }
  }

  #warn(error: unknown, file?: WalFile): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(
      `${this.#hooks.path}: files of the log are kept, because a hook or a checkpoint failed: ${textOf(error)}; ` +
        'it is tried again with the next file (the option onError is told each time)',
      { code: 'ATOMIC_LOG_FILES_KEPT', detail: file?.path ?? this.#hooks.path },
    );
  }
}

/** What was thrown, for people. It may be anything. */
function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return describe(error);
  }
}
