/**
 * A log in memory whose entries are in a write-ahead log too.
 *
 * 1. The entry with index i has LSN base + i; base is a constant of the log.
 * 2. An entry is stored where it lies in memory, then taken by the journal, then published: what can refuse it comes
 *    first, and nothing after it can.
 * 3. So what readers see is in the order of the write-ahead log, and on disk soon after: `durableIndex` says how far.
 */
import { checkInteger } from '../base/checks';
import { asyncDispose, dispose, type Followed } from '../base/dispose';
import { codeOf, illegalConstructor, outOfRange } from '../base/errors';
import { finishAll, type Pending } from '../base/follow-loop';
import { showAsText } from '../base/inspect';
import { setImmediate } from '../base/timers';
import { Listener, type Wait } from '../base/waits';
import type { Journal } from '../durable/wal/journal';
import type { WalCheckpointOptions } from '../durable/wal/options';
import type { WalRecovery } from '../durable/wal/reports';
import { journalOf, Wal } from '../durable/wal/wal';
import { attachToView, AtomicLog, claimForJournal } from '../memory/atomic-log';
import type { Entries } from '../memory/batch';
import type { Batch, FollowOptions } from '../memory/follower';
import { makeView } from '../memory/open-log';
import type { Span } from '../memory/span';
import type { LogView } from '../memory/view';
import { endLog, isTaking, journalEntries, stopStoring, type Writer } from '../memory/writer';
import { taking } from '../memory/writer-errors';
import { FrameWriter } from './frame';
import { followJournaled } from './handover';
import { checkFound, checkMetadata, layoutNumber, metadataOf } from './metadata';
import { checkJournaledOptions, type CheckedJournaled } from './options';
import { rebuild } from './rebuild';
import { firstOf, isCheckpointed, type Replayed, type ReplayedLog } from './replay';

const makeJournaled = Symbol('makeJournaled');
/** Of logs that were dropped. */
const listeners = new FinalizationRegistry<Listener>((listener) => listener.remove());

/**
 * A log in memory whose entries are in a write-ahead log too, from {@link AtomicLogConstructor.open}. It is its own writer.
 * Readers in all threads see it as any log, by its `handle`; after a restart the window is made again from the
 * newest entries, and indexes go on.
 *
 * ```ts
 * await using log = await AtomicLog.open({ wal: 'trades', schema, retainedCapacity: 1e6, segmentCapacity: 1e4 });
 * const index = log.append({ time: 1, price: 101.5 });
 * await log.durable(index);
 * ```
 */
export class JournaledLog<T> extends AtomicLog<T> {
  readonly #view: LogView;
  readonly #wal: Wal;
  readonly #journal: Journal;
  readonly #writer: Writer<T>;
  readonly #base: number;
  readonly #layoutNumber: number;
  readonly #pending = new Set<Pending>();
  /** What followers wait for. */
  readonly #waits = new Set<Wait>();
  /** The first entry that can be read is not the first that is kept when a cursor stands within a frame. */
  #oldest = { firstLsn: 0, lsn: 0 };
  readonly #reader: ReplayedLog;
  /** Is told when a reader in another thread waits for what is not proved to be on disk. */
  readonly #listener: Listener;
  #closing: Promise<void> | undefined;

