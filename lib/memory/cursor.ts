import { columnIndex, readEntry, readField } from './columns';
import { checkInteger } from '../base/checks';
import { illegalConstructor } from '../base/errors';
import type { Mapping } from './mapping';
import type { Layout } from './layout';

/** Only the library has it, so only the library makes cursors. */
export const makeCursor = Symbol('makeCursor');

/** Where an entry stands; undefined when the snapshot does not hold it. */
export type Locate = (index: number) => Place | undefined;

/** A run of entries in one segment: those with indexes [beginIndex, endIndex). */
export interface Place {
  readonly mapping: Mapping;
  /** Of the segment's first entry: the entry `index` is at position `index - firstIndex`. */
  readonly firstIndex: number;
  readonly beginIndex: number;
  readonly endIndex: number;
  /** Whether the snapshot still holds this run. */
  readonly isCurrent: () => boolean;
}

/**
 * A view of one entry at a time that is moved instead of made again: it
 * allocates nothing per entry.
 *
 * ```ts
 * const row = snapshot.cursor();
 * while (row.next()) total += row.get('price') * row.get('size');
 * ```
 */
export class Cursor<T> {
  readonly #layout: Layout;
  readonly #locate: Locate;
  #place: Place | undefined;
  #index: number;

  private constructor(key: typeof makeCursor, layout: Layout, locate: Locate, before: number) {
    if (key !== makeCursor) throw illegalConstructor('Cursor', 'snapshot.cursor()');
    this.#layout = layout;
    this.#locate = locate;
    this.#index = before;
  }

  /** @internal */
  static [makeCursor]<T>(layout: Layout, locate: Locate, before: number): Cursor<T> {
    return new Cursor(makeCursor, layout, locate, before);
  }

  /** Absolute index of the entry that it stands on. */
  get index(): number {
    return this.#index;
  }

  /**
   * Moves to the next entry; false, and the cursor stays, when there is none.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  next(): boolean {
    return this.seek(this.#index + 1);
  }

  /**
   * Moves to the entry with an absolute index; false, and the cursor stays, when
   * the snapshot does not hold it.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (not an integer)
   */
  seek(index: number): boolean {
    checkInteger('index', index);
    const place = this.#place;
    const isThere =
      place !== undefined && index >= place.beginIndex && index < place.endIndex && place.isCurrent();
    if (!isThere) {
      const found = this.#locate(index);
      if (found === undefined) return false;
      this.#place = found;
    }
    this.#index = index;
    return true;
  }

  /**
   * The entry; undefined before the first `next()`. In a log of records it is a
   * new object: {@link get} reads single fields.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  get value(): T | undefined {
    const place = this.#current();
    if (place === undefined) return undefined;
    return readEntry(this.#layout, place.mapping, this.#index - place.firstIndex) as T;
  }

  /**
   * One field of the entry of a log of records; undefined before the first
   * `next()`.
   *
   * @throws `ERR_UNKNOWN_FIELD`, `ERR_SNAPSHOT_CLOSED`
   */
  get<K extends keyof T & string>(name: K): T[K] {
    const column = columnIndex(this.#layout, name);
    const place = this.#current();
    if (place === undefined) return undefined as T[K];
    return readField(this.#layout, place.mapping, column, this.#index - place.firstIndex) as T[K];
  }

  #current(): Place | undefined {
    const place = this.#place;
    if (place !== undefined && place.isCurrent()) return place;
    return (this.#place = this.#locate(this.#index));
  }
}
