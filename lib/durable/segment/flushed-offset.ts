/** `FlushedOffset`: how far a segment file is durable, told to readers in any thread. */
import { checkAmount, checkFlag, optionsOf } from '../../base/checks';
import { isMainThread } from '../../base/threads';
import { plainError, typeError } from '../../base/errors';
import { showAsText } from '../../base/inspect';
import { now } from '../../base/timers';
import { checkOffset } from '../options';

/** Names a {@link FlushedOffset} for another thread: plain data, for `workerData` and `postMessage`. */
export interface FlushedOffsetHandle {
  readonly kind: 'segment-flushed-offset';
  readonly cells: SharedArrayBuffer;
}

const CELLS = 2;

const sharedByteLength = Object.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'byteLength')!.get!;

/** Bytes of a SharedArrayBuffer of any realm; -1 for anything else. */
function sharedBytes(value: unknown): number {
  try {
    return sharedByteLength.call(value) as number;
  } catch {
    return -1;
  }
}

/**
 * How far a segment file is durable. Its writer moves it, with `sync()` and
 * `setLength()`; readers that were given it never read beyond.
 *
 * ```ts
 * new Worker('./reader.js', { workerData: writer.flushedOffset.handle });
 * // there: SegmentReader.open(path, { flushed: workerData });
 * ```
 */
export class FlushedOffset {
  /**
   * The offset, and the generation of the bytes below it, as in
   * core/durable/segment/flushed_offset.h.
   *
   * @internal
   */
  readonly cells: BigInt64Array;

  /** A new one; a writer brings its own. */
  constructor() {
    this.cells = new BigInt64Array(new SharedArrayBuffer(CELLS * 8));
  }

  /**
   * The one that a handle names.
   *
   * @throws `ERR_INVALID_HANDLE`
   */
  static attach(handle: FlushedOffsetHandle): FlushedOffset {
    const { kind, cells } = (typeof handle === 'object' && handle !== null ? handle : {}) as {
      kind?: unknown;
      cells?: unknown;
    };
    if (kind !== 'segment-flushed-offset' || sharedBytes(cells) < CELLS * 8) {
      throw typeError(
        'ERR_INVALID_HANDLE',
        'the handle is not that of a flushed offset; post writer.flushedOffset.handle',
      );
    }
    const attached = new FlushedOffset();
    (attached as { cells: BigInt64Array }).cells = new BigInt64Array(cells as SharedArrayBuffer, 0, CELLS);
    return attached;
  }

  /** Bytes of the file that are durable: records below it survive a power failure. */
  get value(): number {
    return Number(Atomics.load(this.cells, 0));
  }

  /** For other threads of this process. */
  get handle(): FlushedOffsetHandle {
    return { kind: 'segment-flushed-offset', cells: this.cells.buffer as SharedArrayBuffer };
  }

  /**
   * Blocks this thread, with its promises and timers, until more than `beyond`
   * bytes are durable: `'ready'`, or `'timeout'`.
   *
   * @throws `ERR_MAIN_THREAD` unless `allowMainThread` is set;
   * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  waitSync(
    beyond: number,
    timeoutMs = Infinity,
    options: { allowMainThread?: boolean } = {},
  ): 'ready' | 'timeout' {
    const { allowMainThread } = optionsOf('options', options, ['allowMainThread']);
    checkOffset('beyond', beyond);
    checkAmount('timeoutMs', timeoutMs, 'milliseconds');
    if (!checkFlag('options.allowMainThread', allowMainThread) && isMainThread()) {
      throw plainError(
        'ERR_MAIN_THREAD',
        'waitSync() would block the main thread; wait in a worker, or pass { allowMainThread: true }',
      );
    }
    const end = now() + timeoutMs;
    for (;;) {
      const value = Atomics.load(this.cells, 0);
      if (Number(value) > beyond) return 'ready';
      const left = end - now();
      if (left <= 0) return 'timeout';
      Atomics.wait(this.cells, 0, value, left);
    }
  }

  /** For people. */
  toString(): string {
    return `FlushedOffset { value: ${this.value} }`;
  }

  /**
   * Wakes those that wait; the writer has moved it.
   *
   * @internal
   */
  notify(): void {
    Atomics.notify(this.cells, 0);
  }
}

showAsText(FlushedOffset);

/** The cells of what a user gave as `flushed`. */
export function checkFlushed(value: unknown): FlushedOffset | undefined {
  if (value === undefined) return undefined;
  return value instanceof FlushedOffset ? value : FlushedOffset.attach(value as FlushedOffsetHandle);
}
