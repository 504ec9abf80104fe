/**
 * Rows: the entries of a log of records as one object that moves from entry to entry, with
 * a property for each field. Nothing is allocated for an entry.
 */
import { typeError } from '../base/errors';
import { isVariable } from '../base/scalar';
import { isolate, readField } from './columns';
import { functionsOf, spreadOf, type Spread } from './layout-functions';
import { NO_COLUMNS, type Column } from './mapping';
import type { Layout } from './layout';
import {
  columnName,
  COLUMNS,
  currentSegments,
  END,
  POSITION,
  SEGMENTS,
  SOURCE,
  Steps,
  type Place,
  type RunSource,
  type Seek,
} from './run';
import type { VarArea } from './var-area';

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
  const made = functionsOf(layout)?.makeGetters();
  const properties: PropertyDescriptorMap = {
    [COLUMNS]: hidden(NO_COLUMNS),
    [POSITION]: hidden(0),
    [PLACE]: hidden(undefined),
    ...Object.fromEntries(fields.map((_, i) => [columnName(i), hidden(undefined)])),
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

export class Rows<T> extends Steps<T> {
  /** For the functions of a layout too, which take the place of next(). */
  protected readonly row: Row;
  readonly #spread: Spread;

  constructor(layout: Layout, source: RunSource, from: number, seek: Seek) {
    super(source, from, seek);
    this.row = new (rowClassOf(layout))();
    this.#spread = spreadOf(layout);
  }

  static over<T>(layout: Layout, source: RunSource, from: number, seek: Seek): Rows<T> {
    const RowsOfLayout = functionsOf(layout)?.rowsClass(Rows<T>) ?? Rows<T>;
    return new RowsOfLayout(layout, source, from, seek);
  }

  next(): IteratorResult<T, undefined> {
    const { row } = this;
    let position = row[POSITION] + 1;
    if (position >= this[END] || this[SOURCE][currentSegments] !== this[SEGMENTS]) {
      position = this.nextRun(position);
    }
    if (position < 0) return { done: true, value: undefined };
    row[POSITION] = position;
    return { done: false, value: row as T };
  }

  protected override nextRun(position: number): number {
    const next = super.nextRun(position);
    if (next < 0) return next;
    const { row } = this;
    row[PLACE] = this.place;
    row[COLUMNS] = this[COLUMNS];
    this.#spread(row, this[COLUMNS]);
    return next;
  }
}
