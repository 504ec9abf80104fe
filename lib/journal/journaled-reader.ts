/**
 * A journaled log for readers, in any thread: `AtomicLog.attach(handle, { wal })`.
 *
 * 1. What is in the window is read in memory, and what has left it from the disk, by a WalReader of this thread.
 * 2. From the disk comes only what is proved to be there. Entries that have left the window before that are waited for;
 *    the owner is asked to sync them. What it cannot write any more is an error.
 */
import { illegalConstructor, plainError, typeError } from '../base/errors';
import type { Followed } from '../base/dispose';
import { finishAll, type Pending } from '../base/follow-loop';
import { showAsText } from '../base/inspect';
import { checkPath } from '../durable/options';
import { WalReader } from '../durable/wal/reader';
import { attachToView, AtomicLog } from '../memory/atomic-log';
import type { Batch, FollowOptions } from '../memory/follower';
import { viewOfHandle } from '../memory/open-log';
import type { LogView } from '../memory/view';
import { followJournaled } from './handover';
import { checkMetadata, layoutNumber } from './metadata';
import { oldestOf } from './replay';

const makeReader = Symbol('makeReader');

/**
 * A log of `AtomicLog.open()` in another thread, with what has left the window: from
 * {@link AtomicLogConstructor.attach} with the option `wal`. Close it: it holds files open.
 *
 * ```ts
 * const log = AtomicLog.attach(workerData.handle, { wal: 'trades' });
 * for await (const batch of log.follow({ from: 0 })) console.log(batch.firstIndex, batch.length);
 * ```
 */
export class JournaledReader<T> extends AtomicLog<T> {
  readonly #view: LogView;
  readonly #reader: WalReader;
  readonly #base: number;
  readonly #pending = new Set<Pending>();
  /** Whether the owner had closed the log before the disk was looked at last. */
  #hadEnded = false;

  private constructor(key: typeof makeReader, view: LogView, reader: WalReader) {
    if (key !== makeReader) throw illegalConstructor('JournaledReader', 'AtomicLog.attach(handle, { wal })');
    super(attachToView, view);
    this.#view = view;
    this.#reader = reader;
    try {
      this.#base = baseOf(view, reader);
    } catch (error) {
      super.close();
      throw error;
    }
  }

  /** @internal */
  static over<T>(handle: unknown, options: unknown, wal: unknown): JournaledReader<T> {
    const reader = WalReader.open(checkPath(wal, 'options.wal'));
    try {
      return new JournaledReader<T>(makeReader, viewOfHandle(handle, options), reader);
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  /** The directory of the write-ahead log. */
  get path(): string {
    return this.#reader.path;
  }

  /** LSN of the entry with index 0: that with index `i` has LSN `base + i` in the write-ahead log. */
  get base(): number {
    return this.#base;
  }

  /**
   * Absolute index of the oldest entry on disk, from where {@link follow} can begin.
   *
   * @throws as `WalReader.refresh()`
   */
  get oldestIndex(): number {
    return oldestOf(this.#reader) - this.#base;
  }

  /**
   * As {@link JournaledLog.follow}: what has left the window is read from the disk, in the same index space, without gap
   * or repetition.
   *
   * @throws as `AtomicLog.follow()`; while iterating `ERR_NOT_DURABLE` for entries that have left the window of a log
   * that its owner has closed, or lost, before they were on disk; as `WalReader.entries()`
   */
  override follow(options: FollowOptions = {}): Followed<Batch<T>> {
    const view = this.#view;
    return followJournaled<T>(this, view, options, {
      pending: this.#pending,
      oldestIndex: () => this.oldestIndex,
      replayed: () => ({
        reader: this.#reader,
        layout: view.layout,
        layoutNumber: layoutNumber(view.layout),
        base: this.#base,
        mapping: this.mapping,
      }),
      failure: (next) => (this.#hadEnded ? notDurable(this.path, next) : undefined),
      starve: () => {
        this.#hadEnded = view.native.hasEnded();
        view.native.request();
      },
      endsWithFailure: (wait) => wait,
    });
  }

  /** As `AtomicLog.close()`, and closes the files. Idempotent. */
  override close(): void {
    super.close();
    this.#reader.close();
    finishAll(this.#pending);
  }
}

/** LSN of the entry with index 0. */
function baseOf(view: LogView, reader: WalReader): number {
  const { journal } = view.layout;
  const { path, logId } = reader;
  if (journal === undefined) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      'the log of the handle has no write-ahead log; attach without the option "wal"',
    );
  }
  if (logId !== journal) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `options.wal must be the directory of the log ${journal}, whose handle it is; ${path} has ` +
        (logId === undefined ? 'no log' : `the log ${logId}`),
    );
  }
  return checkMetadata(path, reader.metadata, view.layout);
}

function notDurable(path: string, index: number): Error {
  return plainError(
    'ERR_NOT_DURABLE',
    `${path}: the log has ended, and entry ${index}, which has left the window, is not known to be on disk; ` +
      'open the log again with AtomicLog.open(), then follow that one',
  );
}

showAsText(JournaledReader);
