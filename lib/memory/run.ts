/**
 * How what reads one entry after the other moves through a snapshot: from run to run, a run
 * being what the snapshot holds of one segment. Within a run a step is one more position,
 * and a look whether the snapshot still has the same segments.
 *
 * The state has symbols for names, because functions that are made for one layout
 * (layout-functions.ts) work on it.
 */
import { NO_COLUMNS, type Column, type Mapping } from './mapping';
import { NO_VERSION } from './window';

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

/** Which segments the source has, as the version of its window: told without a call, which would cost as much as the entry. */
export const currentSegments = Symbol('currentSegments');
export interface RunSource {
  readonly [currentSegments]: number;
}

export const SOURCE = Symbol('source');
export const SEGMENTS = Symbol('segments');
export const COLUMNS = Symbol('columns');
export const POSITION = Symbol('position');
export const END = Symbol('end');

const columnNames: symbol[] = [];

/** The name of one column, for what has each by itself: an array of them is one more look at each value. */
export function columnName(i: number): symbol {
  while (columnNames.length <= i) columnNames.push(Symbol(`column ${columnNames.length}`));
  return columnNames[i]!;
}

/** Gives an object each column by itself. */
export function spreadColumns(target: object, columns: readonly (Column | undefined)[]): void {
  for (let i = 0; i < columns.length; ++i) {
    (target as Record<symbol, Column | undefined>)[columnName(i)] = columns[i];
  }
}

/** Where a reader stands. */
export interface RunState {
  readonly [SOURCE]: RunSource;
  /** Those of the source when the run began: it holds the run as long as it has the same. */
  [SEGMENTS]: number;
  [COLUMNS]: readonly Column[];
  /** In the segment; a small integer to the engine, which indexes may not be. */
  [POSITION]: number;
  /** Position in the segment where the run ends. */
  [END]: number;
}

/** Where the first entry at `index` or after it stands; undefined when there is none, or an end was reached. */
export type Seek = (index: number) => Place | undefined;

/** Every iterator's prototype has its methods. */
const IteratorPrototype = Object.getPrototypeOf(
  Object.getPrototypeOf([][Symbol.iterator]()) as object,
) as object;

export abstract class Steps<T> implements IterableIterator<T, undefined>, RunState {
  readonly [SOURCE]: RunSource;
  [SEGMENTS] = NO_VERSION;
  [COLUMNS]: readonly Column[] = NO_COLUMNS;
  [POSITION] = 0;
  [END] = 0;
  /** Undefined once it has ended, as a generator has that has thrown or was left. */
  #seek: Seek | undefined;
  #place: Place | undefined;
  /** Absolute index of the first entry, before the first run. */
  readonly #from: number;

  constructor(source: RunSource, from: number, seek: Seek) {
    this[SOURCE] = source;
    this.#seek = seek;
    this.#from = from;
  }

  static {
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
  }

  declare [Symbol.iterator]: () => this;

  abstract next(): IteratorResult<T, undefined>;

  /** The run that it is in. */
  protected get place(): Place | undefined {
    return this.#place;
  }

  /**
   * Begins the run that holds the entry at `position` of this one, or the next that there is, and returns the
   * position of its entry; -1, forever, when there is none. The caller may have refreshed or closed the
   * snapshot since.
   */
  protected nextRun(position: number): number {
    const seek = this.#seek;
    const from = this.#place === undefined ? this.#from : this.#place.firstIndex + position;
    this.end();
    const place = seek?.(from);
    if (place === undefined) return -1;
    this.#seek = seek;
    this.#place = place;
    enterRun(this, place, Math.max(from, place.beginIndex));
    return this[POSITION];
  }

  protected end(): void {
    this.#seek = undefined;
    this[END] = 0;
  }
}

/** Stands on the entry `index` of a run. */
export function enterRun(state: RunState, place: Place, index: number): void {
  state[SEGMENTS] = state[SOURCE][currentSegments];
  state[COLUMNS] = place.mapping.columns;
  // The differences of doubles are doubles, even when they are whole.
  state[POSITION] = (index - place.firstIndex) | 0;
  state[END] = (place.endIndex - place.firstIndex) | 0;
}
