/**
 * How entries of a log in memory are written to a write-ahead log: a frame for those that are published together,
 * column by column, as they lie in memory. A frame of one entry is an entry of the write-ahead log, one of several is
 * a batch of as many, whose first entry has all bytes. So every entry has an LSN.
 *
 *   u32 layout    what the columns are, as a number: see metadata.ts
 *   u32 entries
 *   for each column, in the order of the fields, without gaps:
 *     of fixed size      the values
 *     of variable size   u32 length of each value, then the bytes of all
 *
 * All numbers are little-endian.
 */
import { copyValues } from '../base/copy';
import { elementBytes, isVariable, Kind, viewOf, type ScalarArray } from '../base/scalar';
import { plainError } from '../base/errors';
import type { Journal } from '../durable/wal/journal';
import type { Columns } from '../memory/batch';
import type { EntryJournal } from '../memory/entry-journal';
import type { Column } from '../memory/mapping';
import type { VarArea, VarSource } from '../memory/var-area';

export const FRAME_HEAD_BYTES = 8;
export const LENGTH_BYTES = 4;
export const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Up to so many values are stored one by one: a view of them costs more. */
const STORED_VALUES_MAX = 8;
/** The same for bytes. */
const COPIED_BYTES_MAX = 32;

/** Stores one value of fixed size, and says where the next one goes. */
function storeValue(view: DataView, at: number, kind: Kind, column: ScalarArray, position: number): number {
  const value = column[position]!;
  switch (kind) {
    case Kind.f64:
      view.setFloat64(at, value as number, true);
      return at + 8;
    case Kind.f32:
      view.setFloat32(at, value as number, true);
      return at + 4;
    case Kind.i8:
    case Kind.u8:
      view.setUint8(at, value as number);
      return at + 1;
    case Kind.i16:
    case Kind.u16:
      view.setUint16(at, value as number, true);
      return at + 2;
    case Kind.i32:
    case Kind.u32:
      view.setUint32(at, value as number, true);
      return at + 4;
    default:
      view.setBigUint64(at, value as bigint, true);
      return at + 8;
  }
}

/** Writes what a writer publishes to a journal. */
export class FrameWriter implements EntryJournal {
  readonly #journal: Journal;
  readonly #kinds: readonly Kind[];
  readonly #layoutNumber: number;
  /** LSN of the entry with index 0. */
  readonly #base: number;
  /** Bytes of an entry without its values of variable size. */
  readonly #fixedBytes: number;
  readonly #variable: readonly number[];

  constructor(journal: Journal, kinds: readonly Kind[], layoutNumber: number, base: number) {
    this.#journal = journal;
    this.#kinds = kinds;
    this.#layoutNumber = layoutNumber;
    this.#base = base;
    this.#variable = kinds.flatMap((kind, i) => (isVariable(kind) ? [i] : []));
    this.#fixedBytes = kinds.reduce<number>(
      (sum, kind) => sum + (isVariable(kind) ? LENGTH_BYTES : elementBytes(kind)),
      0,
    );
  }

  check(columns: readonly Column[], position: number): void {
    this.#journal.checkFrame(this.#frameBytes(columns, position, position + 1), 1);
  }

  checkBatch({ sources, length }: Columns): void {
    if (length === 0) return;
    const journal = this.#journal;
    const head = FRAME_HEAD_BYTES + this.#fixedBytes;
    if (this.#variable.length === 0) return journal.checkFrame(head, 1, 0);
    const limit = journal.frameBytesMax(1);
    const offsets = this.#variable.map((field) => (sources[field] as VarSource).offsets);
    // Seldom is a whole batch larger than an entry may be.
    if (offsets.reduce((sum, each) => sum + each[length]! - each[0]!, head) <= limit) return;
    for (let i = 0; i < length; ++i) {
      let bytes = head;
      for (const each of offsets) bytes += each[i + 1]! - each[i]!;
      if (bytes > limit) journal.checkFrame(bytes, 1, i);
    }
  }

  take(columns: readonly Column[], from: number, to: number, index: number): number {
    const journal = this.#journal;
    let end = to;
    let bytes = this.#frameBytes(columns, from, end);
    while (end - from > 1 && bytes > journal.frameBytesMax(end - from)) {
      end = from + ((end - from) >>> 1);
      bytes = this.#frameBytes(columns, from, end);
    }
    const at = journal.begin(bytes, end - from);
    if (journal.nextLsn !== this.#base + index) throw outOfStep(index, journal.nextLsn);
    this.#write(columns, from, end, at);
    journal.take(bytes, end - from);
    return end;
  }

  #frameBytes(columns: readonly Column[], from: number, to: number): number {
    let bytes = FRAME_HEAD_BYTES + this.#fixedBytes * (to - from);
    for (const field of this.#variable) {
      const { offsets } = columns[field] as VarArea;
      bytes += offsets[to]! - offsets[from]!;
    }
    return bytes;
  }

  #write(columns: readonly Column[], from: number, to: number, at: number): void {
    const { view, bytes } = this.#journal;
    const count = to - from;
    view.setUint32(at, this.#layoutNumber, true);
    view.setUint32(at + 4, count, true);
    let next = at + FRAME_HEAD_BYTES;
    for (let i = 0; i < columns.length; ++i) {
      const kind = this.#kinds[i]!;
      const column = columns[i]!;
      if (isVariable(kind)) {
        next = writeVariable(view, bytes, next, column as VarArea, from, to);
      } else if (count <= STORED_VALUES_MAX || !IS_LITTLE_ENDIAN) {
        for (let p = from; p < to; ++p) next = storeValue(view, next, kind, column as ScalarArray, p);
      } else {
        next = copyMany(bytes, next, kind, column as ScalarArray, from, count);
      }
    }
  }
}

function copyMany(
  bytes: Buffer,
  at: number,
  kind: Kind,
  column: ScalarArray,
  from: number,
  count: number,
): number {
  const size = elementBytes(kind);
  const { buffer, byteOffset } = column;
  const source = new Uint8Array(buffer, byteOffset + from * size, count * size);
  copyValues(Kind.u8, bytes, at, source, source.length);
  return at + source.length;
}

function writeVariable(
  view: DataView,
  bytes: Buffer,
  at: number,
  { offsets, data }: VarArea,
  from: number,
  to: number,
): number {
  let next = at;
  const begin = offsets[from]!;
  let last = begin;
  for (let p = from + 1; p <= to; ++p, next += LENGTH_BYTES) {
    const end = offsets[p]!;
    view.setUint32(next, end - last, true);
    last = end;
  }
  const length = last - begin;
  if (length > COPIED_BYTES_MAX) {
    copyValues(Kind.u8, bytes, next, viewOf(Kind.u8, data, begin, length), length);
  } else {
    for (let i = 0; i < length; ++i) bytes[next + i] = data[begin + i]!;
  }
  return next + length;
}

function outOfStep(index: number, lsn: number): Error {
  return plainError(
    'ERR_POISONED',
    `entry ${index} would get LSN ${lsn}, which is not its own; close the log and open it again`,
  );
}
