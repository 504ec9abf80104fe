import type { NativeLog } from '../types/native';
import { checkSignal } from './signals';
import { dispose } from './dispose';
import { isMainThread } from 'node:worker_threads';
import {
  describe,
  invalidType,
  outOfRange,
  plainError,
  rangeError,
  typeError,
  type AtomicLogError,
} from './errors';
import {
  Follower,
  type Batch,
  type CheckedFollowOptions,
  type FollowOptions,
  type Pending,
} from './follower';
import { checkHandle, makeHandle, type LogHandle } from './handle';
import { LogView } from './log-view';
import { addon } from './native';
import { scalars } from './scalar';
import {
  checkOptions,
  encodeLayout,
  type BigIntLogOptions,
  type LogOptions,
  type NumberLogOptions,
  type RecordLogOptions,
  type RecordOf,
  type Schema,
} from './schema';
import { makeSnapshot, Snapshot } from './snapshot';
import { waitForClaim } from './waits';
import { makeWriter, Writer } from './writer';

/** What `stats()` returns. Segments and bytes are of the whole log unless said otherwise. */
export interface LogStats {
  /** The log's name, if it was given one. */
  name: string | undefined;
  /** Segments in the window. */
  retainedSegments: number;
  /** Segments that are no longer in the window, but pinned by a reader somewhere. */
  pinnedSegments: number;
  /** Segments that wait to be used again. */
  idleSegments: number;
  /** Bytes of one segment. */
  segmentBytes: number;
  /** Bytes of all segments that hold memory: retained, pinned, and idle ones that were not given back. */
  bytes: number;
  /** Bytes of the segments that are kept only because readers pin them. */
  pinnedBytes: number;
  /** Segments that this environment pins, inside the window or not. */
  pinnedHere: number;
  /** Segments that were filled and sealed. */
  rolls: number;
  /** Segments begun in recycled memory. */
  recycled: number;
  /** Segments begun in fresh memory. */
  fresh: number;
}

/** A native wait delays `worker.terminate()` for as long as it takes. */
const WAIT_SLICE_MS = 50;

const attachToView = Symbol('attachToView');

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
class AtomicLogImpl<T> {
  readonly #view: LogView;
  #isClosed = false;
  readonly #pending = new Set<Pending>();

  /** @internal */
  constructor(options: LogOptions | typeof attachToView, native?: NativeLog) {
    this.#view = LogView.of(options === attachToView ? native! : create(options));
    this.#view.addUser(this);
  }

  /** Makes a log and claims its writer at once. */
  static claimed<T>(options: LogOptions): { writer: Writer<T>; log: AtomicLogImpl<T> } {
    const log = new AtomicLogImpl<T>(options);
    try {
      return { writer: log.tryClaimWriter()!, log };
    } catch (error) {
      log.close();
      throw error;
    }
  }

  /**
   * The log that a handle names, in this thread. A handle keeps nothing alive:
   * keep the log open where it was made until the others have attached.
   *
   * @throws `ERR_INVALID_HANDLE`, `ERR_FOREIGN_HANDLE`, `ERR_LOG_GONE`
   */
  static attach<T>(handle: LogHandle<T>): AtomicLogImpl<T> {
    const { id, token } = checkHandle(handle);
    const native = addon.attachLog(id, token);
    if (typeof native === 'number') throw attachFailed(native);
    return new AtomicLogImpl<T>(attachToView, native);
  }

