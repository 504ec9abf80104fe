/** A record of a segment file as users see it. */
import { COMPRESSED_BIT, Compression, HEAD_BYTES } from '../../base/codes';
import { bufferOver } from '../../base/buffer';
import { illegalConstructor, plainError, rangeError } from '../../base/errors';
import { showAsText } from '../../base/inspect';
import { newBytes } from '../errors';
import { addon } from '../../base/native';

/** Records that lie one after the other in one piece of memory. */
export interface RecordBytes {
  readonly memory: ArrayBufferLike;
  readonly headerSize: number;
  /** Decompressed data may have no more bytes than this. */
  readonly dataBytesMax: number;
  /** Whether the memory is the mapping of a reader, which is gone after its close(). */
  readonly isClosed: boolean;
}

/** Passed by the library's own code only. */
export const makeRecord = Symbol('makeRecord');

/**
 * One record of a segment file, checked.
 *
 * Its Buffers are views. Those of a reader in the mode `'mmap'` are the mapped
 * file: treat them as read-only, and do not use them after the reader was
 * closed or the record was cut off.
 */
export class SegmentRecord {
  /** Where the record begins in the file. */
  readonly offset: number;
  /** All its bytes in the file: the next record begins at `offset + length`. */
  readonly length: number;
  readonly #source: RecordBytes;
  /** Of the header, in the memory of the source. */
  readonly #position: number;
  readonly #word: number;
  #data: Buffer | undefined;

  /** @internal */
  constructor(
    key: typeof makeRecord,
    source: RecordBytes,
    /** Of the record, in the memory of the source. */
    position: number,
    word: number,
    offset: number,
  ) {
    if (key !== makeRecord) throw illegalConstructor('SegmentRecord', 'reader.read() or parseRecord()');
    this.#source = source;
    this.#position = position + HEAD_BYTES;
    this.#word = word;
    this.offset = offset;
    this.length = HEAD_BYTES + (word & ~COMPRESSED_BIT);
  }

  /**
   * The record's header, of `headerSize` bytes.
   *
   * @throws `ERR_READER_CLOSED`
   */
  get header(): Buffer {
    return this.#view(0, this.#source.headerSize);
  }

  /**
   * What was appended; decompressed at the first use.
   *
   * @throws `ERR_READER_CLOSED`; for compressed data also `ERR_OUT_OF_RANGE` when
   * it is more than `dataBytesMax`, `ERR_CORRUPT` when it cannot be decompressed,
   * `ERR_OUT_OF_MEMORY`, and `ERR_COMPRESSION_UNAVAILABLE`
   */
  get data(): Buffer {
    return (this.#data ??= this.isCompressed ? this.#decompress() : this.#stored());
  }

  /** Whether the data is compressed in the file. */
  get isCompressed(): boolean {
    return this.#word >>> 31 === 1;
  }

  /**
   * The data as the file has it, when it is compressed: the original size (u32)
   * and one zstd frame.
   *
   * @throws `ERR_READER_CLOSED`
   */
  get compressedData(): Buffer | undefined {
    return this.isCompressed ? this.#stored() : undefined;
  }

  #stored(): Buffer {
    const { headerSize } = this.#source;
    return this.#view(headerSize, this.length - HEAD_BYTES - headerSize);
  }

  #decompress(): Buffer {
    if (!addon.hasCompression) {
      throw plainError(
        'ERR_COMPRESSION_UNAVAILABLE',
        'the record is compressed, and the addon was built without zstd; decompress compressedData yourself',
      );
    }
    const stored = this.#stored();
    const bytes = stored.readUInt32LE(0);
    if (bytes > this.#source.dataBytesMax) {
      throw rangeError(
        'ERR_OUT_OF_RANGE',
        `the record at ${this.offset} says that it has ${bytes} bytes of data; raise dataBytesMax if it is right`,
      );
    }
    const data = newBytes(bytes, `the record at ${this.offset}`);
    const done = addon.decompress(stored, data);
    if (done === Compression.noMemory) {
      throw plainError(
        'ERR_OUT_OF_MEMORY',
        `the system refuses the memory to decompress the record at ${this.offset}; free some, then try again`,
      );
    }
    if (done !== Compression.done) {
      throw plainError('ERR_CORRUPT', `the data of the record at ${this.offset} cannot be decompressed`);
    }
    return data;
  }

  #view(from: number, length: number): Buffer {
    const { memory, isClosed } = this.#source;
    if (isClosed) {
      throw plainError('ERR_READER_CLOSED', 'the reader of this record is closed; copy what is needed later');
    }
    return bufferOver(memory, this.#position + from, length);
  }

  /** For people: what it is, without its data. */
  toString(): string {
    const { headerSize } = this.#source;
    const header = headerSize === 0 ? '' : `header: ${headerSize} bytes, `;
    const data = `data: ${this.length - HEAD_BYTES - headerSize} bytes${this.isCompressed ? ', compressed' : ''}`;
    return `SegmentRecord { offset: ${this.offset}, length: ${this.length}, ${header}${data} }`;
  }
}
showAsText(SegmentRecord);
