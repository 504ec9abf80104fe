/** `SegmentWriter`: what users call to write a segment file; the records that wait are in append-buffer.ts. */
import type { NativeSegmentWriter } from '../../../types/native';
import { checkBytes, NO_BYTES } from '../../base/checks';
import { asyncDispose, dispose } from '../../base/dispose';
import { illegalConstructor, invalidType, outOfRange, plainError, rangeError } from '../../base/errors';
import { showAsText } from '../../base/inspect';
import { addon } from '../../base/native';
import { typedArrayLength, typedArrayTag } from '../../base/typed-array';
import { newBytes, outsideOfRecords, segmentError } from '../errors';
import { checkOffset } from '../options';
import { AppendBuffer, type Appended } from './append-buffer';
import type { SegmentEntry } from './entries';
import { Changes } from './changes';
import type { FlushedOffset } from './flushed-offset';
import {
  checkCompression,
  checkCreation,
  checkOpening,
  orThrow,
  toReport,
  type Compression,
  type SegmentCreateOptions,
  type SegmentFormat,
  type SegmentOpenOptions,
  type SegmentRecoveryReport,
  type WriterOptions,
} from './options';
import { readerOf } from './reader';
import type { SegmentRecord } from './record';

const openWriter = Symbol('openWriter');

/**
 * The one writer of a segment file: appends records with checksums to a file of
 * fixed size. `close()` it, or declare it with `await using`.
 *
 * `append()` only buffers. `flush()` hands everything to the system, so that a
 * crash of this process loses nothing; after `await sync()` a power failure does
 * not either. What a writer that is dropped, or whose worker ends, has not flushed
 * is lost.
 *
 * What waits for the disk is a Promise and leaves this thread free, or is called
 * `…Sync` and blocks it.
 *
 * ```ts
 * await using writer = await SegmentWriter.create('events.seg', { size: 64 << 20 });
 * const { offset } = writer.append(Buffer.from('event'));
 * await writer.sync();
 * ```
 */
export class SegmentWriter {
  readonly #native: NativeSegmentWriter;
  readonly #path: string;
  readonly #format: SegmentFormat;
  readonly #headerSize: number;
  readonly #flushed: FlushedOffset;
  readonly #recovery: SegmentRecoveryReport | undefined;
  readonly #buffer: AppendBuffer;
  /** Whether the file is free again. */
  #isReleased = false;
  /** What close() has returned. */
  #closing: Promise<void> | undefined;
  /** Why not everything is durable, once the file is free. */
  #closeError: Error | undefined;
  /** Of sync(), under way. */
  readonly #syncs = new Set<Promise<number>>();
  readonly #changes: Changes;

  private constructor(key: typeof openWriter, native: NativeSegmentWriter, options: WriterOptions) {
    if (key !== openWriter)
      throw illegalConstructor('SegmentWriter', 'SegmentWriter.create() or SegmentWriter.open()');
    const { path, format, flushed, buffer, compresses } = options;
    this.#native = native;
    this.#path = path;
    this.#format = format;
    this.#headerSize = format.headerSize;
    this.#flushed = flushed;
    this.#recovery = native.recovery && toReport(native.recovery);
    this.#buffer = new AppendBuffer(native, path, format.headerSize, buffer);
    this.#buffer.compresses = compresses;
    const isReleased = (): boolean => this.#isReleased;
    this.#changes = new Changes({ buffer: this.#buffer, syncs: this.#syncs, isReleased });
  }

  /**
   * Makes a file, secures its space, and makes its name durable.
   *
   * Rejects as {@link createSync} throws.
   */
  static async create(path: string, options: SegmentCreateOptions): Promise<SegmentWriter> {
    const checked = checkCreation(path, options);
    const native = await orBusy(addon.createSegment(checked.native), 'createSync()');
    return new SegmentWriter(openWriter, orThrow(native), checked);
  }

  /**
   * As {@link create}; this thread waits for the disk.
   *
   * @throws `ERR_FILE_EXISTS`, `ERR_FILE_NOT_FOUND` (of the directory),
   * `ERR_FILE_ACCESS`, `ERR_NO_SPACE`, `ERR_IO`, `ERR_OUT_OF_MEMORY`; `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`, and `ERR_OUT_OF_RANGE` for a `size` that is not
   * greater than `startOffset`
   */
  static createSync(path: string, options: SegmentCreateOptions): SegmentWriter {
    const checked = checkCreation(path, options);
    return new SegmentWriter(openWriter, orThrow(addon.createSegmentSync(checked.native)), checked);
  }