  private constructor(
    key: typeof makeJournaled,
    view: LogView,
    wal: Wal,
    { base, number }: { base: number; number: number },
  ) {
    if (key !== makeJournaled) throw illegalConstructor('JournaledLog', 'AtomicLog.open()');
    super(attachToView, view);
    this.#view = view;
    this.#wal = wal;
    this.#reader = ownLog(wal);
    this.#base = base;
    this.#layoutNumber = number;
    this.#writer = this[claimForJournal]()!;
    this.#journal = wal[journalOf]();
    this.#journal.onFailure = () => {
      for (const wait of [...this.#waits]) wait.cancel();
    };
    this.#listener = JournaledLog.#listenerOf(new WeakRef(this));
    listeners.register(this, this.#listener, this);
    view.native.waitForRequest(this.#listener.id);
  }

  /** A function by itself: one in the constructor would keep the log. */
  static #listenerOf<T>(log: WeakRef<JournaledLog<T>>): Listener {
    return new Listener(() => {
      const requested = log.deref();
      if (requested !== undefined) requested.#requested();
    });
  }

  #requested(): void {
    // For the next one first: it may come at once.
    this.#view.native.waitForRequest(this.#listener.id);
    this.#journal.requestSync();
  }

  /** @internal */
  static async make<T>(options: unknown): Promise<JournaledLog<T>> {
    const checked = checkJournaledOptions(options, true);
    checkFound(checked.path, checked.memory.layout);
    const wal = await Wal.open(checked.path, JournaledLog.#walOptions(checked));
    try {
      const log = JournaledLog.#over<T>(wal, checked);
      for (const _ of log.#rebuild()) await new Promise((resolve) => setImmediate(resolve));
      return log;
    } catch (error) {
      await wal.close().catch(() => undefined);
      throw error;
    }
  }

  /** @internal */
  static makeSync<T>(options: unknown): JournaledLog<T> {
    const checked = checkJournaledOptions(options, false);
    checkFound(checked.path, checked.memory.layout);
    const wal = Wal.openSync(checked.path, JournaledLog.#walOptions(checked));
    try {
      const log = JournaledLog.#over<T>(wal, checked);
      for (const _ of log.#rebuild());
      return log;
    } catch (error) {
      closeQuietly(wal);
      throw error;
    }
  }

  static #walOptions({ wal, memory }: CheckedJournaled): object {
    const { firstLsn = 1 } = wal;
    return { ...wal, metadata: metadataOf(memory.layout, firstLsn) };
  }

  static #over<T>(wal: Wal, { path, memory }: CheckedJournaled): JournaledLog<T> {
    const { retainedCapacity } = memory;
    const layout = { ...memory.layout, journal: wal.logId };
    const base = checkMetadata(path, wal.metadata, layout);
    const firstIndex = firstOf(wal, retainedCapacity) - base;
    const number = layoutNumber(layout);
    return new JournaledLog<T>(makeJournaled, makeView({ ...memory, layout, firstIndex }), wal, {
      base,
      number,
    });
  }

  *#rebuild(): IterableIterator<void> {
    const writer = this.#writer;
    const { layout } = this.#view;
    try {
      yield* rebuild(writer, { wal: this.#wal, layout, layoutNumber: this.#layoutNumber, base: this.#base });
      writer[journalEntries](new FrameWriter(this.#journal, layout.kinds, this.#layoutNumber, this.#base));
      this.#journal.begun();
    } catch (error) {
      writer.close();
      super.close();
      throw error;
    }
  }

  /** The directory of the write-ahead log. */
  get path(): string {
    return this.#wal.path;
  }

  /** Names the log and its copies: as `Wal.logId`. */
  override get logId(): string {
    return this.#wal.logId;
  }

  /** What opening found on disk. */
  get recovery(): WalRecovery {
    return this.#wal.recovery;
  }

  /** LSN of the entry with index 0: that with index `i` has LSN `base + i` in the write-ahead log. */
  get base(): number {
    return this.#base;
  }

  /** Absolute index of the oldest entry on disk, from where {@link follow} can begin. */
  get oldestIndex(): number {
    const { firstLsn } = this.#wal;
    if (firstLsn !== this.#oldest.firstLsn && !this.isClosed) {
      try {
        this.#oldest = { firstLsn, lsn: firstOf(this.#wal, Infinity) };
      } catch {
        // A checkpoint is dropping it now, or the disk does not say.
      }
    }
    return Math.max(firstLsn, this.#oldest.lsn) - this.#base;
  }

  /** Absolute index after the newest entry that is on disk. What comes after it, a crash may take back. */
  get durableIndex(): number {
    return this.#journal.durableLsn + 1 - this.#base;
  }

  /** Absolute index that the next entry gets. */
  get nextIndex(): number {
    return this.#writer.nextIndex;
  }

  /**
   * Stores one entry, has the write-ahead log take it, and publishes it, staged entries first. Returns its absolute
   * index. It becomes as durable as the log's `durability` says, without being waited for: {@link durable} does.
   *
   * @throws as {@link Writer.append}, and what refuses it on disk: `ERR_NO_SPACE`, `ERR_POISONED`,
   * `ERR_ENTRY_TOO_LARGE`, `ERR_FILE_ACCESS`, `ERR_TOO_MANY_FILES`, `ERR_OUT_OF_MEMORY`; nothing has changed then
   */
  append(value: T): number {
    return this.#writer.append(value);
  }

  /**
   * As {@link Writer.appendBatch}. What lies in one segment of the window is written in one piece, and comes back
   * whole after a crash or not at all, unless it is larger than a batch of the write-ahead log may be. When the disk
   * refuses a part, those before are kept: {@link nextIndex} says how far.
   *
   * @throws as {@link Writer.appendBatch} and {@link append}
   */
  appendBatch(entries: Entries<T>): number {
    return this.#writer.appendBatch(entries);
  }

  /**
   * Stores one entry without publishing it, and so without writing it to disk: as {@link Writer.write}.
   *
   * @throws as {@link append}
   */
  write(value: T): number {
    return this.#writer.write(value);
  }

  /**
   * Has the write-ahead log take every entry that was stored, in one piece, and makes them readable.
   *
   * @throws `ERR_WRITER_CLOSED`; what refuses them on disk, as {@link append}: they stay staged then
   */
  publish(): void {
    this.#writer.publish();
  }

  /** As {@link Writer.reserve}. */
  reserve(count: number): Span<T> {
    return this.#writer.reserve(count);
  }

  /** As {@link Writer.commit}; when the disk refuses the entries, the span has ended all the same. */
  commit(count: number): number {
    return this.#writer.commit(count);
  }

  /**
   * Resolves when the entry with the absolute index `index`, and all before it, are on disk.
   *
   * @throws (rejects) `ERR_OUT_OF_RANGE` for an entry that was not published, `ERR_INVALID_ARG_TYPE`;
   * `ERR_POISONED` when it did not become durable; `ERR_LOG_CLOSED`
   */
  async durable(index: number): Promise<void> {
    checkInteger('index', index, 0);
    const end = this.#journal.nextLsn - this.#base;
    if (index >= end) throw outOfRange('index', `below ${end}, the index of the next entry`, index);
    await this.#journal.durable(index + this.#base);
  }

  /**
   * Makes everything durable that was published before, and resolves with {@link durableIndex}.
   *
   * @throws (rejects) `ERR_POISONED`, `ERR_LOG_CLOSED`
   */
  async sync(): Promise<number> {
    await this.#journal.durable(this.#journal.nextLsn - 1);
    return this.durableIndex;
  }

  /**
   * As `AtomicLog.follow()`, but from any entry on disk: `'oldest'` (default) is {@link oldestIndex}, and what
   * has left the window is read from the disk, also for a follower that was too slow. Entries are lost only if a
   * checkpoint dropped them.
   *
   * @throws as `AtomicLog.follow()`; while iterating `ERR_POISONED` after all that was published, once nothing
   * can become durable any more; `ERR_CORRUPT`, `ERR_IO`, `ERR_DIRECTORY_REPLACED`, `ERR_TOO_MANY_FILES`
   */
  override follow(options: FollowOptions = {}): Followed<Batch<T>> {
    return followJournaled<T>(this, this.#view, options, {
      pending: this.#pending,
      oldestIndex: () => this.oldestIndex,
      replayed: () => this.#replayed(),
      failure: () => this.#journal.failure,
      starve: () => this.#journal.requestSync(),
      endsWithFailure: (wait) => {
        this.#waits.add(wait);
        void wait.done.then(() => this.#waits.delete(wait));
        return wait;
      },
    });
  }

  /**
   * Drops the entries before `index` from the disk, durably, a file at a time: as {@link Wal.checkpoint}. It stops
   * before what the window holds, so that the next opening finds it, and before the slowest cursor; `force` passes
   * both.
   *
   * @throws (rejects) as {@link Wal.checkpoint}
   */
  async checkpoint(index: number, options: WalCheckpointOptions = {}): Promise<void> {
    checkInteger('index', index, 0);
    const { endIndex, firstIndex } = this;
    const end = Math.min(index, options.force === true ? endIndex : firstIndex);
    const next = Math.max(end + this.#base, 1);
    // The rest of a frame would be lost with its beginning; where that is, the disk says.
    await this.#journal.durable(Math.min(next, this.#journal.nextLsn - 1));
    await this.#wal.checkpoint(this.#frameOf(next) - 1, options);
  }

  /** LSN of the first entry of the frame that the entry is in; its own, if it is not there any more, or not yet. */
  #frameOf(lsn: number): number {
    if (lsn < this.#wal.firstLsn) return lsn;
    try {
      return this.#wal.get(lsn)?.batch?.first ?? lsn;
    } catch (error) {
      // Another checkpoint, or retention, is dropping it now.
      if (isCheckpointed(error)) return lsn;
      throw error;
    }
  }

  /**
   * Publishes what is staged, makes everything durable, ends the log for readers in all threads, and closes it.
   * Idempotent. `await using` calls it. In a hook that runs inside of an append it waits until that has returned.
   *
   * @throws (rejects) `ERR_POISONED`, or what refuses the staged entries, when not everything became durable; the
   * log is closed all the same
   */
  // eslint-disable-next-line @typescript-eslint/no-misused-promises -- one who takes it for any log need not wait
  override close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // What the journal has taken is published first: microtasks run when the append has returned.
    if (this.#writer[isTaking]) await Promise.resolve();
    if (this.isClosed) return;
    const refusal = this.#end();
    let failure: Error | undefined;
    try {
      await this.#wal.close();
    } catch (error) {
      failure = error as Error;
    }
    this.#finish(failure, refusal);
  }

  /**
   * As {@link close}, on this thread. `using` calls it.
   *
   * @throws as {@link close}; `ERR_WRITER_BUSY` in a hook that runs inside of an append: the log stays open then
   */
  closeSync(): void {
    if (this.isClosed) return;
    if (this.#writer[isTaking]) throw taking('close the log');
    const refusal = this.#end();
    let failure: Error | undefined;
    try {
      this.#wal.closeSync();
    } catch (error) {
      failure = error as Error;
    }
    this.#finish(failure, refusal);
  }

  override [dispose](): void {
    this.closeSync();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** No more entries come. Returns what refused the last ones. */
  #end(): Error | undefined {
    let refusal: Error | undefined;
    try {
      this.#writer.publish();
    } catch (error) {
      if (codeOf(error) !== 'ERR_WRITER_CLOSED') refusal = error as Error;
    }
    this.#writer[stopStoring]();
    return refusal;
  }

  #finish(failure: Error | undefined, refusal: Error | undefined): void {
    this.#journal.closed(failure);
    // Readers in other threads know then that nothing more will be on disk.
    this.#writer[endLog]();
    this.#listener.remove();
    listeners.unregister(this);
    this.#view.native.cancelWait(this.#listener.id);
    super.close();
    finishAll(this.#pending);
    const error = refusal ?? failure;
    if (error !== undefined) throw error;
  }

  #replayed(): Replayed {
    return {
      reader: this.#reader,
      layout: this.#view.layout,
      layoutNumber: this.#layoutNumber,
      base: this.#base,
      mapping: this.mapping,
    };
  }
}

/** Read by the writer itself: a `WalReader` would look through the newest file first, which takes as long as it is large. */
function ownLog(wal: Wal): ReplayedLog {
  return {
    path: wal.path,
    get firstLsn() {
      return wal.firstLsn;
    },
    get lastLsn() {
      return wal.durableLsn;
    },
    refresh: () => undefined,
    get: (lsn) => wal.get(lsn),
    entries: (range) => wal.entries(range),
  };
}

function closeQuietly(wal: Wal): void {
  try {
    wal.closeSync();
  } catch {
    // What failed before says more.
  }
}

showAsText(JournaledLog);