  /**
   * What another thread needs to {@link attach}: plain data for `workerData` or
   * `postMessage`.
   */
  get handle(): LogHandle<T> {
    const { id, token } = this.#view.native;
    return makeHandle<T>(id, token);
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
  get mapping(): 'external' {
    return 'external';
  }

  /** Whether this object was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Whether a writer is claimed, in whatever thread.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get isWriterClaimed(): boolean {
    return this.#open().native.isClaimed();
  }

  /**
   * Absolute index of the oldest entry in the window.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get firstIndex(): number {
    return this.#open().bounds()[0]!;
  }

  /**
   * Absolute index after the newest published entry.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get endIndex(): number {
    return this.#open().bounds()[1]!;
  }

  /**
   * Whether the writer ended the log: what it holds now is all.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  get ended(): boolean {
    return this.#open().native.hasEnded();
  }

  /**
   * The right to append, or null while somebody else has it.
   *
   * @throws `ERR_LOG_ENDED`, `ERR_LOG_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  tryClaimWriter(): Writer<T> | null {
    const view = this.#open();
    if (view.native.hasEnded()) {
      throw plainError('ERR_LOG_ENDED', 'the writer has ended this log; make a new one to go on');
    }
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
    const snapshot = this.snapshot();
    try {
      return snapshot.at(-1);
    } finally {
      snapshot.close();
    }
  }

  /**
   * The entries from now on, or from where the options say, as batches for
   * `for await`. It waits without using the processor, keeps the event loop alive
   * while it waits, and ends when the writer called `end()` and everything was
   * delivered, or when this object is closed.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`,
   * `ERR_OUT_OF_RANGE`; while iterating the signal's reason, `ERR_ENTRIES_LOST`
   */
  follow(options: FollowOptions = {}): AsyncIterableIterator<Batch<T>> {
    const { from, ...checked } = checkFollowOptions(options);
    const view = this.#open();
    const [firstIndex, endIndex] = view.bounds() as unknown as [number, number];
    const start = from === 'latest' ? endIndex : from === 'oldest' ? firstIndex : from;
    return new Follower<T>(this, view, start, checked, this.#pending);
  }

  /**
   * Blocks this thread until entry `endIndex` can be read, that is until
   * `log.endIndex > endIndex`, the log has ended, or `timeoutMs` are over. Promises
   * and timers of this thread wait as long; `worker.terminate()` by at most 50 ms.
   *
   * @throws `ERR_MAIN_THREAD` unless `allowMainThread` is set; `ERR_LOG_CLOSED`,
   * `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  waitSync(
    endIndex: number,
    timeoutMs = Infinity,
    options: { allowMainThread?: boolean } = {},
  ): 'ready' | 'timeout' | 'ended' {
    checkObject('options', options);
    const { allowMainThread = false } = options;
    const { native } = this.#open();
    checkIndex('endIndex', endIndex);
    if (typeof timeoutMs !== 'number') throw invalidType('timeoutMs', 'a number of milliseconds', timeoutMs);
    if (!(timeoutMs >= 0)) throw outOfRange('timeoutMs', 'at least 0', timeoutMs);
    if (isMainThread && !allowMainThread) {
      throw plainError(
        'ERR_MAIN_THREAD',
        'waitSync() would block the main thread; follow() the log, or pass { allowMainThread: true }',
      );
    }
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const left = deadline - performance.now();
      const result = native.waitSlice(endIndex, Math.max(0, Math.min(WAIT_SLICE_MS, Math.ceil(left))));
      if (result === 1) return 'ready';
      if (result === 2) return 'ended';
      if (left <= 0) return 'timeout';
    }
  }

  /**
   * The right to append, as soon as it is free: for fail-over.
   *
   * @throws `ERR_LOG_CLOSED`; it rejects with `ERR_LOG_ENDED`, `ERR_LOG_CLOSED` (while waiting) or the signal's reason
   */
  async waitForWriter(options: { signal?: AbortSignal } = {}): Promise<Writer<T>> {
    checkObject('options', options);
    const { signal } = options;
    checkSignal(signal);
    for (;;) {
      signal?.throwIfAborted();
      const writer = this.tryClaimWriter();
      if (writer !== null) return writer;
      const wait = waitForClaim(this.#open().native);
      if (wait === undefined) continue;
      signal?.addEventListener('abort', wait.cancel, { once: true });
      const pending: Pending = { finish: wait.cancel };
      this.#pending.add(pending);
      await wait.done;
      this.#pending.delete(pending);
      signal?.removeEventListener('abort', wait.cancel);
    }
  }

  /**
   * What the log holds now.
   *
   * @throws `ERR_LOG_CLOSED`
   */
  stats(): LogStats {
    const { native, layout } = this.#open();
    const { segments, retained, idle, decommitted, fresh, recycled, rolls, pinnedHere } = native.stats();
    const segmentBytes = native.blockBytes;
    // The figures are read one after the other while the writer goes on.
    const pinnedSegments = Math.max(0, segments - retained - idle);
    return {
      name: layout.name,
      retainedSegments: retained,
      pinnedSegments,
      idleSegments: idle,
      segmentBytes,
      bytes: (segments - decommitted) * segmentBytes,
      pinnedBytes: pinnedSegments * segmentBytes,
      pinnedHere,
      rolls,
      recycled,
      fresh,
    };
  }

  /** Closes this object only: snapshots and writers that were taken stay valid. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const pending of [...this.#pending]) pending.finish();
    this.#view.dropUser(this);
  }

  [dispose](): void {
    this.close();
  }

  /** For people: what `console.log` shows. */
  toString(): string {
    const { layout, native } = this.#view;
    const kinds = layout.kinds.map((kind) => scalars[kind]!.type);
    const type = layout.fields?.map((field, i) => `${field}: ${kinds[i]}`).join(', ') ?? kinds[0]!;
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
        'this AtomicLog is closed; attach to its handle while it is open elsewhere',
      );
    }
    return this.#view;
  }
}

function checkIndex(what: string, value: unknown): asserts value is number {
  const expected = 'an index from 0 to 2 ** 53 - 1';
  if (typeof value !== 'number') throw invalidType(what, expected, value);
  if (!Number.isSafeInteger(value) || value < 0) throw outOfRange(what, expected, value);
}

function checkObject(what: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw invalidType(what, 'an object', value);
}

/** Reads each option once. */
function checkFollowOptions(options: FollowOptions): CheckedFollowOptions {
  checkObject('options', options);
  const { from = 'latest', signal, maxBatch, onLost } = options;
  if (from !== 'latest' && from !== 'oldest')
    checkIndex("options.from, unless it is 'latest' or 'oldest',", from);
  checkSignal(signal);
  if (maxBatch !== undefined && maxBatch !== Infinity) {
    if (typeof maxBatch !== 'number') throw invalidType('options.maxBatch', 'a positive integer', maxBatch);
    if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) {
      throw outOfRange('options.maxBatch', 'a positive integer', maxBatch);
    }
  }
  if (onLost !== undefined && onLost !== 'report' && onLost !== 'throw') {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `options.onLost must be 'report' or 'throw'; got ${describe(onLost)}`,
    );
  }
  return { from, signal, maxBatch, throwsWhenLost: onLost === 'throw' };
}