  /**
   * Opens a file for writing, at the end of its records. {@link recovery} says
   * what was found there; it is durable then.
   *
   * Bytes after the last intact record are kept in a file next to it (`path` with
   * `.torn-1` and so on) and become zero.
   *
   * Rejects as {@link openSync} throws.
   */
  static async open(path: string, options?: SegmentOpenOptions): Promise<SegmentWriter> {
    const checked = checkOpening(path, options);
    const native = await orBusy(addon.openSegment(checked.native), 'openSync()');
    return new SegmentWriter(openWriter, orThrow(native), checked);
  }

  /**
   * As {@link open}; this thread waits until the file was read and is durable.
   *
   * @throws `ERR_LOCKED`; `ERR_FORMAT` when no record is at `startOffset`
   * although the file is not empty: the options are wrong, or the first record
   * is damaged; `ERR_CORRUPT` for damage below `durableOffset`, or in a `sealed`
   * file; nothing was changed then. `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`,
   * `ERR_NO_SPACE`, `ERR_IO`, `ERR_OUT_OF_MEMORY`; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`,
   * `ERR_OUT_OF_RANGE`
   */
  static openSync(path: string, options?: SegmentOpenOptions): SegmentWriter {
    const checked = checkOpening(path, options);
    return new SegmentWriter(openWriter, orThrow(addon.openSegmentSync(checked.native)), checked);
  }

  /**
   * Whether the records that come are compressed; it may be switched between
   * records.
   *
   * @throws `ERR_COMPRESSION_UNAVAILABLE` when set to `'zstd'` and the addon was
   * built without it
   */
  get compression(): Compression {
    return this.#buffer.compresses ? 'zstd' : 'none';
  }

  set compression(compression: Compression) {
    this.#buffer.compresses = checkCompression('compression', compression);
  }

  /** What {@link open} found; undefined after {@link create}. */
  get recovery(): SegmentRecoveryReport | undefined {
    return this.#recovery;
  }

  /** How far the file is durable, to be shared with readers in any thread. */
  get flushedOffset(): FlushedOffset {
    return this.#flushed;
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#native.size;
  }

  /** Where the next record goes. */
  get writeOffset(): number {
    return this.#buffer.writeOffset;
  }

  /** Bytes left; a record needs 8 more than its header and data. */
  get remaining(): number {
    return this.#buffer.remaining;
  }

  /**
   * Appends one record. The data is copied before this returns; it is written
   * with the next {@link flush} or {@link sync}, or when much has come together.
   * `header` must have the `headerSize` of the options.
   *
   * @throws `ERR_SEGMENT_FULL`, with `attempted` and `available`, and nothing has
   * changed; `ERR_OUT_OF_MEMORY` for a record of more than 256 KiB, or one that is
   * compressed, and nothing has changed either; `ERR_INVALID_ARG_TYPE`,
   * `ERR_OUT_OF_RANGE`; `ERR_WRITER_CLOSED`; and as {@link flush}
   */
  append(data: Uint8Array, header: Uint8Array = NO_BYTES): Appended {
    if (typedArrayTag(data) !== 'Uint8Array') throw invalidType('data', 'a Uint8Array', data);
    const headerSize = this.#headerSize;
    if (header !== NO_BYTES || headerSize !== 0) this.#buffer.checkHeader(header);
    const buffer = this.#buffer;
    const offset = buffer.append(data, header, headerSize + typedArrayLength(data));
    return { offset, length: buffer.writeOffset - offset };
  }

  /**
   * Appends many records, or none: an iterable of data (or of `{ data, header }`),
   * or one piece of bytes and the length of each record in it. A length counts
   * the record's header too, which comes first. Returns where the first record
   * is, and the bytes of all.
   *
   * @throws as {@link append}, but with `ERR_OUT_OF_MEMORY` the first entries of an
   * iterable may be appended: `writeOffset` says; whatever the iterable throws
   */
  appendBatch(entries: Iterable<SegmentEntry>): Appended;
  appendBatch(bytes: Uint8Array, lengths: Uint32Array | readonly number[]): Appended;
  appendBatch(
    entries: Uint8Array | Iterable<SegmentEntry>,
    lengths?: Uint32Array | readonly number[],
  ): Appended {
    return lengths === undefined
      ? this.#buffer.appendEntries(entries)
      : this.#buffer.appendPacked(entries, lengths);
  }

  /**
   * Hands everything to the system: it survives a crash of this process.
   *
   * @throws `ERR_IO`, `ERR_NO_SPACE`; `ERR_POISONED` ever after;
   * `ERR_WRITER_CLOSED`
   */
  flush(): void {
    this.#buffer.flush();
  }

