/** `Cursor`: one entry at a time of a snapshot, without an object for each. */
import { columnIndex, readEntry, readField } from './columns';
import { checkInteger } from '../base/checks';
import { illegalConstructor } from '../base/errors';
import { functionsOf, spreadOf } from './layout-functions';
import { NO_COLUMNS, type Column } from './mapping';
import type { Layout } from './layout';
import {
  COLUMNS,
  currentSegments,
  END,
  enterRun,
  POSITION,
  SEGMENTS,
  SOURCE,
  spreadColumns,
  type Place,
  type RunSource,
} from './run';

/** Only the library has it, so only the library makes cursors. */
export const makeCursor = Symbol('makeCursor');

/** Before the first entry: no window has this version, not even that of a closed snapshot. */
const NOT_BEGUN = -1;

/** Where an entry stands; undefined when the snapshot does not hold it. */
export type Locate = (index: number) => Place | undefined;

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
  /** Index of the segment's first entry. */
  #firstIndex = 0;
  /** @internal */
  readonly [SOURCE]: RunSource;
  /** @internal */
  [SEGMENTS] = NOT_BEGUN;
  /** @internal */
  [COLUMNS]: readonly Column[] = NO_COLUMNS;
  /** @internal */
  [POSITION] = 0;
  /** @internal */
  [END] = 0;

  private constructor(
    key: typeof makeCursor,
    layout: Layout,
    source: RunSource,
    locate: Locate,
    before: number,
  ) {
    if (key !== makeCursor) throw illegalConstructor('Cursor', 'snapshot.cursor()');
    this.#layout = layout;
    this[SOURCE] = source;
    this.#locate = locate;
    this.#firstIndex = before;
    // So that a cursor has them all from the beginning, and its code meets no other shape.
    spreadColumns(
      this,
      layout.kinds.map(() => undefined),
    );
  }

  /** @internal */
  static [makeCursor]<T>(layout: Layout, source: RunSource, locate: Locate, before: number): Cursor<T> {
    const CursorOfLayout = functionsOf(layout)?.cursorClass(Cursor) ?? Cursor;
    return new CursorOfLayout<T>(makeCursor, layout, source, locate, before);
  }

  /** Absolute index of the entry that it stands on. */
  get index(): number {
    return this.#firstIndex + this[POSITION];
  }

  /**
   * Moves to the next entry; false, and the cursor stays, when there is none.
   *
   * @throws `ERR_SNAPSHOT_CLOSED`
   */
  next(): boolean {
    const position = this[POSITION] + 1;
    if (position < this[END] && this[SOURCE][currentSegments] === this[SEGMENTS]) {
      this[POSITION] = position;
      return true;
    }
    return this.seek(this.#firstIndex + position);
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
    if (place === undefined || index < place.beginIndex || index >= place.endIndex || !place.isCurrent()) {
      return this.#enter(index);
    }
    this[POSITION] = (index - place.firstIndex) | 0;
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
    return readEntry(this.#layout, place.mapping, this[POSITION]) as T;
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
    return readField(this.#layout, place.mapping, column, this[POSITION]) as T[K];
  }

  #current(): Place | undefined {
    const place = this.#place;
    if (place?.isCurrent() !== true && !this.#enter(this.index)) this.#place = undefined;
    return this.#place;
  }

  /** False, and nothing has changed, where the snapshot does not hold the entry. */
  #enter(index: number): boolean {
    const place = this.#locate(index);
    if (place === undefined) return false;
    this.#place = place;
    this.#firstIndex = place.firstIndex;
    enterRun(this, place, index);
    spreadOf(this.#layout)(this, this[COLUMNS]);
    return true;
  }
}
