/** `Chunk`: the entries that a snapshot shows of one segment, as typed arrays. */
import { columnIndex, isolate, readEntry, variableSize } from './columns';
import { illegalConstructor, typeError } from '../base/errors';
import type { Mapping } from './mapping';
import { isVariable, scalars, viewOf, type ScalarArray } from '../base/scalar';
import type { Layout } from './layout';
import { readers, type ReadVariable } from './layout-functions';
import type { ArrayOf, ColumnOf } from './schema';
import type { VarArea } from './var-area';
import { makeVarColumn, VarColumn } from './var-column';
import type { PinnedSegment } from './window';

/** Only the library has it, so only the library makes chunks. */
export const makeChunk = Symbol('makeChunk');

/**
 * The readable part of one segment in a snapshot.
 *
 * Its arrays are views of the log's own memory: read-only by contract, and
 * valid until the snapshot is closed or refreshed. Copy (`slice()`) what must
 * last longer or goes to an asynchronous native consumer.
 */
export class Chunk<T> {
  /** Number of the segment in the log, from 0. */
  readonly sequence: number;
  /** Absolute index of the first entry. */
  readonly firstIndex: number;
  /** Entries. */
  readonly length: number;
  readonly #layout: Layout;
  readonly #segment: PinnedSegment;
  readonly #mapping: Mapping;
  /** Position of the first entry in the segment. */
  readonly #begin: number;

  private constructor(
    key: typeof makeChunk,
    layout: Layout,
    segment: PinnedSegment,
    begin: number,
    length: number,
  ) {
    if (key !== makeChunk) throw illegalConstructor('Chunk', 'snapshot.chunks()');
    this.sequence = segment.sequence;
    this.firstIndex = segment.firstIndex + begin;
    this.length = length;
    this.#layout = layout;
    this.#segment = segment;
    this.#mapping = segment.mapping;
    this.#begin = begin;
  }

  /** @internal */
  static [makeChunk]<T>(layout: Layout, segment: PinnedSegment, begin: number, length: number): Chunk<T> {
    return new Chunk(makeChunk, layout, segment, begin, length);
  }

  /**
   * The entries of a log of numbers, `length` of them.
   *
   * @throws `ERR_UNKNOWN_FIELD` in a log of records: ask for a {@link column};
   * `ERR_VARIABLE_SIZE` in a log with a codec: use {@link encoded}.
   */
  get values(): ArrayOf<T> {
    if (this.#layout.fields !== undefined) {
      throw typeError(
        'ERR_UNKNOWN_FIELD',
        `a log of records has columns, not values; use column(name) with one of ${this.#layout.fields.join(', ')}`,
      );
    }
    if (this.#layout.coder !== undefined) {
      throw variableSize('a log with a codec has no typed array of values; use encoded, at(i) or iterate');
    }
    return this.#view(0) as ArrayOf<T>;
  }

  /**
   * The entries of a log with a codec as they are stored: bytes, and `at(i)`
   * decodes one.
   *
   * @throws `ERR_VARIABLE_SIZE` in a log of numbers or records.
   */
  get encoded(): VarColumn<T> {
    const { coder } = this.#layout;
    if (coder === undefined) throw variableSize('the log has no codec; use values or column(name)');
    return this.#variable(0, coder.unpack) as VarColumn<T>;
  }

  /**
   * One field of every entry of a log of records, `length` of them.
   *
   * @throws `ERR_UNKNOWN_FIELD` when the log has no such field.
   */
  column<K extends keyof T & string>(name: K): ColumnOf<T, K> {
    const column = columnIndex(this.#layout, name);
    const kind = this.#layout.kinds[column]!;
    return (isVariable(kind) ? this.#variable(column, readers[kind]!) : this.#view(column)) as ColumnOf<T, K>;
  }

  /** The entry at a position in this chunk, from 0 to `length` - 1; undefined outside it. */
  at(position: number): T | undefined {
    const isInside = Number.isInteger(position) && position >= 0 && position < this.length;
    if (!isInside || !this.#mapping.isAttached) return undefined;
    const place = this.#begin + position;
    const entry =
      this.#layout.dataBytes === 0 || this.#segment.isPinned
        ? readEntry(this.#layout, this.#mapping, place)
        : readEntry(this.#layout, isolate(this.#mapping, place), 0);
    return entry as T;
  }

  #view(column: number): ScalarArray {
    const array = this.#mapping.columns[column] as ScalarArray;
    // A detached array has no length; show it as it is.
    if (array.length === 0) return new scalars[this.#layout.kinds[column]!]!.Array(new ArrayBuffer(0), 0, 0);
    return viewOf(this.#layout.kinds[column]!, array, this.#begin, this.length);
  }

  #variable(column: number, read: ReadVariable): VarColumn<unknown> {
    const area = this.#mapping.columns[column] as VarArea;
    return VarColumn[makeVarColumn](this.#segment, area, this.#begin, this.length, read);
  }
}
