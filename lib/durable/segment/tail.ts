/** `SegmentTail`: follows a segment file that another process writes. */
import { dispose, type Followed } from '../../base/dispose';
import { codeOf, illegalConstructor, plainError } from '../../base/errors';
import { finishAll, FollowLoop, type Pending } from '../../base/follow-loop';
import { showAsText } from '../../base/inspect';
import { checkOffset } from '../options';
import { checkSegmentOptions, type SegmentOptions } from './options';
import { checkPlace, SegmentReader } from './reader';
import type { SegmentRecord } from './record';
import { checkSignal } from '../../base/abort';
import { checkInteger, optionsOf } from '../../base/checks';
import { waitForTime } from '../../base/waits';

/** How {@link SegmentTail.open} begins. */
export interface SegmentTailOptions extends SegmentOptions {
  /** The first record to deliver. Default: the first of the file. */
  from?: number;
  /** Compressed data that would be more is refused. Default: 64 MiB. */
  dataBytesMax?: number;
}

/** How {@link SegmentTail.follow} waits. */
export interface SegmentFollowOptions {
  /** Milliseconds between two looks at the file. Default: 20. */
  pollMs?: number;
  /** Ends the wait; the iterator rejects with its reason. */
  signal?: AbortSignal;
}

const POLL_MS = 20;
const POLL_MS_MAX = 2 ** 31 - 1;
const openTail = Symbol('openTail');

/**
 * Follows a segment file that another process writes: its intact records, one
 * after the other. Records are copies.
 *
 * It sees what the system has, not what is durable: after a power failure the
 * last records may be gone, and after `setLength()` of the writer a record that
 * was delivered is not in the file any more. Within one process,
 * `SegmentReader` with the writer's `flushedOffset` sees neither.
 *
 * ```ts
 * using tail = SegmentTail.open('events.seg');
 * for await (const record of tail.follow({ signal })) handle(record.data);
 * ```
 */
export class SegmentTail {
  readonly #reader: SegmentReader;
  readonly #records: IterableIterator<SegmentRecord>;
  readonly #pending = new Set<Pending>();
  #offset: number;
  #isClosed = false;

  private constructor(key: typeof openTail, reader: SegmentReader, from: number) {
    if (key !== openTail) throw illegalConstructor('SegmentTail', 'SegmentTail.open()');
    this.#reader = reader;
    this.#records = reader.records(from);
    this.#offset = from;
  }

  /**
   * Opens a file for following.
   *
   * @throws as `SegmentReader.open()`
   */
  static open(path: string, options?: SegmentTailOptions): SegmentTail {
    const { from, ...given } = checkSegmentOptions(options);
    const first = from === undefined ? undefined : checkOffset('options.from', from);
    const reader = SegmentReader.open(path, { ...given, mode: 'pread' });
    return new SegmentTail(openTail, reader, first ?? (given as SegmentOptions).startOffset ?? 0);
  }

  /** Where the next record will be. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * The next record, or undefined when there is none yet: the log ends here, or
   * the record is being written. A damaged record looks like one that is being
   * written forever.
   *
   * @throws `ERR_FILE_REPLACED` after the last record of a file that was moved,
   * deleted or replaced by another one: open the path again; `ERR_IO`,
   * `ERR_READER_CLOSED`
   */
  next(): SegmentRecord | undefined {
    const record = this.#next();
    if (record !== undefined) return record;
    try {
      this.#reader[checkPlace]();
      return undefined;
    } catch (error) {
      // What came before the file lost its name is delivered first.
      const last = this.#next();
      if (last === undefined) throw error;
      return last;
    }
  }

  #next(): SegmentRecord | undefined {
    let result: IteratorResult<SegmentRecord, undefined>;
    try {
      result = this.#records.next();
    } catch (error) {
      if (codeOf(error) === 'ERR_CHECKSUM_MISMATCH') return undefined;
      throw error;
    }
    if (result.done === true) return undefined;
    this.#offset = result.value.offset + result.value.length;
    return result.value;
  }

  /**
   * The records that come: it waits where {@link next} has none. Ends when the
   * tail is closed.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`,
   * `ERR_READER_CLOSED`; the iterator as {@link next}, and with the signal's reason
   */
  follow(options?: SegmentFollowOptions): Followed<SegmentRecord> {
    const { pollMs = POLL_MS, signal } = optionsOf('options', options, ['pollMs', 'signal']);
    const waitMs = checkInteger('options.pollMs', pollMs, 1, POLL_MS_MAX);
    const checkedSignal = checkSignal(signal);
    this.#checkOpen();
    const source = {
      pending: this.#pending,
      isClosed: () => this.#isClosed,
      take: () => this.next(),
      wait: () => waitForTime(waitMs),
    };
    return new FollowLoop(source, checkedSignal);
  }

  /** Closes the file, and ends every follower. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#reader.close();
    finishAll(this.#pending);
  }

  [dispose](): void {
    this.close();
  }

  /** For people: the file, and where the next record will be. */
  toString(): string {
    return `SegmentTail { offset: ${this.#offset}, reader: ${this.#reader.toString()} }`;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw plainError('ERR_READER_CLOSED', 'the tail is closed; open another one');
  }
}

showAsText(SegmentTail);
