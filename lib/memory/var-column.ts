/** `VarColumn`: the values of variable size in a chunk, for users. */
import { illegalConstructor } from '../base/errors';
import { Kind, viewOf } from '../base/scalar';
import type { VarArea } from './var-area';
import type { PinnedSegment } from './window';

/** Only the library has it, so only the library makes these. */
export const makeVarColumn = Symbol('makeVarColumn');

const NO_OFFSETS = new Int32Array(1);
const NO_BYTES = new Uint8Array(0);

/**
 * The values of a field of variable size, or of a log with a codec, in one
 * chunk: `offsets` and `data` as Apache Arrow has them. Views of the log's own
 * memory, as the typed arrays of other fields are.
 *
 * ```ts
 * const names = chunk.column('name');
 * for (let i = 0; i < names.length; ++i) console.log(names.at(i), names.bytesAt(i)?.length);
 * ```
 */
export class VarColumn<V> implements Iterable<V> {
  /** Values. */
  readonly length: number;
  readonly #segment: PinnedSegment;
  readonly #area: VarArea;
  /** Position of the first value in the segment. */
  readonly #begin: number;
  readonly #read: (area: VarArea, position: number) => unknown;

  private constructor(
    key: typeof makeVarColumn,
    segment: PinnedSegment,
    area: VarArea,
    begin: number,
    length: number,
    read: (area: VarArea, position: number) => unknown,
  ) {
    if (key !== makeVarColumn) throw illegalConstructor('VarColumn', 'chunk.column(name) or chunk.encoded');
    this.length = length;
    this.#segment = segment;
    this.#area = area;
    this.#begin = begin;
    this.#read = read;
  }

  /** @internal */
  static [makeVarColumn]<V>(
    segment: PinnedSegment,
    area: VarArea,
    begin: number,
    length: number,
    read: (area: VarArea, position: number) => unknown,
  ): VarColumn<V> {
    return new VarColumn(makeVarColumn, segment, area, begin, length, read);
  }

  /** Where the values stand: value `i` is `data` from `offsets[i]` to `offsets[i + 1]`; `length + 1` of them. */
  get offsets(): Int32Array {
    if (!this.#isAttached) return NO_OFFSETS.slice();
    return viewOf(Kind.i32, this.#area.offsets, this.#begin, this.length + 1) as Int32Array;
  }

  /** The values' bytes, one after the other. The first need not begin at 0. */
  get data(): Uint8Array {
    if (!this.#isAttached) return NO_BYTES;
    const { offsets, data } = this.#area;
    const end = offsets[this.#begin + this.length]!;
    return viewOf(Kind.u8, data, 0, end >= 0 && end <= data.length ? end : 0) as Uint8Array;
  }

  /**
   * The value at a position in this column, from 0; undefined outside. A string, a copy of the bytes, or what
   * the codec makes of them.
   */
  at(position: number): V | undefined {
    return this.#holds(position) ? this.#valueAt(this.#begin + position) : undefined;
  }

  /** The bytes of the value at a position, in the log's own memory; undefined outside. */
  bytesAt(position: number): Uint8Array | undefined {
    return this.#holds(position) ? this.#area.view(this.#begin + position) : undefined;
  }

  *[Symbol.iterator](): IterableIterator<V> {
    for (let i = 0; this.#holds(i); ++i) yield this.#valueAt(this.#begin + i);
  }

  /** In place while the segment is pinned, whose entries no one writes to then; from a copy later. */
  #valueAt(place: number): V {
    const value = this.#segment.isPinned
      ? this.#read(this.#area, place)
      : this.#read(this.#area.isolate(place), 0);
    return value as V;
  }

  #holds(position: number): boolean {
    return Number.isInteger(position) && position >= 0 && position < this.length && this.#isAttached;
  }

  /** False once the ArrayBuffer was transferred away. */
  get #isAttached(): boolean {
    return this.#area.offsets.length !== 0;
  }
}
