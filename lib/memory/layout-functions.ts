/**
 * Functions that are made for one layout, with a line for each field: one that stores a
 * record, and one that makes the object of an entry. In a loop over the fields, one place
 * in the code would meet every name and every type, and a record would take several times
 * as long.
 *
 * The text that is compiled depends on nothing but how many fields there are and which are
 * of variable size. Names come as arguments: no text of a user is ever compiled. Where code
 * may not be made from strings, the loops do it.
 */
import { checkOf, isVariable, type Kind } from '../base/scalar';
import type { Column } from './mapping';
import type { Payload } from './var-area';

type Check = (value: unknown) => boolean;
/** Reads the value at a position of a column of variable size. */
export type ReadVariable = (column: Column, position: number) => unknown;

export interface RecordStore {
  /** The columns of the head; what follows is stored there. */
  map(columns: readonly Column[]): void;
  /**
   * Reads, checks and stores a record; returns its position in the head. Reading
   * runs user code: getters and proxies. When `place` is asked, all of that is over.
   * -1, and nothing was read, for one whose keys are not the fields, which needs a
   * closer look.
   *
   * @throws what `refused` says of a value
   */
  store(record: unknown): number;
}

/** Where in the head the next record goes; `payloads` are its values of variable size, by field. */
export type Place = (payloads: readonly Payload[]) => number;

/** The error for the value of a field that its column refuses. */
export type Refused = (field: number, value: unknown, record: object) => Error;

/** The entry at a position, as a new object. */
export type RecordReader = (columns: readonly Column[], position: number) => object;

/** Reads one column of an object that has its columns, and a position, as properties. */
export type ColumnGetter = (this: object) => unknown;

/** What was compiled for a layout. */
interface Made {
  getters(columns: symbol, position: symbol): ColumnGetter[];
  store(
    names: readonly string[],
    checks: readonly Check[],
    place: Place,
    refused: Refused,
    payloads: readonly Payload[],
  ): RecordStore;
  read(
    names: readonly string[],
    template: object,
    variable: readonly (ReadVariable | undefined)[],
  ): RecordReader;
}

function eachOf(kinds: readonly Kind[]): (line: (i: number) => string) => string {
  return (line) => kinds.map((_, i) => line(i)).join('\n');
}

function storeText(kinds: readonly Kind[]): string {
  const each = eachOf(kinds);
  const variable = kinds.map((kind, i) => (isVariable(kind) ? i : -1)).filter((i) => i >= 0);
  return `'use strict';
${each((i) => `const n${i} = names[${i}], a${i} = checks[${i}]; let c${i};`)}
return {
  map(columns) {
    ${each((i) => `c${i} = columns[${i}];`)}
  },
  store(record) {
    if (record === null || typeof record !== 'object') return -1;
    let count = 0;
    for (const key in record) {
      if (key !== names[count] && !names.includes(key)) return -1;
      ++count;
    }
    if (count !== ${kinds.length}) return -1;
    ${each((i) => `const v${i} = record[n${i}]; if (!a${i}(v${i})) throw refused(${i}, v${i}, record);`)}
    ${variable.map((i) => `payloads[${i}] = v${i};`).join('\n')}
    const position = place(payloads);
    ${each((i) => (isVariable(kinds[i]!) ? `c${i}.store(position, v${i});` : `c${i}[position] = v${i};`))}
    return position;
  },
};`;
}

/** A copy of an object that has all fields already has its shape from the beginning. */
function readText(kinds: readonly Kind[]): string {
  const each = eachOf(kinds);
  const value = (i: number): string =>
    isVariable(kinds[i]!) ? `r${i}(columns[${i}], position)` : `columns[${i}][position]`;
  return `'use strict';
${each((i) => `const n${i} = names[${i}], r${i} = variable[${i}];`)}
return (columns, position) => {
  const entry = { ...template };
  ${each((i) => `entry[n${i}] = ${value(i)};`)}
  return entry;
};`;
}

function gettersText(kinds: readonly Kind[]): string {
  const each = eachOf(kinds);
  return `'use strict';
return [
  ${each((i) => `function () { return this[columns][${i}][this[position]]; },`)}
];`;
}

const MADE_MAX = 256;
/** By fields and kinds: one function for two layouts would meet the names of both. */
const made = new Map<string, Made | undefined>();

function madeFor(fields: readonly string[], kinds: readonly Kind[]): Made | undefined {
  const key = JSON.stringify([fields, kinds]);
  if (!made.has(key)) {
    if (made.size === MADE_MAX) made.clear();
    // Texts that are the same would be one function to the engine.
    made.set(key, compile(`// ${made.size}\n`, kinds));
  }
  return made.get(key);
}

function compile(mark: string, kinds: readonly Kind[]): Made | undefined {
  try {
    /* eslint-disable @typescript-eslint/no-implied-eval -- nothing of a user is in these texts */
    return {
      store: new Function(
        'names',
        'checks',
        'place',
        'refused',
        'payloads',
        mark + storeText(kinds),
      ) as Made['store'],
      getters: new Function('columns', 'position', mark + gettersText(kinds)) as Made['getters'],
      read: new Function('names', 'template', 'variable', mark + readText(kinds)) as Made['read'],
    };
    /* eslint-enable */
  } catch {
    // --disallow-code-generation-from-strings, or a content security policy.
    return undefined;
  }
}

/** Undefined where code may not be made from strings. */
export function makeRecordStore(
  fields: readonly string[],
  kinds: readonly Kind[],
  place: Place,
  refused: Refused,
): RecordStore | undefined {
  const payloads = kinds.map((kind) => (isVariable(kind) ? '' : undefined)) as Payload[];
  return madeFor(fields, kinds)?.store(fields, kinds.map(checkOf), place, refused, payloads);
}

/** Undefined where code may not be made from strings. */
export function makeRecordReader(
  fields: readonly string[],
  kinds: readonly Kind[],
  variable: readonly (ReadVariable | undefined)[],
): RecordReader | undefined {
  const template = Object.fromEntries(fields.map((name) => [name, undefined]));
  return madeFor(fields, kinds)?.read(fields, template, variable);
}

/** By field; those of fixed size. Undefined where code may not be made from strings. */
export function makeColumnGetters(
  fields: readonly string[],
  kinds: readonly Kind[],
  columns: symbol,
  position: symbol,
): readonly ColumnGetter[] | undefined {
  return madeFor(fields, kinds)?.getters(columns, position);
}