  /**
   * Makes what was appended before durable, and moves {@link flushedOffset}, with
   * which it resolves. What is appended meanwhile may or may not be durable then.
   * It comes after {@link setLength} and {@link replaceHeader} that were called.
   *
   * Rejects as {@link syncSync} throws.
   */
  async sync(): Promise<number> {
    this.#buffer.checkNotClosed();
    // Who waited for the last change may have called another one by now.
    while (this.#changes.isBusy) await this.#changes.idle();
    if (this.#buffer.isClosed) return this.#syncedByClose();
    this.#buffer.drain();
    const sync = orBusy(this.#native.sync(), 'syncSync()');
    this.#syncs.add(sync);
    try {
      const flushed = this.#buffer.check(await sync);
      this.#flushed.notify();
      return flushed;
    } finally {
      this.#syncs.delete(sync);
    }
  }

  /**
   * As {@link sync}; this thread waits for the disk.
   *
   * @throws as {@link flush}
   */
  syncSync(): number {
    this.#buffer.drain();
    const flushed = this.#buffer.check(this.#native.syncSync());
    this.#flushed.notify();
    return flushed;
  }

  /**
   * Ends the log at `offset`, where a record begins: that record and all after
   * it are gone, durably. Views of them show zeros or later records. Until it has
   * resolved appending is `ERR_WRITER_BUSY`: no one knows where the log ends.
   *
   * Rejects as {@link setLengthSync} throws.
   */
  async setLength(offset: number): Promise<void> {
    checkOffset('offset', offset);
    await this.#changes.run(() => {
      this.#checkEnd(offset);
      return orBusy(this.#native.setLengthLater(offset), 'setLengthSync()');
    });
    this.#flushed.notify();
  }

  /**
   * As {@link setLength}; this thread waits for the disk.
   *
   * @throws `ERR_OUT_OF_RANGE`, `ERR_CHECKSUM_MISMATCH` where no record begins;
   * `ERR_OUT_OF_MEMORY`, and nothing has changed; `ERR_WRITER_BUSY` while another
   * change is under way; and as {@link syncSync}
   */
  setLengthSync(offset: number): void {
    checkOffset('offset', offset);
    this.#buffer.drain();
    this.#checkEnd(offset);
    try {
      this.#buffer.check(this.#native.setLength(offset));
    } finally {
      this.#buffer.moved();
    }
    this.#flushed.notify();
  }

  /**
   * Replaces the header of the record at `offset`, durably: a crash leaves the
   * old one or the new one. A function is given the record, when those changes are
   * made that were called before, and returns the new header, or undefined to keep
   * the old one. Resolves with whether it was replaced. Until then appending is
   * `ERR_WRITER_BUSY`; many may be called at once.
   *
   * Rejects as {@link replaceHeaderSync} throws.
   */
  async replaceHeader(
    offset: number,
    header: Uint8Array | ((record: SegmentRecord) => Uint8Array | undefined),
  ): Promise<boolean> {
    this.#checkChange(offset, header);
    // What is given may be used for the next one meanwhile.
    const given = typeof header === 'function' ? header : new Uint8Array(header);
    const isReplaced = await this.#changes.run(() => {
      const bytes = this.#headerFor(offset, given);
      if (bytes === undefined) return undefined;
      this.#checkRecord(offset);
      return orBusy(this.#native.replaceHeaderLater(offset, bytes), 'replaceHeaderSync()');
    });
    this.#flushed.notify();
    return isReplaced;
  }

  /**
   * As {@link replaceHeader}; this thread waits for the disk.
   *
   * @throws `ERR_OUT_OF_RANGE`, `ERR_CHECKSUM_MISMATCH` where no record is;
   * `ERR_INVALID_ARG_TYPE`; what the function throws; `ERR_OUT_OF_MEMORY`, and
   * nothing has changed; `ERR_WRITER_BUSY` while another change is under way; and
   * as {@link syncSync}
   */
  replaceHeaderSync(
    offset: number,
    header: Uint8Array | ((record: SegmentRecord) => Uint8Array | undefined),
  ): boolean {
    this.#checkChange(offset, header);
    if (typeof header === 'function') this.flush();
    const bytes = this.#headerFor(offset, header);
    if (bytes === undefined) return false;
    this.#buffer.drain();
    this.#checkRecord(offset);
    this.#buffer.check(this.#native.replaceHeader(offset, bytes));
    this.#flushed.notify();
    return true;
  }

  /**
   * The bytes before `startOffset`, the application's own; a copy.
   *
   * @throws `ERR_IO`, `ERR_WRITER_CLOSED`
   */
  get applicationHeader(): Buffer {
    this.#buffer.checkOpen();
    const bytes = newBytes(this.#format.startOffset, this.#path);
    if (bytes.length > 0) this.#buffer.check(this.#native.readApplicationHeader(bytes));
    return bytes;
  }

  /**
   * Writes into the bytes before `startOffset`; durable with the next sync. A
   * power failure before may leave some of it.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; and as {@link flush}
   */
  writeApplicationHeader(bytes: Uint8Array, at = 0): void {
    const length = checkBytes('bytes', bytes);
    checkOffset('at', at);
    this.#buffer.checkOpen();
    if (at + length > this.#format.startOffset) {
      throw outOfRange('at + bytes.length', `at most startOffset (${this.#format.startOffset})`, at + length);
    }
    if (length > 0) this.#buffer.check(this.#native.writeApplicationHeader(at, bytes));
  }

  /**
   * A last {@link sync}, after the changes that were called; then the file is free for another writer, also when
   * that sync fails. From the call on, every other call says that the writer is
   * closed; a sync that is under way resolves first. Idempotent.
   *
   * Rejects as {@link closeSync} throws.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /**
   * As {@link close}; this thread waits for the disk, and for syncs that are under
   * way, a pending {@link close} included.
   *
   * @throws as {@link syncSync}, the first time
   */
  closeSync(): void {
    if (this.#isReleased) return;
    const failure = this.#stop();
    this.#isReleased = true;
    const result = this.#native.closeSync();
    this.#flushed.notify();
    this.#closeError = failure ?? (result < 0 ? segmentError(this.#native.failure()) : undefined);
    if (this.#closeError !== undefined) throw this.#closeError;
  }

  /** As {@link closeSync}: for `using`. */
  [dispose](): void {
    this.closeSync();
  }

  /** As {@link close}: for `await using`. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#isReleased) return;
    const failure = this.#stop();
    if (this.#changes.isBusy) await this.#changes.idle();
    // closeSync() may have come meanwhile.
    if (this.#isReleased) return;
    const sync = this.#native.sync();
    // Where the pool takes no work, here.
    const result = sync === undefined ? this.#native.closeSync() : await sync;
    const error = result < 0 ? segmentError(this.#native.failure()) : undefined;
    // The pool may have begun with a later one first.
    await Promise.allSettled(this.#syncs);
    this.#isReleased = true;
    this.#native.release();
    this.#flushed.notify();
    this.#closeError = failure ?? error;
    if (this.#closeError !== undefined) throw this.#closeError;
  }

  /** For a sync that waited for changes when the writer was closed, which syncs after them: as if it had been under way. */
  async #syncedByClose(): Promise<number> {
    await this.#closing;
    if (this.#closeError !== undefined) throw this.#closeError;
    return this.#flushed.value;
  }

  /** The last records go to the system, and no more come; why they did not get there. */
  #stop(): Error | undefined {
    if (this.#buffer.isClosed) return undefined;
    try {
      // While records are changed, none are there that were not written.
      if (!this.#changes.isBusy) this.#buffer.drain();
      return undefined;
    } catch (error) {
      return error as Error;
    } finally {
      this.#buffer.close();
    }
  }

  /** For people: the file, and how full and how durable it is. */
  toString(): string {
    const state = this.#buffer.isClosed ? 'closed' : `writeOffset: ${this.writeOffset}`;
    const flushed = this.#flushed.value;
    return `SegmentWriter { path: '${this.#path}', ${state}, flushedOffset: ${flushed}, size: ${this.size} }`;
  }

  #checkChange(offset: unknown, header: unknown): void {
    checkOffset('offset', offset);
    if (this.#headerSize === 0) {
      throw rangeError('ERR_OUT_OF_RANGE', 'the records of this segment have no header; set headerSize');
    }
    if (typeof header !== 'function') this.#buffer.checkHeader(header);
  }

  /** The new header of a record; undefined to keep the one that it has. */
  #headerFor(
    offset: number,
    header: Uint8Array | ((record: SegmentRecord) => Uint8Array | undefined),
  ): Uint8Array | undefined {
    if (typeof header !== 'function') return header;
    const bytes = header(this.#recordAt(offset));
    if (bytes !== undefined) this.#buffer.checkHeader(bytes);
    return bytes;
  }

  #checkEnd(offset: number): void {
    const end = this.writeOffset;
    if (offset < this.#format.startOffset || offset > end) throw outsideOfRecords(this.#path, offset, end);
  }

  #checkRecord(offset: number): void {
    const end = this.writeOffset;
    if (offset < this.#format.startOffset || offset >= end) throw outsideOfRecords(this.#path, offset, end);
  }

  /** A copy of the record at `offset`, synced or not; all were handed to the system. */
  #recordAt(offset: number): SegmentRecord {
    this.#checkRecord(offset);
    const reader = readerOf(this.#native.reader(), this.#path, this.#format);
    try {
      return reader.read(offset);
    } finally {
      reader.close();
    }
  }
}

showAsText(SegmentWriter);

/** What the thread pool will do, unless it takes no work. */
function orBusy<T>(promise: Promise<T> | undefined, instead: string): Promise<T> {
  if (promise !== undefined) return promise;
  throw plainError('ERR_OUT_OF_MEMORY', `the thread pool takes no work; use ${instead}`);
}