function create(options: LogOptions): NativeLog {
  const { retainedCapacity, segmentCapacity, layout } = checkOptions(options);
  const elementBytes = Uint32Array.from(layout.kinds, (kind) => scalars[kind]!.Array.BYTES_PER_ELEMENT);
  const native = addon.createLog(retainedCapacity, segmentCapacity, elementBytes, encodeLayout(layout));
  if (typeof native !== 'number') return native;
  throw native === -1
    ? plainError(
        'ERR_OUT_OF_MEMORY',
        'the system refused memory for the first segment; choose a smaller segmentCapacity',
      )
    : rangeError('ERR_OUT_OF_RANGE', 'the log would be larger than the addon can address');
}

function attachFailed(status: number): AtomicLogError {
  return status === -3
    ? plainError(
        'ERR_LOG_GONE',
        'the log is gone: a handle keeps nothing alive, so keep the log open until all have attached',
      )
    : typeError(
        'ERR_INVALID_HANDLE',
        'the handle names no log of this process; pass on log.handle unchanged',
      );
}

/**
 * The constructor of logs. The element type follows from the options: numbers,
 * bigints (`type: 'i64'`) or records (`schema`).
 */
export interface AtomicLogConstructor {
  new (options: NumberLogOptions): AtomicLog<number>;
  new (options: BigIntLogOptions): AtomicLog<bigint>;
  new <S extends Schema>(options: RecordLogOptions<S>): AtomicLog<RecordOf<S>>;
  readonly prototype: AtomicLog<unknown>;
  /** Makes a log and claims its writer at once. */
  claimed(options: NumberLogOptions): { writer: Writer<number>; log: AtomicLog<number> };
  claimed(options: BigIntLogOptions): { writer: Writer<bigint>; log: AtomicLog<bigint> };
  claimed<S extends Schema>(
    options: RecordLogOptions<S>,
  ): { writer: Writer<RecordOf<S>>; log: AtomicLog<RecordOf<S>> };
  /**
   * The log that a handle names, in this thread. A handle keeps nothing alive:
   * keep the log open where it was made until the others have attached.
   *
   * @throws `ERR_INVALID_HANDLE`, `ERR_FOREIGN_HANDLE`, `ERR_LOG_GONE`
   */
  attach<T>(handle: LogHandle<T>): AtomicLog<T>;
}

export type AtomicLog<T> = AtomicLogImpl<T>;
export const AtomicLog = AtomicLogImpl as unknown as AtomicLogConstructor;
Object.defineProperty(AtomicLogImpl, 'name', { value: 'AtomicLog' });
Object.defineProperty(AtomicLogImpl.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value: AtomicLogImpl.prototype.toString,
});
