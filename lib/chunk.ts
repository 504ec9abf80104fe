import { illegalConstructor, typeError } from './errors';
import type { Mapping } from './mapping';
import { scalars, viewOf, type ScalarArray } from './scalar';
import type { ArrayOf, Layout } from './schema';
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
   * @throws `ERR_UNKNOWN_FIELD` in a log of records: ask for a {@link column}.
   */
  get values(): ArrayOf<T> {
    if (this.#layout.fields !== undefined) {
      throw typeError(
        'ERR_UNKNOWN_FIELD',
        `a log of records has columns, not values; use column(name) with one of ${this.#layout.fields.join(', ')}`,
      );
    }
    return this.#view(0) as ArrayOf<T>;
  }

  /**
   * One field of every entry of a log of records, `length` of them.
   *
   * @throws `ERR_UNKNOWN_FIELD` when the log has no such field.
   */
  column<K extends keyof T & string>(name: K): ArrayOf<T[K]> {
    return this.#view(columnIndex(this.#layout, name)) as ArrayOf<T[K]>;
  }

  /** Entry `i` of this chunk, from 0; undefined outside it. */
  at(i: number): T | undefined {
    if (!(Number.isInteger(i) && i >= 0 && i < this.length) || !this.#mapping.isAttached) return undefined;
    return readEntry(this.#layout, this.#mapping, this.#begin + i) as T;
  }

  #view(column: number): ScalarArray {
    const array = this.#mapping.columns[column]!;
    // A detached array has no length; show it as it is.
    if (array.length === 0) return new scalars[this.#layout.kinds[column]!]!.Array(new ArrayBuffer(0), 0, 0);
    return viewOf(this.#layout.kinds[column]!, array, this.#begin, this.length);
  }
}

export function columnIndex(layout: Layout, name: unknown): number {
  const index = layout.fields?.indexOf(name as string) ?? -1;
  if (index < 0) {
    throw typeError(
      'ERR_UNKNOWN_FIELD',
      layout.fields === undefined
        ? 'a log of numbers has no columns; use values'
        : `the log has no field ${JSON.stringify(String(name))}; it has ${layout.fields.join(', ')}`,
    );
  }
  return index;
}

/** The entry at a position of a segment, as a number, bigint or new record. */
export function readEntry(layout: Layout, mapping: Mapping, position: number): unknown {
  const { columns } = mapping;
  const { fields } = layout;
  if (fields === undefined) return columns[0]![position];
  const record: Record<string, unknown> = {};
  for (let i = 0; i < fields.length; ++i) record[fields[i]!] = columns[i]![position];
  return record;
}
