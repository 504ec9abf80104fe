/** Entries that were read from frames (frame.ts), collected in columns that a writer can store. */
import { plainError, rangeError } from '../base/errors';
import { elementBytes, isVariable, scalars, type Kind } from '../base/scalar';
import { withDetails } from '../durable/errors';
import type { WalEntry } from '../durable/wal/entries';
import type { Columns, Source } from '../memory/batch';
import type { Layout } from '../memory/layout';
import { FRAME_HEAD_BYTES, IS_LITTLE_ENDIAN, LENGTH_BYTES } from './frame';

/** Bytes that grow. */
class Bytes {
  data = Buffer.allocUnsafeSlow(1024);
  length = 0;

  push(source: Buffer, from: number, to: number): void {
    const end = this.length + to - from;
    if (end > this.data.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * this.data.length));
      this.data.copy(larger, 0, 0, this.length);
      this.data = larger;
    }
    if (to - from > 16) source.copy(this.data, this.length, from, to);
    else for (let i = from, at = this.length; i < to; ++i) this.data[at++] = source[i]!;
    this.length = end;
  }
}

interface FrameColumn {
  readonly kind: Kind;
  readonly bytes: Bytes;
  /** Of variable size: where each value begins, and where the last one ends. */
  readonly offsets: number[];
  /** Of the longest value. */
  longest: number;
}

/** The entries of a frame that begins with this entry of the log: their number, and 0 for one that is in the frame of another. */
export function frameEntries({ lsn, batch }: WalEntry): number {
  if (batch === undefined) return 1;
  return batch.first === lsn ? batch.count : 0;
}

export class FrameColumns {
  readonly #layout: Layout;
  readonly #layoutNumber: number;
  readonly #path: string;
  readonly #columns: readonly FrameColumn[];
  length = 0;

  constructor(layout: Layout, layoutNumber: number, path: string) {
    this.#layout = layout;
    this.#layoutNumber = layoutNumber;
    this.#path = path;
    this.#columns = layout.kinds.map((kind) => ({ kind, bytes: new Bytes(), offsets: [0], longest: 0 }));
  }

  /** Bytes of the largest column of variable size. */
  get dataBytes(): number {
    return Math.max(0, ...this.#columns.map(({ kind, bytes }) => (isVariable(kind) ? bytes.length : 0)));
  }

  clear(): void {
    this.length = 0;
    for (const column of this.#columns) {
      column.bytes.length = 0;
      column.offsets.length = 1;
      column.longest = 0;
    }
  }

  /**
   * Adds the entries of a frame but for the first `skipped`. `entry` is its first one.
   *
   * @throws `ERR_CORRUPT`
   */
  add(entry: WalEntry, skipped = 0): void {
    const { data, lsn } = entry;
    const count = frameEntries(entry);
    if (data.length < FRAME_HEAD_BYTES || data.readUInt32LE(0) !== this.#layoutNumber)
      throw this.#notAFrame(lsn, 'it was not written by AtomicLog.open()');
    if (data.readUInt32LE(4) !== count) throw this.#notAFrame(lsn, 'it has another number of entries');
    let at = FRAME_HEAD_BYTES;
    for (const column of this.#columns) {
      at = isVariable(column.kind)
        ? this.#addVariable(column, lsn, data, at, count, skipped)
        : this.#addFixed(column, lsn, data, at, count, skipped);
    }
    if (at !== data.length) throw this.#notAFrame(lsn, `it has ${data.length} bytes instead of ${at}`);
    this.length += count - skipped;
  }

  /**
   * What was added, for a log with so many bytes for the values of each field; valid until more is added.
   *
   * @throws `ERR_VALUE_TOO_LARGE`
   */
  columns(dataBytes: number): Columns {
    const sources = this.#columns.map((column, i): Source => {
      const { kind, bytes, offsets, longest } = column;
      if (!isVariable(kind)) {
        const ScalarArray = scalars[kind]!.Array;
        return new ScalarArray(bytes.data.buffer, 0, this.length);
      }
      if (longest > dataBytes) throw this.#tooLarge(i, longest, dataBytes);
      return { offsets, data: bytes.data };
    });
    return { sources, length: this.length };
  }

  #addFixed(
    { kind, bytes }: FrameColumn,
    lsn: number,
    data: Buffer,
    at: number,
    count: number,
    skipped: number,
  ): number {
    const size = elementBytes(kind);
    const end = at + size * count;
    if (end > data.length) throw this.#notAFrame(lsn, 'it is cut off');
    const begin = bytes.length;
    bytes.push(data, at + size * skipped, end);
    if (!IS_LITTLE_ENDIAN) {
      for (let i = begin; i < bytes.length; i += size) bytes.data.subarray(i, i + size).reverse();
    }
    return end;
  }

  #addVariable(
    column: FrameColumn,
    lsn: number,
    data: Buffer,
    at: number,
    count: number,
    skipped: number,
  ): number {
    const begin = at + LENGTH_BYTES * count;
    if (begin > data.length) throw this.#notAFrame(lsn, 'it is cut off');
    const { offsets, bytes } = column;
    let end = begin;
    let first = begin;
    for (let i = 0; i < count; ++i) {
      const length = data.readUInt32LE(at + LENGTH_BYTES * i);
      end += length;
      if (i < skipped) {
        first = end;
        continue;
      }
      offsets.push(offsets[offsets.length - 1]! + length);
      if (length > column.longest) column.longest = length;
    }
    if (end > data.length) throw this.#notAFrame(lsn, 'it is cut off');
    bytes.push(data, first, end);
    return end;
  }

  #notAFrame(lsn: number, why: string): Error {
    const message = `${this.#path}: entry ${lsn} is intact, but no frame of this log: ${why}. Restore the log, or read it with Wal`;
    return withDetails(plainError('ERR_CORRUPT', message), { path: this.#path, lsn });
  }

  #tooLarge(field: number, bytes: number, dataBytes: number): Error {
    const { fields } = this.#layout;
    const what = fields === undefined ? 'a value' : `a value of the field ${fields[field]!}`;
    return rangeError(
      'ERR_VALUE_TOO_LARGE',
      `${this.#path}: ${what} has ${bytes} bytes, and a segment has room for ${dataBytes}; open the log with a larger dataBytes`,
    );
  }
}
