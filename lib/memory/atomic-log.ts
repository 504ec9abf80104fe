/** `AtomicLog`: what users call of a memory log; what it shares with its writer and snapshots is in view.ts. */
import { Arrival, BoundsField } from '../base/codes';
import { isMainThread } from '../base/threads';
import { checkSignal, throwIfAborted, waitUnlessAborted } from '../base/abort';
import { checkAmount, checkChoice, checkFlag, checkInteger, optionsOf } from '../base/checks';
import { readEntry } from './columns';
import { dispose, type Followed } from '../base/dispose';
import { plainError } from '../base/errors';
import {
  BatchSource,
  isWriterLost,
  logReplaced,
  REPLACED_LOOK_MS,
  type Batch,
  type CheckedFollowOptions,
  type FollowOptions,
} from './follower';
import { finishAll, FollowLoop, type Pending } from '../base/follow-loop';
import { makeHandle, type LogHandle, type NativeHandle } from './handle';
import { showAsText } from '../base/inspect';
import type { LogView } from './view';
import { typeNames } from '../base/scalar';
import { viewOfHandle, viewOfNewLog, type AttachOptions, type RecordAttachOptions } from './open-log';
import type { LogOptions } from './options';
import type { Schema } from './schema';
import { logIsReadOnly } from './native-log';
import { makeSnapshot, Snapshot } from './snapshot';
import { readStats, type LogStats } from './stats';
import type { MappingKind, WakeUps } from './storage';
import { now } from '../base/timers';
import { waitForClaim, waitForFirst, waitForTime } from '../base/waits';
import type { Window } from './window';
import { makeWriter, Writer } from './writer';

/** Indexes end there. */
const INDEX_MAX = Number.MAX_SAFE_INTEGER;
/** A native wait delays `worker.terminate()` for as long as it takes. */
const WAIT_SLICE_MS = 50;
/** How often it is looked whether there is a writer yet, by those who want to know when it is lost. */
const UNCLAIMED_SLICE_MS = 4;

/** For the library: in place of options, with the view. */
export const attachToView = Symbol('attachToView');
/** For the room of journaled logs. */
export const claimForJournal = Symbol('claimForJournal');

/**
 * A rolling window of entries in native memory: one writer appends, any number
 * of readers in any thread read the recent ones in place.
 *
 * ```ts
 * const { writer, log } = AtomicLog.claimed({ retainedCapacity: 1000, segmentCapacity: 100 });
 * writer.append(1);
 * ```
 *
 * After the Rust crate atomic-log 0.2.
 */
export class AtomicLog<T> {
  readonly #view: LogView;
  #isClosed = false;
  readonly #pending = new Set<Pending>();
  #handle: LogHandle<T> | undefined;

  /** @internal */
  constructor(options: LogOptions | typeof attachToView, view?: LogView) {
    this.#view = view ?? viewOfNewLog(options as LogOptions);
    this.#view.addUser(this);
  }

  /** Makes a log and claims its writer at once. */
  static claimed<T>(options: LogOptions): { writer: Writer<T>; log: AtomicLog<T> } {
    const log = new AtomicLog<T>(options);
    try {
      return { writer: log.tryClaimWriter()!, log };
    } catch (error) {
      log.close();
      throw error;
    }
  }

  /**
   * The log that a handle names, in this thread. It must be open where the handle
   * was read until this thread has attached.
   */
  static attach<T>(
    handle: LogHandle<T>,
    options: AttachOptions<T> | RecordAttachOptions<Schema> = {},
  ): AtomicLog<T> {
    return new AtomicLog<T>(attachToView, viewOfHandle(handle, options));
  }

