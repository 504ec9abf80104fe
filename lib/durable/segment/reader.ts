/** `SegmentReader`: reads the records of a segment file in place, below what is durable. */
import {
  BODY_BYTES_MAX,
  COMPRESSED_BIT,
  FOUND_FIELDS,
  FoundField,
  HEAD_BYTES,
  Outcome,
  ReadHint as NativeHint,
} from '../../base/codes';
import type { NativeSegmentReader } from '../../../types/native';
import { checkChoice } from '../../base/checks';
import { dispose } from '../../base/dispose';
import { illegalConstructor, plainError } from '../../base/errors';
import { checkFlushed, type FlushedOffset, type FlushedOffsetHandle } from './flushed-offset';
import { showAsText } from '../../base/inspect';
import { addon } from '../../base/native';
import { newBytes, outsideOfRecords, segmentError } from '../errors';
import { checkOffset, checkPath } from '../options';
import {
  checkFormat,
  checkSegmentOptions,
  DATA_BYTES_MAX,
  orThrow,
  type SegmentFormat,
  type SegmentOptions,
} from './options';
import { makeRecord, SegmentRecord, type RecordBytes } from './record';

/** How a {@link SegmentReader} reads. */
export interface SegmentReaderOptions extends SegmentOptions {
  /** Nothing beyond it is read. Without it, the whole file is, synced or not. */
  flushed?: FlushedOffset | FlushedOffsetHandle;
  /**
   * `'mmap'` (the default) maps the file: records are views of the mapping.
   * `'pread'` reads, and copies. A file that cannot be mapped is read.
   */
  mode?: 'mmap' | 'pread';
  /** Compressed data that would be more is refused. Default: 64 MiB. */
  dataBytesMax?: number;
}

/** Whether records are read here and there, or one after the other. */
export type ReadHint = 'random' | 'sequential';

/** Records that one call of the addon finds. */
const BATCH_RECORDS = 256;
const openReader = Symbol('openReader');
/** For SegmentTail. */
export const checkPlace: unique symbol = Symbol('checkPlace');

interface ReaderParts {
  readonly native: NativeSegmentReader;
  readonly path: string;
  readonly format: SegmentFormat;
  readonly flushed: FlushedOffset | undefined;
  /** Of a mapping that is shared with the reader this is a clone of. */
  readonly mapping: ArrayBuffer | undefined;
  readonly dataBytesMax: number;
}

/** The mapping of a reader: its records find out that it was closed. */
class MappedBytes implements RecordBytes {
  isClosed = false;

  constructor(
    readonly memory: ArrayBuffer,
    readonly headerSize: number,
    readonly dataBytesMax: number,
  ) {}
}

/**
 * Reads the records of a segment file, in any thread or process. Every record
 * is checked. `close()` it, or declare it with `using`.
 *
 * ```ts
 * using reader = SegmentReader.open('events.seg', { flushed });
 * for (const record of reader.records()) handle(record.data);
 * ```
 */
export class SegmentReader {
  readonly #native: NativeSegmentReader;
  readonly #path: string;
  readonly #format: SegmentFormat;
  readonly #flushed: FlushedOffset | undefined;
  readonly #dataBytesMax: number;
  readonly #mapping: MappedBytes | undefined;
  readonly #words = new Uint32Array(BATCH_RECORDS);
  readonly #found = new Float64Array(FOUND_FIELDS);
  #isClosed = false;

  private constructor(key: typeof openReader, parts: ReaderParts) {
    if (key !== openReader) throw illegalConstructor('SegmentReader', 'SegmentReader.open()');
    const { native, path, format, flushed, mapping, dataBytesMax } = parts;
    this.#native = native;
    this.#path = path;
    this.#format = format;
    this.#flushed = flushed;
    this.#dataBytesMax = dataBytesMax;
    this.#mapping = mapping && new MappedBytes(mapping, format.headerSize, dataBytesMax);
  }

  /**
   * Opens a file for reading.
   *
   * @throws `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`, `ERR_IO`; `ERR_FORMAT` for
   * a file that ends before `startOffset`; `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_HANDLE`
   */
  static open(path: string, options?: SegmentReaderOptions): SegmentReader {
    const file = checkPath(path);
    const given = checkSegmentOptions(options);
    const format = checkFormat(given);
    const flushed = checkFlushed(given.flushed);
    const { dataBytesMax = DATA_BYTES_MAX } = given;
    checkOffset('options.dataBytesMax', dataBytesMax, 0, BODY_BYTES_MAX);
    const isMapped = checkChoice('options.mode', given.mode, ['mmap', 'pread']) === 'mmap';
    const native = orThrow(
      addon.openSegmentReader({ path: file, ...format, isMapped, cells: flushed?.cells ?? null }),
    );
    const mapping = native.mapping() ?? undefined;
    return new SegmentReader(openReader, {
      native,
      path: file,
      format,
      flushed,
      mapping,
      dataBytesMax: dataBytesMax as number,
    });
  }

