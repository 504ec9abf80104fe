/**
 * The memory in which the records of a segment file are collected, the one buffer
 * that they wait in: this side copies lengths and data into it, and the addon
 * completes the heads and writes it to the file (core/durable/segment/segment_writer.h).
 */
import { BODY_BYTES_MAX, COMPRESSED_BYTES_MIN, HEAD_BYTES } from '../../base/codes';
import type { NativeSegmentWriter } from '../../../types/native';
import { checkBytes, NO_BYTES } from '../../base/checks';
import { copyBytes } from '../../base/copy';
import { outOfRange, plainError } from '../../base/errors';
import { Kind, viewOf } from '../../base/scalar';
import { typedArrayLength } from '../../base/typed-array';
import { segmentError, segmentFull, writerClosed } from '../errors';
import { checkLengths } from '../lengths';
import { takeEntries } from './entries';

/** Where a record or a batch was put. */
export interface Appended {
  /** Its offset in the file. */
  readonly offset: number;
  /** Its bytes in the file, all told. */
  readonly length: number;
}

export class AppendBuffer {
  readonly #native: NativeSegmentWriter;
  readonly #path: string;
  readonly #headerSize: number;
  readonly #bytes: Uint8Array;
  readonly #numbers: DataView;
  /** Bytes of the memory that are records. */
  #filled = 0;
  /** How many there is room for, in the file too; 0 when closed: one check notices all. */
  #limit = 0;
  /** Where the memory's first byte goes. */
  #base = 0;
  #isClosed = false;
  #isHeld = false;
  /** Data of this many bytes goes to the addon one by one, to be compressed. */
  #compressedMin = Infinity;

  constructor(native: NativeSegmentWriter, path: string, headerSize: number, bytes: Uint8Array) {
    this.#native = native;
    this.#path = path;
    this.#headerSize = headerSize;
    this.#bytes = bytes;
    this.#numbers = new DataView(bytes.buffer);
    this.moved();
  }

  get compresses(): boolean {
    return this.#compressedMin !== Infinity;
  }