  /**
   * What another thread needs to {@link attach}: plain data for `workerData` or
   * `postMessage`. Once it was read, the log lives until this object is closed or
   * this thread ends, also when the object is dropped.
   */
  get handle(): LogHandle<T> {
    if (this.#handle !== undefined) return this.#handle;
    const { id, token } = this.#view.native;
    this.#handle = makeHandle<T>(id, token, this.#view.storage.ownMemory);
    if (!this.#isClosed) this.#view.keepFor(this);
    return this.#handle;
  }

  /**
   * What an addon of your own needs to produce or consume entries on native
   * threads; see `atomic_log/atomic_log.h` in the folder `require('atomic-log/include')`.
   * Pass it to that addon in this thread. Once it was read, the log lives until this
   * object is closed or this thread ends, as with {@link handle}.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get nativeHandle(): NativeHandle {
    const view = this.#open();
    const handle = view.nativeHandle();
    view.keepFor(this);
    return handle;
  }

  /** Entries that stay readable, at least. */
  get retainedCapacity(): number {
    return this.#view.native.retainedCapacity;
  }

  /** Entries per segment. */
  get segmentCapacity(): number {
    return this.#view.native.segmentCapacity;
  }

  /** How this log's memory is shown to JavaScript. */
  get mapping(): MappingKind {
    return this.#view.storage.kind;
  }

  /**
   * How those who wait in this process (`follow()`, `waitSync()`) learn of what was published: `'immediate'`, they are
   * woken, or `'polled'`, they look every millisecond while entries come, and after a pause less often, at least every
   * 10 ms. That is so with `readOnly: true`, and where the system wakes no thread of another process (macOS before 14.4).
   */
  get wakeUps(): WakeUps {
    return this.#view.native.wakesAtOnce ? 'immediate' : 'polled';
  }

  /** Whether this object was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Whether a writer is claimed, in any thread, or any process where processes share the log.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get isWriterClaimed(): boolean {
    return this.#open().native.isClaimed();
  }

  /**
   * Absolute index of the oldest entry in the window.
   *
   * @throws `ERR_LOG_CLOSED`; `ERR_LOG_DAMAGED` where processes share it
   */
  get firstIndex(): number {
    return this.#open().bounds()[BoundsField.firstIndex]!;
  }

  /**
   * Absolute index after the newest published entry.
   *
   * @throws `ERR_LOG_CLOSED`; `ERR_LOG_DAMAGED` where processes share it
   */
  get endIndex(): number {
    return this.#open().bounds()[BoundsField.endIndex]!;
  }

  /**
   * Whether the writer ended the log: what it holds now is all.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get ended(): boolean {
    return this.#open().native.hasEnded();
  }

  /** Of a log that processes share: the random id of its file, which another one at the same path does not have. Else undefined. */
  get logId(): string | undefined {
    const { isOfProcesses, token } = this.#view.native;
    return isOfProcesses ? token : undefined;
  }

  /**
   * Whether the path of a log that processes share leads to another file by now, or to none, because that was
   * unlinked, moved or replaced: who opens the path does not find this log. No one is told of it by itself, and a writer
   * goes on: look from time to time, as the file system is asked each time. False for other logs, and where the system
   * does not tell. A log that was opened by several paths goes by the first.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get isReplaced(): boolean {
    return this.#open().native.isReplaced();
  }

  /**
   * The right to append, or null while another writer has it.
   *
   * @throws `ERR_LOG_ENDED`, `ERR_LOG_CLOSED`, `ERR_MAPPING_UNAVAILABLE`; `ERR_READ_ONLY` with `readOnly: true`;
   * `ERR_JOURNALED` for a log of `AtomicLog.open({ wal })`, which has its writer's calls itself
   */
  tryClaimWriter(): Writer<T> | null {
    if (this.#open().layout.journal !== undefined) {
      throw plainError(
        'ERR_JOURNALED',
        'the entries of this log go to a write-ahead log too; append with the JournaledLog that AtomicLog.open() has made',
      );
    }
    return this[claimForJournal]();
  }

  /** @internal */
  [claimForJournal](): Writer<T> | null {
    const view = this.#open();
    if (view.native.hasEnded()) {
      throw plainError(
        'ERR_LOG_ENDED',
        "the writer has ended this log; make a new one to go on, where processes share it with AtomicLog.open(path, { create: 'replace-ended' })",
      );
    }
    if (view.native.isReadOnly) throw logIsReadOnly();
    const native = view.native.tryClaim();
    return native === null ? null : Writer[makeWriter]<T>(this, view, native);
  }

  /**
   * A stable view of the window as it is now. Close it.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  snapshot(): Snapshot<T> {
    const view = this.#open();
    const lease = view.lease();
    return Snapshot[makeSnapshot]<T>(this, view, lease, view.readable(view.seenWord));
  }

  /**
   * The newest entry; undefined when there is none yet.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  latest(): T | undefined {
    // Without a snapshot: with it, all of this is more than the compiler takes in line.
    const view = this.#open();
    const lease = view.lease();
    const count = view.readable(view.seenWord);
    view.open(lease);
    try {
      return readNewest(view, lease.window, count) as T | undefined;
    } finally {
      view.close(lease);
    }
  }

  /**
   * Delivers what the window holds and then what comes, or all from where the
   * options say, as batches for `for await`. It waits without using the processor, keeps the event loop alive
   * while it waits, and ends when the writer called `end()` and everything was
   * delivered, or when this object is closed. An abort ends the waiting: the batch that
   * was delivered stays valid until the next `next()` or `return()`. The iterator is
   * also an `AsyncDisposable`, for `await using`.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`,
   * `ERR_OUT_OF_RANGE`; while iterating the signal's reason, `ERR_ENTRIES_LOST`, `ERR_WRITER_LOST`,
   * `ERR_FILE_REPLACED`
   */
  follow(options: FollowOptions = {}): Followed<Batch<T>> {
    const { from, signal, ...checked } = checkFollowOptions(options);
    const view = this.#open();
    const bounds = view.bounds();
    const firstIndex = bounds[BoundsField.firstIndex]!;
    const endIndex = bounds[BoundsField.endIndex]!;
    const start = from === 'latest' ? endIndex : from === 'oldest' ? firstIndex : from;
    return new FollowLoop(new BatchSource<T>(this, view, start, checked, this.#pending), signal);
  }

  /**
   * Blocks this thread until the entry with the absolute index `index` can be read,
   * that is until `log.endIndex > index`, the log has ended, or `timeoutMs` are over. With
   * `whenWriterLost: 'return'` also until no one has the writer's claim any more, as `follow()` has it: the result is
   * `'writer-lost'` then. Promises and timers of this thread wait as long; `worker.terminate()` by at most 50 ms.
   *
   * @throws `ERR_MAIN_THREAD` unless `allowMainThread` is set; `ERR_LOG_CLOSED`,
   * `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  waitSync(
    index: number,
    timeoutMs?: number,
    options?: { allowMainThread?: boolean; whenWriterLost?: 'wait' },
  ): 'ready' | 'timeout' | 'ended';
  waitSync(
    index: number,
    timeoutMs: number | undefined,
    options: { allowMainThread?: boolean; whenWriterLost?: 'wait' | 'return' },
  ): 'ready' | 'timeout' | 'ended' | 'writer-lost';
  waitSync(
    index: number,
    timeoutMs = Infinity,
    options: { allowMainThread?: boolean; whenWriterLost?: 'wait' | 'return' } = {},
  ): 'ready' | 'timeout' | 'ended' | 'writer-lost' {
    const { allowMainThread, whenWriterLost } = optionsOf('options', options, [
      'allowMainThread',
      'whenWriterLost',
    ]);
    const returnsWhenLost =
      checkChoice('options.whenWriterLost', whenWriterLost, ['wait', 'return']) === 'return';
    const view = this.#open();
    const { native } = view;
    checkInteger('index', index, 0, INDEX_MAX);
    checkAmount('timeoutMs', timeoutMs, 'milliseconds');
    if (!checkFlag('options.allowMainThread', allowMainThread) && isMainThread()) {
      throw plainError(
        'ERR_MAIN_THREAD',
        'waitSync() would block the main thread; follow() the log, or pass { allowMainThread: true }',
      );
    }
    // While this thread sleeps its turn does not end, and a writer may need what a closed snapshot still pins.
    view.dropIdleWindow();
    const deadline = now() + timeoutMs;
    for (;;) {
      const left = deadline - now();
      // Before the look at the log: what was published before the loss is there then.
      const isLost = returnsWhenLost && isWriterLost(view);
      const tellsOfLoss = returnsWhenLost && native.isClaimed();
      const sliceMs = returnsWhenLost && !tellsOfLoss ? UNCLAIMED_SLICE_MS : WAIT_SLICE_MS;
      const waitMs = isLost ? 0 : Math.max(0, Math.min(sliceMs, Math.ceil(left)));
      const result = native.waitSlice(index, waitMs, tellsOfLoss);
      if (result === Arrival.ready) return 'ready';
      if (result === Arrival.ended) return 'ended';
      if (isLost) return 'writer-lost';
      if (left <= 0) return 'timeout';
    }
  }

  /**
   * The right to append, as soon as it is free: for fail-over. With `whenReplaced: 'throw'` only while others find the
   * log, as `follow()` has it: it rejects with `ERR_FILE_REPLACED` when the log {@link isReplaced}.
   *
   * @throws (rejects) `ERR_LOG_ENDED`, `ERR_LOG_CLOSED`, `ERR_READ_ONLY`, `ERR_JOURNALED`, the signal's reason; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`;
   * `ERR_FILE_REPLACED`
   */
  async waitForWriter(
    options: { signal?: AbortSignal; whenReplaced?: 'wait' | 'throw' } = {},
  ): Promise<Writer<T>> {
    const given = optionsOf('options', options, ['signal', 'whenReplaced']);
    const signal = checkSignal(given.signal);
    const throws = checkChoice('options.whenReplaced', given.whenReplaced, ['wait', 'throw']) === 'throw';
    for (;;) {
      throwIfAborted(signal);
      if (throws && this.isReplaced) throw logReplaced();
      const writer = this.tryClaimWriter();
      if (writer !== null) return writer;
      const claim = waitForClaim(this.#open().native);
      if (claim === undefined) {
        // It became free just now, and another may get it; or the system refuses the lock. Timers and signals go on.
        await waitUnlessAborted(waitForTime(1), signal);
        continue;
      }
      const wait = throws ? waitForFirst(claim, waitForTime(REPLACED_LOOK_MS)) : claim;
      const pending: Pending = { finish: wait.cancel };
      this.#pending.add(pending);
      await waitUnlessAborted(wait, signal);
      this.#pending.delete(pending);
    }
  }

  /**
   * What the log holds now.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  stats(): LogStats {
    const { native, layout } = this.#open();
    return readStats(native, layout);
  }

  /** Closes this object only: snapshots and writers that were taken stay valid. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    finishAll(this.#pending);
    this.#view.dropUser(this);
  }

  [dispose](): void {
    this.close();
  }

  /** For people: what `console.log` shows. */
  toString(): string {
    const { layout, native } = this.#view;
    const kinds = layout.kinds.map((kind) => typeNames[kind]!);
    const type =
      layout.fields?.map((field, i) => `${field}: ${kinds[i]}`).join(', ') ?? layout.coder?.name ?? kinds[0]!;
    const name = layout.name === undefined ? '' : ` '${layout.name}'`;
    const state = this.#isClosed ? 'closed' : `entries [${this.firstIndex}, ${this.endIndex})`;
    return (
      `AtomicLog<${type}>${name} { ${state}, ` +
      `retainedCapacity: ${native.retainedCapacity}, segmentCapacity: ${native.segmentCapacity} }`
    );
  }

  #open(): LogView {
    if (this.#isClosed) {
      throw plainError(
        'ERR_LOG_CLOSED',
        'this AtomicLog is closed; attach to its handle while it is open elsewhere, or open its path again',
      );
    }
    return this.#view;
  }
}

/** Reads each option once. */
export function checkFollowOptions(options: unknown): CheckedFollowOptions {
  const names = ['from', 'signal', 'batchEntriesMax', 'onLost', 'whenWriterLost', 'whenReplaced'] as const;
  const given = optionsOf('options', options, names);
  const { from = 'oldest', signal, batchEntriesMax = Infinity, onLost, whenWriterLost, whenReplaced } = given;
  return {
    from:
      from === 'latest' || from === 'oldest'
        ? from
        : checkInteger("options.from, unless it is 'oldest' or 'latest',", from, 0, INDEX_MAX),
    signal: checkSignal(signal),
    batchEntriesMax:
      batchEntriesMax === Infinity ? Infinity : checkInteger('options.batchEntriesMax', batchEntriesMax, 1),
    throwsWhenLost: checkChoice('options.onLost', onLost, ['report', 'throw']) === 'throw',
    whenWriterLost: checkChoice('options.whenWriterLost', whenWriterLost, ['wait', 'end', 'throw']),
    whenReplaced: checkChoice('options.whenReplaced', whenReplaced, ['wait', 'end', 'throw']),
  };
}

/** `headCount`: entries of the head, which has none when it has just begun. */
function readNewest(view: LogView, window: Window, headCount: number): unknown {
  const { head, segments } = window;
  if (headCount === 0 && head.firstIndex === window.firstIndex) return undefined;
  const segment = headCount > 0 ? head : segments[segments.length - 2]!;
  const position = headCount > 0 ? headCount : head.firstIndex - segment.firstIndex;
  return readEntry(view.layout, view.pins.attached(segment), position - 1);
}

showAsText(AtomicLog);
