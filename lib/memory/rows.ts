/**
 * Rows: the entries of a log of records as one object that moves from entry to entry, with
 * a property for each field. Nothing is allocated for an entry.
 */
import { typeError } from '../base/errors';
import { isVariable } from '../base/scalar';
import { isolate, readField } from './columns';
import type { Place } from './cursor';
import { makeColumnGetters } from './layout-functions';
import { NO_COLUMNS, type Column } from './mapping';
import type { Layout } from './layout';
import type { VarArea } from './var-area';
import type { PinnedSegment } from './window';

// Symbols, because a field may have any name.
const COLUMNS = Symbol('columns');
const POSITION = Symbol('position');
const PLACE = Symbol('place');

/** What a row shows: an entry at a position of a segment. */
interface Row {
  [COLUMNS]: readonly Column[];
  [POSITION]: number;
  [PLACE]: Place | undefined;
}
type RowClass = new () => Row;

type Getter = (this: Row) => unknown;

const hidden = (value: unknown): PropertyDescriptor => ({ value, writable: true });

/**
 * In place only under the pin of the snapshot: {@link isolate} says why. With strict views nothing is
 * left after that, and every field is undefined.
 */
function variableGetter(layout: Layout, field: number): Getter {
  return function () {
    const place = this[PLACE];
    if (place === undefined) return undefined;
    const entry = { columns: this[COLUMNS] };
    if (place.isCurrent()) return readField(layout, entry, field, this[POSITION]);
    if ((entry.columns[field] as VarArea).offsets.length === 0) return undefined;
    return readField(layout, isolate(entry, this[POSITION]), field, 0);
  };
}

function fixedGetter(field: number): Getter {
  return function () {
    return (this[COLUMNS][field] as Float64Array)[this[POSITION]];
  };
}

/**
 * The fields are properties of the row itself, with getters: what copies an object, `{ ...row }` or
 * `JSON.stringify()`, sees no property of a prototype, and would leave out every field. All rows of a class
 * are given the same getters, so that reading a field is as fast as if the class had them.
 */
function makeRowClass(layout: Layout, fields: readonly string[]): RowClass {
  const { kinds } = layout;
  const made = makeColumnGetters(fields, kinds, COLUMNS, POSITION);
  const properties: PropertyDescriptorMap = {
    [COLUMNS]: hidden(NO_COLUMNS),
    [POSITION]: hidden(0),
    [PLACE]: hidden(undefined),
    ...Object.fromEntries(
      fields.map((name, i) => {
        const get = isVariable(kinds[i]!)
          ? variableGetter(layout, i)
          : ((made?.[i] as Getter | undefined) ?? fixedGetter(i));
        return [name, { get, enumerable: true }];
      }),
    ),
  };
  class FieldsRow {
    constructor() {
      Object.defineProperties(this, properties);
    }
  }
  // A row is shown as the object that its copy is, without getters and the name of a class.
  Object.defineProperty(FieldsRow.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: object) {
      return { ...this };
    },
  });
  return FieldsRow as RowClass;
}

/** By layout: one class for all rows of a log, so that what reads them stays fast. */
const rowClasses = new WeakMap<Layout, RowClass>();

function rowClassOf(layout: Layout): RowClass {
  const known = rowClasses.get(layout);
  if (known !== undefined) return known;
  if (layout.fields === undefined) {
    throw typeError(
      'ERR_UNKNOWN_FIELD',
      'only the entries of a log of records have fields; iterate the snapshot itself, or its chunks()',
    );
  }
  const made = makeRowClass(layout, layout.fields);
  rowClasses.set(layout, made);
  return made;
}

/** A snapshot: told without a call, which would cost as much as the row. */
export const currentSegments = Symbol('currentSegments');
export interface RowSource {
  readonly [currentSegments]: readonly PinnedSegment[];
}

/** Where the first entry at `index` or after it stands; undefined when there is none, or an end was reached. */
export type Seek = (index: number) => Place | undefined;

export class Rows<T> implements IterableIterator<T> {
  readonly #seek: Seek;
  readonly #row: Row;
  readonly #result: IteratorYieldResult<T>;
  #place: Place | undefined;
  readonly #source: RowSource;
  /** The segments of the snapshot when the run began: it holds the run as long as it has the same. */
  #segments: readonly PinnedSegment[] | undefined;
  /** Position in the segment where the run of the row ends. */
  #end = 0;
  /** Absolute index of the first entry that was not asked for yet, while there is no run. */
  #next: number;

  constructor(layout: Layout, source: RowSource, from: number, seek: Seek) {
    this.#source = source;
    this.#seek = seek;
    this.#row = new (rowClassOf(layout))();
    this.#result = { done: false, value: this.#row as T };
    this.#next = from;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<T, undefined> {
    const row = this.#row;
    const position = row[POSITION] + 1;
    if (position >= this.#end || this.#source[currentSegments] !== this.#segments)
      return this.#nextRun(position);
    row[POSITION] = position;
    return this.#result;
  }

  /** The caller may have refreshed or closed the snapshot since. */
  #nextRun(position: number): IteratorResult<T, undefined> {
    const from = this.#place === undefined ? this.#next : this.#place.firstIndex + position;
    const place = this.#seek(from);
    this.#place = place;
    this.#end = 0;
    if (place === undefined) {
      this.#next = Infinity;
      return { done: true, value: undefined };
    }
    this.#segments = this.#source[currentSegments];
    const row = this.#row;
    row[PLACE] = place;
    row[COLUMNS] = place.mapping.columns;
    row[POSITION] = Math.max(from, place.beginIndex) - place.firstIndex;
    this.#end = place.endIndex - place.firstIndex;
    return this.#result;
  }
}
