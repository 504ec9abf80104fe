import type { NativeLog } from '../types/native';
import { dispose } from './dispose';
import { plainError, rangeError, typeError, type AtomicLogError } from './errors';
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

  /** @internal */
  constructor(options: LogOptions | typeof attachToView, native?: NativeLog) {
    this.#view = LogView.of(options === attachToView ? native! : create(options));
    this.#view.addUser();
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
   * The right to append, or null while somebody else has it.
   *
   * @throws `ERR_LOG_CLOSED`, `ERR_MAPPING_UNAVAILABLE`
   */
  tryClaimWriter(): Writer<T> | null {
    const view = this.#open();
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
    this.#view.dropUser();
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

function create(options: LogOptions): NativeLog {
  const { retainedCapacity, segmentCapacity, layout } = checkOptions(options);
  const elementBytes = layout.kinds.map((kind) => scalars[kind]!.Array.BYTES_PER_ELEMENT);
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
