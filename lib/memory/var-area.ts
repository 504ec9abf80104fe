/**
 * One field of variable size in a mapped block, in Arrow's layout: value `i` is
 * `data` from `offsets[i]` to `offsets[i + 1]`.
 */
import { rangeError, type AtomicLogError } from '../base/errors';
import { copyBytes, copyValues } from '../base/copy';
import { Kind, viewOf } from '../base/scalar';
import { readText, textBytes, textFits, writeText } from '../base/text';
import { typedArrayLength } from '../base/typed-array';

/** What is stored for a value: text as UTF-8, or bytes as they are. */
export type Payload = string | Uint8Array;

/** Values that are there already, one after the other: value `i` is from `offsets[i]` to `offsets[i + 1]`. */
export interface VarSource {
  readonly offsets: ArrayLike<number>;
  readonly data: Uint8Array;
}

/** After the two offsets of an area of one value. */
const ISOLATED_DATA_AT = 8;

/** For texts that are copied before they are decoded; longer ones get memory of their own. */
const SCRATCH_BYTES = 2 ** 14;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

export class VarArea {
  /** One more than the segment has entries. */
  readonly offsets: Int32Array;
  readonly data: Buffer;
  /** The writer's: bytes taken by the head's entries, staged ones included. */
  #used = 0;

  constructor(
    buffer: ArrayBufferLike,
    offsetsAt: number,
    dataAt: number,
    segmentCapacity: number,
    dataBytes: number,
    /** Whether other processes can write to it at any time. */
    private readonly isOfProcesses = false,
  ) {
    this.offsets = new Int32Array(buffer, offsetsAt, segmentCapacity + 1);
    this.data = Buffer.from(buffer, dataAt, dataBytes);
  }

  // --- Reading. A stray store by JavaScript can damage an offset; what it leads
  // to is wrong then, but inside the data.

  text(position: number): string {
    if (this.isOfProcesses) return this.#copiedText(position);
    return readText(this.data, this.offsets[position]!, this.offsets[position + 1]!);
  }

  /** As {@link isolate}: no pin keeps a stray store of another process away. */
  #copiedText(position: number): string {
    const begin = this.offsets[position]!;
    const end = this.offsets[position + 1]!;
    if (!(begin >= 0 && begin < end && end <= this.data.length)) return '';
    const length = end - begin;
    if (length > SCRATCH_BYTES) return readText(Buffer.from(this.data.subarray(begin, end)), 0, length);
    this.data.copy(scratch, 0, begin, end);
    return readText(scratch, 0, length);
  }

  /** The bytes for what decodes them: in place, or a copy where other processes can write to them meanwhile. */
  encoded(position: number): Uint8Array {
    return this.isOfProcesses ? this.copy(position) : this.view(position);
  }

  /** The bytes in place. */
  view(position: number): Uint8Array {
    const begin = this.offsets[position]!;
    const end = this.offsets[position + 1]!;
    const isSound = begin >= 0 && begin <= end && end <= this.data.length;
    return viewOf(Kind.u8, this.data, isSound ? begin : 0, isSound ? end - begin : 0) as Uint8Array;
  }

  copy(position: number): Uint8Array {
    return new Uint8Array(this.view(position));
  }

  /**
   * A copy of one value, at position 0, for memory that may be written to meanwhile: what decodes text reads
   * its bytes twice, and writes beyond the string that it made if they changed in between.
   */
  isolate(position: number): VarArea {
    const bytes = this.view(position);
    const area = new VarArea(
      new ArrayBuffer(ISOLATED_DATA_AT + bytes.length),
      0,
      ISOLATED_DATA_AT,
      1,
      bytes.length,
    );
    area.data.set(bytes);
    area.offsets[1] = bytes.length;
    return area;
  }

  // --- Writing: the claimed writer, at the positions of its head.

  /** Begins to write at `position`; what lies before it is published. */
  begin(position: number): void {
    // Memory that comes from another log holds anything.
    if (position === 0) this.offsets[0] = 0;
    const used = this.offsets[position]!;
    this.#used = used >= 0 && used <= this.data.length ? used : this.data.length;
  }

  get used(): number {
    return this.#used;
  }

  get room(): number {
    return this.data.length - this.#used;
  }

  /** Whether the value fits into what is left. */
  hasRoom(payload: Payload): boolean {
    return payloadFits(payload, this.data.length - this.#used);
  }

  storeText(position: number, text: string): void {
    this.take(position, writeText(this.data, this.#used, text));
  }

  /** Stores a value that fits. */
  store(position: number, payload: Payload): void {
    if (typeof payload === 'string') {
      this.take(position, writeText(this.data, this.#used, payload));
      return;
    }
    const length = Math.min(typedArrayLength(payload), this.room);
    copyBytes(this.data, this.#used, payload, length);
    this.take(position, length);
  }

  /** The next `length` bytes of the data are the value at `position`. */
  take(position: number, length: number): void {
    this.#used += length;
    this.offsets[position + 1] = this.#used;
  }

  /** Stores values [from, from + count) of the source, which fit. */
  storeMany(position: number, { offsets, data }: VarSource, from: number, count: number): void {
    const begin = offsets[from]!;
    const length = offsets[from + count]! - begin;
    if (length > 0) copyValues(Kind.u8, this.data, this.#used, viewOf(Kind.u8, data, begin, length), length);
    const distance = this.#used - begin;
    const own = this.offsets;
    for (let i = 1; i <= count; ++i) own[position + i] = offsets[from + i]! + distance;
    this.#used += length;
  }
}

export function payloadBytes(payload: Payload): number {
  return typeof payload === 'string' ? textBytes(payload) : typedArrayLength(payload);
}

export function payloadFits(payload: Payload, room: number): boolean {
  return typeof payload === 'string' ? textFits(payload, room) : typedArrayLength(payload) <= room;
}

/** How many values of the source, from `from` on and `count` at most, fit into `room` bytes. */
export function countFitting({ offsets }: VarSource, from: number, count: number, room: number): number {
  const end = offsets[from]! + room;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (offsets[from + middle]! <= end) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function tooLarge(what: string, bytes: number, dataBytes: number): AtomicLogError {
  return rangeError(
    'ERR_VALUE_TOO_LARGE',
    `${what} needs ${bytes} bytes, and a segment has room for ${dataBytes}; ` +
      'make the log with a larger dataBytes',
  );
}
