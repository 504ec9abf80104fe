import { illegalConstructor, typeError, type AtomicLogError } from '../base/errors';
import type { Mapping } from './mapping';
import { Kind, isVariable, scalars, viewOf, type ScalarArray } from '../base/scalar';
import type { ArrayOf, ColumnOf, Layout } from './schema';
import { VarArea } from './var-area';
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

  /** Entry `i` of this chunk, from 0; undefined outside it. */
  at(i: number): T | undefined {
    if (!(Number.isInteger(i) && i >= 0 && i < this.length) || !this.#mapping.isAttached) return undefined;
    const position = this.#begin + i;
    const entry =
      this.#layout.dataBytes === 0 || this.#segment.isPinned
        ? readEntry(this.#layout, this.#mapping, position)
        : readEntry(this.#layout, isolate(this.#mapping, position), 0);
    return entry as T;
  }

  #view(column: number): ScalarArray {
    const array = this.#mapping.columns[column] as ScalarArray;
    // A detached array has no length; show it as it is.
    if (array.length === 0) return new scalars[this.#layout.kinds[column]!]!.Array(new ArrayBuffer(0), 0, 0);
    return viewOf(this.#layout.kinds[column]!, array, this.#begin, this.length);
  }

  #variable(column: number, read: Reader): VarColumn<unknown> {
    const area = this.#mapping.columns[column] as VarArea;
    return VarColumn[makeVarColumn](this.#segment, area, this.#begin, this.length, read);
  }
}

/** What entries are read from. */
type Columns = Pick<Mapping, 'columns'>;

/** A copy of one entry, at position 0; {@link VarArea.isolate} says what for. */
function isolate({ columns }: Columns, position: number): Columns {
  return {
    columns: columns.map((column) =>
      column instanceof VarArea ? column.isolate(position) : column.slice(position, position + 1),
    ),
  };
}

type Reader = (area: VarArea, position: number) => unknown;

/** How values are read that have no codec, by kind. */
const readers: Readonly<Record<number, Reader>> = {
  [Kind.utf8]: (area, position) => area.text(position),
  [Kind.bytes]: (area, position) => area.copy(position),
};

export function variableSize(message: string): AtomicLogError {
  return typeError('ERR_VARIABLE_SIZE', message);
}

export function columnIndex(layout: Layout, name: unknown): number {
  const index = layout.fields?.indexOf(name as string) ?? -1;
  if (index < 0) {
    throw typeError(
      'ERR_UNKNOWN_FIELD',
      layout.fields === undefined
        ? layout.coder === undefined
          ? 'a log of numbers has no columns; use values'
          : 'a log with a codec has no columns; use encoded'
        : `the log has no field ${JSON.stringify(String(name))}; it has ${layout.fields.join(', ')}`,
    );
  }
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
