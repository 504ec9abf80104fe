/**
 * Reading columns: one entry, one field, a run of values copied out, and the
 * search in a column that never decreases.
 *
 * An index is absolute: an entry keeps it forever. A position counts from the
 * start of what holds the entry, here a segment.
 */
import { checkInteger } from '../base/checks';
import { copyValues } from '../base/copy';
import { invalidType, outOfRange, rangeError, typeError, type AtomicLogError } from '../base/errors';
import { functionsOf, readers } from './layout-functions';
import type { Mapping } from './mapping';
import type { Pins } from './pins';
import { unknownField } from './record';
import { isVariable, Kind, type ScalarArray, scalars, tagOf, viewOf } from '../base/scalar';
import type { Layout } from './layout';
import { typedArrayLength, typedArrayTag } from '../base/typed-array';
import { VarArea } from './var-area';
import { findSegment, type Window } from './window';

/** What entries are read from. */
type Columns = Pick<Mapping, 'columns'>;

/** A copy of one entry, at position 0; {@link VarArea.isolate} says what for. */
export function isolate({ columns }: Columns, position: number): Columns {
  return {
    columns: columns.map((column) =>
      column instanceof VarArea ? column.isolate(position) : column.slice(position, position + 1),
    ),
  };
}

export function variableSize(message: string): AtomicLogError {
  return typeError('ERR_VARIABLE_SIZE', message);
}

/** The number of a log's column; its values are `mapping.columns[number]`. */
export function columnIndex({ fields, coder }: Layout, name: unknown): number {
  if (fields === undefined) {
    throw typeError(
      'ERR_UNKNOWN_FIELD',
      coder === undefined
        ? 'a log of numbers has no columns; use values'
        : 'a log with a codec has no columns; use encoded',
    );
  }
  const index = fields.indexOf(name as string);
  if (index < 0) throw unknownField(name, fields);
  return index;
}

/** The entry at a position of a segment, as a number, bigint, new record, or what the codec makes of it. */
export function readEntry(layout: Layout, mapping: Columns, position: number): unknown {
  const { fields, dataBytes } = layout;
  const { columns } = mapping;
  // Entries of fixed size do without a look at the kind of each field.
  const isFixed = dataBytes === 0;
  if (fields === undefined) {
    return isFixed ? (columns[0] as ScalarArray)[position] : readField(layout, mapping, 0, position);
  }
  const functions = functionsOf(layout);
  if (functions !== null) return functions.read(columns, position);
  const record: Record<string, unknown> = {};
  if (isFixed) {
    for (let i = 0; i < fields.length; ++i) record[fields[i]!] = (columns[i] as ScalarArray)[position];
  } else {
    for (let i = 0; i < fields.length; ++i) record[fields[i]!] = readField(layout, mapping, i, position);
  }
  return record;
}

/** The value of one field; the field 0 of a log without fields is the entry. */
export function readField(layout: Layout, mapping: Columns, field: number, position: number): unknown {
  const column = mapping.columns[field]!;
  if (layout.dataBytes === 0) return (column as ScalarArray)[position];
  const kind = layout.kinds[field]!;
  if (!isVariable(kind)) return (column as ScalarArray)[position];
  const { coder } = layout;
  return coder === undefined
    ? readers[kind]!(column as VarArea, position)
    : coder.unpack(column as VarArea, position);
}

/** What a snapshot holds: the entries [firstIndex, endIndex) of a window. */
export interface Held {
  readonly layout: Layout;
  readonly pins: Pins;
  readonly window: Window;
  readonly firstIndex: number;
  readonly endIndex: number;
}

/** Checks a bound of a range of entries that are to be copied. */
function checkBound(what: string, value: unknown, { firstIndex, endIndex }: Held): asserts value is number {
  const index = checkInteger(what, value);
  if (index >= firstIndex && index <= endIndex) return;
  throw rangeError(
    'ERR_OUT_OF_RANGE',
    `${what} must be an index from ${firstIndex} to ${endIndex}, which the snapshot holds; got ${index}; ` +
      (index < firstIndex
        ? 'what is before has left the window: begin at snapshot.firstIndex'
        : 'refresh() the snapshot to see what came since'),
  );
}

/**
 * Copies values [from, to) into `target`, as many as fit. Without `from`, the
 * newest that fit. Returns how many.
 */
export function copyColumn(held: Held, column: number, target: unknown, from: unknown, to: unknown): number {
  const { layout, pins, window } = held;
  const kind = layout.kinds[column]!;
  if (isVariable(kind)) {
    throw variableSize('values of variable size fit no typed array; read them from chunks()');
  }
  const name = tagOf(kind);
  if (typedArrayTag(target) !== name) throw invalidType('target', `a ${name}`, target);
  if (to !== undefined) checkBound('to', to, held);
  const end = to ?? held.endIndex;
  const room = typedArrayLength(target as ScalarArray);
  if (from !== undefined) checkBound('from', from, held);
  const begin = from ?? Math.max(held.firstIndex, end - room);
  if (begin > end) throw outOfRange('from', `at most ${end}, where the range ends`, begin);
  const count = Math.min(room, end - begin);
  const { segments, begin: oldest } = window;
  // Backwards: the newest entries are what is asked for most.
  for (let i = segments.length - 1, stop = begin + count; i >= oldest && stop > begin; --i) {
    const segment = segments[i]!;
    const first = Math.max(begin, segment.firstIndex);
    if (first >= stop) continue;
    const values = pins.attached(segment).columns[column] as ScalarArray;
    const source = viewOf(kind, values, first - segment.firstIndex, stop - first);
    copyValues(kind, target as ScalarArray, first - begin, source, stop - first);
    stop = first;
  }
  return count;
}

/** The index of the first entry whose value is not less than `value`; endIndex when there is none. */
export function lowerBound(
  { layout, pins, window, firstIndex, endIndex }: Held,
  column: number,
  value: unknown,
): number {
  const expected = comparableType(layout, column);
  if (typeof value !== expected) throw invalidType('value', `a ${expected}`, value);
  let low = firstIndex;
  let high = endIndex;
  let segment = window.first;
  let count = 0;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    // The last steps all look into one segment.
    if (!(middle >= segment.firstIndex && middle < segment.firstIndex + count)) {
      segment = findSegment(window, middle);
      count = segment === window.head ? endIndex - segment.firstIndex : segment.count;
    }
    const mapping = pins.attached(segment);
    const entry = readField(layout, mapping, column, middle - segment.firstIndex) as number;
    if (entry < (value as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What the values of a column are that are compared with `<`. */
function comparableType({ kinds, coder }: Layout, column: number): 'number' | 'bigint' | 'string' {
  const kind = kinds[column]!;
  if (!isVariable(kind)) return scalars[kind]!.typeOf;
  if (kind === Kind.utf8 && (coder === undefined || coder.name === 'utf8')) return 'string';
  throw variableSize('only numbers and strings have an order; keep one in a column of its own');
}