  /**
   * A reader on the file that a writer has open.
   *
   * @internal
   */
  static [openReader](native: NativeSegmentReader, path: string, format: SegmentFormat): SegmentReader {
    return new SegmentReader(openReader, {
      native,
      path,
      format,
      flushed: undefined,
      mapping: undefined,
      dataBytesMax: DATA_BYTES_MAX,
    });
  }

  /** Whether records are views of the mapped file (`'mmap'`), or copies. */
  get mode(): 'mmap' | 'pread' {
    return this.#mapping === undefined ? 'pread' : 'mmap';
  }

  /** Where reading ends at present: the flushed offset, or the end of the file. */
  get limit(): number {
    this.#checkOpen();
    return this.#native.limit();
  }

  /**
   * The record at `offset`.
   *
   * @throws `ERR_CHECKSUM_MISMATCH` when no intact record is there: it is
   * damaged, or none begins there; `ERR_END_OF_LOG`; `ERR_OUT_OF_RANGE` beyond
   * the flushed offset; `ERR_IO`, `ERR_OUT_OF_MEMORY`; `ERR_READER_CLOSED`
   */
  read(offset: number, hint: ReadHint = 'random'): SegmentRecord {
    checkOffset('offset', offset);
    const isSequential = checkHint(hint);
    this.#checkOpen();
    if (this.#read(offset, isSequential) < 0) throw segmentError(this.#native.failure());
    const word = this.#words[0]!;
    // Of the others that a sequential read has found, none is asked for.
    if (this.#isMapped) return new SegmentRecord(makeRecord, this.#mapping!, offset, word, offset);
    return new SegmentRecord(makeRecord, this.#copy(), 0, word, offset);
  }

  /**
   * The records from `from` (default: the first) to the end of the log, or to
   * the flushed offset. An iterator that has come to the end goes on when there
   * is more.
   *
   * @throws as {@link read}; and so does the iterator, at a damaged record
   */
  records(from?: number): IterableIterator<SegmentRecord> {
    const offset = from === undefined ? this.#format.startOffset : checkOffset('from', from);
    this.#checkOpen();
    return new RecordIterator(offset, (at, words) => this.#batch(at, words));
  }

  /**
   * Bytes of the file as they are, a copy.
   *
   * @throws `ERR_OUT_OF_RANGE` beyond the flushed offset or the end of the file;
   * `ERR_IO`, `ERR_OUT_OF_MEMORY`, `ERR_READER_CLOSED`
   */
  readBytes(offset: number, length: number): Buffer {
    checkOffset('offset', offset);
    checkOffset('length', length);
    this.#checkOpen();
    // The addon checks it again; here it keeps memory from being taken for nothing.
    const limit = this.#native.limit();
    if (offset + length > limit) throw outsideOfRecords(this.#path, offset + length, limit);
    const bytes = newBytes(length, this.#path);
    if (this.#native.readBytes(offset, bytes) < 0) throw segmentError(this.#native.failure());
    return bytes;
  }

  /**
   * The bytes before `startOffset`, the application's own; a copy.
   *
   * @throws `ERR_IO`, `ERR_READER_CLOSED`
   */
  get applicationHeader(): Buffer {
    this.#checkOpen();
    const bytes = newBytes(this.#format.startOffset, this.#path);
    if (bytes.length > 0 && this.#native.readBytes(0, bytes) < 0) {
      throw segmentError(this.#native.failure());
    }
    return bytes;
  }

  /**
   * Has the system fetch what is at `offset`; does not wait for it.
   *
   * @throws `ERR_READER_CLOSED`
   */
  prefetch(offset: number): void {
    checkOffset('offset', offset);
    this.#checkOpen();
    this.#native.prefetch(offset);
  }

  /**
   * Throws when the path names another file by now, or none.
   *
   * @internal
   */
  [checkPlace](): void {
    this.#checkOpen();
    const failure = this.#native.checkPlace();
    if (failure !== undefined) throw segmentError(failure);
  }

  /**
   * A reader of the same open file, whatever has become of its name.
   *
   * @throws `ERR_READER_CLOSED`
   */
  clone(): SegmentReader {
    this.#checkOpen();
    return new SegmentReader(openReader, {
      native: this.#native.clone(this.#flushed?.cells ?? null),
      path: this.#path,
      format: this.#format,
      flushed: this.#flushed,
      mapping: this.#mapping?.memory,
      dataBytesMax: this.#dataBytesMax,
    });
  }

  /**
   * Closes the file. Views of its mapping show zeros once its clones are closed too; on Windows they keep the
   * file mapped, and undeletable, until they are collected. Idempotent.
   */
  close(): void {
    this.#isClosed = true;
    if (this.#mapping !== undefined) this.#mapping.isClosed = true;
    this.#native.close();
  }

  [dispose](): void {
    this.close();
  }

  /** For people: the file, and how much of it is read. */
  toString(): string {
    const state = this.#isClosed ? 'closed' : `mode: '${this.mode}', limit: ${this.limit}`;
    return `SegmentReader { path: '${this.#path}', ${state} }`;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw plainError('ERR_READER_CLOSED', 'the reader is closed; open another one');
  }

  /** Records found, or an outcome. */
  #read(offset: number, isSequential: boolean, words: Uint32Array = this.#words): number {
    return this.#native.read(
      offset,
      isSequential ? NativeHint.sequential : NativeHint.random,
      words,
      this.#found,
    );
  }

  get #isMapped(): boolean {
    return this.#found[FoundField.isMapped] === 1 && this.#mapping !== undefined;
  }

  /** What the last read has found, in memory of its own. */
  #copy(): RecordBytes {
    const bytes = newBytes(this.#found[FoundField.bytes]!, this.#path);
    this.#native.copy(bytes);
    return {
      memory: bytes.buffer,
      headerSize: this.#format.headerSize,
      dataBytesMax: this.#dataBytesMax,
      isClosed: false,
    };
  }

  /** Records from `offset` on; undefined at the end. */
  #batch(offset: number, words: Uint32Array): Batch | undefined {
    this.#checkOpen();
    const count = this.#read(offset, true, words);
    if (count > 0) {
      return this.#isMapped
        ? { source: this.#mapping!, position: offset, count }
        : { source: this.#copy(), position: 0, count };
    }
    const failure = this.#native.failure();
    const isEnd =
      failure.outcome === Outcome.noRecord ||
      (failure.outcome === Outcome.outOfRange && offset === failure.value);
    if (isEnd) return undefined;
    throw segmentError(failure);
  }
}

showAsText(SegmentReader);

function checkHint(hint: ReadHint): boolean {
  // What is right costs no more than comparisons: this is asked for every record.
  if (hint === 'random') return false;
  return hint === 'sequential' || checkChoice('hint', hint, ['random', 'sequential']) === 'sequential';
}

interface Batch {
  readonly source: RecordBytes;
  /** Of the first record, in the bytes of the source. */
  readonly position: number;
  readonly count: number;
}

class RecordIterator implements IterableIterator<SegmentRecord> {
  readonly #words = new Uint32Array(BATCH_RECORDS);
  readonly #fetch: (offset: number, words: Uint32Array) => Batch | undefined;
  #offset: number;
  #source: RecordBytes | undefined;
  #position = 0;
  #next = 0;
  #count = 0;

  constructor(offset: number, fetch: (offset: number, words: Uint32Array) => Batch | undefined) {
    this.#offset = offset;
    this.#fetch = fetch;
  }

  next(): IteratorResult<SegmentRecord, undefined> {
    if (this.#next === this.#count && !this.#fill()) return { done: true, value: undefined };
    const word = this.#words[this.#next++]!;
    const record = new SegmentRecord(makeRecord, this.#source!, this.#position, word, this.#offset);
    const length = HEAD_BYTES + (word & ~COMPRESSED_BIT);
    this.#position += length;
    this.#offset += length;
    return { done: false, value: record };
  }

  [Symbol.iterator](): this {
    return this;
  }

  #fill(): boolean {
    this.#next = this.#count = 0;
    const batch = this.#fetch(this.#offset, this.#words);
    if (batch === undefined) return false;
    this.#source = batch.source;
    this.#position = batch.position;
    this.#count = batch.count;
    return true;
  }
}

/** For the writer's own use. */
export function readerOf(native: NativeSegmentReader, path: string, format: SegmentFormat): SegmentReader {
  return SegmentReader[openReader](native, path, format);
}