  set compresses(compresses: boolean) {
    this.#compressedMin = compresses ? COMPRESSED_BYTES_MIN : Infinity;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Where the next record goes. */
  get writeOffset(): number {
    return this.#base + this.#filled;
  }

  get remaining(): number {
    return this.#native.size - this.writeOffset;
  }

  /** No more records come. */
  close(): void {
    this.#isClosed = true;
    this.#limit = 0;
  }

  /** No records come for now. The memory is empty then. */
  set isHeld(isHeld: boolean) {
    this.#isHeld = isHeld;
    if (isHeld) this.#limit = 0;
  }

  checkNotClosed(): void {
    if (this.#isClosed) throw writerClosed();
  }

  checkOpen(): void {
    this.checkNotClosed();
    if (this.#isHeld) {
      throw plainError(
        'ERR_WRITER_BUSY',
        `${this.#path}: records are being changed; await setLength() or replaceHeader() first`,
      );
    }
  }

  /** Results of the addon are offsets, or outcomes below zero. */
  check(result: number): number {
    if (result < 0) throw segmentError(this.#native.failure());
    return result;
  }

  checkHeader(header: unknown): void {
    const length = checkBytes('header', header);
    if (length === this.#headerSize) return;
    throw outOfRange('header.length', `the headerSize of the segment, ${this.#headerSize}`, length);
  }

  /** To be called after the addon has moved the end of the log. */
  moved(): void {
    this.#filled = this.#native.buffered();
    this.#base = this.#native.writeOffset() - this.#filled;
    this.#limit =
      this.#isClosed || this.#isHeld ? 0 : Math.min(this.#bytes.length, this.#native.size - this.#base);
  }

  /** Hands the records to the system, if there are any. */
  drain(): void {
    this.checkOpen();
    if (this.#filled > 0) this.flush();
  }

  /** The same; also finds out whether the writer is poisoned. */
  flush(): void {
    this.checkOpen();
    // Records that could not be written are dropped: the writer is poisoned.
    const result = this.#native.flush(this.#filled);
    this.moved();
    this.check(result);
  }

  /** Appends a record of `body` bytes that was checked; its offset. */
  append(data: Uint8Array, header: Uint8Array, body: number): number {
    const headerSize = this.#headerSize;
    const filled = this.#filled;
    if (filled + HEAD_BYTES + body > this.#limit || body - headerSize >= this.#compressedMin)
      return this.#appendAlone(data, header, body);
    const bytes = this.#bytes;
    this.#numbers.setUint32(filled, body, true);
    copyBytes(bytes, filled + HEAD_BYTES, header, headerSize);
    copyBytes(bytes, filled + HEAD_BYTES + headerSize, data, body - headerSize);
    this.#filled = filled + HEAD_BYTES + body;
    return this.#base + filled;
  }

  /** Appends the records of an iterable, all or none. */
  appendEntries(entries: unknown): Appended {
    const { data: records, headers } = takeEntries(entries);
    const headerSize = this.#headerSize;
    // Counted once: shared memory may grow at any time.
    const bodies = new Array<number>(records.length);
    let length = 0;
    for (let i = 0; i < records.length; ++i) {
      const header = headers[i]!;
      if (header !== NO_BYTES || headerSize !== 0) this.checkHeader(header);
      const body = headerSize + checkBytes('the data of an entry', records[i]);
      if (HEAD_BYTES + body > BODY_BYTES_MAX) this.#checkRoom(HEAD_BYTES + body);
      bodies[i] = body;
      length += HEAD_BYTES + body;
    }
    this.checkOpen();
    this.#checkRoom(length);
    const offset = this.writeOffset;
    for (let i = 0; i < records.length; ++i) this.append(records[i]!, headers[i]!, bodies[i]!);
    return { offset, length: this.writeOffset - offset };
  }

  /** Appends records that lie in `bytes` one after the other, all or none. */
  appendPacked(bytes: unknown, lengths: unknown): Appended {
    const min = this.#headerSize;
    const sizes = checkLengths(lengths, bytes, { min, max: BODY_BYTES_MAX, minText: `headerSize (${min})` });
    this.checkOpen();
    const length = typedArrayLength(bytes as Uint8Array) + HEAD_BYTES * sizes.length;
    this.#checkRoom(length);
    if (this.#compressedMin !== Infinity) return this.#appendOneByOne(bytes as Uint8Array, sizes);
    const offset = this.#native.appendPacked(this.#filled, bytes as Uint8Array, sizes);
    this.moved();
    return { offset: this.check(offset), length };
  }

  /** What is compressed, does not fit into the memory, or not into the file. */
  #appendAlone(data: Uint8Array, header: Uint8Array, body: number): number {
    this.checkOpen();
    const compresses = body - this.#headerSize >= this.#compressedMin;
    // How much room compressed data needs is known when it is compressed.
    if (!compresses) this.#checkRoom(HEAD_BYTES + body);
    this.drain();
    if (!compresses && HEAD_BYTES + body <= this.#limit) return this.append(data, header, body);
    const offset = this.#native.append(this.#filled, header, data, compresses);
    this.moved();
    return this.check(offset);
  }

  /** Packed records, of which some may be compressed. */
  #appendOneByOne(bytes: Uint8Array, sizes: Uint32Array): Appended {
    const offset = this.writeOffset;
    const headerSize = this.#headerSize;
    const packed = viewOf(Kind.u8, bytes, 0, typedArrayLength(bytes)) as Uint8Array;
    let at = 0;
    for (const size of sizes) {
      const data = packed.subarray(at + headerSize, at + size);
      this.append(data, packed.subarray(at, at + headerSize), size);
      at += size;
    }
    return { offset, length: this.writeOffset - offset };
  }

  #checkRoom(bytes: number): void {
    if (bytes > this.remaining || bytes > BODY_BYTES_MAX) {
      throw segmentFull(this.#path, bytes, this.remaining);
    }
  }
}
